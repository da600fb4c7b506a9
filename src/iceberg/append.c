/* append.c - the next snapshot of a table: a manifest of new files, a manifest list, a metadata
 * document.
 *
 * Source: Iceberg spec, "Snapshots", "Manifest lists", "Sequence Numbers".  Order: plan (ids,
 * names) -> the base's manifest list
 * -> new manifest -> merge -> new list -> document.  Nothing that exists is changed, so an append
 * that loses the race of the commit costs only the files in `written`. */
#include "iceberg/append.h"

#include "base/clock.h"

#include <stdlib.h>

/* Of one append: manifest lines and texts. */
#define ARENA_MAX_BYTES ((size_t)1 << 30)

/* ---- files ---- */

static enum cl_code note_written(struct cl_written *w, const char *path, struct cl_error *err)
{
    char **grown = reallocarray(w->paths, w->n + 1, sizeof *grown);
    if (grown == NULL) return cl_fail_nomem(err);
    w->paths = grown;
    w->paths[w->n] = strdup(path);
    if (w->paths[w->n] == NULL) return cl_fail_nomem(err);
    w->n++;
    return CL_OK;
}

static enum cl_code arena_uri(struct cl_append *a, const char *path, const char **ret,
                              struct cl_error *err)
{
    *ret = cl_arena_printf(&a->arena, "%s/%s", a->store->root_uri, path);
    return *ret == NULL ? cl_fail_nomem(err) : CL_OK;
}

enum cl_code cl_append_store(struct cl_append *a, const char *name, const struct cl_buf *bytes,
                             const char **ret_uri, struct cl_error *err)
{
    const char *path = cl_arena_printf(&a->arena, "%s/%s", a->folder, name);
    if (path == NULL) return cl_fail_nomem(err);
    enum cl_code code = arena_uri(a, path, ret_uri, err);
    /* Noted first: a write that failed may still have left something. */
    if (code == CL_OK) code = note_written(a->written, path, err);
    if (code == CL_OK) code = a->store->ops->put(a->store, path, bytes->data, bytes->len, err);
    return code;
}

enum cl_code cl_append_store_manifest(struct cl_append *a, struct cl_manifest_writer *w,
                                      struct cl_manifest_file *ret, struct cl_error *err)
{
    const char *name = cl_arena_printf(&a->arena, "%s-m%d.avro", a->uuid, a->n_manifests++);
    struct cl_partition_summary *summary = cl_arena_alloc(&a->arena, sizeof *summary);
    if (name == NULL || summary == NULL) return cl_fail_nomem(err);
    enum cl_code code = cl_manifest_writer_finish(w, err);
    if (code != CL_OK) return code;
    *ret = w->file;
    if (w->file.n_partitions >
        0) { /* moved out of the writer, which ends before the list is written */
        *summary = w->summary;
        for (int i = 0; i < 2; i++) {
            struct cl_bytes *b = i == 0 ? &summary->lower : &summary->upper;
            if (b->data == NULL) continue;
            b->data = (const uint8_t *)cl_arena_strndup(&a->arena, (const char *)b->data, b->len);
            if (b->data == NULL) return cl_fail_nomem(err);
        }
        ret->partitions = summary;
    }
    ret->added_snapshot_id = a->snapshot.id;
    ret->sequence_number = a->snapshot.sequence_number;
    if (ret->min_sequence_number == CL_MANIFEST_NULL)
        ret->min_sequence_number = a->snapshot.sequence_number;
    return cl_append_store(a, name, &w->avro.out, &ret->path, err);
}

/* ---- entries of new files ---- */

static bool has_nan_count(const struct cl_schema *schema, int field_id)
{
    for (size_t i = 0; i < schema->n; i++)
        if (schema->fields[i].id == field_id)
            return schema->fields[i].type == CL_FLOAT || schema->fields[i].type == CL_DOUBLE;
    return false;
}

static bool alloc_metrics(struct cl_arena *arena, size_t n, struct cl_manifest_entry *e)
{
    struct cl_id_longs *longs[] = {&e->column_sizes, &e->value_counts, &e->null_counts,
                                   &e->nan_counts};
    struct cl_id_bounds *bounds[] = {&e->lower, &e->upper};
    for (size_t i = 0; i < 4; i++) {
        longs[i]->present = true;
        longs[i]->items = cl_arena_array(arena, n, sizeof *longs[i]->items);
        if (longs[i]->items == NULL) return false;
    }
    for (size_t i = 0; i < 2; i++) {
        bounds[i]->present = true;
        bounds[i]->items = cl_arena_array(arena, n, sizeof *bounds[i]->items);
        if (bounds[i]->items == NULL) return false;
    }
    return true;
}

static void push_long(struct cl_id_longs *m, int id, int64_t value)
{
    m->items[m->n++] = (struct cl_id_long){.id = id, .value = value};
}

static void push_bound(struct cl_id_bounds *m, int id, const struct cl_bound *b)
{
    if (!b->present) return;
    m->items[m->n++] = (struct cl_id_bytes){.id = id, .value = {.data = b->bytes, .len = b->len}};
}

static enum cl_code fill_metrics(struct cl_append *a, const struct cl_data_file *f,
                                 struct cl_manifest_entry *e, struct cl_error *err)
{
    if (!alloc_metrics(&a->arena, f->n_columns, e)) return cl_fail_nomem(err);
    for (size_t i = 0; i < f->n_columns; i++) {
        const struct cl_column_metrics *c = &f->columns[i];
        push_long(&e->column_sizes, c->field_id, c->size_bytes);
        push_long(&e->value_counts, c->field_id, c->value_count);
        push_long(&e->null_counts, c->field_id, c->null_count);
        if (has_nan_count(&a->base->schema, c->field_id))
            push_long(&e->nan_counts, c->field_id, c->nan_count);
        push_bound(&e->lower, c->field_id, &c->lower);
        push_bound(&e->upper, c->field_id, &c->upper);
    }
    e->split_offsets = (struct cl_id_longs){.present = f->n_splits > 0};
    e->split_offsets.items = cl_arena_array(&a->arena, f->n_splits, sizeof *e->split_offsets.items);
    if (e->split_offsets.items == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < f->n_splits; i++)
        push_long(&e->split_offsets, 0, f->split_offsets[i]);
    return CL_OK;
}

/* Sequence numbers stay null: they are inherited, so that a retry on another base may keep the
 * manifest. */
static enum cl_code add_new_file(struct cl_append *a, struct cl_manifest_writer *w,
                                 const struct cl_data_file *f, struct cl_error *err)
{
    static const char format[] = "PARQUET";
    const char *uri;
    enum cl_code code = arena_uri(a, f->path, &uri, err);
    if (code != CL_OK) return code;
    struct cl_manifest_entry e = {
        .status = CL_ENTRY_ADDED,
        .snapshot_id = a->snapshot.id,
        .sequence_number = CL_MANIFEST_NULL,
        .file_sequence_number = CL_MANIFEST_NULL,
        .content = CL_CONTENT_DATA,
        .path = {.data = (const uint8_t *)uri, .len = strlen(uri)},
        .format = {.data = (const uint8_t *)format, .len = strlen(format)},
        .has_partition = f->has_partition,
        .partition_value = f->partition_value,
        .rows = f->rows,
        .size_bytes = f->size_bytes,
        .sort_order_id = 0,
    };
    code = fill_metrics(a, f, &e, err);
    return code == CL_OK ? cl_manifest_writer_add(w, &e, err) : code;
}

static enum cl_code write_new_manifest(struct cl_append *a, const struct cl_data_file *files,
                                       size_t n, struct cl_manifest_file *ret, struct cl_error *err)
{
    struct cl_manifest_writer w;
    enum cl_code code = cl_manifest_writer_init(&w, &a->base->partition, a->spec_id, a->schema_text,
                                                a->spec_text, err);
    for (size_t i = 0; i < n && code == CL_OK; i++)
        code = add_new_file(a, &w, &files[i], err);
    if (code == CL_OK) code = cl_append_store_manifest(a, &w, ret, err);
    cl_manifest_writer_fini(&w);
    return code;
}

/* ---- the list ---- */

static enum cl_code write_list(struct cl_append *a, const struct cl_manifest_list *list,
                               struct cl_error *err)
{
    struct cl_buf bytes = {.data = NULL};
    const char *name =
        cl_arena_printf(&a->arena, "snap-%lld-1-%s.avro", (long long)a->snapshot.id, a->uuid);
    if (name == NULL) return cl_fail_nomem(err);
    enum cl_code code = cl_manifest_list_write(list, &a->snapshot, &bytes, err);
    if (code == CL_OK) code = cl_append_store(a, name, &bytes, &a->snapshot.manifest_list, err);
    cl_buf_fini(&bytes);
    return code;
}

/* New manifest first, then the base's, without those that have no live file left. */
static enum cl_code build_list(struct cl_append *a, const struct cl_data_file *files,
                               size_t n_files, const struct cl_manifest_list *base,
                               struct cl_error *err)
{
    struct cl_manifest_list kept = {.n = 0};
    kept.files = cl_arena_array(&a->arena, base->n + 1, sizeof *kept.files);
    if (kept.files == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < base->n; i++)
        if (base->files[i].added_files != 0 || base->files[i].existing_files != 0)
            kept.files[kept.n++] = base->files[i];
    enum cl_code code = cl_append_merge(a, &kept, err);
    if (code != CL_OK) return code;
    struct cl_manifest_list list = {.n = 0};
    list.files = cl_arena_array(&a->arena, kept.n + 1, sizeof *list.files);
    if (list.files == NULL) return cl_fail_nomem(err);
    if (n_files > 0) {
        code = write_new_manifest(a, files, n_files, &list.files[0], err);
        if (code != CL_OK) return code;
        list.n = 1;
    }
    if (kept.n > 0) memcpy(list.files + list.n, kept.files, kept.n * sizeof *kept.files);
    list.n += kept.n;
    return write_list(a, &list, err);
}

/* ---- the append ---- */

static enum cl_code dump_text(struct cl_append *a, const json_t *json, const char **ret,
                              struct cl_error *err)
{
    struct cl_buf text;
    cl_buf_init(&text, ARENA_MAX_BYTES / 4);
    enum cl_code code = cl_json_dump(json, &text, err);
    if (code == CL_OK) {
        *ret = cl_arena_strndup(&a->arena, (const char *)text.data, text.len);
        if (*ret == NULL) code = cl_fail_nomem(err);
    }
    cl_buf_fini(&text);
    return code;
}

static enum cl_code plan_texts(struct cl_append *a, struct cl_error *err)
{
    const struct cl_metadata *m = a->base;
    enum cl_code code =
        cl_json_get_long("table metadata", m->json, "default-spec-id", &a->spec_id, err);
    if (code != CL_OK) return code;
    const json_t *schema =
        cl_json_find(json_object_get(m->json, "schemas"), "schema-id", m->schema_id);
    const json_t *spec =
        cl_json_find(json_object_get(m->json, "partition-specs"), "spec-id", a->spec_id);
    code = dump_text(a, schema, &a->schema_text, err);
    if (code == CL_OK) code = dump_text(a, json_object_get(spec, "fields"), &a->spec_text, err);
    return code;
}

static enum cl_code plan_folder(struct cl_append *a, struct cl_error *err)
{
    const char *folder = cl_store_relative(a->store, a->base->location);
    if (folder == NULL)
        return cl_fail(err, CL_EINVAL,
                       "the table at %s is not below the lake %s: Iceberg paths are absolute, was "
                       "the lake moved?",
                       a->base->location, a->store->root_uri);
    size_t len = strlen(folder);
    while (len > 0 && folder[len - 1] == '/')
        len--;
    a->folder = cl_arena_printf(&a->arena, "%.*s/metadata", (int)len, folder);
    return a->folder == NULL ? cl_fail_nomem(err) : CL_OK;
}

static enum cl_code plan(struct cl_append *a, struct cl_error *err)
{
    const struct cl_metadata *m = a->base;
    int64_t now = cl_clock_wall_us() / 1000;
    a->snapshot = (struct cl_snapshot){
        .parent_id = m->current_snapshot_id,
        .sequence_number = m->last_sequence_number + 1,
        /* The clock may have jumped back; readers refuse metadata whose time runs backwards. */
        .timestamp_ms = now > m->last_updated_ms ? now : m->last_updated_ms,
        .schema_id = m->schema_id,
    };
    enum cl_code code = cl_uuid_random(a->uuid, err);
    do {
        if (code == CL_OK) code = cl_snapshot_id_random(&a->snapshot.id, err);
    } while (code == CL_OK && cl_metadata_snapshot(m, a->snapshot.id) != NULL);
    if (code == CL_OK) code = plan_folder(a, err);
    if (code == CL_OK) code = plan_texts(a, err);
    return code;
}

static enum cl_code load_base_list(struct cl_append *a, struct cl_manifest_list *ret,
                                   struct cl_error *err)
{
    const struct cl_snapshot *parent = cl_metadata_current(a->base);
    *ret = (struct cl_manifest_list){.n = 0};
    if (parent == NULL) return CL_OK;
    return cl_manifest_list_load(a->store, parent->manifest_list, &a->arena, ret, err);
}

enum cl_code cl_metadata_append(const struct cl_metadata *base, struct cl_store *store,
                                const struct cl_data_file *files, size_t n_files,
                                const struct cl_property *summary, size_t n_summary,
                                const char *tag, struct cl_metadata **ret,
                                struct cl_written *written, struct cl_error *err)
{
    struct cl_append a = {.base = base, .store = store, .written = written};
    struct cl_manifest_list base_list;
    struct cl_totals totals;
    json_t *summary_json = NULL, *doc = NULL;
    cl_arena_init(&a.arena, ARENA_MAX_BYTES);
    enum cl_code code = plan(&a, err);
    if (code == CL_OK) code = load_base_list(&a, &base_list, err);
    if (code == CL_OK) code = cl_append_base_totals(&a, &base_list, &totals, err);
    if (code == CL_OK) code = build_list(&a, files, n_files, &base_list, err);
    if (code == CL_OK)
        code = cl_append_summary(files, n_files, base->partition.transform != CL_PARTITION_NONE,
                                 &totals, summary, n_summary, &summary_json, err);
    if (code == CL_OK) code = cl_append_document(&a, summary_json, tag, &doc, err);
    if (code == CL_OK) code = cl_metadata_from_json("next metadata", doc, ret, err);
    cl_arena_fini(&a.arena);
    return code;
}
