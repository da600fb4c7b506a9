/* Tests of the Kafka source and sink against librdkafka's mock cluster: three brokers in this
 * process, so that leaders differ, move and fail on command, and sanitizers see every thread.  A
 * real broker is used by tests/integration/test_source.py. */
#include "sink/sink.h"
#include "source/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cmocka.h>

enum { BROKERS = 3, PARTITIONS = 6, LANES = 2, MAX_EVENTS = 20000, FETCH_API = 1 };

static struct cl_feed FEEDS[] = {{.name = "gps", .topic = "gps_data"},
                                 {.name = "weather", .topic = "weather_data"}};

struct fixture {
    struct cl_spec spec;
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    struct cl_source *source;
    const struct cl_source_partition *parts;
    size_t n_parts;
    struct cl_position positions[2 * PARTITIONS]; /* each part is written by its lane only */
    int seen[2][MAX_EVENTS];                      /* by feed and the number in the value */
    pthread_mutex_t lock;                         /* guards seen */
};

struct lane {
    struct fixture *f;
    int number, n_retriable;
    size_t stop_after;
    pthread_t thread;
    struct cl_error fatal;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof reason);
    f->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (f->rk == NULL) return -1;
    f->cluster = rd_kafka_mock_cluster_new(f->rk, BROKERS);
    f->spec = (struct cl_spec){.path = "test.yaml", .feeds = FEEDS, .n_feeds = 2};
    f->spec.kafka =
        (struct cl_kafka_spec){.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(f->cluster),
                               .partitions = PARTITIONS,
                               .replication = 1};
    for (int i = 0; i < 2; i++)
        (void)rd_kafka_mock_topic_create(f->cluster, FEEDS[i].topic, PARTITIONS, 1);
    (void)pthread_mutex_init(&f->lock, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->source != NULL) f->source->ops->free(f->source);
    rd_kafka_mock_cluster_destroy(f->cluster);
    rd_kafka_destroy(f->rk);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

#define MUST(call, err)                                                                            \
    do {                                                                                           \
        if ((call) != CL_OK) fail_msg("%s: %s", (err).where, (err).message);                       \
    } while (0)

/* Events [from, to) of each feed; the value is the event's number. */
static void send_events(struct fixture *f, int from, int to)
{
    struct cl_sink *s = NULL;
    struct cl_error err = {0};
    MUST(cl_kafka_sink_new(&f->spec, &s, &err), err);
    for (int i = from; i < to; i++)
        for (int feed = 0; feed < 2; feed++) {
            char key[32], value[32];
            int key_len = snprintf(key, sizeof key, "key-%d", i),
                value_len = snprintf(value, sizeof value, "%d", i);
            MUST(s->ops->send(s, &FEEDS[feed], key, (size_t)key_len, value, (size_t)value_len, 0,
                              &err),
                 err);
        }
    MUST(s->ops->flush(s, 30000, &err), err);
    struct cl_sink_stats stats;
    s->ops->stats(s, &stats);
    assert_int_equal(stats.delivered, 2 * (to - from));
    assert_int_equal(stats.failed, 0);
    s->ops->free(s);
}

static void open_source(struct fixture *f, bool until_end)
{
    struct cl_source_options options = {.until_end = until_end};
    struct cl_error err = {0};
    if (f->source != NULL) f->source->ops->free(f->source);
    f->source = NULL;
    MUST(cl_kafka_source_new(&f->spec, &options, &f->source, &err), err);
    MUST(f->source->ops->partitions(f->source, &f->parts, &f->n_parts, &err), err);
    assert_int_equal(f->n_parts, 2 * PARTITIONS);
}

static void begin_everywhere(struct fixture *f)
{
    for (size_t i = 0; i < f->n_parts; i++)
        f->positions[i] = (struct cl_position){CL_POSITION_BEGIN, 0};
}

static enum cl_code start(struct fixture *f, struct cl_error *err)
{
    int lanes[2 * PARTITIONS];
    for (size_t i = 0; i < f->n_parts; i++)
        lanes[i] = (int)(i % LANES);
    return f->source->ops->start(f->source, f->positions, lanes, LANES, err);
}

static void take(struct lane *l, const struct cl_chunk *c)
{
    struct fixture *f = l->f;
    (void)pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < c->n; i++) {
        const struct cl_message *m = &c->messages[i];
        char value[32], key[40];
        (void)snprintf(value, sizeof value, "%.*s", (int)m->value_len, (const char *)m->value);
        (void)snprintf(key, sizeof key, "key-%s", value);
        int number = atoi(value);
        bool ok = number >= 0 && number < MAX_EVENTS && m->key_len == (int32_t)strlen(key) &&
                  memcmp(m->key, key, strlen(key)) == 0 && m->timestamp_us > 0;
        if (ok) f->seen[f->parts[m->part].feed - FEEDS][number]++;
        if (!ok) (void)cl_fail(&l->fatal, CL_EDATA, "not what was sent: %s", value);
    }
    (void)pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < c->n_advances; i++) {
        struct cl_position *p = &f->positions[c->advances[i].part];
        if (c->advances[i].position.next <= p->next)
            (void)cl_fail(&l->fatal, CL_EDATA, "a position went back");
        *p = c->advances[i].position;
    }
}

static void *run_lane(void *arg)
{
    struct lane *l = arg;
    struct cl_source *s = l->f->source;
    size_t n = 0;
    while (l->fatal.code == CL_OK && (l->stop_after == 0 || n < l->stop_after)) {
        struct cl_chunk c;
        struct cl_error err;
        if (s->ops->poll(s, l->number, 100, &c, &err) != CL_OK) {
            if (err.retriable)
                l->n_retriable++;
            else
                l->fatal = err;
            continue;
        }
        take(l, &c);
        n += c.n;
        bool ended = c.ended;
        s->ops->release(s, l->number);
        if (ended) break;
    }
    return NULL;
}

static void start_lanes(struct fixture *f, struct lane *lanes, size_t stop_after)
{
    for (int i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){.f = f, .number = i, .stop_after = stop_after};
        assert_int_equal(pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]), 0);
    }
}

static int join_lanes(struct lane *lanes)
{
    int retriable = 0;
    for (int i = 0; i < LANES; i++) {
        assert_int_equal(pthread_join(lanes[i].thread, NULL), 0);
        if (lanes[i].fatal.code != CL_OK)
            fail_msg("%s: %s", lanes[i].fatal.where, lanes[i].fatal.message);
        retriable += lanes[i].n_retriable;
    }
    return retriable;
}

static void drain(struct fixture *f, size_t stop_after)
{
    struct lane lanes[LANES];
    struct cl_error err = {0};
    MUST(start(f, &err), err);
    start_lanes(f, lanes, stop_after);
    (void)join_lanes(lanes);
    f->source->ops->stop(f->source);
}

static void assert_each_once(const struct fixture *f, int n)
{
    for (int feed = 0; feed < 2; feed++)
        for (int i = 0; i < MAX_EVENTS; i++)
            if (f->seen[feed][i] != (i < n))
                fail_msg("feed %d event %d: seen %d times", feed, i, f->seen[feed][i]);
}

static void test_everything_once(void **state)
{
    struct fixture *f = *state;
    send_events(f, 0, 5000);
    open_source(f, true);
    begin_everywhere(f);
    drain(f, 0);
    assert_each_once(f, 5000);
    int64_t sum = 0;
    for (size_t i = 0; i < f->n_parts; i++) {
        assert_int_equal(f->positions[i].next, f->parts[i].end);
        assert_int_equal(f->parts[i].low, 0);
        sum += f->positions[i].next;
    }
    assert_int_equal(sum, 2 * 5000);
}

/* Stopped in the middle again and again, in one process (the engine re-seeks so) and by new
 * sources. */
static void test_resume(void **state)
{
    struct fixture *f = *state;
    send_events(f, 0, 5000);
    open_source(f, true);
    begin_everywhere(f);
    for (int i = 0; i < 4; i++)
        drain(f, 300);
    for (int i = 0; i < 4; i++) {
        open_source(f, true);
        drain(f, 300);
    }
    open_source(f, true);
    drain(f, 0);
    assert_each_once(f, 5000);
    open_source(f, true);
    drain(f, 0); /* nothing is left, and it ends */
    assert_each_once(f, 5000);
}

static void test_leaders_move_and_fetches_fail(void **state)
{
    struct fixture *f = *state;
    struct lane lanes[LANES];
    struct cl_error err = {0};
    send_events(f, 0, 5000);
    open_source(f, false);
    begin_everywhere(f);
    rd_kafka_mock_push_request_errors(
        f->cluster, FETCH_API, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR);
    MUST(start(f, &err), err);
    start_lanes(f, lanes, 5000 * 2 / LANES / 2);
    for (int i = 0; i < PARTITIONS; i++)
        (void)rd_kafka_mock_partition_set_leader(f->cluster, "gps_data", i, 1 + (i + 1) % BROKERS);
    (void)join_lanes(lanes);
    f->source->ops->stop(f->source);
    send_events(f, 5000, 6000);
    open_source(f, true);
    drain(f, 0);
    assert_each_once(f, 6000);
}

static void test_brokers_down_and_up_again(void **state)
{
    struct fixture *f = *state;
    struct lane lanes[LANES];
    struct cl_error err = {0};
    send_events(f, 0, 1000);
    open_source(f, true);
    begin_everywhere(f);
    MUST(start(f, &err), err);
    for (int i = 1; i <= BROKERS; i++)
        (void)rd_kafka_mock_broker_set_down(f->cluster, i);
    start_lanes(f, lanes, 0);
    struct timespec pause = {.tv_sec = 1};
    (void)nanosleep(&pause, NULL);
    for (int i = 1; i <= BROKERS; i++)
        (void)rd_kafka_mock_broker_set_up(f->cluster, i);
    int retriable = join_lanes(lanes);
    assert_true(retriable <= 1); /* told once, not by every lane and poll */
    f->source->ops->stop(f->source);
    assert_each_once(f, 1000);
}

static void test_positions_outside_the_log(void **state)
{
    struct fixture *f = *state;
    struct cl_error err = {0};
    send_events(f, 0, 100);
    open_source(f, true);
    begin_everywhere(f);
    f->positions[PARTITIONS + 1].next = 1000;
    assert_int_equal(start(f, &err), CL_EINVAL);
    assert_true(err.fatal);
    assert_non_null(
        strstr(err.message, "topic weather_data partition 1: offset 1000 is beyond the end"));
    begin_everywhere(f);
    drain(f, 0); /* a failed start leaves nothing behind */
    assert_each_once(f, 100);
}

static void test_identity_and_watermarks(void **state)
{
    struct fixture *f = *state;
    const char *first, *second, *other;
    int64_t low = -1, end = -1;
    send_events(f, 0, 100);
    open_source(f, true);
    assert_int_equal(f->source->ops->identity(f->source, 0, &first, NULL), CL_OK);
    assert_int_equal(f->source->ops->identity(f->source, PARTITIONS - 1, &second, NULL), CL_OK);
    assert_int_equal(f->source->ops->identity(f->source, PARTITIONS, &other, NULL), CL_OK);
    assert_string_equal(first, second);
    assert_non_null(strstr(first, "{\"cluster\":\""));
    assert_non_null(strstr(first, "\",\"kind\":\"kafka\",\"topic\":\"gps_data\"}"));
    assert_non_null(strstr(other, "\"topic\":\"weather_data\"}"));
    assert_int_equal(f->source->ops->watermarks(f->source, 0, &low, &end, NULL), CL_OK);
    assert_int_equal(low, 0);
    assert_int_equal(end, f->parts[0].end);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_everything_once),
        TEST(test_resume),
        TEST(test_leaders_move_and_fetches_fail),
        TEST(test_brokers_down_and_up_again),
        TEST(test_positions_outside_the_log),
        TEST(test_identity_and_watermarks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
