/* output_table.c - see output_table.h.
 *
 * The first rows wait in `waiting`, as cells made ready to print (each ended by NUL), until
 * HOLD_BYTES of them are there or the result ends; then the widths stand and every further row goes
 * out at once.  Widths are screen columns: wide East Asian characters and most emoji take two,
 * combining ones none (wcwidth of a UTF-8 locale of our own, whatever the caller's is). */
#include "query/output_table.h"

#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

enum { HOLD_BYTES = 8 << 20 };

struct cl_table_writer {
    const struct cl_result_column *columns;
    size_t n;
    size_t max_width; /* 0 = any */
    size_t *widths;
    struct cl_buf waiting;
    bool started; /* widths stand, the header is out */
    int64_t rows;
    locale_t utf8; /* 0: none on this system, each character counts as one column */
};

enum cl_code cl_table_writer_new(const struct cl_result_column *columns, size_t n, int max_width,
                                 struct cl_table_writer **ret, struct cl_error *err)
{
    struct cl_table_writer *w = calloc(1, sizeof *w);
    if (w == NULL) return cl_fail_nomem(err);
    *w = (struct cl_table_writer){
        .columns = columns, .n = n, .max_width = max_width > 0 ? (size_t)max_width : 0};
    cl_buf_init(&w->waiting, (size_t)1 << 34);
    w->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    w->widths = calloc(n + 1, sizeof *w->widths);
    if (w->widths == NULL) {
        cl_table_writer_free(w);
        return cl_fail_nomem(err);
    }
    *ret = w;
    return CL_OK;
}

void cl_table_writer_free(struct cl_table_writer *w)
{
    if (w == NULL) return;
    if (w->utf8 != (locale_t)0) freelocale(w->utf8);
    cl_buf_fini(&w->waiting);
    free(w->widths);
    free(w);
}

/* Screen columns of a character that can be printed, -1 of one that cannot. */
static int char_width(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return -1;
    int width = c < 0x7F ? 1 : wcwidth((wchar_t)c);
    return width < 0 ? 1 : width;
}

static size_t text_width(const char *text)
{
    size_t width = 0, len = strlen(text);
    for (size_t i = 0; i < len;) {
        uint32_t c;
        size_t n = cl_utf8_char(text + i, len - i, &c);
        i += n == 0 ? 1 : n;
        width += n == 0 ? 1 : (size_t)char_width(c);
    }
    return width;
}

/* The escapes of what a terminal would obey, or that would break the line. */
static void put_escaped(struct cl_text *t, unsigned char byte)
{
    switch (byte) {
    case '\n': cl_text_str(t, "\\n"); break;
    case '\r': cl_text_str(t, "\\r"); break;
    case '\t': cl_text_str(t, "\\t"); break;
    default: cl_text_printf(t, "\\x%02X", byte);
    }
}

/* A value ready to print, and a NUL.  Cut with an ellipsis where it would be wider than max_width.
 */
static void put_cell(struct cl_table_writer *w, struct cl_text *t, const char *text, size_t len)
{
    size_t width = 0, start = t->buf->len, cut = start, i = 0;
    while (i < len && (w->max_width == 0 || width <= w->max_width)) {
        uint32_t c = 0;
        size_t n = cl_utf8_char(text + i, len - i, &c), before = t->buf->len;
        int columns = n == 0 ? -1 : char_width(c);
        if (w->max_width > 0 && width < w->max_width) cut = before;
        if (columns >= 0) {
            cl_text_bytes(t, text + i, n);
            width += (size_t)columns;
        } else {
            for (size_t k = 0; k < (n == 0 ? 1 : n); k++)
                put_escaped(t, (unsigned char)text[i + k]);
            width += t->buf->len - before;
        }
        i += n == 0 ? 1 : n;
    }
    if (w->max_width > 0 && width > w->max_width && t->code == CL_OK) {
        t->buf->len = cut;
        cl_text_str(t, "\u2026");
    }
    cl_text_byte(t, '\0');
}

static void put_row(struct cl_table_writer *w, struct cl_text *out, const char *cells, bool header)
{
    for (size_t i = 0; i < w->n; i++) {
        size_t len = strlen(cells), width = text_width(cells);
        size_t blanks = width < w->widths[i] ? w->widths[i] - width : 0;
        bool right = w->columns[i].numeric && !header;
        cl_text_str(out, i == 0 ? " " : " | ");
        for (size_t k = 0; right && k < blanks; k++)
            cl_text_byte(out, ' ');
        cl_text_bytes(out, cells, len);
        for (size_t k = 0; !right && k < blanks && i + 1 < w->n; k++)
            cl_text_byte(out, ' ');
        cells += len + 1;
    }
    cl_text_byte(out, '\n');
}

static void put_header(struct cl_table_writer *w, struct cl_text *out)
{
    struct cl_buf buf;
    struct cl_text names;
    cl_buf_init(&buf, (size_t)1 << 30);
    cl_text_init(&names, &buf, out->err);
    for (size_t i = 0; i < w->n; i++)
        put_cell(w, &names, w->columns[i].name, strlen(w->columns[i].name));
    if (out->code == CL_OK) out->code = names.code;
    if (out->code == CL_OK) {
        const char *name = (const char *)buf.data;
        for (size_t i = 0; i < w->n; i++, name += strlen(name) + 1) {
            size_t width = text_width(name);
            if (width > w->widths[i]) w->widths[i] = width;
        }
        put_row(w, out, (const char *)buf.data, true);
    }
    cl_buf_fini(&buf);
    for (size_t i = 0; i < w->n; i++) {
        if (i > 0) cl_text_byte(out, '+');
        for (size_t k = 0; k < w->widths[i] + 2; k++)
            cl_text_byte(out, '-');
    }
    cl_text_byte(out, '\n');
}

static const char *after_cells(const char *cells, size_t n)
{
    while (n-- > 0)
        cells += strlen(cells) + 1;
    return cells;
}

/* Widths stand now: the header and the rows that waited. */
static void start(struct cl_table_writer *w, struct cl_text *out)
{
    const char *cells = (const char *)w->waiting.data;
    w->started = true;
    put_header(w, out);
    for (int64_t row = 0; row < w->rows; row++) {
        put_row(w, out, cells, false);
        cells = after_cells(cells, w->n);
    }
    cl_buf_fini(&w->waiting);
}

static locale_t enter_utf8(const struct cl_table_writer *w)
{
    return w->utf8 == (locale_t)0 ? (locale_t)0 : uselocale(w->utf8);
}

static void leave_utf8(locale_t before)
{
    if (before != (locale_t)0) (void)uselocale(before);
}

void cl_table_writer_row(struct cl_table_writer *w, struct cl_text *out, const char *const *texts,
                         const size_t *lens)
{
    struct cl_text t;
    locale_t before = enter_utf8(w);
    if (w->started) cl_buf_reset(&w->waiting);
    size_t at = w->waiting.len;
    cl_text_init(&t, &w->waiting, out->err);
    for (size_t i = 0; i < w->n; i++) {
        const char *text = texts[i] == NULL ? "NULL" : texts[i];
        put_cell(w, &t, text, texts[i] == NULL || lens == NULL ? strlen(text) : lens[i]);
    }
    if (out->code == CL_OK) out->code = t.code;
    if (out->code == CL_OK && w->started) {
        put_row(w, out, (const char *)w->waiting.data, false);
    } else if (out->code == CL_OK) {
        const char *cell = (const char *)w->waiting.data + at;
        for (size_t i = 0; i < w->n; i++, cell += strlen(cell) + 1) {
            size_t width = text_width(cell);
            if (width > w->widths[i]) w->widths[i] = width;
        }
    }
    w->rows++;
    if (!w->started && w->waiting.len >= HOLD_BYTES) start(w, out);
    leave_utf8(before);
}

void cl_table_writer_finish(struct cl_table_writer *w, struct cl_text *out)
{
    locale_t before = enter_utf8(w);
    if (!w->started) start(w, out);
    cl_text_printf(out, "(%" PRId64 " row%s)\n", w->rows, w->rows == 1 ? "" : "s");
    leave_utf8(before);
}
