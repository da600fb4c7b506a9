/* thrift.h - writes Apache Thrift's compact protocol, the language of Parquet's page headers and
 * footer.
 *
 * Order: init -> fields and lists, in ascending field id -> done.  The outermost struct is open
 * after init and closed by done.  Errors stick: after the first one nothing more is written, and
 * done returns it, so that callers need not look after every field.
 *
 * Format: "Thrift compact protocol encoding" of Apache Thrift: a field is one byte (id delta << 4 |
 * type), integers are zigzag varints, a list is (size << 4 | element type), a struct ends with a
 * zero byte. */
#ifndef CITYLAKE_PARQUET_THRIFT_H
#define CITYLAKE_PARQUET_THRIFT_H

#include "base/buf.h"

enum cl_thrift_type {
    CL_THRIFT_TRUE = 1, /* also the element type of a list of booleans */
    CL_THRIFT_FALSE = 2,
    CL_THRIFT_I8 = 3,
    CL_THRIFT_I16 = 4,
    CL_THRIFT_I32 = 5,
    CL_THRIFT_I64 = 6,
    CL_THRIFT_BINARY = 8,
    CL_THRIFT_LIST = 9,
    CL_THRIFT_STRUCT = 12,
};

enum { CL_THRIFT_MAX_DEPTH = 8 };

struct cl_thrift {
    struct cl_buf *buf; /* borrowed */
    struct cl_error *err;
    enum cl_code code;
    int depth;
    int last_id[CL_THRIFT_MAX_DEPTH]; /* the previous field's id, of each open struct */
};

void cl_thrift_init(struct cl_thrift *t, struct cl_buf *buf, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_thrift_done(struct cl_thrift *t);

void cl_thrift_bool(struct cl_thrift *t, int id, bool v);
void cl_thrift_i8(struct cl_thrift *t, int id, int8_t v);
void cl_thrift_i16(struct cl_thrift *t, int id, int16_t v);
void cl_thrift_i32(struct cl_thrift *t, int id, int32_t v);
void cl_thrift_i64(struct cl_thrift *t, int id, int64_t v);
void cl_thrift_binary(struct cl_thrift *t, int id, const void *data, size_t len);
void cl_thrift_string(struct cl_thrift *t, int id, const char *text);

void cl_thrift_struct_begin(struct cl_thrift *t, int id);
void cl_thrift_struct_end(struct cl_thrift *t);

/* Exactly n elements must follow. */
void cl_thrift_list(struct cl_thrift *t, int id, enum cl_thrift_type element, size_t n);
void cl_thrift_item_bool(struct cl_thrift *t, bool v);
void cl_thrift_item_int(struct cl_thrift *t, int64_t v); /* I16, I32 and I64 */
void cl_thrift_item_binary(struct cl_thrift *t, const void *data, size_t len);
void cl_thrift_item_struct_begin(struct cl_thrift *t); /* ended by cl_thrift_struct_end */

#endif
