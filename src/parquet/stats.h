/* stats.h - smallest, largest, nulls and NaNs of the values of a page, of a column chunk, and of a
 * file.
 *
 * Order: zero-initialise -> add* -> merge into the next larger unit -> encode.  Values come without
 * their nulls.
 *
 * Rules (parquet.thrift, "ColumnOrder" and "Statistics"): a NaN is never a minimum or maximum; a
 * zero minimum is written as -0.0 and a zero maximum as +0.0.  Strings and binaries are kept as
 * prefixes of at most CL_STATS_TEXT_BYTES, the maximum rounded up, so that a 10 MB string costs the
 * footer nothing. */
#ifndef CITYLAKE_PARQUET_STATS_H
#define CITYLAKE_PARQUET_STATS_H

#include "parquet/bounds.h"
#include "parquet/data_file.h"
#include "record/schema.h"

#include <string.h>

enum { CL_STATS_TEXT_BYTES = 64 };

/* An encoded minimum or maximum. */
struct cl_stats_value {
    bool present;
    bool exact; /* false: a string that was cut */
    uint8_t len;
    uint8_t bytes[CL_STATS_TEXT_BYTES + CL_BOUND_SLACK];
};

union cl_stats_number {
    int64_t i;  /* boolean, int, long, date, timestamp, decimals of up to 18 digits */
    double f;   /* float, double */
    __int128 d; /* larger decimals */
};

struct cl_stats {
    int64_t nulls;
    int64_t nans;
    bool any; /* min and max, or low and high, hold something */
    union cl_stats_number min, max;
    struct cl_stats_value low,
        high; /* strings and binaries; high may be absent: it could not be rounded up */
};

/* How a column's statistics are kept: which member of the union, or strings. */
enum cl_stats_kind { CL_STATS_INT, CL_STATS_FLOAT, CL_STATS_WIDE, CL_STATS_TEXT };
enum cl_stats_kind cl_stats_kind(const struct cl_field *field);

void cl_stats_add_int32(struct cl_stats *s, const int32_t *values, size_t n);
void cl_stats_add_int64(struct cl_stats *s, const int64_t *values, size_t n);
void cl_stats_add_float(struct cl_stats *s, const float *values, size_t n);
void cl_stats_add_double(struct cl_stats *s, const double *values, size_t n);
void cl_stats_add_wide(struct cl_stats *s, const __int128 *values, size_t n);

/* The smallest and largest of some strings that stay where they are, found mostly by their first 8
 * bytes. */
struct cl_text_range {
    bool any;
    uint64_t min_prefix, max_prefix; /* big-endian, padded with zeros */
    const uint8_t *min, *max;        /* borrowed */
    size_t min_len, max_len;
};

static inline int cl_text_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static inline uint64_t cl_text_prefix(const uint8_t *text, size_t len)
{
    uint64_t word = 0;
    if (len >= 8)
        memcpy(&word, text, 8);
    else if (len > 0)
        memcpy(&word, text, len);
    return __builtin_bswap64(word);
}

/* Equal prefixes say nothing about the order ("a" and "a\0" share theirs): then the bytes are
 * compared. */
static inline void cl_text_range_add(struct cl_text_range *r, const uint8_t *text, size_t len)
{
    uint64_t prefix = cl_text_prefix(text, len);
    if (!r->any || prefix < r->min_prefix ||
        (prefix == r->min_prefix && cl_text_compare(text, len, r->min, r->min_len) < 0)) {
        r->min_prefix = prefix;
        r->min = text;
        r->min_len = len;
    }
    if (!r->any || prefix > r->max_prefix ||
        (prefix == r->max_prefix && cl_text_compare(text, len, r->max, r->max_len) > 0)) {
        r->max_prefix = prefix;
        r->max = text;
        r->max_len = len;
    }
    r->any = true;
}

/* Adds the strings of a range; copies what it needs of them. */
void cl_stats_add_text(struct cl_stats *s, const struct cl_text_range *range, bool utf8);

void cl_stats_merge(struct cl_stats *into, const struct cl_stats *from, enum cl_stats_kind kind);

/* < 0, 0, > 0: the order of two minima, and of two maxima, both of which must be there. */
int cl_stats_compare_min(const struct cl_stats *a, const struct cl_stats *b,
                         enum cl_stats_kind kind);
int cl_stats_compare_max(const struct cl_stats *a, const struct cl_stats *b,
                         enum cl_stats_kind kind);

/* Parquet's form (PLAIN without the length).  fixed_len: bytes of a FIXED_LEN_BYTE_ARRAY decimal.
 */
void cl_stats_encode(const struct cl_stats *s, const struct cl_field *field, int fixed_len,
                     struct cl_stats_value *ret_min, struct cl_stats_value *ret_max);

/* Iceberg's form (spec, Appendix D, "Binary single-value serialization"). */
void cl_stats_bounds(const struct cl_stats *s, const struct cl_field *field,
                     struct cl_bound *ret_lower, struct cl_bound *ret_upper);

#endif
