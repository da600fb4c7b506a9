/* The city as a source: every event once whatever the lanes and restarts, ends, pace, identity. */
#include "fixture.h"

#include "source/source.h"

#include <pthread.h>

static const char yaml[] = "city: {vehicles: 120, seed: 9}\n"
                           "kafka: {partitions: 3}\n";

static struct cl_spec *a_spec(void)
{
    struct cl_spec *spec = NULL;
    struct cl_error err;
    must(cl_spec_parse("test.yaml", yaml, strlen(yaml), &spec, &err), &err);
    return spec;
}

static struct cl_source *a_source(const struct cl_spec *spec,
                                  const struct cl_source_options *options)
{
    struct cl_source *source = NULL;
    struct cl_error err;
    must(cl_city_source_new(spec, options, &source, &err), &err);
    return source;
}

enum { PARTS = 15, MOST = 60000 };

struct reading {
    struct cl_source *source;
    const struct cl_source_partition *partitions;
    size_t n;
    struct cl_position positions[PARTS];
    int64_t last[PARTS]; /* offset read last */
    int64_t count[PARTS];
    uint64_t sum; /* of all messages, whatever their order */
    int64_t events;
};

static void open_reading(struct reading *r, struct cl_source *source)
{
    struct cl_error err;
    memset(r, 0, sizeof *r);
    r->source = source;
    must(source->ops->partitions(source, &r->partitions, &r->n, &err), &err);
    assert_int_equal(r->n, PARTS);
    for (int k = 0; k < PARTS; k++) {
        r->positions[k].next = CL_POSITION_BEGIN;
        r->last[k] = -1;
    }
}

static uint64_t fingerprint(const struct cl_message *m)
{
    uint64_t h = 1469598103934665603u ^ (uint64_t)m->part ^ (uint64_t)m->offset << 8;
    for (int32_t k = 0; k < m->value_len; k++)
        h = (h ^ m->value[k]) * 1099511628211u;
    for (int32_t k = 0; k < m->key_len; k++)
        h = (h ^ m->key[k]) * 1099511628211u;
    return h;
}

static void take_chunk(struct reading *r, const struct cl_chunk *chunk)
{
    for (size_t k = 0; k < chunk->n; k++) {
        const struct cl_message *m = &chunk->messages[k];
        assert_true(m->part >= 0 && m->part < PARTS && m->offset > r->last[m->part]);
        assert_true(m->offset >= r->positions[m->part].next);
        r->last[m->part] = m->offset;
        r->count[m->part]++;
        r->sum += fingerprint(m);
        r->events++;
    }
    for (size_t k = 0; k < chunk->n_advances; k++) {
        const struct cl_advance *a = &chunk->advances[k];
        for (size_t j = 0; j < k; j++)
            assert_int_not_equal(a->part, chunk->advances[j].part);
        assert_true(a->position.next > r->last[a->part]);
        r->positions[a->part] = a->position;
    }
}

/* Reads until every lane has ended, or until about `most` events. */
static bool read_some(struct reading *r, int n_lanes, int64_t most)
{
    struct cl_error err;
    int lanes[PARTS], ended = 0;
    bool done[8] = {false};
    for (int k = 0; k < PARTS; k++)
        lanes[k] = k % n_lanes;
    must(r->source->ops->start(r->source, r->positions, lanes, n_lanes, &err), &err);
    int64_t until = r->events + most;
    while (ended < n_lanes && r->events < until)
        for (int lane = 0; lane < n_lanes; lane++) {
            struct cl_chunk chunk;
            must(r->source->ops->poll(r->source, lane, 50, &chunk, &err), &err);
            for (size_t k = 0; k < chunk.n; k++)
                assert_int_equal(lanes[chunk.messages[k].part], lane);
            take_chunk(r, &chunk);
            if (chunk.ended && !done[lane]) ended++;
            if (chunk.ended) done[lane] = true;
            r->source->ops->release(r->source, lane);
        }
    r->source->ops->stop(r->source);
    return ended == n_lanes;
}

static void every_event_once_over_lanes_and_restarts(void **state)
{
    (void)state;
    struct cl_spec *spec = a_spec();
    spec->city.duplicates = spec->city.malformed = spec->city.late = 0.05;
    struct cl_source_options options = {.until_end = true, .max_events = MOST};
    struct cl_source *source = a_source(spec, &options);
    struct reading one, many;
    open_reading(&one, source);
    assert_true(read_some(&one, 1, INT64_MAX / 2));
    assert_int_equal(one.events, MOST);
    open_reading(&many, source);
    for (int k = 0; !read_some(&many, 1 + k % 4, 5000 + 1000 * k); k++) {
    }
    assert_int_equal(many.events, MOST);
    assert_true(many.sum == one.sum);
    for (int k = 0; k < PARTS; k++) {
        assert_int_equal(many.count[k], one.count[k]);
        /* A partition of which nothing was read never moved. */
        if (one.count[k] > 0) assert_int_equal(many.positions[k].next, one.partitions[k].end);
    }
    /* Once more from the end: nothing. */
    assert_true(read_some(&many, 2, 1));
    assert_int_equal(many.events, MOST);
    source->ops->free(source);
    cl_spec_free(spec);
}

struct lane_reader {
    struct cl_source *source;
    int lane;
    uint64_t sum;
    int64_t events;
};

static void *read_lane(void *arg)
{
    struct lane_reader *r = arg;
    for (struct cl_chunk chunk = {.ended = false}; !chunk.ended;) {
        struct cl_error err;
        if (r->source->ops->poll(r->source, r->lane, 50, &chunk, &err) != CL_OK) return NULL;
        for (size_t k = 0; k < chunk.n; k++)
            r->sum += fingerprint(&chunk.messages[k]);
        r->events += (int64_t)chunk.n;
        r->source->ops->release(r->source, r->lane);
    }
    return NULL;
}

static void lanes_are_threads(void **state)
{
    (void)state;
    enum { LANES = 3 };
    struct cl_error err;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.until_end = true, .max_events = MOST};
    struct cl_source *source = a_source(spec, &options);
    struct reading one;
    open_reading(&one, source);
    int lanes[PARTS];
    for (int k = 0; k < PARTS; k++)
        lanes[k] = k % LANES;
    must(source->ops->start(source, one.positions, lanes, LANES, &err), &err);
    struct lane_reader readers[LANES];
    pthread_t threads[LANES];
    for (int k = 0; k < LANES; k++) {
        readers[k] = (struct lane_reader){.source = source, .lane = k};
        assert_int_equal(pthread_create(&threads[k], NULL, read_lane, &readers[k]), 0);
    }
    uint64_t sum = 0;
    int64_t events = 0;
    for (int k = 0; k < LANES; k++) {
        assert_int_equal(pthread_join(threads[k], NULL), 0);
        sum += readers[k].sum;
        events += readers[k].events;
    }
    source->ops->stop(source);
    assert_int_equal(events, MOST);
    assert_true(read_some(&one, 1, INT64_MAX / 2));
    assert_true(sum == one.sum);
    source->ops->free(source);
    cl_spec_free(spec);
}

/* The same events, in the same number, as the merged city gives. */
static void the_end_is_that_of_simulate(void **state)
{
    (void)state;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.until_end = true, .max_events = 12345};
    struct cl_source *source = a_source(spec, &options);
    struct reading r;
    open_reading(&r, source);
    assert_true(read_some(&r, 2, INT64_MAX / 2));
    struct cl_city_config config = a_config(120, 3);
    config.seed = 9;
    struct cl_city *city = a_city(&config);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_ALL_FEEDS);
    int64_t count[PARTS] = {0};
    for (int k = 0; k < 12345; k++) {
        struct cl_city_event e = next_merged(merge);
        count[e.feed * 3 + (unsigned)e.partition]++;
    }
    for (int k = 0; k < PARTS; k++)
        assert_int_equal(r.count[k], count[k]);
    cl_city_merge_free(merge);
    cl_city_free(city);
    source->ops->free(source);
    cl_spec_free(spec);
}

static void a_duration_is_simulated_time(void **state)
{
    (void)state;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.duration_us = 100 * SECOND_US};
    struct cl_source *source = a_source(spec, &options);
    struct reading r;
    open_reading(&r, source);
    assert_true(read_some(&r, 1, INT64_MAX / 2));
    int64_t gps = 0;
    for (int k = 0; k < PARTS; k++)
        if (strcmp(r.partitions[k].feed->name, "gps") == 0) gps += r.count[k];
    assert_int_equal(gps, 1200);
    source->ops->free(source);
    cl_spec_free(spec);
}

static void lanes_read_their_partitions_side_by_side(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.only = NULL};
    struct cl_source *source = a_source(spec, &options);
    struct reading r;
    open_reading(&r, source);
    int lanes[PARTS] = {0};
    int64_t newest[PARTS] = {0}, first = INT64_MAX;
    must(source->ops->start(source, r.positions, lanes, 1, &err), &err);
    for (int k = 0; k < 200; k++) {
        struct cl_chunk chunk;
        must(source->ops->poll(source, 0, 0, &chunk, &err), &err);
        assert_false(chunk.ended);
        assert_true(chunk.n > 0);
        for (size_t i = 0; i < chunk.n; i++) {
            const struct cl_message *m = &chunk.messages[i];
            if (first == INT64_MAX) first = m->timestamp_us;
            newest[m->part] = m->timestamp_us;
            /* The frequent feeds of 40 vehicles each stay within a few rounds of each other. */
            for (int other = 0; other < 6; other++)
                if (m->part < 6 && newest[other] != 0)
                    assert_true(llabs(newest[other] - m->timestamp_us) < 25 * SECOND_US);
        }
        source->ops->release(source, 0);
    }
    source->ops->stop(source);
    source->ops->free(source);
    cl_spec_free(spec);
}

static void a_paced_city_follows_the_clock(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_spec *spec = a_spec();
    spec->city.speed_up = 50;
    struct cl_source_options options = {.paced = true, .duration_us = 60 * SECOND_US};
    struct cl_source *source = a_source(spec, &options);
    struct reading r;
    open_reading(&r, source);
    for (int run = 0; run < 2; run++) { /* the second goes on where the first ended */
        int64_t begun = cl_clock_monotonic_us(), before = r.events;
        assert_true(read_some(&r, 2, INT64_MAX / 2));
        int64_t took = cl_clock_monotonic_us() - begun;
        assert_true(took > SECOND_US * 9 / 10 && took < 8 * SECOND_US);
        int64_t events = r.events - before;
        assert_true(events > 1400 && events < 1700); /* 60 s of 24 a second and some weather */
    }
    int64_t low, end;
    must(source->ops->watermarks(source, 0, &low, &end, &err), &err);
    assert_int_equal(low, 0);
    source->ops->free(source);
    cl_spec_free(spec);
}

static void a_rate_is_a_pace(void **state)
{
    (void)state;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.rate = 5000, .max_events = 5000};
    struct cl_source *source = a_source(spec, &options);
    struct reading r;
    open_reading(&r, source);
    int64_t begun = cl_clock_monotonic_us();
    assert_true(read_some(&r, 2, INT64_MAX / 2));
    int64_t took = cl_clock_monotonic_us() - begun;
    assert_int_equal(r.events, 5000);
    assert_true(took > SECOND_US * 8 / 10 && took < 8 * SECOND_US);
    source->ops->free(source);
    cl_spec_free(spec);
}

static void identities_tell_cities_and_feeds_apart(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.until_end = false};
    struct cl_source *source = a_source(spec, &options), *again = a_source(spec, &options);
    spec->city.late = 0.25;
    struct cl_source *other = a_source(spec, &options);
    const char *a, *b, *c, *d;
    must(source->ops->identity(source, 0, &a, &err), &err);
    must(again->ops->identity(again, 1, &b, &err), &err);
    must(other->ops->identity(other, 0, &c, &err), &err);
    must(source->ops->identity(source, 3, &d, &err), &err);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
    assert_non_null(strstr(a, "\"kind\":\"city\""));
    assert_null(strchr(a, ' '));
    source->ops->free(source);
    again->ops->free(again);
    other->ops->free(other);
    cl_spec_free(spec);
}

static void wrong_wishes_are_named(void **state)
{
    (void)state;
    static const char own[] = "feeds:\n  probe:\n    event_time: at\n    columns:\n      at: "
                              "{type: timestamp, required: true}\n";
    struct cl_error err;
    struct cl_source *source = NULL;
    struct cl_spec *spec = a_spec(), *foreign = NULL;
    struct cl_source_options endless = {.until_end = true}, plain = {.until_end = false};
    assert_int_equal(cl_city_source_new(spec, &endless, &source, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "--events"));
    must(cl_spec_parse("own.yaml", own, strlen(own), &foreign, &err), &err);
    assert_int_equal(cl_city_source_new(foreign, &plain, &source, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "emergency"));
    spec->city.vehicles = 0;
    assert_int_equal(cl_city_source_new(spec, &plain, &source, &err), CL_EINVAL);
    assert_null(source);
    cl_spec_free(spec);
    cl_spec_free(foreign);
}

static void one_feed_only(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_spec *spec = a_spec();
    struct cl_source_options options = {.max_events = 500,
                                        .only = cl_spec_find_feed(spec, "weather")};
    struct cl_source *source = a_source(spec, &options);
    const struct cl_source_partition *partitions;
    size_t n;
    must(source->ops->partitions(source, &partitions, &n, &err), &err);
    assert_int_equal(n, 3);
    int64_t total = 0;
    for (size_t k = 0; k < n; k++) {
        assert_string_equal(partitions[k].feed->name, "weather");
        total += partitions[k].end;
    }
    assert_int_equal(total, 500);
    source->ops->free(source);
    cl_spec_free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_once_over_lanes_and_restarts),
        cmocka_unit_test(lanes_are_threads),
        cmocka_unit_test(the_end_is_that_of_simulate),
        cmocka_unit_test(a_duration_is_simulated_time),
        cmocka_unit_test(lanes_read_their_partitions_side_by_side),
        cmocka_unit_test(a_paced_city_follows_the_clock),
        cmocka_unit_test(a_rate_is_a_pace),
        cmocka_unit_test(identities_tell_cities_and_feeds_apart),
        cmocka_unit_test(wrong_wishes_are_named),
        cmocka_unit_test(one_feed_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
