/* iceberg_driver.c - lets a test in another language use the store, table and catalog of citylake.
 *
 *   iceberg_driver append LAKE NAMESPACE TABLE    a JSON request on stdin: makes the table when it
 * is missing and appends iceberg_driver plan LAKE NAMESPACE TABLE      prints metadata, snapshots
 * and the files of each snapshot as JSON iceberg_driver plan-file LAKE METADATA-FILE   the same for
 * a metadata file of any writer below LAKE
 *
 * Request: {"fields": [{"id", "name", "type", "required"}], "transform": "day"|...,
 * "partition_column": index, "properties": {}, "summary": {}, "tag": text, "files": [{"path",
 * "size", "rows", "partition", "splits": [], "columns": [{"id", "size", "values", "nulls", "nans",
 * "lower": hex, "upper": hex}]}]} */
#include "catalog/catalog.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void check(enum cl_code code, const struct cl_error *err)
{
    char text[2048];
    if (code == CL_OK) return;
    fprintf(stderr, "%s: %s\n", cl_code_name(code), cl_error_text(err, text, sizeof text));
    exit(1);
}

static enum cl_type type_named(const char *name)
{
    static const char *const names[] = {"boolean", "int",  "long",      "float",  "double",
                                        "decimal", "date", "timestamp", "string", "binary"};
    for (int i = 0; i < 10; i++)
        if (strcmp(names[i], name) == 0) return (enum cl_type)i;
    fprintf(stderr, "unknown type %s\n", name);
    exit(2);
}

static enum cl_transform transform_named(const char *name)
{
    if (name == NULL) return CL_PARTITION_NONE;
    if (strcmp(name, "day") == 0) return CL_PARTITION_DAY;
    return strcmp(name, "hour") == 0 ? CL_PARTITION_HOUR : CL_PARTITION_MONTH;
}

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static struct cl_bound bound_from_hex(const json_t *hex)
{
    struct cl_bound b = {.present = json_is_string(hex)};
    const char *text = json_string_value(hex);
    for (; text != NULL && sscanf(text, "%2hhx", &b.bytes[b.len]) == 1; text += 2)
        b.len++;
    return b;
}

static struct cl_data_file file_from_json(const json_t *j)
{
    const json_t *columns = json_object_get(j, "columns"), *splits = json_object_get(j, "splits");
    const json_t *partition = json_object_get(j, "partition");
    struct cl_data_file f = {
        .path = strdup(json_string_value(json_object_get(j, "path"))),
        .size_bytes = number(j, "size"),
        .rows = number(j, "rows"),
        .has_partition = json_is_integer(partition),
        .partition_value = (int32_t)json_integer_value(partition),
        .n_columns = json_array_size(columns),
        .n_splits = json_array_size(splits),
    };
    f.columns = calloc(f.n_columns + 1, sizeof *f.columns);
    f.split_offsets = calloc(f.n_splits + 1, sizeof *f.split_offsets);
    for (size_t i = 0; i < f.n_columns; i++) {
        const json_t *c = json_array_get(columns, i);
        f.columns[i] = (struct cl_column_metrics){
            .field_id = (int)number(c, "id"),
            .size_bytes = number(c, "size"),
            .value_count = number(c, "values"),
            .null_count = number(c, "nulls"),
            .nan_count = number(c, "nans"),
            .lower = bound_from_hex(json_object_get(c, "lower")),
            .upper = bound_from_hex(json_object_get(c, "upper")),
        };
    }
    for (size_t i = 0; i < f.n_splits; i++)
        f.split_offsets[i] = json_integer_value(json_array_get(splits, i));
    return f;
}

static size_t properties_from_json(const json_t *object, struct cl_property *out)
{
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) out[n++] =
        (struct cl_property){.key = key, .value = json_string_value(value)};
    return n;
}

static void create(struct cl_catalog *c, const char *table, const json_t *request)
{
    struct cl_error err;
    const json_t *fields = json_object_get(request, "fields");
    struct cl_property properties[64];
    struct cl_schema schema = {.n = json_array_size(fields)};
    schema.fields = calloc(schema.n + 1, sizeof *schema.fields);
    for (size_t i = 0; i < schema.n; i++) {
        const json_t *f = json_array_get(fields, i);
        schema.fields[i] = (struct cl_field){
            .id = (int)number(f, "id"),
            .name = json_string_value(json_object_get(f, "name")),
            .type = type_named(json_string_value(json_object_get(f, "type"))),
            .precision = (int)number(f, "precision"),
            .scale = (int)number(f, "scale"),
            .required = json_is_true(json_object_get(f, "required")),
        };
    }
    char *location;
    struct cl_metadata *m;
    size_t n = properties_from_json(json_object_get(request, "properties"), properties);
    check(c->ops->location(c, table, &location, &err), &err);
    check(cl_metadata_create(
              location, &schema,
              transform_named(json_string_value(json_object_get(request, "transform"))),
              (int)number(request, "partition_column"), properties, n, &m, &err),
          &err);
    check(c->ops->create(c, table, m, &err), &err);
    cl_metadata_free(m);
    free(location);
    free(schema.fields);
}

static void append(struct cl_catalog *c, const char *table, const json_t *request)
{
    struct cl_error err;
    struct cl_table *t = NULL;
    struct cl_property summary[64];
    const json_t *files = json_object_get(request, "files");
    size_t n = json_array_size(files),
           n_summary = properties_from_json(json_object_get(request, "summary"), summary);
    enum cl_code code = c->ops->load(c, table, &t, &err);
    if (code == CL_ENOTFOUND) {
        create(c, table, request);
        code = c->ops->load(c, table, &t, &err);
    }
    check(code, &err);
    struct cl_data_file *data = calloc(n + 1, sizeof *data);
    for (size_t i = 0; i < n; i++)
        data[i] = file_from_json(json_array_get(files, i));
    struct cl_metadata *next;
    struct cl_written written = {.n = 0};
    check(cl_metadata_append(t->metadata, c->store, data, n, summary, n_summary,
                             json_string_value(json_object_get(request, "tag")), &next, &written,
                             &err),
          &err);
    check(c->ops->commit(c, t, next, &err), &err);
    printf("%lld\n", (long long)next->current_snapshot_id);
    for (size_t i = 0; i < n; i++) {
        free(data[i].path);
        free(data[i].columns);
        free(data[i].split_offsets);
    }
    free(data);
    cl_written_fini(&written);
    cl_metadata_free(next);
    cl_table_free(t);
}

static json_t *scan_to_json(const struct cl_metadata *m, const struct cl_snapshot *s,
                            struct cl_store *store)
{
    struct cl_error err;
    struct cl_scan scan;
    json_t *files = json_array();
    check(cl_scan_plan(m, s, store, &scan, &err), &err);
    for (size_t i = 0; i < scan.n; i++) {
        const struct cl_scan_file *f = &scan.files[i];
        json_t *j = json_pack("{s:s, s:I, s:I, s:I, s:b}", "path", f->path, "rows",
                              (json_int_t)f->rows, "size", (json_int_t)f->size_bytes, "added",
                              (json_int_t)f->added_snapshot_id, "deletes", f->has_deletes);
        json_object_set_new(j, "partition",
                            f->has_partition ? json_integer(f->partition_value) : json_null());
        json_array_append_new(files, j);
    }
    cl_scan_fini(&scan);
    return files;
}

static void print_plan(const struct cl_metadata *m, struct cl_store *store)
{
    json_t *snapshots = json_array(), *columns = json_array();
    for (size_t i = 0; i < m->n_snapshots; i++) {
        const struct cl_snapshot *s = &m->snapshots[i];
        json_array_append_new(snapshots, json_pack("{s:I, s:I, s:I, s:o}", "id", (json_int_t)s->id,
                                                   "sequence", (json_int_t)s->sequence_number,
                                                   "timestamp_ms", (json_int_t)s->timestamp_ms,
                                                   "files", scan_to_json(m, s, store)));
    }
    for (size_t i = 0; i < m->schema.n; i++)
        json_array_append_new(columns, json_string(m->schema.fields[i].name));
    json_t *out =
        json_pack("{s:s, s:I, s:o, s:o}", "uuid", m->uuid, "current",
                  (json_int_t)m->current_snapshot_id, "columns", columns, "snapshots", snapshots);
    json_dumpf(out, stdout, JSON_INDENT(1));
    json_decref(out);
}

static void plan_file(struct cl_store *store, const char *path)
{
    struct cl_error err;
    struct cl_buf bytes;
    struct cl_metadata *m;
    cl_buf_init(&bytes, (size_t)1 << 30);
    check(store->ops->read(store, path, &bytes, &err), &err);
    check(cl_metadata_parse(path, bytes.data, bytes.len, &m, &err), &err);
    print_plan(m, store);
    cl_metadata_free(m);
    cl_buf_fini(&bytes);
}

int main(int argc, char **argv)
{
    struct cl_error err;
    struct cl_store *store;
    struct cl_catalog *catalog;
    if (argc < 4) {
        fprintf(stderr, "usage: iceberg_driver append|plan LAKE NAMESPACE TABLE | plan-file LAKE "
                        "METADATA-FILE\n");
        return 2;
    }
    check(cl_local_store_new(argv[2], &store, &err), &err);
    if (strcmp(argv[1], "plan-file") == 0) {
        plan_file(store, argv[3]);
    } else if (argc == 5) {
        check(cl_local_catalog_new(store, argv[3], &catalog, &err), &err);
        if (strcmp(argv[1], "append") == 0) {
            json_t *request = json_loadf(stdin, 0, NULL);
            append(catalog, argv[4], request);
            json_decref(request);
        } else {
            struct cl_table *t;
            check(catalog->ops->load(catalog, argv[4], &t, &err), &err);
            print_plan(t->metadata, store);
            cl_table_free(t);
        }
        catalog->ops->free(catalog);
    }
    store->ops->free(store);
    return 0;
}
