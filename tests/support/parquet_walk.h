/* parquet_walk.h - finds its way in the bytes of a Parquet file: just enough to look at pages in
 * unit tests.
 *
 * Thrift structs are walked without a schema: a place is a pointer to the first field of a struct,
 * and walk_field scans for one field.  Anything unexpected fails the test. */
#ifndef CITYLAKE_TESTS_PARQUET_WALK_H
#define CITYLAKE_TESTS_PARQUET_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of field `id` of the struct at p, or NULL.  For an integer, boolean or binary its first
 * byte; for a struct its first field; for a list its header. */
const uint8_t *walk_field(const uint8_t *p, int id);
int64_t walk_int(const uint8_t *p);                                /* zigzag varint */
int64_t walk_int_field(const uint8_t *p, int id, int64_t missing); /* of a struct */
size_t walk_list_size(const uint8_t *list);
const uint8_t *walk_list_struct(const uint8_t *list, size_t index); /* of a list of structs */

/* FileMetaData; checks both magics. */
const uint8_t *walk_footer(const uint8_t *file, size_t len);
/* ColumnMetaData of a column of a row group. */
const uint8_t *walk_chunk(const uint8_t *footer, size_t group, size_t column);

struct walk_page {
    int type, encoding; /* PageType, Encoding */
    int64_t values;
    const uint8_t *body;
    size_t len; /* as stored */
    const uint8_t *next;
};
struct walk_page walk_page(const uint8_t *header);

#endif
