#include "faults.h"

#include "../tools/random.h"
#include "base/hash.h"

#include <signal.h>
#include <unistd.h>

void faults_init(struct faults *f, const struct fault_plan *plan)
{
    *f = (struct faults){.plan = *plan, .random = cl_mix64(plan->seed) | 1};
    (void)pthread_mutex_init(&f->lock, NULL);
}

void faults_fini(struct faults *f)
{
    (void)pthread_mutex_destroy(&f->lock);
}

static bool fails_locked(struct faults *f, enum fault_call call)
{
    const struct fault_plan *p = &f->plan;
    int per_10k = call == FAULT_POLL ? p->poll_per_10k : p->per_10k;
    bool by_rate = per_10k > 0 && random_below(&f->random, 10000) < (uint32_t)per_10k;
    return by_rate ||
           (call != FAULT_POLL && f->calls >= p->first && f->calls < p->first + p->count);
}

static enum fault_kind choose_locked(struct faults *f, enum fault_call call)
{
    uint32_t dice = random_below(&f->random, 100);
    switch (call) {
    case FAULT_COMMIT:
        return dice < 25   ? FAULT_UNDONE
               : dice < 50 ? FAULT_DONE
               : dice < 75 ? FAULT_HALF
                           : FAULT_LATE;
    case FAULT_WRITE: return dice < 50 ? FAULT_UNDONE : FAULT_HALF;
    case FAULT_CREATE:
    case FAULT_READ:
    case FAULT_SIZE:
    case FAULT_LIST:
    case FAULT_LOAD:
    case FAULT_POLL: return FAULT_UNDONE;
    default: return dice < 50 ? FAULT_UNDONE : FAULT_DONE;
    }
}

enum fault_kind faults_next(struct faults *f, enum fault_call call, int *ret_die)
{
    const struct fault_plan *p = &f->plan;
    enum fault_kind kind = FAULT_NONE;
    pthread_mutex_lock(&f->lock);
    if (call != FAULT_POLL) f->calls++;
    bool counts = call != FAULT_POLL;
    *ret_die = counts && f->calls == p->die_at ? 1 + (int)random_below(&f->random, 3) : 0;
    bool pause = counts && f->calls == p->pause_at;
    bool slow = p->slow_per_10k > 0 && random_below(&f->random, 10000) < (uint32_t)p->slow_per_10k;
    if (fails_locked(f, call)) {
        kind = choose_locked(f, call);
        f->hits++;
        if (call == FAULT_REMOVE && kind == FAULT_UNDONE) f->left_files = true;
    }
    useconds_t delay_us = slow ? random_below(&f->random, 3000) : 0;
    pthread_mutex_unlock(&f->lock);
    if (pause) (void)raise(SIGSTOP);
    if (delay_us > 0) (void)usleep(delay_us);
    return kind;
}

enum cl_code faults_fail(struct faults *f, enum fault_call call, enum fault_kind kind,
                         struct cl_error *err)
{
    pthread_mutex_lock(&f->lock);
    uint32_t dice = random_below(&f->random, 10);
    pthread_mutex_unlock(&f->lock);
    bool swaps = call == FAULT_PUT_IF_ABSENT || call == FAULT_COMMIT;
    if (swaps && (dice < 5 || kind == FAULT_LATE))
        return cl_fail(err, CL_EUNKNOWN, "injected: no answer (call %d)", (int)call);
    if (kind == FAULT_UNDONE && dice == 9 && call != FAULT_POLL) return cl_fail_nomem(err);
    enum cl_code code =
        cl_fail(err, CL_EIO, "injected: no space left or no connection (call %d)", (int)call);
    if (dice == 8 && err != NULL && call != FAULT_POLL)
        err->retriable = false; /* as EACCES or EROFS */
    if (dice == 8 && err != NULL && call == FAULT_POLL) err->fatal = true;
    return code;
}

_Noreturn void faults_die(void)
{
    _exit(FAULT_EXIT);
}
