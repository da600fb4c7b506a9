/* engine.h - SQL engines: duckdb here, later athena, redshift, spark.  An interface (vtable).
 *
 * open (constructor) -> execute -> { next_row } -> result_free ... -> free.  One thread, but cancel
 * from any (not from a signal handler). */
#ifndef CITYLAKE_QUERY_ENGINE_H
#define CITYLAKE_QUERY_ENGINE_H

#include "iceberg/table.h"

struct cl_engine;
struct cl_result;

/* A table for the engine to see as a view of that name.  All borrowed until the engine is freed. */
struct cl_engine_table {
    const char *name;
    const struct cl_schema
        *schema; /* columns found by field id, so that files of older schemas read as null */
    const struct cl_scan *scan; /* n == 0: an empty view with the schema's columns */
};

struct cl_result_column {
    const char *name;
    const char *type; /* the engine's name of it */
    bool numeric;     /* right-aligned in a table, bare in JSON */
    bool boolean;
    bool json; /* the text is JSON already (list, struct, map) */
};

struct cl_engine_ops {
    const char *name;
    /* Runs one or several statements; the last one's rows are the result.  CL_EINVAL: the engine's
     * own message. */
    enum cl_code (*execute)(struct cl_engine *e, const char *sql, struct cl_result **ret,
                            struct cl_error *err);
    void (*columns)(struct cl_result *r, const struct cl_result_column **ret, size_t *ret_n);
    /* Text of each column of the next row (NULL = SQL NULL; lengths beside: a text need not end
     * with NUL, and may hold some), valid until the next call; *ret_texts = NULL at the end.
     * Timestamps as 2026-01-05 08:00:00.123456, binaries as \xAB escapes, doubles shortest
     * round-trip. */
    enum cl_code (*next_row)(struct cl_result *r, const char *const **ret_texts,
                             const size_t **ret_lens, struct cl_error *err);
    void (*result_free)(struct cl_result *r);
    void (*cancel)(struct cl_engine *e);
    void (*free)(struct cl_engine *e);
};

struct cl_engine {
    const struct cl_engine_ops *ops;
};

struct cl_duckdb_options {
    int64_t memory_bytes; /* 0 = 1 GiB */
    int threads;          /* 0 = all */
    const char *temp_dir; /* where it may spill; NULL = none */
};
CL_MUSTCHECK enum cl_code cl_duckdb_engine_new(const struct cl_engine_table *tables, size_t n,
                                               const struct cl_duckdb_options *options,
                                               struct cl_engine **ret, struct cl_error *err);

#endif
