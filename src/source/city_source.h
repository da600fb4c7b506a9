/* city_source.h - from city.yaml to the simulated city, for the source and for `citylake simulate`.
 */
#ifndef CITYLAKE_SOURCE_CITY_SOURCE_H
#define CITYLAKE_SOURCE_CITY_SOURCE_H

#include "city/city.h"
#include "spec/spec.h"

/* The city that the spec declares; each feed has spec->kafka.partitions partitions. */
void cl_city_config_from_spec(const struct cl_spec *spec, struct cl_city_config *ret);

/* The city's feeds that the spec declares by name, as a set and each with its feed (NULL: not
 * declared).  only: NULL or the one that is wanted.  CL_EINVAL: none. */
CL_MUSTCHECK enum cl_code cl_city_feeds_from_spec(const struct cl_spec *spec,
                                                  const struct cl_feed *only,
                                                  const struct cl_feed *ret_feeds[CL_CITY_FEEDS],
                                                  unsigned *ret_set, struct cl_error *err);

#endif
