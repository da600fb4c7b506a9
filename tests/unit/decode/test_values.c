/* test_values.c - times as cl_time_parse takes them, uuids, base64: random texts near the valid
 * ones. */
#include "decode/values.h"

#include "base/clock.h"

#include "../../tools/decode_fixture.h"
#include "../../tools/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A time of the usual shapes; each field now and then out of its range. */
static size_t random_time(uint64_t *seed, char *text, size_t size)
{
    static const char *const zones[] = {"",       "",       "Z",      "+00:00", "-03:30", "+0545",
                                        "+19:00", "+18:59", "-05:60", "+5:00",  "z",      "+05"};
    char fraction[16] = "";
    uint32_t digits = random_below(seed, 12);
    if (random_below(seed, 2) == 0)
        (void)snprintf(fraction, sizeof fraction, ".%0*u", (int)digits,
                       random_below(seed, 1000000));
    int n =
        snprintf(text, size, "%04u-%02u-%02u%c%02u:%02u:%02u%s%s", random_below(seed, 10000),
                 random_below(seed, 14), random_below(seed, 33), "TTT  t"[random_below(seed, 6)],
                 random_below(seed, 25), random_below(seed, 61), random_below(seed, 61), fraction,
                 zones[random_below(seed, 12)]);
    return n < 0 ? 0 : (size_t)n;
}

static size_t mutate(uint64_t *seed, char *text, size_t len)
{
    static const char bytes[] = "0123456789-:.TZ+ /;@Oo\x01\x7f";
    switch (random_below(seed, 6)) {
    case 0: return len > 0 ? random_below(seed, (uint32_t)len) : 0;
    case 1:
    case 2:
        if (len > 0)
            text[random_below(seed, (uint32_t)len)] = bytes[random_below(seed, sizeof bytes - 1)];
        return len;
    case 3: text[len] = bytes[random_below(seed, sizeof bytes - 1)]; return len + 1;
    default: return len;
    }
}

static void times_as_parsed(void **state)
{
    (void)state;
    struct decode_fixture f;
    uint64_t seed = 11;
    int good = 0, bad = 0;
    decode_fixture_init(&f, NULL, "strict");
    for (int i = 0; i < 500000; i++) {
        char text[80], message[200];
        size_t len = mutate(&seed, text, random_time(&seed, text, sizeof text - 1));
        int64_t want = 0;
        bool valid = cl_time_parse(text, len, &want, NULL) == CL_OK && memchr(text, 1, len) == NULL;
        int used = snprintf(message, sizeof message,
                            "{\"t\":\"%.*s\",\"id\":\"\",\"at\":{\"x\":1}}", (int)len, text);
        bool got = decode_fixture_decode(&f, message, (size_t)used) == CL_DECODED_ROW;
        if (got != valid)
            fail_msg("'%.*s': decoder %d, cl_time_parse %d", (int)len, text, got, valid);
        if (got && *(int64_t *)f.batch->columns[0].values != want)
            fail_msg("'%.*s': other time", (int)len, text);
        good += valid;
        bad += !valid;
    }
    assert_true(good > 50000 && bad > 50000);
    decode_fixture_fini(&f);
}

/* Every day of four centuries, by the fast way. */
static void every_day(void **state)
{
    (void)state;
    int64_t day = cl_days_from_civil(1800, 1, 1), last = cl_days_from_civil(2200, 12, 31), us;
    for (; day <= last; day++) {
        int64_t year;
        unsigned month, mday;
        char text[40];
        cl_civil_from_days(day, &year, &month, &mday);
        int len = snprintf(text, sizeof text, "%04d-%02u-%02uT23:59:58\"", (int)year, month, mday);
        const uint8_t *p = (const uint8_t *)text;
        assert_ptr_equal(cl_time_scan(p, p + len, &us), p + 19);
        assert_int_equal(us, (day * 86400 + 86398) * 1000000);
        (void)snprintf(text, sizeof text, "%04d-%02u-%02uT23:59:58\"", (int)year, month, mday + 1);
        bool is_last = month == 12 ? mday == 31 : cl_days_from_civil(year, month + 1, 1) == day + 1;
        if (is_last != (cl_time_scan(p, p + len, &us) == NULL)) fail_msg("%s", text);
    }
}

static void uuids(void **state)
{
    (void)state;
    static const char good[] = "01234567-89ab-cdef-ABCD-EF0123456789";
    uint8_t *text = malloc(CL_UUID_LEN); /* exactly: ASan sees a read past it */
    assert_non_null(text);
    memcpy(text, good, CL_UUID_LEN);
    assert_true(cl_uuid_check(text));
    for (int at = 0; at < CL_UUID_LEN; at++) {
        bool hyphen = good[at] == '-';
        for (int c = 0; c < 256; c++) {
            text[at] = (uint8_t)c;
            bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            if (cl_uuid_check(text) != (hyphen ? c == '-' : hex))
                fail_msg("byte %d = 0x%02x", at, c);
        }
        text[at] = (uint8_t)good[at];
    }
    free(text);
}

/* The encoder of the test: the plainest reading of RFC 4648. */
static size_t encode(const uint8_t *src, size_t len, char *dst)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = 0;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)src[i] << 16 | (i + 1 < len ? (uint32_t)src[i + 1] << 8 : 0) |
                        (i + 2 < len ? src[i + 2] : 0u);
        for (size_t k = 0; k < 4; k++)
            dst[used++] = i + k > len ? '=' : letters[bits >> (18 - 6 * k) & 63];
    }
    return used;
}

static void base64(void **state)
{
    (void)state;
    uint64_t seed = 12;
    for (size_t len = 0; len < 200; len++) {
        uint8_t bytes[200], out[300];
        char text[300];
        size_t got;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)random_next(&seed);
        size_t used = encode(bytes, len, text);
        memcpy(out, text, used);
        assert_true(cl_base64_decode(out, used, out, &got)); /* in place, as the decoder does */
        assert_int_equal(got, len);
        assert_memory_equal(out, bytes, len);
        for (size_t cut = 1; cut < 4 && cut < used; cut++)
            assert_false(cl_base64_decode((const uint8_t *)text, used - cut, out, &got));
        if (used == 0) continue;
        char *at = &text[random_below(&seed, (uint32_t)used)], before = *at;
        for (int c = 0; c < 256; c++) {
            *at = (char)c;
            bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || c == '+' || c == '/';
            if (!letter && c != '=')
                assert_false(cl_base64_decode((const uint8_t *)text, used, out, &got));
            /* What is taken must be the one text of these bytes. */
            if (!cl_base64_decode((const uint8_t *)text, used, out, &got)) continue;
            char again[300];
            assert_int_equal(encode(out, got, again), used);
            assert_memory_equal(again, text, used);
        }
        *at = before;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_as_parsed),
        cmocka_unit_test(every_day),
        cmocka_unit_test(uuids),
        cmocka_unit_test(base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
