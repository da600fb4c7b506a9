/* yaml_node.h - a YAML document as a small tree in which every node knows its place and its name.
 *
 * Built from libfyaml's events, not from its document: so that depth, size and repetition are
 * bounded here (no alias can multiply), duplicate keys are reported with both places, and nothing
 * of libfyaml outlives cl_yaml_parse. The whole tree lives in the caller's arena. */
#ifndef CITYLAKE_SPEC_YAML_NODE_H
#define CITYLAKE_SPEC_YAML_NODE_H

#include "base/arena.h"

#include <stdint.h>

/* What one file may hold; docs/city-yaml.md names them. */
enum {
    CL_YAML_MAX_BYTES = 1 << 20,
    CL_YAML_MAX_DEPTH = 16,
    CL_YAML_MAX_NODES = 100000,
    CL_YAML_MAX_ENTRIES = 4096, /* of one mapping or list */
};

enum cl_yaml_kind { CL_YAML_NULL, CL_YAML_TEXT, CL_YAML_MAP, CL_YAML_LIST };

struct cl_yaml_node {
    enum cl_yaml_kind kind;
    const char *path; /* of the file */
    const char *text; /* CL_YAML_TEXT: UTF-8 without NUL bytes */
    const char *key;  /* its key, when it stands in a mapping */
    uint64_t key_hash;
    int index;        /* its place from 0, when it stands in a list */
    int line, column; /* of the value, from 1 */
    int key_line, key_column;
    struct cl_yaml_node *parent, *first, *last, *next;
    size_t n; /* entries of a mapping or list */
};

/* *ret is NULL for a document without content.  `path` is kept.  CL_EINVAL (where =
 * path:line:column), CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_yaml_parse(const char *path, const char *text, size_t len,
                                        struct cl_arena *arena, struct cl_yaml_node **ret,
                                        struct cl_error *err);

/* The entry of that key, or NULL. */
const struct cl_yaml_node *cl_yaml_get(const struct cl_yaml_node *map, const char *key);

/* "feeds.vehicle.columns.speed.range[0]".  Returns buf. */
const char *cl_yaml_name(const struct cl_yaml_node *node, char *buf, size_t size);

/* "a mapping", "a list", "text", "nothing": for messages. */
const char *cl_yaml_kind_text(const struct cl_yaml_node *node);

/* CL_EINVAL at the value, and at the key.  The message begins with the node's name. */
enum cl_code cl_yaml_fail(const struct cl_yaml_node *node, struct cl_error *err, const char *fmt,
                          ...) CL_PRINTF(3, 4);
enum cl_code cl_yaml_fail_key(const struct cl_yaml_node *node, struct cl_error *err,
                              const char *fmt, ...) CL_PRINTF(3, 4);

/* Gives an error that another module made (message only) the node's place and name.  Returns its
 * code. */
enum cl_code cl_yaml_place(const struct cl_yaml_node *node, enum cl_code code,
                           struct cl_error *err);

#endif
