/* random.h - a small reproducible random source for tests (xorshift64*): the same numbers on every
 * machine. */
#ifndef CITYLAKE_TESTS_RANDOM_H
#define CITYLAKE_TESTS_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state) /* *state != 0 */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* Uniform enough in [0, n). */
static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((random_next(state) >> 32) * n >> 32);
}

#endif
