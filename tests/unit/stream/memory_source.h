/* memory_source.h - a source whose messages the test writes: partitions in memory, and faults on
 * order. */
#ifndef CITYLAKE_TESTS_MEMORY_SOURCE_H
#define CITYLAKE_TESTS_MEMORY_SOURCE_H

#include "source/source.h"

struct memory_source;

/* One partition for each feed, each its own stream; then `shared` more for messages without a feed
 * on the stream of feed 0. */
struct memory_source *memory_source_new(const struct cl_spec *spec, int partitions,
                                        bool unknown_topics);
struct cl_source *memory_source_base(struct memory_source *s);
/* Appends to partition `part` (feed * partitions + p, or the last one for unknown topics).  value
 * NULL: tombstone. */
void memory_source_add(struct memory_source *s, int part, const char *value);
/* Leaves `n` offsets empty in front of the next message, as transaction markers do. */
void memory_source_skip(struct memory_source *s, int part, int64_t n);
/* From now on the identity of every partition is another one. */
void memory_source_rename(struct memory_source *s, const char *kind);
/* poll number `n` from now (0 = the next) fails; fatal or retriable. */
void memory_source_fail_poll(struct memory_source *s, int n, bool fatal);

#endif
