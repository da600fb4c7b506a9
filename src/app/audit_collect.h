/* audit_collect.h - what the audit's checks need, read from the lake: a table's history from its
 * metadata, and counts of its rows by SQL over its files.  Private to the audit command.
 *
 * Results live in the arena they are given. */
#ifndef CITYLAKE_APP_AUDIT_COLLECT_H
#define CITYLAKE_APP_AUDIT_COLLECT_H

#include "app/lake_tables.h"
#include "query/audit_check.h"

/* The snapshots of branch main, from the metadata.  Freed by cl_audit_chain_fini. */
CL_MUSTCHECK enum cl_code cl_collect_chain(const struct cl_lake_table *t,
                                           struct cl_audit_chain *ret, struct cl_error *err);

/* Rows by file and partition. */
CL_MUSTCHECK enum cl_code cl_collect_rows(struct cl_engine *engine, const struct cl_lake_table *t,
                                          struct cl_arena *arena, struct cl_audit_rows **ret,
                                          size_t *ret_n, struct cl_error *err);

/* Offsets that stand in more than one row.  disjoint: the rows of each commit are known to lie in
 * the commit's own ranges, so that only rows of one commit can be alike: a few commits at a time
 * are looked at and memory stays small at any number of rows. */
CL_MUSTCHECK enum cl_code cl_collect_twice(struct cl_engine *engine, const struct cl_lake_table *t,
                                           bool disjoint, struct cl_arena *arena,
                                           struct cl_audit_twice **ret, size_t *ret_n,
                                           struct cl_error *err);

/* The feed's dead letters by partition, below and past the feed's positions. */
CL_MUSTCHECK enum cl_code cl_collect_rejects(struct cl_engine *engine,
                                             const struct cl_audit_chain *feed,
                                             struct cl_arena *arena, struct cl_audit_rejects **ret,
                                             size_t *ret_n, struct cl_error *err);

/* Offsets both in the feed's table and among its dead letters. */
CL_MUSTCHECK enum cl_code cl_collect_in_both(struct cl_engine *engine, const char *feed,
                                             struct cl_arena *arena, struct cl_audit_twice **ret,
                                             size_t *ret_n, struct cl_error *err);

#endif
