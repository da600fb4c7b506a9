/* snapshots.c - look-ups in parsed metadata. */
#include "iceberg/metadata.h"

#include <stdlib.h>
#include <string.h>

const struct cl_snapshot *cl_metadata_snapshot(const struct cl_metadata *m, int64_t id)
{
    for (size_t i = m->n_snapshots; i-- > 0;) /* newest first: mostly asked for */
        if (m->snapshots[i].id == id) return &m->snapshots[i];
    return NULL;
}

const struct cl_snapshot *cl_metadata_current(const struct cl_metadata *m)
{
    return m->current_snapshot_id == -1 ? NULL : cl_metadata_snapshot(m, m->current_snapshot_id);
}

const struct cl_snapshot *cl_metadata_as_of(const struct cl_metadata *m, int64_t timestamp_ms)
{
    /* The log, not the snapshots' own times: a rollback makes an old snapshot current at a later
     * time. */
    const json_t *log = json_object_get(m->json, "snapshot-log");
    int64_t best_time = INT64_MIN, best_id = -1;
    for (size_t i = 0; i < json_array_size(log); i++) {
        const json_t *entry = json_array_get(log, i);
        const json_t *time = json_object_get(entry, "timestamp-ms"),
                     *id = json_object_get(entry, "snapshot-id");
        if (!json_is_integer(time) || !json_is_integer(id)) continue;
        if (json_integer_value(time) > timestamp_ms || json_integer_value(time) < best_time)
            continue;
        best_time = json_integer_value(time);
        best_id = json_integer_value(id);
    }
    return best_id == -1 ? NULL : cl_metadata_snapshot(m, best_id);
}

const char *cl_snapshot_summary(const struct cl_snapshot *s, const char *key)
{
    for (size_t i = 0; i < s->n_summary; i++)
        if (strcmp(s->summary[i].key, key) == 0) return s->summary[i].value;
    return NULL;
}

const char *cl_metadata_property(const struct cl_metadata *m, const char *key)
{
    for (size_t i = 0; i < m->n_properties; i++)
        if (strcmp(m->properties[i].key, key) == 0) return m->properties[i].value;
    return NULL;
}

int64_t cl_metadata_property_long(const struct cl_metadata *m, const char *key, int64_t fallback)
{
    const char *text = cl_metadata_property(m, key);
    char *end;
    if (text == NULL) return fallback;
    long long v = strtoll(text, &end, 10);
    return end == text || *end != '\0' || v < 1 ? fallback : v;
}

void cl_written_fini(struct cl_written *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->paths[i]);
    free(w->paths);
    *w = (struct cl_written){.n = 0};
}
