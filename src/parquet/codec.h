/* codec.h - compresses one page at a time, with one reused context and one reused output buffer. */
#ifndef CITYLAKE_PARQUET_CODEC_H
#define CITYLAKE_PARQUET_CODEC_H

#include "parquet/parquet_writer.h"

struct ZSTD_CCtx_s;

struct cl_codec {
    enum cl_compression compression;
    struct ZSTD_CCtx_s *zstd; /* NULL unless CL_COMPRESS_ZSTD */
    struct cl_buf out;
};

/* CL_EINVAL: a zstd level that zstd does not know.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_codec_init(struct cl_codec *c, enum cl_compression compression,
                                        int level, struct cl_error *err);
void cl_codec_fini(struct cl_codec *c);
size_t cl_codec_memory_bytes(const struct cl_codec *c);

/* *ret_data points into the codec (or is `data`, without compression) and holds until the next
 * call. */
CL_MUSTCHECK enum cl_code cl_codec_compress(struct cl_codec *c, const uint8_t *data, size_t len,
                                            const uint8_t **ret_data, size_t *ret_len,
                                            struct cl_error *err);

#endif
