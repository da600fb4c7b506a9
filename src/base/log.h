/* log.h - structured log lines, logfmt or JSON, on a file descriptor.
 *
 * Library folders return errors and never log; stream and app, which decide, are handed a logger
 * and log once. Thread-safe: a line is formatted on the stack and written by one write(2). */
#ifndef CITYLAKE_BASE_LOG_H
#define CITYLAKE_BASE_LOG_H

#include "base/error.h"

#include <stdint.h>

enum cl_log_level { CL_LOG_DEBUG, CL_LOG_INFO, CL_LOG_WARN, CL_LOG_ERROR };
enum cl_log_format { CL_LOG_LOGFMT, CL_LOG_JSON };

struct cl_log {
    int fd;
    enum cl_log_format format;
    enum cl_log_level min_level;
    bool on_terminal; /* a progress line may stand on the terminal: "\r\033[K" goes before each log
                         line */
};

/* One key and its value; made by the CL_ macros below. */
struct cl_log_field {
    const char *key;
    enum { CL_LOG_TEXT, CL_LOG_INT, CL_LOG_DOUBLE } kind;
    const char *text; /* NULL prints as empty */
    int64_t integer;
    double number;
};
#define CL_STR(k, v) ((struct cl_log_field){.key = (k), .kind = CL_LOG_TEXT, .text = (v)})
#define CL_NUM(k, v)                                                                               \
    ((struct cl_log_field){.key = (k), .kind = CL_LOG_INT, .integer = (int64_t)(v)})
#define CL_DBL(k, v) ((struct cl_log_field){.key = (k), .kind = CL_LOG_DOUBLE, .number = (v)})

void cl_log_write(const struct cl_log *log, enum cl_log_level level, const char *event,
                  const struct cl_log_field *fields, size_t n);

/* cl_log(log, CL_LOG_INFO, "commit", CL_STR("table", name), CL_NUM("rows", rows)); log may be NULL.
 */
#define cl_log(log, level, event, ...)                                                             \
    cl_log_write((log), (level), (event), (const struct cl_log_field[]){__VA_ARGS__},              \
                 sizeof((const struct cl_log_field[]){__VA_ARGS__}) / sizeof(struct cl_log_field))

#endif
