/* faults.h - what goes wrong in one run of the engine, call after call, decided by a seed.
 *
 * Every call of the store, the catalog and the source asks faults_next what is to become of it.
 * Thread-safe. */
#ifndef CITYLAKE_TESTS_FAULTS_H
#define CITYLAKE_TESTS_FAULTS_H

#include "base/error.h"

#include <pthread.h>
#include <stdint.h>

enum fault_call {
    FAULT_CREATE,
    FAULT_WRITE,
    FAULT_FINISH,
    FAULT_PUT_IF_ABSENT,
    FAULT_PUT,
    FAULT_READ,
    FAULT_SIZE,
    FAULT_REMOVE,
    FAULT_LIST,
    FAULT_LOAD,
    FAULT_CREATE_TABLE,
    FAULT_COMMIT,
    FAULT_POLL,
    FAULT_CALLS
};

enum fault_kind {
    FAULT_NONE,
    FAULT_UNDONE, /* fails, nothing happened */
    FAULT_HALF,   /* fails, a part of it happened; of a commit: a rival's commit comes before it */
    FAULT_DONE,   /* happens, but a failure is reported */
    FAULT_LATE,   /* commits: reported as unknown, and happens before the next commit is tried */
};

/* What the calls of one run meet.  Zero: nothing goes wrong. */
struct fault_plan {
    uint64_t seed;
    int first, count;   /* calls first .. first + count - 1 (counted from 1) fail; count 0: none */
    int per_10k;        /* and each call in so many of 10,000 */
    int poll_per_10k;   /* the source's polls have a rate of their own */
    int slow_per_10k;   /* calls that take a while */
    int die_at;         /* the process ends within this call, 0: never */
    int pause_at;       /* the process stops itself (SIGSTOP) before this call, 0: never */
    long long alloc_at; /* allocation number (from 1) that fails, 0: none */
    int alloc_count;    /* so many fail in a row */
    bool clock_jumps;
};

struct faults {
    struct fault_plan plan;
    pthread_mutex_t lock; /* guards what follows */
    uint64_t random;
    int calls;
    int hits;
    bool left_files; /* a removal was refused: a file without an owner may stay */
};

void faults_init(struct faults *f, const struct fault_plan *plan);
void faults_fini(struct faults *f);

/* Counts the call.  *ret_die: 0, or the process is to end before (1), in the middle of (2) or after
 * (3) it. */
enum fault_kind faults_next(struct faults *f, enum fault_call call, int *ret_die);
/* The failure to report: of a call that was done an I/O error or an unknown outcome, else any. */
enum cl_code faults_fail(struct faults *f, enum fault_call call, enum fault_kind kind,
                         struct cl_error *err);
/* What this process says when it ends by plan. */
enum { FAULT_EXIT = 77 };
_Noreturn void faults_die(void);

#endif
