/* audit_report.h - what an audit found: one line per check, and every problem by itself.
 *
 * init -> { begin -> problem* -> end | skip }* -> read lines and problems -> fini. */
#ifndef CITYLAKE_QUERY_AUDIT_REPORT_H
#define CITYLAKE_QUERY_AUDIT_REPORT_H

#include "base/arena.h"

#include <stdint.h>

/* Problems kept of one check; more are only counted, and the check's line says how many there were.
 */
enum { CL_AUDIT_KEPT = 100 };

enum cl_audit_result { CL_AUDIT_PASSED, CL_AUDIT_FAILED, CL_AUDIT_SKIPPED };

struct cl_audit_line {
    const char *table, *check;
    enum cl_audit_result result;
    const char *detail;
};

struct cl_audit_problem {
    const char *table, *check;
    const char *text; /* names partition, snapshot and numbers */
};

struct cl_audit {
    struct cl_audit_line *lines;
    size_t n_lines;
    struct cl_audit_problem *problems;
    size_t n_problems; /* kept */
    int64_t total_problems;
    int64_t tables, partitions, offsets; /* that were looked at */
    const char *table, *check;           /* of the check that runs */
    int64_t check_problems;
    bool out_of_memory;
    struct cl_arena arena;
};

void cl_audit_init(struct cl_audit *a);
void cl_audit_fini(struct cl_audit *a);

/* Names are copied. */
void cl_audit_begin(struct cl_audit *a, const char *table, const char *check);
void cl_audit_problem(struct cl_audit *a, const char *fmt, ...) CL_PRINTF(2, 3);
/* The text is the line's detail where no problem was found. */
void cl_audit_end(struct cl_audit *a, const char *fmt, ...) CL_PRINTF(2, 3);
/* A whole check that was not made, and why. */
void cl_audit_skip(struct cl_audit *a, const char *table, const char *check, const char *fmt, ...)
    CL_PRINTF(4, 5);

#endif
