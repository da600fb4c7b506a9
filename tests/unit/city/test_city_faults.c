/* Faults: what the flags of the events say is what a reader who knows only the messages finds, at
 * about the rates ordered. */
#include "fixture.h"

enum { N = 60000, PARTITION = 1 };

struct seen {
    char id[37];
    int64_t at; /* order of reading */
    size_t len;
    uint64_t sum; /* of the bytes, to compare copies */
};

static uint64_t fingerprint(const uint8_t *data, size_t len)
{
    uint64_t h = 1469598103934665603u;
    for (size_t k = 0; k < len; k++)
        h = (h ^ data[k]) * 1099511628211u;
    return h;
}

static int by_id(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    int order = memcmp(x->id, y->id, 36);
    return order != 0 ? order : x->at < y->at ? -1 : 1;
}

struct tally {
    int64_t events, malformed, duplicates, late, moved;
    int64_t late_found, moved_found;
    struct seen *seen;
    int64_t n_seen;
    bool *is_copy; /* by order of reading */
};

/* A reader's view: an event older than one read before is late when by two minutes or more, else
 * out of order. */
static void tally(struct tally *t, const struct cl_city_event *e, int64_t *newest)
{
    t->events++;
    if (e->malformed != CL_CITY_WELL_FORMED) {
        t->malformed++;
        assert_false(e->late || e->moved || e->duplicate);
        return;
    }
    t->seen[t->n_seen] = (struct seen){
        .at = t->n_seen, .len = e->value_len, .sum = fingerprint(e->value, e->value_len)};
    memcpy(t->seen[t->n_seen].id, e->id, 37);
    t->is_copy[t->n_seen++] = e->duplicate;
    if (e->duplicate) {
        t->duplicates++;
        return;
    }
    assert_true(e->timestamp_us >= e->event_time_us);
    t->late += e->late;
    t->moved += e->moved;
    assert_false(e->late && e->moved);
    if (e->late) {
        int64_t delay = e->timestamp_us - e->event_time_us;
        assert_true(delay >= 120 * SECOND_US && delay < 660 * SECOND_US);
    }
    if (*newest > e->event_time_us) {
        if (*newest - e->event_time_us > 110 * SECOND_US)
            t->late_found++;
        else
            t->moved_found++;
    } else {
        *newest = e->event_time_us;
    }
}

/* Every copy has its original before it, with the same bytes; nothing else has the id of another.
 */
static void check_copies(struct tally *t, int64_t *ret_found)
{
    int64_t found = 0;
    qsort(t->seen, (size_t)t->n_seen, sizeof *t->seen, by_id);
    for (int64_t k = 1; k < t->n_seen; k++) {
        const struct seen *a = &t->seen[k - 1], *b = &t->seen[k];
        if (memcmp(a->id, b->id, 36) != 0) continue;
        assert_true(a->len == b->len && a->sum == b->sum);
        assert_true(t->is_copy[b->at]);
        found++;
    }
    *ret_found = found;
}

static void check_feed(const struct cl_city *city, enum cl_city_feed feed, double rate)
{
    int64_t n = feed == CL_CITY_EMERGENCY ? 4000 : N;
    struct tally t = {.seen = calloc((size_t)n, sizeof *t.seen),
                      .is_copy = calloc((size_t)n, sizeof *t.is_copy)};
    assert_true(t.seen != NULL && t.is_copy != NULL);
    struct cl_city_cursor *cursor = a_cursor(city, feed, PARTITION, 0);
    int64_t newest = INT64_MIN, copies;
    for (int64_t k = 0; k < n; k++) {
        struct cl_city_event event = next_event(cursor);
        tally(&t, &event, &newest);
    }
    check_copies(&t, &copies);
    assert_int_equal(copies, t.duplicates);
    if (feed == CL_CITY_EMERGENCY) {
        /* Minutes pass between its events: a late one may be the newest all the same, and one that
         * only changed places with its neighbour may look late.  But nothing looks wrong that is
         * not flagged. */
        assert_true(t.late_found + t.moved_found <= t.late + t.moved);
    } else {
        assert_int_equal(t.moved_found, t.moved);
        assert_int_equal(t.late_found, t.late);
    }
    double base = (double)(t.events - t.duplicates), slack = 5 * sqrt(rate / base);
    assert_true(fabs((double)t.malformed / base - rate) < slack);
    assert_true(fabs((double)t.duplicates / base - rate) < slack + rate * 0.1);
    assert_true(fabs((double)t.late / base - rate * (1 - rate)) < slack);
    assert_true((double)t.moved / base > rate * 0.3 && (double)t.moved / base < rate + slack);
    cl_city_cursor_free(cursor);
    free(t.seen);
    free(t.is_copy);
}

static void flags_are_what_a_reader_finds(void **state)
{
    (void)state;
    static const double rates[] = {0.002, 0.08};
    for (int r = 0; r < 2; r++) {
        struct cl_city_config config = a_config(4000, 2);
        all_faults(&config, rates[r]);
        struct cl_city *city = a_city(&config);
        for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
            if (feed != CL_CITY_CAMERA) check_feed(city, (enum cl_city_feed)feed, rates[r]);
        cl_city_free(city);
    }
}

static void without_faults_there_are_none(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(1000, 2);
    struct cl_city *city = a_city(&config);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_ALL_FEEDS);
    for (int k = 0; k < 50000; k++) {
        struct cl_city_event e = next_merged(merge);
        assert_false(e.duplicate || e.late || e.moved || e.malformed != CL_CITY_WELL_FORMED);
        assert_int_equal(e.timestamp_us, e.event_time_us);
    }
    cl_city_merge_free(merge);
    cl_city_free(city);
}

static void every_event_may_be_sent_twice(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(100, 1);
    config.duplicates = 1;
    struct cl_city *city = a_city(&config);
    struct cl_city_cursor *cursor = a_cursor(city, CL_CITY_VEHICLE, 0, 0);
    int64_t copies = 0;
    for (int k = 0; k < 128 * 10; k++)
        copies += next_event(cursor).duplicate;
    assert_int_equal(copies, 640);
    cl_city_cursor_free(cursor);
    cl_city_free(city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_what_a_reader_finds),
        cmocka_unit_test(without_faults_there_are_none),
        cmocka_unit_test(every_event_may_be_sent_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
