/* duckdb_view.h - the SQL text that shows an Iceberg table to DuckDB.  Private to the duckdb engine
 * and to those who write SQL over a table's files (audit). */
#ifndef CITYLAKE_QUERY_DUCKDB_VIEW_H
#define CITYLAKE_QUERY_DUCKDB_VIEW_H

#include "query/engine.h"
#include "query/text.h"

/* Most bytes of SQL that are built for one engine: millions of files. */
#define CL_DUCKDB_MAX_SQL ((size_t)1 << 29)

/* CL_EUNSUPPORTED: a file with row-level deletes, or one that is not on a local disk (named). */
CL_MUSTCHECK enum cl_code cl_duckdb_check(const struct cl_engine_table *table,
                                          struct cl_error *err);

/* Puts a FROM item with the table's columns in schema order: read_parquet([...], schema = MAP {id:
 * ...}), or a subquery without rows. Over read_parquet the virtual column `filename` is there too.
 * The table has passed cl_duckdb_check. */
void cl_duckdb_scan_sql(struct cl_text *sql, const struct cl_engine_table *table);

/* Puts CREATE VIEW "name" AS SELECT * FROM (the above). */
void cl_duckdb_view_sql(struct cl_text *sql, const struct cl_engine_table *table);

/* The path on the local disk inside "file:///x", "file:/x" or "/x": a pointer into uri, or NULL
 * when it is none. */
const char *cl_duckdb_local_path(const char *uri);

#endif
