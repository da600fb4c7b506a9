/* output.c - see output.h. */
#include "query/output.h"

#include "query/output_table.h"

#include <errno.h>
#include <stdlib.h>

/* Bytes gathered before they go to the stream. */
enum { CHUNK_BYTES = 64 << 10 };

struct cl_output {
    FILE *out;
    enum cl_output_format format;
    const struct cl_result_column *columns;
    size_t n;
    struct cl_table_writer *table; /* CL_OUTPUT_TABLE */
    int64_t rows;
    struct cl_buf buf;
};

static enum cl_code write_out(struct cl_output *o, struct cl_error *err)
{
    if (o->buf.len > 0 && fwrite(o->buf.data, 1, o->buf.len, o->out) != o->buf.len)
        return cl_fail_errno(err, errno, "the output cannot be written");
    cl_buf_reset(&o->buf);
    return CL_OK;
}

/* Empty text and text with a quote, a comma, a line break or a blank at an end stands in quotes. */
static void put_csv(struct cl_text *t, const char *text, size_t len)
{
    bool plain = len > 0 && text[0] != ' ' && text[len - 1] != ' ';
    for (size_t i = 0; plain && i < len; i++)
        plain = text[i] != '"' && text[i] != ',' && text[i] != '\n' && text[i] != '\r';
    if (plain)
        cl_text_bytes(t, text, len);
    else
        cl_text_quoted(t, '"', text, len);
}

static void csv_row(struct cl_text *t, size_t n, const char *const *texts, const size_t *lens)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0) cl_text_byte(t, ',');
        if (texts[i] != NULL) put_csv(t, texts[i], lens == NULL ? strlen(texts[i]) : lens[i]);
    }
    cl_text_byte(t, '\n');
}

/* nan and inf are no JSON numbers. */
static bool is_bare(const struct cl_result_column *c, const char *text, size_t len)
{
    return c->json || c->boolean ||
           (c->numeric && len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9');
}

static void json_row(struct cl_output *o, struct cl_text *t, const char *const *texts,
                     const size_t *lens)
{
    cl_text_str(t, o->rows == 0 ? "[\n{" : ",\n{");
    for (size_t i = 0; i < o->n; i++) {
        const struct cl_result_column *c = &o->columns[i];
        if (i > 0) cl_text_str(t, ", ");
        cl_text_json(t, c->name, strlen(c->name));
        cl_text_str(t, ": ");
        size_t len = texts[i] == NULL ? 0 : lens == NULL ? strlen(texts[i]) : lens[i];
        if (texts[i] == NULL)
            cl_text_str(t, "null");
        else if (is_bare(c, texts[i], len))
            cl_text_bytes(t, texts[i], len);
        else
            cl_text_json(t, texts[i], len);
    }
    cl_text_byte(t, '}');
}

static void csv_header(struct cl_output *o, struct cl_text *t)
{
    for (size_t i = 0; i < o->n; i++) {
        if (i > 0) cl_text_byte(t, ',');
        put_csv(t, o->columns[i].name, strlen(o->columns[i].name));
    }
    if (o->n > 0) cl_text_byte(t, '\n');
}

enum cl_code cl_output_new(FILE *out, enum cl_output_format format,
                           const struct cl_result_column *columns, size_t n, int max_width,
                           struct cl_output **ret, struct cl_error *err)
{
    struct cl_output *o = calloc(1, sizeof *o);
    if (o == NULL) return cl_fail_nomem(err);
    *o = (struct cl_output){.out = out, .format = format, .columns = columns, .n = n};
    cl_buf_init(&o->buf, (size_t)1 << 34);
    struct cl_text t;
    cl_text_init(&t, &o->buf, err);
    enum cl_code code = CL_OK;
    if (format == CL_OUTPUT_TABLE)
        code = cl_table_writer_new(columns, n, max_width, &o->table, err);
    if (format == CL_OUTPUT_CSV) csv_header(o, &t);
    if (code == CL_OK) code = t.code;
    if (code == CL_OK)
        *ret = o;
    else
        cl_output_free(o);
    return code;
}

enum cl_code cl_output_row(struct cl_output *o, const char *const *texts, const size_t *lens,
                           struct cl_error *err)
{
    struct cl_text t;
    cl_text_init(&t, &o->buf, err);
    switch (o->format) {
    case CL_OUTPUT_TABLE: cl_table_writer_row(o->table, &t, texts, lens); break;
    case CL_OUTPUT_CSV: csv_row(&t, o->n, texts, lens); break;
    case CL_OUTPUT_JSON: json_row(o, &t, texts, lens); break;
    }
    o->rows++;
    if (t.code != CL_OK) return t.code;
    return o->buf.len >= CHUNK_BYTES ? write_out(o, err) : CL_OK;
}

enum cl_code cl_output_finish(struct cl_output *o, struct cl_error *err)
{
    struct cl_text t;
    cl_text_init(&t, &o->buf, err);
    if (o->n > 0 && o->format == CL_OUTPUT_TABLE) cl_table_writer_finish(o->table, &t);
    if (o->format == CL_OUTPUT_JSON) cl_text_str(&t, o->rows == 0 ? "[]\n" : "\n]\n");
    if (t.code != CL_OK) return t.code;
    enum cl_code code = write_out(o, err);
    if (code != CL_OK) return code;
    return fflush(o->out) == 0 ? CL_OK : cl_fail_errno(err, errno, "the output cannot be written");
}

void cl_output_free(struct cl_output *o)
{
    if (o == NULL) return;
    cl_table_writer_free(o->table);
    cl_buf_fini(&o->buf);
    free(o);
}
