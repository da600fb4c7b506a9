/* ndjson_source.h - the NDJSON source with its sizes open, so that tests can make its buffers tiny.
 */
#ifndef CITYLAKE_SOURCE_NDJSON_SOURCE_H
#define CITYLAKE_SOURCE_NDJSON_SOURCE_H

#include "source/line_reader.h"
#include "source/source.h"

struct cl_ndjson_sizes {
    struct cl_line_limits lines; /* 1 MiB buffer a file, lines up to 64 MiB */
    size_t chunk_messages;       /* most messages a poll hands over */
};

/* cl_ndjson_source_new with other sizes. */
CL_MUSTCHECK enum cl_code cl_ndjson_source_new_sized(const struct cl_spec *spec,
                                                     const struct cl_source_options *options,
                                                     const struct cl_ndjson_sizes *sizes,
                                                     struct cl_source **ret, struct cl_error *err);

#endif
