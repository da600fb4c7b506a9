/* chunk.c - ends a column chunk: dictionary page and data pages to the store, page indexes to their
 * buffers.
 *
 * The ColumnIndex (minimum, maximum and nulls of each page) is left out when some page with values
 * has no bounds: only NaNs, or a string maximum that cannot be shortened.  The OffsetIndex is
 * always there. */
#include "parquet/chunk.h"

#include "parquet/column.h"
#include "parquet/thrift.h"

static enum cl_code write_dictionary(struct cl_pq_column *c, struct cl_outfile *out,
                                     struct cl_pq_chunk *chunk, struct cl_error *err)
{
    struct cl_buf *page = &c->shared->dense; /* free between two appends */
    size_t len = c->dict.values.len;
    struct cl_pq_page_form form = {
        .page_type = CL_PQ_DICTIONARY_PAGE,
        .encoding = CL_PQ_PLAIN,
        .n_values = c->dict.n,
        .uncompressed_len = len,
        .data = c->dict.values.data,
        .len = len,
    };
    enum cl_code code = CL_OK;
    if (c->compression != CL_COMPRESS_NONE)
        code =
            cl_codec_compress(&c->shared->codec, false, form.data, len, &form.data, &form.len, err);
    int64_t uncompressed = 0;
    cl_buf_reset(page);
    if (code == CL_OK) code = cl_pq_page_put(&form, &c->shared->header, page, &uncompressed, err);
    if (code == CL_OK) code = out->store->ops->write(out, page->data, page->len, err);
    if (code != CL_OK) return code;
    chunk->dictionary_bytes = (int64_t)page->len;
    chunk->uncompressed_bytes += uncompressed;
    return CL_OK;
}

static enum cl_code put_column_index(const struct cl_pq_column *c, struct cl_buf *buf,
                                     struct cl_error *err)
{
    enum { UNORDERED, ASCENDING, DESCENDING };
    struct cl_thrift t;
    cl_thrift_init(&t, buf, err);
    cl_thrift_list(&t, 1, CL_THRIFT_TRUE, c->n_pages);
    for (size_t i = 0; i < c->n_pages; i++)
        cl_thrift_item_bool(&t, c->pages[i].all_null);
    cl_thrift_list(&t, 2, CL_THRIFT_BINARY, c->n_pages);
    for (size_t i = 0; i < c->n_pages; i++)
        cl_thrift_item_binary(&t, c->bounds.data + c->pages[i].bounds_at, c->pages[i].min_len);
    cl_thrift_list(&t, 3, CL_THRIFT_BINARY, c->n_pages);
    for (size_t i = 0; i < c->n_pages; i++)
        cl_thrift_item_binary(&t, c->bounds.data + c->pages[i].bounds_at + c->pages[i].min_len,
                              c->pages[i].max_len);
    cl_thrift_i32(&t, 4, c->ascending ? ASCENDING : c->descending ? DESCENDING : UNORDERED);
    cl_thrift_list(&t, 5, CL_THRIFT_I64, c->n_pages);
    for (size_t i = 0; i < c->n_pages; i++)
        cl_thrift_item_int(&t, c->pages[i].nulls);
    return cl_thrift_done(&t);
}

static enum cl_code put_offset_index(const struct cl_pq_column *c, int64_t first_page,
                                     struct cl_buf *buf, struct cl_error *err)
{
    struct cl_thrift t;
    cl_thrift_init(&t, buf, err);
    cl_thrift_list(&t, 1, CL_THRIFT_STRUCT, c->n_pages);
    for (size_t i = 0; i < c->n_pages; i++) {
        cl_thrift_item_struct_begin(&t);
        cl_thrift_i64(&t, 1, first_page + c->pages[i].offset);
        cl_thrift_i32(&t, 2, c->pages[i].bytes);
        cl_thrift_i64(&t, 3, c->pages[i].first_row);
        cl_thrift_struct_end(&t);
    }
    return cl_thrift_done(&t);
}

static enum cl_code put_indexes(struct cl_pq_column *c, struct cl_buf *column_indexes,
                                struct cl_buf *offset_indexes, struct cl_pq_chunk *chunk,
                                struct cl_error *err)
{
    chunk->column_index_at = (int64_t)column_indexes->len;
    chunk->offset_index_at = (int64_t)offset_indexes->len;
    /* A chunk without a single value has nothing to find by its bounds; an index of empty bounds
     * confuses some readers. */
    enum cl_code code =
        c->indexable && c->bounds.data != NULL ? put_column_index(c, column_indexes, err) : CL_OK;
    if (code == CL_OK)
        code =
            put_offset_index(c, chunk->file_offset + chunk->dictionary_bytes, offset_indexes, err);
    if (code != CL_OK) return code;
    chunk->column_index_bytes = (int64_t)column_indexes->len - chunk->column_index_at;
    chunk->offset_index_bytes = (int64_t)offset_indexes->len - chunk->offset_index_at;
    return CL_OK;
}

static void begin_chunk(struct cl_pq_column *c)
{
    cl_buf_reset(&c->chunk);
    cl_buf_reset(&c->bounds);
    c->n_pages = 0;
    c->indexable = c->ascending = c->descending = true;
    c->compression = c->shared->codec.compression;
    c->last_stats = c->chunk_stats = (struct cl_stats){.any = false};
    c->chunk_rows = c->uncompressed_bytes = c->dict_seen = 0;
    c->dictionary_pages = c->plain_pages = 0;
    c->dict_sampled = false;
    c->dict_n_at_page = 0;
    c->dict_bytes_at_page = 0;
    cl_dict_reset(&c->dict);
    if (c->indexes != NULL) c->dict_state = c->dict_hopeless ? CL_PQ_DICT_OFF : CL_PQ_DICT_ON;
}

enum cl_code cl_pq_column_finish(struct cl_pq_column *c, struct cl_outfile *out,
                                 struct cl_buf *column_indexes, struct cl_buf *offset_indexes,
                                 struct cl_pq_chunk *ret, struct cl_error *err)
{
    enum cl_code code = cl_pq_page_flush(c, err);
    if (code != CL_OK) return code;
    struct cl_pq_chunk chunk = {
        .compression = c->compression,
        .values = c->chunk_rows,
        .nulls = c->chunk_stats.nulls,
        .file_offset = out->size,
        .uncompressed_bytes = c->uncompressed_bytes,
        .dictionary_pages = c->dictionary_pages,
        .plain_pages = c->plain_pages,
    };
    cl_stats_encode(&c->chunk_stats, c->field, c->layout.width, &chunk.min, &chunk.max);
    if (c->dictionary_pages > 0) code = write_dictionary(c, out, &chunk, err);
    if (code == CL_OK) code = out->store->ops->write(out, c->chunk.data, c->chunk.len, err);
    if (code == CL_OK) code = put_indexes(c, column_indexes, offset_indexes, &chunk, err);
    if (code != CL_OK) return code;
    chunk.compressed_bytes = (int64_t)c->chunk.len + chunk.dictionary_bytes;
    cl_stats_merge(&c->file_stats, &c->chunk_stats, c->kind);
    c->file_rows += c->chunk_rows;
    c->file_bytes += chunk.compressed_bytes;
    begin_chunk(c);
    *ret = chunk;
    return CL_OK;
}
