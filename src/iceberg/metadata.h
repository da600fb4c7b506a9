/* metadata.h - the JSON document behind struct cl_metadata, for the files of this folder and for
 * catalogs.
 *
 * The document is the truth: cl_metadata_from_json makes the struct from it, and a next version is
 * a changed copy of the document.  Invariant: a document that a cl_metadata holds is never changed,
 * so versions share its parts; strings of the struct point into it. */
#ifndef CITYLAKE_ICEBERG_METADATA_H
#define CITYLAKE_ICEBERG_METADATA_H

#include "iceberg/table.h"

#include <jansson.h>

/* Takes json (also on failure).  name: for messages.  CL_EDATA, CL_EUNSUPPORTED. */
CL_MUSTCHECK enum cl_code cl_metadata_from_json(const char *name, json_t *json,
                                                struct cl_metadata **ret, struct cl_error *err);

/* schema_json.c: Iceberg's JSON of a schema (spec, Appendix C "Schemas").  NULL: out of memory. */
json_t *cl_schema_to_json(const struct cl_schema *schema);
CL_MUSTCHECK enum cl_code cl_schema_from_json(const char *name, const json_t *json,
                                              struct cl_arena *arena, struct cl_schema *ret,
                                              struct cl_error *err);
/* "day"... or NULL for CL_PARTITION_NONE. */
const char *cl_transform_text(enum cl_transform transform);

/* Members of a JSON object that must be there with that type; the message names file and member. */
CL_MUSTCHECK enum cl_code cl_json_get_long(const char *name, const json_t *object, const char *key,
                                           int64_t *ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_json_get_text(const char *name, const json_t *object, const char *key,
                                           const char **ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_json_get_array(const char *name, const json_t *object, const char *key,
                                            json_t **ret, struct cl_error *err);

/* Whether a load failed for lack of memory, in which case jansson mostly leaves the text empty: the
 * document may be sound and must not be called broken.  errno must have been 0 before the load. */
bool cl_json_out_of_memory(const json_error_t *at);

/* A shallow copy of an object or array, NULL when memory is out.  json_copy itself returns a copy
 * that lacks members then, which would be written as the table's next metadata. */
json_t *cl_json_copy(json_t *json);

/* The element of an array of objects whose member `key` is `id`, or NULL.  Borrowed. */
json_t *cl_json_find(const json_t *array, const char *key, int64_t id);

const char *cl_metadata_property(const struct cl_metadata *m, const char *key); /* or NULL */
/* A property that is a positive number, or the default. */
int64_t cl_metadata_property_long(const struct cl_metadata *m, const char *key, int64_t fallback);

/* What a catalog writes: the document of `next` with the metadata-log of `base` plus base's own
 * file (NULL base: as it is).  The log is cut to write.metadata.previous-versions-max. */
CL_MUSTCHECK enum cl_code cl_metadata_serialize_next(const struct cl_metadata *next,
                                                     const struct cl_metadata *base,
                                                     const char *base_location, struct cl_buf *ret,
                                                     struct cl_error *err);

/* Appends the JSON text of a value, compact, numbers whole. */
CL_MUSTCHECK enum cl_code cl_json_dump(const json_t *json, struct cl_buf *ret,
                                       struct cl_error *err);

#endif
