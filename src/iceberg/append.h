/* append.h - what the steps of an append share: the snapshot being made and the files written for
 * it.
 *
 * append.c writes the new manifest and the manifest list, merge.c rewrites many small manifests as
 * few, totals.c counts for the snapshot summary, append_json.c makes the next metadata document. */
#ifndef CITYLAKE_ICEBERG_APPEND_H
#define CITYLAKE_ICEBERG_APPEND_H

#include "iceberg/ids.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

struct cl_append {
    const struct cl_metadata *base;
    struct cl_store *store; /* borrowed */
    struct cl_snapshot snapshot;
    int64_t spec_id;
    const char *folder; /* of the table's metadata, relative to the store */
    const char *schema_text, *spec_text;
    char uuid[CL_UUID_TEXT]; /* in the names of the files of this append */
    int n_manifests;
    struct cl_written *written;
    struct cl_arena arena;
};

/* Sums of a snapshot, in the order of Iceberg's summary keys. */
struct cl_totals {
    int64_t data_files, records, files_size, delete_files, position_deletes, equality_deletes;
};

/* Stores bytes as folder/name and notes the path.  *ret_uri is in the arena. */
CL_MUSTCHECK enum cl_code cl_append_store(struct cl_append *a, const char *name,
                                          const struct cl_buf *bytes, const char **ret_uri,
                                          struct cl_error *err);
/* Finishes a manifest, stores it and fills *ret, its line in the manifest list. */
CL_MUSTCHECK enum cl_code cl_append_store_manifest(struct cl_append *a,
                                                   struct cl_manifest_writer *w,
                                                   struct cl_manifest_file *ret,
                                                   struct cl_error *err);

/* Replaces the small data manifests of the default spec when they are many.  list's array is
 * replaced by one in the arena. */
CL_MUSTCHECK enum cl_code cl_append_merge(struct cl_append *a, struct cl_manifest_list *list,
                                          struct cl_error *err);

/* The totals of the base's current snapshot: from its summary, or counted when the summary has
 * none. */
CL_MUSTCHECK enum cl_code cl_append_base_totals(struct cl_append *a,
                                                const struct cl_manifest_list *base_list,
                                                struct cl_totals *ret, struct cl_error *err);

/* The snapshot summary as JSON text members. */
CL_MUSTCHECK enum cl_code cl_append_summary(const struct cl_data_file *files, size_t n_files,
                                            bool partitioned, const struct cl_totals *base,
                                            const struct cl_property *ours, size_t n_ours,
                                            json_t **ret, struct cl_error *err);

/* The next document: snapshot added, main and the tag moved.  Takes summary. */
CL_MUSTCHECK enum cl_code cl_append_document(const struct cl_append *a, json_t *summary,
                                             const char *tag, json_t **ret, struct cl_error *err);

#endif
