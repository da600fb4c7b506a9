/* truth_source.h - a source in memory that knows what must become of every message: a row or a dead
 * letter.
 *
 * Two shapes: as Kafka, every partition of every feed is a stream of its own, with gaps between
 * offsets; as a file of envelopes, one stream carries all feeds and messages of no feed, and its
 * partitions move together. */
#ifndef CITYLAKE_TESTS_TRUTH_SOURCE_H
#define CITYLAKE_TESTS_TRUTH_SOURCE_H

#include "faults.h"
#include "source/source.h"

enum { TRUTH_PARTITIONS = 3, TRUTH_MAX_PARTS = 16 };

struct truth_message {
    int part;
    int64_t offset;
    bool row;    /* else a dead letter */
    char *value; /* exactly `len` bytes; NULL: tombstone */
    int32_t len;
};

struct truth_stream {
    struct truth_message *messages; /* in offset order */
    size_t n;
    int64_t end;
    /* reading */
    size_t at;
    int lane;
};

struct truth_source {
    struct cl_source base;
    const struct cl_spec *spec;
    bool envelopes;
    struct cl_source_partition parts[TRUTH_MAX_PARTS];
    size_t n_parts;
    struct truth_stream streams[TRUTH_MAX_PARTS];
    size_t n_streams;
    int64_t start_next[TRUTH_MAX_PARTS];
    struct faults *faults; /* of the run, or NULL */
    int chunk;             /* messages of one poll, at most */
};

void truth_source_init(struct truth_source *s, const struct cl_spec *spec, bool envelopes);
void truth_source_fini(struct truth_source *s);
/* Appends n messages. */
void truth_source_grow(struct truth_source *s, uint64_t *random, int n);

#endif
