/* metrics.c - see metrics.h.  One lock around one view; readers copy it out. */
#include "stream/metrics.h"

#include "base/clock.h"
#include "stream/lane.h"
#include "stream/stream.h"

#include <pthread.h>
#include <stdlib.h>

const double cl_commit_bucket_seconds[CL_COMMIT_BUCKETS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                            0.5,   1,    2.5,   5,    10,  30};

struct cl_metrics {
    pthread_mutex_t lock; /* guards now */
    struct cl_metrics_view now;
};

enum cl_code cl_metrics_new(struct cl_metrics **ret, struct cl_error *err)
{
    struct cl_metrics *m = calloc(1, sizeof *m);
    if (m == NULL) return cl_fail_nomem(err);
    (void)pthread_mutex_init(&m->lock, NULL);
    m->now.beat_us = cl_clock_monotonic_us();
    m->now.queued = -1;
    *ret = m;
    return CL_OK;
}

void cl_metrics_free(struct cl_metrics *m)
{
    if (m == NULL) return;
    cl_metrics_view_fini(&m->now);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

void cl_metrics_view_fini(struct cl_metrics_view *view)
{
    free(view->tables);
    free(view->parts);
    *view = (struct cl_metrics_view){0};
}

static enum cl_code copy_locked(const struct cl_metrics *m, struct cl_metrics_view *ret,
                                struct cl_error *err)
{
    *ret = m->now;
    ret->tables = calloc(m->now.n_tables + 1, sizeof *ret->tables);
    ret->parts = calloc(m->now.n_parts + 1, sizeof *ret->parts);
    if (ret->tables == NULL || ret->parts == NULL) return cl_fail_nomem(err);
    if (m->now.n_tables > 0)
        memcpy(ret->tables, m->now.tables, m->now.n_tables * sizeof *ret->tables);
    if (m->now.n_parts > 0) memcpy(ret->parts, m->now.parts, m->now.n_parts * sizeof *ret->parts);
    return CL_OK;
}

enum cl_code cl_metrics_read(struct cl_metrics *m, struct cl_metrics_view *ret,
                             struct cl_error *err)
{
    struct cl_metrics_view view = {0};
    (void)pthread_mutex_lock(&m->lock);
    enum cl_code code = copy_locked(m, &view, err);
    (void)pthread_mutex_unlock(&m->lock);
    if (code == CL_OK)
        *ret = view;
    else
        cl_metrics_view_fini(&view);
    return code;
}

/* ---- the engine's side ---- */

/* What was counted under this name before, or nothing yet. */
static struct cl_table_metrics carried_over(const struct cl_metrics_view *before, const char *name)
{
    for (size_t i = 0; i < before->n_tables; i++)
        if (strcmp(before->tables[i].name, name) == 0) return before->tables[i];
    return (struct cl_table_metrics){.name = name, .watermark_us = INT64_MIN};
}

enum cl_code cl_metrics_plan(struct cl_metrics *m, const struct cl_stream_plan *plan,
                             struct cl_error *err)
{
    if (m == NULL) return CL_OK;
    size_t n_tables = plan->n_tables + 1;
    struct cl_table_metrics *tables = calloc(n_tables, sizeof *tables);
    struct cl_part_metrics *parts = calloc(plan->n_parts + 1, sizeof *parts);
    if (tables == NULL || parts == NULL) {
        free(tables);
        free(parts);
        return cl_fail_nomem(err);
    }
    for (size_t i = 0; i < plan->n_parts; i++) {
        const struct cl_source_partition *p = &plan->parts[i];
        parts[i] = (struct cl_part_metrics){
            p->feed != NULL ? p->feed->name : "", p->topic, p->partition, -1, -1, -1};
    }
    (void)pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < n_tables; i++)
        tables[i] =
            carried_over(&m->now, i < plan->n_tables ? plan->tables[i].name : plan->dead.name);
    free(m->now.tables);
    free(m->now.parts);
    m->now.tables = tables;
    m->now.n_tables = n_tables;
    m->now.parts = parts;
    m->now.n_parts = plan->n_parts;
    m->now.polled = false;
    m->now.beat_us = cl_clock_monotonic_us();
    (void)pthread_mutex_unlock(&m->lock);
    return CL_OK;
}

void cl_metrics_phase(struct cl_metrics *m, enum cl_engine_phase phase)
{
    if (m == NULL) return;
    (void)pthread_mutex_lock(&m->lock);
    m->now.phase = phase;
    m->now.beat_us = cl_clock_monotonic_us();
    (void)pthread_mutex_unlock(&m->lock);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The end is what the source learnt while reading, else what it was at the beginning; never behind
 * what was read. */
static int64_t end_of(const struct cl_stream_plan *plan, size_t part, int64_t read)
{
    struct cl_source *source = plan->source;
    int64_t end =
        source->ops->known_end != NULL ? source->ops->known_end(source, (int32_t)part) : -1;
    end = larger(end, plan->parts[part].end);
    return end < 0 ? -1 : larger(end, read);
}

void cl_metrics_tick(struct cl_metrics *m, const struct cl_stream_plan *plan,
                     struct cl_lane *const *lanes, int n_lanes, const struct cl_position *committed,
                     const struct cl_stream_stats *stats)
{
    if (m == NULL) return;
    struct cl_source *source = plan->source;
    int64_t queued = source->ops->queued != NULL ? source->ops->queued(source) : -1;
    bool polled = true;
    for (int i = 0; i < n_lanes; i++)
        polled &= atomic_load_explicit(&cl_lane_stats(lanes[i])->polled, memory_order_relaxed);
    (void)pthread_mutex_lock(&m->lock);
    struct cl_metrics_view *v = &m->now;
    for (size_t i = 0; i < v->n_parts && i < plan->n_parts; i++) {
        int lane = plan->lane_of_part[i];
        v->parts[i].committed = committed[i].next;
        v->parts[i].read = lane >= 0 && lane < n_lanes ? cl_lane_reached(lanes[lane], i) : -1;
        v->parts[i].end = end_of(plan, i, v->parts[i].read);
    }
    v->polled = polled;
    v->queued = queued;
    v->read_messages = stats->consumed;
    v->read_bytes = stats->bytes;
    v->open_file_bytes = stats->memory_bytes;
    v->beat_us = cl_clock_monotonic_us();
    (void)pthread_mutex_unlock(&m->lock);
}

static void add_counts(struct cl_counts *total, const struct cl_counts *more)
{
    total->consumed += more->consumed;
    total->stored += more->stored;
    total->duplicates += more->duplicates;
    total->rejected += more->rejected;
}

void cl_metrics_commit(struct cl_metrics *m, size_t table, const struct cl_commit_metrics *commit)
{
    if (m == NULL) return;
    int bucket = 0;
    while (bucket < CL_COMMIT_BUCKETS &&
           (double)commit->took_us > cl_commit_bucket_seconds[bucket] * 1e6)
        bucket++;
    (void)pthread_mutex_lock(&m->lock);
    struct cl_table_metrics *t = &m->now.tables[table];
    add_counts(&t->counts, commit->counts);
    for (size_t i = 0; i < CL_REJECT_N && commit->rejected != NULL; i++)
        t->rejected[i] += commit->rejected[i];
    t->late += commit->late;
    t->commits++;
    t->files += commit->files;
    t->file_bytes += commit->file_bytes;
    m->now.commit_buckets[bucket]++;
    m->now.commit_sum_us += commit->took_us;
    m->now.failed_tries = 0;
    m->now.beat_us = cl_clock_monotonic_us();
    (void)pthread_mutex_unlock(&m->lock);
}

void cl_metrics_commit_retry(struct cl_metrics *m)
{
    if (m == NULL) return;
    (void)pthread_mutex_lock(&m->lock);
    m->now.commit_retries++;
    m->now.failed_tries++;
    m->now.beat_us = cl_clock_monotonic_us();
    (void)pthread_mutex_unlock(&m->lock);
}

void cl_metrics_commit_failure(struct cl_metrics *m)
{
    if (m == NULL) return;
    (void)pthread_mutex_lock(&m->lock);
    m->now.commit_failures++;
    m->now.failed_tries++;
    (void)pthread_mutex_unlock(&m->lock);
}

void cl_metrics_fence(struct cl_metrics *m)
{
    if (m == NULL) return;
    (void)pthread_mutex_lock(&m->lock);
    m->now.fences++;
    m->now.failed_tries = 0; /* the next generation begins afresh */
    m->now.phase = CL_ENGINE_RESTARTING;
    m->now.beat_us = cl_clock_monotonic_us();
    (void)pthread_mutex_unlock(&m->lock);
}
