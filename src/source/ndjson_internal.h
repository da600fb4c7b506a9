/* ndjson_internal.h - the NDJSON source's structs, shared by its two files: ndjson_input.c finds
 * out what there is to read, ndjson_source.c reads it. */
#ifndef CITYLAKE_SOURCE_NDJSON_INTERNAL_H
#define CITYLAKE_SOURCE_NDJSON_INTERNAL_H

#include "source/ndjson_source.h"

#include "base/arena.h"

/* One file: a stream of partitions [first_part, first_part + n_parts). */
struct cl_ndjson_stream {
    const char *path; /* NULL: the feed's file does not exist */
    const char *name; /* the file's own name, for the identity and as the topic of messages without
                         a feed */
    bool envelopes;
    struct cl_line_reader reader; /* open when path is not NULL */
    int first_part, n_parts;
    int lane; /* -1: not read */
    bool done;
    char first_line[33]; /* hash; set by new for files, by identity for a pipe */
    bool has_first_line;
};

struct cl_ndjson_lane {
    struct cl_message *messages;
    struct cl_advance *advances;
    int next_stream; /* files take turns, so that the feeds' event times stay together */
};

struct cl_ndjson_source {
    struct cl_source base;
    const struct cl_spec *spec;
    const struct cl_feed *only;
    struct cl_ndjson_sizes sizes;
    struct cl_arena arena; /* names, streams, partitions */
    struct cl_ndjson_stream *streams;
    int n_streams;
    struct cl_source_partition *parts;
    const char **identities; /* by partition, NULL until asked for */
    int64_t *start_next;     /* by partition: lines before it are stored already */
    int n_parts;
    struct cl_ndjson_lane *lanes;
    int n_lanes;
};

/* Fills streams, parts and what goes with them; opens nothing. */
CL_MUSTCHECK enum cl_code cl_ndjson_find_input(struct cl_ndjson_source *s,
                                               const struct cl_source_options *options,
                                               struct cl_error *err);

/* The files of unknown topics share one table, that of dead letters, and so one identity.  They are
 * told apart by their partition number, made from name and first line: an exchanged file is a
 * partition that nobody has read from.  The file is open. */
CL_MUSTCHECK enum cl_code cl_ndjson_number_unknown_file(struct cl_ndjson_source *s,
                                                        struct cl_ndjson_stream *st,
                                                        struct cl_error *err);

/* NULL: no feed of the spec has this topic. */
const struct cl_feed *cl_ndjson_feed_of_topic(const struct cl_spec *spec, const char *topic,
                                              size_t len);

#endif
