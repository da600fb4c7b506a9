/* manifest_write.c - writes manifests: entries in the order of manifest_schema.c, with the counts
 * and the partition summary that the manifest list wants.
 *
 * Format: Iceberg spec, "Manifests", version 2. */
#include "iceberg/manifest.h"

#include <stdio.h>

static enum cl_code init_avro(struct cl_manifest_writer *w, const char *schema, const char *spec,
                              struct cl_error *err)
{
    struct cl_buf text;
    char spec_id[24];
    (void)snprintf(spec_id, sizeof spec_id, "%lld", (long long)w->file.spec_id);
    const struct cl_avro_meta meta[] = {
        {"schema", schema},      {"partition-spec", spec}, {"partition-spec-id", spec_id},
        {"format-version", "2"}, {"content", "data"},
    };
    cl_buf_init(&text, 65536);
    enum cl_code code = cl_manifest_schema_text(&w->partition, &text, err);
    if (code == CL_OK)
        code = cl_avro_writer_init(&w->avro, (const char *)text.data, meta,
                                   sizeof meta / sizeof *meta, CL_MANIFEST_MAX_BYTES, err);
    cl_buf_fini(&text);
    return code;
}

enum cl_code cl_manifest_writer_init(struct cl_manifest_writer *w,
                                     const struct cl_partition_field *partition, int64_t spec_id,
                                     const char *schema, const char *spec, struct cl_error *err)
{
    *w = (struct cl_manifest_writer){
        .partition = *partition,
        .file = {.spec_id = spec_id,
                 .content = CL_MANIFEST_DATA,
                 .min_sequence_number = CL_MANIFEST_NULL},
    };
    return init_avro(w, schema, spec, err);
}

void cl_manifest_writer_fini(struct cl_manifest_writer *w)
{
    cl_avro_writer_fini(&w->avro);
}

/* ---- values ---- */

static void put_optional_long(struct cl_avro_writer *a, int64_t v)
{
    cl_avro_put_present(a, v != CL_MANIFEST_NULL);
    if (v != CL_MANIFEST_NULL) cl_avro_put_long(a, v);
}

static void put_optional_bytes(struct cl_avro_writer *a, struct cl_bytes b)
{
    cl_avro_put_present(a, b.data != NULL);
    if (b.data != NULL) cl_avro_put_bytes(a, b.data, b.len);
}

static void put_longs(struct cl_avro_writer *a, const struct cl_id_longs *m, bool with_ids)
{
    cl_avro_put_present(a, m->present);
    if (!m->present) return;
    cl_avro_put_array(a, m->n);
    for (size_t i = 0; i < m->n; i++) {
        if (with_ids) cl_avro_put_long(a, m->items[i].id);
        cl_avro_put_long(a, m->items[i].value);
    }
    cl_avro_put_array_end(a, m->n);
}

static void put_bounds(struct cl_avro_writer *a, const struct cl_id_bounds *m)
{
    cl_avro_put_present(a, m->present);
    if (!m->present) return;
    cl_avro_put_array(a, m->n);
    for (size_t i = 0; i < m->n; i++) {
        cl_avro_put_long(a, m->items[i].id);
        cl_avro_put_bytes(a, m->items[i].value.data, m->items[i].value.len);
    }
    cl_avro_put_array_end(a, m->n);
}

static void put_data_file(struct cl_manifest_writer *w, const struct cl_manifest_entry *e)
{
    struct cl_avro_writer *a = &w->avro;
    cl_avro_put_long(a, e->content);
    cl_avro_put_bytes(a, e->path.data, e->path.len);
    cl_avro_put_bytes(a, e->format.data, e->format.len);
    if (w->partition.transform != CL_PARTITION_NONE)
        put_optional_long(a, e->has_partition ? e->partition_value : CL_MANIFEST_NULL);
    cl_avro_put_long(a, e->rows);
    cl_avro_put_long(a, e->size_bytes);
    put_longs(a, &e->column_sizes, true);
    put_longs(a, &e->value_counts, true);
    put_longs(a, &e->null_counts, true);
    put_longs(a, &e->nan_counts, true);
    put_bounds(a, &e->lower);
    put_bounds(a, &e->upper);
    put_optional_bytes(a, e->key_metadata);
    put_longs(a, &e->split_offsets, false);
    put_longs(a, &e->equality_ids, false);
    put_optional_long(a, e->sort_order_id);
    put_optional_bytes(a, e->referenced_data_file);
}

/* ---- counts and summary ---- */

static void count_entry(struct cl_manifest_writer *w, const struct cl_manifest_entry *e)
{
    struct cl_manifest_file *f = &w->file;
    switch (e->status) {
    case CL_ENTRY_ADDED:
        f->added_files++;
        f->added_rows += e->rows;
        break;
    case CL_ENTRY_EXISTING:
        f->existing_files++;
        f->existing_rows += e->rows;
        break;
    default:
        f->deleted_files++;
        f->deleted_rows += e->rows;
        return;
    }
    /* A null sequence number is that of the commit: larger than any explicit one, so it never is
     * the minimum here. */
    if (e->sequence_number != CL_MANIFEST_NULL &&
        (f->min_sequence_number == CL_MANIFEST_NULL || e->sequence_number < f->min_sequence_number))
        f->min_sequence_number = e->sequence_number;
}

static void summarize_entry(struct cl_manifest_writer *w, const struct cl_manifest_entry *e)
{
    if (!e->has_partition) {
        w->summary.contains_null = true;
        return;
    }
    if (!w->any_partition || e->partition_value < w->min_partition)
        w->min_partition = e->partition_value;
    if (!w->any_partition || e->partition_value > w->max_partition)
        w->max_partition = e->partition_value;
    w->any_partition = true;
}

enum cl_code cl_manifest_writer_add(struct cl_manifest_writer *w, const struct cl_manifest_entry *e,
                                    struct cl_error *err)
{
    cl_avro_put_long(&w->avro, e->status);
    put_optional_long(&w->avro, e->snapshot_id);
    put_optional_long(&w->avro, e->sequence_number);
    put_optional_long(&w->avro, e->file_sequence_number);
    put_data_file(w, e);
    count_entry(w, e);
    summarize_entry(w, e);
    return cl_avro_writer_end_record(&w->avro, err);
}

/* Iceberg's single-value form of int and date: 4 bytes, little-endian. */
static struct cl_bytes int_bound(int32_t value, uint8_t out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)((uint32_t)value >> (8 * i));
    return (struct cl_bytes){.data = out, .len = 4};
}

enum cl_code cl_manifest_writer_finish(struct cl_manifest_writer *w, struct cl_error *err)
{
    enum cl_code code = cl_avro_writer_finish(&w->avro, err);
    if (code != CL_OK) return code;
    w->file.length = (int64_t)w->avro.out.len;
    w->file.has_partitions = true;
    if (w->partition.transform == CL_PARTITION_NONE) return CL_OK;
    w->summary.has_nan = true;
    if (w->any_partition) {
        w->summary.lower = int_bound(w->min_partition, w->lower);
        w->summary.upper = int_bound(w->max_partition, w->upper);
    }
    w->file.partitions = &w->summary;
    w->file.n_partitions = 1;
    return CL_OK;
}
