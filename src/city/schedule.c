/* schedule.c - which vehicle or camera sends which event of a dense partition, and when: closed
 * forms both ways. */
#include "city/plan.h"

enum { WEATHER_EVERY = 8 }; /* vehicles per weather sensor */

struct cl_city_schedule cl_city_schedule_of(const struct cl_city *city, enum cl_city_feed feed,
                                            int partition)
{
    int64_t partitions = city->config.partitions;
    struct cl_city_schedule s = {
        .period_us = 10 * CL_SECOND_US, .first = partition, .stride = partitions};
    s.total = city->config.vehicles;
    if (feed == CL_CITY_WEATHER) {
        s.period_us = 60 * CL_SECOND_US;
        s.stride = partitions * WEATHER_EVERY;
    }
    if (feed == CL_CITY_CAMERA) {
        s.period_us = 60 * CL_SECOND_US;
        /* as many pictures as cameras, but no more than a tenth of the vehicles can be seen */
        int64_t seen = (city->config.vehicles + 9) / 10;
        s.total = city->cameras < seen ? city->cameras : seen;
    }
    /* A partition without a vehicle has nobody to send anything. */
    if (s.total > s.first && city->config.vehicles > partition)
        s.per_tick = (s.total - s.first + s.stride - 1) / s.stride;
    return s;
}

int64_t cl_city_schedule_time(const struct cl_city *city, const struct cl_city_schedule *s,
                              int64_t n, int64_t *ret_entity)
{
    int64_t tick = n / s->per_tick, entity = s->first + (n - tick * s->per_tick) * s->stride;
    *ret_entity = entity;
    return city->config.start_us + tick * s->period_us + entity * s->period_us / s->total;
}

int64_t cl_city_schedule_before(const struct cl_city *city, const struct cl_city_schedule *s,
                                int64_t time_us)
{
    int64_t passed = time_us - city->config.start_us;
    if (passed <= 0 || s->per_tick == 0) return 0;
    int64_t tick = passed / s->period_us, rest = passed - tick * s->period_us;
    /* floor(e * period / total) < rest  <=>  e < ceil(rest * total / period) */
    int64_t below = (int64_t)(((__int128)rest * s->total + s->period_us - 1) / s->period_us);
    int64_t in_tick = below > s->first ? (below - s->first + s->stride - 1) / s->stride : 0;
    return tick * s->per_tick + in_tick;
}
