/* source.h - where events come from: kafka, ndjson, city.  An interface (vtable) and its rules.
 *
 * A source has partitions, each of one feed.  The engine decides where to begin, gives each
 * partition to a lane, and every lane polls for itself:
 *
 *   open (constructor of the implementation) -> partitions -> start -> { poll -> release } per lane
 * ... -> stop -> free
 *
 * start may be called again after stop: the engine re-seeks that way.  Positions are consumer
 * positions, not record offsets: the next offset to read, which may jump (transaction markers,
 * compaction).
 *
 * Several partitions may be read from one stream of bytes (a file of envelopes holds messages of
 * every feed): they share a `stream` number, are given to the same lane, and their positions move
 * together. */
#ifndef CITYLAKE_SOURCE_SOURCE_H
#define CITYLAKE_SOURCE_SOURCE_H

#include "spec/spec.h"

struct cl_position {
    int64_t
        next; /* offset of the next message to read; CL_POSITION_BEGIN = the source's first one */
    int64_t hint; /* the source's own help to find it fast (ndjson: byte position), 0 = none; never
                     needed for truth */
};
#define CL_POSITION_BEGIN ((int64_t)-1)

struct cl_source_partition {
    const struct cl_feed
        *feed; /* NULL: messages whose topic no feed declares; they can only become dead letters */
    const char *topic; /* owned by the source; for feed == NULL "" (see cl_message.topic) */
    int32_t partition; /* >= 0 */
    int stream;        /* partitions with the same number go to the same lane */
    int64_t low, end;  /* first offset there is, and end, as seen by `partitions`; -1 unknown */
};

struct cl_message {
    int32_t part;         /* index into the array of `partitions` */
    int32_t key_len;      /* -1: no key */
    int32_t value_len;    /* -1: no value (Kafka tombstone) */
    const uint8_t *key;   /* borrowed until release */
    const uint8_t *value; /* borrowed until release; no bytes may be read past value_len */
    int64_t offset;
    int64_t timestamp_us; /* broker or producer time; INT64_MIN: none */
    const char
        *topic; /* only for partitions without a feed: the topic named; borrowed until release */
};

/* After the messages of this chunk, partition `part` stands at `position`. */
struct cl_advance {
    int32_t part;
    struct cl_position position;
};

struct cl_chunk {
    const struct cl_message *messages; /* of one partition in offset order */
    size_t n;
    const struct cl_advance *advances; /* every partition that moved, at most once each */
    size_t n_advances;
    bool ended; /* this lane will get nothing more (end of files, or --until-end reached everywhere)
                 */
};

struct cl_source;

struct cl_source_ops {
    const char *name; /* "kafka" */

    /* Required.  The partitions of every feed of the spec, stable until free.  Blocks on the
     * network; bounded by a timeout of its own.  CL_ENOTFOUND: a topic does not exist (named).
     * CL_EIO. */
    enum cl_code (*partitions)(struct cl_source *s, const struct cl_source_partition **ret,
                               size_t *ret_n, struct cl_error *err);

    /* Required.  Who this source is for the table of partition `part`, as compact JSON with sorted
     * keys, e.g.
     * {"cluster":"MkU3","kind":"kafka","topic":"gps_data"}.  Two different logs never have the same
     * identity, a log keeps its own for ever.  Valid until free.  Called before start only: a
     * source may have to read from its beginning to know. */
    enum cl_code (*identity)(struct cl_source *s, int32_t part, const char **ret,
                             struct cl_error *err);

    /* Required.  Begins reading: positions[i] and lanes[i] for each partition (lanes[i] < 0: not
     * read by this process). CL_EINVAL: a position is outside of what the log holds - messages were
     * lost, or it is another log (named). */
    enum cl_code (*start)(struct cl_source *s, const struct cl_position *positions,
                          const int *lanes, int n_lanes, struct cl_error *err);

    /* Required.  Waits up to timeout_ms for messages of this lane; n == 0 and n_advances == 0 are
     * normal.  The chunk is valid until release.  Called by the lane's own thread; different lanes
     * concurrently.  CL_EIO (retriable): the source keeps trying, poll again.  Fatal errors:
     * err->fatal. */
    enum cl_code (*poll)(struct cl_source *s, int lane, int timeout_ms, struct cl_chunk *ret,
                         struct cl_error *err);

    /* Required.  Gives back the lane's chunk; before the next poll. */
    void (*release)(struct cl_source *s, int lane);

    /* Required.  Ends reading; no lane is polling. */
    void (*stop)(struct cl_source *s);

    /* Required.  Frees everything; NULL is never passed. */
    void (*free)(struct cl_source *s);

    /* Optional.  Current [low, end) of a partition, for audit and lag.  Blocks up to a few seconds.
     */
    enum cl_code (*watermarks)(struct cl_source *s, int32_t part, int64_t *ret_low,
                               int64_t *ret_end, struct cl_error *err);

    /* Optional.  The end of a partition as reading has shown it last, without asking anybody; -1:
     * not seen yet.  Called between start and stop, by the thread that calls these. */
    int64_t (*known_end)(struct cl_source *s, int32_t part);

    /* Optional.  Messages that were received and wait for a poll, of all lanes.  Called like
     * known_end. */
    int64_t (*queued)(struct cl_source *s);
};

/* Implementations embed this as their first member. */
struct cl_source {
    const struct cl_source_ops *ops;
};

/* How a source is wanted; made by app from the command line and the spec. */
struct cl_source_options {
    bool until_end;     /* stop at the offsets that were the end at start */
    int64_t max_events; /* city: stop after this many, counted from its first event, 0 = no limit */
    int64_t duration_us; /* city: simulated time, from the start or, when paced, from where reading
                            begins; 0 = no limit */
    double rate;         /* city: events per second, 0 = as fast as possible */
    bool paced;          /* city without a rate: simulated time follows the wall clock, times
                            spec->city.speed_up */
    const char *path;    /* ndjson: directory, file or "-" */
    const char *feed;    /* ndjson file with plain lines of one feed; NULL = envelopes */
    const struct cl_feed *only; /* NULL = every feed */
};

/* source/kafka_source.c, source/ndjson_source.c, source/city_source.c.  spec and options are
 * borrowed and outlive the source. */
CL_MUSTCHECK enum cl_code cl_kafka_source_new(const struct cl_spec *spec,
                                              const struct cl_source_options *options,
                                              struct cl_source **ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_ndjson_source_new(const struct cl_spec *spec,
                                               const struct cl_source_options *options,
                                               struct cl_source **ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_city_source_new(const struct cl_spec *spec,
                                             const struct cl_source_options *options,
                                             struct cl_source **ret, struct cl_error *err);

#endif
