/* yaml_fields.h - a mapping of scalars -> the members of a struct, by a table.
 *
 * One table per mapping is at once the list of known keys, their types and their limits.  Keys of
 * kind CL_YAML_OTHER are only known; the caller reads them itself. */
#ifndef CITYLAKE_SPEC_YAML_FIELDS_H
#define CITYLAKE_SPEC_YAML_FIELDS_H

#include "spec/yaml_node.h"

enum cl_yaml_type {
    CL_YAML_OTHER,
    CL_YAML_STRING,   /* const char *: text, not empty */
    CL_YAML_WORD,     /* const char *: one of `words` */
    CL_YAML_BOOL,     /* bool */
    CL_YAML_INT,      /* int */
    CL_YAML_COUNT,    /* int64_t: 10k, 1_000_000 */
    CL_YAML_SIZE,     /* int64_t bytes: 128 MiB */
    CL_YAML_DURATION, /* int64_t microseconds: 2 minutes */
    CL_YAML_TIME,     /* int64_t microseconds since 1970: 2026-01-05T06:00:00 */
    CL_YAML_REAL,     /* double */
};

struct cl_yaml_field {
    const char *key;
    enum cl_yaml_type type;
    size_t offset;            /* of the member in the struct */
    double min, max;          /* numbers, sizes, durations: both allowed; min == max: no limits */
    const char *limits;       /* how the message says them: "from 1 to 1000" */
    const char *const *words; /* ends with NULL */
};

/* node must be a mapping (or nothing at all: no key is set).  Members of absent keys are left as
 * they are.  Strings are copied into the arena.  CL_EINVAL: not a mapping, an unknown key (the
 * nearest known one is named), a bad value.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_yaml_read(const struct cl_yaml_node *node,
                                       const struct cl_yaml_field *fields, size_t n, void *target,
                                       struct cl_arena *arena, struct cl_error *err);

/* The node's text, which may be plain or quoted; not a mapping, list, nothing or "". */
CL_MUSTCHECK enum cl_code cl_yaml_text(const struct cl_yaml_node *node, const char **ret,
                                       struct cl_error *err);

/* A number; `.inf`, `-.inf` and nothing are allowed and leave *ret alone when open_ended. */
CL_MUSTCHECK enum cl_code cl_yaml_real(const struct cl_yaml_node *node, bool open_ended,
                                       double *ret, struct cl_error *err);

/* "zstd, snappy or none" of a NULL-terminated list.  Returns buf. */
const char *cl_words_text(const char *const *words, char *buf, size_t size);

#endif
