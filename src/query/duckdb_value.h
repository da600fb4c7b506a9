/* duckdb_value.h - a column of DuckDB's result chunks as text.  Private to the duckdb engine.
 *
 * init (from the logical type) -> { bind (to a chunk's vector) -> put per row }* -> fini. */
#ifndef CITYLAKE_QUERY_DUCKDB_VALUE_H
#define CITYLAKE_QUERY_DUCKDB_VALUE_H

#include "query/text.h"

#include <duckdb.h>

struct cl_duckdb_column {
    duckdb_type type;
    bool json_text;       /* a VARCHAR that DuckDB calls JSON */
    uint8_t width, scale; /* DECIMAL */
    duckdb_type storage;  /* DECIMAL, ENUM: the integer type in memory */
    uint64_t array_size;  /* ARRAY */
    char *name;           /* member of a STRUCT or UNION; owned */
    char **labels;        /* ENUM; owned */
    size_t n_labels;
    struct cl_duckdb_column
        *children; /* LIST and ARRAY: 1; MAP: key, value; STRUCT, UNION: the members; owned */
    size_t n_children;
    /* Bound to the current chunk. */
    const void *data;
    const uint64_t *validity; /* NULL: no nulls */
};

/* CL_EUNSUPPORTED: a type without a text form here (BIGNUM, VARIANT, ...): the message says to cast
 * it.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_duckdb_column_init(struct cl_duckdb_column *c,
                                                duckdb_logical_type type, struct cl_error *err);
void cl_duckdb_column_fini(struct cl_duckdb_column *c);
void cl_duckdb_column_bind(struct cl_duckdb_column *c, duckdb_vector vector);

bool cl_duckdb_is_null(const struct cl_duckdb_column *c, uint64_t row);

/* The value's text: scalars as DuckDB's cast to VARCHAR gives them, nested ones as JSON.  The row
 * is not null. */
void cl_duckdb_put(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row);

/* VARCHAR only: the bytes where they are, valid until the chunk goes. */
const char *cl_duckdb_string(const struct cl_duckdb_column *c, uint64_t row, size_t *ret_len);

bool cl_duckdb_is_numeric(const struct cl_duckdb_column *c);
bool cl_duckdb_is_nested(const struct cl_duckdb_column *c);
void cl_duckdb_put_type(struct cl_text *t, const struct cl_duckdb_column *c); /* "DECIMAL(9,2)" */

#endif
