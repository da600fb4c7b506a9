#include "parquet/codec.h"

#include <snappy-c.h>
#include <zstd.h>
#include <zstd_errors.h>

/* A page is an int32 of bytes at most; incompressible ones grow by a sixth (snappy). */
static const size_t MAX_COMPRESSED_BYTES = (size_t)INT32_MAX + INT32_MAX / 6 + 1024;

enum cl_code cl_codec_init(struct cl_codec *c, enum cl_compression compression, int level,
                           struct cl_error *err)
{
    *c = (struct cl_codec){.compression = compression, .level = level};
    cl_buf_init(&c->out, MAX_COMPRESSED_BYTES);
    if (compression != CL_COMPRESS_ZSTD) return CL_OK;
    if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel())
        return cl_fail(err, CL_EINVAL, "zstd has no level %d, only %d to %d", level,
                       ZSTD_minCLevel(), ZSTD_maxCLevel());
    c->zstd = ZSTD_createCCtx();
    if (c->zstd == NULL) return cl_fail_nomem(err);
    size_t rc = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level);
    if (ZSTD_isError(rc))
        return cl_fail(err, CL_EINVAL, "zstd level %d: %s", level, ZSTD_getErrorName(rc));
    return CL_OK;
}

void cl_codec_fini(struct cl_codec *c)
{
    cl_buf_fini(&c->out);
    (void)ZSTD_freeCCtx(c->zstd);
    (void)ZSTD_freeCCtx(c->entropy);
    c->zstd = c->entropy = NULL;
}

size_t cl_codec_memory_bytes(const struct cl_codec *c)
{
    return c->out.cap + ZSTD_sizeof_CCtx(c->zstd) + ZSTD_sizeof_CCtx(c->entropy);
}

/* A negative level takes long steps between looks for a repetition; it would also leave letters as
 * they are, which the literal compression mode forbids.  That parameter stands in zstd.h's section
 * for static linking, but libzstd has known its number since 1.5.0 and refuses what it does not
 * know: then there is no entropy way. */
enum { ENTROPY_LEVEL = -20, LITERAL_COMPRESSION_MODE = ZSTD_c_experimentalParam5, ALWAYS = 1 };

bool cl_codec_has_entropy(struct cl_codec *c)
{
    if (c->compression != CL_COMPRESS_ZSTD || c->level < 1 || c->level > 3) return false;
    if (c->entropy != NULL) return true;
    ZSTD_CCtx *made = ZSTD_createCCtx();
    if (made == NULL) return false;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(made, ZSTD_c_compressionLevel, ENTROPY_LEVEL)) ||
        ZSTD_isError(
            ZSTD_CCtx_setParameter(made, (ZSTD_cParameter)LITERAL_COMPRESSION_MODE, ALWAYS))) {
        (void)ZSTD_freeCCtx(made);
        return false;
    }
    c->entropy = made;
    return true;
}

static enum cl_code compress_zstd(struct cl_codec *c, bool entropy, const uint8_t *data, size_t len,
                                  struct cl_error *err)
{
    enum cl_code code = cl_buf_reserve(&c->out, ZSTD_compressBound(len), err);
    if (code != CL_OK) return code;
    size_t got = ZSTD_compress2(entropy ? c->entropy : c->zstd, c->out.data, c->out.cap, data, len);
    if (ZSTD_isError(got)) {
        if (ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation) return cl_fail_nomem(err);
        return cl_fail(err, CL_EDATA, "zstd cannot compress a page of %zu bytes: %s", len,
                       ZSTD_getErrorName(got));
    }
    c->out.len = got;
    return CL_OK;
}

static enum cl_code compress_snappy(struct cl_codec *c, const uint8_t *data, size_t len,
                                    struct cl_error *err)
{
    enum cl_code code = cl_buf_reserve(&c->out, snappy_max_compressed_length(len), err);
    if (code != CL_OK) return code;
    size_t got = c->out.cap;
    if (snappy_compress((const char *)data, len, (char *)c->out.data, &got) != SNAPPY_OK)
        return cl_fail(err, CL_EDATA, "snappy cannot compress a page of %zu bytes", len);
    c->out.len = got;
    return CL_OK;
}

enum cl_code cl_codec_compress(struct cl_codec *c, bool entropy, const uint8_t *data, size_t len,
                               const uint8_t **ret_data, size_t *ret_len, struct cl_error *err)
{
    if (c->compression == CL_COMPRESS_NONE) {
        *ret_data = data;
        *ret_len = len;
        return CL_OK;
    }
    cl_buf_reset(&c->out);
    enum cl_code code = c->compression == CL_COMPRESS_ZSTD
                            ? compress_zstd(c, entropy, data, len, err)
                            : compress_snappy(c, data, len, err);
    if (code != CL_OK) return code;
    *ret_data = c->out.data;
    *ret_len = c->out.len;
    return CL_OK;
}
