/* footer.h - the end of a Parquet file: page indexes, FileMetaData, its length, "PAR1".
 * Source: parquet.thrift of Apache Parquet, field numbers as there. */
#ifndef CITYLAKE_PARQUET_FOOTER_H
#define CITYLAKE_PARQUET_FOOTER_H

#include "parquet/chunk.h"

#define CL_PQ_MAGIC "PAR1"
enum { CL_PQ_MAGIC_BYTES = 4 };

struct cl_pq_footer {
    const struct cl_schema *schema;
    int64_t rows;
    const struct cl_pq_row_group *groups;
    size_t n_groups;
    int64_t column_indexes_offset; /* file offsets of the two buffers of page indexes */
    int64_t offset_indexes_offset;
};

/* Appends FileMetaData, its length and the magic to buf. */
CL_MUSTCHECK enum cl_code cl_pq_footer_put(const struct cl_pq_footer *f, struct cl_buf *buf,
                                           struct cl_error *err);

#endif
