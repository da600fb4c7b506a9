/* avro_reader.h - reads Avro object container files of any writer, guided by the schema inside the
 * file.
 *
 * Bytes are untrusted: every length is checked against what is left, recursion and block sizes are
 * bounded. Order: open -> next* -> close.  next puts the cursor at the start of a record of type
 * reader->schema; the caller consumes it with the cl_avro_get_* calls, cl_avro_get_record (which
 * visits the fields in the writer's order) and cl_avro_skip. */
#ifndef CITYLAKE_ICEBERG_AVRO_READER_H
#define CITYLAKE_ICEBERG_AVRO_READER_H

#include "base/buf.h"
#include "iceberg/avro_schema.h"

/* Of one block after decompression.  Writers cut blocks at tens of KiB; this only stops
 * decompression bombs. */
#define CL_AVRO_MAX_BLOCK_BYTES ((size_t)64 << 20)

struct cl_avro_cursor {
    const uint8_t *p, *end;
    int depth;         /* of the value being read */
    int empty_records; /* records without bytes inside this one: a schema may nest 2^40 of them */
};

struct cl_avro_reader {
    const struct cl_avro_type *schema;
    struct cl_avro_cursor record; /* at the record that next found */

    /* private */
    struct cl_avro_cursor file;
    const uint8_t *sync;
    const uint8_t *meta;
    int codec;
    int64_t left_in_block;
    const uint8_t *record_start;
    struct cl_buf unpacked;
    struct cl_arena arena; /* the schema */
};

/* data is borrowed until close.  CL_EDATA, CL_EUNSUPPORTED (codec, named).  After a failure nothing
 * needs closing. */
CL_MUSTCHECK enum cl_code cl_avro_open(struct cl_avro_reader *r, const uint8_t *data, size_t len,
                                       struct cl_error *err);
void cl_avro_close(struct cl_avro_reader *r);
/* *ret_more false: the end.  The bytes of the previous record may be gone. */
CL_MUSTCHECK enum cl_code cl_avro_next(struct cl_avro_reader *r, bool *ret_more,
                                       struct cl_error *err);
/* An entry of the file's metadata; false: absent.  Points into the file, not terminated. */
bool cl_avro_file_meta(const struct cl_avro_reader *r, const char *key, const char **ret,
                       size_t *ret_len);

/* Each consumes one value of the given type, or a union of it with null in any order.  *ret_present
 * (NULL allowed: a null is then CL_EDATA) says whether it was there; *ret is untouched when not. */
CL_MUSTCHECK enum cl_code cl_avro_get_long(struct cl_avro_cursor *c,
                                           const struct cl_avro_type *type, bool *ret_present,
                                           int64_t *ret, struct cl_error *err); /* int or long */
CL_MUSTCHECK enum cl_code cl_avro_get_boolean(struct cl_avro_cursor *c,
                                              const struct cl_avro_type *type, bool *ret_present,
                                              bool *ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_avro_get_bytes(struct cl_avro_cursor *c,
                                            const struct cl_avro_type *type, bool *ret_present,
                                            const uint8_t **ret, size_t *ret_len,
                                            struct cl_error *err); /* bytes, string or fixed */

/* Called with the cursor at the field's value, which it must consume. */
typedef enum cl_code (*cl_avro_field_fn)(void *ctx, const struct cl_avro_field *field,
                                         struct cl_avro_cursor *c, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_avro_get_record(struct cl_avro_cursor *c,
                                             const struct cl_avro_type *type, bool *ret_present,
                                             cl_avro_field_fn fn, void *ctx, struct cl_error *err);
/* Called once per item, which it must consume. */
typedef enum cl_code (*cl_avro_item_fn)(void *ctx, const struct cl_avro_type *type,
                                        struct cl_avro_cursor *c, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_avro_get_array(struct cl_avro_cursor *c,
                                            const struct cl_avro_type *type, bool *ret_present,
                                            cl_avro_item_fn fn, void *ctx, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_avro_skip(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                                       struct cl_error *err);

#endif
