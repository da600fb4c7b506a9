/* audit_check.c - see audit_check.h.  The checks of the summaries; those of the rows are in
 * audit_rows.c. */
#include "query/audit_check.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cl_audit_chain_fini(struct cl_audit_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++)
        cl_progress_fini(&chain->commits[i].progress);
    free(chain->commits);
    *chain = (struct cl_audit_chain){0};
}

const struct cl_audit_commit *cl_audit_newest(const struct cl_audit_chain *chain)
{
    for (size_t i = chain->n; i > 0; i--)
        if (chain->commits[i - 1].ours) return &chain->commits[i - 1];
    return NULL;
}

bool cl_audit_rewritten(const struct cl_audit_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++)
        if (!chain->commits[i].ours && strcmp(chain->commits[i].operation, "append") != 0)
            return true;
    return false;
}

/* ---- snapshots: who wrote what ---- */

/* Compaction ("replace") by another program is harmless as long as the number of rows stays. */
static void check_foreign(struct cl_audit *a, const struct cl_audit_commit *c, int64_t rows_before)
{
    int64_t added = c->added_rows < 0 ? 0 : c->added_rows;
    if (strcmp(c->operation, "append") == 0) {
        if (added > 0)
            cl_audit_problem(a, "snapshot %" PRId64 ": another program appended %" PRId64 " rows",
                             c->snapshot_id, added);
    } else if (rows_before >= 0 && c->total_rows >= 0 && c->total_rows != rows_before) {
        cl_audit_problem(a,
                         "snapshot %" PRId64 ": another program's %s took the table from %" PRId64
                         " to %" PRId64 " rows",
                         c->snapshot_id, c->operation[0] == '\0' ? "commit" : c->operation,
                         rows_before, c->total_rows);
    }
}

static void check_snapshots(struct cl_audit *a, const struct cl_audit_chain *chain)
{
    int64_t rows_before = chain->complete ? 0 : -1;
    size_t foreign = 0;
    cl_audit_begin(a, chain->table, "snapshots");
    for (size_t i = 0; i < chain->n; i++) {
        const struct cl_audit_commit *c = &chain->commits[i];
        int64_t added = c->added_rows < 0 ? 0 : c->added_rows;
        if (c->unreadable[0] != '\0') {
            cl_audit_problem(a, "%s", c->unreadable);
        } else if (!c->ours) {
            foreign++;
            check_foreign(a, c, rows_before);
        } else if (added != c->progress.commit.stored) {
            cl_audit_problem(a,
                             "snapshot %" PRId64 ": its ledger stored %" PRId64
                             " rows, its files added %" PRId64,
                             c->snapshot_id, c->progress.commit.stored, added);
        } else if (rows_before >= 0 && c->total_rows >= 0 && c->total_rows != rows_before + added) {
            cl_audit_problem(a,
                             "snapshot %" PRId64 ": total-records is %" PRId64 ", %" PRId64
                             " before it and %" PRId64 " added",
                             c->snapshot_id, c->total_rows, rows_before, added);
        }
        rows_before = c->total_rows;
    }
    bool never_filled =
        chain->n > 0 && chain->complete && chain->commits[chain->n - 1].total_rows == 0;
    if (chain->n > 0 && cl_audit_newest(chain) == NULL && !never_filled)
        cl_audit_problem(a, "no snapshot has %s: what the table holds of its source is unknown",
                         CL_SUMMARY_OFFSETS);
    cl_audit_end(a, "%zu on main%s%s", chain->n,
                 foreign > 0 ? ", some by other programs that left the rows alone" : "",
                 chain->complete
                     ? ""
                     : "; older ones were expired, counting begins at the oldest that is left");
}

/* ---- source: one log for ever ---- */

/* dead_letters: each feed's identity, once there, stays. */
static void check_sources_grow(struct cl_audit *a, const struct cl_audit_commit *before,
                               const struct cl_audit_commit *c)
{
    json_t *was = json_loads(before->progress.source, 0, NULL),
           *is = json_loads(c->progress.source, 0, NULL), *identity;
    const char *feed;
    json_object_foreach(was, feed, identity)
    {
        json_t *now = json_object_get(is, feed);
        if (now == NULL || !json_equal(now, identity))
            cl_audit_problem(a,
                             "snapshot %" PRId64
                             ": the source of feed \"%s\" is not that of snapshot %" PRId64,
                             c->snapshot_id, feed, before->snapshot_id);
    }
    if (was == NULL || is == NULL)
        a->out_of_memory = true; /* cl_progress_read has parsed both texts before */
    json_decref(was);
    json_decref(is);
}

static void check_source(struct cl_audit *a, const struct cl_audit_chain *chain)
{
    const struct cl_audit_commit *before = NULL;
    cl_audit_begin(a, chain->table, "source");
    for (size_t i = 0; i < chain->n; i++) {
        const struct cl_audit_commit *c = &chain->commits[i];
        if (!c->ours) continue;
        if (before != NULL && chain->dead_letters)
            check_sources_grow(a, before, c);
        else if (before != NULL && strcmp(before->progress.source, c->progress.source) != 0)
            cl_audit_problem(
                a, "snapshot %" PRId64 " was read from %s, snapshot %" PRId64 " before it from %s",
                c->snapshot_id, c->progress.source, before->snapshot_id, before->progress.source);
        before = c;
    }
    cl_audit_end(a, "%s", before == NULL ? "none yet" : "the same in every commit");
}

/* ---- ranges: gap-free, without overlap, and what the map says ---- */

static void check_range(struct cl_audit *a, const struct cl_audit_chain *chain,
                        const struct cl_audit_commit *c, const struct cl_progress_entry *e,
                        const struct cl_progress_entry *was)
{
    if (e->end < e->start)
        cl_audit_problem(
            a, "partition %s, snapshot %" PRId64 ": range %" PRId64 "-%" PRId64 " runs backwards",
            e->key, c->snapshot_id, e->start, e->end);
    if (e->next != e->end)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": the range ends at %" PRId64
                         ", the map says %" PRId64,
                         e->key, c->snapshot_id, e->end, e->next);
    if (was != NULL && e->start < was->next)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": overlap, offsets %" PRId64
                         " to %" PRId64 " are covered twice",
                         e->key, c->snapshot_id, e->start,
                         (e->end < was->next ? e->end : was->next) - 1);
    if (was != NULL && e->start > was->next && !chain->dead_letters)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": gap, offsets %" PRId64 " to %" PRId64
                         " are not covered",
                         e->key, c->snapshot_id, was->next, e->start - 1);
    if (was == NULL && e->first != e->start)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": first is %" PRId64
                         ", but its first range starts at %" PRId64,
                         e->key, c->snapshot_id, e->first, e->start);
}

static void check_entry(struct cl_audit *a, const struct cl_audit_chain *chain,
                        const struct cl_audit_commit *c, const struct cl_progress_entry *e,
                        const struct cl_audit_commit *before)
{
    const struct cl_progress_entry *was =
        before == NULL ? NULL : cl_progress_find(&before->progress, e->key);
    bool unknown_past = before == NULL && !chain->complete;
    if (e->first < 0 || e->next < 0) {
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": a range, but no position in the map",
                         e->key, c->snapshot_id);
        return;
    }
    if (was != NULL && was->first != e->first)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": first was %" PRId64 ", now %" PRId64,
                         e->key, c->snapshot_id, was->first, e->first);
    if (unknown_past) return;
    if (e->start >= 0)
        check_range(a, chain, c, e, was);
    else if (was == NULL)
        cl_audit_problem(
            a, "partition %s, snapshot %" PRId64 ": a position, %" PRId64 ", that no range covers",
            e->key, c->snapshot_id, e->next);
    else if (was->next != e->next)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": moved from %" PRId64 " to %" PRId64
                         " without a range",
                         e->key, c->snapshot_id, was->next, e->next);
}

static void check_ranges(struct cl_audit *a, const struct cl_audit_chain *chain)
{
    const struct cl_audit_commit *before = NULL;
    cl_audit_begin(a, chain->table, "ranges");
    for (size_t i = 0; i < chain->n; i++) {
        const struct cl_audit_commit *c = &chain->commits[i];
        if (!c->ours) continue;
        for (size_t k = 0; k < c->progress.n; k++)
            check_entry(a, chain, c, &c->progress.entries[k], before);
        for (size_t k = 0; before != NULL && k < before->progress.n; k++)
            if (cl_progress_find(&c->progress, before->progress.entries[k].key) == NULL)
                cl_audit_problem(a, "partition %s, snapshot %" PRId64 ": its position is gone",
                                 before->progress.entries[k].key, c->snapshot_id);
        before = c;
    }
    if (before == NULL)
        cl_audit_end(a, "none yet");
    else
        cl_audit_end(a, "%zu partition%s without gap or overlap", before->progress.n,
                     before->progress.n == 1 ? "" : "s");
}

/* ---- ledger: consumed = stored + duplicates + rejected ---- */

static int64_t covered(const struct cl_progress *p)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->entries[i].start >= 0) n += p->entries[i].end - p->entries[i].start;
    return n;
}

static int64_t positions(const struct cl_progress *p)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->entries[i].next - p->entries[i].first;
    return n;
}

static void check_sum(struct cl_audit *a, const struct cl_audit_commit *c, const char *what,
                      const struct cl_counts *n)
{
    if (n->consumed != n->stored + n->duplicates + n->rejected)
        cl_audit_problem(a,
                         "snapshot %" PRId64 ": %s does not add up: consumed %" PRId64
                         ", but stored %" PRId64 " + duplicates %" PRId64 " + rejected %" PRId64
                         " = %" PRId64,
                         c->snapshot_id, what, n->consumed, n->stored, n->duplicates, n->rejected,
                         n->stored + n->duplicates + n->rejected);
    if (n->consumed < 0 || n->stored < 0 || n->duplicates < 0 || n->rejected < 0)
        cl_audit_problem(a, "snapshot %" PRId64 ": %s has a negative count", c->snapshot_id, what);
}

static void check_total(struct cl_audit *a, const struct cl_audit_commit *c,
                        const struct cl_counts *before)
{
    const struct cl_counts *n = &c->progress.commit, *total = &c->progress.total;
    const struct {
        const char *name;
        int64_t before, added, total;
    } counts[] = {{"consumed", before->consumed, n->consumed, total->consumed},
                  {"stored", before->stored, n->stored, total->stored},
                  {"duplicates", before->duplicates, n->duplicates, total->duplicates},
                  {"rejected", before->rejected, n->rejected, total->rejected}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].total != counts[i].before + counts[i].added)
            cl_audit_problem(a,
                             "snapshot %" PRId64 ": total %s is %" PRId64 ", but %" PRId64
                             " before it + %" PRId64 " = %" PRId64,
                             c->snapshot_id, counts[i].name, counts[i].total, counts[i].before,
                             counts[i].added, counts[i].before + counts[i].added);
}

static void end_ledger(struct cl_audit *a, const struct cl_audit_chain *chain,
                       const struct cl_progress *p)
{
    const struct cl_counts *n = &p->total;
    int64_t all = positions(p);
    char coverage[160] = "";
    if (!chain->dead_letters && n->consumed == all)
        (void)snprintf(coverage, sizeof coverage, "; complete: every offset");
    else if (!chain->dead_letters)
        (void)snprintf(coverage, sizeof coverage,
                       "; %" PRId64 " of %" PRId64 " positions held no message of this feed",
                       all - n->consumed, all);
    if (chain->dead_letters)
        cl_audit_end(a, "%" PRId64 " dead letters", n->stored);
    else
        cl_audit_end(a,
                     "%" PRId64 " consumed = %" PRId64 " stored + %" PRId64 " duplicates + %" PRId64
                     " rejected%s",
                     n->consumed, n->stored, n->duplicates, n->rejected, coverage);
}

static void check_ledger(struct cl_audit *a, const struct cl_audit_chain *chain)
{
    static const struct cl_counts none = {0};
    const struct cl_audit_commit *before = NULL;
    cl_audit_begin(a, chain->table, "ledger");
    for (size_t i = 0; i < chain->n; i++) {
        const struct cl_audit_commit *c = &chain->commits[i];
        if (!c->ours) continue;
        check_sum(a, c, "its ledger", &c->progress.commit);
        check_sum(a, c, "the total", &c->progress.total);
        if (c->progress.commit.consumed > covered(&c->progress))
            cl_audit_problem(
                a, "snapshot %" PRId64 ": consumed %" PRId64 " messages from %" PRId64 " offsets",
                c->snapshot_id, c->progress.commit.consumed, covered(&c->progress));
        if (before != NULL || chain->complete)
            check_total(a, c, before == NULL ? &none : &before->progress.total);
        before = c;
    }
    if (before == NULL)
        cl_audit_end(a, "none yet");
    else
        end_ledger(a, chain, &before->progress);
}

void cl_audit_check_chain(struct cl_audit *a, const struct cl_audit_chain *chain)
{
    const struct cl_audit_commit *newest = cl_audit_newest(chain);
    check_snapshots(a, chain);
    check_source(a, chain);
    check_ranges(a, chain);
    check_ledger(a, chain);
    a->tables++;
    if (chain->dead_letters || newest == NULL) return;
    a->partitions += (int64_t)newest->progress.n;
    a->offsets += positions(&newest->progress);
}
