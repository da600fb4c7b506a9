/* data_file.h - what a finished Parquet file says of itself: the input of an Iceberg manifest entry
 * (spec: "Data files"). */
#ifndef CITYLAKE_PARQUET_DATA_FILE_H
#define CITYLAKE_PARQUET_DATA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Iceberg single-value serialization (Appendix D): little-endian numbers, UTF-8, unscaled
 * big-endian decimals. Strings and binaries are cut to 16 characters/bytes; an upper bound is then
 * rounded up, or absent when it can't be. */
struct cl_bound {
    bool present;
    uint8_t len;
    uint8_t bytes[64];
};

struct cl_column_metrics {
    int field_id;
    int64_t size_bytes;  /* compressed, pages with headers */
    int64_t value_count; /* nulls included */
    int64_t null_count;
    int64_t nan_count; /* float and double */
    struct cl_bound lower, upper;
};

struct cl_data_file {
    char *path; /* relative to the store, owned */
    int64_t size_bytes;
    int64_t rows;
    bool has_partition; /* partition_value: days, hours or months since 1970 of the table's only
                           partition field; false = null or none */
    int32_t partition_value;
    struct cl_column_metrics *columns; /* owned */
    size_t n_columns;
    int64_t *split_offsets; /* owned: file offset of each row group */
    size_t n_splits;
};

void cl_data_file_fini(struct cl_data_file *f); /* frees what f owns; not f */

#endif
