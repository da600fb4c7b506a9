/* plan.h - where a run begins: tables opened, positions read from their snapshots, partitions given
 * to lanes. */
#ifndef CITYLAKE_STREAM_PLAN_H
#define CITYLAKE_STREAM_PLAN_H

#include "stream/lane.h"

/* Key of a partition in the map of its feed's table ("0"), or in that of dead_letters
 * ("gps_data/0").  Returns buf. */
const char *cl_plan_key(const struct cl_source_partition *part, bool in_dead_letters, char *buf,
                        size_t size);
enum { CL_PLAN_KEY = 320 };

/* Does another partition share this one's stream of bytes?  Then its position moves even where it
 * has no messages. */
bool cl_plan_shares_stream(const struct cl_stream_plan *plan, size_t part);

/* Opens (creates) the tables, reads their positions and fills everything in *ret but log.  n_lanes:
 * wanted, and what came of it. On failure *ret is empty. */
CL_MUSTCHECK enum cl_code cl_plan_make(const struct cl_spec *spec, struct cl_source *source,
                                       struct cl_catalog *catalog, int *n_lanes,
                                       struct cl_stream_plan *ret, struct cl_error *err);
void cl_plan_fini(struct cl_stream_plan *plan);

#endif
