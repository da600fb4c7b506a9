/* column.h - encodes one column: rows of a batch into pages, pages into the column chunk of the
 * current row group.
 *
 * Order: init -> (append* -> finish)* -> fini.  One finish ends each row group.
 *
 * A page under construction is `page` (PLAIN values behind a gap for the definition levels, so that
 * a page is one piece of memory) or, with a dictionary, `indexes`.  A finished page goes,
 * compressed, to the end of `chunk`.
 *
 * Dictionary: each row group begins with one.  It is given up, and the page under construction
 * rewritten as PLAIN,
 *   - after CL_PQ_SAMPLE_VALUES when hardly any value came twice (ids, coordinates), and then not
 *     tried again in this file;
 *   - at the end of a page whose indexes and new dictionary entries are not a third smaller than
 *     its PLAIN values;
 *   - when the dictionary is full.
 * Earlier pages keep it.  FIXED_LEN_BYTE_ARRAY decimals and booleans have none. */
#ifndef CITYLAKE_PARQUET_COLUMN_H
#define CITYLAKE_PARQUET_COLUMN_H

#include "parquet/chunk.h"
#include "parquet/codec.h"
#include "parquet/dict.h"

enum {
    CL_PQ_PAGE_BYTES = 1 << 20, /* PLAIN bytes of a page; a longer value has a page of its own */
    CL_PQ_PAGE_ROWS = 20000,    /* the default */
    CL_PQ_PAGE_ROWS_MAX = 1 << 20,
    CL_PQ_SAMPLE_VALUES = 4096,
};

/* What the columns of a writer share. */
struct cl_pq_shared {
    struct cl_codec codec;
    struct cl_buf dense;  /* fixed-width values without their nulls, in the file's width */
    struct cl_buf header; /* one page header */
    size_t page_rows;
    bool dictionary;
};

/* A finished page, for the page index. */
struct cl_pq_page {
    int64_t offset; /* in the chunk, dictionary page not counted */
    int64_t first_row;
    int64_t nulls;
    int32_t bytes; /* with its header */
    bool all_null;
    uint32_t bounds_at; /* its minimum, then its maximum, in cl_pq_column.bounds */
    uint8_t min_len, max_len;
};

enum cl_pq_dict_state {
    CL_PQ_DICT_OFF,
    CL_PQ_DICT_ON,
    CL_PQ_DICT_CLOSED /* earlier pages use it */
};

struct cl_pq_column {
    const struct cl_field *field;
    struct cl_pq_layout layout;
    enum cl_stats_kind kind;
    struct cl_pq_shared *shared;

    /* The page under construction. */
    struct cl_buf page;
    size_t gap;        /* bytes before the values in `page` */
    uint8_t *levels;   /* optional columns: bit = present */
    uint32_t *indexes; /* NULL: the column never has a dictionary */
    size_t rows, present;
    size_t plain_bytes; /* of its values, were they PLAIN */
    struct cl_stats page_stats;

    /* The dictionary. */
    enum cl_pq_dict_state dict_state;
    bool dict_hopeless;
    bool dict_sampled;
    struct cl_dict dict;
    uint32_t dict_n_at_page; /* entries and bytes when the page began */
    size_t dict_bytes_at_page;
    int64_t dict_seen; /* values of this row group that went through it */

    /* The column chunk. */
    struct cl_buf chunk;
    enum cl_compression compression; /* of the chunk; settled by its first page */
    bool way_chosen, entropy;        /* of the file: how zstd goes about this column */
    struct cl_pq_page *pages;
    size_t n_pages, pages_cap;
    struct cl_buf bounds;
    bool indexable; /* every page has bounds or only nulls */
    bool ascending, descending;
    struct cl_stats last_stats; /* of the last page with values */
    int64_t chunk_rows;
    int64_t uncompressed_bytes;
    int32_t dictionary_pages, plain_pages;
    struct cl_stats chunk_stats;

    /* The file so far. */
    struct cl_stats file_stats;
    int64_t file_rows, file_bytes;
};

/* max_chunk_bytes: more than a chunk may ever need.  field and shared are borrowed.
 * CL_EINVAL: a decimal of no or more than 38 digits.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_pq_column_init(struct cl_pq_column *c, const struct cl_field *field,
                                            struct cl_pq_shared *shared, size_t max_chunk_bytes,
                                            struct cl_error *err);
void cl_pq_column_fini(struct cl_pq_column *c);

/* Appends the first n rows of src.  CL_EDATA: a decimal with more digits than its type.  CL_ELIMIT,
 * CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_pq_column_append(struct cl_pq_column *c, const struct cl_column *src,
                                              int32_t n, struct cl_error *err);

/* What the row group holds of this column: its pages, and its dictionary before compression. */
int64_t cl_pq_column_encoded_bytes(const struct cl_pq_column *c);
int64_t cl_pq_column_memory_bytes(const struct cl_pq_column *c);

/* page.c: turns the page under construction into bytes of the chunk. */
CL_MUSTCHECK enum cl_code cl_pq_page_flush(struct cl_pq_column *c, struct cl_error *err);

/* Rewrites the indexes of the page under construction as PLAIN values and stops using the
 * dictionary. */
CL_MUSTCHECK enum cl_code cl_pq_dict_give_up(struct cl_pq_column *c, struct cl_error *err);

/* chunk.c: ends the column chunk.  Writes its dictionary page and its pages to `out`, appends its
 * page indexes to the two buffers, fills *ret and starts the next chunk. */
CL_MUSTCHECK enum cl_code cl_pq_column_finish(struct cl_pq_column *c, struct cl_outfile *out,
                                              struct cl_buf *column_indexes,
                                              struct cl_buf *offset_indexes,
                                              struct cl_pq_chunk *ret, struct cl_error *err);

/* One page as it goes to the file. */
struct cl_pq_page_form {
    int page_type; /* CL_PQ_DATA_PAGE or CL_PQ_DICTIONARY_PAGE */
    int encoding;
    size_t n_values; /* nulls included */
    size_t uncompressed_len;
    const uint8_t *data; /* compressed, borrowed */
    size_t len;
};

/* Appends header and data to out.  *ret_uncompressed: bytes with the header, before compression.
 * CL_ELIMIT: past the int32 sizes of the format. */
CL_MUSTCHECK enum cl_code cl_pq_page_put(const struct cl_pq_page_form *form, struct cl_buf *header,
                                         struct cl_buf *out, int64_t *ret_uncompressed,
                                         struct cl_error *err);

#endif
