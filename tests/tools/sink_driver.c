/* sink_driver.c - sends lines "TOPIC<tab>KEY<tab>VALUE" from standard input to one sink; for tests
 * of sinks and for measuring them.
 *
 *   sink_driver kafka HOST:PORT | ndjson DIR | ndjson -   --topics a,b,c  [--partitions N]
 * [--property NAME=VALUE]... [--flush-ms N]
 *
 * On stderr one line of figures; exit status 1 and "error: ..." when the sink fails. */
#include "base/clock.h"
#include "sink/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FEEDS = 64, MAX_PROPERTIES = 64 };

static int fail(const char *what, const struct cl_error *err)
{
    char text[1400] = "";
    if (err != NULL) (void)cl_error_text(err, text, sizeof text);
    fprintf(stderr, "error: %s: %s\n", what, text);
    return 1;
}

static enum cl_code send_line(struct cl_sink *s, const struct cl_spec *spec, char *line, size_t len,
                              struct cl_error *err)
{
    char *key = memchr(line, '\t', len);
    char *value = key != NULL ? memchr(key + 1, '\t', len - (size_t)(key + 1 - line)) : NULL;
    if (value == NULL) return cl_fail(err, CL_EINVAL, "a line without two tabs");
    *key++ = *value++ = '\0';
    for (size_t i = 0; i < spec->n_feeds; i++)
        if (strcmp(spec->feeds[i].topic, line) == 0)
            return s->ops->send(s, &spec->feeds[i], key, (size_t)(value - key - 1), value,
                                len - (size_t)(value - line), 0, err);
    return cl_fail(err, CL_EINVAL, "no topic %s", line);
}

int main(int argc, char **argv)
{
    static struct cl_feed feeds[MAX_FEEDS];
    static char *properties[2 * MAX_PROPERTIES];
    if (argc < 3) return fail("sink_driver kafka HOST:PORT | ndjson DIR|-", NULL);
    struct cl_spec spec = {.path = "(driver)", .feeds = feeds};
    spec.kafka = (struct cl_kafka_spec){
        .bootstrap_servers = argv[2], .partitions = 4, .replication = 1, .properties = properties};
    int flush_ms = 120000;
    for (int i = 3; i + 1 < argc; i += 2) {
        char *value = argv[i + 1], *save = NULL;
        if (strcmp(argv[i], "--partitions") == 0) {
            spec.kafka.partitions = atoi(value);
        } else if (strcmp(argv[i], "--flush-ms") == 0) {
            flush_ms = atoi(value);
        } else if (strcmp(argv[i], "--property") == 0 && strchr(value, '=') != NULL &&
                   spec.kafka.n_properties < MAX_PROPERTIES) {
            char **pair = &properties[2 * spec.kafka.n_properties++];
            pair[0] = value;
            pair[1] = strchr(value, '=') + 1;
            pair[1][-1] = '\0';
        } else if (strcmp(argv[i], "--topics") == 0) {
            for (char *t = strtok_r(value, ",", &save); t != NULL && spec.n_feeds < MAX_FEEDS;
                 t = strtok_r(NULL, ",", &save))
                feeds[spec.n_feeds++] = (struct cl_feed){.name = t, .topic = t};
        } else {
            return fail(argv[i], NULL);
        }
    }
    struct cl_error err = {0};
    struct cl_sink *s = NULL;
    bool to_stdout = strcmp(argv[2], "-") == 0;
    enum cl_code code = strcmp(argv[1], "kafka") == 0
                            ? cl_kafka_sink_new(&spec, &s, &err)
                            : cl_ndjson_sink_new(&spec, 1, to_stdout ? NULL : argv[2], &s, &err);
    if (code != CL_OK) return fail("new", &err);
    int64_t wall = cl_clock_monotonic_us(), cpu = cl_clock_cpu_us();
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t len; code == CL_OK && (len = getline(&line, &cap, stdin)) > 0;)
        code = send_line(s, &spec, line, (size_t)len - (line[len - 1] == '\n'), &err);
    if (code == CL_OK) code = s->ops->flush(s, flush_ms, &err);
    struct cl_sink_stats stats;
    s->ops->stats(s, &stats);
    fprintf(stderr,
            "sent=%" PRId64 " delivered=%" PRId64 " failed=%" PRId64 " bytes=%" PRId64
            " wall_s=%.3f cpu_s=%.3f\n",
            stats.sent, stats.delivered, stats.failed, stats.bytes,
            (double)(cl_clock_monotonic_us() - wall) / 1e6,
            (double)(cl_clock_cpu_us() - cpu) / 1e6);
    s->ops->free(s);
    free(line);
    return code == CL_OK ? 0 : fail("send", &err);
}
