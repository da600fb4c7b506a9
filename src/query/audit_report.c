/* audit_report.c - see audit_report.h. */
#include "query/audit_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 1024, MAX_ARENA_BYTES = 256 << 20 };

void cl_audit_init(struct cl_audit *a)
{
    *a = (struct cl_audit){0};
    cl_arena_init(&a->arena, MAX_ARENA_BYTES);
}

void cl_audit_fini(struct cl_audit *a)
{
    free(a->lines);
    free(a->problems);
    cl_arena_fini(&a->arena);
    *a = (struct cl_audit){0};
}

static const char *keep(struct cl_audit *a, const char *text)
{
    const char *copy = cl_arena_strdup(&a->arena, text);
    if (copy == NULL) a->out_of_memory = true;
    return copy == NULL ? "" : copy;
}

static const char *keep_format(struct cl_audit *a, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
static const char *keep_format(struct cl_audit *a, const char *fmt, va_list args)
{
    char text[MAX_TEXT_BYTES];
    (void)vsnprintf(text, sizeof text, fmt, args);
    return keep(a, text);
}

/* Room for one more element: arrays grow by powers of two, n is the only state. */
static void *grow(struct cl_audit *a, void *array, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) return array;
    void *bigger = realloc(array, (n == 0 ? 1 : n * 2) * size);
    if (bigger == NULL) a->out_of_memory = true;
    return bigger;
}

static void add_line(struct cl_audit *a, enum cl_audit_result result, const char *detail)
{
    struct cl_audit_line *lines = grow(a, a->lines, a->n_lines, sizeof *lines);
    if (lines == NULL) return;
    a->lines = lines;
    a->lines[a->n_lines++] = (struct cl_audit_line){a->table, a->check, result, detail};
}

void cl_audit_begin(struct cl_audit *a, const char *table, const char *check)
{
    a->table = keep(a, table);
    a->check = keep(a, check);
    a->check_problems = 0;
}

void cl_audit_problem(struct cl_audit *a, const char *fmt, ...)
{
    a->total_problems++;
    if (a->check_problems++ >= CL_AUDIT_KEPT) return;
    struct cl_audit_problem *problems = grow(a, a->problems, a->n_problems, sizeof *problems);
    if (problems == NULL) return;
    va_list args;
    va_start(args, fmt);
    a->problems = problems;
    a->problems[a->n_problems++] =
        (struct cl_audit_problem){a->table, a->check, keep_format(a, fmt, args)};
    va_end(args);
}

void cl_audit_end(struct cl_audit *a, const char *fmt, ...)
{
    char failed[64];
    va_list args;
    if (a->check_problems > 0) {
        (void)snprintf(failed, sizeof failed, "%" PRId64 " problem%s", a->check_problems,
                       a->check_problems == 1 ? "" : "s");
        add_line(a, CL_AUDIT_FAILED, keep(a, failed));
        return;
    }
    va_start(args, fmt);
    add_line(a, CL_AUDIT_PASSED, keep_format(a, fmt, args));
    va_end(args);
}

void cl_audit_skip(struct cl_audit *a, const char *table, const char *check, const char *fmt, ...)
{
    va_list args;
    cl_audit_begin(a, table, check);
    va_start(args, fmt);
    add_line(a, CL_AUDIT_SKIPPED, keep_format(a, fmt, args));
    va_end(args);
}
