#include "stream/plan.h"

#include "base/clock.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

const char *cl_plan_key(const struct cl_source_partition *part, bool in_dead_letters, char *buf,
                        size_t size)
{
    if (in_dead_letters)
        (void)snprintf(buf, size, "%s/%" PRId32, part->topic, part->partition);
    else
        (void)snprintf(buf, size, "%" PRId32, part->partition);
    return buf;
}

bool cl_plan_shares_stream(const struct cl_stream_plan *plan, size_t part)
{
    for (size_t i = 0; i < plan->n_parts; i++)
        if (i != part && plan->parts[i].stream == plan->parts[part].stream) return true;
    return false;
}

void cl_plan_fini(struct cl_stream_plan *plan)
{
    for (size_t i = 0; i < plan->n_tables && plan->tables != NULL; i++)
        cl_stream_table_fini(&plan->tables[i]);
    cl_stream_table_fini(&plan->dead);
    free(plan->tables);
    free(plan->table_of_part);
    free(plan->lane_of_part);
    free(plan->identity_of_part);
    free(plan->start);
    free(plan->dead_below);
    *plan = (struct cl_stream_plan){0};
}

static enum cl_code allocate(struct cl_stream_plan *p, struct cl_error *err)
{
    size_t n = p->n_parts + 1;
    p->tables = calloc(p->spec->n_feeds + 1, sizeof *p->tables);
    p->table_of_part = calloc(n, sizeof *p->table_of_part);
    p->lane_of_part = calloc(n, sizeof *p->lane_of_part);
    p->identity_of_part = calloc(n, sizeof *p->identity_of_part);
    p->start = calloc(n, sizeof *p->start);
    p->dead_below = calloc(n, sizeof *p->dead_below);
    if (p->tables == NULL || p->table_of_part == NULL || p->lane_of_part == NULL ||
        p->identity_of_part == NULL || p->start == NULL || p->dead_below == NULL)
        return cl_fail_nomem(err);
    return CL_OK;
}

/* One table for each feed that the source has partitions of. */
static enum cl_code open_tables(struct cl_stream_plan *p, struct cl_catalog *catalog,
                                struct cl_error *err)
{
    enum cl_code code = cl_stream_table_open(catalog, NULL, &p->dead, err);
    for (size_t i = 0; i < p->n_parts && code == CL_OK; i++) {
        const struct cl_feed *feed = p->parts[i].feed;
        size_t t = 0;
        p->table_of_part[i] = -1;
        if (feed == NULL) continue;
        while (t < p->n_tables && p->tables[t].feed != feed)
            t++;
        if (t == p->n_tables) {
            code = cl_stream_table_open(catalog, feed, &p->tables[t], err);
            if (code != CL_OK) break;
            p->n_tables++;
        }
        p->table_of_part[i] = (int)t;
    }
    return code;
}

static enum cl_code read_identities(struct cl_stream_plan *p, struct cl_error *err)
{
    enum cl_code code = CL_OK;
    for (size_t i = 0; i < p->n_parts && code == CL_OK; i++)
        code = p->source->ops->identity(p->source, (int32_t)i, &p->identity_of_part[i], err);
    return code;
}

/* The table must have been filled from the very source that this run reads. */
static enum cl_code check_identity(const struct cl_stream_plan *p, const struct cl_stream_table *t,
                                   size_t part, const struct cl_progress *progress,
                                   struct cl_error *err)
{
    const char *identity = p->identity_of_part[part];
    if (strcmp(identity, progress->source) == 0) return CL_OK;
    return cl_fail(err, CL_EINVAL,
                   "table %s was filled from %s, but this run reads %s; its offsets would mean "
                   "nothing: write to another lake (--lake) or read the same source",
                   t->name, progress->source, identity);
}

static enum cl_code read_positions(struct cl_stream_plan *p, size_t table, struct cl_error *err)
{
    struct cl_stream_table *t = &p->tables[table];
    struct cl_progress progress = {0};
    const struct cl_snapshot *snapshot = NULL;
    char key[CL_PLAN_KEY];
    enum cl_code code = cl_progress_current(t->base->metadata, &progress, &snapshot, err);
    if (code != CL_OK) return cl_error_wrap(err, code, "table %s", t->name);
    for (size_t i = 0; i < p->n_parts && code == CL_OK; i++) {
        if (p->table_of_part[i] != (int)table) continue;
        const struct cl_source_partition *part = &p->parts[i];
        const struct cl_progress_entry *e =
            snapshot == NULL
                ? NULL
                : cl_progress_find(&progress, cl_plan_key(part, false, key, sizeof key));
        if (snapshot != NULL) code = check_identity(p, t, i, &progress, err);
        p->start[i] = (struct cl_position){part->low > 0 ? part->low : 0, 0};
        if (e != NULL) p->start[i] = (struct cl_position){e->next, e->hint};
    }
    cl_progress_fini(&progress);
    return code;
}

/* Dead letters that stand in the lake already though their feed's commit did not follow (a crash
 * between the two), and where partitions without a feed go on: those have no table of their own.
 * Their stream may be further on than the last dead letter, as far as any feed that shares it:
 * everything below was looked at before that feed's commit. */
static enum cl_code read_dead_positions(struct cl_stream_plan *p, struct cl_error *err)
{
    struct cl_progress progress = {0};
    const struct cl_snapshot *snapshot = NULL;
    char key[CL_PLAN_KEY];
    enum cl_code code = cl_progress_current(p->dead.base->metadata, &progress, &snapshot, err);
    if (code != CL_OK) return cl_error_wrap(err, code, "table %s", p->dead.name);
    for (size_t i = 0; i < p->n_parts; i++) {
        const struct cl_source_partition *part = &p->parts[i];
        const struct cl_progress_entry *e =
            snapshot == NULL
                ? NULL
                : cl_progress_find(&progress, cl_plan_key(part, true, key, sizeof key));
        if (e != NULL) p->dead_below[i] = e->next;
        if (part->feed != NULL) continue;
        p->start[i] =
            e != NULL ? (struct cl_position){e->next, e->hint} : (struct cl_position){0, 0};
        for (size_t k = 0; k < p->n_parts; k++)
            if (p->parts[k].stream == part->stream && p->parts[k].feed != NULL &&
                p->start[k].next > p->start[i].next)
                p->start[i] = p->start[k];
    }
    cl_progress_fini(&progress);
    return CL_OK;
}

/* Streams go, one after the other in the source's order, to the lane with the least work so far. */
static void assign_lanes(struct cl_stream_plan *p, int *n_lanes, int64_t *work)
{
    int n_streams = 0;
    for (size_t i = 0; i < p->n_parts; i++) {
        p->lane_of_part[i] = -1;
        for (size_t k = 0; k < i && p->lane_of_part[i] < 0; k++)
            if (p->parts[k].stream == p->parts[i].stream) p->lane_of_part[i] = p->lane_of_part[k];
        if (p->lane_of_part[i] >= 0) continue;
        int least = 0;
        for (int lane = 1; lane < *n_lanes; lane++)
            if (work[lane] < work[least]) least = lane;
        int64_t backlog =
            p->parts[i].end > p->start[i].next ? p->parts[i].end - p->start[i].next : 0;
        work[least] += backlog + 1;
        p->lane_of_part[i] = least;
        n_streams++;
    }
    if (n_streams < *n_lanes) *n_lanes = n_streams > 0 ? n_streams : 1;
}

static enum cl_code choose_lanes(struct cl_stream_plan *p, int *n_lanes, struct cl_error *err)
{
    if (*n_lanes <= 0) *n_lanes = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (*n_lanes < 1) *n_lanes = 1;
    int64_t *work = calloc((size_t)*n_lanes, sizeof *work);
    if (work == NULL) return cl_fail_nomem(err);
    assign_lanes(p, n_lanes, work);
    free(work);
    return CL_OK;
}

static void choose_output(struct cl_stream_plan *p, int n_lanes)
{
    const struct cl_lake_spec *lake = &p->spec->lake;
    p->memory_bytes = lake->memory_bytes / n_lanes;
    p->parquet = (struct cl_parquet_options){
        .compression = strcmp(lake->compression, "snappy") == 0 ? CL_COMPRESS_SNAPPY
                       : strcmp(lake->compression, "none") == 0 ? CL_COMPRESS_NONE
                                                                : CL_COMPRESS_ZSTD,
        .level = lake->compression_level,
        .row_group_bytes = lake->row_group_bytes,
        .dictionary = true,
    };
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        bits = cl_mix64((uint64_t)cl_clock_wall_us() ^ (uint64_t)getpid() << 40);
    (void)snprintf(p->run_id, sizeof p->run_id, "%016" PRIx64, bits);
}

enum cl_code cl_plan_make(const struct cl_spec *spec, struct cl_source *source,
                          struct cl_catalog *catalog, int *n_lanes, struct cl_stream_plan *ret,
                          struct cl_error *err)
{
    struct cl_stream_plan p = {.spec = spec, .source = source};
    enum cl_code code = source->ops->partitions(source, &p.parts, &p.n_parts, err);
    if (code == CL_OK && p.n_parts == 0)
        code = cl_fail(err, CL_EINVAL, "the %s source has nothing for the feeds of %s",
                       source->ops->name, spec->path);
    if (code == CL_OK) code = allocate(&p, err);
    if (code == CL_OK) code = read_identities(&p, err);
    if (code == CL_OK) code = open_tables(&p, catalog, err);
    for (size_t i = 0; i < p.n_tables && code == CL_OK; i++)
        code = read_positions(&p, i, err);
    if (code == CL_OK) code = read_dead_positions(&p, err);
    if (code == CL_OK) code = choose_lanes(&p, n_lanes, err);
    if (code != CL_OK) {
        cl_plan_fini(&p);
        return code;
    }
    choose_output(&p, *n_lanes);
    *ret = p;
    return CL_OK;
}
