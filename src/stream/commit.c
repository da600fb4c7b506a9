/* commit.c - the compare-and-swap that makes a commit exactly once.
 *
 * On every try, on the newest metadata:
 *   1. our commit id already there (an earlier try whose answer was lost)?  Then it is done.
 *   2. the table's map must agree with the ranges of this commit, else we are fenced;
 *   3. manifest and manifest list are written, then the catalog swaps the metadata if it still is
 * what we read;
 *   4. a lost race removes what step 3 wrote and begins again; an unknown outcome removes nothing
 * and begins again. Because step 3 swaps only against the metadata of step 2, a process that lost
 * its partitions can never commit. */
#include "stream/stream_table.h"

#include "base/clock.h"
#include "base/hash.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static enum cl_code check_source(const struct cl_stream_table *t, const struct cl_progress *current,
                                 const struct cl_progress *step, struct cl_error *err)
{
    if (strcmp(current->source, step->source) == 0) return CL_OK;
    return cl_fail(err, CL_EINVAL,
                   "table %s was filled from %s, but this run reads %s; its offsets would mean "
                   "nothing: write to another lake "
                   "(--lake) or read the same source",
                   t->name, current->source, step->source);
}

/* dead_letters takes from many feeds: its source is an object, feed -> identity, that grows. */
static enum cl_code merge_sources(const struct cl_stream_table *t,
                                  const struct cl_progress *current, struct cl_progress *step,
                                  struct cl_error *err)
{
    json_t *was = json_loads(current->source, 0, NULL), *mine = json_loads(step->source, 0, NULL),
           *identity;
    const char *feed;
    enum cl_code code = was == NULL || mine == NULL ? cl_fail_nomem(err) : CL_OK;
    json_object_foreach(mine, feed, identity)
    {
        json_t *other = json_object_get(was, feed);
        if (code == CL_OK && other != NULL && !json_equal(other, identity))
            code = cl_fail(err, CL_EINVAL,
                           "table %s has dead letters of feed \"%s\" from another source; write to "
                           "another lake (--lake) or read "
                           "the same source",
                           t->name, feed);
    }
    if (code == CL_OK && json_object_update(was, mine) != 0) code = cl_fail_nomem(err);
    char *merged = code == CL_OK ? json_dumps(was, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (code == CL_OK && merged == NULL) code = cl_fail_nomem(err);
    if (merged != NULL) {
        free(step->source);
        step->source = merged;
    }
    json_decref(was);
    json_decref(mine);
    return code;
}

/* Compares the ranges with the table's map, and fills step's first, next and total. */
static enum cl_code advance(const struct cl_stream_table *t, const struct cl_progress *current,
                            bool has_current, struct cl_progress *step, bool exact,
                            struct cl_error *err)
{
    for (size_t i = 0; i < step->n; i++) {
        struct cl_progress_entry *e = &step->entries[i];
        if (e->start < 0) continue;
        const struct cl_progress_entry *was =
            has_current ? cl_progress_find(current, e->key) : NULL;
        if (was != NULL && (exact ? was->next != e->start : was->next > e->start))
            return cl_fail(err, CL_ECONFLICT,
                           "table %s, partition %s: another process committed up to offset %" PRId64
                           ", this commit began at %" PRId64,
                           t->name, e->key, was->next, e->start);
        e->first = was != NULL ? was->first : e->start;
        e->next = e->end;
    }
    for (size_t i = 0; has_current && i < current->n; i++) {
        const struct cl_progress_entry *was = &current->entries[i];
        struct cl_progress_entry *e = cl_progress_entry(step, was->key);
        if (e == NULL) return cl_fail_nomem(err);
        if (e->start >= 0) continue;
        e->first = was->first;
        e->next = was->next;
        e->hint = was->hint;
    }
    const struct cl_counts none = {0}, *before = has_current ? &current->total : &none;
    step->total = (struct cl_counts){
        before->consumed + step->commit.consumed, before->stored + step->commit.stored,
        before->duplicates + step->commit.duplicates, before->rejected + step->commit.rejected};
    return CL_OK;
}

/* Is this commit already part of the table's main branch? */
static bool is_committed(const struct cl_metadata *m, const char *commit_id)
{
    const struct cl_snapshot *s = cl_metadata_current(m);
    for (size_t steps = 0; s != NULL && steps <= m->n_snapshots; steps++) {
        const char *id = cl_snapshot_summary(s, CL_SUMMARY_COMMIT_ID);
        if (id != NULL && strcmp(id, commit_id) == 0) return true;
        s = s->parent_id < 0 ? NULL : cl_metadata_snapshot(m, s->parent_id);
    }
    return false;
}

static void remove_written(struct cl_store *store, struct cl_written *written)
{
    for (size_t i = 0; i < written->n; i++)
        (void)store->ops->remove(store, written->paths[i], NULL);
}

static enum cl_code swap(struct cl_stream_table *t, const struct cl_progress *step,
                         const struct cl_file_list *files, struct cl_error *err)
{
    struct cl_arena arena;
    struct cl_property summary[5];
    size_t n_summary = 0;
    struct cl_metadata *next = NULL;
    struct cl_written written = {0};
    cl_arena_init(&arena, (size_t)64 << 20);
    enum cl_code code = cl_progress_summary(step, &arena, summary, &n_summary, err);
    if (code == CL_OK)
        code = cl_metadata_append(t->base->metadata, t->catalog->store, files->files, files->n,
                                  summary, n_summary, CL_PROGRESS_TAG, &next, &written, err);
    bool prepared = code == CL_OK;
    if (prepared) code = t->catalog->ops->commit(t->catalog, t->base, next, err);
    /* Only a definite failure may delete: after an I/O error of the catalog the commit can still
     * turn out to be there. */
    if (code != CL_OK && (!prepared || code == CL_ECONFLICT))
        remove_written(t->catalog->store, &written);
    if (code == CL_EIO && prepared)
        code = cl_error_wrap(err, CL_EUNKNOWN, "outcome of the commit is unknown");
    cl_written_fini(&written);
    cl_metadata_free(next);
    cl_arena_fini(&arena);
    return code;
}

static enum cl_code try_commit(struct cl_stream_table *t, struct cl_progress *step,
                               const struct cl_file_list *files, bool exact, bool *ret_lost_race,
                               struct cl_error *err)
{
    struct cl_progress current = {0};
    const struct cl_snapshot *snapshot = NULL;
    *ret_lost_race = false;
    enum cl_code code = cl_stream_table_reload(t, err);
    if (code != CL_OK) return code;
    if (is_committed(t->base->metadata, step->commit_id)) return CL_OK;
    code = cl_progress_current(t->base->metadata, &current, &snapshot, err);
    if (code != CL_OK) return cl_error_wrap(err, code, "table %s", t->name);
    if (snapshot != NULL)
        code = t->feed != NULL ? check_source(t, &current, step, err)
                               : merge_sources(t, &current, step, err);
    if (code == CL_OK) code = advance(t, &current, snapshot != NULL, step, exact, err);
    if (code == CL_OK) {
        code = swap(t, step, files, err);
        *ret_lost_race = code == CL_ECONFLICT;
    }
    cl_progress_fini(&current);
    return code;
}

static void new_commit_id(char *buf, size_t size)
{
    uint64_t bits[2];
    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
        bits[0] = cl_mix64((uint64_t)cl_clock_wall_us());
        bits[1] = cl_mix64((uint64_t)cl_clock_monotonic_us() ^ (uint64_t)(uintptr_t)buf);
    }
    (void)snprintf(buf, size, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(bits[0] >> 32),
                   (unsigned)(bits[0] >> 16 & 0xffff), (unsigned)(bits[0] & 0xfff),
                   (unsigned)(0x8000 | (bits[1] >> 48 & 0x3fff)),
                   (unsigned long long)(bits[1] & 0xffffffffffff));
}

/* Full jitter: between nothing and a cap that doubles up to 5 s. */
static void back_off(int tries)
{
    int64_t cap = 20000LL << (tries < 8 ? tries : 8);
    uint64_t random = cl_mix64((uint64_t)cl_clock_monotonic_us());
    cl_clock_sleep_us((int64_t)(random % (uint64_t)(cap < 5000000 ? cap : 5000000)));
}

/* Somebody who asked for a stop still wants this commit, but not for a minute. */
enum { AFTER_STOP_US = 5000000 };

enum cl_code cl_stream_table_commit(struct cl_stream_table *t, struct cl_progress *step,
                                    const struct cl_file_list *files,
                                    const struct cl_commit_options *options, struct cl_error *err)
{
    int64_t deadline = cl_clock_monotonic_us() + options->retry_for_us;
    bool unknown = false;
    new_commit_id(step->commit_id, sizeof step->commit_id);
    for (int tries = 0;; tries++) {
        struct cl_error why = {0};
        bool lost_race = false;
        enum cl_code code = try_commit(t, step, files, options->exact, &lost_race, &why);
        if (code == CL_OK) return CL_OK;
        /* Fenced for good: an earlier try of ours with an open outcome would have been found by its
         * commit id. */
        bool again = lost_race || code == CL_EUNKNOWN || (code == CL_EIO && why.retriable);
        if (code == CL_EUNKNOWN) unknown = true;
        int64_t now = cl_clock_monotonic_us();
        bool stopping = options->abort != NULL && atomic_load(options->abort) != 0;
        if (stopping && deadline > now + AFTER_STOP_US) deadline = now + AFTER_STOP_US;
        if (again && now < deadline) {
            cl_metrics_commit_retry(options->metrics);
            back_off(tries);
            continue;
        }
        /* A failure of this try says nothing about an earlier one whose outcome is open: its files
         * may be in the table.  Only being fenced does: the table has moved on without it, so the
         * swap it asked for can no longer happen. */
        bool fenced = code == CL_ECONFLICT && !lost_race;
        if (unknown && !fenced && code != CL_EUNKNOWN)
            (void)cl_error_wrap(&why, code, "outcome of an earlier try is unknown");
        why.code = unknown && !fenced ? CL_EUNKNOWN : lost_race ? CL_EIO : code;
        if (err != NULL) *err = why;
        return why.code;
    }
}
