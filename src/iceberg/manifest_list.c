/* manifest_list.c - reads and writes manifest lists.
 *
 * Format: Iceberg spec, "Manifest lists", version 2; version 1 lists (no content, no sequence
 * numbers) are read as data manifests of sequence number 0. */
#include "iceberg/manifest.h"

#include "iceberg/avro_reader.h"

#include <stdio.h>

struct reading {
    struct cl_manifest_file *file;
    struct cl_arena *arena;
};

static int field_id(const struct cl_avro_field *f)
{
    return f->id >= 0 ? f->id : cl_manifest_field_id(f->name, true);
}

static enum cl_code out_of_room(struct cl_error *err)
{
    return cl_fail(err, CL_ELIMIT, "a manifest list needs too much memory");
}

static enum cl_code copy_bytes(struct cl_arena *arena, const struct cl_avro_field *f,
                               struct cl_avro_cursor *c, struct cl_bytes *ret, struct cl_error *err)
{
    const uint8_t *data = NULL;
    size_t len = 0;
    bool present = false;
    enum cl_code code = cl_avro_get_bytes(c, f->type, &present, &data, &len, err);
    if (code != CL_OK || !present) return code;
    ret->data = (const uint8_t *)cl_arena_strndup(arena, (const char *)data, len);
    ret->len = len;
    return ret->data == NULL ? out_of_room(err) : CL_OK;
}

static enum cl_code get_optional_long(const struct cl_avro_field *f, struct cl_avro_cursor *c,
                                      int64_t *ret, struct cl_error *err)
{
    bool present;
    return cl_avro_get_long(c, f->type, &present, ret, err);
}

/* ---- partition summaries ---- */

struct summarizing {
    struct cl_partition_summary summary;
    struct cl_arena *arena;
};

static enum cl_code summary_field(void *ctx, const struct cl_avro_field *f,
                                  struct cl_avro_cursor *c, struct cl_error *err)
{
    struct summarizing *s = ctx;
    switch (field_id(f)) {
    case CL_F_CONTAINS_NULL:
        return cl_avro_get_boolean(c, f->type, NULL, &s->summary.contains_null, err);
    case CL_F_CONTAINS_NAN:
        return cl_avro_get_boolean(c, f->type, &s->summary.has_nan, &s->summary.contains_nan, err);
    case CL_F_SUMMARY_LOWER: return copy_bytes(s->arena, f, c, &s->summary.lower, err);
    case CL_F_SUMMARY_UPPER: return copy_bytes(s->arena, f, c, &s->summary.upper, err);
    default: return cl_avro_skip(c, f->type, err);
    }
}

static enum cl_code summary_item(void *ctx, const struct cl_avro_type *type,
                                 struct cl_avro_cursor *c, struct cl_error *err)
{
    struct reading *r = ctx;
    struct cl_manifest_file *m = r->file;
    struct summarizing s = {.arena = r->arena};
    enum cl_code code = cl_avro_get_record(c, type, NULL, summary_field, &s, err);
    if (code != CL_OK) return code;
    if ((m->n_partitions & (m->n_partitions - 1)) == 0) {
        struct cl_partition_summary *grown =
            cl_arena_array(r->arena, m->n_partitions == 0 ? 1 : 2 * m->n_partitions, sizeof *grown);
        if (grown == NULL) return out_of_room(err);
        if (m->n_partitions > 0) memcpy(grown, m->partitions, m->n_partitions * sizeof *grown);
        m->partitions = grown;
    }
    m->partitions[m->n_partitions++] = s.summary;
    return CL_OK;
}

/* ---- lines ---- */

static enum cl_code line_field(void *ctx, const struct cl_avro_field *f, struct cl_avro_cursor *c,
                               struct cl_error *err)
{
    struct reading *r = ctx;
    struct cl_manifest_file *m = r->file;
    switch (field_id(f)) {
    case CL_F_MANIFEST_PATH: {
        struct cl_bytes path = {.data = NULL};
        enum cl_code code = copy_bytes(r->arena, f, c, &path, err);
        m->path = (const char *)path.data;
        return code;
    }
    case CL_F_MANIFEST_LENGTH: return cl_avro_get_long(c, f->type, NULL, &m->length, err);
    case CL_F_SPEC_ID: return cl_avro_get_long(c, f->type, NULL, &m->spec_id, err);
    case CL_F_MANIFEST_CONTENT: return get_optional_long(f, c, &m->content, err);
    case CL_F_MANIFEST_SEQUENCE: return get_optional_long(f, c, &m->sequence_number, err);
    case CL_F_MIN_SEQUENCE: return get_optional_long(f, c, &m->min_sequence_number, err);
    case CL_F_ADDED_SNAPSHOT_ID: return get_optional_long(f, c, &m->added_snapshot_id, err);
    case CL_F_ADDED_FILES: return get_optional_long(f, c, &m->added_files, err);
    case CL_F_EXISTING_FILES: return get_optional_long(f, c, &m->existing_files, err);
    case CL_F_DELETED_FILES: return get_optional_long(f, c, &m->deleted_files, err);
    case CL_F_ADDED_ROWS: return get_optional_long(f, c, &m->added_rows, err);
    case CL_F_EXISTING_ROWS: return get_optional_long(f, c, &m->existing_rows, err);
    case CL_F_DELETED_ROWS: return get_optional_long(f, c, &m->deleted_rows, err);
    case CL_F_PARTITIONS:
        return cl_avro_get_array(c, f->type, &m->has_partitions, summary_item, r, err);
    case CL_F_LIST_KEY_METADATA: return copy_bytes(r->arena, f, c, &m->key_metadata, err);
    default: return cl_avro_skip(c, f->type, err);
    }
}

static enum cl_code read_line(struct cl_avro_reader *avro, struct cl_arena *arena,
                              struct cl_manifest_file *ret, struct cl_error *err)
{
    *ret = (struct cl_manifest_file){
        .length = -1,
        .added_snapshot_id = CL_MANIFEST_NULL,
        .added_files = CL_MANIFEST_NULL,
        .existing_files = CL_MANIFEST_NULL,
        .deleted_files = CL_MANIFEST_NULL,
        .added_rows = CL_MANIFEST_NULL,
        .existing_rows = CL_MANIFEST_NULL,
        .deleted_rows = CL_MANIFEST_NULL,
    };
    struct reading r = {.file = ret, .arena = arena};
    enum cl_code code = cl_avro_get_record(&avro->record, avro->schema, NULL, line_field, &r, err);
    if (code != CL_OK) return code;
    if (ret->path == NULL || *ret->path == '\0')
        return cl_fail(err, CL_EDATA, "a line names no manifest");
    if (ret->length < 0) return cl_fail(err, CL_EDATA, "manifest %s has no length", ret->path);
    if (ret->content != CL_MANIFEST_DATA && ret->content != CL_MANIFEST_DELETES)
        return cl_fail(err, CL_EUNSUPPORTED, "manifest %s has the unknown content %lld", ret->path,
                       (long long)ret->content);
    return CL_OK;
}

enum cl_code cl_manifest_list_read(const uint8_t *data, size_t len, struct cl_arena *arena,
                                   struct cl_manifest_list *ret, struct cl_error *err)
{
    struct cl_avro_reader avro;
    struct cl_manifest_list list = {.n = 0};
    enum cl_code code = cl_avro_open(&avro, data, len, err);
    if (code != CL_OK) return code;
    for (;;) {
        bool more = false;
        code = cl_avro_next(&avro, &more, err);
        if (code != CL_OK || !more) break;
        if ((list.n & (list.n - 1)) == 0) {
            struct cl_manifest_file *grown =
                cl_arena_array(arena, list.n == 0 ? 1 : 2 * list.n, sizeof *grown);
            if (grown == NULL) {
                code = out_of_room(err);
                break;
            }
            if (list.n > 0) memcpy(grown, list.files, list.n * sizeof *grown);
            list.files = grown;
        }
        code = read_line(&avro, arena, &list.files[list.n], err);
        if (code != CL_OK) break;
        list.n++;
    }
    cl_avro_close(&avro);
    if (code == CL_OK) *ret = list;
    return code;
}

enum cl_code cl_manifest_list_load(struct cl_store *store, const char *uri, struct cl_arena *arena,
                                   struct cl_manifest_list *ret, struct cl_error *err)
{
    const char *path = cl_store_relative(store, uri);
    if (path == NULL)
        return cl_fail_at(err, CL_EDATA, uri,
                          "this manifest list is not below the lake %s: Iceberg paths are "
                          "absolute, was the lake moved?",
                          store->root_uri);
    struct cl_buf bytes;
    cl_buf_init(&bytes, CL_MANIFEST_MAX_BYTES);
    enum cl_code code = store->ops->read(store, path, &bytes, err);
    if (code == CL_ENOTFOUND)
        code = cl_fail_at(err, CL_EDATA, uri,
                          "the snapshot's manifest list is missing (an expired snapshot, or files "
                          "removed by hand)");
    if (code == CL_OK) {
        code = cl_manifest_list_read(bytes.data, bytes.len, arena, ret, err);
        if (code == CL_EDATA || code == CL_EUNSUPPORTED)
            code = cl_error_wrap(err, code, "manifest list %s", uri);
    }
    cl_buf_fini(&bytes);
    return code;
}

/* ---- writing ---- */

static void put_optional_bytes(struct cl_avro_writer *a, struct cl_bytes b)
{
    cl_avro_put_present(a, b.data != NULL);
    if (b.data != NULL) cl_avro_put_bytes(a, b.data, b.len);
}

static void put_summaries(struct cl_avro_writer *a, const struct cl_manifest_file *m)
{
    cl_avro_put_present(a, m->has_partitions);
    if (!m->has_partitions) return;
    cl_avro_put_array(a, m->n_partitions);
    for (size_t i = 0; i < m->n_partitions; i++) {
        const struct cl_partition_summary *s = &m->partitions[i];
        cl_avro_put_boolean(a, s->contains_null);
        cl_avro_put_present(a, s->has_nan);
        if (s->has_nan) cl_avro_put_boolean(a, s->contains_nan);
        put_optional_bytes(a, s->lower);
        put_optional_bytes(a, s->upper);
    }
    cl_avro_put_array_end(a, m->n_partitions);
}

static void put_line(struct cl_avro_writer *a, const struct cl_manifest_file *m)
{
    cl_avro_put_string(a, m->path);
    cl_avro_put_long(a, m->length);
    cl_avro_put_long(a, m->spec_id);
    cl_avro_put_long(a, m->content);
    cl_avro_put_long(a, m->sequence_number);
    cl_avro_put_long(a, m->min_sequence_number);
    cl_avro_put_long(a, m->added_snapshot_id);
    cl_avro_put_long(a, m->added_files);
    cl_avro_put_long(a, m->existing_files);
    cl_avro_put_long(a, m->deleted_files);
    cl_avro_put_long(a, m->added_rows);
    cl_avro_put_long(a, m->existing_rows);
    cl_avro_put_long(a, m->deleted_rows);
    put_summaries(a, m);
    put_optional_bytes(a, m->key_metadata);
}

/* Version 2 requires the counts, and a reader skips a manifest whose counts are 0: they must not be
 * guessed. */
static enum cl_code check_counts(const struct cl_manifest_file *m, struct cl_error *err)
{
    const int64_t counts[] = {m->added_files,      m->existing_files, m->deleted_files,
                              m->added_rows,       m->existing_rows,  m->deleted_rows,
                              m->added_snapshot_id};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] == CL_MANIFEST_NULL)
            return cl_fail(err, CL_EUNSUPPORTED,
                           "the table's manifest list has no counts for manifest %s (an old "
                           "version 1 writer): rewrite the "
                           "manifests with Spark's rewrite_manifests first",
                           m->path);
    return CL_OK;
}

static enum cl_code init_avro(struct cl_avro_writer *a, const struct cl_snapshot *s,
                              struct cl_error *err)
{
    char id[24], parent[24], sequence[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)s->id);
    (void)snprintf(sequence, sizeof sequence, "%lld", (long long)s->sequence_number);
    if (s->parent_id < 0)
        (void)snprintf(parent, sizeof parent, "null");
    else
        (void)snprintf(parent, sizeof parent, "%lld", (long long)s->parent_id);
    const struct cl_avro_meta meta[] = {{"snapshot-id", id},
                                        {"parent-snapshot-id", parent},
                                        {"sequence-number", sequence},
                                        {"format-version", "2"}};
    struct cl_buf text;
    cl_buf_init(&text, 65536);
    enum cl_code code = cl_manifest_list_schema_text(&text, err);
    if (code == CL_OK)
        code = cl_avro_writer_init(a, (const char *)text.data, meta, sizeof meta / sizeof *meta,
                                   CL_MANIFEST_MAX_BYTES, err);
    cl_buf_fini(&text);
    return code;
}

enum cl_code cl_manifest_list_write(const struct cl_manifest_list *list,
                                    const struct cl_snapshot *snapshot, struct cl_buf *ret,
                                    struct cl_error *err)
{
    struct cl_avro_writer a = {.failed = CL_OK};
    enum cl_code code = init_avro(&a, snapshot, err);
    for (size_t i = 0; i < list->n && code == CL_OK; i++) {
        code = check_counts(&list->files[i], err);
        if (code != CL_OK) break;
        put_line(&a, &list->files[i]);
        code = cl_avro_writer_end_record(&a, err);
    }
    if (code == CL_OK) code = cl_avro_writer_finish(&a, err);
    if (code == CL_OK) {
        *ret = a.out; /* moved */
        a.out = (struct cl_buf){.data = NULL};
    }
    cl_avro_writer_fini(&a);
    return code;
}
