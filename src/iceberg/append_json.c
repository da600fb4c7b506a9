/* append_json.c - the metadata document after an append.
 *
 * The document is a shallow copy of the base's: only the members that change are new, the rest is
 * shared (see metadata.h). */
#include "iceberg/append.h"

/* A copy of an array member that may be missing, with one more element (taken). */
static bool append_to(json_t *doc, const char *key, json_t *element)
{
    json_t *old = json_object_get(doc, key);
    json_t *array = json_is_array(old) ? cl_json_copy(old) : json_array();
    if (json_array_append_new(array, element) !=
        0) { /* fails, and frees element, when array is NULL */
        json_decref(array);
        return false;
    }
    return json_object_set_new(doc, key, array) == 0;
}

static bool set_long(json_t *doc, const char *key, int64_t value)
{
    return json_object_set_new(doc, key, json_integer(value)) == 0;
}

/* Points a branch or tag at the snapshot; its retention settings stay. */
static bool set_ref(json_t *refs, const char *name, const char *type, int64_t snapshot_id)
{
    json_t *old = json_object_get(refs, name);
    json_t *ref = json_is_object(old) ? cl_json_copy(old) : json_object();
    bool ok = ref != NULL && set_long(ref, "snapshot-id", snapshot_id) &&
              json_object_set_new(ref, "type", json_string(type)) == 0;
    if (!ok) {
        json_decref(ref);
        return false;
    }
    return json_object_set_new(refs, name, ref) == 0;
}

static bool set_refs(json_t *doc, const char *tag, int64_t snapshot_id)
{
    json_t *old = json_object_get(doc, "refs");
    json_t *refs = json_is_object(old) ? cl_json_copy(old) : json_object();
    bool ok = refs != NULL && set_ref(refs, "main", "branch", snapshot_id) &&
              (tag == NULL || set_ref(refs, tag, "tag", snapshot_id));
    if (!ok) {
        json_decref(refs);
        return false;
    }
    return json_object_set_new(doc, "refs", refs) == 0;
}

/* Takes summary. */
static json_t *snapshot_to_json(const struct cl_snapshot *s, json_t *summary)
{
    json_t *j = json_pack("{s:I, s:I, s:I, s:o, s:s, s:i}", "sequence-number",
                          (json_int_t)s->sequence_number, "snapshot-id", (json_int_t)s->id,
                          "timestamp-ms", (json_int_t)s->timestamp_ms, "summary", summary,
                          "manifest-list", s->manifest_list, "schema-id", s->schema_id);
    if (j != NULL && s->parent_id != -1 && !set_long(j, "parent-snapshot-id", s->parent_id)) {
        json_decref(j);
        return NULL;
    }
    return j;
}

static bool is_branch(const json_t *doc, const char *name)
{
    const char *type = json_string_value(
        json_object_get(json_object_get(json_object_get(doc, "refs"), name), "type"));
    return type != NULL && strcmp(type, "branch") == 0;
}

enum cl_code cl_append_document(const struct cl_append *a, json_t *summary, const char *tag,
                                json_t **ret, struct cl_error *err)
{
    const struct cl_snapshot *s = &a->snapshot;
    if (tag != NULL && is_branch(a->base->json, tag)) {
        json_decref(summary);
        return cl_fail(err, CL_EINVAL,
                       "the table has a branch \"%s\": a tag of that name can't be made", tag);
    }
    json_t *snapshot = snapshot_to_json(s, summary);
    json_t *doc = cl_json_copy(a->base->json);
    /* append_to takes the element and fails on a NULL one, as jansson's *_new functions do. */
    bool ok = doc != NULL && append_to(doc, "snapshots", snapshot) &&
              append_to(doc, "snapshot-log",
                        json_pack("{s:I, s:I}", "timestamp-ms", (json_int_t)s->timestamp_ms,
                                  "snapshot-id", (json_int_t)s->id));
    ok = ok && set_long(doc, "last-sequence-number", s->sequence_number) &&
         set_long(doc, "last-updated-ms", s->timestamp_ms) &&
         set_long(doc, "current-snapshot-id", s->id) && set_refs(doc, tag, s->id);
    if (!ok) {
        if (doc == NULL) json_decref(snapshot);
        json_decref(doc);
        return cl_fail_nomem(err);
    }
    *ret = doc;
    return CL_OK;
}
