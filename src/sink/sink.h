/* sink.h - where the simulated devices send their events: kafka or NDJSON.  An interface (vtable).
 *
 * new -> send* -> flush -> free.  One thread. */
#ifndef CITYLAKE_SINK_SINK_H
#define CITYLAKE_SINK_SINK_H

#include "spec/spec.h"

struct cl_sink_stats {
    int64_t sent, delivered, failed, bytes;
};

struct cl_sink;

struct cl_sink_ops {
    const char *name;
    /* Required.  Queues one event; bytes are copied.  partition -1: by key (kafka: murmur2 as Java
     * producers do).  Blocks while the queue is full (bounded).  A delivery failure of an earlier
     * event shows in stats and, when fatal, here. */
    enum cl_code (*send)(struct cl_sink *s, const struct cl_feed *feed, const void *key,
                         size_t key_len, const void *value, size_t value_len, int64_t timestamp_us,
                         struct cl_error *err);
    /* Required.  Waits until everything sent is delivered or failed, at most timeout_ms.  CL_EIO:
     * some were not (named). */
    enum cl_code (*flush)(struct cl_sink *s, int timeout_ms, struct cl_error *err);
    void (*stats)(struct cl_sink *s, struct cl_sink_stats *ret);
    void (*free)(struct cl_sink *s);
};

struct cl_sink {
    const struct cl_sink_ops *ops;
};

/* Creates the feeds' topics when missing, with spec->kafka.partitions.  spec is borrowed. */
CL_MUSTCHECK enum cl_code cl_kafka_sink_new(const struct cl_spec *spec, struct cl_sink **ret,
                                            struct cl_error *err);

/* Envelopes on fd (borrowed) when dir is NULL; else plain lines in DIR/TOPIC.ndjson. */
CL_MUSTCHECK enum cl_code cl_ndjson_sink_new(const struct cl_spec *spec, int fd, const char *dir,
                                             struct cl_sink **ret, struct cl_error *err);

#endif
