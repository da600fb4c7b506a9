/* page.c - ends a data page: levels and values into one piece, compression, header, entry of the
 * page index.
 *
 * Data page v1 of an optional column: length of the levels (4 bytes), levels (RLE), values.  A
 * required column has values only.  Values are PLAIN, or the width of the indexes (1 byte) and the
 * indexes (RLE, to the end of the page). */
#include "parquet/column.h"

#include "parquet/rle.h"
#include "parquet/thrift.h"

#include <stdlib.h>

/* A first page that shrinks by less than this keeps its chunk uncompressed: readers then need not
 * decompress. */
static const double WORTHWHILE = 0.97;
/* The entropy way may cost a tenth more. */
static const double ENTROPY_WORTHWHILE = 1.1;
enum { WORTHWHILE_MIN_BYTES = 4096 }; /* of a page that is asked; a page of nulls says nothing */

enum cl_code cl_pq_page_put(const struct cl_pq_page_form *form, struct cl_buf *header,
                            struct cl_buf *out, int64_t *ret_uncompressed, struct cl_error *err)
{
    if (form->uncompressed_len > INT32_MAX || form->len > INT32_MAX)
        return cl_fail(
            err, CL_ELIMIT, "a Parquet page of %zu bytes is past the format's limit of %d",
            form->uncompressed_len > form->len ? form->uncompressed_len : form->len, INT32_MAX);
    struct cl_thrift t;
    cl_buf_reset(header);
    cl_thrift_init(&t, header, err);
    cl_thrift_i32(&t, 1, form->page_type);
    cl_thrift_i32(&t, 2, (int32_t)form->uncompressed_len);
    cl_thrift_i32(&t, 3, (int32_t)form->len);
    cl_thrift_struct_begin(&t, form->page_type == CL_PQ_DATA_PAGE ? 5 : 7);
    cl_thrift_i32(&t, 1, (int32_t)form->n_values);
    cl_thrift_i32(&t, 2, form->encoding);
    if (form->page_type == CL_PQ_DATA_PAGE) {
        cl_thrift_i32(&t, 3, CL_PQ_RLE); /* definition levels */
        cl_thrift_i32(&t, 4, CL_PQ_RLE); /* repetition levels, of which there are none */
    }
    cl_thrift_struct_end(&t);
    enum cl_code code = cl_thrift_done(&t);
    if (code == CL_OK) code = cl_buf_reserve(out, header->len + form->len, err);
    if (code == CL_OK) code = cl_buf_append(out, header->data, header->len, err);
    if (code == CL_OK) code = cl_buf_append(out, form->data, form->len, err);
    if (code == CL_OK) *ret_uncompressed = (int64_t)(header->len + form->uncompressed_len);
    return code;
}

/* Puts the indexes where the values of a PLAIN page are.  *ret_pays: they and the new dictionary
 * entries save a third of the PLAIN bytes.  Less is none: what compression makes of nearly unique
 * values is as small. */
static enum cl_code encode_indexes(struct cl_pq_column *c, bool *ret_pays, struct cl_error *err)
{
    int width = cl_rle_width(c->dict.n > 0 ? c->dict.n - 1 : 0);
    c->page.len = c->gap;
    enum cl_code code = cl_buf_reserve(&c->page, 1 + cl_rle_room(c->present, width), err);
    if (code != CL_OK) return code;
    uint8_t *start = c->page.data + c->gap;
    *start = (uint8_t)width;
    uint8_t *end = cl_rle_encode(start + 1, c->indexes, c->present, width);
    c->page.len = (size_t)(end - c->page.data);
    size_t bytes = (size_t)(end - start) + c->dict.values.len - c->dict_bytes_at_page;
    *ret_pays = bytes < c->plain_bytes / 3 * 2;
    return CL_OK;
}

/* Writes the levels into the gap so that they end where the values begin.  Returns the start of the
 * page. */
static uint8_t *place_levels(struct cl_pq_column *c)
{
    if (c->levels == NULL) return c->page.data;
    uint8_t *start = c->page.data, *end = cl_rle_levels(start + 4, c->levels, c->rows, c->present);
    uint32_t len = (uint32_t)(end - start - 4);
    memcpy(start, &len, sizeof len);
    uint8_t *moved = c->page.data + c->gap - (len + 4);
    memmove(moved, start, len + 4);
    return moved;
}

static enum cl_code note_bounds(struct cl_pq_column *c, struct cl_pq_page *page,
                                struct cl_error *err)
{
    struct cl_stats_value min, max;
    cl_stats_encode(&c->page_stats, c->field, c->layout.width, &min, &max);
    if (!min.present || !max.present) {
        c->indexable = c->indexable && page->all_null;
        return CL_OK;
    }
    page->bounds_at = (uint32_t)c->bounds.len;
    page->min_len = min.len;
    page->max_len = max.len;
    enum cl_code code = cl_buf_append(&c->bounds, min.bytes, min.len, err);
    if (code == CL_OK) code = cl_buf_append(&c->bounds, max.bytes, max.len, err);
    if (code != CL_OK) return code;
    if (c->last_stats.any) {
        int low = cl_stats_compare_min(&c->last_stats, &c->page_stats, c->kind);
        int high = cl_stats_compare_max(&c->last_stats, &c->page_stats, c->kind);
        c->ascending = c->ascending && low <= 0 && high <= 0;
        c->descending = c->descending && low >= 0 && high >= 0;
    }
    c->last_stats = c->page_stats;
    return CL_OK;
}

/* Adds the page that is at chunk[offset..] to the index and to the chunk's figures. */
static enum cl_code note_page(struct cl_pq_column *c, size_t offset, struct cl_error *err)
{
    if (c->n_pages == c->pages_cap) {
        size_t cap = c->pages_cap == 0 ? 16 : c->pages_cap * 2;
        struct cl_pq_page *pages = realloc(c->pages, cap * sizeof *pages);
        if (pages == NULL) return cl_fail_nomem(err);
        c->pages = pages;
        c->pages_cap = cap;
    }
    struct cl_pq_page *page = &c->pages[c->n_pages];
    *page = (struct cl_pq_page){
        .offset = (int64_t)offset,
        .first_row = c->chunk_rows,
        .nulls = c->page_stats.nulls,
        .bytes = (int32_t)(c->chunk.len - offset),
        .all_null = c->present == 0,
    };
    enum cl_code code = note_bounds(c, page, err);
    if (code != CL_OK) return code;
    c->n_pages++;
    c->chunk_rows += (int64_t)c->rows;
    cl_stats_merge(&c->chunk_stats, &c->page_stats, c->kind);
    return CL_OK;
}

static void begin_page(struct cl_pq_column *c)
{
    c->page.len = c->gap;
    c->rows = c->present = c->plain_bytes = 0;
    c->page_stats = (struct cl_stats){.any = false};
    c->dict_n_at_page = c->dict.n;
    c->dict_bytes_at_page = c->dict.values.len;
}

/* Random text, such as ids, is packed as well in half the time by the codec's entropy way.  A
 * column of strings whose dictionary was hopeless is asked once, on its first page. */
static enum cl_code choose_way(struct cl_pq_column *c, const struct cl_pq_page_form *form,
                               struct cl_error *err)
{
    struct cl_codec *codec = &c->shared->codec;
    const uint8_t *data;
    size_t usual, entropy;
    c->way_chosen = true;
    if (c->kind != CL_STATS_TEXT || !c->dict_hopeless || !cl_codec_has_entropy(codec)) return CL_OK;
    enum cl_code code =
        cl_codec_compress(codec, false, form->data, form->uncompressed_len, &data, &usual, err);
    if (code == CL_OK)
        code = cl_codec_compress(codec, true, form->data, form->uncompressed_len, &data, &entropy,
                                 err);
    if (code == CL_OK) c->entropy = (double)entropy < ENTROPY_WORTHWHILE * (double)usual;
    return code;
}

/* Compresses, unless the chunk turned out not to be worth it. */
static enum cl_code compress(struct cl_pq_column *c, struct cl_pq_page_form *form,
                             struct cl_error *err)
{
    if (c->compression == CL_COMPRESS_NONE) return CL_OK;
    const uint8_t *body = form->data;
    enum cl_code code = CL_OK;
    if (!c->way_chosen && form->uncompressed_len >= WORTHWHILE_MIN_BYTES)
        code = choose_way(c, form, err);
    if (code == CL_OK)
        code = cl_codec_compress(&c->shared->codec, c->entropy, body, form->uncompressed_len,
                                 &form->data, &form->len, err);
    if (code != CL_OK) return code;
    bool asked = c->n_pages == 0 && form->encoding == CL_PQ_PLAIN &&
                 form->uncompressed_len >= WORTHWHILE_MIN_BYTES;
    if (asked && (double)form->len > WORTHWHILE * (double)form->uncompressed_len) {
        c->compression = CL_COMPRESS_NONE;
        form->data = body;
        form->len = form->uncompressed_len;
    }
    return CL_OK;
}

enum cl_code cl_pq_page_flush(struct cl_pq_column *c, struct cl_error *err)
{
    if (c->rows == 0) return CL_OK;
    bool pays = false;
    enum cl_code code = CL_OK;
    if (c->dict_state == CL_PQ_DICT_ON && c->present > 0) {
        code = encode_indexes(c, &pays, err);
        if (code == CL_OK && !pays) code = cl_pq_dict_give_up(c, err);
        if (code != CL_OK) return code;
    }
    uint8_t *body = place_levels(c);
    size_t body_len = (size_t)(c->page.data + c->page.len - body), offset = c->chunk.len;
    struct cl_pq_page_form form = {
        .page_type = CL_PQ_DATA_PAGE,
        .encoding = pays ? CL_PQ_RLE_DICTIONARY : CL_PQ_PLAIN,
        .n_values = c->rows,
        .uncompressed_len = body_len,
        .data = body,
        .len = body_len,
    };
    int64_t uncompressed = 0;
    code = compress(c, &form, err);
    if (code == CL_OK)
        code = cl_pq_page_put(&form, &c->shared->header, &c->chunk, &uncompressed, err);
    if (code == CL_OK) code = note_page(c, offset, err);
    if (code != CL_OK) return code;
    c->uncompressed_bytes += uncompressed;
    c->dictionary_pages += pays;
    c->plain_pages += !pays;
    begin_page(c);
    return CL_OK;
}
