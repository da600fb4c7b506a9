/* manifest_read.c - reads the entries of a manifest, whoever wrote it.
 *
 * Format: Iceberg spec, "Manifests"; inheritance of ids and sequence numbers: "Sequence Number
 * Inheritance", "Snapshot ID Inheritance".  A version 1 manifest has no sequence numbers: they are
 * 0, which its line in the manifest list says too. */
#include "iceberg/manifest.h"

#include "iceberg/avro_reader.h"

/* Of one entry, metrics included.  A table of 10,000 columns needs about 2 MiB. */
#define ENTRY_MAX_BYTES ((size_t)64 << 20)

struct reading {
    struct cl_manifest_entry entry;
    struct cl_arena arena; /* of this entry */
    int partition_id;
    bool has_file; /* the data_file record was there */
};

static int field_id(const struct cl_avro_field *f)
{
    return f->id >= 0 ? f->id : cl_manifest_field_id(f->name, false);
}

/* ---- maps and lists ---- */

/* Room for one more item.  Grows in the arena by doubling; the old copies go with the arena. */
static enum cl_code reserve_item(struct reading *r, void **items, size_t n, size_t item_bytes,
                                 struct cl_error *err)
{
    if ((n & (n - 1)) != 0) return CL_OK;
    void *grown = cl_arena_array(&r->arena, n == 0 ? 1 : 2 * n, item_bytes);
    if (grown == NULL)
        return cl_fail(err, CL_ELIMIT, "a manifest entry is larger than %zu bytes",
                       ENTRY_MAX_BYTES);
    if (n > 0) memcpy(grown, *items, n * item_bytes);
    *items = grown;
    return CL_OK;
}

static enum cl_code push_long(struct reading *r, struct cl_id_longs *m, struct cl_id_long item,
                              struct cl_error *err)
{
    void *items = m->items;
    enum cl_code code = reserve_item(r, &items, m->n, sizeof item, err);
    if (code != CL_OK) return code;
    m->items = items;
    m->items[m->n++] = item;
    return CL_OK;
}

static enum cl_code push_bound(struct reading *r, struct cl_id_bounds *m, struct cl_id_bytes item,
                               struct cl_error *err)
{
    void *items = m->items;
    enum cl_code code = reserve_item(r, &items, m->n, sizeof item, err);
    if (code != CL_OK) return code;
    m->items = items;
    m->items[m->n++] = item;
    return CL_OK;
}

/* One key-value record of a map; the key comes first in every writer's schema, but the order is not
 * relied on. */
struct pair {
    int64_t key, number;
    struct cl_bytes bytes;
    bool numeric;
};

static enum cl_code pair_field(void *ctx, const struct cl_avro_field *f, struct cl_avro_cursor *c,
                               struct cl_error *err)
{
    struct pair *p = ctx;
    if (strcmp(f->name, "key") == 0) return cl_avro_get_long(c, f->type, NULL, &p->key, err);
    if (strcmp(f->name, "value") != 0) return cl_avro_skip(c, f->type, err);
    if (p->numeric) return cl_avro_get_long(c, f->type, NULL, &p->number, err);
    return cl_avro_get_bytes(c, f->type, NULL, &p->bytes.data, &p->bytes.len, err);
}

static enum cl_code read_pair(struct pair *p, const struct cl_avro_type *type,
                              struct cl_avro_cursor *c, struct cl_error *err)
{
    enum cl_code code = cl_avro_get_record(c, type, NULL, pair_field, p, err);
    if (code == CL_OK && (p->key < INT32_MIN || p->key > INT32_MAX))
        code = cl_fail(err, CL_EDATA, "column id %lld is out of range", (long long)p->key);
    return code;
}

struct filling {
    struct reading *r;
    struct cl_id_longs *longs;
    struct cl_id_bounds *bounds;
};

static enum cl_code long_pair_item(void *ctx, const struct cl_avro_type *type,
                                   struct cl_avro_cursor *c, struct cl_error *err)
{
    struct filling *f = ctx;
    struct pair p = {.numeric = true};
    enum cl_code code = read_pair(&p, type, c, err);
    if (code != CL_OK) return code;
    return push_long(f->r, f->longs, (struct cl_id_long){.id = (int32_t)p.key, .value = p.number},
                     err);
}

static enum cl_code bound_pair_item(void *ctx, const struct cl_avro_type *type,
                                    struct cl_avro_cursor *c, struct cl_error *err)
{
    struct filling *f = ctx;
    struct pair p = {.numeric = false};
    enum cl_code code = read_pair(&p, type, c, err);
    if (code != CL_OK) return code;
    if (p.bytes.data == NULL) return cl_fail(err, CL_EDATA, "a bound has no value");
    return push_bound(f->r, f->bounds, (struct cl_id_bytes){.id = (int32_t)p.key, .value = p.bytes},
                      err);
}

static enum cl_code long_item(void *ctx, const struct cl_avro_type *type, struct cl_avro_cursor *c,
                              struct cl_error *err)
{
    struct filling *f = ctx;
    struct cl_id_long item = {.id = 0};
    enum cl_code code = cl_avro_get_long(c, type, NULL, &item.value, err);
    return code == CL_OK ? push_long(f->r, f->longs, item, err) : code;
}

static enum cl_code get_longs(struct reading *r, const struct cl_avro_field *f,
                              struct cl_avro_cursor *c, cl_avro_item_fn fn, struct cl_id_longs *ret,
                              struct cl_error *err)
{
    struct filling filling = {.r = r, .longs = ret};
    return cl_avro_get_array(c, f->type, &ret->present, fn, &filling, err);
}

static enum cl_code get_bounds(struct reading *r, const struct cl_avro_field *f,
                               struct cl_avro_cursor *c, struct cl_id_bounds *ret,
                               struct cl_error *err)
{
    struct filling filling = {.r = r, .bounds = ret};
    return cl_avro_get_array(c, f->type, &ret->present, bound_pair_item, &filling, err);
}

/* ---- the data file ---- */

static enum cl_code partition_field(void *ctx, const struct cl_avro_field *f,
                                    struct cl_avro_cursor *c, struct cl_error *err)
{
    struct reading *r = ctx;
    if (f->id != r->partition_id || r->partition_id < 0) return cl_avro_skip(c, f->type, err);
    int64_t value = 0;
    enum cl_code code = cl_avro_get_long(c, f->type, &r->entry.has_partition, &value, err);
    if (code == CL_OK && (value < INT32_MIN || value > INT32_MAX))
        code = cl_fail(err, CL_EDATA, "partition value %lld is out of range", (long long)value);
    r->entry.partition_value = (int32_t)value;
    return code;
}

static enum cl_code get_text(const struct cl_avro_field *f, struct cl_avro_cursor *c,
                             struct cl_bytes *ret, struct cl_error *err)
{
    return cl_avro_get_bytes(c, f->type, NULL, &ret->data, &ret->len, err);
}

static enum cl_code get_optional_bytes(const struct cl_avro_field *f, struct cl_avro_cursor *c,
                                       struct cl_bytes *ret, struct cl_error *err)
{
    bool present;
    return cl_avro_get_bytes(c, f->type, &present, &ret->data, &ret->len, err);
}

static enum cl_code get_optional_long(const struct cl_avro_field *f, struct cl_avro_cursor *c,
                                      int64_t *ret, struct cl_error *err)
{
    bool present;
    return cl_avro_get_long(c, f->type, &present, ret, err);
}

static enum cl_code file_field(void *ctx, const struct cl_avro_field *f, struct cl_avro_cursor *c,
                               struct cl_error *err)
{
    struct reading *r = ctx;
    struct cl_manifest_entry *e = &r->entry;
    switch (field_id(f)) {
    case CL_F_CONTENT: return get_optional_long(f, c, &e->content, err);
    case CL_F_FILE_PATH: return get_text(f, c, &e->path, err);
    case CL_F_FILE_FORMAT: return get_text(f, c, &e->format, err);
    case CL_F_PARTITION: return cl_avro_get_record(c, f->type, NULL, partition_field, r, err);
    case CL_F_RECORD_COUNT: return cl_avro_get_long(c, f->type, NULL, &e->rows, err);
    case CL_F_FILE_SIZE: return cl_avro_get_long(c, f->type, NULL, &e->size_bytes, err);
    case CL_F_COLUMN_SIZES: return get_longs(r, f, c, long_pair_item, &e->column_sizes, err);
    case CL_F_VALUE_COUNTS: return get_longs(r, f, c, long_pair_item, &e->value_counts, err);
    case CL_F_NULL_COUNTS: return get_longs(r, f, c, long_pair_item, &e->null_counts, err);
    case CL_F_NAN_COUNTS: return get_longs(r, f, c, long_pair_item, &e->nan_counts, err);
    case CL_F_LOWER_BOUNDS: return get_bounds(r, f, c, &e->lower, err);
    case CL_F_UPPER_BOUNDS: return get_bounds(r, f, c, &e->upper, err);
    case CL_F_KEY_METADATA: return get_optional_bytes(f, c, &e->key_metadata, err);
    case CL_F_SPLIT_OFFSETS: return get_longs(r, f, c, long_item, &e->split_offsets, err);
    case CL_F_EQUALITY_IDS: return get_longs(r, f, c, long_item, &e->equality_ids, err);
    case CL_F_SORT_ORDER_ID: return get_optional_long(f, c, &e->sort_order_id, err);
    case CL_F_REFERENCED_DATA_FILE: return get_optional_bytes(f, c, &e->referenced_data_file, err);
    default: return cl_avro_skip(c, f->type, err);
    }
}

static enum cl_code entry_field(void *ctx, const struct cl_avro_field *f, struct cl_avro_cursor *c,
                                struct cl_error *err)
{
    struct reading *r = ctx;
    struct cl_manifest_entry *e = &r->entry;
    switch (field_id(f)) {
    case CL_F_STATUS: return cl_avro_get_long(c, f->type, NULL, &e->status, err);
    case CL_F_SNAPSHOT_ID: return get_optional_long(f, c, &e->snapshot_id, err);
    case CL_F_SEQUENCE_NUMBER: return get_optional_long(f, c, &e->sequence_number, err);
    case CL_F_FILE_SEQUENCE_NUMBER: return get_optional_long(f, c, &e->file_sequence_number, err);
    case CL_F_DATA_FILE:
        r->has_file = true;
        return cl_avro_get_record(c, f->type, NULL, file_field, r, err);
    default: return cl_avro_skip(c, f->type, err);
    }
}

/* Null ids are those of the manifest.  Only entries added by the manifest's own commit may leave
 * the sequence number out. */
static void inherit(struct cl_manifest_entry *e, const struct cl_manifest_file *from)
{
    if (e->snapshot_id == CL_MANIFEST_NULL) e->snapshot_id = from->added_snapshot_id;
    bool inherits = e->status == CL_ENTRY_ADDED || from->sequence_number == 0;
    if (e->sequence_number == CL_MANIFEST_NULL && inherits)
        e->sequence_number = from->sequence_number;
    if (e->file_sequence_number == CL_MANIFEST_NULL && inherits)
        e->file_sequence_number = from->sequence_number;
}

static enum cl_code check(const struct reading *r, struct cl_error *err)
{
    const struct cl_manifest_entry *e = &r->entry;
    if (!r->has_file || e->path.data == NULL || e->path.len == 0)
        return cl_fail(err, CL_EDATA, "an entry names no file");
    if (memchr(e->path.data, 0, e->path.len) != NULL)
        return cl_fail(err, CL_EDATA, "a file's path holds a zero byte");
    if (e->status < CL_ENTRY_EXISTING || e->status > CL_ENTRY_DELETED)
        return cl_fail(err, CL_EDATA, "entry status %lld is none of 0, 1, 2", (long long)e->status);
    if (e->rows < 0 || e->size_bytes < 0)
        return cl_fail(err, CL_EDATA, "an entry has a negative row count or size");
    if (e->content < CL_CONTENT_DATA || e->content > CL_CONTENT_EQUALITY_DELETES)
        return cl_fail(err, CL_EUNSUPPORTED, "file content %lld is not known",
                       (long long)e->content);
    return CL_OK;
}

static enum cl_code read_entry(struct reading *r, struct cl_avro_reader *avro,
                               const struct cl_manifest_file *from, cl_manifest_entry_fn fn,
                               void *ctx, struct cl_error *err)
{
    r->entry = (struct cl_manifest_entry){
        .status = -1,
        .snapshot_id = CL_MANIFEST_NULL,
        .sequence_number = CL_MANIFEST_NULL,
        .file_sequence_number = CL_MANIFEST_NULL,
        .sort_order_id = CL_MANIFEST_NULL,
        .rows = -1,
    };
    r->has_file = false;
    enum cl_code code = cl_avro_get_record(&avro->record, avro->schema, NULL, entry_field, r, err);
    if (code == CL_OK) code = check(r, err);
    if (code != CL_OK) return code;
    inherit(&r->entry, from);
    return fn(ctx, &r->entry, err);
}

enum cl_code cl_manifest_read(const uint8_t *data, size_t len, const struct cl_manifest_file *from,
                              int partition_id, cl_manifest_entry_fn fn, void *ctx,
                              struct cl_error *err)
{
    struct cl_avro_reader avro;
    struct reading r = {.partition_id = partition_id};
    enum cl_code code = cl_avro_open(&avro, data, len, err);
    if (code != CL_OK) return code;
    cl_arena_init(&r.arena, ENTRY_MAX_BYTES);
    for (;;) {
        bool more = false;
        code = cl_avro_next(&avro, &more, err);
        if (code != CL_OK || !more) break;
        code = read_entry(&r, &avro, from, fn, ctx, err);
        cl_arena_reset(&r.arena);
        if (code != CL_OK) break;
    }
    cl_arena_fini(&r.arena);
    cl_avro_close(&avro);
    return code;
}

enum cl_code cl_manifest_load(struct cl_store *store, const struct cl_manifest_file *from,
                              int partition_id, cl_manifest_entry_fn fn, void *ctx,
                              struct cl_error *err)
{
    const char *path = cl_store_relative(store, from->path);
    if (path == NULL)
        return cl_fail_at(err, CL_EDATA, from->path,
                          "this manifest is not below the lake %s: Iceberg paths are absolute, was "
                          "the lake moved?",
                          store->root_uri);
    struct cl_buf bytes;
    cl_buf_init(&bytes, CL_MANIFEST_MAX_BYTES);
    enum cl_code code = store->ops->read(store, path, &bytes, err);
    if (code == CL_ENOTFOUND)
        code = cl_fail_at(err, CL_EDATA, from->path,
                          "the manifest list names this manifest, but it is missing");
    if (code == CL_OK) {
        code = cl_manifest_read(bytes.data, bytes.len, from, partition_id, fn, ctx, err);
        if (code == CL_EDATA || code == CL_EUNSUPPORTED)
            code = cl_error_wrap(err, code, "manifest %s", from->path);
    }
    cl_buf_fini(&bytes);
    return code;
}
