/* process_faults.h - the faults of the process itself: allocations that fail in turn, clocks that
 * jump and run fast.
 *
 * The program's own allocator functions and clocks stand in front of the real ones
 * (process_faults.c says how). */
#ifndef CITYLAKE_TESTS_PROCESS_FAULTS_H
#define CITYLAKE_TESTS_PROCESS_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* From now on allocations are counted; number `at` (from 1; 0: none) and the `count` - 1 after it
 * fail. */
void process_faults_arm_alloc(long long at, int count);
/* Returns how many allocations there were. */
long long process_faults_disarm_alloc(void);

/* The wall clock jumps by up to 3 days, forwards and back, now and then; seed 0: it does not. */
void process_faults_jump_clock(uint64_t seed);

/* Monotonic time passes this many times as fast, and sleeps are as much shorter: a minute of
 * retries takes a second. */
enum { PROCESS_FAULTS_WARP = 50 };

#endif
