/* avro_writer.c - see avro_writer.h.
 *
 * File: "Obj" 1, metadata (a map of bytes), 16 random bytes (sync), then blocks: record count, byte
 * count, packed records, sync.  Numbers are zigzag varints. */
#include "iceberg/avro_writer.h"

#include "iceberg/ids.h"

#include <zlib.h>

/* A reader skips or splits at block ends; 64 KiB keeps deflate's window useful and the memory
 * small. */
enum { BLOCK_BYTES = 64 * 1024 };

static void append(struct cl_avro_writer *w, struct cl_buf *to, const void *data, size_t len)
{
    if (w->failed == CL_OK) w->failed = cl_buf_append(to, data, len, &w->error);
}

static void append_long(struct cl_avro_writer *w, struct cl_buf *to, int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    uint8_t bytes[10];
    size_t n = 0;
    while (z >= 0x80) {
        bytes[n++] = (uint8_t)(z | 0x80);
        z >>= 7;
    }
    bytes[n++] = (uint8_t)z;
    append(w, to, bytes, n);
}

static void append_bytes(struct cl_avro_writer *w, struct cl_buf *to, const void *data, size_t len)
{
    append_long(w, to, (int64_t)len);
    append(w, to, data, len);
}

static enum cl_code report(struct cl_avro_writer *w, struct cl_error *err)
{
    if (w->failed != CL_OK && err != NULL) *err = w->error;
    return w->failed;
}

enum cl_code cl_avro_writer_init(struct cl_avro_writer *w, const char *schema,
                                 const struct cl_avro_meta *meta, size_t n_meta, size_t max_bytes,
                                 struct cl_error *err)
{
    *w = (struct cl_avro_writer){.failed = CL_OK};
    cl_buf_init(&w->out, max_bytes);
    cl_buf_init(&w->block, max_bytes);
    cl_buf_init(&w->packed, max_bytes);
    w->failed = cl_random_bytes(w->sync, sizeof w->sync, &w->error);
    append(w, &w->out, "Obj\1", 4);
    append_long(w, &w->out, (int64_t)n_meta + 2);
    for (size_t i = 0; i < n_meta; i++) {
        append_bytes(w, &w->out, meta[i].key, strlen(meta[i].key));
        append_bytes(w, &w->out, meta[i].value, strlen(meta[i].value));
    }
    append_bytes(w, &w->out, "avro.codec", 10);
    append_bytes(w, &w->out, "deflate", 7);
    append_bytes(w, &w->out, "avro.schema", 11);
    append_bytes(w, &w->out, schema, strlen(schema));
    append_long(w, &w->out, 0);
    append(w, &w->out, w->sync, sizeof w->sync);
    return report(w, err);
}

void cl_avro_writer_fini(struct cl_avro_writer *w)
{
    cl_buf_fini(&w->out);
    cl_buf_fini(&w->block);
    cl_buf_fini(&w->packed);
}

void cl_avro_put_long(struct cl_avro_writer *w, int64_t v)
{
    append_long(w, &w->block, v);
}

void cl_avro_put_boolean(struct cl_avro_writer *w, bool v)
{
    uint8_t byte = v;
    append(w, &w->block, &byte, 1);
}

void cl_avro_put_bytes(struct cl_avro_writer *w, const void *data, size_t len)
{
    append_bytes(w, &w->block, data, len);
}

void cl_avro_put_string(struct cl_avro_writer *w, const char *text)
{
    append_bytes(w, &w->block, text, strlen(text));
}

void cl_avro_put_present(struct cl_avro_writer *w, bool present)
{
    append_long(w, &w->block, present);
}

void cl_avro_put_array(struct cl_avro_writer *w, size_t count)
{
    append_long(w, &w->block, (int64_t)count);
}

void cl_avro_put_array_end(struct cl_avro_writer *w, size_t count)
{
    if (count > 0) append_long(w, &w->block, 0);
}

/* Raw deflate (no zlib header), as the Avro specification asks. */
static enum cl_code pack(struct cl_avro_writer *w, struct cl_error *err)
{
    z_stream z = {.zalloc = Z_NULL};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return cl_fail_nomem(err);
    cl_buf_reset(&w->packed);
    size_t room = deflateBound(&z, (uLong)w->block.len);
    enum cl_code code = cl_buf_reserve(&w->packed, room, err);
    if (code == CL_OK) {
        z.next_in = w->block.data;
        z.avail_in = (uInt)w->block.len;
        z.next_out = w->packed.data;
        z.avail_out = (uInt)room;
        if (deflate(&z, Z_FINISH) == Z_STREAM_END)
            w->packed.len = z.total_out;
        else
            code =
                cl_fail(err, CL_EIO, "deflate failed on an Avro block of %zu bytes", w->block.len);
    }
    (void)deflateEnd(&z);
    return code;
}

static void flush(struct cl_avro_writer *w)
{
    if (w->failed != CL_OK || w->block_records == 0) return;
    /* zlib counts input in 32 bits; a record that large cannot be a manifest entry. */
    if (w->block.len > UINT32_MAX / 2) {
        w->failed =
            cl_fail(&w->error, CL_ELIMIT, "an Avro block of %zu bytes is too large", w->block.len);
        return;
    }
    w->failed = pack(w, &w->error);
    append_long(w, &w->out, w->block_records);
    append_bytes(w, &w->out, w->packed.data, w->packed.len);
    append(w, &w->out, w->sync, sizeof w->sync);
    cl_buf_reset(&w->block);
    w->block_records = 0;
}

enum cl_code cl_avro_writer_end_record(struct cl_avro_writer *w, struct cl_error *err)
{
    w->block_records++;
    if (w->block.len >= BLOCK_BYTES) flush(w);
    return report(w, err);
}

enum cl_code cl_avro_writer_finish(struct cl_avro_writer *w, struct cl_error *err)
{
    flush(w);
    return report(w, err);
}
