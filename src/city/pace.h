/* pace.h - simulated time that follows the wall clock.
 *
 * start once, then any thread may ask.  A city that is paced gives each event when the simulated
 * clock has reached it. */
#ifndef CITYLAKE_CITY_PACE_H
#define CITYLAKE_CITY_PACE_H

#include "base/clock.h"

struct cl_pace {
    double speed;    /* simulated seconds per real second; 0: not paced, every moment has come */
    int64_t real_us; /* monotonic clock ... */
    int64_t simulated_us; /* ... and simulated time at the start */
};

static inline void cl_pace_start(struct cl_pace *pace, double speed, int64_t simulated_us)
{
    *pace = (struct cl_pace){
        .speed = speed, .real_us = cl_clock_monotonic_us(), .simulated_us = simulated_us};
}

/* The simulated time; INT64_MAX when not paced. */
static inline int64_t cl_pace_now_us(const struct cl_pace *pace)
{
    if (pace->speed <= 0) return INT64_MAX;
    double passed = (double)(cl_clock_monotonic_us() - pace->real_us) * pace->speed;
    return pace->simulated_us + (passed < 4e18 ? (int64_t)passed : INT64_MAX / 2);
}

/* Real time until simulated time_us, 0 when it has come. */
static inline int64_t cl_pace_wait_us(const struct cl_pace *pace, int64_t time_us)
{
    int64_t now = cl_pace_now_us(pace);
    if (time_us <= now) return 0;
    double wait = (double)(time_us - now) / pace->speed;
    return wait < 1e15 ? (int64_t)wait + 1 : INT64_C(1000000000000000);
}

#endif
