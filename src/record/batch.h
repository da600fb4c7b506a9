/* batch.h - rows of one feed as columns, in the Apache Arrow memory layout.
 *
 * A batch has a fixed capacity of rows; only the bytes of strings and binaries grow.  A writer
 * fills slot `rows` of every column (cl_column_set_*), then calls cl_batch_commit_row.  A row that
 * turns out bad halfway is abandoned by simply filling the same slot again: nothing counts before
 * the commit.
 *
 * Arrow layout: validity is a bitmap, LSB first, 1 = present; strings have capacity+1 int32 offsets
 * into data. */
#ifndef CITYLAKE_RECORD_BATCH_H
#define CITYLAKE_RECORD_BATCH_H

#include "record/schema.h"

#include <assert.h>
#include <string.h>

/* Bytes of one var-length column of one batch.  Small enough for int32 offsets, large enough for
 * one 10 MB message's strings after many small ones; a decoder flushes before. */
#define CL_COLUMN_MAX_BYTES ((size_t)1 << 30)

struct cl_column {
    enum cl_type type;
    uint8_t *validity; /* (capacity + 7) / 8 bytes */
    void *values;      /* cl_type_width * capacity bytes; bits for CL_BOOLEAN; NULL for strings and
                          binaries */
    int32_t *offsets;  /* strings and binaries: capacity + 1, offsets[0] == 0 */
    uint8_t *data;     /* strings and binaries: offsets[rows] bytes are in use */
    size_t data_cap;
    int64_t null_count; /* over committed rows */
};

struct cl_batch {
    const struct cl_schema *schema; /* borrowed */
    int32_t rows;                   /* committed */
    int32_t capacity;
    struct cl_column *columns; /* schema->n */
};

/* schema is borrowed and must outlive the batch.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_batch_new(const struct cl_schema *schema, int32_t capacity_rows,
                                       struct cl_batch **ret, struct cl_error *err);
void cl_batch_free(struct cl_batch *batch); /* NULL allowed */
void cl_batch_reset(struct cl_batch *batch);

/* Bytes in use by the committed rows (values, offsets, data): what a memory limit counts. */
size_t cl_batch_bytes(const struct cl_batch *batch);

/* Room for `extra` more data bytes after the value of slot `rows`.  CL_ELIMIT past
 * CL_COLUMN_MAX_BYTES, CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_column_grow(struct cl_column *col, int32_t rows, size_t extra,
                                         struct cl_error *err);

/* Appends the rows whose indexes are given, in that order, from a batch of the same schema.
 * CL_ELIMIT: dst has too little room (checked first; dst is unchanged). */
CL_MUSTCHECK enum cl_code cl_batch_take(struct cl_batch *dst, const struct cl_batch *src,
                                        const int32_t *indexes, int32_t n, struct cl_error *err);

static inline void cl_bit_set(uint8_t *bits, int32_t i)
{
    bits[i >> 3] |= (uint8_t)(1u << (i & 7));
}

static inline void cl_bit_clear(uint8_t *bits, int32_t i)
{
    bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
}

static inline bool cl_bit_get(const uint8_t *bits, int32_t i)
{
    return (bits[i >> 3] >> (i & 7)) & 1;
}

static inline bool cl_column_is_valid(const struct cl_column *col, int32_t row)
{
    return cl_bit_get(col->validity, row);
}

/* The setters below write slot `row` and mark it present; fixed-width values only need the right C
 * type. */
static inline void cl_column_set_int(struct cl_column *col, int32_t row,
                                     int32_t v) /* CL_INT, CL_DATE */
{
    ((int32_t *)col->values)[row] = v;
    cl_bit_set(col->validity, row);
}

static inline void cl_column_set_long(struct cl_column *col, int32_t row,
                                      int64_t v) /* CL_LONG, CL_TIMESTAMP */
{
    ((int64_t *)col->values)[row] = v;
    cl_bit_set(col->validity, row);
}

static inline void cl_column_set_double(struct cl_column *col, int32_t row, double v)
{
    ((double *)col->values)[row] = v;
    cl_bit_set(col->validity, row);
}

static inline void cl_column_set_float(struct cl_column *col, int32_t row, float v)
{
    ((float *)col->values)[row] = v;
    cl_bit_set(col->validity, row);
}

static inline void cl_column_set_decimal(struct cl_column *col, int32_t row, __int128 unscaled)
{
    memcpy((uint8_t *)col->values + (size_t)row * 16, &unscaled, 16);
    cl_bit_set(col->validity, row);
}

static inline void cl_column_set_boolean(struct cl_column *col, int32_t row, bool v)
{
    if (v)
        cl_bit_set(col->values, row);
    else
        cl_bit_clear(col->values, row);
    cl_bit_set(col->validity, row);
}

/* Null in any type: fixed-width slots become zero so that equal batches have equal bytes. */
static inline void cl_column_set_null(struct cl_column *col, int32_t row)
{
    size_t width = cl_type_width(col->type);
    if (width > 0)
        memset((uint8_t *)col->values + (size_t)row * width, 0, width);
    else if (col->offsets != NULL)
        col->offsets[row + 1] = col->offsets[row];
    else
        cl_bit_clear(col->values, row);
    cl_bit_clear(col->validity, row);
}

CL_MUSTCHECK static inline enum cl_code cl_column_reserve(struct cl_column *col, int32_t row,
                                                          size_t extra, struct cl_error *err)
{
    if (col->data_cap - (size_t)col->offsets[row] >= extra) return CL_OK;
    return cl_column_grow(col, row, extra, err);
}

CL_MUSTCHECK static inline enum cl_code cl_column_set_bytes(struct cl_column *col, int32_t row,
                                                            const void *bytes, size_t len,
                                                            struct cl_error *err)
{
    enum cl_code code = cl_column_reserve(col, row, len, err);
    if (code != CL_OK) return code;
    if (len > 0) memcpy(col->data + col->offsets[row], bytes, len);
    col->offsets[row + 1] = col->offsets[row] + (int32_t)len;
    cl_bit_set(col->validity, row);
    return CL_OK;
}

/* Counts slot `rows`, which every column must have been given. */
static inline void cl_batch_commit_row(struct cl_batch *batch)
{
    assert(batch->rows < batch->capacity);
    for (size_t i = 0; i < batch->schema->n; i++)
        batch->columns[i].null_count += !cl_bit_get(batch->columns[i].validity, batch->rows);
    batch->rows++;
}

#endif
