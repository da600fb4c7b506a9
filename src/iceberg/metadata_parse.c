/* metadata_parse.c - table metadata JSON to struct cl_metadata.
 *
 * Source: Iceberg spec, "Table Metadata Fields" and Appendix C.  Everything that is used is
 * checked; the rest of the document is kept as it is. */
#include "iceberg/metadata.h"

#include <errno.h>

#include <stdlib.h>
#include <string.h>

/* Of what the struct needs besides the document.  100,000 snapshots take about 150 MB. */
#define ARENA_MAX_BYTES ((size_t)1 << 30)

enum cl_code cl_json_get_long(const char *name, const json_t *object, const char *key, int64_t *ret,
                              struct cl_error *err)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_integer(v))
        return cl_fail(err, CL_EDATA, "%s: \"%s\" is %s", name, key,
                       v == NULL ? "missing" : "not a whole number");
    *ret = json_integer_value(v);
    return CL_OK;
}

enum cl_code cl_json_get_text(const char *name, const json_t *object, const char *key,
                              const char **ret, struct cl_error *err)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_string(v))
        return cl_fail(err, CL_EDATA, "%s: \"%s\" is %s", name, key,
                       v == NULL ? "missing" : "not text");
    *ret = json_string_value(v);
    return CL_OK;
}

enum cl_code cl_json_get_array(const char *name, const json_t *object, const char *key,
                               json_t **ret, struct cl_error *err)
{
    json_t *v = json_object_get(object, key);
    if (!json_is_array(v))
        return cl_fail(err, CL_EDATA, "%s: \"%s\" is %s", name, key,
                       v == NULL ? "missing" : "not a list");
    *ret = v;
    return CL_OK;
}

json_t *cl_json_find(const json_t *array, const char *key, int64_t id)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *item = json_array_get(array, i);
        const json_t *v = json_object_get(item, key);
        if (json_is_integer(v) && json_integer_value(v) == id) return item;
    }
    return NULL;
}

/* An object of texts ("properties", "summary"); absent is empty. */
static enum cl_code parse_properties(const char *name, const char *what, json_t *object,
                                     struct cl_arena *arena, struct cl_property **ret,
                                     size_t *ret_n, struct cl_error *err)
{
    *ret_n = 0;
    if (object == NULL || json_is_null(object)) return CL_OK;
    if (!json_is_object(object))
        return cl_fail(err, CL_EDATA, "%s: \"%s\" is not an object", name, what);
    struct cl_property *out = cl_arena_array(arena, json_object_size(object), sizeof *out);
    if (out == NULL) return cl_fail_nomem(err);
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return cl_fail(err, CL_EDATA, "%s: \"%s\" in \"%s\" is not text", name, key, what);
        out[n++] = (struct cl_property){.key = key, .value = json_string_value(value)};
    }
    *ret = out;
    *ret_n = n;
    return CL_OK;
}

/* ---- snapshots ---- */

static enum cl_code parse_snapshot(const char *name, const json_t *j, struct cl_arena *arena,
                                   struct cl_snapshot *ret, struct cl_error *err)
{
    enum cl_code code = cl_json_get_long(name, j, "snapshot-id", &ret->id, err);
    if (code == CL_OK) code = cl_json_get_long(name, j, "timestamp-ms", &ret->timestamp_ms, err);
    if (code != CL_OK) return code;
    const json_t *parent = json_object_get(j, "parent-snapshot-id"),
                 *schema = json_object_get(j, "schema-id");
    ret->parent_id = json_is_integer(parent) ? json_integer_value(parent) : -1;
    ret->schema_id = json_is_integer(schema) ? (int)json_integer_value(schema) : -1;
    /* Snapshots from a table's version 1 days have no sequence number: 0. */
    ret->sequence_number = json_integer_value(json_object_get(j, "sequence-number"));
    ret->manifest_list = json_string_value(json_object_get(j, "manifest-list"));
    if (ret->manifest_list == NULL)
        return cl_fail(err, json_object_get(j, "manifests") != NULL ? CL_EUNSUPPORTED : CL_EDATA,
                       "%s: snapshot %lld has no manifest list", name, (long long)ret->id);
    return parse_properties(name, "summary", json_object_get(j, "summary"), arena, &ret->summary,
                            &ret->n_summary, err);
}

/* Snapshots from version 1 days all have the sequence number 0: their time decides. */
static int by_age(const void *a, const void *b)
{
    const struct cl_snapshot *x = a, *y = b;
    if (x->sequence_number != y->sequence_number)
        return x->sequence_number < y->sequence_number ? -1 : 1;
    return (x->timestamp_ms > y->timestamp_ms) - (x->timestamp_ms < y->timestamp_ms);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Two snapshots of one id would make every look-up a guess. */
static enum cl_code check_unique(const char *name, const struct cl_metadata *m,
                                 struct cl_error *err)
{
    size_t n = m->n_snapshots;
    int64_t *ids = calloc(n > 0 ? n : 1, sizeof *ids);
    if (ids == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        ids[i] = m->snapshots[i].id;
    qsort(ids, n, sizeof *ids, by_id);
    enum cl_code code = CL_OK;
    for (size_t i = 1; i < n && code == CL_OK; i++)
        if (ids[i] == ids[i - 1])
            code =
                cl_fail(err, CL_EDATA, "%s: snapshot %lld is there twice", name, (long long)ids[i]);
    free(ids);
    return code;
}

static enum cl_code parse_snapshots(const char *name, struct cl_metadata *m, struct cl_error *err)
{
    const json_t *array = json_object_get(m->json, "snapshots");
    if (array != NULL && !json_is_array(array) && !json_is_null(array))
        return cl_fail(err, CL_EDATA, "%s: \"snapshots\" is not a list", name);
    size_t n = json_array_size(array);
    m->snapshots = cl_arena_array(&m->arena, n, sizeof *m->snapshots);
    if (m->snapshots == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        enum cl_code code =
            parse_snapshot(name, json_array_get(array, i), &m->arena, &m->snapshots[i], err);
        if (code != CL_OK) return code;
    }
    m->n_snapshots = n;
    qsort(m->snapshots, n, sizeof *m->snapshots, by_age);
    const json_t *current = json_object_get(m->json, "current-snapshot-id");
    m->current_snapshot_id = json_is_integer(current) ? json_integer_value(current) : -1;
    if (m->current_snapshot_id != -1 && cl_metadata_current(m) == NULL)
        return cl_fail(err, CL_EDATA,
                       "%s: the current snapshot %lld is not in the list of snapshots", name,
                       (long long)m->current_snapshot_id);
    return check_unique(name, m, err);
}

/* ---- schema and partition spec ---- */

static enum cl_code parse_schema(const char *name, struct cl_metadata *m, struct cl_error *err)
{
    json_t *schemas;
    int64_t id;
    enum cl_code code = cl_json_get_array(name, m->json, "schemas", &schemas, err);
    if (code == CL_OK) code = cl_json_get_long(name, m->json, "current-schema-id", &id, err);
    if (code != CL_OK) return code;
    const json_t *current = cl_json_find(schemas, "schema-id", id);
    if (current == NULL || id < 0 || id > INT32_MAX)
        return cl_fail(err, CL_EDATA, "%s: the current schema %lld is not in the list of schemas",
                       name, (long long)id);
    m->schema_id = (int)id;
    return cl_schema_from_json(name, current, &m->arena, &m->schema, err);
}

static enum cl_code parse_partition_field(const char *name, const json_t *j,
                                          struct cl_partition_field *ret, struct cl_error *err)
{
    static const enum cl_transform known[] = {CL_PARTITION_DAY, CL_PARTITION_HOUR,
                                              CL_PARTITION_MONTH};
    int64_t source, field;
    const char *transform;
    enum cl_code code = cl_json_get_long(name, j, "source-id", &source, err);
    if (code == CL_OK) code = cl_json_get_long(name, j, "field-id", &field, err);
    if (code == CL_OK) code = cl_json_get_text(name, j, "name", &ret->name, err);
    if (code == CL_OK) code = cl_json_get_text(name, j, "transform", &transform, err);
    if (code != CL_OK) return code;
    if (source < 1 || source > INT32_MAX || field < 1 || field > INT32_MAX)
        return cl_fail(err, CL_EDATA, "%s: partition field \"%s\" has an id out of range", name,
                       ret->name);
    ret->source_id = (int)source;
    ret->field_id = (int)field;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(cl_transform_text(known[i]), transform) == 0) {
            ret->transform = known[i];
            return CL_OK;
        }
    return cl_fail(
        err, CL_EUNSUPPORTED,
        "%s: partition field \"%s\" has the transform %s (citylake reads day, hour and month)",
        name, ret->name, transform);
}

static enum cl_code parse_partition(const char *name, struct cl_metadata *m, struct cl_error *err)
{
    json_t *specs, *fields;
    int64_t id;
    enum cl_code code = cl_json_get_array(name, m->json, "partition-specs", &specs, err);
    if (code == CL_OK) code = cl_json_get_long(name, m->json, "default-spec-id", &id, err);
    if (code != CL_OK) return code;
    const json_t *spec = cl_json_find(specs, "spec-id", id);
    if (spec == NULL)
        return cl_fail(err, CL_EDATA,
                       "%s: the default partition spec %lld is not in the list of specs", name,
                       (long long)id);
    code = cl_json_get_array(name, spec, "fields", &fields, err);
    if (code != CL_OK || json_array_size(fields) == 0) return code;
    if (json_array_size(fields) > 1)
        return cl_fail(err, CL_EUNSUPPORTED,
                       "%s: the table is partitioned by %zu fields (citylake reads one)", name,
                       json_array_size(fields));
    return parse_partition_field(name, json_array_get(fields, 0), &m->partition, err);
}

/* ---- the document ---- */

static enum cl_code check_version(const char *name, const json_t *json, struct cl_error *err)
{
    int64_t version;
    if (!json_is_object(json)) return cl_fail(err, CL_EDATA, "%s: not a JSON object", name);
    enum cl_code code = cl_json_get_long(name, json, "format-version", &version, err);
    if (code != CL_OK) return code;
    if (version == 1)
        return cl_fail(err, CL_EUNSUPPORTED,
                       "%s: Iceberg format version 1; upgrade the table (in Spark: ALTER TABLE ... "
                       "SET TBLPROPERTIES ('format-version'='2'))",
                       name);
    if (version != 2)
        return cl_fail(err, CL_EUNSUPPORTED,
                       "%s: Iceberg format version %lld (citylake reads version 2)", name,
                       (long long)version);
    return CL_OK;
}

static enum cl_code parse_document(const char *name, struct cl_metadata *m, struct cl_error *err)
{
    int64_t last_column;
    enum cl_code code = check_version(name, m->json, err);
    if (code == CL_OK) code = cl_json_get_text(name, m->json, "table-uuid", &m->uuid, err);
    if (code == CL_OK) code = cl_json_get_text(name, m->json, "location", &m->location, err);
    if (code == CL_OK)
        code =
            cl_json_get_long(name, m->json, "last-sequence-number", &m->last_sequence_number, err);
    if (code == CL_OK)
        code = cl_json_get_long(name, m->json, "last-updated-ms", &m->last_updated_ms, err);
    if (code == CL_OK) code = cl_json_get_long(name, m->json, "last-column-id", &last_column, err);
    if (code == CL_OK && (m->last_sequence_number < 0 || m->last_sequence_number >= INT64_MAX / 2))
        code = cl_fail(err, CL_EDATA, "%s: \"last-sequence-number\" is out of range", name);
    if (code == CL_OK) code = parse_schema(name, m, err);
    if (code == CL_OK) code = parse_partition(name, m, err);
    if (code == CL_OK)
        code = parse_properties(name, "properties", json_object_get(m->json, "properties"),
                                &m->arena, &m->properties, &m->n_properties, err);
    if (code == CL_OK) code = parse_snapshots(name, m, err);
    return code;
}

enum cl_code cl_metadata_from_json(const char *name, json_t *json, struct cl_metadata **ret,
                                   struct cl_error *err)
{
    struct cl_metadata *m = calloc(1, sizeof *m);
    if (m == NULL) {
        json_decref(json);
        return cl_fail_nomem(err);
    }
    cl_arena_init(&m->arena, ARENA_MAX_BYTES);
    m->json = json;
    enum cl_code code = parse_document(name, m, err);
    if (code != CL_OK) {
        cl_metadata_free(m);
        return code;
    }
    *ret = m;
    return CL_OK;
}

bool cl_json_out_of_memory(const json_error_t *at)
{
    return errno == ENOMEM || at->text[0] == '\0' ||
           json_error_code(at) == json_error_out_of_memory;
}

enum cl_code cl_metadata_parse(const char *name, const uint8_t *json, size_t len,
                               struct cl_metadata **ret, struct cl_error *err)
{
    json_error_t at;
    errno = 0;
    json_t *root = json_loadb((const char *)json, len, 0, &at);
    if (root == NULL && cl_json_out_of_memory(&at)) return cl_fail_nomem(err);
    if (root == NULL)
        return cl_fail(err, CL_EDATA, "%s: not JSON: line %d, column %d, byte %d: %s", name,
                       at.line, at.column, at.position, at.text);
    return cl_metadata_from_json(name, root, ret, err);
}

void cl_metadata_free(struct cl_metadata *m)
{
    if (m == NULL) return;
    json_decref(m->json);
    cl_arena_fini(&m->arena);
    free(m);
}
