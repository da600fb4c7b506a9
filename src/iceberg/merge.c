/* merge.c - many small manifests become few, so that planning a scan does not read one file per
 * commit.
 *
 * Properties as Iceberg's: commit.manifest-merge.enabled, commit.manifest.min-count-to-merge (100),
 * commit.manifest.target-size-bytes (8 MiB).  Only data manifests of the default partition spec
 * below the target size take part; delete manifests, other specs and encrypted manifests are left
 * alone.  Live entries become EXISTING with their own snapshot id and sequence numbers written out;
 * deleted ones are dropped, for only the snapshot that deleted them needs them. */
#include "iceberg/append.h"

enum { DEFAULT_MIN_COUNT = 100, DEFAULT_TARGET_BYTES = 8 * 1024 * 1024 };

static bool takes_part(const struct cl_append *a, const struct cl_manifest_file *m,
                       int64_t target_bytes)
{
    return m->content == CL_MANIFEST_DATA && m->spec_id == a->spec_id &&
           m->key_metadata.data == NULL && m->length < target_bytes;
}

static enum cl_code keep_entry(void *ctx, const struct cl_manifest_entry *e, struct cl_error *err)
{
    struct cl_manifest_writer *w = ctx;
    if (e->status == CL_ENTRY_DELETED) return CL_OK;
    if (e->sequence_number == CL_MANIFEST_NULL || e->snapshot_id == CL_MANIFEST_NULL)
        return cl_fail(err, CL_EDATA,
                       "the existing file %.*s has no sequence number or snapshot id",
                       (int)e->path.len, (const char *)e->path.data);
    struct cl_manifest_entry kept = *e;
    kept.status = CL_ENTRY_EXISTING;
    return cl_manifest_writer_add(w, &kept, err);
}

/* Merges files[0..n) of the participants into one manifest. */
static enum cl_code merge_bin(struct cl_append *a, struct cl_manifest_file *const *bin, size_t n,
                              struct cl_manifest_file *ret, struct cl_error *err)
{
    struct cl_manifest_writer w;
    int partition_id =
        a->base->partition.transform == CL_PARTITION_NONE ? -1 : a->base->partition.field_id;
    enum cl_code code = cl_manifest_writer_init(&w, &a->base->partition, a->spec_id, a->schema_text,
                                                a->spec_text, err);
    for (size_t i = 0; i < n && code == CL_OK; i++)
        code = cl_manifest_load(a->store, bin[i], partition_id, keep_entry, &w, err);
    if (code == CL_OK) code = cl_append_store_manifest(a, &w, ret, err);
    cl_manifest_writer_fini(&w);
    return code;
}

/* Packs neighbours until their sizes reach the target: commit order, and so time order, stays. */
static enum cl_code merge_all(struct cl_append *a, struct cl_manifest_file **small, size_t n,
                              int64_t target_bytes, struct cl_manifest_list *out,
                              struct cl_error *err)
{
    for (size_t start = 0, end; start < n; start = end) {
        int64_t bytes = 0;
        for (end = start; end < n && (end == start || bytes + small[end]->length <= target_bytes);
             end++)
            bytes += small[end]->length;
        struct cl_manifest_file *line = &out->files[out->n++];
        if (end - start == 1) {
            *line = *small[start];
            continue;
        }
        enum cl_code code = merge_bin(a, small + start, end - start, line, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

enum cl_code cl_append_merge(struct cl_append *a, struct cl_manifest_list *list,
                             struct cl_error *err)
{
    const char *enabled = cl_metadata_property(a->base, "commit.manifest-merge.enabled");
    int64_t min =
        cl_metadata_property_long(a->base, "commit.manifest.min-count-to-merge", DEFAULT_MIN_COUNT);
    int64_t target = cl_metadata_property_long(a->base, "commit.manifest.target-size-bytes",
                                               DEFAULT_TARGET_BYTES);
    if (enabled != NULL && strcmp(enabled, "false") == 0) return CL_OK;

    struct cl_manifest_list out = {.n = 0};
    struct cl_manifest_file **small = cl_arena_array(&a->arena, list->n, sizeof *small);
    out.files = cl_arena_array(&a->arena, list->n, sizeof *out.files);
    if (small == NULL || out.files == NULL) return cl_fail_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (takes_part(a, &list->files[i], target)) small[n++] = &list->files[i];
    if (n < 2 || (int64_t)n < min) return CL_OK;
    enum cl_code code = merge_all(a, small, n, target, &out, err);
    if (code != CL_OK) return code;
    for (size_t i = 0; i < list->n; i++)
        if (!takes_part(a, &list->files[i], target)) out.files[out.n++] = list->files[i];
    *list = out;
    return CL_OK;
}
