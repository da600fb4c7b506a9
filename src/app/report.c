/* report.c - see report.h. */
#include "app/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

_Static_assert((int)CL_FORMAT_TABLE == (int)CL_OUTPUT_TABLE &&
                   (int)CL_FORMAT_CSV == (int)CL_OUTPUT_CSV &&
                   (int)CL_FORMAT_JSON == (int)CL_OUTPUT_JSON,
               "the options' formats are the writer's");

enum { MAX_ROW_BYTES = 64 << 20 };

enum cl_code cl_report_open(struct cl_report *r, enum cl_format format,
                            const struct cl_result_column *columns, size_t n, struct cl_error *err)
{
    *r = (struct cl_report){.columns = columns, .n = n, .err = err};
    cl_arena_init(&r->arena, MAX_ROW_BYTES);
    r->texts = calloc(n, sizeof *r->texts);
    if (r->texts == NULL)
        r->code = cl_fail_nomem(err);
    else
        r->code =
            cl_output_new(stdout, (enum cl_output_format)format, columns, n, 0, &r->output, err);
    return r->code;
}

/* text lives in the arena, or is NULL. */
static void put(struct cl_report *r, const char *text)
{
    if (r->code != CL_OK) return;
    r->texts[r->filled++] = text;
    if (r->filled < r->n) return;
    r->code = cl_output_row(r->output, r->texts, NULL, r->err);
    r->filled = 0;
    cl_arena_reset(&r->arena);
}

static void put_copy(struct cl_report *r, const char *copy)
{
    if (r->code == CL_OK && copy == NULL) r->code = cl_fail_nomem(r->err);
    put(r, copy);
}

void cl_report_text(struct cl_report *r, const char *text)
{
    if (text == NULL)
        put(r, NULL);
    else
        put_copy(r, cl_arena_strdup(&r->arena, text));
}

void cl_report_int(struct cl_report *r, int64_t value)
{
    put_copy(r, cl_arena_printf(&r->arena, "%" PRId64, value));
}

void cl_report_bool(struct cl_report *r, bool value)
{
    put_copy(r, cl_arena_strdup(&r->arena, value ? "true" : "false"));
}

void cl_report_printf(struct cl_report *r, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    put_copy(r, len < 0 ? NULL : cl_arena_strdup(&r->arena, text));
}

enum cl_code cl_report_close(struct cl_report *r)
{
    if (r->code == CL_OK) r->code = cl_output_finish(r->output, r->err);
    cl_output_free(r->output);
    cl_arena_fini(&r->arena);
    free(r->texts);
    return r->code;
}

bool cl_report_reader_left(const struct cl_error *err)
{
    return err->origin == CL_ORIGIN_ERRNO && err->origin_code == EPIPE;
}
