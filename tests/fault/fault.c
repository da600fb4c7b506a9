/* fault.c - the fault harness: cycles of faults against the engine, each from a seed that replays
 * it.
 *
 * Worker processes take groups of cycles; the cycles of a group share a lake.  What a worker does
 * stands in shared memory, so that a crash or a hang is reported with the seed and the number of
 * its cycle, and a new worker goes on behind it.
 *
 * A replay runs the group's cycles up to the one named: inputs and faults are the same, the
 * threads' order may differ. */
#include "cycle.h"

#include "base/hash.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    GROUP_CYCLES = 8,
    CYCLE_SECONDS = 60, /* longer is a hang */
    MAX_JOBS = 64,
    DEFAULT_CYCLES = 1000,
};

struct settings {
    uint64_t seed;
    long cycles;
    long only;      /* this cycle (and its group up to it), -1: all */
    double minutes; /* go on until then, 0: `cycles` decides */
    int jobs;
    int repeat;
    bool verbose;
};

/* In shared memory, one for each worker. */
struct progress {
    volatile long next_group, cycle;
    struct cycle_counts counts;
};

static const char help[] =
    "usage: fault [--cycles N | --minutes N] [--seed N] [--jobs N]\n"
    "       fault --seed N --cycle K [--repeat N] [--verbose]\n"
    "Runs the engine under faults and checks the lake after each cycle.\n"
    "  --cycles N   how many (1000)\n"
    "  --minutes N  as many as fit\n"
    "  --seed N     where the faults come from (default: random, printed)\n"
    "  --jobs N     processes at once (default: one per core)\n"
    "  --cycle K    replays one cycle, after those that it shares its lake with\n"
    "  --repeat N   ... so many times, since threads are not replayed\n"
    "  --verbose    shows the engine's log\n";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

/* A memory file system makes fsync cheap; these cycles are about order, not about the disk. */
static void make_dir(char *dir, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL) tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(dir, size, "%s/citylake-fault-XXXXXX", tmp);
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        exit(2);
    }
}

/* Cycles first .. last of one group. */
static int run_group(const struct settings *s, long group, long last, struct progress *p)
{
    struct world world;
    char dir[128];
    int wrong = 0;
    make_dir(dir, sizeof dir);
    world_open(&world, dir, s->seed ^ cl_mix64((uint64_t)group));
    for (long cycle = group * GROUP_CYCLES; cycle <= last; cycle++) {
        uint64_t seed = cl_mix64(s->seed + 0x9e3779b97f4a7c15u * (uint64_t)(cycle + 1));
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        if (out == NULL) abort();
        p->cycle = cycle;
        (void)alarm(CYCLE_SECONDS);
        if (s->verbose)
            fprintf(stderr, "cycle %ld (%s)\n", cycle, cycle_mode_name(cycle_mode_of(seed)));
        int found = cycle_run(&world, seed, &p->counts, out, s->verbose);
        (void)fclose(out);
        if (found > 0) {
            printf("cycle %ld (%s) FAILED, in %s\n%s    replay: fault --seed %llu --cycle %ld "
                   "--repeat 20\n",
                   cycle, cycle_mode_name(cycle_mode_of(seed)),
                   world.truth.envelopes ? "one stream" : "many streams", text,
                   (unsigned long long)s->seed, cycle);
            (void)fflush(stdout);
        }
        free(text);
        wrong += found;
        if (found > 0) break; /* the lake is no longer right */
    }
    world_close(&world);
    (void)alarm(0);
    if (wrong > 0 && s->only >= 0) printf("the lake is kept: %s\n", dir);
    if (wrong == 0 || s->only < 0) (void)nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
    return wrong;
}

/* ---- workers ---- */

static time_t deadline;

static bool time_is_up(const struct settings *s)
{
    return s->minutes > 0 && time(NULL) >= deadline;
}

static pid_t start_worker(const struct settings *s, int job, struct progress *p)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return pid;
    long groups = (s->cycles + GROUP_CYCLES - 1) / GROUP_CYCLES;
    (void)job;
    while ((s->minutes > 0 || p->next_group < groups) && !time_is_up(s)) {
        long group = p->next_group, last = group * GROUP_CYCLES + GROUP_CYCLES - 1;
        p->next_group += s->jobs;
        if (s->minutes <= 0 && last >= s->cycles) last = s->cycles - 1;
        (void)run_group(s, group, last, p);
    }
    exit(0); /* through atexit: LeakSanitizer looks now */
}

static int run_workers(const struct settings *s, struct cycle_counts *total)
{
    struct progress *shared = mmap(NULL, sizeof *shared * MAX_JOBS, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[MAX_JOBS];
    int crashes = 0, left = s->jobs, status;
    if (shared == MAP_FAILED) abort();
    for (int i = 0; i < s->jobs; i++) {
        shared[i].next_group = i;
        pids[i] = start_worker(s, i, &shared[i]);
    }
    while (left > 0) {
        pid_t pid = wait(&status);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) break;
        int job = 0;
        while (job < s->jobs && pids[job] != pid)
            job++;
        if (job == s->jobs) continue;
        left--;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        crashes++;
        bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
        printf(
            "cycle %ld FAILED: %s (%s %d)\n    replay: fault --seed %llu --cycle %ld --repeat 20\n",
            shared[job].cycle, hung ? "it hangs" : "the process ended or leaked",
            WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), (unsigned long long)s->seed,
            shared[job].cycle);
        if (WIFEXITED(status) || crashes > 20)
            continue; /* a leak is found at the end: nothing to go on with */
        pids[job] = start_worker(s, job, &shared[job]);
        left++;
    }
    for (int i = 0; i < s->jobs; i++) {
        const struct cycle_counts *c = &shared[i].counts;
        total->cycles += c->cycles;
        total->failed += c->failed;
        total->runs += c->runs;
        total->hits += c->hits;
        total->deaths += c->deaths;
        total->messages += c->messages;
        for (int mode = 0; mode < CYCLE_MODES; mode++)
            total->by_mode[mode] += c->by_mode[mode];
    }
    (void)munmap(shared, sizeof *shared * MAX_JOBS);
    return crashes;
}

static int replay(const struct settings *s)
{
    struct progress p = {0};
    int wrong = 0;
    for (int i = 0; i < s->repeat && wrong == 0; i++)
        wrong = run_group(s, s->only / GROUP_CYCLES, s->only, &p);
    printf("%s\n", wrong > 0 ? "it failed" : "nothing is wrong");
    return wrong > 0;
}

/* ---- the command line ---- */

static void parse(int argc, char **argv, struct settings *s)
{
    static const struct option options[] = {
        {"cycles", required_argument, NULL, 'c'},
        {"minutes", required_argument, NULL, 'm'},
        {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},
        {"cycle", required_argument, NULL, 'k'},
        {"repeat", required_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (key) {
        case 'c': s->cycles = strtol(optarg, NULL, 10); break;
        case 'm': s->minutes = strtod(optarg, NULL); break;
        case 's': s->seed = strtoull(optarg, NULL, 10); break;
        case 'j': s->jobs = (int)strtol(optarg, NULL, 10); break;
        case 'k': s->only = strtol(optarg, NULL, 10); break;
        case 'r': s->repeat = (int)strtol(optarg, NULL, 10); break;
        case 'v': s->verbose = true; break;
        case 'h': fputs(help, stdout); exit(0);
        default: fputs(help, stderr); exit(2);
        }
    }
    if (optind < argc || s->jobs < 1 || s->jobs > MAX_JOBS || s->cycles < 1 || s->repeat < 1) {
        fputs(help, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct settings s = {.cycles = DEFAULT_CYCLES,
                         .only = -1,
                         .repeat = 1,
                         .jobs = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    struct cycle_counts total = {0};
    if (s.jobs > MAX_JOBS) s.jobs = MAX_JOBS;
    if (getrandom(&s.seed, sizeof s.seed, 0) != (ssize_t)sizeof s.seed)
        s.seed = (uint64_t)time(NULL);
    s.seed %= 1000000000;
    parse(argc, argv, &s);
    if (s.only >= 0) return replay(&s);
    deadline = time(NULL) + (time_t)(s.minutes * 60);
    printf("seed %llu\n", (unsigned long long)s.seed);
    int crashes = run_workers(&s, &total);
    for (int mode = 0; mode < CYCLE_MODES; mode++)
        printf("%s %ld%s", cycle_mode_name((enum cycle_mode)mode), total.by_mode[mode],
               mode + 1 < CYCLE_MODES ? ", " : "\n");
    printf("%ld cycles, %ld runs, %ld messages, %ld faults, %ld deaths\n", total.cycles, total.runs,
           total.messages, total.hits, total.deaths);
    printf("%ld passed, %ld failed\n", total.cycles - total.failed, total.failed + crashes);
    return total.failed + crashes > 0;
}
