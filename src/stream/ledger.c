#include "stream/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t lower_bound(const struct cl_progress *p, const char *key)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(p->entries[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct cl_progress_entry *cl_progress_find(const struct cl_progress *p, const char *key)
{
    size_t at = lower_bound(p, key);
    return at < p->n && strcmp(p->entries[at].key, key) == 0 ? &p->entries[at] : NULL;
}

struct cl_progress_entry *cl_progress_entry(struct cl_progress *p, const char *key)
{
    size_t at = lower_bound(p, key);
    if (at < p->n && strcmp(p->entries[at].key, key) == 0) return &p->entries[at];
    /* Grows by powers of two; n is the only state. */
    if ((p->n & (p->n - 1)) == 0) {
        size_t cap = p->n == 0 ? 1 : p->n * 2;
        struct cl_progress_entry *entries = realloc(p->entries, cap * sizeof *entries);
        if (entries == NULL) return NULL;
        p->entries = entries;
    }
    char *copy = strdup(key);
    if (copy == NULL) return NULL;
    memmove(&p->entries[at + 1], &p->entries[at], (p->n - at) * sizeof *p->entries);
    p->n++;
    p->entries[at] =
        (struct cl_progress_entry){.key = copy, .first = -1, .next = -1, .start = -1, .end = -1};
    return &p->entries[at];
}

void cl_progress_fini(struct cl_progress *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->entries[i].key);
    free(p->entries);
    free(p->source);
    *p = (struct cl_progress){0};
}

/* ---- reading ---- */

static enum cl_code bad_key(const struct cl_snapshot *s, const char *key, const char *why,
                            struct cl_error *err)
{
    return cl_fail(err, CL_EDATA,
                   "snapshot %" PRId64
                   ": summary key %s %s; roll the table back to a snapshot before it",
                   s->id, key, why);
}

static enum cl_code load_key(const struct cl_snapshot *s, const char *key, json_t **ret,
                             struct cl_error *err)
{
    const char *text = cl_snapshot_summary(s, key);
    if (text == NULL) return bad_key(s, key, "is missing", err);
    errno = 0;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (object == NULL && errno == ENOMEM) return cl_fail_nomem(err); /* jansson says: invalid */
    if (!json_is_object(object)) {
        json_decref(object);
        return bad_key(s, key, "is not a JSON object", err);
    }
    *ret = object;
    return CL_OK;
}

/* Member `name` of citylake.offsets, an object of integers, into the field at `offset` of each
 * entry. */
static enum cl_code read_map(struct cl_progress *p, const struct cl_snapshot *s, json_t *offsets,
                             const char *name, size_t field, struct cl_error *err)
{
    json_t *map = json_object_get(offsets, name), *value;
    const char *key;
    if (map == NULL && strcmp(name, "hint") == 0) return CL_OK;
    if (!json_is_object(map))
        return bad_key(s, CL_SUMMARY_OFFSETS, "lacks a map of positions", err);
    json_object_foreach(map, key, value)
    {
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return bad_key(s, CL_SUMMARY_OFFSETS, "holds a position that is not a whole number",
                           err);
        struct cl_progress_entry *e = cl_progress_entry(p, key);
        if (e == NULL) return cl_fail_nomem(err);
        memcpy((char *)e + field, &(int64_t){json_integer_value(value)}, sizeof(int64_t));
    }
    return CL_OK;
}

static enum cl_code read_offsets(const struct cl_snapshot *s, struct cl_progress *p,
                                 struct cl_error *err)
{
    json_t *offsets = NULL;
    enum cl_code code = load_key(s, CL_SUMMARY_OFFSETS, &offsets, err);
    if (code != CL_OK) return code;
    json_t *source = json_object_get(offsets, "source");
    if (json_integer_value(json_object_get(offsets, "v")) != 1)
        code =
            bad_key(s, CL_SUMMARY_OFFSETS, "is of a version that this program does not know", err);
    else if (!json_is_object(source))
        code = bad_key(s, CL_SUMMARY_OFFSETS, "names no source", err);
    if (code == CL_OK) {
        p->source = json_dumps(source, JSON_COMPACT | JSON_SORT_KEYS);
        if (p->source == NULL) code = cl_fail_nomem(err);
    }
    if (code == CL_OK)
        code = read_map(p, s, offsets, "first", offsetof(struct cl_progress_entry, first), err);
    if (code == CL_OK)
        code = read_map(p, s, offsets, "next", offsetof(struct cl_progress_entry, next), err);
    if (code == CL_OK)
        code = read_map(p, s, offsets, "hint", offsetof(struct cl_progress_entry, hint), err);
    json_decref(offsets);
    return code;
}

static enum cl_code read_ranges(const struct cl_snapshot *s, struct cl_progress *p,
                                struct cl_error *err)
{
    json_t *ranges = NULL, *range;
    const char *key;
    enum cl_code code = load_key(s, CL_SUMMARY_RANGES, &ranges, err);
    if (code != CL_OK) return code;
    json_object_foreach(ranges, key, range)
    {
        json_t *start = json_array_get(range, 0), *end = json_array_get(range, 1);
        if (json_array_size(range) != 2 || !json_is_integer(start) || !json_is_integer(end) ||
            json_integer_value(start) < 0) {
            code = bad_key(s, CL_SUMMARY_RANGES, "holds a range that is not [start, next]", err);
            break;
        }
        struct cl_progress_entry *e = cl_progress_entry(p, key);
        if (e == NULL) {
            code = cl_fail_nomem(err);
            break;
        }
        e->start = json_integer_value(start);
        e->end = json_integer_value(end);
    }
    json_decref(ranges);
    return code;
}

static enum cl_code read_counts(const struct cl_snapshot *s, const char *key, struct cl_counts *ret,
                                struct cl_error *err)
{
    json_t *object = NULL;
    enum cl_code code = load_key(s, key, &object, err);
    if (code != CL_OK) return code;
    const struct {
        const char *name;
        int64_t *to;
    } members[] = {{"consumed", &ret->consumed},
                   {"stored", &ret->stored},
                   {"duplicates", &ret->duplicates},
                   {"rejected", &ret->rejected}};
    for (size_t i = 0; i < sizeof members / sizeof *members && code == CL_OK; i++) {
        json_t *value = json_object_get(object, members[i].name);
        if (!json_is_integer(value)) code = bad_key(s, key, "lacks a count", err);
        *members[i].to = json_integer_value(value);
    }
    json_decref(object);
    return code;
}

enum cl_code cl_progress_read(const struct cl_snapshot *snapshot, struct cl_progress *ret,
                              struct cl_error *err)
{
    struct cl_progress p = {0};
    if (cl_snapshot_summary(snapshot, CL_SUMMARY_OFFSETS) == NULL)
        return cl_fail(err, CL_ENOTFOUND, "snapshot %" PRId64 " was not made by citylake",
                       snapshot->id);
    enum cl_code code = read_offsets(snapshot, &p, err);
    if (code == CL_OK) code = read_ranges(snapshot, &p, err);
    if (code == CL_OK) code = read_counts(snapshot, CL_SUMMARY_LEDGER, &p.commit, err);
    if (code == CL_OK) code = read_counts(snapshot, CL_SUMMARY_LEDGER_TOTAL, &p.total, err);
    if (code != CL_OK) {
        cl_progress_fini(&p);
        return code;
    }
    const char *id = cl_snapshot_summary(snapshot, CL_SUMMARY_COMMIT_ID);
    (void)snprintf(p.commit_id, sizeof p.commit_id, "%s", id == NULL ? "" : id);
    *ret = p;
    return CL_OK;
}

enum cl_code cl_progress_current(const struct cl_metadata *m, struct cl_progress *ret,
                                 const struct cl_snapshot **ret_snapshot, struct cl_error *err)
{
    const struct cl_snapshot *s = cl_metadata_current(m);
    if (s == NULL) {
        *ret_snapshot = NULL;
        return CL_OK;
    }
    bool whole = false; /* nothing was expired */
    /* The bound ends the walk over a chain that somebody made circular. */
    for (size_t steps = 0; s != NULL && steps <= m->n_snapshots; steps++) {
        enum cl_code code = cl_progress_read(s, ret, err);
        if (code == CL_OK) *ret_snapshot = s;
        if (code != CL_ENOTFOUND) return code;
        whole = s->parent_id < 0;
        s = whole ? NULL : cl_metadata_snapshot(m, s->parent_id);
    }
    /* Snapshots of other programs without a row among them: there is nothing whose offset could
     * matter. */
    const char *rows = cl_snapshot_summary(cl_metadata_current(m), "total-records");
    if (whole && rows != NULL && strcmp(rows, "0") == 0) {
        *ret_snapshot = NULL;
        return CL_OK;
    }
    return cl_fail(err, CL_EDATA,
                   "the table has rows but no snapshot on its main branch says up to which offset "
                   "(%s); write to another "
                   "lake, or roll the table back to a snapshot made by citylake",
                   CL_SUMMARY_OFFSETS);
}

/* ---- writing ---- */

static int put_int(json_t *object, const char *key, int64_t value)
{
    return json_object_set_new(object, key, json_integer(value));
}

static int build_maps(const struct cl_progress *p, json_t *first, json_t *next, json_t *hint,
                      json_t *ranges)
{
    int failed = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct cl_progress_entry *e = &p->entries[i];
        if (e->first >= 0) failed |= put_int(first, e->key, e->first);
        if (e->next >= 0) failed |= put_int(next, e->key, e->next);
        if (e->hint > 0) failed |= put_int(hint, e->key, e->hint);
        if (e->start >= 0)
            failed |= json_object_set_new(ranges, e->key, json_pack("[II]", e->start, e->end));
    }
    return failed;
}

static json_t *counts_json(const struct cl_counts *c)
{
    return json_pack("{sI sI sI sI}", "consumed", c->consumed, "stored", c->stored, "duplicates",
                     c->duplicates, "rejected", c->rejected);
}

static bool add_property(struct cl_arena *arena, struct cl_property *props, size_t *n,
                         const char *key, json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    char *copy = text == NULL ? NULL : cl_arena_strdup(arena, text);
    free(text);
    if (copy == NULL) return false;
    props[(*n)++] = (struct cl_property){key, copy};
    return true;
}

enum cl_code cl_progress_summary(const struct cl_progress *p, struct cl_arena *arena,
                                 struct cl_property *props, size_t *n, struct cl_error *err)
{
    json_t *first = json_object(), *next = json_object(), *hint = json_object(),
           *ranges = json_object();
    json_t *source = json_loads(p->source, 0, NULL);
    json_t *offsets = json_object(), *commit = counts_json(&p->commit),
           *total = counts_json(&p->total);
    char *id = cl_arena_strdup(arena, p->commit_id);
    bool ok = id != NULL && source != NULL && build_maps(p, first, next, hint, ranges) == 0;
    if (ok) {
        ok = json_object_set(offsets, "first", first) == 0 &&
             json_object_set(offsets, "next", next) == 0 &&
             json_object_set(offsets, "source", source) == 0 && put_int(offsets, "v", 1) == 0 &&
             (json_object_size(hint) == 0 || json_object_set(offsets, "hint", hint) == 0);
    }
    if (ok) {
        props[(*n)++] = (struct cl_property){CL_SUMMARY_COMMIT_ID, id};
        ok = add_property(arena, props, n, CL_SUMMARY_OFFSETS, offsets) &&
             add_property(arena, props, n, CL_SUMMARY_RANGES, ranges) &&
             add_property(arena, props, n, CL_SUMMARY_LEDGER, commit) &&
             add_property(arena, props, n, CL_SUMMARY_LEDGER_TOTAL, total);
    }
    json_t *all[] = {first, next, hint, ranges, source, offsets, commit, total};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        json_decref(all[i]);
    return ok ? CL_OK : cl_fail_nomem(err);
}
