/* lane.h - one worker thread that owns some source partitions: messages -> decoder -> batches ->
 * Parquet files.
 *
 * Lanes share nothing on the hot path.  The committer asks every lane for what it has (request),
 * goes on with other things, and takes it (collect): finished files, counts and positions that
 * belong together.  The lane reads on meanwhile.
 *
 *   start -> { request -> collect }* -> quit -> join_free;   all called by the committer's thread.
 *
 * A lane that fails (disk full, fatal source error) stops by itself; collect then returns its
 * error. */
#ifndef CITYLAKE_STREAM_LANE_H
#define CITYLAKE_STREAM_LANE_H

#include "base/log.h"
#include "decode/decoder.h"
#include "source/source.h"
#include "stream/stream_table.h"

#include <stdatomic.h>

/* What every lane may read and none may change while lanes run. */
struct cl_stream_plan {
    const struct cl_spec *spec;
    struct cl_source *source;
    const struct cl_source_partition *parts;
    size_t n_parts;
    int *table_of_part; /* index into tables, or -1: no feed declares its topic */
    int *lane_of_part;
    const char **identity_of_part;  /* borrowed from the source; asked before it starts, never while
                                       lanes read */
    struct cl_position *start;      /* where each partition begins */
    int64_t *dead_below;            /* dead letters below this offset are in the lake already */
    struct cl_stream_table *tables; /* one per feed of the source */
    size_t n_tables;
    struct cl_stream_table dead; /* dead_letters */
    struct cl_parquet_options parquet;
    int64_t memory_bytes; /* for one lane's open files */
    char run_id[24];      /* in file names; unique to this run */
    const struct cl_log *log;
};

struct cl_handover {
    struct cl_file_list *files; /* per table */
    struct cl_counts *counts;   /* per table */
    struct cl_file_list dead;
    int64_t dead_rows;
    struct cl_position *position; /* per partition; only those with moved[i] mean something */
    bool *moved;
    bool *dead_moved;                /* a dead letter of that partition is in `dead` */
    int64_t (*rejects)[CL_REJECT_N]; /* per table, the last: of no table */
    bool ended;                      /* the lane will get nothing more */
    size_t n_tables;
};

/* Running totals, for progress: written by the lane alone, read by anybody. */
struct cl_lane_stats {
    atomic_llong consumed, stored, rejected, bytes, memory_bytes;
    atomic_bool polled; /* the source was asked at least once */
};

struct cl_lane;

/* plan is borrowed.  CL_ENOMEM, or CL_EIO when no thread can be started. */
CL_MUSTCHECK enum cl_code cl_lane_start(const struct cl_stream_plan *plan, int index,
                                        struct cl_lane **ret, struct cl_error *err);
void cl_lane_request(struct cl_lane *lane);
/* Waits up to timeout_ms.  *ret = NULL and CL_OK: not there yet.  The handover is the caller's
 * (cl_handover_free). */
CL_MUSTCHECK enum cl_code cl_lane_collect(struct cl_lane *lane, int timeout_ms,
                                          struct cl_handover **ret, struct cl_error *err);
/* CL_OK, or the error that ended the lane. */
CL_MUSTCHECK enum cl_code cl_lane_check(struct cl_lane *lane, struct cl_error *err);
/* The source has nothing more for this lane. */
bool cl_lane_ended(struct cl_lane *lane);
const struct cl_lane_stats *cl_lane_stats(const struct cl_lane *lane);
/* The offset at which the lane stands in a partition of its own; any thread. */
int64_t cl_lane_reached(const struct cl_lane *lane, size_t part);
void cl_lane_quit(struct cl_lane *lane);      /* asks; what was not handed over is thrown away */
void cl_lane_join_free(struct cl_lane *lane); /* NULL allowed */

/* Files still in it are discarded from the store. */
void cl_handover_free(struct cl_handover *h, struct cl_store *store);

#endif
