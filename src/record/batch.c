#include "record/batch.h"

#include <stdlib.h>

static enum cl_code column_init(struct cl_column *col, enum cl_type type, int32_t capacity,
                                struct cl_error *err)
{
    size_t bits = ((size_t)capacity + 7) / 8, width = cl_type_width(type);
    col->type = type;
    col->validity = calloc(1, bits);
    if (col->validity == NULL) return cl_fail_nomem(err);
    if (type == CL_STRING || type == CL_BINARY) {
        col->offsets = calloc((size_t)capacity + 1, sizeof *col->offsets);
        if (col->offsets == NULL) return cl_fail_nomem(err);
    } else {
        col->values = calloc(1, width > 0 ? width * (size_t)capacity : bits);
        if (col->values == NULL) return cl_fail_nomem(err);
    }
    return CL_OK;
}

enum cl_code cl_batch_new(const struct cl_schema *schema, int32_t capacity_rows,
                          struct cl_batch **ret, struct cl_error *err)
{
    assert(capacity_rows > 0);
    struct cl_batch *b = calloc(1, sizeof *b);
    if (b == NULL) return cl_fail_nomem(err);
    b->schema = schema;
    b->capacity = capacity_rows;
    b->columns = calloc(schema->n > 0 ? schema->n : 1, sizeof *b->columns);
    enum cl_code code = b->columns == NULL ? cl_fail_nomem(err) : CL_OK;
    for (size_t i = 0; i < schema->n && code == CL_OK; i++)
        code = column_init(&b->columns[i], schema->fields[i].type, capacity_rows, err);
    if (code != CL_OK) {
        cl_batch_free(b);
        return code;
    }
    *ret = b;
    return CL_OK;
}

void cl_batch_free(struct cl_batch *batch)
{
    if (batch == NULL) return;
    for (size_t i = 0; i < batch->schema->n && batch->columns != NULL; i++) {
        struct cl_column *col = &batch->columns[i];
        free(col->validity);
        free(col->values);
        free(col->offsets);
        free(col->data);
    }
    free(batch->columns);
    free(batch);
}

void cl_batch_reset(struct cl_batch *batch)
{
    batch->rows = 0;
    for (size_t i = 0; i < batch->schema->n; i++)
        batch->columns[i].null_count = 0;
}

size_t cl_batch_bytes(const struct cl_batch *batch)
{
    size_t bytes = 0, rows = (size_t)batch->rows;
    for (size_t i = 0; i < batch->schema->n; i++) {
        const struct cl_column *col = &batch->columns[i];
        bytes += (rows + 7) / 8 + rows * cl_type_width(col->type);
        if (col->offsets != NULL) bytes += rows * sizeof *col->offsets + (size_t)col->offsets[rows];
        if (col->type == CL_BOOLEAN) bytes += (rows + 7) / 8;
    }
    return bytes;
}

enum cl_code cl_column_grow(struct cl_column *col, int32_t rows, size_t extra, struct cl_error *err)
{
    size_t used = (size_t)col->offsets[rows];
    if (extra > CL_COLUMN_MAX_BYTES - used)
        return cl_fail(err, CL_ELIMIT, "a batch column would hold more than %zu bytes",
                       CL_COLUMN_MAX_BYTES);
    size_t cap = col->data_cap < 4096 ? 4096 : col->data_cap;
    while (cap - used < extra)
        cap *= 2;
    uint8_t *data = realloc(col->data, cap);
    if (data == NULL) return cl_fail_nomem(err);
    col->data = data;
    col->data_cap = cap;
    return CL_OK;
}

static void take_fixed(struct cl_column *dst, int32_t at, const struct cl_column *src,
                       const int32_t *idx, int32_t n)
{
    size_t width = cl_type_width(src->type);
    for (int32_t i = 0; i < n; i++) {
        if (src->type == CL_BOOLEAN)
            cl_column_set_boolean(dst, at + i, cl_bit_get(src->values, idx[i]));
        else
            memcpy((uint8_t *)dst->values + (size_t)(at + i) * width,
                   (const uint8_t *)src->values + (size_t)idx[i] * width, width);
    }
}

static enum cl_code take_bytes(struct cl_column *dst, int32_t at, const struct cl_column *src,
                               const int32_t *idx, int32_t n, struct cl_error *err)
{
    size_t total = 0;
    for (int32_t i = 0; i < n; i++)
        total += (size_t)(src->offsets[idx[i] + 1] - src->offsets[idx[i]]);
    enum cl_code code = cl_column_reserve(dst, at, total, err);
    if (code != CL_OK) return code;
    for (int32_t i = 0; i < n; i++) {
        int32_t len = src->offsets[idx[i] + 1] - src->offsets[idx[i]];
        if (len > 0)
            memcpy(dst->data + dst->offsets[at + i], src->data + src->offsets[idx[i]], (size_t)len);
        dst->offsets[at + i + 1] = dst->offsets[at + i] + len;
    }
    return CL_OK;
}

enum cl_code cl_batch_take(struct cl_batch *dst, const struct cl_batch *src, const int32_t *indexes,
                           int32_t n, struct cl_error *err)
{
    if (n > dst->capacity - dst->rows)
        return cl_fail(err, CL_ELIMIT, "batch of %d rows has no room for %d more", dst->capacity,
                       n);
    for (size_t c = 0; c < src->schema->n; c++) {
        struct cl_column *to = &dst->columns[c];
        const struct cl_column *from = &src->columns[c];
        if (from->offsets != NULL) {
            enum cl_code code = take_bytes(to, dst->rows, from, indexes, n, err);
            if (code != CL_OK) return code;
        } else {
            take_fixed(to, dst->rows, from, indexes, n);
        }
    }
    for (size_t c = 0; c < src->schema->n; c++) {
        struct cl_column *to = &dst->columns[c];
        for (int32_t i = 0; i < n; i++) {
            if (cl_bit_get(src->columns[c].validity, indexes[i])) {
                cl_bit_set(to->validity, dst->rows + i);
            } else {
                cl_bit_clear(to->validity, dst->rows + i);
                to->null_count++;
            }
        }
    }
    dst->rows += n;
    return CL_OK;
}
