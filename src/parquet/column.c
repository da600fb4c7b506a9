#include "parquet/column.h"

#include "parquet/bits.h"
#include "parquet/rle.h"

#include <assert.h>
#include <stdlib.h>

enum { DICT_BLOCK = 1024, COPY_SLACK = 64 };

struct cl_pq_layout cl_pq_layout(const struct cl_field *field)
{
    /* Bytes of the least two's complement number that holds that many decimal digits (Iceberg spec,
     * "Parquet": decimal). */
    static const uint8_t decimal_bytes[] = {0,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,
                                            6,  6,  7,  7,  8,  8,  9,  9,  9,  10, 10, 11, 11,
                                            11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    switch (field->type) {
    case CL_BOOLEAN: return (struct cl_pq_layout){CL_PQ_BOOLEAN, 0};
    case CL_INT:
    case CL_DATE: return (struct cl_pq_layout){CL_PQ_INT32, 4};
    case CL_LONG:
    case CL_TIMESTAMP: return (struct cl_pq_layout){CL_PQ_INT64, 8};
    case CL_FLOAT: return (struct cl_pq_layout){CL_PQ_FLOAT, 4};
    case CL_DOUBLE: return (struct cl_pq_layout){CL_PQ_DOUBLE, 8};
    case CL_STRING:
    case CL_BINARY: return (struct cl_pq_layout){CL_PQ_BYTE_ARRAY, 0};
    case CL_DECIMAL: break;
    }
    if (field->precision <= 9) return (struct cl_pq_layout){CL_PQ_INT32, 4};
    if (field->precision <= 18) return (struct cl_pq_layout){CL_PQ_INT64, 8};
    return (struct cl_pq_layout){CL_PQ_FIXED, decimal_bytes[field->precision]};
}

static bool may_have_dictionary(const struct cl_pq_column *c)
{
    return c->shared->dictionary && c->layout.type != CL_PQ_BOOLEAN &&
           c->layout.type != CL_PQ_FIXED;
}

enum cl_code cl_pq_column_init(struct cl_pq_column *c, const struct cl_field *field,
                               struct cl_pq_shared *shared, size_t max_chunk_bytes,
                               struct cl_error *err)
{
    *c = (struct cl_pq_column){.field = field, .shared = shared};
    if (field->type == CL_DECIMAL && (field->precision < 1 || field->precision > 38))
        return cl_fail_at(err, CL_EINVAL, field->name, "a decimal has 1 to 38 digits, not %d",
                          field->precision);
    c->layout = cl_pq_layout(field);
    c->kind = cl_stats_kind(field);
    cl_buf_init(&c->page, INT32_MAX);
    cl_buf_init(&c->chunk, max_chunk_bytes);
    cl_buf_init(&c->bounds, UINT32_MAX);
    cl_dict_init(&c->dict, (size_t)c->layout.width);
    c->gap = field->required ? 0 : 4 + cl_rle_room(shared->page_rows, 1);
    if (!field->required) {
        c->levels = calloc(1, shared->page_rows / 8 + 1);
        if (c->levels == NULL) return cl_fail_nomem(err);
    }
    if (may_have_dictionary(c)) {
        c->indexes = calloc(shared->page_rows, sizeof *c->indexes);
        if (c->indexes == NULL) return cl_fail_nomem(err);
        c->dict_state = CL_PQ_DICT_ON;
    }
    enum cl_code code = cl_buf_reserve(&c->page, c->gap, err);
    if (code != CL_OK) return code;
    c->page.len = c->gap;
    c->compression = shared->codec.compression;
    c->indexable = c->ascending = c->descending = true;
    return CL_OK;
}

void cl_pq_column_fini(struct cl_pq_column *c)
{
    cl_buf_fini(&c->page);
    cl_buf_fini(&c->chunk);
    cl_buf_fini(&c->bounds);
    cl_dict_fini(&c->dict);
    free(c->levels);
    free(c->indexes);
    free(c->pages);
    c->levels = NULL;
    c->indexes = NULL;
    c->pages = NULL;
}

int64_t cl_pq_column_encoded_bytes(const struct cl_pq_column *c)
{
    return (int64_t)(c->chunk.len + c->dict.values.len);
}

int64_t cl_pq_column_memory_bytes(const struct cl_pq_column *c)
{
    size_t bytes = c->page.cap + c->chunk.cap + c->bounds.cap + cl_dict_memory_bytes(&c->dict) +
                   c->pages_cap * sizeof *c->pages;
    if (c->levels != NULL) bytes += c->shared->page_rows / 8 + 1;
    if (c->indexes != NULL) bytes += c->shared->page_rows * sizeof *c->indexes;
    return (int64_t)bytes;
}

/* ---- dictionary ---- */

enum cl_code cl_pq_dict_give_up(struct cl_pq_column *c, struct cl_error *err)
{
    assert(c->dict_state == CL_PQ_DICT_ON);
    c->page.len = c->gap;
    enum cl_code code = cl_buf_reserve(&c->page, c->plain_bytes, err);
    if (code == CL_OK) code = cl_dict_decode(&c->dict, c->indexes, c->present, &c->page, err);
    if (code != CL_OK) return code;
    c->dict_state = CL_PQ_DICT_CLOSED;
    cl_dict_rewind(&c->dict, c->dict_n_at_page, c->dict_bytes_at_page);
    if (c->dictionary_pages == 0) cl_dict_fini(&c->dict);
    return CL_OK;
}

/* After a block: `done` of its n values went through the dictionary, plain_bytes long. */
static enum cl_code dict_account(struct cl_pq_column *c, size_t done, size_t n, size_t plain_bytes,
                                 struct cl_error *err)
{
    c->present += done;
    c->plain_bytes += plain_bytes;
    c->dict_seen += (int64_t)done;
    if (done < n) return cl_pq_dict_give_up(c, err);
    if (c->dict_sampled || c->dict_seen < CL_PQ_SAMPLE_VALUES) return CL_OK;
    c->dict_sampled = true;
    if ((int64_t)c->dict.n * 10 <= c->dict_seen * 9) return CL_OK;
    c->dict_hopeless = true;
    return cl_pq_dict_give_up(c, err);
}

/* ---- fixed width ---- */

static enum cl_code add_fixed(struct cl_pq_column *c, const uint8_t *values, size_t n,
                              struct cl_error *err)
{
    size_t width = (size_t)c->layout.width;
    while (n > 0 && c->dict_state == CL_PQ_DICT_ON) {
        size_t block = n < DICT_BLOCK ? n : DICT_BLOCK, done;
        enum cl_code code =
            cl_dict_add_fixed(&c->dict, values, block, c->indexes + c->present, &done, err);
        if (code == CL_OK) code = dict_account(c, done, block, done * width, err);
        if (code != CL_OK) return code;
        values += done * width;
        n -= done;
    }
    c->present += n;
    c->plain_bytes += n * width;
    return cl_buf_append(&c->page, values, n * width, err);
}

static void add_fixed_stats(struct cl_pq_column *c, const void *values, size_t n)
{
    switch (c->layout.type) {
    case CL_PQ_INT32: cl_stats_add_int32(&c->page_stats, values, n); break;
    case CL_PQ_INT64: cl_stats_add_int64(&c->page_stats, values, n); break;
    case CL_PQ_FLOAT: cl_stats_add_float(&c->page_stats, values, n); break;
    case CL_PQ_DOUBLE: cl_stats_add_double(&c->page_stats, values, n); break;
    default: break; /* wide decimals are counted while they are converted */
    }
}

/* Copies the present ones of rows [start, start + n) to the dense buffer, whose size is reserved.
 */
static void copy_present(struct cl_pq_column *c, const struct cl_column *src, size_t start,
                         size_t n)
{
    struct cl_buf *dense = &c->shared->dense;
    size_t width = (size_t)c->layout.width, end = start + n, run;
    for (size_t at = start; (run = cl_bits_next_run(src->validity, at, end, &at)) > 0; at += run) {
        memcpy(dense->data + dense->len, (const uint8_t *)src->values + at * width, run * width);
        dense->len += run * width;
    }
}

static __int128 power_of_10(int exponent)
{
    __int128 power = 1;
    for (int i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

/* The same for decimals: 16 bytes little-endian become an int32, an int64, or big-endian bytes. */
static enum cl_code convert_decimals(struct cl_pq_column *c, const struct cl_column *src,
                                     size_t start, size_t n, struct cl_error *err)
{
    struct cl_buf *dense = &c->shared->dense;
    size_t width = (size_t)c->layout.width;
    const __int128 limit = power_of_10(c->field->precision);
    for (size_t row = start; row < start + n; row++) {
        if (!cl_bit_get(src->validity, (int32_t)row)) continue;
        __int128 v;
        memcpy(&v, (const uint8_t *)src->values + row * 16, 16);
        if (v >= limit || v <= -limit)
            return cl_fail_at(err, CL_EDATA, c->field->name,
                              "a decimal has more than the %d digits of its column",
                              c->field->precision);
        uint8_t *out = dense->data + dense->len;
        if (c->layout.type != CL_PQ_FIXED) {
            memcpy(out, &v, width); /* the low bytes come first */
        } else {
            cl_stats_add_wide(&c->page_stats, &v, 1);
            for (size_t i = 0; i < width; i++)
                out[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
        }
        dense->len += width;
    }
    return CL_OK;
}

static enum cl_code append_fixed(struct cl_pq_column *c, const struct cl_column *src, size_t start,
                                 size_t n, size_t present, struct cl_error *err)
{
    size_t width = (size_t)c->layout.width;
    const uint8_t *values = (const uint8_t *)src->values + start * width;
    if (c->field->type == CL_DECIMAL || present < n) {
        struct cl_buf *dense = &c->shared->dense;
        cl_buf_reset(dense);
        enum cl_code code = cl_buf_reserve(dense, n * width, err);
        if (code == CL_OK && c->field->type == CL_DECIMAL)
            code = convert_decimals(c, src, start, n, err);
        if (code != CL_OK) return code;
        if (c->field->type != CL_DECIMAL) copy_present(c, src, start, n);
        values = dense->data;
    }
    add_fixed_stats(c, values, present);
    return add_fixed(c, values, present, err);
}

/* ---- booleans ---- */

static enum cl_code append_booleans(struct cl_pq_column *c, const struct cl_column *src,
                                    size_t start, size_t n, struct cl_error *err)
{
    enum cl_code code = cl_buf_reserve(&c->page, n / 8 + 2, err);
    if (code != CL_OK) return code;
    uint8_t *bits = c->page.data + c->gap;
    size_t end = start + n, run, present = 0, trues = 0;
    for (size_t at = start; (run = cl_bits_next_run(src->validity, at, end, &at)) > 0; at += run) {
        cl_bits_append(bits, c->present + present, src->values, at, run);
        trues += cl_bits_count(src->values, at, run);
        present += run;
    }
    int32_t extremes[] = {trues < present ? 0 : 1, trues > 0 ? 1 : 0};
    if (present > 0) cl_stats_add_int32(&c->page_stats, extremes, 2);
    c->present += present;
    c->plain_bytes = (c->present + 7) / 8;
    c->page.len = c->gap + c->plain_bytes;
    return CL_OK;
}

/* ---- strings and binaries ---- */

/* Copies len bytes with room for COPY_SLACK more on both sides: whole 16-byte steps, no call to
 * memcpy. */
static inline void copy_short(uint8_t *dst, const uint8_t *src, size_t len)
{
    for (size_t i = 0; i < len; i += 16)
        memcpy(dst + i, src + i, 16);
}

static enum cl_code add_texts_plain(struct cl_pq_column *c, const uint8_t *data,
                                    const int32_t *offsets, size_t n, size_t readable,
                                    struct cl_text_range *range, struct cl_error *err)
{
    size_t bytes = (size_t)(offsets[n] - offsets[0]) + n * 4;
    enum cl_code code = cl_buf_reserve(&c->page, bytes + COPY_SLACK, err);
    if (code != CL_OK) return code;
    uint8_t *out = c->page.data + c->page.len;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *text = data + offsets[i];
        uint32_t len = (uint32_t)(offsets[i + 1] - offsets[i]);
        memcpy(out, &len, sizeof len);
        out += sizeof len;
        if (len <= COPY_SLACK - 16 && (size_t)offsets[i] + COPY_SLACK <= readable)
            copy_short(out, text, len);
        else
            memcpy(out, text, len);
        out += len;
        cl_text_range_add(range, text, len);
    }
    c->page.len += bytes;
    c->present += n;
    c->plain_bytes += bytes;
    return CL_OK;
}

static enum cl_code add_texts(struct cl_pq_column *c, const uint8_t *data, const int32_t *offsets,
                              size_t n, size_t readable, struct cl_text_range *range,
                              struct cl_error *err)
{
    while (n > 0 && c->dict_state == CL_PQ_DICT_ON) {
        size_t block = n < DICT_BLOCK ? n : DICT_BLOCK, done;
        enum cl_code code =
            cl_dict_add_texts(&c->dict, data, offsets, block, (uint32_t)c->n_pages + 1, range,
                              c->indexes + c->present, &done, err);
        if (code == CL_OK)
            code =
                dict_account(c, done, block, (size_t)(offsets[done] - offsets[0]) + done * 4, err);
        if (code != CL_OK) return code;
        offsets += done;
        n -= done;
    }
    return n > 0 ? add_texts_plain(c, data, offsets, n, readable, range, err) : CL_OK;
}

static enum cl_code append_texts(struct cl_pq_column *c, const struct cl_column *src, size_t start,
                                 size_t n, size_t present, size_t readable, struct cl_error *err)
{
    static const uint8_t nothing = 0;
    const uint8_t *data =
        src->data != NULL ? src->data : &nothing; /* a batch of empty strings has no data */
    struct cl_text_range range = {.any = false};
    enum cl_code code = CL_OK;
    size_t end = start + n, run = n;
    for (size_t at = start; code == CL_OK && at < end; at += run) {
        if (present < n) run = cl_bits_next_run(src->validity, at, end, &at);
        if (run > 0) code = add_texts(c, data, src->offsets + at, run, readable, &range, err);
    }
    cl_stats_add_text(&c->page_stats, &range, c->field->type == CL_STRING);
    return code;
}

/* ---- rows to pages ---- */

/* How many of n rows from `start` the page still takes; 0: it must be flushed first. */
static size_t rows_that_fit(const struct cl_pq_column *c, const struct cl_column *src, size_t start,
                            size_t n)
{
    size_t most = c->shared->page_rows - c->rows;
    if (n < most) most = n;
    size_t room = c->plain_bytes < CL_PQ_PAGE_BYTES ? CL_PQ_PAGE_BYTES - c->plain_bytes : 0;
    size_t fit = most;
    if (src->offsets == NULL) {
        if (c->layout.width > 0 && room / (size_t)c->layout.width < most)
            fit = room / (size_t)c->layout.width;
    } else {
        const int32_t *offsets = src->offsets + start;
        size_t low = 0; /* binary search: low rows fit, most + 1 are too many */
        for (size_t high = most + 1; high - low > 1;) {
            size_t mid = low + (high - low) / 2;
            if ((size_t)(offsets[mid] - offsets[0]) + mid * 4 <= room)
                low = mid;
            else
                high = mid;
        }
        fit = low;
    }
    return fit == 0 && c->rows == 0 ? 1 : fit;
}

static enum cl_code append_slice(struct cl_pq_column *c, const struct cl_column *src, size_t start,
                                 size_t n, size_t readable, struct cl_error *err)
{
    size_t present = src->null_count == 0 ? n : cl_bits_count(src->validity, start, n);
    if (c->levels != NULL) {
        if (present == n)
            cl_bits_append_ones(c->levels, c->rows, n);
        else
            cl_bits_append(c->levels, c->rows, src->validity, start, n);
    }
    enum cl_code code;
    if (c->layout.type == CL_PQ_BOOLEAN)
        code = append_booleans(c, src, start, n, err);
    else if (c->layout.type == CL_PQ_BYTE_ARRAY)
        code = append_texts(c, src, start, n, present, readable, err);
    else
        code = append_fixed(c, src, start, n, present, err);
    c->page_stats.nulls += (int64_t)(n - present);
    c->rows += n;
    return code;
}

enum cl_code cl_pq_column_append(struct cl_pq_column *c, const struct cl_column *src, int32_t n,
                                 struct cl_error *err)
{
    size_t rows = (size_t)n, done = 0;
    size_t readable = src->offsets != NULL ? (size_t)src->offsets[rows] : 0;
    while (done < rows) {
        size_t step = rows_that_fit(c, src, done, rows - done);
        enum cl_code code = step > 0 ? append_slice(c, src, done, step, readable, err) : CL_OK;
        done += step;
        if (code == CL_OK && (step == 0 || c->rows == c->shared->page_rows))
            code = cl_pq_page_flush(c, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}
