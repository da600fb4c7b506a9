#include "cycle.h"

#include "../tools/random.h"
#include "base/hash.h"
#include "fault_catalog.h"
#include "fault_store.h"
#include "process_faults.h"
#include "stream/stream.h"
#include "verify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_CALLS = 260,    /* about the calls of one run */
    MAX_ALLOCS = 20000, /* about the allocations of one run */
    MAX_CHILDREN = 3,
    EXIT_EXCUSED = 3, /* a child failed, and may have left files behind */
};

static const char city_yaml[] = "feeds:\n"
                                "  alpha:\n"
                                "    topic: a\n"
                                "    event_time: t\n"
                                "    columns:\n"
                                "      id: {type: string, required: true}\n"
                                "      t: {type: timestamp, required: true}\n"
                                "      x: {type: double}\n"
                                "      pad: {type: string}\n"
                                "    partition: day(t)\n"
                                "  beta:\n"
                                "    topic: b\n"
                                "    event_time: t\n"
                                "    columns:\n"
                                "      id: {type: string, required: true}\n"
                                "      t: {type: timestamp, required: true}\n"
                                "      x: {type: long}\n"
                                "    partition: none\n";

/* One run of the engine. */
struct run {
    struct fault_plan plan;
    int lanes;
    int64_t commit_every_us;
    int stop_after; /* progress reports, 0: until the end */
};

struct outcome {
    enum cl_code code;
    struct cl_error err;
    bool excused; /* files without an owner may stay */
    int hits;
};

struct cycle {
    struct world *w;
    uint64_t random;
    struct cycle_counts *counts;
    FILE *out;
    bool verbose;
    int wrong;
    bool excused;
    bool complete; /* the last run said that it read everything */
};

const char *cycle_mode_name(enum cycle_mode mode)
{
    static const char *const names[CYCLE_MODES] = {"nth",  "outage", "rate",   "alloc", "death",
                                                   "kill", "pause",  "rivals", "stop"};
    return names[mode];
}

enum cycle_mode cycle_mode_of(uint64_t seed)
{
    static const unsigned char weights[CYCLE_MODES] = {20, 10, 15, 20, 12, 5, 5, 8, 5};
    uint64_t dice = cl_mix64(seed ^ 0x6d6f6465) % 100;
    for (int mode = 0; mode < CYCLE_MODES; mode++) {
        if (dice < weights[mode]) return (enum cycle_mode)mode;
        dice -= weights[mode];
    }
    return CYCLE_NTH;
}

static uint32_t below(struct cycle *c, uint32_t n)
{
    return random_below(&c->random, n);
}

/* ---- one run ---- */

struct stop_context {
    atomic_int stop;
    int left;
};

static void on_progress(void *context, const struct cl_stream_stats *stats)
{
    (void)stats;
    struct stop_context *s = context;
    if (s->left > 0 && --s->left == 0) atomic_store(&s->stop, 1);
}

static void run_engine(struct world *w, const struct run *run, const struct cl_log *log,
                       struct outcome *ret)
{
    struct faults faults;
    struct stop_context stop = {.left = run->stop_after};
    struct cl_store *real = NULL, *faulty = NULL;
    struct cl_catalog *calm = NULL, *inner = NULL, *catalog = NULL;
    const struct cl_stream_options options = {.lanes = run->lanes,
                                              .commit_every_us = run->commit_every_us,
                                              .log = log,
                                              .stop = &stop.stop,
                                              .progress = on_progress,
                                              .context = &stop};
    *ret = (struct outcome){0};
    faults_init(&faults, &run->plan);
    enum cl_code code = cl_local_store_new(w->dir, &real, &ret->err);
    if (code == CL_OK) code = cl_local_catalog_new(real, "city", &calm, &ret->err);
    if (code != CL_OK || (faulty = fault_store_new(real, &faults)) == NULL ||
        cl_local_catalog_new(faulty, "city", &inner, &ret->err) != CL_OK ||
        (catalog = fault_catalog_new(inner, calm, &faults)) == NULL)
        abort();
    w->truth.faults = &faults;
    process_faults_jump_clock(run->plan.clock_jumps ? run->plan.seed | 1 : 0);
    process_faults_arm_alloc(run->plan.alloc_at, run->plan.alloc_count);
    ret->code = cl_stream_run(w->spec, &w->truth.base, catalog, &options, NULL, &ret->err);
    long long allocations = process_faults_disarm_alloc();
    process_faults_jump_clock(0);
    w->truth.faults = NULL;
    /* Without memory, files cannot be removed either. */
    ret->excused = faults.left_files || ret->code == CL_EUNKNOWN || run->plan.alloc_count > 1;
    ret->hits =
        faults.hits +
        (run->plan.alloc_at > 0 && allocations >= run->plan.alloc_at ? run->plan.alloc_count : 0);
    if (log != NULL) fprintf(stderr, "    %d calls, %lld allocations\n", faults.calls, allocations);
    catalog->ops->free(catalog);
    inner->ops->free(inner);
    calm->ops->free(calm);
    faulty->ops->free(faulty);
    real->ops->free(real);
    faults_fini(&faults);
}

static const struct cl_log *log_of(const struct cycle *c)
{
    static const struct cl_log verbose = {.fd = STDERR_FILENO, .min_level = CL_LOG_DEBUG};
    return c->verbose ? &verbose : NULL;
}

static void wrong(struct cycle *c, const char *what, const struct cl_error *err)
{
    char text[1400];
    fprintf(c->out, "    wrong: %s%s%s\n", what, err == NULL ? "" : ": ",
            err == NULL ? "" : cl_error_text(err, text, sizeof text));
    c->wrong++;
}

/* Injected faults are of the disk, the network and memory: the engine must not take them for a
 * person's mistake or for corrupt data. */
static void judge(struct cycle *c, const struct outcome *o)
{
    char text[1400];
    c->counts->runs++;
    c->counts->hits += o->hits;
    c->excused |= o->excused;
    c->complete = o->code == CL_OK;
    if (c->verbose)
        fprintf(stderr, "    run: %s %s, %d faults\n", cl_code_name(o->code),
                o->code == CL_OK ? "" : cl_error_text(&o->err, text, sizeof text), o->hits);
    if (o->code == CL_OK) return;
    if (o->code != CL_EIO && o->code != CL_ENOMEM && o->code != CL_EUNKNOWN)
        wrong(c, "a fault was taken for something else", &o->err);
    if (o->err.message[0] == '\0' || o->err.code != o->code)
        wrong(c, "a failure without its reason", &o->err);
}

static struct run calm_run(struct cycle *c)
{
    struct run r = {.lanes = 1 + (int)below(c, 3)};
    static const int64_t every[] = {1, 20000, 200000, 100000000};
    r.commit_every_us = every[below(c, 4)];
    r.plan.seed = random_next(&c->random);
    return r;
}

/* What goes wrong beside the cycle's own faults. */
static struct run noisy_run(struct cycle *c)
{
    struct run r = calm_run(c);
    if (below(c, 4) == 0) r.plan.clock_jumps = true;
    if (below(c, 6) == 0) r.plan.poll_per_10k = (int)below(c, 1000);
    if (below(c, 6) == 0) r.plan.slow_per_10k = (int)below(c, 500);
    return r;
}

static void do_run(struct cycle *c, const struct run *r)
{
    struct outcome o;
    run_engine(c->w, r, log_of(c), &o);
    if (r->stop_after > 0 && o.code == CL_OK) {
        judge(c, &o);
        c->complete = false;
        return;
    }
    judge(c, &o);
}

/* ---- processes ---- */

static pid_t start_child(struct cycle *c, const struct run *r)
{
    fflush(c->out);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0) return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    struct outcome o;
    c->wrong = 0;
    run_engine(c->w, r, log_of(c), &o);
    judge(c, &o);
    fflush(c->out);
    _exit(c->wrong > 0 ? 1 : o.excused ? EXIT_EXCUSED : o.code == CL_OK ? 0 : 2);
}

/* A child ended: by plan, by kill -9 of ours, or by itself. */
static void judge_child(struct cycle *c, int status, bool killed)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    c->counts->runs++;
    if (code == FAULT_EXIT || (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
        c->counts->deaths++;
        c->excused = true;
    } else if (code == EXIT_EXCUSED) {
        c->excused = true;
    } else if (code != 0 && code != 2) {
        fprintf(c->out, "    a child ended with %s %d\n", WIFEXITED(status) ? "status" : "signal",
                WIFEXITED(status) ? code : WTERMSIG(status));
        wrong(c, "a child ended in an unforeseen way", NULL);
    }
}

static void run_child(struct cycle *c, const struct run *r, useconds_t kill_after_us)
{
    int status = 0;
    pid_t pid = start_child(c, r);
    if (kill_after_us > 0) {
        (void)usleep(kill_after_us);
        (void)kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    judge_child(c, status, kill_after_us > 0);
    c->complete = false;
}

/* Stopped in the middle of something; another process reads everything; then the first goes on, a
 * ghost from the past. */
static void run_paused(struct cycle *c)
{
    struct run r = noisy_run(c), other = calm_run(c);
    int status = 0;
    r.plan.pause_at = 1 + (int)below(c, MAX_CALLS);
    pid_t pid = start_child(c, &r);
    while (waitpid(pid, &status, WUNTRACED) < 0 && errno == EINTR) {
    }
    if (WIFSTOPPED(status)) {
        do_run(c, &other);
        if (!c->complete) wrong(c, "the run beside a paused one failed", NULL);
        (void)kill(pid, SIGCONT);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    judge_child(c, status, false);
}

static void run_rivals(struct cycle *c)
{
    pid_t pids[MAX_CHILDREN];
    int n = 2 + (int)below(c, MAX_CHILDREN - 1), left = n, status;
    for (int i = 0; i < n; i++) {
        struct run r = noisy_run(c);
        if (below(c, 2) == 0) r.plan.per_10k = (int)below(c, 300);
        if (below(c, 4) == 0) r.plan.die_at = 1 + (int)below(c, MAX_CALLS);
        if (below(c, 4) == 0) r.plan.pause_at = 1 + (int)below(c, MAX_CALLS);
        pids[i] = start_child(c, &r);
    }
    while (left > 0) {
        pid_t pid = waitpid(-1, &status, WUNTRACED);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) break;
        if (WIFSTOPPED(status)) {
            (void)usleep(below(c, 20000));
            (void)kill(pid, SIGCONT);
            continue;
        }
        judge_child(c, status, false);
        for (int i = 0; i < n; i++)
            if (pids[i] == pid) left--;
    }
    c->complete = false;
}

/* ---- one cycle ---- */

static void run_mode(struct cycle *c, enum cycle_mode mode)
{
    struct run r = noisy_run(c);
    switch (mode) {
    case CYCLE_NTH:
        r.plan.first = 1 + (int)below(c, MAX_CALLS);
        r.plan.count = 1;
        break;
    case CYCLE_OUTAGE:
        r.plan.first = 1 + (int)below(c, MAX_CALLS);
        r.plan.count = below(c, 12) == 0 ? 1000000 : 2 + (int)below(c, 40);
        break;
    case CYCLE_RATE: r.plan.per_10k = 20 + (int)below(c, below(c, 4) == 0 ? 3000 : 400); break;
    case CYCLE_ALLOC:
        /* The first allocations are of the rarest kind: as likely as the many later ones. */
        r.plan.alloc_at = 1 + below(c, below(c, 2) == 0 ? MAX_ALLOCS / 10 : MAX_ALLOCS);
        r.plan.alloc_count = below(c, 3) == 0 ? 1 + (int)below(c, 2000) : 1;
        break;
    case CYCLE_DEATH:
        r.plan.die_at = 1 + (int)below(c, MAX_CALLS);
        if (below(c, 3) == 0) r.plan.per_10k = (int)below(c, 200);
        run_child(c, &r, 0);
        return;
    case CYCLE_KILL: run_child(c, &r, 1 + below(c, 40000)); return;
    case CYCLE_PAUSE: run_paused(c); return;
    case CYCLE_RIVALS: run_rivals(c); return;
    case CYCLE_STOP:
        r.stop_after = 1 + (int)below(c, 3);
        r.plan.per_10k = (int)below(c, 200);
        break;
    case CYCLE_MODES: break;
    }
    do_run(c, &r);
}

static void check(struct cycle *c)
{
    struct world *w = c->w;
    struct cl_store *store = NULL;
    struct cl_catalog *catalog = NULL;
    size_t orphans = w->orphans;
    if (cl_local_store_new(w->dir, &store, NULL) != CL_OK ||
        cl_local_catalog_new(store, "city", &catalog, NULL) != CL_OK)
        abort();
    c->wrong += verify_lake(catalog, &w->truth, &orphans, c->out);
    catalog->ops->free(catalog);
    store->ops->free(store);
    int temp_files = verify_temp_files(w->dir), descriptors = verify_descriptors();
    if (!c->excused && orphans > w->orphans) {
        fprintf(c->out, "    %zu data files without a table\n", orphans - w->orphans);
        wrong(c, "failed runs left data files behind", NULL);
    }
    if (!c->excused && temp_files > w->temp_files)
        wrong(c, "failed runs left temporary files behind", NULL);
    if (w->descriptors > 0 && descriptors != w->descriptors) {
        fprintf(c->out, "    %d descriptors, not %d\n", descriptors, w->descriptors);
        wrong(c, "descriptors leak", NULL);
    }
    w->orphans = orphans;
    w->temp_files = temp_files;
    w->descriptors = descriptors;
}

int cycle_run(struct world *w, uint64_t seed, struct cycle_counts *counts, FILE *out, bool verbose)
{
    struct cycle c = {
        .w = w, .random = cl_mix64(seed) | 1, .counts = counts, .out = out, .verbose = verbose};
    enum cycle_mode mode = cycle_mode_of(seed);
    int n = (int)below(&c, below(&c, 5) == 0 ? 600 : 80), times = 1 + (int)below(&c, 3);
    w->truth.chunk = 1 + (int)below(&c, 40);
    w->spec->lake.memory_bytes = below(&c, 3) == 0 ? 1 << 18 : 64 << 20;
    w->spec->lake.target_file_bytes = below(&c, 3) == 0 ? 2000 : 1 << 20;
    w->spec->lake.commit_rows = below(&c, 3) == 0 ? 10 : 1000000;
    for (int i = 0; i < times; i++) {
        truth_source_grow(&w->truth, &c.random, n);
        counts->messages += n;
        run_mode(&c, mode);
    }
    /* A run that said it read everything is held to it, half of the time. */
    if (!c.complete || below(&c, 2) == 0) {
        struct run calm = calm_run(&c);
        do_run(&c, &calm);
        if (!c.complete) wrong(&c, "a run without faults failed", NULL);
    }
    check(&c);
    counts->cycles++;
    counts->by_mode[mode]++;
    counts->failed += c.wrong > 0;
    return c.wrong;
}

/* ---- the world ---- */

void world_open(struct world *w, const char *dir, uint64_t seed)
{
    struct cl_error err = {0};
    *w = (struct world){0};
    (void)snprintf(w->dir, sizeof w->dir, "%s", dir);
    if (cl_spec_parse("fault.yaml", city_yaml, strlen(city_yaml), &w->spec, &err) != CL_OK) {
        fprintf(stderr, "%s: %s\n", err.where, err.message);
        abort();
    }
    truth_source_init(&w->truth, w->spec, cl_mix64(seed) % 2 == 0);
}

void world_close(struct world *w)
{
    truth_source_fini(&w->truth);
    cl_spec_free(w->spec);
}
