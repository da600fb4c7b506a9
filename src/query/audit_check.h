/* audit_check.h - is every offset accounted for exactly once?  The rules, on plain structs: nothing
 * is read here.
 *
 * What stands in the way of "exactly once" is looked for from two sides that were written by
 * different code: the snapshot summaries (ranges and ledger, stream/ledger.h) and the rows
 * themselves (_partition and _offset, counted by the SQL engine). */
#ifndef CITYLAKE_QUERY_AUDIT_CHECK_H
#define CITYLAKE_QUERY_AUDIT_CHECK_H

#include "query/audit_report.h"
#include "stream/ledger.h"

/* One snapshot of branch main. */
struct cl_audit_commit {
    int64_t snapshot_id;
    const char *operation; /* Iceberg's: append, replace, overwrite, delete; "" when unnamed */
    int64_t added_rows, total_rows; /* of the summary; -1: not there */
    bool ours;                      /* `progress` is filled */
    struct cl_progress progress;    /* owned */
    char unreadable[256]; /* why a summary with our keys could not be read; "" = it could */
};

struct cl_audit_chain {
    const char *table;
    bool dead_letters; /* ranges may jump: commits without dead letters are not made */
    struct cl_audit_commit *commits; /* oldest first, owned */
    size_t n;
    bool complete; /* the oldest has no parent: nothing was expired */
};
void cl_audit_chain_fini(struct cl_audit_chain *chain);

/* Newest commit of ours, or NULL. */
const struct cl_audit_commit *cl_audit_newest(const struct cl_audit_chain *chain);
/* Did a snapshot rewrite or remove files, so that rows no longer stand in the files of the commit
 * that brought them? */
bool cl_audit_rewritten(const struct cl_audit_chain *chain);

/* Checks "snapshots", "source", "ranges" and "ledger". */
void cl_audit_check_chain(struct cl_audit *a, const struct cl_audit_chain *chain);

/* Rows of one partition in the files that one snapshot added. */
struct cl_audit_rows {
    int64_t snapshot_id;
    const char *key; /* partition as in the ledger; NULL: the rows lack a partition or an offset */
    int64_t rows, min, max;
};
/* Offsets of one partition that stand in more than one row, or in the feed's table and in
 * dead_letters. */
struct cl_audit_twice {
    const char *key;
    int64_t offsets, example;
};

/* Check "rows": the rows are those that the ledger says, in their commits' ranges.  rows: any
 * order; consumed by partition sums. */
void cl_audit_check_rows(struct cl_audit *a, const struct cl_audit_chain *chain,
                         const struct cl_audit_rows *rows, size_t n);
/* Check "unique". */
void cl_audit_check_unique(struct cl_audit *a, const struct cl_audit_chain *chain,
                           const struct cl_audit_twice *twice, size_t n);

/* Dead letters of one partition of a feed. */
struct cl_audit_rejects {
    const char *key;
    int64_t below_next, at_or_past_next;
    int64_t below_first; /* of below_next: before the first offset ever read */
};
/* Check "rejects": below `next`, dead_letters has as many rows of the feed as its ledger rejected,
 * and no offset stands in both tables. */
void cl_audit_check_rejects(struct cl_audit *a, const struct cl_audit_chain *feed,
                            const struct cl_audit_rejects *rejects, size_t n,
                            const struct cl_audit_twice *twice, size_t n_twice);

/* What the log itself holds now. */
struct cl_audit_watermark {
    const char *key;
    int64_t low, end;
};
/* Check "log": positions lie within the log, whose identity is that of the table. */
void cl_audit_check_log(struct cl_audit *a, const struct cl_audit_chain *feed, const char *identity,
                        const struct cl_audit_watermark *marks, size_t n);

#endif
