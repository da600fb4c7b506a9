/* metrics.h - what a running engine tells those who watch it: counters by table, places by
 * partition, how commits go.
 *
 * The engine's committer writes, four times a second and at each commit; anybody may read a copy at
 * any time.  Nothing here is touched once per message: lanes publish their places once per chunk
 * (stream/lane.h), the counters are those of the commits.
 *
 *   new -> given to cl_stream_run by its options -> read* (any thread) -> free, after cl_stream_run
 * returned
 *
 * Every counter of a table is moved by its commits alone and in one step, so consumed = stored +
 * duplicates + rejected holds in each copy, and after a run the numbers are those of the snapshots
 * that the run made. */
#ifndef CITYLAKE_STREAM_METRICS_H
#define CITYLAKE_STREAM_METRICS_H

#include "decode/decoder.h"
#include "source/source.h"
#include "stream/ledger.h"

enum cl_engine_phase {
    CL_ENGINE_STARTING, /* opening tables, asking the source for its partitions */
    CL_ENGINE_RUNNING,
    CL_ENGINE_RESTARTING, /* fenced: another process committed, beginning again behind it */
    CL_ENGINE_STOPPED,    /* cl_stream_run is about to return, or has */
};

/* Of a feed's table; the last one is dead_letters. */
struct cl_table_metrics {
    const char *name;              /* borrowed from the spec */
    struct cl_counts counts;       /* of dead_letters: stored only */
    int64_t rejected[CL_REJECT_N]; /* by reason; of dead_letters: messages whose topic no feed
                                      declares */
    int64_t late;                  /* stored rows whose event time was behind the watermark */
    int64_t commits, files, file_bytes;
    int64_t watermark_us; /* event time up to which rows are complete; INT64_MIN: not known */
};

/* Offsets; -1: not known. */
struct cl_part_metrics {
    const char *feed;  /* "": no feed declares the topic */
    const char *topic; /* borrowed from the source */
    int32_t partition;
    int64_t read, committed, end; /* next to read, next after the last commit, end of the log */
};

/* Upper bounds of the latency histogram, in seconds; one more bucket holds what is above the last.
 */
enum { CL_COMMIT_BUCKETS = 12 };
extern const double cl_commit_bucket_seconds[CL_COMMIT_BUCKETS];

struct cl_metrics_view {
    enum cl_engine_phase phase;
    bool polled;      /* every lane has asked its source at least once */
    int failed_tries; /* of the commit under way; 0: the last commit worked */
    int64_t beat_us;  /* monotonic time at which the engine was seen alive last */
    int64_t read_messages, read_bytes, open_file_bytes;
    int64_t queued; /* messages that the source holds ready; -1: not known */
    int64_t commit_buckets[CL_COMMIT_BUCKETS + 1], commit_sum_us;
    int64_t commit_retries, commit_failures, fences;
    struct cl_table_metrics *tables; /* owned by the view */
    size_t n_tables;                 /* 0 until the tables were opened */
    struct cl_part_metrics *parts;   /* owned by the view */
    size_t n_parts;
};

struct cl_metrics; /* opaque */

/* CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_metrics_new(struct cl_metrics **ret, struct cl_error *err);
void cl_metrics_free(struct cl_metrics *m); /* NULL allowed */

/* A copy of everything; *ret goes to cl_metrics_view_fini.  Its strings are those of spec and
 * source, which outlive it. */
CL_MUSTCHECK enum cl_code cl_metrics_read(struct cl_metrics *m, struct cl_metrics_view *ret,
                                          struct cl_error *err);
void cl_metrics_view_fini(struct cl_metrics_view *view);

/* ---- the engine's side; the committer's thread; m may be NULL in all of them ---- */

struct cl_stream_plan;
struct cl_stream_stats;
struct cl_lane;

/* A generation begins: the tables (their counters go on) and partitions of `plan`. */
CL_MUSTCHECK enum cl_code cl_metrics_plan(struct cl_metrics *m, const struct cl_stream_plan *plan,
                                          struct cl_error *err);
void cl_metrics_phase(struct cl_metrics *m, enum cl_engine_phase phase);
/* Where everything is now.  committed: by partition of the plan. */
void cl_metrics_tick(struct cl_metrics *m, const struct cl_stream_plan *plan,
                     struct cl_lane *const *lanes, int n_lanes, const struct cl_position *committed,
                     const struct cl_stream_stats *stats);

struct cl_commit_metrics {
    const struct cl_counts *counts;
    const int64_t *rejected; /* by reason; NULL: none */
    int64_t late;            /* stored rows that came behind the watermark */
    int64_t files, file_bytes, took_us;
};
/* table: index into plan->tables, or plan->n_tables for dead_letters. */
void cl_metrics_commit(struct cl_metrics *m, size_t table, const struct cl_commit_metrics *commit);
void cl_metrics_commit_retry(struct cl_metrics *m);   /* a try failed, another one follows */
void cl_metrics_commit_failure(struct cl_metrics *m); /* given up */
void cl_metrics_fence(struct cl_metrics *m);

#endif
