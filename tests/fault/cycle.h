/* cycle.h - one cycle: new messages, runs of the engine that meet faults, a run that meets none,
 * and the check of the lake.
 *
 * world_open -> cycle_run* -> world_close.  A world is a lake with its source; cycles that follow
 * each other share it. */
#ifndef CITYLAKE_TESTS_CYCLE_H
#define CITYLAKE_TESTS_CYCLE_H

#include "truth_source.h"

#include <stdio.h>

enum cycle_mode {
    CYCLE_NTH,    /* one call fails */
    CYCLE_OUTAGE, /* many calls in a row fail */
    CYCLE_RATE,   /* each call fails with some probability */
    CYCLE_ALLOC,  /* one allocation, or some in a row, fail */
    CYCLE_DEATH,  /* the process ends within a call, and again after its restart */
    CYCLE_KILL,   /* kill -9 at any time */
    CYCLE_PAUSE,  /* stopped in a call until another process has read everything */
    CYCLE_RIVALS, /* two or three processes at once, with all of the above */
    CYCLE_STOP,   /* asked to stop, again and again, while calls fail */
    CYCLE_MODES
};
const char *cycle_mode_name(enum cycle_mode mode);

struct world {
    char dir[128];
    struct cl_spec *spec;
    struct truth_source truth;
    size_t orphans; /* data files without a table so far */
    int temp_files;
    int descriptors; /* after the first cycle; 0: not known */
};

/* What happened, to be added up. */
struct cycle_counts {
    long cycles, failed, runs, hits, deaths, messages;
    long by_mode[CYCLE_MODES];
};

/* dir: an empty folder.  Ends the process when it cannot be used. */
void world_open(struct world *w, const char *dir, uint64_t seed);
void world_close(struct world *w);

/* Returns how many things are wrong; each is a line on out. */
int cycle_run(struct world *w, uint64_t seed, struct cycle_counts *counts, FILE *out, bool verbose);
/* The mode that this seed leads to. */
enum cycle_mode cycle_mode_of(uint64_t seed);

#endif
