/* noise.h - hashes as random numbers, and smooth random fields made of them.
 *
 * Everything random in the city is a hash of what it belongs to, so it can be asked for in any
 * order.  Value noise: random numbers on a lattice of whole coordinates, interpolated with 3t^2 -
 * 2t^3, which has no kinks. */
#ifndef CITYLAKE_CITY_NOISE_H
#define CITYLAKE_CITY_NOISE_H

#include "base/hash.h"

/* A random number that belongs to (a, b); `key` tells the purposes apart. */
static inline uint64_t cl_city_hash(uint64_t key, uint64_t a, uint64_t b)
{
    return cl_mix64(cl_mix64(key + a * 0x9e3779b97f4a7c15u) + b * 0xd1342543de82ef95u);
}

/* The upper bits as a number in [0, 1). */
static inline double cl_unit(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1p-53;
}

/* The hash as a whole number in [0, n). */
static inline int64_t cl_below(uint64_t hash, int64_t n)
{
    return (int64_t)(((unsigned __int128)hash * (uint64_t)n) >> 64);
}

static inline double cl_clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

struct cl_lattice {
    uint64_t low, high; /* the two lattice neighbours, hashed apart */
    double t;           /* eased place between them */
};

static inline struct cl_lattice cl_lattice_of(double x, uint64_t spread)
{
    int64_t whole = (int64_t)x;
    if (x < (double)whole) whole--;
    double t = x - (double)whole;
    uint64_t low = (uint64_t)whole * spread;
    return (struct cl_lattice){low, low + spread, t * t * (3 - 2 * t)};
}

static inline double cl_mix(double a, double b, double t)
{
    return a + (b - a) * t;
}

/* Fields in [0, 1), mostly near 0.5, that change over a distance of about 1. */
static inline double cl_noise1(uint64_t key, double x)
{
    struct cl_lattice a = cl_lattice_of(x, 0x9e3779b97f4a7c15u);
    return cl_mix(cl_unit(cl_mix64(key + a.low)), cl_unit(cl_mix64(key + a.high)), a.t);
}

static inline double cl_noise2(uint64_t key, double x, double y)
{
    struct cl_lattice a = cl_lattice_of(x, 0x9e3779b97f4a7c15u);
    struct cl_lattice b = cl_lattice_of(y, 0xd1342543de82ef95u);
    double low = cl_mix(cl_unit(cl_mix64(key + a.low + b.low)),
                        cl_unit(cl_mix64(key + a.high + b.low)), a.t);
    double high = cl_mix(cl_unit(cl_mix64(key + a.low + b.high)),
                         cl_unit(cl_mix64(key + a.high + b.high)), a.t);
    return cl_mix(low, high, b.t);
}

static inline double cl_noise3(uint64_t key, double x, double y, double z)
{
    struct cl_lattice c = cl_lattice_of(z, 0xaf251af3b0f025b5u);
    return cl_mix(cl_noise2(key + c.low, x, y), cl_noise2(key + c.high, x, y), c.t);
}

#endif
