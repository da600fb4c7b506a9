/* incidents.c - accidents, fires, medical and police calls.
 *
 * A Poisson process, made hour by hour: exponential gaps at the rate of the busiest time, thinned
 * by the demand of the moment.  An incident happens to a vehicle that is on a trip, on the edge
 * where that trip would about be; so incidents lie where the traffic is. Only the route is asked,
 * never the speed, which depends on incidents.
 *
 * A book keeps the last few hours it was asked for, each with a hash table from junction to
 * incident. */
#include "city/model.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOURS_KEPT = 4, CANDIDATES = 8 };

struct hour {
    int64_t hour; /* INT64_MIN: empty */
    struct cl_incident *incidents;
    size_t n, cap;
    int32_t *table;               /* of indices into incidents, -1 free */
    size_t table_size, table_cap; /* table_size is a power of two */
};

struct cl_incident_book {
    const struct cl_city *city;
    struct hour hours[HOURS_KEPT];
};

enum cl_code cl_incident_book_new(const struct cl_city *city, struct cl_incident_book **ret,
                                  struct cl_error *err)
{
    struct cl_incident_book *book = calloc(1, sizeof *book);
    if (book == NULL) return cl_fail_nomem(err);
    book->city = city;
    for (int k = 0; k < HOURS_KEPT; k++)
        book->hours[k].hour = INT64_MIN;
    *ret = book;
    return CL_OK;
}

void cl_incident_book_free(struct cl_incident_book *book)
{
    if (book == NULL) return;
    for (int k = 0; k < HOURS_KEPT; k++) {
        free(book->hours[k].incidents);
        free(book->hours[k].table);
    }
    free(book);
}

/* The k-th edge of a route. */
static void edge_of_route(const struct cl_route *route, int k, struct cl_incident *ret)
{
    int edges = 0, s = 0;
    for (; s + 2 < route->n; s++) {
        (void)cl_stretch(route->corner[s], route->corner[s + 1], &edges);
        if (k < edges) break;
        k -= edges;
    }
    ret->dir = (uint8_t)cl_stretch(route->corner[s], route->corner[s + 1], &edges);
    ret->at = cl_node_step(route->corner[s], ret->dir, k);
}

static void put_on_road(const struct cl_city *city, uint64_t hash, struct cl_incident *inc)
{
    struct cl_trip trip;
    for (uint64_t k = 0; k < CANDIDATES; k++) {
        inc->vehicle =
            cl_below(cl_city_hash(city->key[CL_KEY_INCIDENT] + 1, hash, k), city->config.vehicles);
        uint32_t elapsed;
        int64_t slot = cl_trip_slot(city, inc->vehicle, inc->start_us, &elapsed);
        cl_trip_plan(city, inc->vehicle, slot, &trip);
        double share = ((double)elapsed - trip.depart) / (1.5e6 * trip.route.free_s + 1);
        if (trip.route.n < 2 || share < 0 || share >= 1) continue;
        edge_of_route(&trip.route, (int)(share * trip.route.edges), inc);
        return;
    }
    /* Nobody is under way: the last candidate is where it stands. */
    inc->at = trip.route.corner[0];
    inc->dir = inc->at.i < city->roads.half ? CL_EAST : CL_WEST;
}

static void describe(const struct cl_city *city, int64_t hour, int32_t number,
                     struct cl_incident *inc)
{
    static const double minutes[CL_INCIDENT_TYPES] = {30, 45, 18, 22};
    uint64_t h = cl_city_hash(city->key[CL_KEY_INCIDENT], (uint64_t)hour, (uint64_t)number);
    double kind = cl_unit(h), length = cl_unit(cl_mix64(h + 1));
    inc->hour = hour;
    inc->number = number;
    inc->type = kind < 0.46   ? CL_ACCIDENT
                : kind < 0.58 ? CL_FIRE
                : kind < 0.82 ? CL_MEDICAL
                              : CL_POLICE;
    double lasts = minutes[inc->type] * (0.45 + 1.4 * length * length); /* at most 84 minutes */
    inc->end_us = inc->start_us + (int64_t)(lasts * 60e6);
    inc->events = (uint8_t)(2 + (int)fmin(3, lasts / 12));
    put_on_road(city, h, inc);
}

static enum cl_code append(struct hour *hour, const struct cl_incident *inc, struct cl_error *err)
{
    if (hour->n == hour->cap) {
        size_t cap = hour->cap == 0 ? 32 : hour->cap * 2;
        struct cl_incident *grown = realloc(hour->incidents, cap * sizeof *grown);
        if (grown == NULL) return cl_fail_nomem(err);
        hour->incidents = grown;
        hour->cap = cap;
    }
    hour->incidents[hour->n++] = *inc;
    return CL_OK;
}

static size_t slot_of(const struct hour *hour, struct cl_node node)
{
    uint64_t packed = (uint64_t)(uint16_t)node.i << 16 | (uint16_t)node.j;
    return (size_t)(packed * 0x9e3779b97f4a7c15u >> 32) & (hour->table_size - 1);
}

static void index_node(struct hour *hour, struct cl_node node, int32_t incident)
{
    size_t at = slot_of(hour, node);
    while (hour->table[at] >= 0)
        at = (at + 1) & (hour->table_size - 1);
    hour->table[at] = incident;
}

static enum cl_code index_all(struct hour *hour, struct cl_error *err)
{
    size_t size = 64;
    while (size < hour->n * 8)
        size *= 2;
    if (size > hour->table_cap) {
        int32_t *grown = realloc(hour->table, size * sizeof *grown);
        if (grown == NULL) return cl_fail_nomem(err);
        hour->table = grown;
        hour->table_cap = size;
    }
    hour->table_size = size;
    memset(hour->table, 0xff, size * sizeof *hour->table);
    for (size_t k = 0; k < hour->n; k++) {
        const struct cl_incident *inc = &hour->incidents[k];
        index_node(hour, inc->at, (int32_t)k);
        index_node(hour, cl_node_step(inc->at, inc->dir, 1), (int32_t)k);
    }
    return CL_OK;
}

static enum cl_code fill(const struct cl_city *city, int64_t number, struct hour *hour,
                         struct cl_error *err)
{
    double at = 0;
    hour->hour = INT64_MIN;
    hour->n = 0;
    for (uint64_t k = 0;; k++) {
        uint64_t h = cl_city_hash(city->key[CL_KEY_INCIDENT] + 2, (uint64_t)number, k);
        at -= log(1 - cl_unit(h)) / city->incidents_per_hour;
        if (at >= 1) break;
        struct cl_incident inc = {.start_us =
                                      number * CL_HOUR_US + (int64_t)(at * (double)CL_HOUR_US)};
        double keep = 0.2 + 0.8 * cl_traffic_demand(city, inc.start_us);
        if (cl_unit(cl_mix64(h + 7)) >= keep) continue;
        describe(city, number, (int32_t)k, &inc);
        enum cl_code code = append(hour, &inc, err);
        if (code != CL_OK) return code;
    }
    enum cl_code code = index_all(hour, err);
    if (code == CL_OK) hour->hour = number;
    return code;
}

static enum cl_code open_hour(struct cl_incident_book *book, int64_t number,
                              const struct hour **ret, struct cl_error *err)
{
    struct hour *hour = &book->hours[(uint64_t)number % HOURS_KEPT];
    if (hour->hour != number) {
        enum cl_code code = fill(book->city, number, hour, err);
        if (code != CL_OK) return code;
    }
    *ret = hour;
    return CL_OK;
}

enum cl_code cl_incident_book_hour(struct cl_incident_book *book, int64_t hour,
                                   const struct cl_incident **ret, size_t *ret_n,
                                   struct cl_error *err)
{
    const struct hour *found;
    enum cl_code code = open_hour(book, hour, &found, err);
    if (code != CL_OK) return code;
    *ret = found->incidents;
    *ret_n = found->n;
    return CL_OK;
}

static bool same(struct cl_node a, struct cl_node b)
{
    return a.i == b.i && a.j == b.j;
}

/* The strongest effect in one hour's incidents on the edge a-b, as seen from a. */
static double slowest(const struct hour *hour, struct cl_node a, struct cl_node b, int64_t time_us)
{
    static const double on_edge[] = {0.2, 0.25, 0.55, 0.45}, near[] = {0.6, 0.6, 0.85, 0.8};
    double factor = 1;
    for (size_t at = slot_of(hour, a); hour->table[at] >= 0;
         at = (at + 1) & (hour->table_size - 1)) {
        const struct cl_incident *inc = &hour->incidents[hour->table[at]];
        if (time_us < inc->start_us || time_us >= inc->end_us) continue;
        struct cl_node end = cl_node_step(inc->at, inc->dir, 1);
        bool from = same(inc->at, a), to = same(end, a);
        if (!from && !to) continue; /* another junction that shares the place in the table */
        bool here = (from && same(end, b)) || (to && same(inc->at, b));
        factor = fmin(factor, here ? on_edge[inc->type] : near[inc->type]);
    }
    return factor;
}

enum cl_code cl_incident_speed_factor(struct cl_incident_book *book, struct cl_node at, int dir,
                                      int64_t time_us, double *ret, struct cl_error *err)
{
    struct cl_node to = cl_node_step(at, dir, 1);
    int64_t now = cl_floor_div(time_us, CL_HOUR_US);
    double factor = 1;
    for (int64_t h = now - CL_INCIDENT_HOURS; h <= now; h++) {
        const struct hour *hour;
        enum cl_code code = open_hour(book, h, &hour, err);
        if (code != CL_OK) return code;
        if (hour->n == 0) continue;
        factor = fmin(factor, fmin(slowest(hour, at, to, time_us), slowest(hour, to, at, time_us)));
    }
    *ret = factor;
    return CL_OK;
}
