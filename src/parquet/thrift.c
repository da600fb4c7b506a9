#include "parquet/thrift.h"

#include <assert.h>

void cl_thrift_init(struct cl_thrift *t, struct cl_buf *buf, struct cl_error *err)
{
    *t = (struct cl_thrift){.buf = buf, .err = err, .depth = 1};
}

static void put_byte(struct cl_thrift *t, uint8_t byte)
{
    if (t->code == CL_OK) t->code = cl_buf_append_byte(t->buf, byte, t->err);
}

static void put_varint(struct cl_thrift *t, uint64_t v)
{
    while (v >= 0x80) {
        put_byte(t, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    put_byte(t, (uint8_t)v);
}

static void put_zigzag(struct cl_thrift *t, int64_t v)
{
    put_varint(t, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_bytes(struct cl_thrift *t, const void *data, size_t len)
{
    put_varint(t, len);
    if (t->code == CL_OK) t->code = cl_buf_append(t->buf, data, len, t->err);
}

static void put_field(struct cl_thrift *t, int id, enum cl_thrift_type type)
{
    int *last = &t->last_id[t->depth - 1];
    assert(id > *last);
    if (id - *last <= 15) {
        put_byte(t, (uint8_t)((id - *last) << 4 | (int)type));
    } else {
        put_byte(t, (uint8_t)type);
        put_zigzag(t, id);
    }
    *last = id;
}

enum cl_code cl_thrift_done(struct cl_thrift *t)
{
    assert(t->depth == 1);
    put_byte(t, 0);
    t->depth = 0;
    return t->code;
}

void cl_thrift_bool(struct cl_thrift *t, int id, bool v)
{
    put_field(t, id, v ? CL_THRIFT_TRUE : CL_THRIFT_FALSE);
}

void cl_thrift_i8(struct cl_thrift *t, int id, int8_t v)
{
    put_field(t, id, CL_THRIFT_I8);
    put_byte(t, (uint8_t)v);
}

void cl_thrift_i16(struct cl_thrift *t, int id, int16_t v)
{
    put_field(t, id, CL_THRIFT_I16);
    put_zigzag(t, v);
}

void cl_thrift_i32(struct cl_thrift *t, int id, int32_t v)
{
    put_field(t, id, CL_THRIFT_I32);
    put_zigzag(t, v);
}

void cl_thrift_i64(struct cl_thrift *t, int id, int64_t v)
{
    put_field(t, id, CL_THRIFT_I64);
    put_zigzag(t, v);
}

void cl_thrift_binary(struct cl_thrift *t, int id, const void *data, size_t len)
{
    put_field(t, id, CL_THRIFT_BINARY);
    put_bytes(t, data, len);
}

void cl_thrift_string(struct cl_thrift *t, int id, const char *text)
{
    cl_thrift_binary(t, id, text, strlen(text));
}

void cl_thrift_struct_begin(struct cl_thrift *t, int id)
{
    put_field(t, id, CL_THRIFT_STRUCT);
    cl_thrift_item_struct_begin(t);
}

void cl_thrift_struct_end(struct cl_thrift *t)
{
    assert(t->depth > 1);
    put_byte(t, 0);
    t->depth--;
}

void cl_thrift_list(struct cl_thrift *t, int id, enum cl_thrift_type element, size_t n)
{
    put_field(t, id, CL_THRIFT_LIST);
    if (n < 15) {
        put_byte(t, (uint8_t)(n << 4 | (unsigned)element));
    } else {
        put_byte(t, (uint8_t)(0xf0u | (unsigned)element));
        put_varint(t, n);
    }
}

void cl_thrift_item_bool(struct cl_thrift *t, bool v)
{
    put_byte(t, v ? CL_THRIFT_TRUE : CL_THRIFT_FALSE);
}

void cl_thrift_item_int(struct cl_thrift *t, int64_t v)
{
    put_zigzag(t, v);
}

void cl_thrift_item_binary(struct cl_thrift *t, const void *data, size_t len)
{
    put_bytes(t, data, len);
}

void cl_thrift_item_struct_begin(struct cl_thrift *t)
{
    assert(t->depth < CL_THRIFT_MAX_DEPTH);
    t->last_id[t->depth++] = 0;
}
