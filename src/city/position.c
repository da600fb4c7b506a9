/* position.c - from times and counts to offsets.
 *
 * The offset at a time needs one plan.  The offsets after N events need the moment when the N-th is
 * sent, which is found by halving; only emergency is counted hour by hour, and it has few events.
 */
#include "city/plan.h"

#include <stdlib.h>

/* Entries of the planned block that are sent before time_us. */
static int64_t sent_before(const struct cl_city_plan *plan, int64_t time_us)
{
    size_t n = 0;
    while (n < plan->n && plan->entries[n].sent_us < time_us)
        n++;
    return (int64_t)n;
}

#define MOST_SECONDS (200 * 365.25 * 86400)

struct scratch {
    const struct cl_city *city;
    unsigned feeds;
    struct cl_incident_book *book;
    struct cl_city_plan plan;
    int64_t *hour_totals; /* emergencies of all partitions in the hours before, cumulated */
    size_t hours, cap;
};

static enum cl_code scratch_init(struct scratch *s, const struct cl_city *city, unsigned feeds,
                                 struct cl_error *err)
{
    *s = (struct scratch){.city = city, .feeds = feeds, .plan = {.block = -1}};
    return cl_incident_book_new(city, &s->book, err);
}

static void scratch_fini(struct scratch *s)
{
    cl_incident_book_free(s->book);
    cl_city_plan_fini(&s->plan);
    free(s->hour_totals);
}

static enum cl_code offset_at(struct scratch *s, enum cl_city_feed feed, int partition,
                              int64_t time_us, int64_t *ret, struct cl_error *err)
{
    const struct cl_city *city = s->city;
    int64_t block;
    *ret = 0;
    if (time_us <= city->config.start_us || partition >= city->config.vehicles) return CL_OK;
    if (feed == CL_CITY_EMERGENCY) {
        block = cl_floor_div(time_us, CL_HOUR_US) - cl_floor_div(city->config.start_us, CL_HOUR_US);
    } else {
        struct cl_city_schedule schedule = cl_city_schedule_of(city, feed, partition);
        if (schedule.per_tick == 0) return CL_OK;
        block = cl_city_schedule_before(city, &schedule, time_us) / CL_BLOCK;
    }
    enum cl_code code = cl_city_plan_make(city, s->book, feed, partition, block, &s->plan, err);
    if (code == CL_OK) *ret = s->plan.first_offset + sent_before(&s->plan, time_us);
    return code;
}

enum cl_code cl_city_offset_at(const struct cl_city *city, enum cl_city_feed feed, int partition,
                               int64_t time_us, int64_t *ret, struct cl_error *err)
{
    struct scratch s;
    int64_t offset;
    enum cl_code code = scratch_init(&s, city, CL_CITY_BIT(feed), err);
    if (code == CL_OK) code = offset_at(&s, feed, partition, time_us, &offset, err);
    if (code == CL_OK) *ret = offset;
    scratch_fini(&s);
    return code;
}

/* Emergencies of all partitions in the hours before `hour`, counted from the city's first. */
static enum cl_code emergencies_before(struct scratch *s, int64_t hour, int64_t *ret,
                                       struct cl_error *err)
{
    while (s->hours <= (size_t)hour) {
        if (s->hours == s->cap) {
            size_t cap = s->cap == 0 ? 64 : s->cap * 2;
            int64_t *grown = realloc(s->hour_totals, cap * sizeof *grown);
            if (grown == NULL) return cl_fail_nomem(err);
            s->hour_totals = grown;
            s->cap = cap;
        }
        int64_t total = s->hours == 0 ? 0 : s->hour_totals[s->hours - 1];
        for (int p = 0; p < s->city->config.partitions && s->hours > 0; p++) {
            enum cl_code code = cl_city_plan_make(s->city, s->book, CL_CITY_EMERGENCY, p,
                                                  (int64_t)s->hours - 1, &s->plan, err);
            if (code != CL_OK) return code;
            total += (int64_t)s->plan.n;
        }
        s->hour_totals[s->hours++] = total;
    }
    *ret = s->hour_totals[hour];
    return CL_OK;
}

/* Offsets of all partitions at a time, and the events before them. */
static enum cl_code count_before(struct scratch *s, int64_t time_us, int64_t *offsets, int64_t *ret,
                                 struct cl_error *err)
{
    int partitions = s->city->config.partitions;
    int64_t total = 0;
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
        for (int p = 0; p < partitions && (s->feeds & CL_CITY_BIT(feed)) != 0; p++) {
            int64_t *offset = &offsets[feed * partitions + p];
            enum cl_code code = offset_at(s, (enum cl_city_feed)feed, p, time_us, offset, err);
            if (code != CL_OK) return code;
            total +=
                feed == CL_CITY_EMERGENCY ? *offset & ((1 << CL_HOUR_OFFSET_BITS) - 1) : *offset;
        }
    int64_t hour =
        cl_floor_div(time_us, CL_HOUR_US) - cl_floor_div(s->city->config.start_us, CL_HOUR_US);
    int64_t earlier = 0;
    enum cl_code code = CL_OK;
    if ((s->feeds & CL_CITY_BIT(CL_CITY_EMERGENCY)) != 0)
        code = emergencies_before(s, hour, &earlier, err);
    if (code == CL_OK) *ret = total + earlier;
    return code;
}

/* The latest time before which at most `events` are sent.  Their offsets then stand in `low`;
 * `high` is scratch. */
static enum cl_code find_time(struct scratch *s, int64_t events, int64_t *low, int64_t *ret_count,
                              int64_t *ret_time, int64_t *scratch_offsets, struct cl_error *err)
{
    double rate = cl_city_events_per_second(s->city, s->feeds);
    int64_t from = s->city->config.start_us,
            step = (int64_t)((double)events / rate * 1e6) + CL_SECOND_US, count = 0;
    int64_t to = from + step;
    enum cl_code code = count_before(s, to, scratch_offsets, &count, err);
    while (code == CL_OK && count <= events) {
        from = to;
        to += step / 8 + CL_SECOND_US;
        code = count_before(s, to, scratch_offsets, &count, err);
    }
    while (code == CL_OK && to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        code = count_before(s, middle, scratch_offsets, &count, err);
        if (count <= events)
            from = middle;
        else
            to = middle;
    }
    if (code == CL_OK) code = count_before(s, from, low, ret_count, err);
    *ret_time = from;
    return code;
}

enum cl_code cl_city_offsets_after(const struct cl_city *city, unsigned feeds, int64_t events,
                                   int64_t *ret, struct cl_error *err)
{
    if ((feeds & CL_CITY_ALL_FEEDS) == 0)
        return cl_fail(err, CL_EINVAL, "city: no feed to count the events of");
    if (events < 0 || (double)events / cl_city_events_per_second(city, feeds) > MOST_SECONDS)
        return cl_fail(
            err, CL_EINVAL,
            "city: %lld events of %lld vehicles would take more than 200 simulated years",
            (long long)events, (long long)city->config.vehicles);
    size_t n = (size_t)CL_CITY_FEEDS * (size_t)city->config.partitions;
    struct scratch s;
    int64_t *low = calloc(2 * n, sizeof *low), count = 0, time_us = 0;
    enum cl_code code = scratch_init(&s, city, feeds, err);
    if (code == CL_OK && low == NULL) code = cl_fail_nomem(err);
    if (code == CL_OK) code = find_time(&s, events, low, &count, &time_us, low + n, err);
    /* More are sent at that very microsecond than are wanted: the first feeds and partitions have
     * them. */
    for (size_t k = 0; k < n && code == CL_OK && count < events; k++) {
        int64_t next;
        enum cl_city_feed feed = (enum cl_city_feed)(k / (size_t)city->config.partitions);
        if ((feeds & CL_CITY_BIT(feed)) == 0) continue;
        code = offset_at(&s, feed, (int)(k % (size_t)city->config.partitions), time_us + 1, &next,
                         err);
        int64_t more = next - low[k];
        if (code != CL_OK || more <= 0) continue;
        if (more > events - count) more = events - count;
        low[k] += more;
        count += more;
    }
    if (code == CL_OK) memcpy(ret, low, n * sizeof *low);
    free(low);
    scratch_fini(&s);
    return code;
}
