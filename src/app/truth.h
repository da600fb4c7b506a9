/* truth.h - private to src/app: the ground-truth ledger of `citylake simulate --truth FILE`.
 *
 *   open -> count* -> close (always)
 *
 * NDJSON.  One line for each event that is faulty, in the order of sending:
 *
 *   {"fault": "duplicate", "feed": "gps", "id": "..."}
 *   {"fault": "malformed", "kind": "truncated", "feed": "gps", "id": "..."}
 *
 * where fault is duplicate, late, out_of_order or malformed (a late event that is also a copy is a
 * duplicate).  Then one line for each feed:
 *
 *   {"feed": "gps", "topic": "gps_data", "sent": N, "distinct": N, "duplicates": N, "late": N,
 *    "out_of_order": N, "malformed": N, "malformed_kinds": {"truncated": N, ...}, "bytes": N,
 *    "first": TIME, "last": TIME, "sum": {"speed": 123.45}}
 *
 * sent = distinct + duplicates + malformed; late and out_of_order are parts of distinct; first and
 * last event time and the sums are over the distinct events, whose numbers have two decimals, so
 * the sums are exact. */
#ifndef CITYLAKE_APP_TRUTH_H
#define CITYLAKE_APP_TRUTH_H

#include "city/city.h"
#include "spec/spec.h"

struct cl_truth;

/* feeds: the city's, NULL where not sent; borrowed.  CL_EIO, CL_ENOTFOUND: no such folder. */
CL_MUSTCHECK enum cl_code cl_truth_open(const char *path,
                                        const struct cl_feed *const feeds[CL_CITY_FEEDS],
                                        struct cl_truth **ret, struct cl_error *err);
/* CL_EIO. */
CL_MUSTCHECK enum cl_code cl_truth_count(struct cl_truth *truth, const struct cl_city_event *event,
                                         struct cl_error *err);

/* Writes the totals and closes the file; frees in any case.  truth may be NULL.  CL_EIO. */
CL_MUSTCHECK enum cl_code cl_truth_close(struct cl_truth *truth, struct cl_error *err);

#endif
