/* dict.h - the dictionary of one column of one row group: distinct values in order of first
 * appearance.
 *
 * Order: init -> add* -> (rewind) -> reset for the next row group -> fini.
 *
 * A hash table with open addressing and linear probing, at most half full, maps a value to its
 * index.  `values` holds the distinct values as the dictionary page will (PLAIN), so nothing is
 * copied at the end.  A run of equal values costs one comparison each.  It is full at
 * CL_DICT_MAX_BYTES or CL_DICT_MAX_VALUES: the column then goes on without it. */
#ifndef CITYLAKE_PARQUET_DICT_H
#define CITYLAKE_PARQUET_DICT_H

#include "base/buf.h"
#include "parquet/stats.h"

enum { CL_DICT_MAX_BYTES = 1 << 20, CL_DICT_MAX_VALUES = 1 << 17 };

struct cl_dict_slot {
    uint32_t hash;
    uint32_t index_plus_1; /* 0: free */
};

/* A string's place in `values` (its length word), and the last page whose statistics have seen it.
 */
struct cl_dict_text {
    uint32_t offset;
    uint32_t page;
};

struct cl_dict {
    size_t width;         /* bytes of a value, 4 or 8; 0: strings */
    struct cl_buf values; /* PLAIN */
    uint32_t n;
    struct cl_dict_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    struct cl_dict_text *texts;
    size_t texts_cap;
};

void cl_dict_init(struct cl_dict *d, size_t width);
void cl_dict_fini(struct cl_dict *d);  /* frees; may be used again as after init */
void cl_dict_reset(struct cl_dict *d); /* forgets the values, keeps the memory */
size_t cl_dict_memory_bytes(const struct cl_dict *d);

/* Writes the index of each of the n values to ret_indexes.  *ret_done < n: the dictionary is full,
 * and that many were done.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_dict_add_fixed(struct cl_dict *d, const void *values, size_t n,
                                            uint32_t *ret_indexes, size_t *ret_done,
                                            struct cl_error *err);

/* The same for strings: value i is data[offsets[i] .. offsets[i + 1]).  Strings that page number
 * `page` (> 0, ascending) has not seen yet are added to `range`. */
CL_MUSTCHECK enum cl_code cl_dict_add_texts(struct cl_dict *d, const uint8_t *data,
                                            const int32_t *offsets, size_t n, uint32_t page,
                                            struct cl_text_range *range, uint32_t *ret_indexes,
                                            size_t *ret_done, struct cl_error *err);

/* Appends the PLAIN form of values[indexes[0..n)] to out: the way back. */
CL_MUSTCHECK enum cl_code cl_dict_decode(const struct cl_dict *d, const uint32_t *indexes, size_t n,
                                         struct cl_buf *out, struct cl_error *err);

/* Keeps only the first n values, whose PLAIN form is values_len bytes.  Nothing may be added before
 * a reset. */
void cl_dict_rewind(struct cl_dict *d, uint32_t n, size_t values_len);

#endif
