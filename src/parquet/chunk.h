/* chunk.h - what the footer says of one column chunk (one column of one row group) that is written.
 */
#ifndef CITYLAKE_PARQUET_CHUNK_H
#define CITYLAKE_PARQUET_CHUNK_H

#include "parquet/parquet_writer.h"
#include "parquet/stats.h"

/* enum Type of parquet.thrift */
enum cl_pq_type {
    CL_PQ_BOOLEAN = 0,
    CL_PQ_INT32 = 1,
    CL_PQ_INT64 = 2,
    CL_PQ_FLOAT = 4,
    CL_PQ_DOUBLE = 5,
    CL_PQ_BYTE_ARRAY = 6,
    CL_PQ_FIXED = 7,
};

/* enum Encoding */
enum { CL_PQ_PLAIN = 0, CL_PQ_RLE = 3, CL_PQ_RLE_DICTIONARY = 8 };

/* enum PageType */
enum { CL_PQ_DATA_PAGE = 0, CL_PQ_DICTIONARY_PAGE = 2 };

/* Bytes of a value in the file, 0 for booleans (bits) and byte arrays. */
struct cl_pq_layout {
    enum cl_pq_type type;
    int width;
};
struct cl_pq_layout cl_pq_layout(const struct cl_field *field);

struct cl_pq_chunk {
    enum cl_compression compression;
    int64_t values; /* nulls included */
    int64_t nulls;
    int64_t compressed_bytes; /* page headers included, as in uncompressed_bytes */
    int64_t uncompressed_bytes;
    int64_t file_offset; /* of the dictionary page, or of the first data page where there is none */
    int64_t dictionary_bytes; /* 0: no dictionary page */
    int32_t dictionary_pages; /* data pages that use the dictionary */
    int32_t plain_pages;
    struct cl_stats_value min, max;
    /* Places of the encoded page indexes, in the buffers that are written before the footer; length
     * 0: none. */
    int64_t column_index_at, column_index_bytes;
    int64_t offset_index_at, offset_index_bytes;
};

struct cl_pq_row_group {
    int64_t rows;
    struct cl_pq_chunk *chunks; /* one for each column, owned */
};

#endif
