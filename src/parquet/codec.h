/* codec.h - compresses one page at a time, with one reused context and one reused output buffer.
 *
 * zstd has a second way, `entropy`, for columns of random text such as ids: it hardly looks for
 * repetitions, which are not there, and still packs the few letters that occur into few bits.  On
 * UUIDs it takes half the time of level 1 for 7 % more bytes.  The caller tries both on a first
 * page (column.h). */
#ifndef CITYLAKE_PARQUET_CODEC_H
#define CITYLAKE_PARQUET_CODEC_H

#include "parquet/parquet_writer.h"

struct ZSTD_CCtx_s;

struct cl_codec {
    enum cl_compression compression;
    struct ZSTD_CCtx_s *zstd;    /* NULL unless CL_COMPRESS_ZSTD */
    struct ZSTD_CCtx_s *entropy; /* made when first asked for */
    int level;
    struct cl_buf out;
};

/* CL_EINVAL: a zstd level that zstd does not know.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_codec_init(struct cl_codec *c, enum cl_compression compression,
                                        int level, struct cl_error *err);
void cl_codec_fini(struct cl_codec *c);
size_t cl_codec_memory_bytes(const struct cl_codec *c);

/* Does the entropy way exist and may it pay?  Only for zstd's fast levels (1 to 3): a higher level
 * is asked for by people who want the bytes. */
bool cl_codec_has_entropy(struct cl_codec *c);

/* *ret_data points into the codec (or is `data`, without compression) and holds until the next
 * call.  entropy: only after cl_codec_has_entropy said yes. */
CL_MUSTCHECK enum cl_code cl_codec_compress(struct cl_codec *c, bool entropy, const uint8_t *data,
                                            size_t len, const uint8_t **ret_data, size_t *ret_len,
                                            struct cl_error *err);

#endif
