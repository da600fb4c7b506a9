/* source_driver.c - runs one source without the engine and prints what it hands over; for tests of
 * sources and for measuring them.
 *
 *   source_driver kafka HOST:PORT | ndjson PATH  [--topics a,b,c] [--feed NAME] [--lanes N]
 * [--until-end] [--quiet]
 *                 [--from TOPIC/PARTITION=NEXT[:HINT]]... [--property NAME=VALUE]... [--stop-after
 * N] [--work N]
 *
 * Lines on stdout: "message TOPIC PARTITION OFFSET KEY VALUE" (bytes as they are, absent ones as
 * \N), "identity ...", at the end "position TOPIC PARTITION NEXT HINT".  On stderr: "retriable:
 * ..." and one line of figures.  Every topic is a feed of the same name.  Exit status 1 and "error:
 * ..." when the source fails. */
#include "base/clock.h"
#include "source/source.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_FEEDS = 64, MAX_FROM = 256, POLL_MS = 200 };

struct options {
    struct cl_source_options source;
    bool kafka, quiet;
    int lanes;
    int64_t stop_after, work;
    const char *from[MAX_FROM];
    int n_from;
};

struct driver {
    struct options opt;
    struct cl_feed feeds[MAX_FEEDS];
    char *properties[2 * MAX_FROM];
    struct cl_spec spec;
    struct cl_source *source;
    const struct cl_source_partition *parts;
    size_t n_parts;
    struct cl_position *positions; /* each part is written by its own lane only */
    _Atomic int64_t messages, bytes;
    _Atomic bool failed;
    pthread_mutex_t print; /* guards stdout and stderr */
};

struct lane {
    struct driver *d;
    int number;
    pthread_t thread;
};

static void die(const char *what, const struct cl_error *err)
{
    char text[1400] = "";
    if (err != NULL) (void)cl_error_text(err, text, sizeof text);
    fprintf(stderr, "error: %s%s%s\n", what, err != NULL ? ": " : "", text);
    exit(1);
}

static void put_bytes(const uint8_t *p, int32_t len)
{
    if (len < 0)
        (void)fputs("\\N", stdout);
    else
        (void)fwrite(p, 1, (size_t)len, stdout);
}

static void print_chunk(struct driver *d, const struct cl_chunk *c)
{
    (void)pthread_mutex_lock(&d->print);
    for (size_t i = 0; i < c->n; i++) {
        const struct cl_message *m = &c->messages[i];
        const struct cl_source_partition *p = &d->parts[m->part];
        const char *topic = p->feed != NULL ? p->topic : m->topic;
        printf("message %s %" PRId32 " %" PRId64 " ", topic[0] != '\0' ? topic : "-", p->partition,
               m->offset);
        put_bytes(m->key, m->key_len);
        (void)putchar(' ');
        put_bytes(m->value, m->value_len);
        (void)putchar('\n');
    }
    (void)pthread_mutex_unlock(&d->print);
}

static void take_chunk(struct driver *d, const struct cl_chunk *c)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < c->n; i++)
        bytes += c->messages[i].value_len > 0 ? c->messages[i].value_len : 0;
    for (volatile int64_t i = 0; i < d->opt.work * (int64_t)c->n; i++) {
    }
    for (size_t i = 0; i < c->n_advances; i++)
        d->positions[c->advances[i].part] = c->advances[i].position;
    if (!d->opt.quiet) print_chunk(d, c);
    atomic_fetch_add(&d->bytes, bytes);
    atomic_fetch_add(&d->messages, (int64_t)c->n);
}

static bool is_enough(struct driver *d)
{
    return d->opt.stop_after > 0 && atomic_load(&d->messages) >= d->opt.stop_after;
}

static void *run_lane(void *arg)
{
    struct lane *l = arg;
    struct driver *d = l->d;
    bool ended = false;
    while (!ended && !atomic_load(&d->failed) && !is_enough(d)) {
        struct cl_chunk c;
        struct cl_error err = {0};
        if (d->source->ops->poll(d->source, l->number, POLL_MS, &c, &err) != CL_OK) {
            char text[1400];
            bool again = err.retriable && !err.fatal;
            (void)pthread_mutex_lock(&d->print);
            fprintf(stderr, "%s: %s\n", again ? "retriable" : "error",
                    cl_error_text(&err, text, sizeof text));
            (void)pthread_mutex_unlock(&d->print);
            if (!again) atomic_store(&d->failed, true);
            continue;
        }
        take_chunk(d, &c);
        ended = c.ended;
        d->source->ops->release(d->source, l->number);
    }
    return NULL;
}

static void set_from(struct driver *d, const char *text)
{
    char topic[256];
    int partition;
    long long next, hint = 0;
    if (sscanf(text, "%255[^/]/%d=%lld:%lld", topic, &partition, &next, &hint) < 3) die(text, NULL);
    for (size_t i = 0; i < d->n_parts; i++) {
        const char *name = d->parts[i].feed != NULL ? d->parts[i].topic : "-";
        if (strcmp(name, topic) == 0 && d->parts[i].partition == partition)
            d->positions[i] = (struct cl_position){next, hint};
    }
}

static void parse(struct driver *d, int argc, char **argv)
{
    if (argc < 3) die("source_driver kafka HOST:PORT | ndjson PATH [options]", NULL);
    char *topics = NULL;
    d->opt.kafka = strcmp(argv[1], "kafka") == 0;
    d->opt.lanes = 1;
    d->opt.source.path = argv[2];
    d->spec.kafka = (struct cl_kafka_spec){.bootstrap_servers = argv[2],
                                           .group = "driver",
                                           .partitions = 4,
                                           .replication = 1,
                                           .properties = d->properties};
    for (int i = 3; i < argc; i++) {
        const char *name = argv[i];
        char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(name, "--quiet") == 0) {
            d->opt.quiet = true;
            continue;
        }
        if (strcmp(name, "--until-end") == 0) {
            d->opt.source.until_end = true;
            continue;
        }
        if (value == NULL) die(name, NULL);
        i++;
        if (strcmp(name, "--topics") == 0)
            topics = value;
        else if (strcmp(name, "--feed") == 0)
            d->opt.source.feed = value;
        else if (strcmp(name, "--lanes") == 0)
            d->opt.lanes = atoi(value);
        else if (strcmp(name, "--stop-after") == 0)
            d->opt.stop_after = atoll(value);
        else if (strcmp(name, "--work") == 0)
            d->opt.work = atoll(value);
        else if (strcmp(name, "--from") == 0 && d->opt.n_from < MAX_FROM)
            d->opt.from[d->opt.n_from++] = value;
        else if (strcmp(name, "--property") == 0 && d->spec.kafka.n_properties < MAX_FROM &&
                 strchr(value, '=') != NULL) {
            char **pair = &d->properties[2 * d->spec.kafka.n_properties++];
            pair[0] = value;
            pair[1] = strchr(value, '=') + 1;
            pair[1][-1] = '\0';
        } else
            die(name, NULL);
    }
    for (char *save = NULL, *t = topics != NULL ? strtok_r(topics, ",", &save) : NULL;
         t != NULL && d->spec.n_feeds < MAX_FEEDS; t = strtok_r(NULL, ",", &save))
        d->feeds[d->spec.n_feeds++] = (struct cl_feed){.name = t, .topic = t};
    d->spec.feeds = d->feeds;
    d->spec.path = "(driver)";
}

static void run_lanes(struct driver *d)
{
    struct lane *lanes = calloc((size_t)d->opt.lanes, sizeof *lanes);
    if (lanes == NULL) die("out of memory", NULL);
    for (int i = 0; i < d->opt.lanes; i++) {
        lanes[i] = (struct lane){.d = d, .number = i};
        if (pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]) != 0)
            die("pthread_create", NULL);
    }
    for (int i = 0; i < d->opt.lanes; i++)
        (void)pthread_join(lanes[i].thread, NULL);
    free(lanes);
}

static void start(struct driver *d)
{
    struct cl_error err = {0};
    const struct cl_source_ops *ops = d->source->ops;
    if (ops->partitions(d->source, &d->parts, &d->n_parts, &err) != CL_OK) die("partitions", &err);
    d->positions = calloc(d->n_parts, sizeof *d->positions);
    int *lane_of = calloc(d->n_parts, sizeof *lane_of);
    if (d->positions == NULL || lane_of == NULL) die("out of memory", NULL);
    for (size_t i = 0; i < d->n_parts; i++) {
        const char *identity;
        d->positions[i].next = CL_POSITION_BEGIN;
        lane_of[i] = d->parts[i].stream % d->opt.lanes;
        if (ops->identity(d->source, (int32_t)i, &identity, &err) != CL_OK) die("identity", &err);
        if (!d->opt.quiet)
            printf("identity %s %" PRId32 " %s\n",
                   d->parts[i].feed != NULL ? d->parts[i].topic : "-", d->parts[i].partition,
                   identity);
    }
    for (int i = 0; i < d->opt.n_from; i++)
        set_from(d, d->opt.from[i]);
    if (ops->start(d->source, d->positions, lane_of, d->opt.lanes, &err) != CL_OK)
        die("start", &err);
    free(lane_of);
}

int main(int argc, char **argv)
{
    static struct driver d;
    struct cl_error err = {0};
    (void)pthread_mutex_init(&d.print, NULL);
    parse(&d, argc, argv);
    enum cl_code code = d.opt.kafka ? cl_kafka_source_new(&d.spec, &d.opt.source, &d.source, &err)
                                    : cl_ndjson_source_new(&d.spec, &d.opt.source, &d.source, &err);
    if (code != CL_OK) die("new", &err);
    start(&d);
    int64_t wall = cl_clock_monotonic_us(), cpu = cl_clock_cpu_us();
    run_lanes(&d);
    wall = cl_clock_monotonic_us() - wall;
    cpu = cl_clock_cpu_us() - cpu;
    d.source->ops->stop(d.source);
    for (size_t i = 0; i < d.n_parts; i++)
        printf("position %s %" PRId32 " %" PRId64 " %" PRId64 "\n",
               d.parts[i].feed != NULL ? d.parts[i].topic : "-", d.parts[i].partition,
               d.positions[i].next, d.positions[i].hint);
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    int64_t n = atomic_load(&d.messages);
    fprintf(stderr,
            "messages=%" PRId64 " bytes=%" PRId64
            " wall_s=%.3f cpu_s=%.3f cpu_us_per_message=%.3f peak_kib=%ld\n",
            n, atomic_load(&d.bytes), (double)wall / 1e6, (double)cpu / 1e6,
            n > 0 ? (double)cpu / (double)n : 0.0, usage.ru_maxrss);
    d.source->ops->free(d.source);
    free(d.positions);
    return atomic_load(&d.failed) ? 1 : 0;
}
