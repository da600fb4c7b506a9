/* report.h - the rows of a command's answer, written cell by cell in the format of --format on
 * standard output.
 *
 * open -> { one cell call per column, in order } per row -> close. */
#ifndef CITYLAKE_APP_REPORT_H
#define CITYLAKE_APP_REPORT_H

#include "app/app.h"
#include "query/output.h"

struct cl_report {
    struct cl_output *output;
    const struct cl_result_column *columns;
    size_t n, filled;
    const char **texts;
    struct cl_arena arena; /* of the current row */
    enum cl_code code;     /* the first failure; cells after it do nothing */
    struct cl_error *err;
};

/* columns and err are borrowed until close. */
CL_MUSTCHECK enum cl_code cl_report_open(struct cl_report *r, enum cl_format format,
                                         const struct cl_result_column *columns, size_t n,
                                         struct cl_error *err);
void cl_report_text(struct cl_report *r, const char *text); /* NULL = SQL NULL; copied */
void cl_report_int(struct cl_report *r, int64_t value);
void cl_report_bool(struct cl_report *r, bool value);
void cl_report_printf(struct cl_report *r, const char *fmt, ...) CL_PRINTF(2, 3);

/* Ends the output and frees everything; also after a failed open.  The first failure's code. */
CL_MUSTCHECK enum cl_code cl_report_close(struct cl_report *r);

/* The reader of our output went away (`| head`): nothing is wrong. */
bool cl_report_reader_left(const struct cl_error *err);

#endif
