/* manifest.h - manifests (which data files) and manifest lists (which manifests), read and written.
 *
 * Format: Iceberg table spec, "Manifests" and "Snapshots", version 2; version 1 files are read too,
 * since an upgraded table keeps them.  Both are Avro files whose columns are found by their field
 * ids. */
#ifndef CITYLAKE_ICEBERG_MANIFEST_H
#define CITYLAKE_ICEBERG_MANIFEST_H

#include "iceberg/avro_writer.h"
#include "iceberg/table.h"

/* The largest manifest or manifest list that is read or written.  Iceberg's writers aim at 8 MiB.
 */
#define CL_MANIFEST_MAX_BYTES ((size_t)256 << 20)

#define CL_MANIFEST_NULL INT64_MIN /* an optional number that is not there */

/* Field ids (Iceberg spec, "Manifests", "Data file fields", "Manifest lists").  The name is what
 * the spec calls them. */
enum cl_manifest_field {
    CL_F_STATUS = 0,
    CL_F_SNAPSHOT_ID = 1,
    CL_F_DATA_FILE = 2,
    CL_F_SEQUENCE_NUMBER = 3,
    CL_F_FILE_SEQUENCE_NUMBER = 4,

    CL_F_FILE_PATH = 100,
    CL_F_FILE_FORMAT = 101,
    CL_F_PARTITION = 102,
    CL_F_RECORD_COUNT = 103,
    CL_F_FILE_SIZE = 104,
    CL_F_COLUMN_SIZES = 108,
    CL_F_VALUE_COUNTS = 109,
    CL_F_NULL_COUNTS = 110,
    CL_F_LOWER_BOUNDS = 125,
    CL_F_UPPER_BOUNDS = 128,
    CL_F_KEY_METADATA = 131,
    CL_F_SPLIT_OFFSETS = 132,
    CL_F_CONTENT = 134,
    CL_F_EQUALITY_IDS = 135,
    CL_F_NAN_COUNTS = 137,
    CL_F_SORT_ORDER_ID = 140,
    CL_F_REFERENCED_DATA_FILE = 143,

    CL_F_MANIFEST_PATH = 500,
    CL_F_MANIFEST_LENGTH = 501,
    CL_F_SPEC_ID = 502,
    CL_F_ADDED_SNAPSHOT_ID = 503,
    CL_F_ADDED_FILES = 504,
    CL_F_EXISTING_FILES = 505,
    CL_F_DELETED_FILES = 506,
    CL_F_PARTITIONS = 507,
    CL_F_CONTAINS_NULL = 509,
    CL_F_SUMMARY_LOWER = 510,
    CL_F_SUMMARY_UPPER = 511,
    CL_F_ADDED_ROWS = 512,
    CL_F_EXISTING_ROWS = 513,
    CL_F_DELETED_ROWS = 514,
    CL_F_MANIFEST_SEQUENCE = 515,
    CL_F_MIN_SEQUENCE = 516,
    CL_F_MANIFEST_CONTENT = 517,
    CL_F_CONTAINS_NAN = 518,
    CL_F_LIST_KEY_METADATA = 519,
};

enum cl_entry_status { CL_ENTRY_EXISTING = 0, CL_ENTRY_ADDED = 1, CL_ENTRY_DELETED = 2 };
enum { CL_CONTENT_DATA = 0, CL_CONTENT_POSITION_DELETES = 1, CL_CONTENT_EQUALITY_DELETES = 2 };
enum { CL_MANIFEST_DATA = 0, CL_MANIFEST_DELETES = 1 };

struct cl_bytes {
    const uint8_t *data; /* NULL: absent */
    size_t len;
};

/* Column id -> count, and column id -> bound, as the manifests have them. */
struct cl_id_long {
    int32_t id;
    int64_t value;
};
struct cl_id_longs {
    struct cl_id_long *items;
    size_t n;
    bool present;
};
struct cl_id_bytes {
    int32_t id;
    struct cl_bytes value;
};
struct cl_id_bounds {
    struct cl_id_bytes *items;
    size_t n;
    bool present;
};

/* A manifest entry with its data file: everything version 2 knows, so that merging loses nothing.
 */
struct cl_manifest_entry {
    int64_t status;
    int64_t snapshot_id, sequence_number,
        file_sequence_number; /* CL_MANIFEST_NULL: inherited from the manifest */
    int64_t content;
    struct cl_bytes path, format;
    bool has_partition; /* the value of the table's only partition field */
    int32_t partition_value;
    int64_t rows, size_bytes;
    struct cl_id_longs column_sizes, value_counts, null_counts, nan_counts;
    struct cl_id_bounds lower, upper;
    struct cl_bytes key_metadata;
    struct cl_id_longs split_offsets, equality_ids; /* .id unused */
    int64_t sort_order_id;                          /* CL_MANIFEST_NULL: absent */
    struct cl_bytes referenced_data_file;
};

/* Lowest and highest value of one partition field over a manifest. */
struct cl_partition_summary {
    bool contains_null;
    bool has_nan, contains_nan;
    struct cl_bytes lower, upper;
};

/* One line of a manifest list. */
struct cl_manifest_file {
    const char *path; /* URI */
    int64_t length, spec_id, content;
    int64_t sequence_number, min_sequence_number, added_snapshot_id;
    int64_t added_files, existing_files, deleted_files; /* CL_MANIFEST_NULL: unknown (version 1) */
    int64_t added_rows, existing_rows, deleted_rows;
    struct cl_partition_summary *partitions;
    size_t n_partitions;
    bool has_partitions;
    struct cl_bytes key_metadata;
};

struct cl_manifest_list {
    struct cl_manifest_file *files;
    size_t n;
};

/* ---- schemas (manifest_schema.c) ---- */

/* Avro schema of a manifest for the table's partition field, and of a manifest list, as JSON text.
 */
CL_MUSTCHECK enum cl_code cl_manifest_schema_text(const struct cl_partition_field *partition,
                                                  struct cl_buf *ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_manifest_list_schema_text(struct cl_buf *ret, struct cl_error *err);
/* The id of a field by its name, for files whose schema has no field-id; -1: unknown. */
int cl_manifest_field_id(const char *name, bool in_list);

/* ---- manifests ---- */

/* Builds one manifest of the default partition spec.  Order: init -> add* -> finish -> fini. */
struct cl_manifest_writer {
    struct cl_avro_writer avro;
    struct cl_partition_field partition;
    struct cl_manifest_file file; /* counts, sequence numbers and partition summary so far */
    struct cl_partition_summary summary;
    int32_t min_partition, max_partition;
    bool any_partition;
    uint8_t lower[4], upper[4]; /* what summary points to */
};

/* schema, spec: JSON texts for the file's metadata.  spec_id: of the default partition spec.  The
 * writer must not move in memory after finish: file.partitions points into it. */
CL_MUSTCHECK enum cl_code cl_manifest_writer_init(struct cl_manifest_writer *w,
                                                  const struct cl_partition_field *partition,
                                                  int64_t spec_id, const char *schema,
                                                  const char *spec, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_manifest_writer_add(struct cl_manifest_writer *w,
                                                 const struct cl_manifest_entry *e,
                                                 struct cl_error *err);
/* w->avro.out is the file then; w->file lacks only path, added_snapshot_id and sequence_number. */
CL_MUSTCHECK enum cl_code cl_manifest_writer_finish(struct cl_manifest_writer *w,
                                                    struct cl_error *err);
void cl_manifest_writer_fini(struct cl_manifest_writer *w);

/* Called for every entry, deleted ones too.  The entry's memory is gone after the call. */
typedef enum cl_code (*cl_manifest_entry_fn)(void *ctx, const struct cl_manifest_entry *e,
                                             struct cl_error *err);

/* Reads a manifest (untrusted bytes).  from: its line in the manifest list, whose values null ids
 * and sequence numbers inherit. partition_id: field id of the partition field to read, -1: none.
 * CL_EDATA. */
CL_MUSTCHECK enum cl_code cl_manifest_read(const uint8_t *data, size_t len,
                                           const struct cl_manifest_file *from, int partition_id,
                                           cl_manifest_entry_fn fn, void *ctx,
                                           struct cl_error *err);

/* Loads the manifest of that line from the store and reads it.  Messages name the file. */
CL_MUSTCHECK enum cl_code cl_manifest_load(struct cl_store *store,
                                           const struct cl_manifest_file *from, int partition_id,
                                           cl_manifest_entry_fn fn, void *ctx,
                                           struct cl_error *err);

/* ---- manifest lists ---- */

/* ret's memory is in the arena. */
CL_MUSTCHECK enum cl_code cl_manifest_list_read(const uint8_t *data, size_t len,
                                                struct cl_arena *arena,
                                                struct cl_manifest_list *ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_manifest_list_load(struct cl_store *store, const char *uri,
                                                struct cl_arena *arena,
                                                struct cl_manifest_list *ret, struct cl_error *err);
/* *ret (uninitialised; caller finis it) becomes the file's bytes. */
CL_MUSTCHECK enum cl_code cl_manifest_list_write(const struct cl_manifest_list *list,
                                                 const struct cl_snapshot *snapshot,
                                                 struct cl_buf *ret, struct cl_error *err);

#endif
