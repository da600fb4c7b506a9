/* plan.h - which event stands at which offset of a partition (private to src/city).
 *
 * A plan is the list of places of one block of a partition: 64 events and their duplicates for the
 * dense feeds, one hour of sending for emergency.  Blocks have closed-form offsets, so any offset
 * is found by planning one block. */
#ifndef CITYLAKE_CITY_PLAN_H
#define CITYLAKE_CITY_PLAN_H

#include "city/model.h"

enum { CL_BLOCK = 64, CL_HOUR_OFFSET_BITS = 20 };

/* When the events of a dense partition happen: in each period one from each entity first, first +
 * stride, ... below total, spread evenly over the period by the entity's number. */
struct cl_city_schedule {
    int64_t per_tick, period_us, first, stride, total;
};
struct cl_city_schedule cl_city_schedule_of(const struct cl_city *city, enum cl_city_feed feed,
                                            int partition);
int64_t cl_city_schedule_time(const struct cl_city *city, const struct cl_city_schedule *s,
                              int64_t n, int64_t *ret_entity);
int64_t cl_city_schedule_before(const struct cl_city *city, const struct cl_city_schedule *s,
                                int64_t time_us);

/* --- faults.c --- */
/* What goes wrong with one event; a pure function of the hash that belongs to the event. */
struct cl_city_fault {
    enum cl_city_malformed malformed;
    int64_t late_us; /* 0: in time */
    int move;        /* places it falls back; 0: none */
    bool duplicate;  /* emergency only */
};
void cl_city_fault_of(const struct cl_city *city, uint64_t hash, struct cl_city_fault *ret);

struct cl_city_entry {
    /* dense: number of the event; emergency: index into plan->incidents * 8 + message about it */
    int64_t n;
    int64_t sent_us, time_us;
    bool duplicate, late, moved;
    enum cl_city_malformed malformed;
};

struct cl_city_plan {
    int64_t block; /* number of it, or hours since the city's first; -1: nothing planned */
    int64_t first_offset;
    struct cl_city_entry *entries; /* owned */
    size_t n, cap;
    struct cl_incident *incidents; /* owned; emergency only */
    size_t n_incidents, cap_incidents;
};
void cl_city_plan_fini(struct cl_city_plan *plan);
int64_t cl_city_plan_block_of(const struct cl_city *city, enum cl_city_feed feed, int64_t offset);
int64_t cl_city_plan_block_offset(const struct cl_city *city, enum cl_city_feed feed,
                                  int64_t block);
enum cl_code cl_city_plan_make(const struct cl_city *city, struct cl_incident_book *book,
                               enum cl_city_feed feed, int partition, int64_t block,
                               struct cl_city_plan *plan, struct cl_error *err);

/* --- message.c --- */
struct cl_album;
struct cl_city_message {
    uint8_t value[CL_CITY_MAX_MESSAGE];
    size_t len;
    char key[CL_CITY_MAX_KEY];
    size_t key_len;
};
struct cl_city_writer {
    const struct cl_city *city;
    struct cl_incident_book *book;
    struct cl_album *album;
    int64_t date_day; /* the day whose date text is below */
    char date[16];    /* 2026-01-05T */
};
/* Writes the message of an entry into `ret` and the numbers, id and times of `event`.  motion: of
 * the entity, or NULL when it must not be disturbed. */
enum cl_code cl_city_message_write(struct cl_city_writer *w, enum cl_city_feed feed, int partition,
                                   const struct cl_city_plan *plan,
                                   const struct cl_city_entry *entry, int64_t entity,
                                   struct cl_city_motion *motion, struct cl_city_message *ret,
                                   struct cl_city_event *event, struct cl_error *err);

#endif
