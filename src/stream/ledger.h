/* ledger.h - what a snapshot's summary says about the messages it covers, and the rules that make
 * commits exactly once.
 *
 * Keys of the snapshot summary (all JSON compact, keys sorted):
 *   citylake.commit-id     a UUID of this commit: how an unknown outcome is resolved
 *   citylake.offsets       {"first":{"0":0},"hint":{"0":812},"next":{"0":120},"source":{...},"v":1}
 *                          source: the identity the source gave; first: where reading began, per
 * partition; next: where it goes on; hint: the source's help (left out when 0) citylake.ranges
 * {"0":[100,120]}: what this commit covers, start and next citylake.ledger
 * {"consumed":20,"duplicates":0,"rejected":1,"stored":19}: of this commit citylake.ledger-total the
 * same summed over every commit of the table
 *
 * Feed tables: consumed = stored + duplicates + rejected, in each commit and in total.
 *
 * Table dead_letters holds messages of many feeds, so its maps are by "TOPIC/PARTITION" and its
 * source is the object
 * {"FEED": identity} of every feed it ever took; its ledger counts stored only.  Order of a commit:
 * dead_letters first, then the feed.  So every reject below a feed's `next` stands in dead_letters,
 * and a crash between the two leaves dead letters at or past `next`, which the re-read recognises
 * (offset < dead_letters' next) and does not write again. */
#ifndef CITYLAKE_STREAM_LEDGER_H
#define CITYLAKE_STREAM_LEDGER_H

#include "iceberg/table.h"

#define CL_SUMMARY_COMMIT_ID "citylake.commit-id"
#define CL_SUMMARY_OFFSETS "citylake.offsets"
#define CL_SUMMARY_RANGES "citylake.ranges"
#define CL_SUMMARY_LEDGER "citylake.ledger"
#define CL_SUMMARY_LEDGER_TOTAL "citylake.ledger-total"
#define CL_PROGRESS_TAG "citylake"
#define CL_DEAD_LETTERS "dead_letters"

struct cl_counts {
    int64_t consumed, stored, duplicates, rejected;
};

struct cl_progress_entry {
    char *key;                 /* "0", or "gps_data/0" in dead_letters; owned */
    int64_t first, next, hint; /* of citylake.offsets; first -1: not in that map */
    int64_t start, end;        /* of citylake.ranges; start -1: this commit does not cover it */
};

/* The parsed summary of one snapshot. */
struct cl_progress {
    char *source; /* JSON text of the identity, compact, keys sorted; owned */
    char commit_id[40];
    struct cl_progress_entry *entries; /* sorted by key as text; owned */
    size_t n;
    struct cl_counts commit, total;
};

/* Reads the summary keys.  CL_ENOTFOUND: the snapshot has no citylake.offsets (not ours).  CL_EDATA
 * names snapshot and key. The result is freed with cl_progress_fini. */
CL_MUSTCHECK enum cl_code cl_progress_read(const struct cl_snapshot *snapshot,
                                           struct cl_progress *ret, struct cl_error *err);

/* The newest ancestor of main's head (itself included) that has the map.  *ret_snapshot NULL and
 * CL_OK: the table has no snapshot yet, or only other programs' without a row.  CL_EDATA: snapshots
 * but none with a map: positions are lost (named; remedy in the message). */
CL_MUSTCHECK enum cl_code cl_progress_current(const struct cl_metadata *m, struct cl_progress *ret,
                                              const struct cl_snapshot **ret_snapshot,
                                              struct cl_error *err);

/* Adds the five summary properties of `p` to props (room for 5); strings live in arena.  *n grows.
 */
CL_MUSTCHECK enum cl_code cl_progress_summary(const struct cl_progress *p, struct cl_arena *arena,
                                              struct cl_property *props, size_t *n,
                                              struct cl_error *err);

/* Finds or adds (fields -1, hint 0).  NULL: out of memory. */
struct cl_progress_entry *cl_progress_entry(struct cl_progress *p, const char *key);
const struct cl_progress_entry *cl_progress_find(const struct cl_progress *p,
                                                 const char *key); /* or NULL */
void cl_progress_fini(struct cl_progress *p);

#endif
