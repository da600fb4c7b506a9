/* stream.h - the native engine: source -> lanes -> Parquet -> exactly-once Iceberg commits.
 *
 * cl_stream_run blocks until the source ends, a stop is asked for, or something fails for good.
 * Whatever ends it, the lake is consistent: what was committed is there once, everything else will
 * be read again by the next run. */
#ifndef CITYLAKE_STREAM_STREAM_H
#define CITYLAKE_STREAM_STREAM_H

#include "base/log.h"
#include "catalog/catalog.h"
#include "source/source.h"
#include "stream/metrics.h"

#include <stdatomic.h>

struct cl_stream_stats {
    int64_t consumed, stored, rejected, bytes; /* read so far, in this run */
    int64_t committed;                         /* messages covered by commits */
    int64_t commits, files;                    /* snapshots and data files made */
    int64_t commit_us;                         /* how long the last round of commits took */
    int64_t memory_bytes;                      /* in open files */
    int64_t elapsed_us;
    int64_t rejects_committed;
    int restarts; /* times the engine re-seeked because another process had committed */
};

struct cl_stream_options {
    int lanes;               /* worker threads; 0 = one per core, at most one per partition */
    int64_t commit_every_us; /* 0 = the spec's */
    const struct cl_log *log;
    const atomic_int *stop;     /* non-zero: commit what was read and return CL_OK */
    struct cl_metrics *metrics; /* NULL, or kept up to date for others to read */
    void (*progress)(
        void *context,
        const struct cl_stream_stats *stats); /* NULL, or called about 4 times a second */
    void *context;
};

/* All borrowed.  *ret_stats (NULL allowed) is filled on success and on failure.
 * CL_EINVAL: configuration, table or source disagree (named).  CL_EIO: a store, catalog or source
 * failed beyond its retries. */
CL_MUSTCHECK enum cl_code cl_stream_run(const struct cl_spec *spec, struct cl_source *source,
                                        struct cl_catalog *catalog,
                                        const struct cl_stream_options *options,
                                        struct cl_stream_stats *ret_stats, struct cl_error *err);

#endif
