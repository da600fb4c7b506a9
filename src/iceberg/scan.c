/* scan.c - which data files a snapshot has.
 *
 * Source: Iceberg spec, "Scan Planning".  Order: manifest list -> every manifest with live files ->
 * its entries that are not deleted.  Row-level deletes are not applied here; a file that one may
 * touch is marked. */
#include "iceberg/manifest.h"

#include "iceberg/metadata.h"

/* Of one plan: about 250 bytes a file. */
#define SCAN_MAX_BYTES ((size_t)4 << 30)

struct planning {
    struct cl_scan *scan;
    size_t cap;
    int64_t max_delete_sequence; /* of any live row-level delete; -1: none */
    int partition_id;            /* of the manifest being read; -1: not of the default spec */
};

static bool has_live_files(const struct cl_manifest_file *m)
{
    return m->added_files != 0 || m->existing_files != 0; /* unknown counts are not 0 */
}

static enum cl_code add_file(void *ctx, const struct cl_manifest_entry *e, struct cl_error *err)
{
    struct planning *p = ctx;
    struct cl_scan *scan = p->scan;
    if (e->status == CL_ENTRY_DELETED) return CL_OK;
    if (e->content != CL_CONTENT_DATA)
        return cl_fail(err, CL_EDATA, "a manifest of data files names the delete file %.*s",
                       (int)e->path.len, (const char *)e->path.data);
    if (scan->n == p->cap) {
        size_t cap = p->cap == 0 ? 64 : 2 * p->cap;
        struct cl_scan_file *grown = cl_arena_array(&scan->arena, cap, sizeof *grown);
        if (grown == NULL)
            return cl_fail(err, CL_ELIMIT, "a plan of more than %zu files needs too much memory",
                           p->cap);
        if (scan->n > 0) memcpy(grown, scan->files, scan->n * sizeof *grown);
        scan->files = grown;
        p->cap = cap;
    }
    const char *path = cl_arena_strndup(&scan->arena, (const char *)e->path.data, e->path.len);
    if (path == NULL)
        return cl_fail(err, CL_ELIMIT, "a plan of %zu files needs too much memory", scan->n);
    if (__builtin_add_overflow(scan->rows, e->rows, &scan->rows))
        return cl_fail(err, CL_EDATA, "the row counts of the files do not fit 64 bits");
    scan->files[scan->n++] = (struct cl_scan_file){
        .path = path,
        .rows = e->rows,
        .size_bytes = e->size_bytes,
        .added_snapshot_id = e->snapshot_id,
        .has_partition = e->has_partition,
        .partition_value = e->partition_value,
        /* Unknown sequence numbers may be old enough for any delete. */
        .has_deletes = p->max_delete_sequence >= 0 && e->sequence_number <= p->max_delete_sequence,
    };
    return CL_OK;
}

static int64_t max_delete_sequence(const struct cl_manifest_list *list)
{
    int64_t max = -1;
    for (size_t i = 0; i < list->n; i++) {
        const struct cl_manifest_file *m = &list->files[i];
        if (m->content == CL_MANIFEST_DELETES && has_live_files(m) && m->sequence_number > max)
            max = m->sequence_number;
    }
    return max;
}

static enum cl_code plan_manifests(const struct cl_metadata *m, const struct cl_manifest_list *list,
                                   struct cl_store *store, struct planning *p, struct cl_error *err)
{
    int64_t spec_id = 0;
    enum cl_code code =
        cl_json_get_long("table metadata", m->json, "default-spec-id", &spec_id, err);
    for (size_t i = 0; i < list->n && code == CL_OK; i++) {
        const struct cl_manifest_file *file = &list->files[i];
        if (file->content != CL_MANIFEST_DATA || !has_live_files(file)) continue;
        bool ours = file->spec_id == spec_id && m->partition.transform != CL_PARTITION_NONE;
        p->partition_id = ours ? m->partition.field_id : -1;
        code = cl_manifest_load(store, file, p->partition_id, add_file, p, err);
    }
    return code;
}

enum cl_code cl_scan_plan(const struct cl_metadata *m, const struct cl_snapshot *snapshot,
                          struct cl_store *store, struct cl_scan *ret, struct cl_error *err)
{
    struct cl_scan scan = {.n = 0};
    struct cl_arena list_arena;
    struct cl_manifest_list list;
    cl_arena_init(&scan.arena, SCAN_MAX_BYTES);
    cl_arena_init(&list_arena, SCAN_MAX_BYTES);
    enum cl_code code =
        cl_manifest_list_load(store, snapshot->manifest_list, &list_arena, &list, err);
    if (code == CL_OK) {
        struct planning p = {.scan = &scan, .max_delete_sequence = max_delete_sequence(&list)};
        code = plan_manifests(m, &list, store, &p, err);
    }
    cl_arena_fini(&list_arena);
    if (code == CL_OK)
        *ret = scan;
    else
        cl_scan_fini(&scan);
    return code;
}

void cl_scan_fini(struct cl_scan *scan)
{
    cl_arena_fini(&scan->arena);
    *scan = (struct cl_scan){.n = 0};
}
