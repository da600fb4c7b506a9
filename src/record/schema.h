/* schema.h - the columns of a table: the types that Athena, Redshift, Spark, Trino, DuckDB and
 * PyIceberg all read. */
#ifndef CITYLAKE_RECORD_SCHEMA_H
#define CITYLAKE_RECORD_SCHEMA_H

#include "base/error.h"

#include <stdint.h>

enum cl_type {
    CL_BOOLEAN,   /* bit-packed, LSB first, as in Arrow */
    CL_INT,       /* int32 */
    CL_LONG,      /* int64 */
    CL_FLOAT,     /* IEEE 754 single */
    CL_DOUBLE,    /* IEEE 754 double */
    CL_DECIMAL,   /* decimal(precision <= 38, scale): 16-byte two's complement, little-endian,
                     unscaled */
    CL_DATE,      /* int32 days since 1970-01-01 */
    CL_TIMESTAMP, /* int64 microseconds since 1970-01-01T00:00:00, no zone, UTC */
    CL_STRING,    /* UTF-8 */
    CL_BINARY,
};

struct cl_field {
    int id;           /* Iceberg field id, > 0 */
    const char *name; /* UTF-8 */
    enum cl_type type;
    int precision, scale; /* CL_DECIMAL only */
    bool required;
    const char *doc; /* NULL or text */
};

/* A schema borrows its strings from whatever built it (an arena of the spec, of the table
 * metadata). */
struct cl_schema {
    size_t n;
    struct cl_field *fields;
};

/* Bytes of one value in a column's values buffer: 0 for CL_BOOLEAN (bits) and for CL_STRING and
 * CL_BINARY (offsets). */
size_t cl_type_width(enum cl_type type);

/* Iceberg's name of the type: "boolean" ... "decimal(9, 2)", "timestamp".  buf of 32 bytes or more.
 * Returns buf. */
const char *cl_type_text(const struct cl_field *field, char *buf, size_t size);

/* Index of the field of that name, or -1. */
int cl_schema_find(const struct cl_schema *schema, const char *name);

#endif
