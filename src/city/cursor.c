/* cursor.c - reads one partition from any offset.
 *
 * A cursor holds the plan of the block it is in, and for the feeds of moving vehicles one struct
 * cl_city_motion per vehicle of the partition, so that going on costs a step and not a walk.  Late
 * events and copies look at other moments: they walk aside and leave the motions alone. */
#include "city/plan.h"

#include "city/picture.h"

#include <stdlib.h>

/* An hour without incidents is followed by another one at most so many times before the partition
 * counts as empty. */
enum { QUIET_HOURS_MAX = 100000 };

#define MOST_US (5000 * 365 * CL_DAY_US)

struct cl_city_cursor {
    const struct cl_city *city;
    enum cl_city_feed feed;
    int partition;
    bool empty; /* nothing will ever come */
    struct cl_city_schedule schedule;
    struct cl_city_plan plan;
    size_t at;                      /* in the plan */
    int64_t block;                  /* to be planned when plan.block differs */
    struct cl_city_motion *motions; /* of schedule.per_tick vehicles, or NULL */
    struct cl_incident_book *book;
    struct cl_album *album;
    struct cl_city_writer writer;
    struct cl_city_message message;
};

static bool has_motions(enum cl_city_feed feed)
{
    return feed == CL_CITY_VEHICLE || feed == CL_CITY_GPS || feed == CL_CITY_WEATHER;
}

static enum cl_code plan_block(struct cl_city_cursor *c, struct cl_error *err)
{
    if (c->plan.block == c->block) return CL_OK;
    return cl_city_plan_make(c->city, c->book, c->feed, c->partition, c->block, &c->plan, err);
}

static enum cl_code seek(struct cl_city_cursor *c, int64_t offset, struct cl_error *err)
{
    if (c->schedule.per_tick == 0) {
        c->empty = true;
        return CL_OK;
    }
    c->block = cl_city_plan_block_of(c->city, c->feed, offset);
    enum cl_code code = plan_block(c, err);
    if (code != CL_OK) return code;
    size_t rank = (size_t)(offset - c->plan.first_offset);
    c->at = rank < c->plan.n ? rank : c->plan.n;
    return CL_OK;
}

/* Is the event there sent within some thousand years, so that no time overflows? */
static bool is_near(const struct cl_city *city, enum cl_city_feed feed, int partition,
                    int64_t offset)
{
    if (offset > INT64_MAX >> 8) return false;
    int64_t block = cl_city_plan_block_of(city, feed, offset);
    if (feed == CL_CITY_EMERGENCY) return block < MOST_US / CL_HOUR_US;
    struct cl_city_schedule s = cl_city_schedule_of(city, feed, partition);
    return s.per_tick == 0 || block / s.per_tick < MOST_US / s.period_us / CL_BLOCK;
}

enum cl_code cl_city_cursor_new(const struct cl_city *city, enum cl_city_feed feed, int partition,
                                int64_t offset, struct cl_city_cursor **ret, struct cl_error *err)
{
    if (offset < 0 || !is_near(city, feed, partition, offset))
        return cl_fail(err, CL_EINVAL, "city: partition %d of %s has no offset %lld", partition,
                       cl_city_feed_name(feed), (long long)offset);
    struct cl_city_cursor *c = calloc(1, sizeof *c);
    if (c == NULL) return cl_fail_nomem(err);
    c->city = city;
    c->feed = feed;
    c->partition = partition;
    c->plan.block = -1;
    c->schedule =
        cl_city_schedule_of(city, feed == CL_CITY_EMERGENCY ? CL_CITY_VEHICLE : feed, partition);
    enum cl_code code = cl_incident_book_new(city, &c->book, err);
    if (code == CL_OK && feed == CL_CITY_CAMERA) code = cl_album_new(&c->album, err);
    if (code == CL_OK && has_motions(feed) && c->schedule.per_tick > 0) {
        c->motions = malloc((size_t)c->schedule.per_tick * sizeof *c->motions);
        if (c->motions == NULL) code = cl_fail_nomem(err);
        for (int64_t k = 0; k < c->schedule.per_tick && code == CL_OK; k++)
            cl_city_motion_reset(&c->motions[k]);
    }
    c->writer = (struct cl_city_writer){
        .city = city, .book = c->book, .album = c->album, .date_day = INT64_MIN};
    if (code == CL_OK) code = seek(c, offset, err);
    if (code != CL_OK) {
        cl_city_cursor_free(c);
        return code;
    }
    *ret = c;
    return CL_OK;
}

void cl_city_cursor_free(struct cl_city_cursor *c)
{
    if (c == NULL) return;
    cl_city_plan_fini(&c->plan);
    cl_incident_book_free(c->book);
    cl_album_free(c->album);
    free(c->motions);
    free(c);
}

/* Makes plan.entries[at] the next event, or sets `empty`. */
static enum cl_code settle(struct cl_city_cursor *c, struct cl_error *err)
{
    for (int quiet = 0; !c->empty; quiet++) {
        enum cl_code code = plan_block(c, err);
        if (code != CL_OK) return code;
        if (c->at < c->plan.n) break;
        if (quiet == QUIET_HOURS_MAX) {
            c->empty = true;
            break;
        }
        c->block++;
        c->at = 0;
    }
    return CL_OK;
}

enum cl_code cl_city_cursor_peek(struct cl_city_cursor *c, int64_t *ret_time_us,
                                 struct cl_error *err)
{
    enum cl_code code = settle(c, err);
    if (code == CL_OK) *ret_time_us = c->empty ? INT64_MAX : c->plan.entries[c->at].sent_us;
    return code;
}

int64_t cl_city_cursor_offset(const struct cl_city_cursor *c)
{
    if (c->empty) return 0;
    if (c->plan.block == c->block && c->at < c->plan.n)
        return c->plan.first_offset + (int64_t)c->at;
    bool passed = c->plan.block == c->block;
    return cl_city_plan_block_offset(c->city, c->feed, c->block + (passed ? 1 : 0));
}

enum cl_code cl_city_cursor_next(struct cl_city_cursor *c, struct cl_city_event *ret,
                                 struct cl_error *err)
{
    enum cl_code code = settle(c, err);
    if (code != CL_OK) return code;
    if (c->empty)
        return cl_fail(err, CL_ENOTFOUND, "city: partition %d of %s has no vehicles", c->partition,
                       cl_city_feed_name(c->feed));
    const struct cl_city_entry *e = &c->plan.entries[c->at];
    int64_t entity = 0;
    struct cl_city_motion *motion = NULL;
    if (c->feed != CL_CITY_EMERGENCY) {
        (void)cl_city_schedule_time(c->city, &c->schedule, e->n, &entity);
        bool aside = e->late || e->duplicate || c->motions == NULL;
        if (!aside) motion = &c->motions[(entity - c->schedule.first) / c->schedule.stride];
    }
    code = cl_city_message_write(&c->writer, c->feed, c->partition, &c->plan, e, entity, motion,
                                 &c->message, ret, err);
    if (code != CL_OK) return code;
    ret->feed = c->feed;
    ret->partition = c->partition;
    ret->offset = c->plan.first_offset + (int64_t)c->at++;
    ret->timestamp_us = e->sent_us;
    ret->key = c->message.key;
    ret->key_len = c->message.key_len;
    ret->value = c->message.value;
    ret->value_len = c->message.len;
    ret->duplicate = e->duplicate;
    ret->late = e->late;
    ret->moved = e->moved;
    ret->malformed = e->malformed;
    return CL_OK;
}
