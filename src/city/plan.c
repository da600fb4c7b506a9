/* plan.c - the order of sending, with the faults that were ordered.
 *
 * Dense feeds: block b holds events 64 b to 64 b + 63 and floor(64 (b + 1) r) - floor(64 b r)
 * duplicates, where r is the rate of duplicates in units of 2^-20; so the block's first offset is
 * 64 b + floor(64 b r), without a look at what came before.  An event that is out of order falls
 * back a few places inside its block.  Duplicates are copies of events of this block, behind the
 * original, or of one of the three blocks before. A late event describes what its vehicle did
 * minutes ago, as a device without reception would send it.
 *
 * emergency: the messages about incidents that are sent in one hour, sorted; offset = hour * 2^20 +
 * rank.  Only incidents that begin after the city's start have messages, so each one has all of
 * them. */
#include "city/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void cl_city_plan_fini(struct cl_city_plan *plan)
{
    free(plan->entries);
    free(plan->incidents);
    *plan = (struct cl_city_plan){.block = -1};
}

int64_t cl_city_plan_block_offset(const struct cl_city *city, enum cl_city_feed feed, int64_t block)
{
    if (feed == CL_CITY_EMERGENCY) return block << CL_HOUR_OFFSET_BITS;
    int64_t events = block * CL_BLOCK;
    return events + (int64_t)((unsigned __int128)events * city->duplicates_20 >> 20);
}

int64_t cl_city_plan_block_of(const struct cl_city *city, enum cl_city_feed feed, int64_t offset)
{
    if (feed == CL_CITY_EMERGENCY) return offset >> CL_HOUR_OFFSET_BITS;
    unsigned __int128 scaled = (unsigned __int128)offset << 20;
    int64_t block = (int64_t)(scaled / (((UINT64_C(1) << 20) + city->duplicates_20) * CL_BLOCK));
    while (cl_city_plan_block_offset(city, feed, block + 1) <= offset)
        block++;
    while (cl_city_plan_block_offset(city, feed, block) > offset)
        block--;
    return block;
}

static enum cl_code reserve(struct cl_city_plan *plan, size_t entries, struct cl_error *err)
{
    if (entries <= plan->cap) return CL_OK;
    size_t cap = plan->cap * 2 > entries ? plan->cap * 2 : entries;
    struct cl_city_entry *grown = realloc(plan->entries, cap * sizeof *grown);
    if (grown == NULL) return cl_fail_nomem(err);
    plan->entries = grown;
    plan->cap = cap;
    return CL_OK;
}

static void fault_of_event(const struct cl_city *city, enum cl_city_feed feed, int partition,
                           int64_t n, struct cl_city_fault *ret)
{
    uint64_t key = city->key[CL_KEY_FAULT] + ((uint64_t)feed << 32) + (uint64_t)partition;
    cl_city_fault_of(city, cl_city_hash(key, (uint64_t)n, 0), ret);
}

static bool has_faults(const struct cl_city *city)
{
    const struct cl_city_config *c = &city->config;
    return c->duplicates > 0 || c->late > 0 || c->out_of_order > 0 || c->malformed > 0;
}

/* Lets the event at place `i` fall back, when what follows it is in time and well-formed: otherwise
 * it would not be out of order for anybody. */
static size_t move_back(struct cl_city_plan *plan, size_t i, int move)
{
    size_t to = i + (size_t)move < CL_BLOCK - 1 ? i + (size_t)move : CL_BLOCK - 1;
    struct cl_city_entry *e = plan->entries, moved = e[i];
    if (to == i || e[i + 1].late || e[i + 1].malformed != CL_CITY_WELL_FORMED ||
        e[i + 1].time_us == moved.time_us)
        return i + 1;
    memmove(&e[i], &e[i + 1], (to - i) * sizeof *e);
    moved.moved = true;
    e[to] = moved;
    return to + 1;
}

static void spoil(const struct cl_city *city, enum cl_city_feed feed, int partition,
                  struct cl_city_plan *plan)
{
    int move[CL_BLOCK];
    for (size_t i = 0; i < CL_BLOCK; i++) {
        struct cl_city_entry *e = &plan->entries[i];
        struct cl_city_fault fault;
        fault_of_event(city, feed, partition, e->n, &fault);
        e->malformed = fault.malformed;
        e->late = fault.late_us > 0;
        e->time_us -= fault.late_us;
        move[i] = fault.move;
    }
    for (size_t i = 0; i + 1 < CL_BLOCK;)
        i = move[i] > 0 ? move_back(plan, i, move[i]) : i + 1;
}

/* Puts the k-th duplicate of this block behind its original. */
static void add_duplicate(const struct cl_city *city, enum cl_city_feed feed, int partition,
                          const struct cl_city_schedule *s, int64_t k, struct cl_city_plan *plan)
{
    uint64_t key = city->key[CL_KEY_COPY] + ((uint64_t)feed << 32) + (uint64_t)partition;
    uint64_t h = cl_city_hash(key, (uint64_t)plan->block, (uint64_t)k);
    int64_t back = (int64_t)(h & 3);
    if (back > plan->block) back = 0;
    int64_t first = (plan->block - back) * CL_BLOCK, at = (int64_t)(h >> 2 & (CL_BLOCK - 1));
    struct cl_city_fault fault = {0};
    /* Copies of broken messages would prove nothing. */
    for (int tries = 0; tries < CL_BLOCK; tries++) {
        fault_of_event(city, feed, partition, first + at, &fault);
        if (fault.malformed == CL_CITY_WELL_FORMED) break;
        at = (at + 1) % CL_BLOCK;
    }
    struct cl_city_entry copy = {.n = first + at,
                                 .duplicate = true,
                                 .late = fault.late_us > 0,
                                 .malformed = fault.malformed};
    int64_t entity;
    copy.time_us = cl_city_schedule_time(city, s, copy.n, &entity) - fault.late_us;
    size_t low = 0;
    if (back == 0)
        while (plan->entries[low++].n != copy.n) {
        }
    size_t place = low + (size_t)cl_below(cl_mix64(h), (int64_t)(plan->n - low) + 1);
    memmove(&plan->entries[place + 1], &plan->entries[place], (plan->n - place) * sizeof copy);
    plan->entries[place] = copy;
    plan->n++;
}

static enum cl_code plan_dense(const struct cl_city *city, enum cl_city_feed feed, int partition,
                               struct cl_city_plan *plan, struct cl_error *err)
{
    struct cl_city_schedule s = cl_city_schedule_of(city, feed, partition);
    int64_t size = cl_city_plan_block_offset(city, feed, plan->block + 1) - plan->first_offset;
    enum cl_code code = reserve(plan, (size_t)size, err);
    if (code != CL_OK) return code;
    for (plan->n = 0; plan->n < CL_BLOCK; plan->n++) {
        int64_t n = plan->block * CL_BLOCK + (int64_t)plan->n, entity;
        plan->entries[plan->n] =
            (struct cl_city_entry){.n = n, .time_us = cl_city_schedule_time(city, &s, n, &entity)};
    }
    int64_t sent = plan->entries[0].time_us;
    if (has_faults(city)) {
        spoil(city, feed, partition, plan);
        for (int64_t k = 0; k < size - CL_BLOCK; k++)
            add_duplicate(city, feed, partition, &s, k, plan);
    }
    for (size_t i = 0; i < plan->n; i++) {
        struct cl_city_entry *e = &plan->entries[i];
        if (!e->duplicate) {
            int64_t entity,
                due = e->late ? cl_city_schedule_time(city, &s, e->n, &entity) : e->time_us;
            if (due > sent) sent = due;
        }
        e->sent_us = sent;
    }
    return CL_OK;
}

/* When message k of an incident is due: the first at its start, the last at its end. */
static int64_t message_time(const struct cl_incident *inc, int k)
{
    return inc->start_us + (inc->end_us - inc->start_us) * k / (inc->events - 1);
}

static enum cl_code add_message(const struct cl_city *city, const struct cl_incident *inc, int k,
                                int64_t hour, struct cl_city_plan *plan, struct cl_error *err)
{
    uint64_t key = city->key[CL_KEY_FAULT] + ((uint64_t)CL_CITY_EMERGENCY << 32);
    uint64_t h = cl_city_hash(key, (uint64_t)inc->hour << 20 | (uint64_t)inc->number, (uint64_t)k);
    struct cl_city_fault fault;
    cl_city_fault_of(city, h, &fault);
    struct cl_city_entry e = {.n = (int64_t)plan->n_incidents * 8 + k,
                              .time_us = message_time(inc, k)};
    e.malformed = fault.malformed;
    e.late = fault.late_us > 0;
    e.sent_us = e.time_us + fault.late_us;
    e.moved = fault.move > 0; /* wanted; settled once the order is known */
    enum cl_code code = reserve(plan, plan->n + 2, err);
    if (code != CL_OK) return code;
    if (cl_floor_div(e.sent_us, CL_HOUR_US) == hour) plan->entries[plan->n++] = e;
    if (!fault.duplicate) return CL_OK;
    e.duplicate = true;
    e.moved = false;
    e.sent_us += CL_SECOND_US + cl_below(cl_mix64(h + 5), 300 * CL_SECOND_US);
    if (cl_floor_div(e.sent_us, CL_HOUR_US) == hour) plan->entries[plan->n++] = e;
    return CL_OK;
}

static enum cl_code add_incident(const struct cl_city *city, const struct cl_incident *inc,
                                 int64_t hour, struct cl_city_plan *plan, struct cl_error *err)
{
    if (plan->n_incidents == plan->cap_incidents) {
        size_t cap = plan->cap_incidents == 0 ? 16 : plan->cap_incidents * 2;
        struct cl_incident *grown = realloc(plan->incidents, cap * sizeof *grown);
        if (grown == NULL) return cl_fail_nomem(err);
        plan->incidents = grown;
        plan->cap_incidents = cap;
    }
    size_t before = plan->n;
    for (int k = 0; k < inc->events; k++) {
        enum cl_code code = add_message(city, inc, k, hour, plan, err);
        if (code != CL_OK) return code;
    }
    if (plan->n > before) plan->incidents[plan->n_incidents++] = *inc;
    return CL_OK;
}

static int by_sending(const void *a, const void *b)
{
    const struct cl_city_entry *x = a, *y = b;
    if (x->sent_us != y->sent_us) return x->sent_us < y->sent_us ? -1 : 1;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    return (int)x->duplicate - (int)y->duplicate;
}

/* Swaps each message that wants to be out of order with the next one. */
static void swap_neighbours(struct cl_city_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        struct cl_city_entry *e = &plan->entries[i], *next = e + 1;
        if (!e->moved) continue;
        e->moved = false;
        if (i + 1 == plan->n || next->duplicate || next->late ||
            next->malformed != CL_CITY_WELL_FORMED || next->time_us == e->time_us)
            continue;
        struct cl_city_entry later = *e;
        later.moved = true;
        later.sent_us = next->sent_us;
        *e = *next;
        e->moved = false;
        *next = later;
        i++;
    }
}

static enum cl_code plan_hour(const struct cl_city *city, struct cl_incident_book *book,
                              int partition, struct cl_city_plan *plan, struct cl_error *err)
{
    int64_t hour = cl_floor_div(city->config.start_us, CL_HOUR_US) + plan->block;
    plan->n = plan->n_incidents = 0;
    for (int64_t h = hour - CL_INCIDENT_HOURS; h <= hour; h++) {
        const struct cl_incident *incidents;
        size_t n;
        enum cl_code code = cl_incident_book_hour(book, h, &incidents, &n, err);
        for (size_t i = 0; i < n && code == CL_OK; i++) {
            const struct cl_incident *inc = &incidents[i];
            if (inc->vehicle % city->config.partitions == partition &&
                inc->start_us >= city->config.start_us)
                code = add_incident(city, inc, hour, plan, err);
        }
        if (code != CL_OK) return code;
    }
    assert(plan->n < (size_t)1 << CL_HOUR_OFFSET_BITS);
    if (plan->n > 0) qsort(plan->entries, plan->n, sizeof *plan->entries, by_sending);
    swap_neighbours(plan);
    return CL_OK;
}

enum cl_code cl_city_plan_make(const struct cl_city *city, struct cl_incident_book *book,
                               enum cl_city_feed feed, int partition, int64_t block,
                               struct cl_city_plan *plan, struct cl_error *err)
{
    plan->block = block;
    plan->first_offset = cl_city_plan_block_offset(city, feed, block);
    enum cl_code code = feed == CL_CITY_EMERGENCY ? plan_hour(city, book, partition, plan, err)
                                                  : plan_dense(city, feed, partition, plan, err);
    if (code != CL_OK) plan->block = -1;
    return code;
}
