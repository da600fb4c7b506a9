/* avro_schema.h - the schema inside an Avro file, compiled to a tree that the reader walks.
 *
 * Only what decoding needs is kept: types, record fields with their Iceberg ids, union branches.
 * Logical types are left to the one who asks for a value. */
#ifndef CITYLAKE_ICEBERG_AVRO_SCHEMA_H
#define CITYLAKE_ICEBERG_AVRO_SCHEMA_H

#include "base/arena.h"

#include <stdint.h>

enum cl_avro_kind {
    CL_AVRO_NULL,
    CL_AVRO_BOOLEAN,
    CL_AVRO_INT,
    CL_AVRO_LONG,
    CL_AVRO_FLOAT,
    CL_AVRO_DOUBLE,
    CL_AVRO_BYTES,
    CL_AVRO_STRING,
    CL_AVRO_RECORD,
    CL_AVRO_ENUM,
    CL_AVRO_ARRAY,
    CL_AVRO_MAP,
    CL_AVRO_UNION,
    CL_AVRO_FIXED,
};

struct cl_avro_type;

struct cl_avro_field {
    const char *name;
    int id; /* Iceberg's "field-id", -1: none */
    const struct cl_avro_type *type;
};

struct cl_avro_type {
    enum cl_avro_kind kind;
    size_t n;                          /* fields, branches or the size of a fixed */
    struct cl_avro_field *fields;      /* CL_AVRO_RECORD */
    const struct cl_avro_type **types; /* CL_AVRO_UNION: n; array and map: 1, the items */
};

/* Untrusted JSON.  The tree lives in the arena.  CL_EDATA. */
CL_MUSTCHECK enum cl_code cl_avro_schema_parse(const char *json, size_t len, struct cl_arena *arena,
                                               const struct cl_avro_type **ret,
                                               struct cl_error *err);

#endif
