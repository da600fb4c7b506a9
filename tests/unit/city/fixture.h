/* fixture.h - what the tests of the simulated city share. */
#ifndef CITYLAKE_TESTS_CITY_FIXTURE_H
#define CITYLAKE_TESTS_CITY_FIXTURE_H

#include "base/clock.h"
#include "city/city.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)

static inline struct cl_city_config a_config(int64_t vehicles, int partitions)
{
    struct cl_city_config c = {.vehicles = vehicles, .seed = 42, .partitions = partitions};
    c.latitude = 51.5074;
    c.longitude = -0.1278;
    const char *start = "2026-01-05T06:00:00"; /* a Monday */
    assert_int_equal(cl_time_parse(start, strlen(start), &c.start_us, NULL), CL_OK);
    return c;
}

static inline void all_faults(struct cl_city_config *c, double rate)
{
    c->duplicates = c->late = c->out_of_order = c->malformed = rate;
}

/* Fails the test with the error's message. */
static inline void must(enum cl_code code, const struct cl_error *err)
{
    if (code != CL_OK) fail_msg("%s: %s", cl_code_name(code), err->message);
}

static inline struct cl_city *a_city(const struct cl_city_config *config)
{
    struct cl_city *city = NULL;
    struct cl_error err;
    must(cl_city_new(config, &city, &err), &err);
    return city;
}

static inline struct cl_city_cursor *a_cursor(const struct cl_city *city, enum cl_city_feed feed,
                                              int partition, int64_t offset)
{
    struct cl_city_cursor *cursor = NULL;
    struct cl_error err;
    must(cl_city_cursor_new(city, feed, partition, offset, &cursor, &err), &err);
    return cursor;
}

static inline struct cl_city_event next_event(struct cl_city_cursor *cursor)
{
    struct cl_city_event event;
    struct cl_error err;
    must(cl_city_cursor_next(cursor, &event, &err), &err);
    return event;
}

static inline struct cl_city_merge *a_merge(const struct cl_city *city, unsigned feeds)
{
    struct cl_city_merge *merge = NULL;
    struct cl_error err;
    must(cl_city_merge_new(city, feeds, &merge, &err), &err);
    return merge;
}

static inline struct cl_city_event next_merged(struct cl_city_merge *merge)
{
    struct cl_city_event event;
    struct cl_error err;
    must(cl_city_merge_next(merge, &event, &err), &err);
    return event;
}

/* A bijection of small numbers to large ones, for choosing what to test. */
static inline int64_t scatter(int64_t k, int64_t below)
{
    uint64_t x = (uint64_t)k * 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return (int64_t)((x >> 1) % (uint64_t)below);
}

#endif
