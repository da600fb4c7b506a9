/* kafka_source.c - events from Kafka topics; see kafka_internal.h for the files of this source.
 *
 * One librdkafka client.  Partitions are read by explicit position (no consumer group, no committed
 * offsets: the lake's tables know the positions), with rd_kafka_consume_start_queue: librdkafka
 * puts the messages of a partition straight into the queue of its lane.
 *
 * Memory.  Each lane's queue holds up to QUEUE_KIB of payload, overshot by one fetch response of
 * FETCH_BYTES (or of one record batch, if that is larger) per broker; librdkafka adds about 0.4 KiB
 * a message.  With two lanes and 300-byte messages: under 70 MB. kafka.properties can set all of
 * it.
 *
 * What this cannot see: a topic that was deleted and created anew under the same name.  Topic ids
 * are not exposed by librdkafka 2.0, so the identity is cluster id and name; a recreated topic
 * shows when its log is shorter than the position.  Partitions that are added later are read after
 * a restart. */
#include "source/kafka_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_KIB "8192"
#define FETCH_BYTES "8388608"

/* May be overridden by kafka.properties. */
static const struct cl_kafka_property DEFAULTS[] = {
    {"isolation.level", "read_committed"},
    {"queued.max.messages.kbytes", QUEUE_KIB},
    {"queued.min.messages", "100000"},
    {"fetch.max.bytes", FETCH_BYTES},
    {"max.partition.fetch.bytes", "1048576"},
    {"receive.message.max.bytes", "268435456"}, /* as large as a broker may send; only a cap */
    {"fetch.min.bytes", "65536"},               /* few large responses cost less than many small */
    {"fetch.wait.max.ms", "100"},               /* what that may add to latency */
    {"fetch.error.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.refresh.interval.ms", "60000"},
    {"log.connection.close", "false"},
    {NULL, NULL},
};

/* Without these positions could jump or ends be missed. */
static const struct cl_kafka_property FIXED[] = {
    {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},        {"enable.partition.eof", "true"},
    {"allow.auto.create.topics", "false"}, {NULL, NULL},
};

static struct cl_kafka_source *self_of(struct cl_source *s)
{
    return (struct cl_kafka_source *)s;
}

enum cl_code cl_kafka_fail_out_of_range(struct cl_error *err, const char *topic, int32_t partition,
                                        int64_t offset, int64_t low, int64_t end)
{
    enum cl_code code;
    if (offset < low)
        code = cl_fail(
            err, CL_EINVAL,
            "topic %s partition %" PRId32 ": offset %" PRId64
            " was already deleted by retention (the log starts at %" PRId64 "): %" PRId64
            " messages were lost; keep messages longer (retention.ms), and read into another lake"
            " to begin at the log's start",
            topic, partition, offset, low, low - offset);
    else
        code =
            cl_fail(err, CL_EINVAL,
                    "topic %s partition %" PRId32 ": offset %" PRId64
                    " is beyond the end of the log (%" PRId64
                    "): the topic was recreated or this is another cluster; read into another lake",
                    topic, partition, offset, end);
    if (err != NULL) err->fatal = true;
    return code;
}

/* ---- topics and partitions ---- */

static enum cl_code add_topic(struct cl_kafka_source *s, const struct cl_feed *feed,
                              struct cl_error *err)
{
    struct cl_kafka_topic *t = &s->topics[s->n_topics];
    *t = (struct cl_kafka_topic){.feed = feed};
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(s->rk);
    rd_kafka_topic_conf_set_opaque(conf, t);
    t->rkt = rd_kafka_topic_new(s->rk, feed->topic, conf);
    if (t->rkt == NULL)
        return cl_kafka_fail(err, rd_kafka_last_error(), NULL, "feed %s: topic %s", feed->name,
                             feed->topic);
    s->n_topics++;
    return CL_OK;
}

static enum cl_code fail_missing(const struct cl_kafka_source *s, const struct cl_feed *feed,
                                 struct cl_error *err)
{
    return cl_fail(err, CL_ENOTFOUND,
                   "topic %s of feed %s does not exist at %s; create it, or run `citylake "
                   "simulate`, or correct feeds.%s.topic",
                   feed->topic, feed->name, s->spec->kafka.bootstrap_servers, feed->name);
}

/* May a later answer be another one? */
static bool is_passing(rd_kafka_resp_err_t e)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return true;
    default: return false;
    }
}

static int left_ms(int64_t deadline_us)
{
    int64_t left = (deadline_us - cl_clock_monotonic_us()) / 1000;
    return left > 0 ? (int)left : 0;
}

/* One topic at a time: when asked for all it knows, librdkafka 2.0 lets the broker create those
 * that are missing. */
static enum cl_code ask_topic(struct cl_kafka_source *s, struct cl_kafka_topic *t,
                              int64_t deadline_us, const struct rd_kafka_metadata **ret,
                              struct cl_error *err)
{
    for (;;) {
        const struct rd_kafka_metadata *md = NULL;
        rd_kafka_resp_err_t e =
            cl_kafka_metadata(s->rk, &s->notes, t->rkt, left_ms(deadline_us), &md);
        if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
            return cl_kafka_fail_unreachable(err, e, &s->notes, s->spec->kafka.bootstrap_servers);
        e = md->topic_cnt == 1 ? md->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR && md->topics[0].partition_cnt > 0) {
            *ret = md;
            return CL_OK;
        }
        rd_kafka_metadata_destroy(md);
        if (e == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return fail_missing(s, t->feed, err);
        if ((e != RD_KAFKA_RESP_ERR_NO_ERROR && !is_passing(e)) || left_ms(deadline_us) == 0)
            return cl_kafka_fail(err, e, &s->notes, "topic %s of feed %s", t->feed->topic,
                                 t->feed->name);
        cl_clock_sleep_us(100000);
    }
}

static enum cl_code add_parts(struct cl_kafka_source *s, struct cl_kafka_topic *t,
                              const struct rd_kafka_metadata_topic *md, struct cl_error *err)
{
    int n = md->partition_cnt;
    struct cl_kafka_part *parts = realloc(s->parts, (size_t)(s->n_parts + n) * sizeof *parts);
    if (parts == NULL) return cl_fail_nomem(err);
    s->parts = parts;
    t->first_part = s->n_parts;
    t->n_parts = n;
    for (int i = 0; i < n; i++)
        parts[s->n_parts + i] =
            (struct cl_kafka_part){.topic = t, .partition = i, .leader = -1, .lane = -1};
    for (int i = 0; i < n; i++)
        if (md->partitions[i].id >= 0 && md->partitions[i].id < n)
            parts[s->n_parts + md->partitions[i].id].leader = md->partitions[i].leader;
    s->n_parts += n;
    return CL_OK;
}

/* Offsets of every partition at once: `which` is RD_KAFKA_OFFSET_BEGINNING or _END (in ListOffsets
 * times and these are one field). */
static enum cl_code list_offsets(struct cl_kafka_source *s, int64_t which, int64_t *ret,
                                 struct cl_error *err)
{
    int64_t deadline_us = cl_clock_monotonic_us() + CL_KAFKA_TIMEOUT_MS * 1000;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(s->n_parts);
    for (int i = 0; i < s->n_parts; i++)
        (void)rd_kafka_topic_partition_list_add(list, s->parts[i].topic->feed->topic,
                                                s->parts[i].partition);
    rd_kafka_resp_err_t e;
    for (;;) {
        for (int i = 0; i < s->n_parts; i++)
            list->elems[i].offset = which;
        int timeout_ms = left_ms(deadline_us);
        e = rd_kafka_offsets_for_times(s->rk, list, timeout_ms > 0 ? timeout_ms : 1);
        for (int i = 0; e == RD_KAFKA_RESP_ERR_NO_ERROR && i < s->n_parts; i++)
            e = list->elems[i].err;
        if (!is_passing(e) || left_ms(deadline_us) == 0) break;
        cl_clock_sleep_us(100000);
    }
    for (int i = 0; e == RD_KAFKA_RESP_ERR_NO_ERROR && i < s->n_parts; i++)
        ret[i] = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR) return CL_OK;
    return cl_kafka_fail(err, e, &s->notes, "cannot ask Kafka at %s for the offsets",
                         s->spec->kafka.bootstrap_servers);
}

static enum cl_code list_both(struct cl_kafka_source *s, int64_t **ret_low, int64_t **ret_end,
                              struct cl_error *err)
{
    int64_t *low = calloc((size_t)s->n_parts, sizeof *low),
            *end = calloc((size_t)s->n_parts, sizeof *end);
    enum cl_code code = low != NULL && end != NULL ? CL_OK : cl_fail_nomem(err);
    if (code == CL_OK) code = list_offsets(s, RD_KAFKA_OFFSET_BEGINNING, low, err);
    if (code == CL_OK) code = list_offsets(s, RD_KAFKA_OFFSET_END, end, err);
    if (code != CL_OK) {
        free(low);
        free(end);
        return code;
    }
    *ret_low = low;
    *ret_end = end;
    return CL_OK;
}

static enum cl_code publish_parts(struct cl_kafka_source *s, struct cl_error *err)
{
    int64_t *low = NULL, *end = NULL;
    struct cl_source_partition *parts = calloc((size_t)s->n_parts, sizeof *parts);
    if (parts == NULL) return cl_fail_nomem(err);
    enum cl_code code = list_both(s, &low, &end, err);
    if (code != CL_OK) {
        free(parts);
        return code;
    }
    for (int i = 0; i < s->n_parts; i++) {
        const struct cl_feed *feed = s->parts[i].topic->feed;
        parts[i] = (struct cl_source_partition){feed, feed->topic, s->parts[i].partition,
                                                i,    low[i],      end[i]};
        s->parts[i].stop_at = s->until_end ? end[i] : INT64_MAX;
    }
    free(low);
    free(end);
    s->public_parts = parts;
    return CL_OK;
}

static enum cl_code name_topics(struct cl_kafka_source *s, struct cl_error *err)
{
    s->cluster = rd_kafka_clusterid(s->rk, CL_KAFKA_TIMEOUT_MS);
    if (s->cluster == NULL)
        return cl_fail(err, CL_EIO,
                       "Kafka at %s does not tell its cluster id; brokers since 0.10.1 do",
                       s->spec->kafka.bootstrap_servers);
    s->identities = calloc((size_t)s->n_topics, sizeof *s->identities);
    if (s->identities == NULL) return cl_fail_nomem(err);
    for (int i = 0; i < s->n_topics; i++) {
        /* Neither name can hold a quote: cluster ids are base64, topics [a-zA-Z0-9._-]. */
        if (asprintf(&s->identities[i], "{\"cluster\":\"%s\",\"kind\":\"kafka\",\"topic\":\"%s\"}",
                     s->cluster, s->topics[i].feed->topic) >= 0)
            continue;
        s->identities[i] = NULL;
        return cl_fail_nomem(err);
    }
    return CL_OK;
}

static void forget_names(struct cl_kafka_source *s)
{
    for (int i = 0; s->identities != NULL && i < s->n_topics; i++)
        free(s->identities[i]);
    free(s->identities);
    s->identities = NULL;
    if (s->cluster != NULL) rd_kafka_mem_free(s->rk, s->cluster);
    s->cluster = NULL;
}

static enum cl_code kafka_partitions(struct cl_source *base, const struct cl_source_partition **ret,
                                     size_t *ret_n, struct cl_error *err)
{
    struct cl_kafka_source *s = self_of(base);
    enum cl_code code = CL_OK;
    int64_t deadline_us = cl_clock_monotonic_us() + CL_KAFKA_TIMEOUT_MS * 1000;
    if (s->public_parts == NULL) {
        s->n_parts = 0; /* an earlier try may have come half-way */
        forget_names(s);
        for (int i = 0; code == CL_OK && i < s->n_topics; i++) {
            const struct rd_kafka_metadata *md = NULL;
            code = ask_topic(s, &s->topics[i], deadline_us, &md, err);
            if (code != CL_OK) break;
            code = add_parts(s, &s->topics[i], &md->topics[0], err);
            rd_kafka_metadata_destroy(md);
        }
        if (code == CL_OK) code = name_topics(s, err);
        if (code == CL_OK) code = publish_parts(s, err);
        if (code != CL_OK) return code;
    }
    *ret = s->public_parts;
    *ret_n = (size_t)s->n_parts;
    return CL_OK;
}

static enum cl_code kafka_identity(struct cl_source *base, int32_t part, const char **ret,
                                   struct cl_error *err)
{
    (void)err;
    struct cl_kafka_source *s = self_of(base);
    *ret = s->identities[s->parts[part].topic - s->topics];
    return CL_OK;
}

static enum cl_code kafka_watermarks(struct cl_source *base, int32_t part, int64_t *ret_low,
                                     int64_t *ret_end, struct cl_error *err)
{
    struct cl_kafka_source *s = self_of(base);
    const struct cl_kafka_part *p = &s->parts[part];
    rd_kafka_resp_err_t e = rd_kafka_query_watermark_offsets(
        s->rk, p->topic->feed->topic, p->partition, ret_low, ret_end, CL_KAFKA_TIMEOUT_MS / 2);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR) return CL_OK;
    return cl_kafka_fail(err, e, &s->notes,
                         "cannot ask Kafka at %s for the offsets of topic %s partition %" PRId32,
                         s->spec->kafka.bootstrap_servers, p->topic->feed->topic, p->partition);
}

/* What the fetch responses said, which costs nothing to look at. */
static int64_t kafka_known_end(struct cl_source *base, int32_t part)
{
    struct cl_kafka_source *s = self_of(base);
    const struct cl_kafka_part *p = &s->parts[part];
    int64_t low, end;
    if (rd_kafka_get_watermark_offsets(s->rk, p->topic->feed->topic, p->partition, &low, &end) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return end >= 0 ? end : -1;
}

static int64_t kafka_queued(struct cl_source *base)
{
    struct cl_kafka_source *s = self_of(base);
    int64_t n = 0;
    for (int i = 0; i < s->n_lanes; i++)
        n += (int64_t)rd_kafka_queue_length(s->lanes[i].queue);
    return n;
}

/* ---- start and stop ---- */

static void kafka_stop(struct cl_source *base)
{
    struct cl_kafka_source *s = self_of(base);
    cl_kafka_waker_stop(&s->waker);
    for (int i = 0; i < s->n_parts; i++) {
        struct cl_kafka_part *p = &s->parts[i];
        if (p->fetching) (void)rd_kafka_consume_stop(p->topic->rkt, p->partition);
        p->fetching = false;
        p->lane = -1;
    }
    for (int i = 0; i < s->n_lanes; i++)
        cl_kafka_lane_fini(&s->lanes[i]);
    free(s->lanes);
    s->lanes = NULL;
    s->n_lanes = 0;
}

static enum cl_code set_positions(struct cl_kafka_source *s, const struct cl_position *positions,
                                  const int *lanes, struct cl_error *err)
{
    int64_t *low = NULL, *end = NULL;
    enum cl_code code = list_both(s, &low, &end, err);
    for (int i = 0; code == CL_OK && i < s->n_parts; i++) {
        struct cl_kafka_part *p = &s->parts[i];
        p->lane = lanes[i];
        p->chunk = 0;
        p->next = positions[i].next == CL_POSITION_BEGIN ? low[i] : positions[i].next;
        if (p->lane >= 0 && (p->next < low[i] || p->next > end[i]))
            code = cl_kafka_fail_out_of_range(err, p->topic->feed->topic, p->partition, p->next,
                                              low[i], end[i]);
    }
    free(low);
    free(end);
    return code;
}

static enum cl_code start_parts(struct cl_kafka_source *s, struct cl_error *err)
{
    for (int i = 0; i < s->n_parts; i++) {
        struct cl_kafka_part *p = &s->parts[i];
        if (p->lane < 0 || p->next >= p->stop_at) continue;
        struct cl_kafka_lane *l = &s->lanes[p->lane];
        if (rd_kafka_consume_start_queue(p->topic->rkt, p->partition, p->next, l->queue) != 0)
            return cl_kafka_fail(err, rd_kafka_last_error(), &s->notes,
                                 "cannot read topic %s partition %" PRId32, p->topic->feed->topic,
                                 p->partition);
        p->fetching = true;
        l->n_fetching++;
    }
    return CL_OK;
}

/* One partition of each leader, for the waker. */
static rd_kafka_topic_partition_list_t *pick_leaders(const struct cl_kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    for (int i = 0; i < s->n_parts; i++) {
        bool seen = !s->parts[i].fetching;
        for (int j = 0; j < i && !seen; j++)
            seen = s->parts[j].fetching && s->parts[j].leader == s->parts[i].leader;
        if (!seen)
            (void)rd_kafka_topic_partition_list_add(list, s->parts[i].topic->feed->topic,
                                                    s->parts[i].partition);
    }
    return list;
}

static enum cl_code kafka_start(struct cl_source *base, const struct cl_position *positions,
                                const int *lanes, int n_lanes, struct cl_error *err)
{
    struct cl_kafka_source *s = self_of(base);
    kafka_stop(base);
    enum cl_code code = set_positions(s, positions, lanes, err);
    if (code != CL_OK) return code;
    /* calloc does not know of alignas */
    s->lanes = aligned_alloc(alignof(struct cl_kafka_lane), (size_t)n_lanes * sizeof *s->lanes);
    if (s->lanes == NULL) return cl_fail_nomem(err);
    while (code == CL_OK && s->n_lanes < n_lanes) {
        code = cl_kafka_lane_init(s, &s->lanes[s->n_lanes], err);
        if (code == CL_OK) s->n_lanes++;
    }
    if (code == CL_OK) code = start_parts(s, err);
    if (code == CL_OK) code = cl_kafka_waker_start(&s->waker, s->rk, pick_leaders(s), err);
    if (code != CL_OK) kafka_stop(base);
    return code;
}

static enum cl_code kafka_poll(struct cl_source *base, int lane, int timeout_ms,
                               struct cl_chunk *ret, struct cl_error *err)
{
    struct cl_kafka_source *s = self_of(base);
    return cl_kafka_lane_poll(s, &s->lanes[lane], timeout_ms, ret, err);
}

static void kafka_release(struct cl_source *base, int lane)
{
    cl_kafka_lane_release(&self_of(base)->lanes[lane]);
}

static void kafka_free(struct cl_source *base)
{
    struct cl_kafka_source *s = self_of(base);
    if (s->rk != NULL) {
        kafka_stop(base);
        forget_names(s);
        for (int i = 0; i < s->n_topics; i++)
            rd_kafka_topic_destroy(s->topics[i].rkt);
        rd_kafka_destroy(s->rk); /* joins its threads: no callback comes after it */
    }
    cl_kafka_notes_fini(&s->notes);
    free(s->public_parts);
    free(s->parts);
    free(s->topics);
    free(s);
}

static const struct cl_source_ops OPS = {
    .name = "kafka",
    .partitions = kafka_partitions,
    .identity = kafka_identity,
    .start = kafka_start,
    .poll = kafka_poll,
    .release = kafka_release,
    .stop = kafka_stop,
    .free = kafka_free,
    .watermarks = kafka_watermarks,
    .known_end = kafka_known_end,
    .queued = kafka_queued,
};

static int64_t int_property(rd_kafka_t *rk, const char *name)
{
    char value[64];
    size_t size = sizeof value;
    if (rd_kafka_conf_get(rd_kafka_conf(rk), name, value, &size) != RD_KAFKA_CONF_OK) return 0;
    return strtoll(value, NULL, 10);
}

enum cl_code cl_kafka_source_new(const struct cl_spec *spec,
                                 const struct cl_source_options *options, struct cl_source **ret,
                                 struct cl_error *err)
{
    struct cl_kafka_source *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->base.ops = &OPS;
    s->spec = spec;
    s->until_end = options->until_end;
    cl_kafka_notes_init(&s->notes);
    s->topics = calloc(spec->n_feeds + 1, sizeof *s->topics);
    enum cl_code code = s->topics != NULL ? CL_OK : cl_fail_nomem(err);
    if (code == CL_OK)
        code = cl_kafka_client_new(spec, RD_KAFKA_CONSUMER, DEFAULTS, FIXED, &s->notes, NULL,
                                   &s->rk, err);
    for (size_t i = 0; code == CL_OK && i < spec->n_feeds; i++)
        if (options->only == NULL || options->only == &spec->feeds[i])
            code = add_topic(s, &spec->feeds[i], err);
    if (code != CL_OK) {
        kafka_free(&s->base);
        return code;
    }
    s->wake_bytes = int_property(s->rk, "queued.max.messages.kbytes") * 1024 / 4;
    s->wake_messages = int_property(s->rk, "queued.min.messages") / 4;
    *ret = &s->base;
    return CL_OK;
}
