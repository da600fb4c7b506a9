/* lake_tables.h - tables of the lake at one moment, and an SQL engine over them: what sql, tables,
 * files and audit share.
 *
 * cl_lake_names -> cl_lake_tables_load -> cl_lake_sql_open -> ... -> close, fini, free in the
 * opposite order. */
#ifndef CITYLAKE_APP_LAKE_TABLES_H
#define CITYLAKE_APP_LAKE_TABLES_H

#include "app/app.h"
#include "query/engine.h"

#include <pthread.h>

struct cl_names {
    char **names; /* sorted, owned */
    size_t n;
};
CL_MUSTCHECK enum cl_code cl_lake_names(const struct cl_lake *lake, struct cl_names *ret,
                                        struct cl_error *err);
void cl_names_fini(struct cl_names *names);

struct cl_lake_table {
    struct cl_table *table;
    const struct cl_snapshot *snapshot; /* NULL: the table has none (at that time) */
    struct cl_scan scan;                /* its live files */
};
struct cl_lake_tables {
    struct cl_lake_table *tables;
    size_t n;
};

/* as_of: NULL = now; a snapshot id, which chooses that snapshot for its table and its time for the
 * others; or an ISO 8601 time. `all` names every table of the lake (to find the snapshot), `wanted`
 * those to load. CL_ENOTFOUND, CL_EINVAL (as_of), CL_EDATA. */
CL_MUSTCHECK enum cl_code cl_lake_tables_load(const struct cl_lake *lake,
                                              const struct cl_names *all, char *const *wanted,
                                              size_t n, const char *as_of,
                                              struct cl_lake_tables *ret, struct cl_error *err);
void cl_lake_tables_fini(struct cl_lake_tables *t);

/* A DuckDB engine that spills into a folder of its own, and a thread that cancels it when the user
 * asks to stop. */
struct cl_lake_sql {
    struct cl_engine *engine;
    struct cl_engine_table *views; /* one for each table, same order; owned */
    char temp_dir[256];            /* "" = none */
    bool has_watcher;
    pthread_t watcher;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended; /* under lock */
};
CL_MUSTCHECK enum cl_code cl_lake_sql_open(const struct cl_lake_tables *tables,
                                           struct cl_lake_sql *ret, struct cl_error *err);
void cl_lake_sql_close(struct cl_lake_sql *sql); /* after a failed open too */

#endif
