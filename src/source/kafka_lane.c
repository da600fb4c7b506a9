/* kafka_lane.c - a lane's queue of fetched messages -> chunks.
 *
 * All the partitions of a lane feed one librdkafka queue; a poll takes a batch from it.  The
 * messages of a chunk point into librdkafka's receive buffers and are destroyed by release: nothing
 * is copied.
 *
 * Positions.  A message moves its partition to offset + 1; an end-of-partition event moves it to
 * the end, past transaction markers, aborted messages and what compaction removed.  Positions never
 * go back, and a message before its partition's position is dropped: nothing is handed over twice
 * even if the client fetched it twice.
 *
 * With until_end a partition ends when its position reaches stop_at.  What lies behind is not
 * handed over, and the position is set to stop_at exactly, so that the next run begins there. */
#include "source/kafka_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum cl_code cl_kafka_lane_init(struct cl_kafka_source *s, struct cl_kafka_lane *l,
                                struct cl_error *err)
{
    *l = (struct cl_kafka_lane){0};
    l->raw = malloc(CL_KAFKA_CHUNK_MESSAGES * sizeof *l->raw);
    l->messages = malloc(CL_KAFKA_CHUNK_MESSAGES * sizeof *l->messages);
    l->advances = malloc((size_t)s->n_parts * sizeof *l->advances);
    l->queue = rd_kafka_queue_new(s->rk);
    if (l->raw != NULL && l->messages != NULL && l->advances != NULL && l->queue != NULL)
        return CL_OK;
    cl_kafka_lane_fini(l);
    return cl_fail_nomem(err);
}

void cl_kafka_lane_fini(struct cl_kafka_lane *l)
{
    cl_kafka_lane_release(l);
    if (l->queue != NULL) rd_kafka_queue_destroy(l->queue);
    free(l->raw);
    free(l->messages);
    free(l->advances);
    *l = (struct cl_kafka_lane){0};
}

void cl_kafka_lane_release(struct cl_kafka_lane *l)
{
    for (size_t i = 0; i < l->n; i++)
        rd_kafka_message_destroy(l->raw[i]);
    l->n = 0;
    l->n_advances = 0;
}

static void pend(struct cl_kafka_lane *l, const struct cl_error *e)
{
    if (l->has_pending && l->pending.fatal) return;
    l->has_pending = true;
    l->pending = *e;
}

/* May a retriable error be told now?  The caller logs them. */
static bool may_report(struct cl_kafka_source *s)
{
    int64_t now = cl_clock_monotonic_us(), last = atomic_load(&s->reported_us);
    if (last != 0 && now - last < CL_KAFKA_REPORT_EVERY_US) return false;
    return atomic_compare_exchange_strong(&s->reported_us, &last, now);
}

static struct cl_kafka_part *part_of(struct cl_kafka_source *s, const rd_kafka_message_t *m)
{
    const struct cl_kafka_topic *t = m->rkt != NULL ? rd_kafka_topic_opaque(m->rkt) : NULL;
    if (t == NULL || m->partition < 0 || m->partition >= t->n_parts) return NULL;
    return &s->parts[t->first_part + m->partition];
}

static void move_to(struct cl_kafka_source *s, struct cl_kafka_lane *l, struct cl_kafka_part *p,
                    int64_t next)
{
    if (next <= p->next) return;
    p->next = next;
    if (p->chunk != l->chunk) {
        p->chunk = l->chunk;
        p->advance = l->n_advances++;
        l->advances[p->advance].part = (int32_t)(p - s->parts);
    }
    l->advances[p->advance].position = (struct cl_position){next, 0};
}

/* At its end: nothing more is fetched.  The stop waits for librdkafka's main thread, once for each
 * partition. */
static void finish(struct cl_kafka_lane *l, struct cl_kafka_part *p)
{
    if (!p->fetching) return;
    p->fetching = false;
    l->n_fetching--;
    (void)rd_kafka_consume_stop(p->topic->rkt, p->partition);
}

static void take_message(struct cl_kafka_source *s, struct cl_kafka_lane *l,
                         struct cl_kafka_part *p, rd_kafka_message_t *m)
{
    if (p == NULL || !p->fetching || m->offset < p->next) {
        rd_kafka_message_destroy(m);
        return;
    }
    if (m->offset >= p->stop_at) {
        move_to(s, l, p, p->stop_at);
        finish(l, p);
        rd_kafka_message_destroy(m);
        return;
    }
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(m, &type);
    l->messages[l->n] = (struct cl_message){
        .part = (int32_t)(p - s->parts),
        .key_len = m->key != NULL ? (int32_t)m->key_len : -1,
        .value_len = m->payload != NULL ? (int32_t)m->len : -1,
        .key = m->key,
        .value = m->payload,
        .offset = m->offset,
        .timestamp_us = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp_ms < 0
                            ? INT64_MIN
                            : timestamp_ms * 1000,
    };
    l->raw[l->n++] = m;
    l->taken_bytes += (int64_t)(m->len + m->key_len);
    l->taken_messages++;
    move_to(s, l, p, m->offset + 1);
    if (p->next >= p->stop_at) finish(l, p);
}

static void pend_out_of_range(struct cl_kafka_source *s, struct cl_kafka_lane *l,
                              const struct cl_kafka_part *p)
{
    struct cl_error e;
    int64_t low = -1, end = -1;
    (void)rd_kafka_query_watermark_offsets(s->rk, p->topic->feed->topic, p->partition, &low, &end,
                                           CL_KAFKA_TIMEOUT_MS);
    (void)cl_kafka_fail_out_of_range(&e, p->topic->feed->topic, p->partition, p->next, low, end);
    pend(l, &e);
}

static void take_error(struct cl_kafka_source *s, struct cl_kafka_lane *l, struct cl_kafka_part *p,
                       const rd_kafka_message_t *m)
{
    struct cl_error e;
    char where[256] = "";
    if (p != NULL)
        (void)snprintf(where, sizeof where, "%s/%" PRId32 "/%" PRId64, p->topic->feed->topic,
                       p->partition, p->next);
    const char *reason = m->payload != NULL ? rd_kafka_message_errstr(m) : rd_kafka_err2str(m->err);
    switch (m->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        if (p != NULL && p->fetching) pend_out_of_range(s, l, p);
        return;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED: /* a codec that this librdkafka was built without */
        (void)cl_fail_at(
            &e, CL_EDATA, where,
            "the broker sent a batch that cannot be read: %s; nothing behind it was read", reason);
        e.fatal = true;
        break;
    default:
        if (!cl_kafka_needs_a_person(m->err) && !may_report(s)) return;
        (void)cl_kafka_fail(&e, m->err, &s->notes, "cannot read from Kafka: %s", reason);
        (void)snprintf(e.where, sizeof e.where, "%s", where);
    }
    e.origin = CL_ORIGIN_KAFKA;
    e.origin_code = m->err;
    pend(l, &e);
}

/* Nothing came: perhaps because no broker is there.  The client reconnects by itself. */
static void look_for_trouble(struct cl_kafka_source *s, struct cl_kafka_lane *l)
{
    struct cl_error e;
    char text[512];
    (void)rd_kafka_poll(s->rk, 0); /* serves the error callback */
    rd_kafka_resp_err_t event = cl_kafka_notes_take_event(&s->notes, text);
    if (cl_kafka_needs_a_person(event)) {
        (void)cl_kafka_fail_unreachable(&e, event, &s->notes, s->spec->kafka.bootstrap_servers);
        pend(l, &e);
    } else if (event == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && may_report(s)) {
        (void)cl_kafka_fail(&e, event, &s->notes, "lost Kafka at %s, trying again",
                            s->spec->kafka.bootstrap_servers);
        pend(l, &e);
    }
}

static enum cl_code tell_pending(struct cl_kafka_lane *l, struct cl_error *err)
{
    if (err != NULL) *err = l->pending;
    if (!l->pending.fatal) l->has_pending = false;
    return l->pending.code;
}

/* A batch: waits for the first message, then takes what is there.  One call for both would wait for
 * the batch to fill. */
static size_t take_batch(struct cl_kafka_lane *l, int timeout_ms)
{
    ssize_t first = rd_kafka_consume_batch_queue(l->queue, timeout_ms, l->raw, 1);
    if (first <= 0) return 0;
    ssize_t more =
        rd_kafka_consume_batch_queue(l->queue, 0, l->raw + 1, CL_KAFKA_CHUNK_MESSAGES - 1);
    return 1 + (more > 0 ? (size_t)more : 0);
}

enum cl_code cl_kafka_lane_poll(struct cl_kafka_source *s, struct cl_kafka_lane *l, int timeout_ms,
                                struct cl_chunk *ret, struct cl_error *err)
{
    if (l->has_pending) return tell_pending(l, err);
    bool may_end = s->until_end && l->n_fetching == 0;
    size_t n = may_end ? 0 : take_batch(l, timeout_ms);
    l->chunk++;
    const rd_kafka_topic_t *rkt = NULL;
    int32_t partition = -1;
    struct cl_kafka_part *p = NULL;
    for (size_t i = 0; i < n; i++) {
        rd_kafka_message_t *m =
            l->raw[i]; /* l->n <= i: kept messages move down in the same array */
        if (m->rkt != rkt || m->partition != partition) p = part_of(s, m); /* they come in runs */
        rkt = m->rkt;
        partition = m->partition;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            take_message(s, l, p, m);
            continue;
        }
        if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            take_error(s, l, p, m);
        } else if (p != NULL && p->fetching) {
            move_to(s, l, p, m->offset);
            if (p->next >= p->stop_at) finish(l, p);
        }
        rd_kafka_message_destroy(m);
    }
    if (l->taken_bytes >= s->wake_bytes || l->taken_messages >= s->wake_messages) {
        l->taken_bytes = l->taken_messages = 0;
        cl_kafka_waker_poke(&s->waker);
    }
    if (n == 0 && !may_end) look_for_trouble(s, l);
    if (l->has_pending && l->n == 0 && l->n_advances == 0) return tell_pending(l, err);
    *ret = (struct cl_chunk){.messages = l->messages,
                             .n = l->n,
                             .advances = l->advances,
                             .n_advances = l->n_advances,
                             .ended = s->until_end && l->n_fetching == 0 && !l->has_pending};
    return CL_OK;
}
