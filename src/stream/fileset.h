/* fileset.h - the Parquet files that one lane writes for one table between two commits.
 *
 * Rows are routed to one open file per partition value (a day, say).  A file ends when it reaches
 * the target size, when too many are open (the one not written for longest), when the lane's memory
 * is short (the largest), or at finish.
 *
 *   new -> { write* -> finish (take the files) }* -> free;   one thread.
 *
 * Files that were not taken by finish are removed from the store by free: nobody refers to them. */
#ifndef CITYLAKE_STREAM_FILESET_H
#define CITYLAKE_STREAM_FILESET_H

#include "parquet/parquet_writer.h"
#include "spec/spec.h"

struct cl_fileset;

struct cl_fileset_options {
    struct cl_parquet_options parquet;
    int64_t target_file_bytes;
    enum cl_transform transform; /* of partition_column, an index into the schema */
    int partition_column;
    const char *partition_name; /* timestamp_day */
    const char *folder;         /* relative to the store: city/vehicle/data */
    const char *prefix;         /* first part of file names, unique to this lane of this run */
};

/* Complete files of one table; the array and its members are owned by whoever holds it.  Their
 * bytes are written but not yet durable: that takes the disk long, so the lane leaves it to the
 * committer (settle). */
struct cl_file_list {
    struct cl_data_file *files;
    struct cl_outfile **outs; /* beside files; NULL: settled */
    size_t n;
};
/* Frees the list and leaves the settled files in the store; those that are not settled are thrown
 * away. */
void cl_file_list_fini(struct cl_file_list *list);
/* Moves all of src to the end of dst; src becomes empty. */
CL_MUSTCHECK enum cl_code cl_file_list_move(struct cl_file_list *dst, struct cl_file_list *src,
                                            struct cl_error *err);
/* Makes every file durable and visible.  After a failure the list is good for discard only. */
CL_MUSTCHECK enum cl_code cl_file_list_settle(struct cl_file_list *list, struct cl_error *err);
/* Deletes the files from the store (best effort) and empties the list. */
void cl_file_list_discard(struct cl_file_list *list, struct cl_store *store);

/* schema, store and the strings of options are borrowed. */
CL_MUSTCHECK enum cl_code cl_fileset_new(const struct cl_schema *schema, struct cl_store *store,
                                         const struct cl_fileset_options *options,
                                         struct cl_fileset **ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_fileset_write(struct cl_fileset *f, const struct cl_batch *batch,
                                           struct cl_error *err);

int64_t cl_fileset_memory_bytes(const struct cl_fileset *f);
/* Ends the open file that holds most memory. */
CL_MUSTCHECK enum cl_code cl_fileset_shed(struct cl_fileset *f, struct cl_error *err);

/* Ends every open file and adds all complete ones to *list.  On failure the list is unchanged and
 * the set is good for free only. */
CL_MUSTCHECK enum cl_code cl_fileset_finish(struct cl_fileset *f, struct cl_file_list *list,
                                            struct cl_error *err);
void cl_fileset_free(struct cl_fileset *f); /* NULL allowed */

/* The partition value of a timestamp: days, hours or months since 1970, as Iceberg's transforms
 * have them (floor). */
int32_t cl_transform_value(enum cl_transform transform, int64_t timestamp_us);

#endif
