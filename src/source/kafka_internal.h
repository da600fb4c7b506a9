/* kafka_internal.h - the Kafka source's structs, shared by its three files.
 *
 *   kafka_source.c   topics, partitions, start and stop; the thread of the engine's main loop
 *   kafka_lane.c     poll and release; each lane's own thread
 *   kafka_waker.c    keeps librdkafka fetching while lanes drain (why: see there); a thread of its
 * own
 *
 * A part (partition) belongs to one lane between start and stop and is touched by that lane's
 * thread only; so are lanes. */
#ifndef CITYLAKE_SOURCE_KAFKA_INTERNAL_H
#define CITYLAKE_SOURCE_KAFKA_INTERNAL_H

#include "source/kafka_client.h"
#include "source/source.h"

#include <stdalign.h>
#include <stdatomic.h>

enum {
    CL_KAFKA_TIMEOUT_MS = 10000,        /* for what a person waits for: metadata, offsets */
    CL_KAFKA_CHUNK_MESSAGES = 4096,     /* most messages a poll hands over */
    CL_KAFKA_REPORT_EVERY_US = 5000000, /* at most one retriable error in this time */
};

struct cl_kafka_waker {
    rd_kafka_t *rk;
    rd_kafka_topic_partition_list_t
        *leaders; /* owned: one partition of each broker that leads any */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* guards the two below */
    pthread_cond_t changed;
    bool poked, ending;
};

struct cl_kafka_topic {
    const struct cl_feed *feed;
    rd_kafka_topic_t *rkt; /* its opaque is this struct */
    int first_part, n_parts;
};

struct cl_kafka_part {
    struct cl_kafka_topic *topic;
    int32_t partition;
    int32_t leader; /* broker id, -1 unknown */
    int lane;       /* -1: not read */
    int64_t next; /* position: every offset before it was handed over, dropped by the log, or never
                     a message */
    int64_t stop_at; /* INT64_MAX: never */
    bool fetching;
    uint64_t chunk; /* number of the chunk in which it moved last */
    size_t advance; /* where, in that chunk's advances */
};

struct cl_kafka_lane {
    alignas(64) rd_kafka_queue_t *queue; /* lanes on their own cache lines */
    rd_kafka_message_t **raw;            /* what the current chunk points into */
    struct cl_message *messages;
    size_t n; /* of both */
    struct cl_advance *advances;
    size_t n_advances;
    uint64_t chunk;
    int n_fetching;                      /* parts that are not at their end */
    int64_t taken_bytes, taken_messages; /* since the waker was poked last */
    bool has_pending;
    struct cl_error pending; /* found behind messages: told after them; a fatal one stays */
};

struct cl_kafka_source {
    struct cl_source base;
    const struct cl_spec *spec;
    bool until_end;
    rd_kafka_t *rk;
    struct cl_kafka_notes notes;
    struct cl_kafka_waker waker;
    int64_t wake_bytes, wake_messages; /* taken by a lane before the waker is poked */
    struct cl_kafka_topic *topics;
    int n_topics;
    struct cl_kafka_part *parts;
    struct cl_source_partition *public_parts; /* NULL until `partitions` */
    int n_parts;
    char *cluster;     /* NULL until `partitions` */
    char **identities; /* by topic */
    struct cl_kafka_lane *lanes;
    int n_lanes;
    _Atomic int64_t reported_us; /* monotonic time of the last retriable error that was told */
};

CL_MUSTCHECK enum cl_code cl_kafka_lane_init(struct cl_kafka_source *s, struct cl_kafka_lane *l,
                                             struct cl_error *err);
void cl_kafka_lane_fini(struct cl_kafka_lane *l);
CL_MUSTCHECK enum cl_code cl_kafka_lane_poll(struct cl_kafka_source *s, struct cl_kafka_lane *l,
                                             int timeout_ms, struct cl_chunk *ret,
                                             struct cl_error *err);
void cl_kafka_lane_release(struct cl_kafka_lane *l);

/* leaders is taken.  Nothing to do when it is empty. */
CL_MUSTCHECK enum cl_code cl_kafka_waker_start(struct cl_kafka_waker *w, rd_kafka_t *rk,
                                               rd_kafka_topic_partition_list_t *leaders,
                                               struct cl_error *err);
void cl_kafka_waker_poke(struct cl_kafka_waker *w);
void cl_kafka_waker_stop(struct cl_kafka_waker *w); /* idempotent */

/* "topic gps_data partition 2: offset 100 ...": the position is not in the log [low, end).  Fatal.
 */
enum cl_code cl_kafka_fail_out_of_range(struct cl_error *err, const char *topic, int32_t partition,
                                        int64_t offset, int64_t low, int64_t end);

#endif
