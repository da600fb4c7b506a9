/* Events are a function of seed, feed, partition and offset: the same again, the same from any
 * offset, in any thread's cursor. */
#include "fixture.h"

static void assert_same(const struct cl_city_event *a, const struct cl_city_event *b)
{
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->timestamp_us, b->timestamp_us);
    assert_int_equal(a->event_time_us, b->event_time_us);
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->key, b->key);
    assert_int_equal(a->value_len, b->value_len);
    assert_memory_equal(a->value, b->value, a->value_len);
    assert_int_equal(a->duplicate, b->duplicate);
    assert_int_equal(a->late, b->late);
    assert_int_equal(a->moved, b->moved);
    assert_int_equal(a->malformed, b->malformed);
}

static void same_seed_same_events(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(300, 3);
    all_faults(&config, 0.05);
    struct cl_city *a = a_city(&config), *b = a_city(&config);
    struct cl_city_merge *from_a = a_merge(a, CL_CITY_ALL_FEEDS),
                         *from_b = a_merge(b, CL_CITY_ALL_FEEDS);
    for (int k = 0; k < 50000; k++) {
        struct cl_city_event x = next_merged(from_a), y = next_merged(from_b);
        assert_int_equal(x.feed, y.feed);
        assert_int_equal(x.partition, y.partition);
        assert_same(&x, &y);
    }
    cl_city_merge_free(from_a);
    cl_city_merge_free(from_b);
    cl_city_free(a);
    cl_city_free(b);
}

static void other_seed_other_events(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(300, 1);
    struct cl_city *a = a_city(&config);
    config.seed = 43;
    struct cl_city *b = a_city(&config);
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++) {
        struct cl_city_cursor *from_a = a_cursor(a, (enum cl_city_feed)feed, 0, 0);
        struct cl_city_cursor *from_b = a_cursor(b, (enum cl_city_feed)feed, 0, 0);
        struct cl_city_event x = next_event(from_a), y = next_event(from_b);
        assert_string_not_equal(x.id, y.id);
        assert_false(x.value_len == y.value_len && memcmp(x.value, y.value, x.value_len) == 0);
        cl_city_cursor_free(from_a);
        cl_city_cursor_free(from_b);
    }
    cl_city_free(a);
    cl_city_free(b);
}

/* Reads a partition from its beginning and at many places compares a fresh cursor that begins
 * there. */
static void check_seeks(const struct cl_city *city, enum cl_city_feed feed, int partition,
                        int events, int every)
{
    struct cl_city_cursor *walker = a_cursor(city, feed, partition, 0);
    int64_t last = -1, sent = INT64_MIN;
    for (int k = 0; k < events; k++) {
        int64_t at = cl_city_cursor_offset(walker);
        struct cl_city_event event = next_event(walker);
        assert_true(event.offset >= at && at > last);
        assert_true(event.timestamp_us >= sent);
        if (feed != CL_CITY_EMERGENCY) assert_int_equal(event.offset, k);
        if (scatter(k, every) == 0 || k == events - 1) {
            /* Both the offset in the gap before the event and its own are valid positions of it. */
            struct cl_city_cursor *seeker =
                a_cursor(city, feed, partition, scatter(k, 2) == 0 ? event.offset : at);
            struct cl_city_event found = next_event(seeker);
            assert_same(&event, &found);
            cl_city_cursor_free(seeker);
        }
        last = event.offset;
        sent = event.timestamp_us;
    }
    cl_city_cursor_free(walker);
}

static void a_cursor_can_begin_anywhere(void **state)
{
    (void)state;
    static const double rates[] = {0, 0.1, 1};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        struct cl_city_config config = a_config(120, 3);
        all_faults(&config, rates[r]);
        if (rates[r] == 1) config.malformed = config.late = 0;
        struct cl_city *city = a_city(&config);
        for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
            for (int p = 0; p < 3; p++)
                check_seeks(city, (enum cl_city_feed)feed, p,
                            feed == CL_CITY_EMERGENCY ? 300 : 4000, 23);
        cl_city_free(city);
    }
}

static void far_offsets_are_near(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(1000, 4);
    config.duplicates = 1.0 / 64; /* a rate that is a whole number of 2^-20 */
    struct cl_city *city = a_city(&config);
    for (int64_t k = 0; k < 200; k++) {
        int64_t offset = scatter(k, INT64_C(100000000000)); /* about 130 years into the city */
        struct cl_city_cursor *cursor = a_cursor(city, CL_CITY_GPS, (int)(k % 4), offset);
        struct cl_city_event event = next_event(cursor);
        assert_int_equal(event.offset, offset);
        double expected = (double)config.start_us + (double)offset / (25 * (1 + 1.0 / 64)) * 1e6;
        assert_true(fabs((double)event.timestamp_us - expected) < 60e6);
        cl_city_cursor_free(cursor);
    }
    cl_city_free(city);
}

static void impossible_offsets_are_refused(void **state)
{
    (void)state;
    static const int64_t offsets[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 1000};
    struct cl_error err;
    struct cl_city_config config = a_config(10, 1);
    struct cl_city *city = a_city(&config);
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
        for (int k = 0; k < 4; k++) {
            struct cl_city_cursor *cursor = NULL;
            assert_int_equal(
                cl_city_cursor_new(city, (enum cl_city_feed)feed, 0, offsets[k], &cursor, &err),
                CL_EINVAL);
            assert_null(cursor);
            assert_non_null(strstr(err.message, cl_city_feed_name((enum cl_city_feed)feed)));
        }
    int64_t after[CL_CITY_FEEDS];
    assert_int_equal(cl_city_offsets_after(city, CL_CITY_ALL_FEEDS, INT64_MAX, after, &err),
                     CL_EINVAL);
    assert_int_equal(cl_city_offsets_after(city, 0, 1, after, &err), CL_EINVAL);
    cl_city_free(city);
}

static void offsets_follow_time(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_city_config config = a_config(200, 2);
    all_faults(&config, 0.1);
    struct cl_city *city = a_city(&config);
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
        for (int64_t k = 0; k < 100; k++) {
            int64_t time_us = config.start_us + scatter(k, 5 * HOUR_US), offset, peeked;
            must(cl_city_offset_at(city, (enum cl_city_feed)feed, 1, time_us, &offset, &err), &err);
            struct cl_city_cursor *cursor = a_cursor(city, (enum cl_city_feed)feed, 1, offset);
            must(cl_city_cursor_peek(cursor, &peeked, &err), &err);
            assert_true(peeked >= time_us);
            cl_city_cursor_free(cursor);
            if (offset == 0 || feed == CL_CITY_EMERGENCY) continue;
            cursor = a_cursor(city, (enum cl_city_feed)feed, 1, offset - 1);
            assert_true(next_event(cursor).timestamp_us < time_us);
            cl_city_cursor_free(cursor);
        }
    cl_city_free(city);
}

/* The closed form must agree with counting the merged events. */
static void check_counts(const struct cl_city *city, unsigned feeds, int64_t events)
{
    struct cl_error err;
    int partitions = cl_city_config_of(city)->partitions;
    int64_t after[CL_CITY_FEEDS * 4], last[CL_CITY_FEEDS * 4], count[CL_CITY_FEEDS * 4] = {0};
    must(cl_city_offsets_after(city, feeds, events, after, &err), &err);
    struct cl_city_merge *merge = a_merge(city, feeds);
    int64_t sent = INT64_MIN;
    for (int64_t k = 0; k < events; k++) {
        struct cl_city_event event = next_merged(merge);
        assert_true(event.timestamp_us >= sent);
        sent = event.timestamp_us;
        int at = (int)event.feed * partitions + event.partition;
        last[at] = event.offset;
        count[at]++;
    }
    for (int at = 0; at < CL_CITY_FEEDS * partitions; at++) {
        if ((feeds & CL_CITY_BIT(at / partitions)) == 0) continue;
        /* Every event read is before the end, and the first one not read is not. */
        if (count[at] > 0) assert_true(last[at] < after[at]);
        struct cl_city_cursor *cursor =
            a_cursor(city, (enum cl_city_feed)(at / partitions), at % partitions, 0);
        for (int64_t k = 0; k < count[at]; k++)
            (void)next_event(cursor);
        int64_t peeked;
        must(cl_city_cursor_peek(cursor, &peeked, &err), &err);
        assert_true(cl_city_cursor_offset(cursor) >= after[at]);
        cl_city_cursor_free(cursor);
    }
    cl_city_merge_free(merge);
}

static void counts_become_offsets(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(60, 3);
    all_faults(&config, 0.2);
    struct cl_city *city = a_city(&config);
    static const int64_t events[] = {0, 1, 2, 3, 7, 100, 1001, 20000};
    for (size_t k = 0; k < sizeof events / sizeof *events; k++)
        check_counts(city, CL_CITY_ALL_FEEDS, events[k]);
    check_counts(city, CL_CITY_BIT(CL_CITY_EMERGENCY), 77);
    check_counts(city, CL_CITY_BIT(CL_CITY_GPS) | CL_CITY_BIT(CL_CITY_CAMERA), 1234);
    cl_city_free(city);
}

static void partitions_without_vehicles_are_empty(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_city_config config = a_config(2, 4);
    struct cl_city *city = a_city(&config);
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++) {
        int64_t time_us;
        struct cl_city_event event;
        struct cl_city_cursor *cursor = a_cursor(city, (enum cl_city_feed)feed, 3, 0);
        must(cl_city_cursor_peek(cursor, &time_us, &err), &err);
        assert_true(time_us == INT64_MAX);
        assert_int_equal(cl_city_cursor_next(cursor, &event, &err), CL_ENOTFOUND);
        cl_city_cursor_free(cursor);
    }
    check_counts(city, CL_CITY_ALL_FEEDS, 500);
    cl_city_free(city);
}

static void bad_configurations_are_named(void **state)
{
    (void)state;
    struct cl_error err;
    struct cl_city *city = NULL;
    struct {
        struct cl_city_config config;
        const char *name;
    } cases[7];
    for (size_t k = 0; k < 7; k++)
        cases[k].config = a_config(10, 1);
    cases[0].config.vehicles = 0, cases[0].name = "vehicles";
    cases[1].config.vehicles = 10000001, cases[1].name = "vehicles";
    cases[2].config.partitions = 0, cases[2].name = "partitions";
    cases[3].config.late = 1.5, cases[3].name = "late";
    cases[4].config.malformed = (double)NAN, cases[4].name = "malformed";
    cases[5].config.latitude = 91, cases[5].name = "centre";
    cases[6].config.start_us = INT64_MIN, cases[6].name = "start";
    for (size_t k = 0; k < 7; k++) {
        assert_int_equal(cl_city_new(&cases[k].config, &city, &err), CL_EINVAL);
        assert_non_null(strstr(err.message, cases[k].name));
        assert_null(city);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_events),
        cmocka_unit_test(other_seed_other_events),
        cmocka_unit_test(a_cursor_can_begin_anywhere),
        cmocka_unit_test(far_offsets_are_near),
        cmocka_unit_test(impossible_offsets_are_refused),
        cmocka_unit_test(offsets_follow_time),
        cmocka_unit_test(counts_become_offsets),
        cmocka_unit_test(partitions_without_vehicles_are_empty),
        cmocka_unit_test(bad_configurations_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
