/* audit_rows.c - the checks of audit_check.h that hold the rows, the dead letters and the log
 * against the summaries. */
#include "query/audit_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct cl_audit_commit *find_commit(const struct cl_audit_chain *chain,
                                                 int64_t snapshot_id)
{
    for (size_t i = chain->n; i > 0; i--)
        if (chain->commits[i - 1].snapshot_id == snapshot_id) return &chain->commits[i - 1];
    return NULL;
}

/* Rows of a commit's files: inside the commit's range of their partition. */
static void check_in_range(struct cl_audit *a, const struct cl_audit_chain *chain,
                           const struct cl_audit_rows *r)
{
    const struct cl_audit_commit *c = find_commit(chain, r->snapshot_id);
    if (c == NULL) {
        if (chain->complete)
            cl_audit_problem(a,
                             "partition %s: %" PRId64 " rows are in files of snapshot %" PRId64
                             ", which is not on main",
                             r->key, r->rows, r->snapshot_id);
        return;
    }
    if (!c->ours) return; /* its rows were reported with the snapshot */
    const struct cl_progress_entry *e = cl_progress_find(&c->progress, r->key);
    if (e == NULL || e->start < 0)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": %" PRId64
                         " rows, but the commit has no range of this partition",
                         r->key, c->snapshot_id, r->rows);
    else if (r->min < e->start || r->max >= e->end)
        cl_audit_problem(a,
                         "partition %s, snapshot %" PRId64 ": rows with offsets %" PRId64
                         " to %" PRId64 ", outside of the commit's range %" PRId64 "-%" PRId64,
                         r->key, c->snapshot_id, r->min, r->max, e->start, e->end);
}

/* Rows of any file: inside of what the table ever read of their partition. */
static void check_in_map(struct cl_audit *a, const struct cl_progress *now,
                         const struct cl_audit_rows *r)
{
    const struct cl_progress_entry *e = cl_progress_find(now, r->key);
    if (e == NULL)
        cl_audit_problem(a,
                         "partition %s: %" PRId64 " rows, but the table never read this partition",
                         r->key, r->rows);
    else if (r->min < e->first || r->max >= e->next)
        cl_audit_problem(a,
                         "partition %s: rows with offsets %" PRId64 " to %" PRId64
                         ", outside of what was read, %" PRId64 " to %" PRId64,
                         r->key, r->min, r->max, e->first, e->next - 1);
}

static int by_snapshot(const void *x, const void *y)
{
    const struct cl_audit_rows *p = x, *q = y;
    return p->snapshot_id < q->snapshot_id ? -1 : p->snapshot_id > q->snapshot_id;
}

/* Each commit's files hold as many rows as its ledger stored. */
static void check_counts(struct cl_audit *a, const struct cl_audit_chain *chain,
                         const struct cl_audit_rows *rows, size_t n)
{
    struct cl_audit_rows *sorted = malloc((n + 1) * sizeof *sorted);
    if (sorted == NULL) {
        a->out_of_memory = true;
        return;
    }
    if (n > 0) memcpy(sorted, rows, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_snapshot);
    for (size_t i = 0; i < chain->n; i++) {
        const struct cl_audit_commit *c = &chain->commits[i];
        size_t low = 0, high = n;
        int64_t count = 0;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (sorted[mid].snapshot_id < c->snapshot_id)
                low = mid + 1;
            else
                high = mid;
        }
        for (; low < n && sorted[low].snapshot_id == c->snapshot_id; low++)
            count += sorted[low].rows;
        if (c->ours && count != c->progress.commit.stored)
            cl_audit_problem(a,
                             "snapshot %" PRId64 ": its ledger stored %" PRId64
                             " rows, its files hold %" PRId64,
                             c->snapshot_id, c->progress.commit.stored, count);
    }
    free(sorted);
}

void cl_audit_check_rows(struct cl_audit *a, const struct cl_audit_chain *chain,
                         const struct cl_audit_rows *rows, size_t n)
{
    const struct cl_audit_commit *newest = cl_audit_newest(chain);
    bool by_commit = !cl_audit_rewritten(chain);
    int64_t total = 0;
    cl_audit_begin(a, chain->table, "rows");
    for (size_t i = 0; i < n; i++) {
        total += rows[i].rows;
        if (rows[i].key == NULL) {
            cl_audit_problem(a, "%" PRId64 " rows have no partition or no offset", rows[i].rows);
            continue;
        }
        if (newest != NULL) check_in_map(a, &newest->progress, &rows[i]);
        if (by_commit) check_in_range(a, chain, &rows[i]);
    }
    if (by_commit) check_counts(a, chain, rows, n);
    if (newest != NULL && total != newest->progress.total.stored)
        cl_audit_problem(a, "the table holds %" PRId64 " rows, its ledger stored %" PRId64, total,
                         newest->progress.total.stored);
    cl_audit_end(a, "%" PRId64 " row%s, %s", total, total == 1 ? "" : "s",
                 by_commit ? "each in its commit's range"
                           : "inside of what was read (files were rewritten: not by commit)");
}

void cl_audit_check_unique(struct cl_audit *a, const struct cl_audit_chain *chain,
                           const struct cl_audit_twice *twice, size_t n)
{
    cl_audit_begin(a, chain->table, "unique");
    for (size_t i = 0; i < n; i++)
        cl_audit_problem(a,
                         "partition %s: %" PRId64
                         " offsets stand in more than one row, offset %" PRId64 " for one",
                         twice[i].key, twice[i].offsets, twice[i].example);
    cl_audit_end(a, "no offset stands in two rows");
}

void cl_audit_check_rejects(struct cl_audit *a, const struct cl_audit_chain *feed,
                            const struct cl_audit_rejects *rejects, size_t n,
                            const struct cl_audit_twice *twice, size_t n_twice)
{
    const struct cl_audit_commit *newest = cl_audit_newest(feed);
    int64_t expected = newest == NULL ? 0 : newest->progress.total.rejected, below = 0,
            in_flight = 0;
    cl_audit_begin(a, feed->table, "rejects");
    for (size_t i = 0; i < n; i++) {
        below += rejects[i].below_next;
        in_flight += rejects[i].at_or_past_next;
        if (rejects[i].below_first > 0)
            cl_audit_problem(a,
                             "partition %s: %" PRId64
                             " dead letters are from before the first offset that was read",
                             rejects[i].key, rejects[i].below_first);
    }
    if (below != expected)
        cl_audit_problem(a, "the ledger rejected %" PRId64 " messages, %s has %" PRId64 " of them",
                         expected, CL_DEAD_LETTERS, below);
    for (size_t i = 0; i < n_twice; i++)
        cl_audit_problem(a,
                         "partition %s: %" PRId64
                         " offsets stand in the table and in %s, offset %" PRId64 " for one",
                         twice[i].key, twice[i].offsets, CL_DEAD_LETTERS, twice[i].example);
    if (in_flight > 0)
        cl_audit_end(a,
                     "%" PRId64 " in %s; %" PRId64
                     " more are in flight: their offsets are read again and not written again",
                     below, CL_DEAD_LETTERS, in_flight);
    else
        cl_audit_end(a, "%" PRId64 " in %s, none of them in the table too", below, CL_DEAD_LETTERS);
}

static void check_mark(struct cl_audit *a, const struct cl_progress_entry *e,
                       const struct cl_audit_watermark *mark, int64_t *lag)
{
    if (e == NULL) {
        *lag += mark->end - mark->low;
    } else if (e->next > mark->end) {
        cl_audit_problem(a,
                         "partition %s: read up to %" PRId64 ", but the log ends at %" PRId64
                         ": was the topic recreated?",
                         e->key, e->next, mark->end);
    } else if (e->next < mark->low) {
        cl_audit_problem(a,
                         "partition %s: offsets %" PRId64 " to %" PRId64
                         " left the log (retention) before they were read",
                         e->key, e->next, mark->low - 1);
    } else {
        *lag += mark->end - e->next;
    }
}

void cl_audit_check_log(struct cl_audit *a, const struct cl_audit_chain *feed, const char *identity,
                        const struct cl_audit_watermark *marks, size_t n)
{
    const struct cl_audit_commit *newest = cl_audit_newest(feed);
    int64_t lag = 0;
    cl_audit_begin(a, feed->table, "log");
    if (newest != NULL && strcmp(newest->progress.source, identity) != 0)
        cl_audit_problem(a, "the table was read from %s, the log is %s", newest->progress.source,
                         identity);
    for (size_t i = 0; i < n; i++)
        check_mark(a, newest == NULL ? NULL : cl_progress_find(&newest->progress, marks[i].key),
                   &marks[i], &lag);
    for (size_t i = 0; newest != NULL && i < newest->progress.n; i++) {
        const char *key = newest->progress.entries[i].key;
        bool found = false;
        for (size_t k = 0; k < n && !found; k++)
            found = strcmp(marks[k].key, key) == 0;
        if (!found)
            cl_audit_problem(a, "partition %s was read, but the log has none of that number", key);
    }
    cl_audit_end(a, "%zu partitions inside the log; %" PRId64 " offsets not read yet", n, lag);
}
