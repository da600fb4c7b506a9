/* avro_reader.c - the container: header, blocks, codecs.  Values are decoded in avro_value.c.
 *
 * Format: Apache Avro specification 1.11, "Object Container Files".  Codecs: null, deflate
 * (iceberg-java's and PyIceberg's default), zstandard. */
#include "iceberg/avro_reader.h"

#include "iceberg/avro_value.h"

#include <zlib.h>
#include <zstd.h>

enum { CODEC_NULL, CODEC_DEFLATE, CODEC_ZSTANDARD };

#define SCHEMA_MAX_BYTES ((size_t)64 << 20)

/* Walks the metadata map; finds one key, or with key NULL only moves past the map. */
static enum cl_code walk_meta(struct cl_avro_cursor *c, const char *key, const char **ret,
                              size_t *ret_len, struct cl_error *err)
{
    int64_t count, bytes;
    for (;;) {
        enum cl_code code = cl_avro_read_long(c, &count, err);
        if (code == CL_OK && count < 0) {
            if (count == INT64_MIN)
                return cl_fail(err, CL_EDATA, "Avro file's metadata has a bad count");
            count = -count;
            code = cl_avro_read_long(c, &bytes, err);
        }
        if (code != CL_OK) return code;
        if (count == 0) return CL_OK;
        for (; count > 0; count--) {
            const uint8_t *k, *v;
            size_t klen, vlen;
            code = cl_avro_read_bytes(c, &k, &klen, err);
            if (code == CL_OK) code = cl_avro_read_bytes(c, &v, &vlen, err);
            if (code != CL_OK) return code;
            if (key == NULL || strlen(key) != klen || memcmp(key, k, klen) != 0) continue;
            *ret = (const char *)v;
            *ret_len = vlen;
        }
    }
}

bool cl_avro_file_meta(const struct cl_avro_reader *r, const char *key, const char **ret,
                       size_t *ret_len)
{
    struct cl_avro_cursor c = {.p = r->meta, .end = r->file.end};
    *ret = NULL;
    return walk_meta(&c, key, ret, ret_len, NULL) == CL_OK && *ret != NULL;
}

static enum cl_code choose_codec(struct cl_avro_reader *r, struct cl_error *err)
{
    static const char *const names[] = {"null", "deflate", "zstandard"};
    const char *name;
    size_t len;
    r->codec = CODEC_NULL;
    if (!cl_avro_file_meta(r, "avro.codec", &name, &len)) return CL_OK;
    for (int i = 0; i < 3; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            r->codec = i;
            return CL_OK;
        }
    return cl_fail(err, CL_EUNSUPPORTED,
                   "Avro codec \"%.*s\" is not read (null, deflate and zstandard are)",
                   len > 32 ? 32 : (int)len, name);
}

enum cl_code cl_avro_open(struct cl_avro_reader *r, const uint8_t *data, size_t len,
                          struct cl_error *err)
{
    *r = (struct cl_avro_reader){.file = {.p = data, .end = data + len}};
    if (len < 4 || memcmp(data, "Obj\1", 4) != 0)
        return cl_fail(err, CL_EDATA, "not an Avro file: it does not begin with Obj1");
    cl_buf_init(&r->unpacked, CL_AVRO_MAX_BLOCK_BYTES);
    cl_arena_init(&r->arena, SCHEMA_MAX_BYTES);
    r->file.p += 4;
    r->meta = r->file.p;
    enum cl_code code = walk_meta(&r->file, NULL, NULL, NULL, err);
    if (code == CL_OK && r->file.end - r->file.p < 16)
        code = cl_fail(err, CL_EDATA, "Avro file ends inside its header");
    if (code != CL_OK) return code;
    r->sync = r->file.p;
    r->file.p += 16;
    const char *schema;
    size_t schema_len;
    code = choose_codec(r, err);
    if (code == CL_OK && !cl_avro_file_meta(r, "avro.schema", &schema, &schema_len))
        code = cl_fail(err, CL_EDATA, "Avro file has no schema");
    if (code == CL_OK) code = cl_avro_schema_parse(schema, schema_len, &r->arena, &r->schema, err);
    if (code != CL_OK) cl_avro_close(r);
    return code;
}

void cl_avro_close(struct cl_avro_reader *r)
{
    cl_buf_fini(&r->unpacked);
    cl_arena_fini(&r->arena);
}

/* ---- blocks ---- */

static enum cl_code inflate_block(struct cl_avro_reader *r, const uint8_t *data, size_t len,
                                  struct cl_error *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    if (len > UINT32_MAX) return cl_fail(err, CL_EDATA, "Avro block is larger than 4 GiB");
    if (inflateInit2(&z, -15) != Z_OK) return cl_fail_nomem(err);
    enum cl_code code = CL_OK;
    int result = Z_OK;
    while (code == CL_OK && result != Z_STREAM_END) {
        code = cl_buf_reserve(&r->unpacked, 16384, err);
        if (code != CL_OK) break;
        size_t room = r->unpacked.cap - r->unpacked.len;
        z.next_out = r->unpacked.data + r->unpacked.len;
        z.avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
        uInt before = z.avail_out;
        result = inflate(&z, Z_NO_FLUSH);
        r->unpacked.len += before - z.avail_out;
        if (result == Z_MEM_ERROR)
            code = cl_fail_nomem(err);
        else if (result != Z_OK && result != Z_STREAM_END)
            code = cl_fail(err, CL_EDATA, "Avro block is not valid deflate data");
    }
    (void)inflateEnd(&z);
    return code;
}

static enum cl_code zstd_block(struct cl_avro_reader *r, const uint8_t *data, size_t len,
                               struct cl_error *err)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    if (z == NULL) return cl_fail_nomem(err);
    ZSTD_inBuffer in = {.src = data, .size = len};
    enum cl_code code = CL_OK;
    size_t result = 1;
    while (code == CL_OK && result != 0) {
        code = cl_buf_reserve(&r->unpacked, 16384, err);
        if (code != CL_OK) break;
        ZSTD_outBuffer out = {.dst = r->unpacked.data + r->unpacked.len,
                              .size = r->unpacked.cap - r->unpacked.len};
        result = ZSTD_decompressStream(z, &out, &in);
        r->unpacked.len += out.pos;
        if (ZSTD_isError(result) || (result != 0 && in.pos == in.size && out.pos < out.size))
            code = cl_fail(err, CL_EDATA, "Avro block is not valid zstandard data");
    }
    ZSTD_freeDStream(z);
    return code;
}

static enum cl_code unpack(struct cl_avro_reader *r, const uint8_t *data, size_t len,
                           struct cl_error *err)
{
    cl_buf_reset(&r->unpacked);
    if (r->codec == CODEC_NULL) {
        r->record = (struct cl_avro_cursor){.p = data, .end = data + len};
        return CL_OK;
    }
    enum cl_code code = r->codec == CODEC_DEFLATE ? inflate_block(r, data, len, err)
                                                  : zstd_block(r, data, len, err);
    r->record =
        (struct cl_avro_cursor){.p = r->unpacked.data, .end = r->unpacked.data + r->unpacked.len};
    return code;
}

static enum cl_code next_block(struct cl_avro_reader *r, struct cl_error *err)
{
    const uint8_t *data;
    size_t len;
    enum cl_code code = cl_avro_read_long(&r->file, &r->left_in_block, err);
    if (code == CL_OK) code = cl_avro_read_bytes(&r->file, &data, &len, err);
    if (code != CL_OK) return code;
    if (r->left_in_block < 0)
        return cl_fail(err, CL_EDATA, "Avro block has a negative record count");
    if (r->file.end - r->file.p < 16 || memcmp(r->file.p, r->sync, 16) != 0)
        return cl_fail(err, CL_EDATA, "Avro block does not end with the file's sync marker");
    r->file.p += 16;
    return unpack(r, data, len, err);
}

enum cl_code cl_avro_next(struct cl_avro_reader *r, bool *ret_more, struct cl_error *err)
{
    if (r->left_in_block > 0) {
        /* Records without bytes would let a tiny file name 2^63 of them. */
        if (r->record.p == r->record_start) return cl_fail(err, CL_EDATA, "Avro record is empty");
        r->left_in_block--;
    }
    while (r->left_in_block == 0) {
        if (r->record.p != r->record.end)
            return cl_fail(err, CL_EDATA, "Avro block has bytes after its last record");
        if (r->file.p == r->file.end) {
            *ret_more = false;
            return CL_OK;
        }
        enum cl_code code = next_block(r, err);
        if (code != CL_OK) return code;
    }
    r->record_start = r->record.p;
    r->record.depth = 0;
    r->record.empty_records = 0;
    *ret_more = true;
    return CL_OK;
}
