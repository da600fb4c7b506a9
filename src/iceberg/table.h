/* table.h - Apache Iceberg v2 table metadata: read it, build the next version, plan a scan.
 *
 * Format: Iceberg table spec, version 2.  Metadata is immutable here: cl_metadata_append makes a
 * new one from a base; a catalog (catalog/catalog.h) decides which becomes current. */
#ifndef CITYLAKE_ICEBERG_TABLE_H
#define CITYLAKE_ICEBERG_TABLE_H

#include "base/arena.h"
#include "parquet/data_file.h"
#include "record/schema.h"
#include "spec/spec.h"
#include "store/store.h"

struct cl_property {
    const char *key, *value;
};

struct cl_snapshot {
    int64_t id;
    int64_t parent_id; /* -1: none */
    int64_t sequence_number;
    int64_t timestamp_ms;
    const char *manifest_list; /* URI */
    int schema_id;
    struct cl_property *summary; /* "operation" among them */
    size_t n_summary;
};

/* A table has at most one partition field here: a time transform of one column. */
struct cl_partition_field {
    enum cl_transform transform; /* CL_PARTITION_NONE: unpartitioned */
    int source_id;               /* field id of the column */
    int field_id;                /* 1000 */
    const char *name;            /* timestamp_day */
};

struct cl_metadata {
    const char *uuid;
    const char *location; /* URI of the table's folder */
    int64_t last_sequence_number;
    int64_t last_updated_ms;
    struct cl_schema schema; /* the current one */
    int schema_id;
    struct cl_partition_field partition; /* the default spec */
    struct cl_property *properties;
    size_t n_properties;
    struct cl_snapshot *snapshots; /* oldest first */
    size_t n_snapshots;
    int64_t current_snapshot_id; /* head of branch main, -1: none */
    void *json; /* the whole parsed document (jansson), so that what we do not know is kept */
    struct cl_arena arena;
};

/* A new, empty table.  location: URI.  schema's ids are kept.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_metadata_create(const char *location, const struct cl_schema *schema,
                                             enum cl_transform transform, int partition_column,
                                             const struct cl_property *properties,
                                             size_t n_properties, struct cl_metadata **ret,
                                             struct cl_error *err);

/* Parses and checks metadata JSON (untrusted bytes; fuzzed).  `name` names it in messages.
 * CL_EDATA, CL_EUNSUPPORTED (format version 3, unknown type or transform: named). */
CL_MUSTCHECK enum cl_code cl_metadata_parse(const char *name, const uint8_t *json, size_t len,
                                            struct cl_metadata **ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_metadata_serialize(const struct cl_metadata *m, struct cl_buf *ret,
                                                struct cl_error *err);
void cl_metadata_free(struct cl_metadata *m);

const struct cl_snapshot *cl_metadata_current(const struct cl_metadata *m); /* or NULL */
const struct cl_snapshot *cl_metadata_snapshot(const struct cl_metadata *m,
                                               int64_t id); /* or NULL */
/* The snapshot that was current at that time (snapshot-log), or NULL. */
const struct cl_snapshot *cl_metadata_as_of(const struct cl_metadata *m, int64_t timestamp_ms);
const char *cl_snapshot_summary(const struct cl_snapshot *s, const char *key); /* or NULL */

/* Writes a manifest of `files` (n may be 0: no manifest) and a manifest list into the store, and
 * builds the metadata with that snapshot as head of main.  The base's small manifests are merged
 * when they are many (as Iceberg's commit.manifest.min-count-to-merge, 100).  summary: ours; the
 * counters of Iceberg (added-records, total-records...) and operation=append are added.  A tag,
 * when not NULL, is set to the new snapshot.  The paths of what was written are added to *written
 * (caller frees each and the array), on failure too, so that a lost race can be cleaned up. */
struct cl_written {
    char **paths; /* relative to the store */
    size_t n;
};
void cl_written_fini(struct cl_written *w);
CL_MUSTCHECK enum cl_code cl_metadata_append(const struct cl_metadata *base, struct cl_store *store,
                                             const struct cl_data_file *files, size_t n_files,
                                             const struct cl_property *summary, size_t n_summary,
                                             const char *tag, struct cl_metadata **ret,
                                             struct cl_written *written, struct cl_error *err);

/* A live data file of a snapshot. */
struct cl_scan_file {
    const char *path; /* URI as written in the manifest */
    int64_t rows, size_bytes;
    int64_t added_snapshot_id;
    bool has_partition;
    int32_t partition_value;
    bool has_deletes; /* a row-level delete file may apply: readers that can't apply deletes must
                         refuse */
};
struct cl_scan {
    struct cl_scan_file *files;
    size_t n;
    int64_t rows;
    struct cl_arena arena;
};
/* Reads the manifest list and manifests of the snapshot (untrusted bytes; fuzzed).  CL_EDATA names
 * the file. */
CL_MUSTCHECK enum cl_code cl_scan_plan(const struct cl_metadata *m,
                                       const struct cl_snapshot *snapshot, struct cl_store *store,
                                       struct cl_scan *ret, struct cl_error *err);
void cl_scan_fini(struct cl_scan *scan);

#endif
