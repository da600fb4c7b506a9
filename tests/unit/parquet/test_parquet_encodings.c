/* test_parquet_encodings.c - the pieces below the Parquet writer: thrift, RLE, bitmaps, bounds,
 * statistics, dictionaries. */
#include "parquet/bits.h"
#include "parquet/bounds.h"
#include "parquet/chunk.h"
#include "parquet/dict.h"
#include "parquet/rle.h"
#include "parquet/stats.h"
#include "parquet/thrift.h"

#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    return cl_mix64(random_state);
}

/* ---- thrift ---- */

static void test_thrift_bytes(void **state)
{
    (void)state;
    struct cl_buf buf;
    struct cl_thrift t;
    cl_buf_init(&buf, 1 << 20);
    cl_thrift_init(&t, &buf, NULL);
    cl_thrift_bool(&t, 1, true);
    cl_thrift_bool(&t, 2, false);
    cl_thrift_i8(&t, 3, -1);
    cl_thrift_i16(&t, 4, -2);
    cl_thrift_i32(&t, 20, 300); /* 16 further: the long form of a field */
    cl_thrift_i64(&t, 21, INT64_MIN);
    cl_thrift_string(&t, 22, "ab");
    cl_thrift_list(&t, 23, CL_THRIFT_I64, 2);
    cl_thrift_item_int(&t, 1);
    cl_thrift_item_int(&t, -1);
    cl_thrift_struct_begin(&t, 24);
    cl_thrift_i32(&t, 1, 0);
    cl_thrift_struct_end(&t);
    cl_thrift_list(&t, 25, CL_THRIFT_STRUCT, 1);
    cl_thrift_item_struct_begin(&t);
    cl_thrift_struct_end(&t);
    assert_int_equal(cl_thrift_done(&t), CL_OK);
    static const uint8_t want[] = {0x11, 0x12, 0x13, 0xff, 0x14, 0x03, 0x05, 0x28, 0xd8, 0x04,
                                   0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0x01, 0x18, 0x02, 'a',  'b',  0x19, 0x26, 0x02, 0x01, 0x1c,
                                   0x15, 0x00, 0x00, 0x19, 0x1c, 0x00, 0x00};
    assert_int_equal(buf.len, sizeof want);
    assert_memory_equal(buf.data, want, sizeof want);
    cl_buf_fini(&buf);
}

static void test_thrift_long_list_and_booleans(void **state)
{
    (void)state;
    struct cl_buf buf;
    struct cl_thrift t;
    cl_buf_init(&buf, 1 << 20);
    cl_thrift_init(&t, &buf, NULL);
    cl_thrift_list(&t, 1, CL_THRIFT_TRUE, 15);
    for (int i = 0; i < 15; i++)
        cl_thrift_item_bool(&t, i == 14);
    assert_int_equal(cl_thrift_done(&t), CL_OK);
    static const uint8_t head[] = {0x19, 0xf1, 0x0f, 0x02};
    assert_int_equal(buf.len, 3 + 15 + 1);
    assert_memory_equal(buf.data, head, sizeof head);
    assert_int_equal(buf.data[17], 0x01);
    cl_buf_fini(&buf);
}

static void test_thrift_error_sticks(void **state)
{
    (void)state;
    struct cl_buf buf;
    struct cl_thrift t;
    struct cl_error err;
    cl_buf_init(&buf, 4);
    cl_thrift_init(&t, &buf, &err);
    cl_thrift_string(&t, 1, "does not fit");
    cl_thrift_bool(&t, 2, true); /* would fit, but must not follow */
    assert_int_equal(cl_thrift_done(&t), CL_ELIMIT);
    assert_int_equal(err.code, CL_ELIMIT);
    assert_true(buf.len <= 2);
    cl_buf_fini(&buf);
}

/* ---- RLE / bit-packing: a decoder written from Encodings.md ---- */

static uint64_t get_varint(const uint8_t **p)
{
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t byte = *(*p)++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return v;
    }
}

/* Fills out[0..n) and returns how many values the runs held, padding included. */
static size_t rle_decode(const uint8_t *p, const uint8_t *end, int width, uint32_t *out, size_t n)
{
    size_t got = 0;
    while (p < end) {
        uint64_t header = get_varint(&p);
        if (header & 1) {
            for (uint64_t i = 0; i < (header >> 1) * 8; i++, got++) {
                uint32_t v = 0;
                for (int b = 0; b < width; b++) {
                    size_t bit = i * (size_t)width + (size_t)b;
                    v |= (uint32_t)(p[bit / 8] >> (bit % 8) & 1) << b;
                }
                if (got < n) out[got] = v;
            }
            p += (header >> 1) * (uint64_t)width;
        } else {
            uint32_t v = 0;
            for (int b = 0; b < width; b += 8)
                v |= (uint32_t)*p++ << b;
            for (uint64_t i = 0; i < header >> 1; i++, got++)
                if (got < n) out[got] = v;
        }
    }
    assert_ptr_equal(p, end);
    return got;
}

static void check_rle(const uint32_t *values, size_t n, int width)
{
    size_t room = cl_rle_room(n, width);
    uint8_t *bytes = malloc(room); /* exactly: ASan sees a byte too many */
    uint32_t *back = malloc((n + 1) * sizeof *back);
    uint8_t *end = cl_rle_encode(bytes, values, n, width);
    assert_true((size_t)(end - bytes) <= room);
    size_t got = rle_decode(bytes, end, width, back, n);
    assert_true(got >= n && got < n + 8);
    assert_memory_equal(back, values, n * sizeof *values);
    free(bytes);
    free(back);
}

static void test_rle_round_trip(void **state)
{
    (void)state;
    enum { MAX = 1000 };
    uint32_t values[MAX];
    random_state = 1;
    for (int width = 0; width <= 32; width++) {
        uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;
        for (int round = 0; round < 60; round++) {
            size_t n = round < 20 ? (size_t)round : next_random() % MAX;
            unsigned run =
                1 + (unsigned)(next_random() % 30); /* mean length of runs of one value */
            uint32_t v = (uint32_t)next_random() & mask;
            for (size_t i = 0; i < n; i++) {
                if (next_random() % run == 0) v = (uint32_t)next_random() & mask;
                values[i] = v;
            }
            check_rle(values, n, width);
        }
    }
}

static void test_rle_is_small(void **state)
{
    (void)state;
    static uint32_t values[20000];
    static uint8_t bytes[1 << 20];
    assert_true(cl_rle_encode(bytes, values, 20000, 10) - bytes <= 5);
    for (size_t i = 0; i < 20000; i++)
        values[i] = (uint32_t)(i % 1000);
    assert_true(cl_rle_encode(bytes, values, 20000, 10) - bytes <= 25010);
    assert_int_equal(cl_rle_encode(bytes, values, 0, 10) - bytes, 0);
}

static void test_rle_width(void **state)
{
    (void)state;
    assert_int_equal(cl_rle_width(0), 0);
    assert_int_equal(cl_rle_width(1), 1);
    assert_int_equal(cl_rle_width(255), 8);
    assert_int_equal(cl_rle_width(256), 9);
    assert_int_equal(cl_rle_width(UINT32_MAX), 32);
}

static void test_levels(void **state)
{
    (void)state;
    random_state = 2;
    for (size_t n = 1; n < 300; n++) {
        uint8_t bits[64] = {0}, out[512];
        uint32_t want[300], back[300];
        size_t present = 0, odds = n % 3; /* all, none, some */
        for (size_t i = 0; i < n; i++) {
            want[i] = odds == 0 || (odds == 2 && next_random() % 2);
            present += want[i];
            bits[i / 8] |= (uint8_t)(want[i] << (i % 8));
        }
        uint8_t *end = cl_rle_levels(out, bits, n, present);
        assert_true(rle_decode(out, end, 1, back, n) >= n);
        assert_memory_equal(back, want, n * sizeof *want);
    }
}

/* ---- bitmaps ---- */

static void test_bits(void **state)
{
    (void)state;
    random_state = 3;
    for (int round = 0; round < 2000; round++) {
        enum { BITS = 400 };
        uint8_t *src = malloc(BITS / 8), dst[2 * BITS / 8 + 1], ref[2 * BITS / 8 + 1];
        for (size_t i = 0; i < BITS / 8; i++)
            src[i] = round % 3 == 0 ? 0xff : (uint8_t)next_random();
        size_t src_at = next_random() % BITS, n = next_random() % (BITS - src_at + 1),
               dst_at = next_random() % BITS, ones = 0;
        for (size_t i = 0; i < sizeof dst; i++)
            dst[i] = ref[i] = (uint8_t)next_random();
        for (size_t i = 0; i < n; i++) {
            unsigned bit = src[(src_at + i) / 8] >> ((src_at + i) % 8) & 1u;
            size_t to = dst_at + i;
            ref[to / 8] = (uint8_t)((ref[to / 8] & ~(1u << (to % 8))) | bit << (to % 8));
            ones += bit;
        }
        cl_bits_append(dst, dst_at, src, src_at, n);
        for (size_t i = 0; i < dst_at + n; i++)
            assert_int_equal(dst[i / 8] >> (i % 8) & 1, ref[i / 8] >> (i % 8) & 1);
        if (n > 0 && (dst_at + n) % 8 != 0)
            assert_int_equal(dst[(dst_at + n) / 8] >> ((dst_at + n) % 8), 0);
        assert_int_equal(cl_bits_count(src, src_at, n), ones);
        size_t seen = 0;
        for (size_t at = src_at, run; (run = cl_bits_next_run(src, at, src_at + n, &at)) > 0;
             at += run)
            seen += run;
        assert_int_equal(seen, ones);
        cl_bits_append_ones(dst, dst_at, n);
        assert_int_equal(cl_bits_count(dst, dst_at, n), n);
        free(src);
    }
}

/* ---- bounds ---- */

static void check_round_up(const char *text, bool utf8, const char *want)
{
    uint8_t buf[80];
    size_t len = strlen(text);
    memcpy(buf, text, len);
    size_t got = cl_bound_round_up(buf, len, utf8);
    assert_int_equal(got, strlen(want));
    assert_memory_equal(buf, want, got);
    if (got > 0) assert_true(cl_text_compare(buf, got, (const uint8_t *)text, len) > 0);
}

static void test_round_up(void **state)
{
    (void)state;
    check_round_up("abc", true, "abd");
    check_round_up("ab\x7f", true, "ab\xc2\x80");
    check_round_up("\xdf\xbf", true, "\xe0\xa0\x80");
    check_round_up("\xef\xbf\xbf", true, "\xf0\x90\x80\x80");
    check_round_up("\xed\x9f\xbf", true, "\xee\x80\x80"); /* U+D7FF: over the surrogates */
    check_round_up("a\xf4\x8f\xbf\xbf", true, "b");       /* U+10FFFF has no successor */
    check_round_up("\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf", true, "");
    check_round_up("", true, "");
    check_round_up("a\xff", false, "b");
    check_round_up("\xff\xff", false, "");
    check_round_up("a\x7f", false, "a\x80");
    check_round_up("a\xff", true, "b"); /* malformed: dropped */
    check_round_up("a\xc3", true, "b");
    check_round_up("\x80\x80", true, "");
}

static void test_cut(void **state)
{
    (void)state;
    const uint8_t *euros = (const uint8_t *)"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
    assert_int_equal(cl_bound_cut(euros, 9, true, 64, 16), 9);
    assert_int_equal(cl_bound_cut(euros, 9, true, 8, 16), 6);
    assert_int_equal(cl_bound_cut(euros, 9, true, 64, 1), 3);
    assert_int_equal(cl_bound_cut(euros, 9, false, 8, 16), 8);
    assert_int_equal(cl_bound_cut(euros, 9, false, 64, 2), 2);
    assert_int_equal(cl_bound_cut(euros, 0, true, 64, 16), 0);
    assert_int_equal(cl_bound_cut((const uint8_t *)"\xe2\x82", 2, true, 64, 16),
                     2); /* cut off in the middle */
}

/* Random strings: the cut is a lower bound, the rounded cut an upper one. */
static void test_bounds_are_bounds(void **state)
{
    (void)state;
    random_state = 4;
    for (int round = 0; round < 20000; round++) {
        uint8_t text[24], buf[24 + CL_BOUND_SLACK];
        size_t len = next_random() % sizeof text;
        bool utf8 = round % 2 == 0;
        for (size_t i = 0; i < len; i++)
            text[i] = round % 5 == 0 ? 0xff : (uint8_t)next_random();
        size_t cut = cl_bound_cut(text, len, utf8, 12, 6);
        assert_true(cut <= len && cut <= 12);
        assert_true(cl_text_compare(text, cut, text, len) <= 0);
        memcpy(buf, text, cut);
        size_t up = cl_bound_round_up(buf, cut, utf8);
        if (up > 0) assert_true(cl_text_compare(buf, up, text, len) > 0);
    }
}

/* ---- statistics ---- */

static struct cl_field field_of(enum cl_type type, int precision)
{
    return (struct cl_field){.id = 1, .name = "c", .type = type, .precision = precision};
}

static void check_value(const struct cl_stats_value *v, const void *want, size_t len, bool exact)
{
    assert_true(v->present);
    assert_int_equal(v->exact, exact);
    assert_int_equal(v->len, len);
    assert_memory_equal(v->bytes, want, len);
}

static void check_bound(const struct cl_bound *b, const void *want, size_t len)
{
    assert_true(b->present);
    assert_int_equal(b->len, len);
    assert_memory_equal(b->bytes, want, len);
}

static void test_stats_int(void **state)
{
    (void)state;
    int32_t values[] = {5, -7, 3, 2, 1, 0, 100, INT32_MIN, INT32_MAX};
    struct cl_field field = field_of(CL_INT, 0);
    for (size_t n = 1; n <= sizeof values / sizeof *values; n++) {
        struct cl_stats s = {.any = false};
        int32_t low = values[0], high = values[0];
        for (size_t i = 0; i < n; i++) {
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
        }
        cl_stats_add_int32(&s, values, n);
        struct cl_stats_value min, max;
        cl_stats_encode(&s, &field, 0, &min, &max);
        check_value(&min, &low, 4, true);
        check_value(&max, &high, 4, true);
    }
}

static void test_stats_float_rules(void **state)
{
    (void)state;
    double values[] = {NAN, 0.0, NAN, NAN, NAN, NAN};
    struct cl_field field = field_of(CL_DOUBLE, 0);
    struct cl_stats s = {.any = false};
    struct cl_stats_value min, max;
    cl_stats_add_double(&s, values, 1);
    cl_stats_encode(&s, &field, 0, &min, &max);
    assert_false(min.present || max.present);
    cl_stats_add_double(&s, values, 6);
    assert_int_equal(s.nans, 6);
    cl_stats_encode(&s, &field, 0, &min, &max);
    double minus_zero = -0.0, zero = 0.0;
    check_value(&min, &minus_zero, 8, true);
    check_value(&max, &zero, 8, true);
    float few[] = {1.5f, NAN, -INFINITY, 2, 3, 4}, low = -INFINITY, high = 4;
    struct cl_field narrow = field_of(CL_FLOAT, 0);
    s = (struct cl_stats){.any = false};
    cl_stats_add_float(&s, few, 6);
    cl_stats_encode(&s, &narrow, 0, &min, &max);
    check_value(&min, &low, 4, true);
    check_value(&max, &high, 4, true);
}

static void test_stats_decimal_bounds(void **state)
{
    (void)state;
    struct cl_field field = field_of(CL_DECIMAL, 38);
    struct cl_stats s = {.any = false};
    __int128 values[] = {-128, 255};
    cl_stats_add_wide(&s, values, 2);
    struct cl_bound lower, upper;
    cl_stats_bounds(&s, &field, &lower, &upper);
    check_bound(&lower, "\x80", 1); /* shortest two's complement, big-endian */
    check_bound(&upper, "\x00\xff", 2);
    struct cl_stats_value min, max;
    cl_stats_encode(&s, &field, 16, &min, &max);
    check_value(&min, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80", 16, true);
}

static void add_text(struct cl_stats *s, const char *text)
{
    struct cl_text_range range = {.any = false};
    cl_text_range_add(&range, (const uint8_t *)text, strlen(text));
    cl_stats_add_text(s, &range, true);
}

static void test_stats_text(void **state)
{
    (void)state;
    struct cl_field field = field_of(CL_STRING, 0);
    struct cl_stats s = {.any = false};
    struct cl_stats_value min, max;
    struct cl_bound lower, upper;
    add_text(&s, "m");
    add_text(&s, "the quick brown fox");
    add_text(&s, "");
    cl_stats_encode(&s, &field, 0, &min, &max);
    check_value(&min, "", 0, true);
    check_value(&max, "the quick brown fox", 19, true);
    cl_stats_bounds(&s, &field, &lower, &upper);
    check_bound(&lower, "", 0);
    check_bound(&upper, "the quick brown!" /* "the quick brown " + 1 */, 16);

    char lng[101];
    memset(lng, 'z', 100);
    lng[100] = '\0';
    add_text(&s, lng);
    cl_stats_encode(&s, &field, 0, &min, &max);
    assert_false(max.exact);
    assert_int_equal(max.len, 64);
    assert_memory_equal(max.bytes, lng, 63);
    assert_int_equal(max.bytes[63], '{');
    cl_stats_bounds(&s, &field, &lower, &upper);
    check_bound(&upper, "zzzzzzzzzzzzzzz{", 16);
}

static void test_stats_text_without_upper(void **state)
{
    (void)state;
    struct cl_field field = field_of(CL_STRING, 0);
    struct cl_stats s = {.any = false};
    char top[4 * 20 + 1] = "";
    for (int i = 0; i < 20; i++)
        memcpy(top + 4 * i, "\xf4\x8f\xbf\xbf", 5);
    add_text(&s, top);
    add_text(&s, "a");
    struct cl_bound lower, upper;
    struct cl_stats_value min, max;
    cl_stats_encode(&s, &field, 0, &min, &max);
    assert_false(max.present);
    check_value(&min, "a", 1, true);
    cl_stats_bounds(&s, &field, &lower, &upper);
    assert_false(upper.present);
    check_bound(&lower, "a", 1);
    struct cl_stats other = {.any = false};
    add_text(&other, "zz"); /* merging something smaller must not bring a maximum back */
    cl_stats_merge(&other, &s, CL_STATS_TEXT);
    cl_stats_encode(&other, &field, 0, &min, &max);
    assert_false(max.present);
}

static void test_text_range(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "b", "a", "a\0b", "abcdefgh", "abcdefghi", "abcdefgg\xff", "\xff", ""};
    static const size_t lens[] = {1, 1, 3, 8, 9, 9, 1, 0};
    uint8_t *exact[8]; /* without a byte behind them: reads past the end are seen */
    for (int k = 0; k < 8; k++) {
        exact[k] = malloc(lens[k] + !lens[k]);
        memcpy(exact[k], texts[k], lens[k]);
    }
    random_state = 5;
    for (int round = 0; round < 500; round++) {
        struct cl_text_range r = {.any = false};
        size_t low = 0, high = 0;
        for (int i = 0; i < 4; i++) {
            size_t k = next_random() % 8;
            const uint8_t *text = exact[k];
            if (i == 0 ||
                cl_text_compare(text, lens[k], (const uint8_t *)texts[low], lens[low]) < 0)
                low = k;
            if (i == 0 ||
                cl_text_compare(text, lens[k], (const uint8_t *)texts[high], lens[high]) > 0)
                high = k;
            cl_text_range_add(&r, text, lens[k]);
        }
        assert_int_equal(cl_text_compare(r.min, r.min_len, (const uint8_t *)texts[low], lens[low]),
                         0);
        assert_int_equal(
            cl_text_compare(r.max, r.max_len, (const uint8_t *)texts[high], lens[high]), 0);
    }
    for (int k = 0; k < 8; k++)
        free(exact[k]);
}

/* ---- layouts ---- */

/* The least width whose largest number has that many digits: computed, not looked up. */
static void test_decimal_layout(void **state)
{
    (void)state;
    __int128 most = 0;
    for (int precision = 1; precision <= 38; precision++) {
        most = most * 10 + 9;
        int bytes = 1;
        while (bytes < 16 && most >> (8 * bytes - 1) != 0)
            bytes++;
        struct cl_field field = field_of(CL_DECIMAL, precision);
        struct cl_pq_layout layout = cl_pq_layout(&field);
        assert_int_equal(layout.type, precision <= 9    ? CL_PQ_INT32
                                      : precision <= 18 ? CL_PQ_INT64
                                                        : CL_PQ_FIXED);
        assert_int_equal(layout.width, precision <= 9 ? 4 : precision <= 18 ? 8 : bytes);
    }
}

/* ---- dictionaries ---- */

static void test_dict_fixed(void **state)
{
    (void)state;
    random_state = 6;
    for (size_t width = 4; width <= 8; width += 4) {
        enum { N = 20000 };
        static uint8_t values[N * 8];
        static uint32_t indexes[N];
        struct cl_dict d;
        struct cl_buf back;
        size_t done = 0;
        cl_dict_init(&d, width);
        cl_buf_init(&back, 1 << 20);
        for (int round = 0; round < 2; round++) {
            for (size_t i = 0; i < N; i++) {
                uint64_t v =
                    next_random() % 500
                    << (width == 8 ? 50 : 20); /* high bits only, as in few-digit doubles */
                memcpy(values + i * width, &v, width);
            }
            assert_int_equal(cl_dict_add_fixed(&d, values, N, indexes, &done, NULL), CL_OK);
            assert_int_equal(done, N);
            assert_int_equal(d.n, 500);
            cl_buf_reset(&back);
            assert_int_equal(cl_dict_decode(&d, indexes, N, &back, NULL), CL_OK);
            assert_int_equal(back.len, N * width);
            assert_memory_equal(back.data, values, N * width);
            cl_dict_reset(&d);
            assert_int_equal(d.n, 0);
        }
        cl_buf_fini(&back);
        cl_dict_fini(&d);
    }
}

static void test_dict_full(void **state)
{
    (void)state;
    enum { N = CL_DICT_MAX_VALUES + 10 };
    int32_t *values = malloc(N * sizeof *values);
    uint32_t *indexes = malloc(N * sizeof *indexes);
    struct cl_dict d;
    size_t done = 0;
    for (int i = 0; i < N; i++)
        values[i] = i * 7;
    cl_dict_init(&d, 4);
    assert_int_equal(cl_dict_add_fixed(&d, values, N, indexes, &done, NULL), CL_OK);
    assert_int_equal(done, CL_DICT_MAX_VALUES);
    assert_int_equal(cl_dict_add_fixed(&d, values, 100, indexes, &done, NULL),
                     CL_OK); /* known values still have indexes */
    assert_int_equal(done, 100);
    assert_int_equal(indexes[99], 99);
    assert_true(cl_dict_memory_bytes(&d) >= CL_DICT_MAX_VALUES * 4);
    cl_dict_fini(&d);
    free(values);
    free(indexes);
}

static void test_dict_texts(void **state)
{
    (void)state;
    enum { N = 3000, LENS = 40 };
    random_state = 7;
    int32_t offsets[N + 1] = {0};
    uint8_t *data = malloc(N * LENS);
    uint32_t indexes[N];
    size_t done = 0, at = 0;
    for (int i = 0; i < N; i++) {
        /* Few texts of every length from 0, alike but for one byte somewhere. */
        size_t len = next_random() % LENS, odd = len > 0 ? next_random() % len : 0;
        memset(data + at, 'x', len);
        if (len > 0) data[at + odd] = (uint8_t)('a' + next_random() % 2);
        at += len;
        offsets[i + 1] = (int32_t)at;
    }
    data = realloc(data, at); /* reads past the end are seen */
    struct cl_dict d;
    struct cl_text_range range = {.any = false}, again = {.any = false};
    struct cl_buf back;
    cl_dict_init(&d, 0);
    cl_buf_init(&back, 1 << 20);
    assert_int_equal(cl_dict_add_texts(&d, data, offsets, N, 1, &range, indexes, &done, NULL),
                     CL_OK);
    assert_int_equal(done, N);
    assert_int_equal(range.min_len, 0);
    assert_int_equal(cl_dict_decode(&d, indexes, N, &back, NULL), CL_OK);
    const uint8_t *p = back.data;
    for (int i = 0; i < N; i++) {
        uint32_t len;
        memcpy(&len, p, 4);
        assert_int_equal(len, offsets[i + 1] - offsets[i]);
        assert_memory_equal(p + 4, data + offsets[i], len);
        p += 4 + len;
    }
    for (int i = 0; i < N; i++) /* equal texts, equal indexes: the dictionary has no double */
        for (int k = 0; k < i && i < 300; k++) {
            size_t a = (size_t)(offsets[i + 1] - offsets[i]),
                   b = (size_t)(offsets[k + 1] - offsets[k]);
            bool same = a == b && memcmp(data + offsets[i], data + offsets[k], a) == 0;
            assert_int_equal(same, indexes[i] == indexes[k]);
        }
    assert_int_equal(cl_dict_add_texts(&d, data, offsets, N, 1, &again, indexes, &done, NULL),
                     CL_OK);
    assert_false(again.any); /* this page has seen them all */
    assert_int_equal(cl_dict_add_texts(&d, data, offsets, N, 2, &again, indexes, &done, NULL),
                     CL_OK);
    assert_true(again.any);
    cl_buf_fini(&back);
    cl_dict_fini(&d);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thrift_bytes),
        cmocka_unit_test(test_thrift_long_list_and_booleans),
        cmocka_unit_test(test_thrift_error_sticks),
        cmocka_unit_test(test_rle_round_trip),
        cmocka_unit_test(test_rle_is_small),
        cmocka_unit_test(test_rle_width),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_round_up),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bounds_are_bounds),
        cmocka_unit_test(test_stats_int),
        cmocka_unit_test(test_stats_float_rules),
        cmocka_unit_test(test_stats_decimal_bounds),
        cmocka_unit_test(test_stats_text),
        cmocka_unit_test(test_stats_text_without_upper),
        cmocka_unit_test(test_text_range),
        cmocka_unit_test(test_decimal_layout),
        cmocka_unit_test(test_dict_fixed),
        cmocka_unit_test(test_dict_full),
        cmocka_unit_test(test_dict_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
