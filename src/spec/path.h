/* path.h - where a column's value stands in the JSON message: parsing, comparing, writing. */
#ifndef CITYLAKE_SPEC_PATH_H
#define CITYLAKE_SPEC_PATH_H

#include "spec/spec.h"

enum { CL_PATH_MAX_STEPS = 32, CL_PATH_MAX_INDEX = 999999 };

/* "location[0].x" -> steps.  CL_EINVAL with a message (no place). */
CL_MUSTCHECK enum cl_code cl_path_parse(const char *text, struct cl_arena *arena,
                                        struct cl_path_step **ret, size_t *ret_len,
                                        struct cl_error *err);

/* Two columns that cannot both be filled from one message: one reads a value as a scalar where the
 * other steps into it, or one takes an object member where the other takes an element.  Equal paths
 * are fine. */
bool cl_paths_contradict(const struct cl_feed_column *a, const struct cl_feed_column *b);

/* "location[0].x" again.  Returns buf. */
const char *cl_path_text(const struct cl_feed_column *column, char *buf, size_t size);

#endif
