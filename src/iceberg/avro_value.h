/* avro_value.h - the two primitives under everything in Avro: zigzag varints and length-prefixed
 * bytes. */
#ifndef CITYLAKE_ICEBERG_AVRO_VALUE_H
#define CITYLAKE_ICEBERG_AVRO_VALUE_H

#include "iceberg/avro_reader.h"

CL_MUSTCHECK enum cl_code cl_avro_read_long(struct cl_avro_cursor *c, int64_t *ret,
                                            struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_avro_read_bytes(struct cl_avro_cursor *c, const uint8_t **ret,
                                             size_t *ret_len, struct cl_error *err);

#endif
