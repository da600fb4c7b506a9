#include "parquet/stats.h"

#include <math.h>

enum { ICEBERG_BOUND_UNITS = 16 };

enum cl_stats_kind cl_stats_kind(const struct cl_field *field)
{
    switch (field->type) {
    case CL_FLOAT:
    case CL_DOUBLE: return CL_STATS_FLOAT;
    case CL_STRING:
    case CL_BINARY: return CL_STATS_TEXT;
    case CL_DECIMAL: return field->precision > 18 ? CL_STATS_WIDE : CL_STATS_INT;
    case CL_BOOLEAN:
    case CL_INT:
    case CL_LONG:
    case CL_DATE:
    case CL_TIMESTAMP: break;
    }
    return CL_STATS_INT;
}

/* Four lanes, so that the loop is bound by loads and not by the latency of one chain of
 * comparisons.  A comparison with NaN is false, which leaves the lanes as they are. */
#define DEFINE_MIN_MAX(name, type)                                                                 \
    static void name(const type *v, size_t n, type *min, type *max)                                \
    {                                                                                              \
        type lo[4] = {*min, *min, *min, *min}, hi[4] = {*max, *max, *max, *max};                   \
        size_t i = 0;                                                                              \
        for (; n - i >= 4; i += 4)                                                                 \
            for (size_t k = 0; k < 4; k++) {                                                       \
                lo[k] = v[i + k] < lo[k] ? v[i + k] : lo[k];                                       \
                hi[k] = v[i + k] > hi[k] ? v[i + k] : hi[k];                                       \
            }                                                                                      \
        for (; i < n; i++) {                                                                       \
            lo[0] = v[i] < lo[0] ? v[i] : lo[0];                                                   \
            hi[0] = v[i] > hi[0] ? v[i] : hi[0];                                                   \
        }                                                                                          \
        for (size_t k = 0; k < 4; k++) {                                                           \
            *min = lo[k] < *min ? lo[k] : *min;                                                    \
            *max = hi[k] > *max ? hi[k] : *max;                                                    \
        }                                                                                          \
    }
DEFINE_MIN_MAX(min_max_int32, int32_t)
DEFINE_MIN_MAX(min_max_int64, int64_t)
DEFINE_MIN_MAX(min_max_float, float)
DEFINE_MIN_MAX(min_max_double, double)

static void add_int(struct cl_stats *s, int64_t min, int64_t max)
{
    s->min.i = s->any && s->min.i < min ? s->min.i : min;
    s->max.i = s->any && s->max.i > max ? s->max.i : max;
    s->any = true;
}

static void add_float(struct cl_stats *s, double min, double max)
{
    s->min.f = s->any && s->min.f < min ? s->min.f : min;
    s->max.f = s->any && s->max.f > max ? s->max.f : max;
    s->any = true;
}

static void add_wide(struct cl_stats *s, __int128 min, __int128 max)
{
    s->min.d = s->any && s->min.d < min ? s->min.d : min;
    s->max.d = s->any && s->max.d > max ? s->max.d : max;
    s->any = true;
}

void cl_stats_add_int32(struct cl_stats *s, const int32_t *values, size_t n)
{
    if (n == 0) return;
    int32_t min = values[0], max = values[0];
    min_max_int32(values, n, &min, &max);
    add_int(s, min, max);
}

void cl_stats_add_int64(struct cl_stats *s, const int64_t *values, size_t n)
{
    if (n == 0) return;
    int64_t min = values[0], max = values[0];
    min_max_int64(values, n, &min, &max);
    add_int(s, min, max);
}

void cl_stats_add_float(struct cl_stats *s, const float *values, size_t n)
{
    float min = INFINITY, max = -INFINITY;
    size_t nans = 0;
    for (size_t i = 0; i < n; i++)
        nans += isnan(values[i]) != 0;
    min_max_float(values, n, &min, &max);
    s->nans += (int64_t)nans;
    if (nans < n) add_float(s, (double)min, (double)max);
}

void cl_stats_add_double(struct cl_stats *s, const double *values, size_t n)
{
    double min = INFINITY, max = -INFINITY;
    size_t nans = 0;
    for (size_t i = 0; i < n; i++)
        nans += isnan(values[i]) != 0;
    min_max_double(values, n, &min, &max);
    s->nans += (int64_t)nans;
    if (nans < n) add_float(s, min, max);
}

void cl_stats_add_wide(struct cl_stats *s, const __int128 *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_wide(s, values[i], values[i]);
}

static void cut_low(struct cl_stats_value *v, const uint8_t *text, size_t len, bool utf8)
{
    size_t cut = cl_bound_cut(text, len, utf8, CL_STATS_TEXT_BYTES, CL_STATS_TEXT_BYTES);
    *v = (struct cl_stats_value){.present = true, .exact = cut == len, .len = (uint8_t)cut};
    if (cut > 0) memcpy(v->bytes, text, cut);
}

static void cut_high(struct cl_stats_value *v, const uint8_t *text, size_t len, bool utf8)
{
    cut_low(v, text, len, utf8);
    if (v->exact) return;
    v->len = (uint8_t)cl_bound_round_up(v->bytes, v->len, utf8);
    v->present = v->len > 0;
}

static int compare_value(const struct cl_stats_value *a, const struct cl_stats_value *b)
{
    int order = cl_text_compare(a->bytes, a->len, b->bytes, b->len);
    /* Of two equal bounds an exact one is the true maximum: what was rounded up lies below it. */
    return order != 0 ? order : (int)b->exact - (int)a->exact;
}

static void merge_text(struct cl_stats *s, const struct cl_stats_value *low,
                       const struct cl_stats_value *high)
{
    if (!s->any) {
        s->low = *low;
        s->high = *high;
    } else {
        /* A cut minimum stands for something longer, so an equal exact one is the smaller. */
        int order = cl_text_compare(low->bytes, low->len, s->low.bytes, s->low.len);
        if (order < 0 || (order == 0 && low->exact)) s->low = *low;
        if (s->high.present && (!high->present || compare_value(high, &s->high) > 0))
            s->high = *high;
    }
    s->any = true;
}

void cl_stats_add_text(struct cl_stats *s, const struct cl_text_range *range, bool utf8)
{
    if (!range->any) return;
    struct cl_stats_value low, high;
    cut_low(&low, range->min, range->min_len, utf8);
    cut_high(&high, range->max, range->max_len, utf8);
    merge_text(s, &low, &high);
}

void cl_stats_merge(struct cl_stats *into, const struct cl_stats *from, enum cl_stats_kind kind)
{
    into->nulls += from->nulls;
    into->nans += from->nans;
    if (!from->any) return;
    switch (kind) {
    case CL_STATS_INT: add_int(into, from->min.i, from->max.i); break;
    case CL_STATS_FLOAT: add_float(into, from->min.f, from->max.f); break;
    case CL_STATS_WIDE: add_wide(into, from->min.d, from->max.d); break;
    case CL_STATS_TEXT: merge_text(into, &from->low, &from->high); break;
    }
}

static int compare_number(union cl_stats_number a, union cl_stats_number b, enum cl_stats_kind kind)
{
    if (kind == CL_STATS_INT) return (a.i > b.i) - (a.i < b.i);
    if (kind == CL_STATS_FLOAT) return (a.f > b.f) - (a.f < b.f);
    return (a.d > b.d) - (a.d < b.d);
}

int cl_stats_compare_min(const struct cl_stats *a, const struct cl_stats *b,
                         enum cl_stats_kind kind)
{
    if (kind != CL_STATS_TEXT) return compare_number(a->min, b->min, kind);
    return cl_text_compare(a->low.bytes, a->low.len, b->low.bytes, b->low.len);
}

int cl_stats_compare_max(const struct cl_stats *a, const struct cl_stats *b,
                         enum cl_stats_kind kind)
{
    if (kind != CL_STATS_TEXT) return compare_number(a->max, b->max, kind);
    return cl_text_compare(a->high.bytes, a->high.len, b->high.bytes, b->high.len);
}

static void put_little_endian(struct cl_stats_value *v, uint64_t bits, int len)
{
    *v = (struct cl_stats_value){.present = true, .exact = true, .len = (uint8_t)len};
    for (int i = 0; i < len; i++)
        v->bytes[i] = (uint8_t)(bits >> (8 * i));
}

static void put_big_endian(struct cl_stats_value *v, __int128 number, int len)
{
    *v = (struct cl_stats_value){.present = true, .exact = true, .len = (uint8_t)len};
    for (int i = 0; i < len; i++)
        v->bytes[i] = (uint8_t)(number >> (8 * (len - 1 - i)));
}

static void put_float(struct cl_stats_value *v, double number, bool is_double)
{
    if (is_double) {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        put_little_endian(v, bits, 8);
    } else {
        float narrow = (float)number; /* exact: it came from a float */
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        put_little_endian(v, bits, 4);
    }
}

static int int_bytes(const struct cl_field *field)
{
    switch (field->type) {
    case CL_BOOLEAN: return 1;
    case CL_INT:
    case CL_DATE: return 4;
    case CL_DECIMAL: return field->precision <= 9 ? 4 : 8;
    default: return 8;
    }
}

void cl_stats_encode(const struct cl_stats *s, const struct cl_field *field, int fixed_len,
                     struct cl_stats_value *ret_min, struct cl_stats_value *ret_max)
{
    *ret_min = *ret_max = (struct cl_stats_value){.present = false};
    if (!s->any) return;
    switch (cl_stats_kind(field)) {
    case CL_STATS_INT:
        put_little_endian(ret_min, (uint64_t)s->min.i, int_bytes(field));
        put_little_endian(ret_max, (uint64_t)s->max.i, int_bytes(field));
        break;
    case CL_STATS_FLOAT:
        put_float(ret_min, s->min.f == 0 ? -0.0 : s->min.f, field->type == CL_DOUBLE);
        put_float(ret_max, s->max.f == 0 ? 0.0 : s->max.f, field->type == CL_DOUBLE);
        break;
    case CL_STATS_WIDE:
        put_big_endian(ret_min, s->min.d, fixed_len);
        put_big_endian(ret_max, s->max.d, fixed_len);
        break;
    case CL_STATS_TEXT:
        *ret_min = s->low;
        *ret_max = s->high;
        break;
    }
}

/* Bytes of the shortest two's complement form. */
static int shortest_bytes(__int128 number)
{
    int len = 1;
    while (len < 16 && (number >> (8 * len - 1)) != 0 && (number >> (8 * len - 1)) != -1)
        len++;
    return len;
}

static void put_bound(struct cl_bound *b, const struct cl_stats_value *v)
{
    *b = (struct cl_bound){.present = v->present && v->len <= sizeof b->bytes, .len = v->len};
    if (b->present) memcpy(b->bytes, v->bytes, v->len);
}

static void text_bounds(const struct cl_stats *s, bool utf8, struct cl_stats_value *min,
                        struct cl_stats_value *max)
{
    *min = s->low;
    *max = s->high;
    min->len =
        (uint8_t)cl_bound_cut(min->bytes, min->len, utf8, CL_STATS_TEXT_BYTES, ICEBERG_BOUND_UNITS);
    size_t cut = cl_bound_cut(max->bytes, max->len, utf8, CL_STATS_TEXT_BYTES, ICEBERG_BOUND_UNITS);
    if (cut == max->len) return; /* short enough, or rounded up before */
    max->len = (uint8_t)cl_bound_round_up(max->bytes, cut, utf8);
    max->present = max->present && max->len > 0;
}

void cl_stats_bounds(const struct cl_stats *s, const struct cl_field *field,
                     struct cl_bound *ret_lower, struct cl_bound *ret_upper)
{
    struct cl_stats_value min, max;
    cl_stats_encode(s, field, 16, &min, &max);
    if (s->any && field->type == CL_DECIMAL) {
        bool wide = cl_stats_kind(field) == CL_STATS_WIDE;
        __int128 low = wide ? s->min.d : s->min.i, high = wide ? s->max.d : s->max.i;
        put_big_endian(&min, low, shortest_bytes(low));
        put_big_endian(&max, high, shortest_bytes(high));
    } else if (s->any && cl_stats_kind(field) == CL_STATS_TEXT) {
        text_bounds(s, field->type == CL_STRING, &min, &max);
    }
    put_bound(ret_lower, &min);
    put_bound(ret_upper, &max);
}
