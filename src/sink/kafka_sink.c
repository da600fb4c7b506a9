/* kafka_sink.c - events to Kafka by an idempotent producer: each once and in order per partition.
 *
 * Keys choose the partition as Java producers do (murmur2).  Events wait in librdkafka's queue, at
 * most QUEUE_MESSAGES or QUEUE_KIB; send waits while it is full.  Delivery reports are served on
 * the caller's thread, inside send and flush.
 *
 * The record's timestamp is the time of sending, not the simulated event time: a broker deletes by
 * timestamp (retention), and would throw away events of a simulated past and refuse those of a
 * simulated future. */
#include "sink/sink.h"

#include "base/clock.h"
#include "source/kafka_client.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MESSAGES "200000"
#define QUEUE_KIB "65536"

enum { TIMEOUT_MS = 10000, SERVE_EVERY = 256, FULL_WAIT_MS = 100 };

static const struct cl_kafka_property DEFAULTS[] = {
    {"linger.ms", "20"},
    {"batch.size", "1000000"},
    {"compression.type", "lz4"},       /* the cheapest to undo, which is what the lake side pays */
    {"message.max.bytes", "67108864"}, /* the broker's own limit decides */
    {"message.timeout.ms", "60000"},   /* how long a broker may be away */
    {"queue.buffering.max.messages", QUEUE_MESSAGES},
    {"queue.buffering.max.kbytes", QUEUE_KIB},
    {"partitioner", "murmur2_random"},
    {"reconnect.backoff.max.ms", "2000"},
    {"log.connection.close", "false"},
    {NULL, NULL},
};

static const struct cl_kafka_property FIXED[] = {{"enable.idempotence", "true"}, {NULL, NULL}};

struct kafka_sink {
    struct cl_sink base;
    const struct cl_spec *spec;
    rd_kafka_t *rk;
    struct cl_kafka_notes notes; /* opaque of the client: see on_delivery */
    rd_kafka_topic_t **topics;   /* by feed */
    struct cl_sink_stats stats;
    unsigned unserved;               /* sends since the delivery reports were served */
    rd_kafka_resp_err_t first_error; /* of a failed event */
    int64_t timed_out;               /* events that the broker did not take in time; not told yet */
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct kafka_sink *s =
        (struct kafka_sink *)((char *)opaque - offsetof(struct kafka_sink, notes));
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        s->stats.delivered++;
        s->stats.bytes += (int64_t)(m->len + m->key_len);
        return;
    }
    s->stats.failed++;
    if (s->first_error == RD_KAFKA_RESP_ERR_NO_ERROR) s->first_error = m->err;
    if (m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT) s->timed_out++;
}

/* Does something keep the events from ever being delivered? */
static enum cl_code check_client(struct kafka_sink *s, struct cl_error *err)
{
    char text[512];
    rd_kafka_resp_err_t e = rd_kafka_fatal_error(s->rk, text, sizeof text);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
        e = cl_kafka_notes_take_event(&s->notes, text);
        if (!cl_kafka_needs_a_person(e)) e = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)cl_kafka_fail(err, e, NULL, "Kafka at %s takes no events: %s",
                            s->spec->kafka.bootstrap_servers, text);
        if (err != NULL) err->fatal = true;
        return CL_EINVAL;
    }
    if (s->timed_out == 0) return CL_OK;
    int64_t n = s->timed_out;
    s->timed_out = 0;
    return cl_kafka_fail(err, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, &s->notes,
                         "Kafka at %s did not take %" PRId64 " events in time (message.timeout.ms)",
                         s->spec->kafka.bootstrap_servers, n);
}

static enum cl_code kafka_send(struct cl_sink *base, const struct cl_feed *feed, const void *key,
                               size_t key_len, const void *value, size_t value_len,
                               int64_t timestamp_us, struct cl_error *err)
{
    (void)timestamp_us; /* see the top of the file */
    struct kafka_sink *s = (struct kafka_sink *)base;
    rd_kafka_topic_t *topic = s->topics[feed - s->spec->feeds];
    if (++s->unserved >= SERVE_EVERY) {
        s->unserved = 0;
        (void)rd_kafka_poll(s->rk, 0);
        enum cl_code code = check_client(s, err);
        if (code != CL_OK) return code;
    }
    /* librdkafka copies, so the cast that its interface asks for is safe. */
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)value, value_len, key, key_len, NULL) != 0) {
        rd_kafka_resp_err_t e = rd_kafka_last_error();
        if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return cl_kafka_fail(err, e, &s->notes, "cannot send an event of %zu bytes to topic %s",
                                 value_len, feed->topic);
        (void)rd_kafka_poll(s->rk, FULL_WAIT_MS);
        enum cl_code code = check_client(s, err);
        if (code != CL_OK) return code;
    }
    s->stats.sent++;
    return CL_OK;
}

static enum cl_code kafka_flush(struct cl_sink *base, int timeout_ms, struct cl_error *err)
{
    struct kafka_sink *s = (struct kafka_sink *)base;
    rd_kafka_resp_err_t e = rd_kafka_flush(s->rk, timeout_ms);
    enum cl_code code = check_client(s, err);
    if (code != CL_OK) return code;
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
        return cl_kafka_fail(err, e, &s->notes, "%d events still wait for Kafka at %s",
                             rd_kafka_outq_len(s->rk), s->spec->kafka.bootstrap_servers);
    if (s->stats.failed == 0) return CL_OK;
    return cl_kafka_fail(err, s->first_error, NULL,
                         "%" PRId64 " of %" PRId64 " events were not delivered, the first because",
                         s->stats.failed, s->stats.sent);
}

static void kafka_stats(struct cl_sink *base, struct cl_sink_stats *ret)
{
    struct kafka_sink *s = (struct kafka_sink *)base;
    (void)rd_kafka_poll(s->rk, 0);
    *ret = s->stats;
}

static void kafka_free(struct cl_sink *base)
{
    struct kafka_sink *s = (struct kafka_sink *)base;
    if (s->rk != NULL) {
        (void)rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE |
                                        RD_KAFKA_PURGE_F_INFLIGHT); /* flush was the chance */
        for (size_t i = 0; s->topics != NULL && i < s->spec->n_feeds; i++)
            if (s->topics[i] != NULL) rd_kafka_topic_destroy(s->topics[i]);
        rd_kafka_destroy(s->rk);
    }
    cl_kafka_notes_fini(&s->notes);
    free(s->topics);
    free(s);
}

static const struct cl_sink_ops OPS = {.name = "kafka",
                                       .send = kafka_send,
                                       .flush = kafka_flush,
                                       .stats = kafka_stats,
                                       .free = kafka_free};

/* ---- topics ---- */

static bool exists(const struct rd_kafka_metadata *md, const char *topic)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, topic) == 0 &&
            md->topics[i].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return true;
    return false;
}

static enum cl_code check_created(const struct kafka_sink *s, rd_kafka_event_t *event,
                                  struct cl_error *err)
{
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR || result == NULL)
        return cl_fail(err, CL_EIO, "cannot create topics at %s: %s",
                       s->spec->kafka.bootstrap_servers, rd_kafka_event_error_string(event));
    size_t n;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t e = rd_kafka_topic_result_error(topics[i]);
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR || e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        return cl_fail(err, CL_EINVAL,
                       "cannot create topic %s at %s with %d partitions and %d replicas: %s; check "
                       "kafka.partitions and"
                       " kafka.replication, or create it by hand",
                       rd_kafka_topic_result_name(topics[i]), s->spec->kafka.bootstrap_servers,
                       s->spec->kafka.partitions, s->spec->kafka.replication,
                       rd_kafka_topic_result_error_string(topics[i]));
    }
    return CL_OK;
}

static enum cl_code create_topics(struct kafka_sink *s, rd_kafka_NewTopic_t **topics, size_t n,
                                  struct cl_error *err)
{
    char reason[512];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(s->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    /* The broker answers when the topics are there, and we wait a little longer than it does. */
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, TIMEOUT_MS / 2, reason,
                                                      sizeof reason);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, reason, sizeof reason);
    rd_kafka_CreateTopics(s->rk, topics, n, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS + 2000);
    enum cl_code code = event != NULL
                            ? check_created(s, event, err)
                            : cl_fail(err, CL_EIO, "cannot create topics at %s: no answer",
                                      s->spec->kafka.bootstrap_servers);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return code;
}

static enum cl_code create_missing(struct kafka_sink *s, const struct rd_kafka_metadata *md,
                                   struct cl_error *err)
{
    rd_kafka_NewTopic_t **topics = calloc(s->spec->n_feeds + 1, sizeof *topics);
    if (topics == NULL) return cl_fail_nomem(err);
    size_t n = 0;
    enum cl_code code = CL_OK;
    for (size_t i = 0; code == CL_OK && i < s->spec->n_feeds; i++) {
        char reason[512];
        const char *topic = s->spec->feeds[i].topic;
        if (exists(md, topic)) continue;
        topics[n] = rd_kafka_NewTopic_new(topic, s->spec->kafka.partitions,
                                          s->spec->kafka.replication, reason, sizeof reason);
        if (topics[n] == NULL)
            code = cl_fail_at(err, CL_EINVAL, s->spec->path, "topic %s: %s", topic, reason);
        else
            n++;
    }
    if (code == CL_OK && n > 0) code = create_topics(s, topics, n, err);
    rd_kafka_NewTopic_destroy_array(topics, n);
    free(topics);
    return code;
}

static enum cl_code open_topics(struct kafka_sink *s, struct cl_error *err)
{
    /* All topics: asking for one by name would let the broker create it with its own number of
     * partitions. */
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t e = cl_kafka_metadata(s->rk, &s->notes, NULL, TIMEOUT_MS, &md);
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
        return cl_kafka_fail_unreachable(err, e, &s->notes, s->spec->kafka.bootstrap_servers);
    enum cl_code code = create_missing(s, md, err);
    rd_kafka_metadata_destroy(md);
    for (size_t i = 0; code == CL_OK && i < s->spec->n_feeds; i++) {
        s->topics[i] = rd_kafka_topic_new(s->rk, s->spec->feeds[i].topic, NULL);
        if (s->topics[i] == NULL)
            code = cl_kafka_fail(err, rd_kafka_last_error(), NULL, "topic %s",
                                 s->spec->feeds[i].topic);
    }
    return code;
}

enum cl_code cl_kafka_sink_new(const struct cl_spec *spec, struct cl_sink **ret,
                               struct cl_error *err)
{
    struct kafka_sink *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->base.ops = &OPS;
    s->spec = spec;
    cl_kafka_notes_init(&s->notes);
    s->topics = calloc(spec->n_feeds + 1, sizeof *s->topics);
    enum cl_code code = s->topics != NULL ? CL_OK : cl_fail_nomem(err);
    if (code == CL_OK)
        code = cl_kafka_client_new(spec, RD_KAFKA_PRODUCER, DEFAULTS, FIXED, &s->notes, on_delivery,
                                   &s->rk, err);
    if (code == CL_OK) code = open_topics(s, err);
    if (code == CL_OK)
        *ret = &s->base;
    else
        kafka_free(&s->base);
    return code;
}
