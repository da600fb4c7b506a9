/* parts.h - private to src/spec: how the files of this folder share the work.
 *
 * cl_spec_parse (spec.c) -> cl_feeds_read (feed.c) -> cl_column_read (column.c) -> cl_path_parse
 * (path.c)
 *                        -> cl_environment_apply (environment.c) -> cl_feeds_check_topics (feed.c)
 */
#ifndef CITYLAKE_SPEC_PARTS_H
#define CITYLAKE_SPEC_PARTS_H

#include "spec/spec.h"
#include "spec/yaml_node.h"

enum {
    CL_SPEC_MAX_FEEDS = 1000,
    CL_SPEC_MAX_COLUMNS = 1000, /* of one feed */
    CL_SPEC_MAX_NAME =
        127, /* bytes of a feed or column name: Redshift's limit, the smallest of the readers */
};

/* `feeds:`, a mapping with at least one entry -> spec->feeds. */
CL_MUSTCHECK enum cl_code cl_feeds_read(struct cl_spec *spec, const struct cl_yaml_node *node,
                                        struct cl_error *err);

/* No two feeds may read one topic, after the environment had its say too. */
CL_MUSTCHECK enum cl_code cl_feeds_check_topics(const struct cl_spec *spec, struct cl_error *err);

/* CL_EINVAL with a message (no place) when Kafka would not take the name. */
CL_MUSTCHECK enum cl_code cl_topic_check(const char *topic, struct cl_error *err);

/* One entry of `columns:` -> *column. */
CL_MUSTCHECK enum cl_code cl_column_read(const struct cl_yaml_node *node, struct cl_arena *arena,
                                         struct cl_feed_column *column, struct cl_error *err);

/* A name is a letter or underscore, then letters, digits and underscores; at most CL_SPEC_MAX_NAME
 * bytes. */
bool cl_name_is_valid(const char *name, bool lower_case_only);

/* KAFKA_BOOTSTRAP_SERVERS and the topic variables of the reference pipeline -> spec.  Set but empty
 * counts as unset. */
CL_MUSTCHECK enum cl_code cl_environment_apply(struct cl_spec *spec, struct cl_error *err);

/* ${NAME} -> the variable's value, $${ -> ${.  CL_EINVAL (at node) names a variable that is not
 * set. */
CL_MUSTCHECK enum cl_code cl_environment_expand(const struct cl_yaml_node *node,
                                                struct cl_arena *arena, char **ret,
                                                struct cl_error *err);

/* kafka.security, after kafka.properties were read.  CL_EINVAL. */
CL_MUSTCHECK enum cl_code cl_security_read(const struct cl_yaml_node *node, struct cl_spec *spec,
                                           struct cl_error *err);

#endif
