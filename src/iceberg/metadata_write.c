/* metadata_write.c - a new table's metadata, and metadata to bytes.
 *
 * Source: Iceberg spec, "Table Metadata Fields" and Appendix C. */
#include "iceberg/metadata.h"

#include "base/clock.h"
#include "iceberg/ids.h"

#include <stdlib.h>
#include <string.h>

/* Iceberg's TableProperties: how many previous metadata files the log keeps. */
enum { DEFAULT_PREVIOUS_VERSIONS = 100, FIRST_PARTITION_FIELD_ID = 1000 };

/* ---- create ---- */

static enum cl_code partition_to_json(const struct cl_schema *schema, enum cl_transform transform,
                                      int column, json_t **ret, struct cl_error *err)
{
    json_t *fields = json_array();
    const char *text = cl_transform_text(transform);
    if (fields != NULL && text != NULL) {
        const struct cl_field *source = &schema->fields[column];
        char name[256];
        int len = snprintf(name, sizeof name, "%s_%s", source->name, text);
        if (len < 0 || (size_t)len >= sizeof name || cl_schema_find(schema, name) >= 0) {
            json_decref(fields);
            return cl_fail(
                err, CL_EINVAL, "the partition field would be called \"%.100s\", which %s", name,
                (size_t)len >= sizeof name ? "is too long"
                                           : "is the name of a column: rename the column");
        }
        json_t *field = json_pack("{s:i, s:i, s:s, s:s}", "source-id", source->id, "field-id",
                                  FIRST_PARTITION_FIELD_ID, "name", name, "transform", text);
        if (json_array_append_new(fields, field) != 0) {
            json_decref(fields);
            fields = NULL;
        }
    }
    *ret = json_pack("[{s:i, s:o}]", "spec-id", 0, "fields", fields);
    return *ret == NULL ? cl_fail_nomem(err) : CL_OK;
}

static json_t *properties_to_json(const struct cl_property *properties, size_t n)
{
    json_t *object = json_object();
    for (size_t i = 0; i < n && object != NULL; i++)
        if (json_object_set_new(object, properties[i].key, json_string(properties[i].value)) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static int last_column_id(const struct cl_schema *schema)
{
    int last = 0;
    for (size_t i = 0; i < schema->n; i++)
        if (schema->fields[i].id > last) last = schema->fields[i].id;
    return last;
}

enum cl_code cl_metadata_create(const char *location, const struct cl_schema *schema,
                                enum cl_transform transform, int partition_column,
                                const struct cl_property *properties, size_t n_properties,
                                struct cl_metadata **ret, struct cl_error *err)
{
    char uuid[CL_UUID_TEXT];
    json_t *specs = NULL;
    if (transform != CL_PARTITION_NONE &&
        (partition_column < 0 || (size_t)partition_column >= schema->n))
        return cl_fail(err, CL_EINVAL, "the partition column %d is not a column of the table",
                       partition_column);
    enum cl_code code = cl_uuid_random(uuid, err);
    if (code == CL_OK) code = partition_to_json(schema, transform, partition_column, &specs, err);
    if (code != CL_OK) return code;
    json_t *doc = json_pack(
        "{s:i, s:s, s:s, s:i, s:I, s:i, s:[o], s:i, s:o, s:i, s:i, s:[{s:i, s:[]}], s:i, s:o, s:I, "
        "s:{}, s:[], s:[], s:[]}",
        "format-version", 2, "table-uuid", uuid, "location", location, "last-sequence-number", 0,
        "last-updated-ms", (json_int_t)(cl_clock_wall_us() / 1000), "last-column-id",
        last_column_id(schema), "schemas", cl_schema_to_json(schema), "current-schema-id", 0,
        "partition-specs", specs, "default-spec-id", 0, "last-partition-id",
        transform == CL_PARTITION_NONE ? FIRST_PARTITION_FIELD_ID - 1 : FIRST_PARTITION_FIELD_ID,
        "sort-orders", "order-id", 0, "fields", "default-sort-order-id", 0, "properties",
        properties_to_json(properties, n_properties), "current-snapshot-id", (json_int_t)-1, "refs",
        "snapshots", "snapshot-log", "metadata-log");
    if (doc == NULL) return cl_fail_nomem(err);
    return cl_metadata_from_json("new table", doc, ret, err);
}

/* ---- bytes ---- */

struct dumping {
    struct cl_buf *buf;
    struct cl_error *err;
    enum cl_code code;
};

static int dump_part(const char *data, size_t size, void *ctx)
{
    struct dumping *d = ctx;
    /* Sticky: jansson goes on after a failed part, and a later one that fits would hide the gap. */
    if (d->code == CL_OK) d->code = cl_buf_append(d->buf, data, size, d->err);
    return d->code == CL_OK ? 0 : -1;
}

enum cl_code cl_json_dump(const json_t *json, struct cl_buf *ret, struct cl_error *err)
{
    struct dumping d = {.buf = ret, .err = err, .code = CL_OK};
    size_t start = ret->len;
    int failed = json_dump_callback(json, dump_part, &d,
                                    JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    if (failed != 0 && d.code == CL_OK) d.code = cl_fail_nomem(err);
    if (d.code != CL_OK) ret->len = start;
    return d.code;
}

enum cl_code cl_metadata_serialize(const struct cl_metadata *m, struct cl_buf *ret,
                                   struct cl_error *err)
{
    return cl_json_dump(m->json, ret, err);
}

json_t *cl_json_copy(json_t *json)
{
    json_t *copy = json_copy(json);
    size_t members = json_is_array(json) ? json_array_size(json) : json_object_size(json);
    if (copy == NULL) return NULL;
    if ((json_is_array(copy) ? json_array_size(copy) : json_object_size(copy)) == members)
        return copy;
    json_decref(copy);
    return NULL;
}

/* base's log plus base itself, the oldest dropped. */
static json_t *extend_log(const struct cl_metadata *next, const struct cl_metadata *base,
                          const char *base_location)
{
    json_t *old = json_object_get(base->json, "metadata-log");
    json_t *log = json_is_array(old) ? cl_json_copy(old) : json_array();
    json_t *entry = json_pack("{s:s, s:I}", "metadata-file", base_location, "timestamp-ms",
                              (json_int_t)base->last_updated_ms);
    if (json_array_append_new(log, entry) != 0) { /* fails on NULLs too */
        json_decref(log);
        return NULL;
    }
    int64_t max = cl_metadata_property_long(next, "write.metadata.previous-versions-max",
                                            DEFAULT_PREVIOUS_VERSIONS);
    while ((int64_t)json_array_size(log) > max)
        if (json_array_remove(log, 0) != 0) break;
    return log;
}

enum cl_code cl_metadata_serialize_next(const struct cl_metadata *next,
                                        const struct cl_metadata *base, const char *base_location,
                                        struct cl_buf *ret, struct cl_error *err)
{
    if (base == NULL) return cl_metadata_serialize(next, ret, err);
    json_t *doc = cl_json_copy(next->json); /* shallow: the parts are shared and stay as they are */
    json_t *log = doc == NULL ? NULL : extend_log(next, base, base_location);
    enum cl_code code = CL_OK;
    if (log == NULL || json_object_set_new(doc, "metadata-log", log) != 0)
        code = cl_fail_nomem(err);
    if (code == CL_OK) code = cl_json_dump(doc, ret, err);
    json_decref(doc);
    return code;
}
