/* stream.c - the committer: rounds of request, collect, commit; and generations, when another
 * process was faster.
 *
 * A generation is one plan: tables and positions as the lake has them now.  A round asks every lane
 * for what it has, and commits it table by table, dead letters first (stream/ledger.h says why).  A
 * commit that is fenced ends the generation: everything not committed is thrown away and the next
 * generation begins at the positions that the lake now says. */
#include "stream/stream.h"

#include "base/clock.h"
#include "base/hash.h"
#include "stream/plan.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    TICK_MS = 250,
    RETRY_FOR_US = 60000000,
    MAX_FRUITLESS =
        100, /* times in a row that the engine is fenced without one commit of its own */
};

struct engine {
    struct cl_stream_plan plan;
    const struct cl_stream_options *options;
    struct cl_lane **lanes;
    int n_lanes;
    struct cl_position *committed; /* per partition: what the lake has */
    struct cl_position *latest;    /* per partition: what the lanes have handed over */
    int64_t commit_every_us;
    int64_t round_began_us;
    int64_t stored_at_round;
    struct cl_stream_stats base; /* of generations before this one */
    struct cl_stream_stats *stats;
    int64_t began_us;
};

static bool stop_wanted(const struct engine *e)
{
    return e->options->stop != NULL && atomic_load(e->options->stop) != 0;
}

/* ---- statistics ---- */

static void update_stats(struct engine *e)
{
    struct cl_stream_stats *s = e->stats;
    s->consumed = e->base.consumed;
    s->stored = e->base.stored;
    s->rejected = e->base.rejected;
    s->bytes = e->base.bytes;
    s->memory_bytes = 0;
    for (int i = 0; i < e->n_lanes; i++) {
        const struct cl_lane_stats *lane = cl_lane_stats(e->lanes[i]);
        s->consumed += atomic_load_explicit(&lane->consumed, memory_order_relaxed);
        s->rejected += atomic_load_explicit(&lane->rejected, memory_order_relaxed);
        s->bytes += atomic_load_explicit(&lane->bytes, memory_order_relaxed);
        s->memory_bytes += atomic_load_explicit(&lane->memory_bytes, memory_order_relaxed);
    }
    s->stored = s->consumed - s->rejected;
    s->elapsed_us = cl_clock_monotonic_us() - e->began_us;
}

static void tick(struct engine *e)
{
    update_stats(e);
    cl_metrics_tick(e->options->metrics, &e->plan, e->lanes, e->n_lanes, e->committed, e->stats);
    if (e->options->progress != NULL) e->options->progress(e->options->context, e->stats);
}

/* ---- one round ---- */

/* Adds everything of `from` to `into`; `from` is emptied and freed. */
static enum cl_code merge_handover(struct engine *e, struct cl_handover *into,
                                   struct cl_handover *from, struct cl_error *err)
{
    enum cl_code code = cl_file_list_move(&into->dead, &from->dead, err);
    for (size_t i = 0; i < into->n_tables && code == CL_OK; i++) {
        code = cl_file_list_move(&into->files[i], &from->files[i], err);
        into->counts[i].consumed += from->counts[i].consumed;
        into->counts[i].stored += from->counts[i].stored;
        into->counts[i].duplicates += from->counts[i].duplicates;
        into->counts[i].rejected += from->counts[i].rejected;
    }
    for (size_t i = 0; i < e->plan.n_parts; i++) {
        if (from->moved[i]) into->position[i] = from->position[i];
        into->moved[i] |= from->moved[i];
        into->dead_moved[i] |= from->dead_moved[i];
    }
    for (size_t i = 0; i <= into->n_tables; i++)
        for (size_t r = 0; r < CL_REJECT_N; r++)
            into->rejects[i][r] += from->rejects[i][r];
    into->dead_rows += from->dead_rows;
    cl_handover_free(from, e->plan.dead.catalog->store);
    return code;
}

static enum cl_code collect_all(struct engine *e, struct cl_handover **ret, struct cl_error *err)
{
    struct cl_handover *all = NULL;
    enum cl_code code = CL_OK;
    for (int i = 0; i < e->n_lanes; i++)
        cl_lane_request(e->lanes[i]);
    for (int i = 0; i < e->n_lanes && code == CL_OK; i++) {
        struct cl_handover *h = NULL;
        while (code == CL_OK && h == NULL) {
            code = cl_lane_collect(e->lanes[i], TICK_MS, &h, err);
            if (h == NULL) tick(e);
        }
        if (h == NULL) break;
        if (all == NULL)
            all = h;
        else
            code = merge_handover(e, all, h, err);
    }
    if (code != CL_OK) {
        cl_handover_free(all, e->plan.dead.catalog->store);
        return code;
    }
    *ret = all;
    return CL_OK;
}

static void forget_files(struct cl_file_list *files, enum cl_code code, struct cl_store *store)
{
    /* After an unknown outcome the files may be in the table: they must stay. */
    if (code == CL_OK || code == CL_EUNKNOWN)
        cl_file_list_fini(files);
    else
        cl_file_list_discard(files, store);
}

/* rejected: by reason. */
static enum cl_code commit_step(struct engine *e, struct cl_stream_table *t,
                                struct cl_progress *step, struct cl_file_list *files,
                                const int64_t *rejected, struct cl_error *err)
{
    bool is_dead = t == &e->plan.dead;
    const struct cl_commit_options options = {.exact = !is_dead,
                                              .retry_for_us = RETRY_FOR_US,
                                              .abort = e->options->stop,
                                              .metrics = e->options->metrics};
    int64_t began = cl_clock_monotonic_us(), n_files = (int64_t)files->n, file_bytes = 0;
    for (size_t i = 0; i < files->n; i++)
        file_bytes += files->files[i].size_bytes;
    enum cl_code code = cl_file_list_settle(files, err);
    if (code == CL_OK) code = cl_stream_table_commit(t, step, files, &options, err);
    forget_files(files, code, t->catalog->store);
    if (code != CL_OK && code != CL_ECONFLICT) cl_metrics_commit_failure(e->options->metrics);
    if (code != CL_OK) return code;
    e->stats->commits++;
    e->stats->files += n_files;
    const struct cl_commit_metrics done = {.counts = &step->commit,
                                           .rejected = rejected,
                                           .files = n_files,
                                           .file_bytes = file_bytes,
                                           .took_us = cl_clock_monotonic_us() - began};
    cl_metrics_commit(e->options->metrics,
                      is_dead ? e->plan.n_tables : (size_t)(t - e->plan.tables), &done);
    cl_log(e->options->log, CL_LOG_INFO, "commit", CL_STR("table", t->name),
           CL_NUM("rows", step->commit.stored), CL_NUM("rejected", step->commit.rejected),
           CL_NUM("files", n_files), CL_NUM("ms", (cl_clock_monotonic_us() - began) / 1000));
    return CL_OK;
}

/* {"gps": identity, ...} of the feeds that have dead letters in this round. */
static enum cl_code dead_source(const struct engine *e, const struct cl_handover *h, char **ret,
                                struct cl_error *err)
{
    json_t *object = json_object();
    enum cl_code code = object == NULL ? cl_fail_nomem(err) : CL_OK;
    for (size_t i = 0; i < e->plan.n_parts && code == CL_OK; i++) {
        if (!h->dead_moved[i]) continue;
        const char *name = e->plan.parts[i].feed == NULL ? "" : e->plan.parts[i].feed->name;
        json_t *identity = json_loads(e->plan.identity_of_part[i], 0, NULL);
        if (json_object_set_new(object, name, identity) != 0) code = cl_fail_nomem(err);
    }
    if (code == CL_OK && (*ret = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS)) == NULL)
        code = cl_fail_nomem(err);
    json_decref(object);
    return code;
}

static enum cl_code commit_dead(struct engine *e, struct cl_handover *h, struct cl_error *err)
{
    struct cl_progress step = {0};
    char key[CL_PLAN_KEY];
    if (h->dead_rows == 0) return CL_OK;
    enum cl_code code = dead_source(e, h, &step.source, err);
    for (size_t i = 0; i < e->plan.n_parts && code == CL_OK; i++) {
        if (!h->dead_moved[i]) continue;
        struct cl_progress_entry *entry =
            cl_progress_entry(&step, cl_plan_key(&e->plan.parts[i], true, key, sizeof key));
        if (entry == NULL) {
            code = cl_fail_nomem(err);
            break;
        }
        int64_t start = e->committed[i].next;
        entry->start = start > e->plan.dead_below[i] ? start : e->plan.dead_below[i];
        entry->end = e->latest[i].next;
        entry->hint = e->latest[i].hint;
    }
    step.commit.stored = step.commit.consumed = h->dead_rows;
    if (code == CL_OK)
        code = commit_step(e, &e->plan.dead, &step, &h->dead, h->rejects[e->plan.n_tables], err);
    for (size_t i = 0; i < e->plan.n_parts && code == CL_OK; i++) {
        if (h->dead_moved[i] && e->plan.parts[i].feed == NULL) e->committed[i] = e->latest[i];
    }
    cl_progress_fini(&step);
    return code;
}

static enum cl_code table_step(const struct engine *e, size_t table, struct cl_progress *step,
                               bool *ret_due, struct cl_error *err)
{
    char key[CL_PLAN_KEY];
    for (size_t i = 0; i < e->plan.n_parts; i++) {
        if (e->plan.table_of_part[i] != (int)table) continue;
        if (step->source == NULL) {
            step->source = strdup(e->plan.identity_of_part[i]);
            if (step->source == NULL) return cl_fail_nomem(err);
        }
        if (e->latest[i].next <= e->committed[i].next) continue;
        struct cl_progress_entry *entry =
            cl_progress_entry(step, cl_plan_key(&e->plan.parts[i], false, key, sizeof key));
        if (entry == NULL) return cl_fail_nomem(err);
        entry->start = e->committed[i].next;
        entry->end = e->latest[i].next;
        entry->hint = e->latest[i].hint;
        /* A position that moved over no message (a transaction marker) can wait for the next
         * message, unless others that share its stream would then be read again from far back. */
        if (step->commit.consumed > 0 || cl_plan_shares_stream(&e->plan, i)) *ret_due = true;
    }
    return CL_OK;
}

static enum cl_code commit_table(struct engine *e, size_t table, struct cl_handover *h,
                                 struct cl_error *err)
{
    struct cl_progress step = {.commit = h->counts[table]};
    bool due = false;
    enum cl_code code = table_step(e, table, &step, &due, err);
    if (code == CL_OK && due) {
        code =
            commit_step(e, &e->plan.tables[table], &step, &h->files[table], h->rejects[table], err);
        for (size_t i = 0; i < e->plan.n_parts && code == CL_OK; i++)
            if (e->plan.table_of_part[i] == (int)table) e->committed[i] = e->latest[i];
        if (code == CL_OK) {
            e->stats->committed += step.commit.consumed;
            e->stats->rejects_committed += step.commit.rejected;
        }
    }
    cl_progress_fini(&step);
    return code;
}

static void log_rejects(const struct engine *e, const struct cl_handover *h)
{
    for (int i = 0; i < CL_REJECT_N; i++) {
        int64_t n = 0;
        for (size_t table = 0; table <= h->n_tables; table++)
            n += h->rejects[table][i];
        if (n > 0)
            cl_log(e->options->log, CL_LOG_WARN, "rejected",
                   CL_STR("reason", cl_reject_reason_text((enum cl_reject_reason)i)),
                   CL_NUM("messages", n), CL_STR("kept_in", CL_DEAD_LETTERS));
    }
}

static enum cl_code commit_round(struct engine *e, struct cl_error *err)
{
    struct cl_handover *h = NULL;
    enum cl_code code = collect_all(e, &h, err);
    if (code != CL_OK) return code;
    int64_t began = cl_clock_monotonic_us();
    for (size_t i = 0; i < e->plan.n_parts; i++)
        if (h->moved[i]) e->latest[i] = h->position[i];
    code = commit_dead(e, h, err);
    for (size_t i = 0; i < e->plan.n_tables && code == CL_OK; i++)
        code = commit_table(e, i, h, err);
    if (code == CL_OK) log_rejects(e, h);
    e->stats->commit_us = cl_clock_monotonic_us() - began;
    cl_handover_free(h, e->plan.dead.catalog->store);
    tick(e);
    e->round_began_us = cl_clock_monotonic_us();
    e->stored_at_round = e->stats->stored;
    return code;
}

/* ---- a generation ---- */

static bool all_ended(const struct engine *e)
{
    for (int i = 0; i < e->n_lanes; i++)
        if (!cl_lane_ended(e->lanes[i])) return false;
    return true;
}

static enum cl_code run_lanes(struct engine *e, struct cl_error *err)
{
    e->round_began_us = cl_clock_monotonic_us();
    int64_t last_tick = 0;
    for (;;) {
        enum cl_code code = CL_OK;
        for (int i = 0; i < e->n_lanes && code == CL_OK; i++)
            code = cl_lane_check(e->lanes[i], err);
        if (code != CL_OK) return code;
        bool last = stop_wanted(e) || all_ended(e);
        int64_t now = cl_clock_monotonic_us();
        if (now - last_tick >= TICK_MS * 1000) {
            tick(e);
            last_tick = now;
        }
        bool due = now - e->round_began_us >= e->commit_every_us ||
                   e->stats->stored - e->stored_at_round >= e->plan.spec->lake.commit_rows;
        if (last || due) code = commit_round(e, err);
        if (code != CL_OK || last) return code;
        cl_clock_sleep_us(20000);
    }
}

static enum cl_code start_lanes(struct engine *e, struct cl_error *err)
{
    struct cl_source *source = e->plan.source;
    int wanted = e->n_lanes;
    e->n_lanes = 0; /* counts those that run */
    e->lanes = calloc((size_t)wanted, sizeof *e->lanes);
    e->committed = calloc(e->plan.n_parts + 1, sizeof *e->committed);
    e->latest = calloc(e->plan.n_parts + 1, sizeof *e->latest);
    if (e->lanes == NULL || e->committed == NULL || e->latest == NULL) return cl_fail_nomem(err);
    memcpy(e->committed, e->plan.start, e->plan.n_parts * sizeof *e->committed);
    memcpy(e->latest, e->plan.start, e->plan.n_parts * sizeof *e->latest);
    enum cl_code code =
        source->ops->start(source, e->plan.start, e->plan.lane_of_part, wanted, err);
    for (int i = 0; i < wanted && code == CL_OK; i++) {
        code = cl_lane_start(&e->plan, i, &e->lanes[i], err);
        if (code == CL_OK) e->n_lanes++;
    }
    return code;
}

static void end_generation(struct engine *e)
{
    if (e->lanes != NULL) update_stats(e);
    e->base = *e->stats;
    for (int i = 0; i < e->n_lanes && e->lanes != NULL; i++)
        cl_lane_quit(e->lanes[i]);
    for (int i = 0; i < e->n_lanes && e->lanes != NULL; i++)
        cl_lane_join_free(e->lanes[i]);
    if (e->lanes != NULL) e->plan.source->ops->stop(e->plan.source);
    free(e->lanes);
    free(e->committed);
    free(e->latest);
    e->lanes = NULL;
    e->committed = e->latest = NULL;
    e->n_lanes = 0;
    cl_plan_fini(&e->plan);
}

static enum cl_code run_generation(struct engine *e, const struct cl_spec *spec,
                                   struct cl_source *source, struct cl_catalog *catalog,
                                   struct cl_error *err)
{
    e->n_lanes = e->options->lanes;
    enum cl_code code = cl_plan_make(spec, source, catalog, &e->n_lanes, &e->plan, err);
    if (code != CL_OK) {
        e->n_lanes = 0;
        return code;
    }
    e->plan.log = e->options->log;
    cl_log(e->options->log, CL_LOG_INFO, "start", CL_STR("source", source->ops->name),
           CL_STR("lake", catalog->store->root_uri), CL_NUM("tables", e->plan.n_tables),
           CL_NUM("partitions", e->plan.n_parts), CL_NUM("lanes", e->n_lanes));
    code = cl_metrics_plan(e->options->metrics, &e->plan, err);
    if (code == CL_OK) code = start_lanes(e, err);
    if (code == CL_OK) cl_metrics_phase(e->options->metrics, CL_ENGINE_RUNNING);
    if (code == CL_OK) code = run_lanes(e, err);
    end_generation(e);
    return code;
}

enum cl_code cl_stream_run(const struct cl_spec *spec, struct cl_source *source,
                           struct cl_catalog *catalog, const struct cl_stream_options *options,
                           struct cl_stream_stats *ret_stats, struct cl_error *err)
{
    struct cl_stream_stats stats = {0};
    struct cl_error why = {0};
    struct engine e = {.options = options, .stats = &stats, .began_us = cl_clock_monotonic_us()};
    e.commit_every_us =
        options->commit_every_us > 0 ? options->commit_every_us : spec->lake.commit_every_us;
    enum cl_code code;
    for (int fruitless = 0;;) {
        int64_t commits = stats.commits;
        code = run_generation(&e, spec, source, catalog, &why);
        fruitless = stats.commits > commits ? 0 : fruitless + 1;
        if (code != CL_ECONFLICT || fruitless >= MAX_FRUITLESS) break;
        stats.restarts++;
        cl_metrics_fence(options->metrics);
        cl_log(options->log, CL_LOG_WARN, "fenced", CL_STR("why", why.message),
               CL_STR("action", stop_wanted(&e) ? "stopping" : "re-seeking"));
        /* What the other process committed is in the lake, the rest will be read again: a clean
         * end. */
        if (stop_wanted(&e)) {
            code = CL_OK;
            break;
        }
        cl_clock_sleep_us(100000 + (int64_t)(cl_mix64((uint64_t)cl_clock_monotonic_us()) % 900000));
    }
    cl_metrics_phase(options->metrics, CL_ENGINE_STOPPED);
    if (code != CL_OK && err != NULL) *err = why;
    if (ret_stats != NULL) *ret_stats = stats;
    return code;
}
