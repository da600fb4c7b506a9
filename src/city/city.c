/* city.c - checks the configuration and builds what never changes: keys, roads, sizes. */
#include "city/city.h"

#include "city/plan.h"

#include <math.h>
#include <stdlib.h>

enum { CAMERA_LATTICE = 4 };
/* Of the incidents that would begin if it were always the busiest time. */
#define MESSAGES_PER_INCIDENT 1.9

const char *cl_city_feed_name(enum cl_city_feed feed)
{
    static const char *const names[] = {"vehicle", "gps", "camera", "weather", "emergency"};
    return names[feed];
}

const char *cl_city_measure_name(enum cl_city_feed feed, int i)
{
    static const char *const names[CL_CITY_FEEDS][CL_CITY_MEASURES] = {
        {"speed"},
        {"speed"},
        {"snapshot_length"},
        {"temperature", "precipitation", "windSpeed", "humidity", "airQualityIndex"},
        {"resolved"},
    };
    return i < CL_CITY_MEASURES ? names[feed][i] : NULL;
}

static enum cl_code check_rate(double rate, const char *name, struct cl_error *err)
{
    if (rate >= 0 && rate <= 1) return CL_OK;
    return cl_fail(err, CL_EINVAL, "city: %s must be a rate between 0 and 1, not %g", name, rate);
}

static enum cl_code check(const struct cl_city_config *c, struct cl_error *err)
{
    if (c->vehicles < 1 || c->vehicles > 10000000)
        return cl_fail(err, CL_EINVAL, "city: vehicles must be between 1 and 10000000, not %lld",
                       (long long)c->vehicles);
    if (c->partitions < 1 || c->partitions > CL_CITY_MAX_PARTITIONS)
        return cl_fail(err, CL_EINVAL, "city: partitions must be between 1 and %d, not %d",
                       CL_CITY_MAX_PARTITIONS, c->partitions);
    if (!(fabs(c->latitude) <= 80) || !(fabs(c->longitude) <= 175))
        return cl_fail(
            err, CL_EINVAL,
            "city: its centre must be within 80 degrees of latitude and 175 of longitude");
    /* Years 1900 to 2200: inside of them no arithmetic on times can overflow. */
    if (c->start_us < -70 * 366 * CL_DAY_US || c->start_us > 230 * 365 * CL_DAY_US)
        return cl_fail(err, CL_EINVAL, "city: start must be between the years 1900 and 2200");
    enum cl_code code = check_rate(c->duplicates, "duplicates", err);
    if (code == CL_OK) code = check_rate(c->late, "late", err);
    if (code == CL_OK) code = check_rate(c->out_of_order, "out_of_order", err);
    if (code == CL_OK) code = check_rate(c->malformed, "malformed", err);
    return code;
}

static void count_cameras(struct cl_city *city)
{
    int64_t lines = 2 * (city->roads.half / CAMERA_LATTICE) + 1;
    int64_t collectors = lines - (2 * (city->roads.half / (2 * CAMERA_LATTICE)) + 1);
    city->camera_lines = (int)lines;
    city->cameras = lines * lines - collectors * collectors;
}

enum cl_code cl_city_new(const struct cl_city_config *config, struct cl_city **ret,
                         struct cl_error *err)
{
    enum cl_code code = check(config, err);
    if (code != CL_OK) return code;
    struct cl_city *city = calloc(1, sizeof *city);
    if (city == NULL) return cl_fail_nomem(err);
    city->config = *config;
    for (uint64_t k = 0; k < CL_KEYS; k++)
        city->key[k] = cl_city_hash(0x6369747900000000, config->seed, k);
    code = cl_roads_init(&city->roads, city->key[CL_KEY_ROADS], config, err);
    if (code != CL_OK) {
        cl_city_free(city);
        return code;
    }
    city->zone_us = lround(config->longitude / 15) * CL_HOUR_US;
    city->duplicates_20 = (uint64_t)llround(config->duplicates * 0x1p20);
    city->incidents_per_hour = fmax(24, (double)config->vehicles / 250);
    /* Trips across a good part of the city, 6 km at most; slots that hold one at about 16 km/h. */
    int reach = city->roads.half;
    city->reach = reach > 38 ? 38 : reach;
    city->slot_us = (1 + city->reach * 36 / 60) * 60 * CL_SECOND_US;
    count_cameras(city);
    *ret = city;
    return CL_OK;
}

void cl_city_free(struct cl_city *city)
{
    if (city == NULL) return;
    cl_roads_fini(&city->roads);
    free(city);
}

const struct cl_city_config *cl_city_config_of(const struct cl_city *city)
{
    return &city->config;
}

double cl_city_events_per_second(const struct cl_city *city, unsigned feeds)
{
    double rate = 0;
    for (int feed = 0; feed < CL_CITY_EMERGENCY; feed++)
        for (int p = 0; p < city->config.partitions && (feeds & CL_CITY_BIT(feed)) != 0; p++) {
            struct cl_city_schedule s = cl_city_schedule_of(city, (enum cl_city_feed)feed, p);
            rate += (double)s.per_tick * (double)CL_SECOND_US / (double)s.period_us;
        }
    if ((feeds & CL_CITY_BIT(CL_CITY_EMERGENCY)) != 0)
        rate += city->incidents_per_hour * MESSAGES_PER_INCIDENT / 3600;
    return rate * (1 + city->config.duplicates);
}

int64_t cl_city_edge_count(const struct cl_city *city)
{
    return 2 * (int64_t)city->roads.side * (city->roads.side - 1);
}

static void locate(const struct cl_roads *r, struct cl_node at, double ret[2])
{
    size_t node = cl_node_index(r, at);
    ret[0] = r->latitude + (double)r->y[node] * r->deg_per_m_lat;
    ret[1] = r->longitude + (double)r->x[node] * r->deg_per_m_lon;
}

void cl_city_edge(const struct cl_city *city, int64_t edge, struct cl_city_edge *ret)
{
    const struct cl_roads *r = &city->roads;
    int dir;
    struct cl_node a = cl_roads_edge_start(r, edge, &dir), b = cl_node_step(a, dir, 1);
    locate(r, a, ret->from);
    locate(r, b, ret->to);
    ret->road_class = cl_roads_class(r, a, dir);
    ret->free_speed = cl_road_free_mps(ret->road_class) * 3.6;
    size_t from = cl_node_index(r, a), to = cl_node_index(r, b);
    ret->length_m = hypot((double)(r->x[to] - r->x[from]), (double)(r->y[to] - r->y[from]));
}
