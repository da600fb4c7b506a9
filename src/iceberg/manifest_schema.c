/* manifest_schema.c - the Avro schemas of manifests and manifest lists, from one table of their
 * fields.
 *
 * Source: Iceberg spec, "Manifests" and "Manifest lists" (version 2 columns), and Appendix A
 * "Avro": maps whose keys are not strings are arrays of records k<id>_v<id> with logicalType "map";
 * ids are attributes "field-id" and "element-id". */
#include "iceberg/manifest.h"

#include <ctype.h>

enum kind {
    INT,
    LONG,
    BOOLEAN,
    STRING,
    BYTES,
    MAP_LONG,
    MAP_BYTES,
    LIST_LONG,
    LIST_INT,
    PARTITION,
    SUMMARIES,
    DATA_FILE
};

struct row {
    int id;
    const char *name;
    enum kind kind;
    bool optional;
    int key_id, value_id; /* of maps; value_id of lists */
};

/* The order here is the order in which manifest_write.c puts the values. */
static const struct row entry_rows[] = {
    {CL_F_STATUS, "status", INT, false, 0, 0},
    {CL_F_SNAPSHOT_ID, "snapshot_id", LONG, true, 0, 0},
    {CL_F_SEQUENCE_NUMBER, "sequence_number", LONG, true, 0, 0},
    {CL_F_FILE_SEQUENCE_NUMBER, "file_sequence_number", LONG, true, 0, 0},
    {CL_F_DATA_FILE, "data_file", DATA_FILE, false, 0, 0},
};

static const struct row file_rows[] = {
    {CL_F_CONTENT, "content", INT, false, 0, 0},
    {CL_F_FILE_PATH, "file_path", STRING, false, 0, 0},
    {CL_F_FILE_FORMAT, "file_format", STRING, false, 0, 0},
    {CL_F_PARTITION, "partition", PARTITION, false, 0, 0},
    {CL_F_RECORD_COUNT, "record_count", LONG, false, 0, 0},
    {CL_F_FILE_SIZE, "file_size_in_bytes", LONG, false, 0, 0},
    {CL_F_COLUMN_SIZES, "column_sizes", MAP_LONG, true, 117, 118},
    {CL_F_VALUE_COUNTS, "value_counts", MAP_LONG, true, 119, 120},
    {CL_F_NULL_COUNTS, "null_value_counts", MAP_LONG, true, 121, 122},
    {CL_F_NAN_COUNTS, "nan_value_counts", MAP_LONG, true, 138, 139},
    {CL_F_LOWER_BOUNDS, "lower_bounds", MAP_BYTES, true, 126, 127},
    {CL_F_UPPER_BOUNDS, "upper_bounds", MAP_BYTES, true, 129, 130},
    {CL_F_KEY_METADATA, "key_metadata", BYTES, true, 0, 0},
    {CL_F_SPLIT_OFFSETS, "split_offsets", LIST_LONG, true, 0, 133},
    {CL_F_EQUALITY_IDS, "equality_ids", LIST_INT, true, 0, 136},
    {CL_F_SORT_ORDER_ID, "sort_order_id", INT, true, 0, 0},
    {CL_F_REFERENCED_DATA_FILE, "referenced_data_file", STRING, true, 0, 0},
};

/* The order here is the order in which manifest_list.c puts the values. */
static const struct row list_rows[] = {
    {CL_F_MANIFEST_PATH, "manifest_path", STRING, false, 0, 0},
    {CL_F_MANIFEST_LENGTH, "manifest_length", LONG, false, 0, 0},
    {CL_F_SPEC_ID, "partition_spec_id", INT, false, 0, 0},
    {CL_F_MANIFEST_CONTENT, "content", INT, false, 0, 0},
    {CL_F_MANIFEST_SEQUENCE, "sequence_number", LONG, false, 0, 0},
    {CL_F_MIN_SEQUENCE, "min_sequence_number", LONG, false, 0, 0},
    {CL_F_ADDED_SNAPSHOT_ID, "added_snapshot_id", LONG, false, 0, 0},
    {CL_F_ADDED_FILES, "added_files_count", INT, false, 0, 0},
    {CL_F_EXISTING_FILES, "existing_files_count", INT, false, 0, 0},
    {CL_F_DELETED_FILES, "deleted_files_count", INT, false, 0, 0},
    {CL_F_ADDED_ROWS, "added_rows_count", LONG, false, 0, 0},
    {CL_F_EXISTING_ROWS, "existing_rows_count", LONG, false, 0, 0},
    {CL_F_DELETED_ROWS, "deleted_rows_count", LONG, false, 0, 0},
    {CL_F_PARTITIONS, "partitions", SUMMARIES, true, 0, 508},
    {CL_F_LIST_KEY_METADATA, "key_metadata", BYTES, true, 0, 0},
};

static const struct row summary_rows[] = {
    {CL_F_CONTAINS_NULL, "contains_null", BOOLEAN, false, 0, 0},
    {CL_F_CONTAINS_NAN, "contains_nan", BOOLEAN, true, 0, 0},
    {CL_F_SUMMARY_LOWER, "lower_bound", BYTES, true, 0, 0},
    {CL_F_SUMMARY_UPPER, "upper_bound", BYTES, true, 0, 0},
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static int find(const struct row *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0) return rows[i].id;
    return -1;
}

int cl_manifest_field_id(const char *name, bool in_list)
{
    /* Version 1 manifest lists of old writers call the counts so. */
    if (in_list && strncmp(name, "added_data_files_count", 23) == 0) return CL_F_ADDED_FILES;
    if (in_list && strncmp(name, "existing_data_files_count", 26) == 0) return CL_F_EXISTING_FILES;
    if (in_list && strncmp(name, "deleted_data_files_count", 25) == 0) return CL_F_DELETED_FILES;
    int id = in_list ? find(list_rows, COUNT(list_rows), name)
                     : find(entry_rows, COUNT(entry_rows), name);
    if (id < 0)
        id = in_list ? find(summary_rows, COUNT(summary_rows), name)
                     : find(file_rows, COUNT(file_rows), name);
    return id;
}

static enum cl_code put_rows(const struct row *rows, size_t n,
                             const struct cl_partition_field *partition, struct cl_buf *b,
                             struct cl_error *err);

/* Avro names are [A-Za-z_][A-Za-z0-9_]*; other bytes become _xHH.  Readers go by the field id. */
static enum cl_code put_avro_name(const char *name, struct cl_buf *b, struct cl_error *err)
{
    enum cl_code code = CL_OK;
    if (isdigit((unsigned char)*name)) code = cl_buf_append_byte(b, '_', err);
    for (; *name != '\0' && code == CL_OK; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x80 && (isalnum(c) || c == '_'))
            code = cl_buf_append_byte(b, c, err);
        else
            code = cl_buf_printf(b, err, "_x%02X", c);
    }
    return code;
}

/* The result type of day is date, of hour and month int (Iceberg spec, "Partition Transforms").
 * Always optional. */
static enum cl_code put_partition(const struct cl_partition_field *partition, struct cl_buf *b,
                                  struct cl_error *err)
{
    if (partition->transform == CL_PARTITION_NONE)
        return cl_buf_append_str(b, "{\"type\":\"record\",\"name\":\"r102\",\"fields\":[]}", err);
    enum cl_code code = cl_buf_append_str(
        b, "{\"type\":\"record\",\"name\":\"r102\",\"fields\":[{\"name\":\"", err);
    if (code == CL_OK) code = put_avro_name(partition->name, b, err);
    if (code != CL_OK) return code;
    return cl_buf_printf(b, err, "\",\"type\":[\"null\",%s],\"default\":null,\"field-id\":%d}]}",
                         partition->transform == CL_PARTITION_DAY
                             ? "{\"type\":\"int\",\"logicalType\":\"date\"}"
                             : "\"int\"",
                         partition->field_id);
}

static enum cl_code put_type(const struct row *r, const struct cl_partition_field *partition,
                             struct cl_buf *b, struct cl_error *err)
{
    static const char *const simple[] = {"\"int\"", "\"long\"", "\"boolean\"", "\"string\"",
                                         "\"bytes\""};
    enum cl_code code;
    switch (r->kind) {
    case MAP_LONG:
    case MAP_BYTES:
        return cl_buf_printf(
            b, err,
            "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"k%d_v%d\",\"fields\":["
            "{\"name\":\"key\",\"type\":\"int\",\"field-id\":%d},"
            "{\"name\":\"value\",\"type\":\"%s\",\"field-id\":%d}]},\"logicalType\":\"map\"}",
            r->key_id, r->value_id, r->key_id, r->kind == MAP_LONG ? "long" : "bytes", r->value_id);
    case LIST_LONG:
    case LIST_INT:
        return cl_buf_printf(b, err, "{\"type\":\"array\",\"items\":\"%s\",\"element-id\":%d}",
                             r->kind == LIST_LONG ? "long" : "int", r->value_id);
    case PARTITION: return put_partition(partition, b, err);
    case DATA_FILE:
        code = cl_buf_append_str(b, "{\"type\":\"record\",\"name\":\"r2\",\"fields\":[", err);
        if (code == CL_OK) code = put_rows(file_rows, COUNT(file_rows), partition, b, err);
        return code == CL_OK ? cl_buf_append_str(b, "]}", err) : code;
    case SUMMARIES:
        code = cl_buf_append_str(
            b, "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r508\",\"fields\":[",
            err);
        if (code == CL_OK) code = put_rows(summary_rows, COUNT(summary_rows), partition, b, err);
        return code == CL_OK ? cl_buf_printf(b, err, "]},\"element-id\":%d}", r->value_id) : code;
    default: return cl_buf_append_str(b, simple[r->kind], err);
    }
}

static enum cl_code put_rows(const struct row *rows, size_t n,
                             const struct cl_partition_field *partition, struct cl_buf *b,
                             struct cl_error *err)
{
    enum cl_code code = CL_OK;
    for (size_t i = 0; i < n && code == CL_OK; i++) {
        const struct row *r = &rows[i];
        code = cl_buf_printf(b, err, "%s{\"name\":\"%s\",\"type\":%s", i > 0 ? "," : "", r->name,
                             r->optional ? "[\"null\"," : "");
        if (code == CL_OK) code = put_type(r, partition, b, err);
        if (code == CL_OK)
            code = cl_buf_printf(b, err, "%s,\"field-id\":%d}",
                                 r->optional ? "],\"default\":null" : "", r->id);
    }
    return code;
}

static enum cl_code put_record(const char *name, const struct row *rows, size_t n,
                               const struct cl_partition_field *partition, struct cl_buf *b,
                               struct cl_error *err)
{
    enum cl_code code =
        cl_buf_printf(b, err, "{\"type\":\"record\",\"name\":\"%s\",\"fields\":[", name);
    if (code == CL_OK) code = put_rows(rows, n, partition, b, err);
    if (code == CL_OK) code = cl_buf_append(b, "]}", 3, err); /* with the terminating zero */
    return code;
}

enum cl_code cl_manifest_schema_text(const struct cl_partition_field *partition, struct cl_buf *ret,
                                     struct cl_error *err)
{
    return put_record("manifest_entry", entry_rows, COUNT(entry_rows), partition, ret, err);
}

enum cl_code cl_manifest_list_schema_text(struct cl_buf *ret, struct cl_error *err)
{
    return put_record("manifest_file", list_rows, COUNT(list_rows), NULL, ret, err);
}
