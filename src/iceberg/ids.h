/* ids.h - random identities: table and file UUIDs, snapshot ids, Avro sync markers. */
#ifndef CITYLAKE_ICEBERG_IDS_H
#define CITYLAKE_ICEBERG_IDS_H

#include "base/error.h"

#include <stdint.h>

enum { CL_UUID_TEXT = 37 };

CL_MUSTCHECK enum cl_code cl_random_bytes(void *ret, size_t len, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_uuid_random(char ret[CL_UUID_TEXT],
                                         struct cl_error *err); /* version 4 */
/* Positive, 63 bits. */
CL_MUSTCHECK enum cl_code cl_snapshot_id_random(int64_t *ret, struct cl_error *err);

#endif
