/* parquet_writer.h - batches in, one Parquet file out.
 *
 * Order: new -> write* -> close -> free.  One thread at a time.  Pages are encoded and compressed
 * as rows come, and kept in memory until their row group is full: memory is about
 * options.row_group_bytes plus one uncompressed page a column.
 *
 * Written: PLAIN and RLE_DICTIONARY, zstd or snappy or none, v1 data pages, field ids, statistics,
 * page index (ColumnIndex and OffsetIndex).  Format: parquet.thrift of Apache Parquet 2.x. */
#ifndef CITYLAKE_PARQUET_PARQUET_WRITER_H
#define CITYLAKE_PARQUET_PARQUET_WRITER_H

#include "parquet/data_file.h"
#include "record/batch.h"
#include "store/store.h"

enum cl_compression { CL_COMPRESS_NONE, CL_COMPRESS_ZSTD, CL_COMPRESS_SNAPPY };

struct cl_parquet_options {
    enum cl_compression compression;
    int level;               /* zstd */
    int64_t row_group_bytes; /* encoded bytes after which a row group ends */
    int32_t page_rows;       /* 0 = default */
    bool dictionary; /* try dictionaries; columns where they do not pay fall back by themselves */
};

struct cl_parquet_writer;

/* schema and store are borrowed; path is copied.  Creates the file in the store.  CL_EIO,
 * CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_parquet_writer_new(const struct cl_schema *schema,
                                                const struct cl_parquet_options *options,
                                                struct cl_store *store, const char *path,
                                                struct cl_parquet_writer **ret,
                                                struct cl_error *err);

/* Appends every row of batch (borrowed, of the same schema).  May block on the store.
 * CL_EIO: err->retriable says whether a retry of the whole file helps.  CL_EDATA: a null in a
 * required column, or a decimal with more digits than its type.  After any failure the writer is
 * only good for free. */
CL_MUSTCHECK enum cl_code cl_parquet_writer_write(struct cl_parquet_writer *w,
                                                  const struct cl_batch *batch,
                                                  struct cl_error *err);

int64_t cl_parquet_writer_rows(const struct cl_parquet_writer *w);
/* Written, plus encoded and waiting. */
int64_t cl_parquet_writer_file_bytes(const struct cl_parquet_writer *w);
/* Held now. */
int64_t cl_parquet_writer_memory_bytes(const struct cl_parquet_writer *w);

/* Ends the file and makes it visible and durable.  Fills *ret (caller: cl_data_file_fini) but the
 * partition. */
CL_MUSTCHECK enum cl_code cl_parquet_writer_close(struct cl_parquet_writer *w,
                                                  struct cl_data_file *ret, struct cl_error *err);

/* As close, but the file is handed over complete and not yet finished: making it durable takes
 * long, and another thread can do it.  *ret_out is the caller's, to be given to the store's finish
 * or abort; the writer may be freed before. */
CL_MUSTCHECK enum cl_code cl_parquet_writer_seal(struct cl_parquet_writer *w,
                                                 struct cl_data_file *ret,
                                                 struct cl_outfile **ret_out, struct cl_error *err);

/* Frees; a file that was not closed is thrown away.  NULL allowed. */
void cl_parquet_writer_free(struct cl_parquet_writer *w);

#endif
