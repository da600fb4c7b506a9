#include "parquet/footer.h"

#include "parquet/thrift.h"

/* enum ConvertedType: the older form of logical types, for readers that know no other. */
enum {
    CONVERTED_UTF8 = 0,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIMESTAMP_MICROS = 10
};

/* union LogicalType */
enum { LOGICAL_STRING = 1, LOGICAL_DECIMAL = 5, LOGICAL_DATE = 6, LOGICAL_TIMESTAMP = 8 };

/* Times without a zone carry TIMESTAMP_MICROS too: LogicalTypes.md asks for it although that type
 * means an instant. */
static void put_converted_type(struct cl_thrift *t, const struct cl_field *f)
{
    switch (f->type) {
    case CL_STRING: cl_thrift_i32(t, 6, CONVERTED_UTF8); break;
    case CL_DATE: cl_thrift_i32(t, 6, CONVERTED_DATE); break;
    case CL_TIMESTAMP: cl_thrift_i32(t, 6, CONVERTED_TIMESTAMP_MICROS); break;
    case CL_DECIMAL:
        cl_thrift_i32(t, 6, CONVERTED_DECIMAL);
        cl_thrift_i32(t, 7, f->scale);
        cl_thrift_i32(t, 8, f->precision);
        break;
    default:
        break; /* int and long are their physical types; Iceberg's own writers annotate neither */
    }
}

static void put_empty_struct(struct cl_thrift *t, int id)
{
    cl_thrift_struct_begin(t, id);
    cl_thrift_struct_end(t);
}

static void put_logical_type(struct cl_thrift *t, const struct cl_field *f)
{
    enum { UNIT_MICROS = 2 };
    if (f->type != CL_STRING && f->type != CL_DATE && f->type != CL_TIMESTAMP &&
        f->type != CL_DECIMAL)
        return;
    cl_thrift_struct_begin(t, 10);
    if (f->type == CL_STRING) put_empty_struct(t, LOGICAL_STRING);
    if (f->type == CL_DATE) put_empty_struct(t, LOGICAL_DATE);
    if (f->type == CL_TIMESTAMP) {
        cl_thrift_struct_begin(t, LOGICAL_TIMESTAMP);
        cl_thrift_bool(t, 1, false); /* isAdjustedToUTC */
        cl_thrift_struct_begin(t, 2);
        put_empty_struct(t, UNIT_MICROS);
        cl_thrift_struct_end(t);
        cl_thrift_struct_end(t);
    }
    if (f->type == CL_DECIMAL) {
        cl_thrift_struct_begin(t, LOGICAL_DECIMAL);
        cl_thrift_i32(t, 1, f->scale);
        cl_thrift_i32(t, 2, f->precision);
        cl_thrift_struct_end(t);
    }
    cl_thrift_struct_end(t);
}

static void put_schema(struct cl_thrift *t, const struct cl_schema *schema)
{
    cl_thrift_list(t, 2, CL_THRIFT_STRUCT, schema->n + 1);
    cl_thrift_item_struct_begin(t);
    cl_thrift_string(t, 4, "table");
    cl_thrift_i32(t, 5, (int32_t)schema->n);
    cl_thrift_struct_end(t);
    for (size_t i = 0; i < schema->n; i++) {
        const struct cl_field *f = &schema->fields[i];
        struct cl_pq_layout layout = cl_pq_layout(f);
        cl_thrift_item_struct_begin(t);
        cl_thrift_i32(t, 1, (int32_t)layout.type);
        if (layout.type == CL_PQ_FIXED) cl_thrift_i32(t, 2, layout.width);
        cl_thrift_i32(t, 3, f->required ? 0 : 1);
        cl_thrift_string(t, 4, f->name);
        put_converted_type(t, f);
        cl_thrift_i32(t, 9, f->id);
        put_logical_type(t, f);
        cl_thrift_struct_end(t);
    }
}

static void put_statistics(struct cl_thrift *t, const struct cl_pq_chunk *c)
{
    cl_thrift_struct_begin(t, 12);
    cl_thrift_i64(t, 3, c->nulls);
    if (c->max.present) cl_thrift_binary(t, 5, c->max.bytes, c->max.len);
    if (c->min.present) cl_thrift_binary(t, 6, c->min.bytes, c->min.len);
    if (c->max.present) cl_thrift_bool(t, 7, c->max.exact);
    if (c->min.present) cl_thrift_bool(t, 8, c->min.exact);
    cl_thrift_struct_end(t);
}

static void put_page_count(struct cl_thrift *t, int page_type, int encoding, int32_t n)
{
    if (n == 0) return;
    cl_thrift_item_struct_begin(t);
    cl_thrift_i32(t, 1, page_type);
    cl_thrift_i32(t, 2, encoding);
    cl_thrift_i32(t, 3, n);
    cl_thrift_struct_end(t);
}

static void put_encoding_stats(struct cl_thrift *t, const struct cl_pq_chunk *c)
{
    int dictionary = c->dictionary_pages > 0, plain = c->plain_pages > 0;
    cl_thrift_list(t, 13, CL_THRIFT_STRUCT, 2 * (size_t)dictionary + (size_t)plain);
    put_page_count(t, CL_PQ_DICTIONARY_PAGE, CL_PQ_PLAIN, dictionary);
    put_page_count(t, CL_PQ_DATA_PAGE, CL_PQ_RLE_DICTIONARY, c->dictionary_pages);
    put_page_count(t, CL_PQ_DATA_PAGE, CL_PQ_PLAIN, c->plain_pages);
}

static int codec_number(enum cl_compression compression)
{
    enum { UNCOMPRESSED = 0, SNAPPY = 1, ZSTD = 6 };
    if (compression == CL_COMPRESS_NONE) return UNCOMPRESSED;
    return compression == CL_COMPRESS_SNAPPY ? SNAPPY : ZSTD;
}

static void put_column_meta(struct cl_thrift *t, const struct cl_field *f,
                            const struct cl_pq_chunk *c)
{
    bool dictionary = c->dictionary_pages > 0;
    cl_thrift_struct_begin(t, 3);
    cl_thrift_i32(t, 1, (int32_t)cl_pq_layout(f).type);
    cl_thrift_list(t, 2, CL_THRIFT_I32, 2u + dictionary);
    cl_thrift_item_int(t, CL_PQ_PLAIN);
    cl_thrift_item_int(t, CL_PQ_RLE);
    if (dictionary) cl_thrift_item_int(t, CL_PQ_RLE_DICTIONARY);
    cl_thrift_list(t, 3, CL_THRIFT_BINARY, 1);
    cl_thrift_item_binary(t, f->name, strlen(f->name));
    cl_thrift_i32(t, 4, codec_number(c->compression));
    cl_thrift_i64(t, 5, c->values);
    cl_thrift_i64(t, 6, c->uncompressed_bytes);
    cl_thrift_i64(t, 7, c->compressed_bytes);
    cl_thrift_i64(t, 9, c->file_offset + c->dictionary_bytes);
    if (dictionary) cl_thrift_i64(t, 11, c->file_offset);
    put_statistics(t, c);
    put_encoding_stats(t, c);
    cl_thrift_struct_end(t);
}

static void put_column_chunk(struct cl_thrift *t, const struct cl_pq_footer *f, size_t column,
                             const struct cl_pq_chunk *c)
{
    cl_thrift_item_struct_begin(t);
    cl_thrift_i64(t, 2, 0); /* deprecated; the format asks for 0 */
    put_column_meta(t, &f->schema->fields[column], c);
    cl_thrift_i64(t, 4, f->offset_indexes_offset + c->offset_index_at);
    cl_thrift_i32(t, 5, (int32_t)c->offset_index_bytes);
    if (c->column_index_bytes > 0) {
        cl_thrift_i64(t, 6, f->column_indexes_offset + c->column_index_at);
        cl_thrift_i32(t, 7, (int32_t)c->column_index_bytes);
    }
    cl_thrift_struct_end(t);
}

static void put_row_group(struct cl_thrift *t, const struct cl_pq_footer *f, size_t index)
{
    const struct cl_pq_row_group *group = &f->groups[index];
    int64_t uncompressed = 0, compressed = 0;
    cl_thrift_item_struct_begin(t);
    cl_thrift_list(t, 1, CL_THRIFT_STRUCT, f->schema->n);
    for (size_t i = 0; i < f->schema->n; i++) {
        put_column_chunk(t, f, i, &group->chunks[i]);
        uncompressed += group->chunks[i].uncompressed_bytes;
        compressed += group->chunks[i].compressed_bytes;
    }
    cl_thrift_i64(t, 2, uncompressed);
    cl_thrift_i64(t, 3, group->rows);
    cl_thrift_i64(t, 5, group->chunks[0].file_offset);
    cl_thrift_i64(t, 6, compressed);
    if (index <= INT16_MAX) cl_thrift_i16(t, 7, (int16_t)index);
    cl_thrift_struct_end(t);
}

enum cl_code cl_pq_footer_put(const struct cl_pq_footer *f, struct cl_buf *buf,
                              struct cl_error *err)
{
    size_t start = buf->len;
    struct cl_thrift t;
    cl_thrift_init(&t, buf, err);
    cl_thrift_i32(&t, 1, 2); /* version: readers ignore it but want one */
    put_schema(&t, f->schema);
    cl_thrift_i64(&t, 3, f->rows);
    cl_thrift_list(&t, 4, CL_THRIFT_STRUCT, f->n_groups);
    for (size_t i = 0; i < f->n_groups; i++)
        put_row_group(&t, f, i);
    cl_thrift_string(&t, 6, "citylake version " CL_VERSION);
    cl_thrift_list(&t, 7, CL_THRIFT_STRUCT, f->schema->n);
    for (size_t i = 0; i < f->schema->n; i++) {
        cl_thrift_item_struct_begin(
            &t); /* union ColumnOrder: TYPE_ORDER, without which readers ignore min and max */
        put_empty_struct(&t, 1);
        cl_thrift_struct_end(&t);
    }
    enum cl_code code = cl_thrift_done(&t);
    if (code != CL_OK) return code;
    uint32_t len = (uint32_t)(buf->len - start);
    code = cl_buf_append(buf, &len, sizeof len, err);
    if (code == CL_OK) code = cl_buf_append(buf, CL_PQ_MAGIC, CL_PQ_MAGIC_BYTES, err);
    return code;
}
