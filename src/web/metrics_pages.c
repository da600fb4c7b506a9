/* metrics_pages.c - a copy of the engine's metrics -> Prometheus text, health and readiness. */
#include "web/metrics_pages.h"

#include "base/clock.h"
#include "web/exposition.h"
#include "web/process.h"

#include <math.h>
#include <stdio.h>

/* ---- /metrics ---- */

/* A counter of the feeds' tables, by feed; `member` is where it stands in struct cl_table_metrics.
 */
struct by_feed {
    const char *name, *help;
    size_t member;
};

static int64_t number_at(const struct cl_table_metrics *t, size_t member)
{
    return *(const int64_t *)(const void *)((const char *)t + member);
}

static void put_by_table(struct cl_expo *e, const struct by_feed *family, const char *label,
                         const struct cl_metrics_view *v, size_t n_tables)
{
    cl_expo_family(e, family->name, "counter", family->help);
    for (size_t i = 0; i < n_tables; i++) {
        const struct cl_expo_label labels[] = {{label, v->tables[i].name}};
        cl_expo_count(e, "", labels, 1, number_at(&v->tables[i], family->member));
    }
}

static void put_tables(struct cl_expo *e, const struct cl_metrics_view *v)
{
#define AT(member) offsetof(struct cl_table_metrics, member)
    static const struct by_feed feeds[] = {
        {"citylake_consumed_messages_total",
         "Messages covered by commits of this run: stored, duplicates and rejected",
         AT(counts.consumed)},
        {"citylake_stored_rows_total", "Rows committed to the feed's table by this run",
         AT(counts.stored)},
        {"citylake_duplicate_messages_total",
         "Messages that were left out because their key had been stored", AT(counts.duplicates)},
        {"citylake_late_rows_total", "Stored rows whose event time was behind the feed's watermark",
         AT(late)},
    };
    static const struct by_feed tables[] = {
        {"citylake_commits_total", "Snapshots that this run added to the table", AT(commits)},
        {"citylake_written_files_total", "Data files that this run committed to the table",
         AT(files)},
        {"citylake_written_bytes_total",
         "Size of the data files that this run committed to the table", AT(file_bytes)},
    };
#undef AT
    size_t n_feeds = v->n_tables > 0 ? v->n_tables - 1 : 0; /* the last one is dead_letters */
    for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++)
        put_by_table(e, &feeds[i], "feed", v, n_feeds);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        put_by_table(e, &tables[i], "table", v, v->n_tables);
}

/* Every reason of every feed from the beginning, so that a rate over the first reject is not lost.
 */
static void put_rejects(struct cl_expo *e, const struct cl_metrics_view *v)
{
    cl_expo_family(e, "citylake_rejected_messages_total", "counter",
                   "Messages that broke a rule and were kept in dead_letters; feed is empty where "
                   "no feed declares the topic");
    for (size_t i = 0; i < v->n_tables; i++) {
        bool is_dead = i + 1 == v->n_tables;
        for (int r = 0; r < CL_REJECT_N; r++) {
            if (is_dead != (r == CL_REJECT_UNKNOWN_TOPIC)) continue;
            const struct cl_expo_label labels[] = {
                {"feed", is_dead ? "" : v->tables[i].name},
                {"reason", cl_reject_reason_text((enum cl_reject_reason)r)}};
            cl_expo_count(e, "", labels, 2, v->tables[i].rejected[r]);
        }
    }
}

static void put_watermarks(struct cl_expo *e, const struct cl_metrics_view *v)
{
    double now_us = (double)cl_clock_wall_us();
    cl_expo_family(e, "citylake_watermark_delay_seconds", "gauge",
                   "How far the event time up to which the feed is complete lies behind the clock");
    for (size_t i = 0; i + 1 < v->n_tables; i++) {
        const struct cl_expo_label labels[] = {{"feed", v->tables[i].name}};
        if (v->tables[i].watermark_us == INT64_MIN) continue;
        cl_expo_sample(e, "", labels, 1, (now_us - (double)v->tables[i].watermark_us) / 1e6);
    }
}

/* lag: what is in the log and not in the lake. */
static int64_t offset_of(const struct cl_part_metrics *p, int which)
{
    const int64_t offsets[] = {p->read, p->committed, p->end};
    if (which < 3) return offsets[which];
    return p->end >= 0 && p->committed >= 0 ? p->end - p->committed : -1;
}

static void put_parts(struct cl_expo *e, const struct cl_metrics_view *v)
{
    static const char *const families[][2] = {
        {"citylake_read_offset", "Offset of the next message to be read"},
        {"citylake_committed_offset", "Offset behind the last message that is in the lake"},
        {"citylake_end_offset",
         "Offset behind the last message of the log, as the source saw it last"},
        {"citylake_lag_messages", "Messages in the log that are not in the lake yet"},
    };
    for (int which = 0; which < 4; which++) {
        cl_expo_family(e, families[which][0], "gauge", families[which][1]);
        for (size_t i = 0; i < v->n_parts; i++) {
            char partition[16];
            const struct cl_part_metrics *p = &v->parts[i];
            (void)snprintf(partition, sizeof partition, "%d", (int)p->partition);
            const struct cl_expo_label labels[] = {
                {"feed", p->feed}, {"topic", p->topic}, {"partition", partition}};
            int64_t offset = offset_of(p, which);
            if (offset >= 0) cl_expo_count(e, "", labels, 3, offset);
        }
    }
}

static void put_commits(struct cl_expo *e, const struct cl_metrics_view *v)
{
    int64_t n = 0;
    cl_expo_family(e, "citylake_commit_duration_seconds", "histogram",
                   "Time to make a table's files durable and to commit them, tries included");
    for (int i = 0; i <= CL_COMMIT_BUCKETS; i++) {
        char bound[32] = "+Inf";
        if (i < CL_COMMIT_BUCKETS)
            (void)snprintf(bound, sizeof bound, "%g", cl_commit_bucket_seconds[i]);
        n += v->commit_buckets[i];
        cl_expo_count(e, "_bucket", &(const struct cl_expo_label){"le", bound}, 1, n);
    }
    cl_expo_sample(e, "_sum", NULL, 0, (double)v->commit_sum_us / 1e6);
    cl_expo_count(e, "_count", NULL, 0, n);
}

static void put_count(struct cl_expo *e, const char *name, const char *type, const char *help,
                      int64_t value)
{
    if (value < 0) return; /* not known */
    cl_expo_family(e, name, type, help);
    cl_expo_count(e, "", NULL, 0, value);
}

static const char *why_not_ready(const struct cl_metrics_view *v)
{
    switch (v->phase) {
    case CL_ENGINE_STARTING:
        return "starting: opening tables and asking the source for its partitions";
    case CL_ENGINE_RESTARTING: return "restarting: another process committed to these tables";
    case CL_ENGINE_STOPPED: return "stopped";
    case CL_ENGINE_RUNNING: break;
    }
    if (v->failed_tries > 0) return "the last try to commit failed";
    return v->polled ? NULL : "starting: nothing was read yet";
}

static void put_engine(struct cl_expo *e, const struct cl_metrics_view *v)
{
    put_count(
        e, "citylake_read_messages_total", "counter",
        "Messages read, committed or not; those thrown away by a fence are read and counted again",
        v->read_messages);
    put_count(e, "citylake_read_bytes_total", "counter", "Size of the values of the messages read",
              v->read_bytes);
    put_count(e, "citylake_queued_messages", "gauge",
              "Messages received from the source that wait for a lane", v->queued);
    put_count(e, "citylake_open_file_bytes", "gauge",
              "Memory held by data files that are being written", v->open_file_bytes);
    put_commits(e, v);
    put_count(e, "citylake_commit_retries_total", "counter",
              "Tries to commit that failed and were followed by another", v->commit_retries);
    put_count(e, "citylake_commit_failures_total", "counter", "Commits that were given up",
              v->commit_failures);
    put_count(e, "citylake_fences_total", "counter",
              "Times that another process had committed the same offsets first", v->fences);
    put_count(e, "citylake_ready", "gauge", "1: what /readyz says is yes",
              why_not_ready(v) == NULL);
}

static void put_seconds(struct cl_expo *e, const char *name, const char *type, const char *help,
                        double value)
{
    if (value < 0) return; /* not known */
    cl_expo_family(e, name, type, help);
    cl_expo_sample(e, "", NULL, 0, value);
}

static void put_process(struct cl_expo *e, const char *version)
{
    struct cl_process_info p;
    cl_process_info(&p);
    cl_expo_family(e, "citylake_build_info", "gauge",
                   "1, labelled with the version of the program");
    cl_expo_count(e, "", &(const struct cl_expo_label){"version", version}, 1, 1);
    put_seconds(e, "process_start_time_seconds", "gauge", "When the process started, since 1970",
                p.start_s);
    put_seconds(e, "process_cpu_seconds_total", "counter",
                "CPU time of the process, user and system", p.cpu_s);
    put_count(e, "process_resident_memory_bytes", "gauge", "Resident memory of the process",
              p.rss_bytes);
    put_count(e, "process_open_fds", "gauge", "Open file descriptors", p.open_fds);
    put_count(e, "process_threads", "gauge", "Threads of the process", p.threads);
}

static enum cl_code make_metrics(void *context, struct cl_buf *out, unsigned *ret_status,
                                 const char **ret_type, struct cl_error *err)
{
    const struct cl_metrics_pages *pages = context;
    struct cl_metrics_view v;
    struct cl_expo e = {.out = out};
    enum cl_code code = cl_metrics_read(pages->metrics, &v, err);
    if (code != CL_OK) return code;
    put_tables(&e, &v);
    put_rejects(&e, &v);
    put_watermarks(&e, &v);
    put_parts(&e, &v);
    put_engine(&e, &v);
    put_process(&e, pages->version);
    cl_metrics_view_fini(&v);
    *ret_status = 200;
    *ret_type = CL_EXPO_CONTENT_TYPE;
    if (e.code != CL_OK && err != NULL) *err = e.err;
    return e.code;
}

/* ---- /healthz and /readyz ---- */

static enum cl_code make_health(void *context, struct cl_buf *out, unsigned *ret_status,
                                const char **ret_type, struct cl_error *err)
{
    const struct cl_metrics_pages *pages = context;
    struct cl_metrics_view v;
    (void)ret_type;
    enum cl_code code = cl_metrics_read(pages->metrics, &v, err);
    if (code != CL_OK) return code;
    int64_t silent_s = (cl_clock_monotonic_us() - v.beat_us) / 1000000;
    cl_metrics_view_fini(&v);
    bool alive = silent_s <= CL_WEB_ALIVE_S;
    *ret_status = alive ? 200 : 503;
    return alive ? cl_buf_append_str(out, "ok\n", err)
                 : cl_buf_printf(out, err, "the engine was seen alive last %lld s ago\n",
                                 (long long)silent_s);
}

static enum cl_code make_readiness(void *context, struct cl_buf *out, unsigned *ret_status,
                                   const char **ret_type, struct cl_error *err)
{
    const struct cl_metrics_pages *pages = context;
    struct cl_metrics_view v;
    (void)ret_type;
    enum cl_code code = cl_metrics_read(pages->metrics, &v, err);
    if (code != CL_OK) return code;
    const char *why_not = why_not_ready(&v);
    cl_metrics_view_fini(&v);
    *ret_status = why_not == NULL ? 200 : 503;
    return cl_buf_printf(out, err, "%s\n", why_not == NULL ? "ok" : why_not);
}

const struct cl_web_page cl_metrics_pages[CL_METRICS_PAGES_N] = {
    {"/metrics", "counters and gauges, for Prometheus", make_metrics},
    {"/healthz", "is the engine alive", make_health},
    {"/readyz", "is it reading and committing", make_readiness},
};
