/* stream_table.h - an Iceberg table as the engine writes it: created when missing, checked against
 * city.yaml, committed to by compare-and-swap of its positions.
 *
 * open -> (progress) -> commit* -> fini.  One thread (the committer's). */
#ifndef CITYLAKE_STREAM_STREAM_TABLE_H
#define CITYLAKE_STREAM_STREAM_TABLE_H

#include "catalog/catalog.h"
#include "stream/fileset.h"
#include "stream/ledger.h"
#include "stream/metrics.h"

#include <stdatomic.h>

struct cl_stream_table {
    const char *name;           /* feed's name, or "dead_letters"; borrowed */
    const struct cl_feed *feed; /* NULL: dead_letters */
    struct cl_schema schema; /* the feed's columns with the table's field ids; fields array owned */
    enum cl_transform transform;
    int partition_column;  /* index into schema */
    char *partition_name;  /* owned; NULL when unpartitioned */
    char *data_folder;     /* relative to the store, owned */
    struct cl_table *base; /* as last loaded, owned */
    struct cl_catalog *catalog;
};

/* feed NULL: dead_letters.  Creates the table when it is missing.
 * CL_EINVAL: the table's columns or partitioning disagree with city.yaml (column named, both sides
 * told). */
CL_MUSTCHECK enum cl_code cl_stream_table_open(struct cl_catalog *catalog,
                                               const struct cl_feed *feed,
                                               struct cl_stream_table *ret, struct cl_error *err);
void cl_stream_table_fini(struct cl_stream_table *t);

/* Loads the newest metadata into t->base. */
CL_MUSTCHECK enum cl_code cl_stream_table_reload(struct cl_stream_table *t, struct cl_error *err);

/* One commit.  `step` states the ranges (start, end, hint of the entries), the identity `source`
 * and the counts of this commit; its first, next and total are filled in from the table.  `files`
 * are borrowed; on success they belong to the table, on a definite failure the caller discards
 * them.
 *
 * exact: the table's map must say next == start for each range (feed tables); else next <= start is
 * enough (dead_letters, whose map may lag because commits without dead letters are not made).
 *
 * CL_ECONFLICT: fenced - somebody else moved the positions; nothing was committed.  CL_EINVAL: the
 * table was filled from another source. CL_EUNKNOWN: given up while the outcome was open: the files
 * must not be deleted. */
struct cl_commit_options {
    bool exact;
    int64_t retry_for_us;       /* transient failures are retried this long */
    const atomic_int *abort;    /* NULL or: non-zero shortens retrying to 5 s */
    struct cl_metrics *metrics; /* NULL or: told of each try that failed */
};
CL_MUSTCHECK enum cl_code cl_stream_table_commit(struct cl_stream_table *t,
                                                 struct cl_progress *step,
                                                 const struct cl_file_list *files,
                                                 const struct cl_commit_options *options,
                                                 struct cl_error *err);

#endif
