/* test_decoder.c - what each column type takes, every reason for a reject, and its words. */
#include "../../tools/decode_fixture.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct decode_fixture all, strict;

static void decode_ok(struct decode_fixture *f, const char *text)
{
    if (decode_fixture_decode(f, text, strlen(text)) != CL_DECODED_ROW)
        fail_msg("%s: %s", text, f->reject.detail);
}

/* A message of feed "all" with one more member. */
static void decode_member(const char *member)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "{\"t\": \"2026-01-05T08:00:00\", %s}", member);
    decode_ok(&all, text);
}

static const struct cl_column *slot(const char *name)
{
    return &all.batch->columns[decode_fixture_column(&all, name)];
}

static const struct cl_column *present(const char *name)
{
    const struct cl_column *col = slot(name);
    if (!cl_column_is_valid(col, 0)) fail_msg("%s is null", name);
    return col;
}

static int64_t as_long(const char *name)
{
    const struct cl_column *col = present(name);
    return cl_type_width(col->type) == 4 ? *(const int32_t *)col->values
                                         : *(const int64_t *)col->values;
}

static double as_double(const char *name)
{
    return *(const double *)present(name)->values;
}

static void assert_text(const char *name, const void *want, size_t len)
{
    const struct cl_column *col = present(name);
    assert_int_equal(col->offsets[1] - col->offsets[0], len);
    assert_memory_equal(col->data, want, len);
}

#define assert_string(name, want) assert_text(name, want, sizeof(want) - 1)

static void booleans(void **state)
{
    (void)state;
    decode_member("\"b\": true");
    assert_true(cl_bit_get(present("b")->values, 0));
    decode_member("\"b\":false");
    assert_false(cl_bit_get(present("b")->values, 0));
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *column;
        int64_t value;
    } cases[] = {
        {"0", "i", 0},
        {"-0", "i", 0},
        {"2147483647", "i", INT32_MAX},
        {"-2147483648", "i", INT32_MIN},
        {"5.0", "i", 5},
        {"1e3", "i", 1000},
        {"1E+3", "i", 1000},
        {"12300e-2", "i", 123},
        {"0e999999999999999999", "i", 0},
        {"0.000e-99999999999999999999", "i", 0},
        {"1.5e1", "i", 15},
        {"-25.00", "i", -25},
        {"9223372036854775807", "l", INT64_MAX},
        {"-9223372036854775808", "l", INT64_MIN},
        {"9223372036854775807.000", "l", INT64_MAX},
        {"922337203685477580.7e1", "l", INT64_MAX},
        {"9007199254740993", "l", 9007199254740993},
        {"10000000000000000000000e-10", "l", 1000000000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char member[200];
        (void)snprintf(member, sizeof member, "\"%s\": %s", cases[i].column, cases[i].text);
        decode_member(member);
        if (as_long(cases[i].column) != cases[i].value)
            fail_msg("%s: %lld", cases[i].text, (long long)as_long(cases[i].column));
    }
}

static void doubles_and_floats(void **state)
{
    (void)state;
    decode_member("\"d\": 0.1, \"f\": 0.1");
    assert_true(as_double("d") == 0.1);
    assert_true(*(const float *)present("f")->values == 0.1f);
    decode_member("\"d\": -0.0");
    assert_true(as_double("d") == 0 && 1 / as_double("d") < 0);
    /* Rounding to double first would round this up to even: just under the middle of 1 and 1 +
     * 2^-23. */
    decode_member("\"f\": 1.0000000596046447753906249999999999999999");
    assert_true(*(const float *)present("f")->values == 1.0f);
    decode_member("\"f\": 1.00000005960464477539062500000000000001");
    assert_true(*(const float *)present("f")->values == 1.0f + 0x1p-23f);
    decode_member("\"f\": 1e-45");
    assert_true(*(const float *)present("f")->values == 0x1p-149f);
    /* 0.1 as a float is more than 0.1, but the number as written is inside the range. */
    decode_member("\"share\": 0.1");
    assert_true(*(const float *)present("share")->values == 0.1f);
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *column;
        int64_t high; /* value = high * 10^18 + low */
        int64_t low;
    } cases[] = {
        {"12.5", "dec", 0, 1250},
        {"-12.34", "dec", 0, -1234},
        {"9999999.99", "dec", 0, 999999999},
        {"0", "dec", 0, 0},
        {"1.2300000", "dec", 0, 123},
        {"1e-2", "dec", 0, 1},
        {"1234500e-4", "dec", 0, 12345},
        {"1.5e3", "dec", 0, 150000},
        {"123456789012345678901234567.0123456789", "wide", 1234567890123456789, 12345670123456789},
        {"0.0000000001", "wide", 0, 1},
        {"100000000000000000000e-20", "wide", 0, 10000000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char member[200];
        (void)snprintf(member, sizeof member, "\"%s\": %s", cases[i].column, cases[i].text);
        decode_member(member);
        __int128 got, want = (__int128)cases[i].high * 1000000000000000000 + cases[i].low;
        memcpy(&got, present(cases[i].column)->values, 16);
        if (got != want) fail_msg("%s: low bits %lld", cases[i].text, (long long)got);
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *member, *column;
        int64_t value;
    } cases[] = {
        {"\"ts\": 1767600000", "ts", 1767600000000000},
        {"\"ts\": 1767600000.25", "ts", 1767600000250000},
        {"\"ts\": 1767600000.9999999", "ts", 1767600000999999},
        {"\"ts\": -0.0000001", "ts", -1},
        {"\"ts\": 1.7676e9", "ts", 1767600000000000},
        {"\"tm\": 1767600000123.4567", "tm", 1767600000123456},
        {"\"tm\": -1", "tm", -1000},
        {"\"tu\": 1767600000123456", "tu", 1767600000123456},
        {"\"tu\": 0.9", "tu", 0},
        {"\"day\": \"1970-01-02\"", "day", 1},
        {"\"day\": \"1969-12-31T23:59:59.5\"", "day", -1},
        {"\"day\": \"2026-01-05T00:30:00+01:00\"", "day", 20457},
        {"\"dm\": 86400000", "dm", 1},
        {"\"dm\": -1", "dm", -1},
        {"\"dm\": 86399999.9", "dm", 0},
        {"\"ts\": 253402300799.999999", "ts", 253402300799999999},
        {"\"ts\": -62167219200", "ts", -62167219200000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        decode_member(cases[i].member);
        if (as_long(cases[i].column) != cases[i].value)
            fail_msg("%s: %lld", cases[i].member, (long long)as_long(cases[i].column));
    }
    static const char *const texts[] = {
        "2026-01-05T08:00:00Z",
        "2026-01-05 08:00:00",
        "2026-01-05T08:00",
        "2026-01-05T10:00:00+02:00",
        "2026-01-05T10:00:00+0200",
        "2026-01-05T04:30:00-03:30",
        "2026-01-05T08:00:00.000000999",
        "2026\\u002d01\\u002D05T08:00:00",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "{\"t\":\"%s\"}", texts[i]);
        decode_ok(&all, text);
        if (as_long("t") != 1767600000000000)
            fail_msg("%s: %lld", texts[i], (long long)as_long("t"));
    }
}

static void strings(void **state)
{
    (void)state;
    decode_member("\"s\": \"\"");
    assert_string("s", "");
    decode_member("\"s\": \"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"");
    assert_string("s", "a\"\\/\b\f\n\r\tz");
    decode_member("\"s\": \"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\\u0000!\"");
    assert_string("s", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0!");
    decode_member("\"s\": \"h\xc3\xa9llo \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80\x7f\"");
    assert_string("s", "h\xc3\xa9llo \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80\x7f");
    decode_member("\"bin\": \"\xc3\xa9\\n\"");
    assert_string("bin", "\xc3\xa9\n");
    /* max_length counts bytes without escapes. */
    decode_member("\"lim\": \"\\u0061\\u0062\\u0063\\u0064\\u0065\"");
    assert_string("lim", "abcde");
    decode_member("\"kind\": \"Fire\"");
    assert_string("kind", "Fire");
    decode_member("\"kind\": \"\\u00e9t\\u00e9\"");
    assert_string("kind", "\xc3\xa9t\xc3\xa9");
    decode_member("\"u\": \"01234567-89ab-CDEF-0123-456789abcdef\"");
    assert_string("u", "01234567-89ab-CDEF-0123-456789abcdef");
    decode_member("\"u\": \"\\u00301234567-89ab-CDEF-0123-456789abcdef\"");
    assert_string("u", "01234567-89ab-CDEF-0123-456789abcdef");
}

/* Strings of every length around the block sizes, at every distance from the end of the message. */
static void string_lengths(void **state)
{
    (void)state;
    char text[400], want[300];
    for (size_t len = 0; len < 150; len++)
        for (size_t tail = 0; tail < 20; tail++) {
            for (size_t i = 0; i < len; i++)
                want[i] = (char)('a' + (i + len) % 26);
            int used = snprintf(text, sizeof text, "{\"t\":\"2026-01-05\",\"s\":\"%.*s\"%*s}",
                                (int)len, want, (int)tail, "");
            assert_int_equal(decode_fixture_decode(&all, text, (size_t)used), CL_DECODED_ROW);
            assert_text("s", want, len);
        }
}

static void base64(void **state)
{
    (void)state;
    decode_member("\"b64\": \"\"");
    assert_string("b64", "");
    decode_member("\"b64\": \"Zm9vYmFy\"");
    assert_string("b64", "foobar");
    decode_member("\"b64\": \"Zm9vYmE=\"");
    assert_string("b64", "fooba");
    decode_member("\"b64\": \"Zg==\"");
    assert_string("b64", "f");
    decode_member("\"b64\": \"+\\/\\/+\"");
    assert_string("b64", "\xfb\xff\xfe");
    decode_member("\"lim64\": \"AAAAAA==\"");
    assert_string("lim64", "\0\0\0\0");
}

static void paths(void **state)
{
    (void)state;
    decode_member("\"loc\": [51.5, -0.1, {\"x\": [1, 2]}, null, 4, 5, 6, 7, 8, \"ninth\", 10], "
                  "\"x\": {\"s\": \"not this one\"}");
    assert_true(as_double("lat") == 51.5 && as_double("lon") == -0.1);
    assert_string("far", "ninth");
    assert_false(cl_column_is_valid(slot("s"), 0));
    decode_member("\"loc\": [51.5]");
    assert_true(as_double("lat") == 51.5);
    assert_false(cl_column_is_valid(slot("lon"), 0));
    decode_member("\"loc\": [ ], \"a\": { }");
    assert_false(cl_column_is_valid(slot("lat"), 0));
    decode_member("\"loc\": null, \"a\": null");
    assert_false(cl_column_is_valid(slot("deep"), 0));
    decode_member("\"a\": {\"name\": \"n\", \"b\": [0, {}, {\"c\": 7, \"d\": []}, 3], \"z\": 1}");
    assert_string("near", "n");
    assert_int_equal(as_long("deep"), 7);
    decode_member("\"odd \\\"name\\\"\": \"x\", \"gr\xc3\xb6\xc3\x9f"
                  "e\": 4, \"\": 5");
    assert_string("odd", "x");
    assert_int_equal(as_long("size"), 4);
    assert_int_equal(as_long("short_empty"), 5);
    decode_member("\"gr\\u00f6\\u00dfe\": 8, \"spe\\u0065d\" : "
                  "9.5,\"very_long_member_name_of_more_than_thirty_two_bytes\":6");
    assert_int_equal(as_long("size"), 8);
    assert_int_equal(as_long("very_long_member_name_of_more_than_thirty_two_bytes"), 6);
    assert_true(as_double("speed") == 9.5);
}

/* Members may come in any order and with any white space; a guess that was learnt from one message
 * must not harm the next. */
static void member_order(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "{\"t\":\"2026-01-05\",\"i\":1,\"l\":2,\"d\":3}",
        "{\"d\":3,\"l\":2,\"i\":1,\"t\":\"2026-01-05\"}",
        " {\n\t\"l\" : 2 ,\r\n \"x\" : [ ] , \"d\":  3, \"t\" :\"2026-01-05\" , \"i\":1 } \n",
        "{\"i\":1,\"unread\":{\"i\":9},\"t\":\"2026-01-05\",\"other\":null,\"l\":2,\"d\":3}",
        "{\"t\":\"2026-01-05\",\"i\":1,\"ii\":4,\"l\":2,\"d\":3,\"dd\":\"x\"}",
    };
    for (int i = 0; i < 200; i++) {
        decode_ok(&all, messages[i * 7 % 5]);
        assert_int_equal(as_long("i"), 1);
        assert_int_equal(as_long("l"), 2);
        assert_true(as_double("d") == 3);
    }
}

/* Whatever is absent or null is null, although the slot held a value before. */
static void nulls(void **state)
{
    (void)state;
    decode_member("\"b\": true, \"i\": 5, \"s\": \"text\", \"dec\": 1.5, \"loc\": [1, 2]");
    decode_member("\"b\": null, \"s\": null, \"loc\": [null]");
    for (size_t c = 1; c < all.feed->n_columns; c++) {
        const struct cl_column *col = &all.batch->columns[c];
        assert_false(cl_column_is_valid(col, 0));
        static const uint8_t zero[16];
        assert_memory_equal(col->values == NULL ? (const void *)&col->offsets[1] : col->values,
                            zero, cl_type_width(col->type) > 0 ? cl_type_width(col->type) : 1);
    }
}

static void conversions(void **state)
{
    (void)state;
    decode_member("\"ms\": 10");
    assert_true(as_double("kmh") == 10 * (1000.0 / 3600 / (1000.0 / 3600) * 3.6));
}

struct reject_case {
    const char *text;
    enum cl_reject_reason reason;
    const char *column, *detail; /* NULL: of no column; any words */
};

static void check_rejects(struct decode_fixture *f, const struct reject_case *cases, size_t n,
                          const char *before)
{
    for (size_t i = 0; i < n; i++) {
        char text[2000];
        (void)snprintf(text, sizeof text, "%s%s", before, cases[i].text);
        enum cl_decoded done = decode_fixture_decode(f, text, strlen(text));
        if (done != CL_DECODED_REJECT) fail_msg("%s: accepted", text);
        if (f->reject.reason != cases[i].reason)
            fail_msg("%s: %s: %s", text, cl_reject_reason_text(f->reject.reason), f->reject.detail);
        int column = cases[i].column == NULL ? -1 : decode_fixture_column(f, cases[i].column);
        if (f->reject.column != column) fail_msg("%s: column %d", text, f->reject.column);
        if (cases[i].detail != NULL && strcmp(f->reject.detail, cases[i].detail) != 0)
            fail_msg("%s:\n%s\nwanted\n%s", text, f->reject.detail, cases[i].detail);
    }
}

static void rejects_of_messages(void **state)
{
    (void)state;
    static const struct reject_case cases[] = {
        {"", CL_REJECT_EMPTY, NULL, "the message is empty"},
        {" \t\r\n", CL_REJECT_EMPTY, NULL, "the message has only white space"},
        {"[1]", CL_REJECT_NOT_OBJECT, NULL, "expected an object, found an array"},
        {" \"text\"", CL_REJECT_NOT_OBJECT, NULL, "expected an object, found \"text\""},
        {"12", CL_REJECT_NOT_OBJECT, NULL, "expected an object, found 12"},
        {"null", CL_REJECT_NOT_OBJECT, NULL, NULL},
        {"12x", CL_REJECT_SYNTAX, NULL,
         "more bytes after the end of the message at byte 2, found x"},
        {"\xef\xbb\xbf{}", CL_REJECT_SYNTAX, NULL,
         "begins with a byte order mark: write JSON without one at byte 0, found \\xef"},
        {"{\"t\": \"2026-01-05\"} {}", CL_REJECT_SYNTAX, NULL,
         "more bytes after the end of the message at byte 20, found {"},
        {"{\"t\": \"2026-0", CL_REJECT_SYNTAX, NULL, "truncated inside a string at byte 13"},
        {"{\"t\" \"2026\"}", CL_REJECT_SYNTAX, NULL,
         "expected ':' after a member name at byte 5, found \""},
        {"{\"t\": \"2026-01-05\",}", CL_REJECT_SYNTAX, NULL,
         "expected a member name in quotes at byte 19, found }"},
        {"{t: 1}", CL_REJECT_SYNTAX, NULL, NULL},
        {"{\"t\": \"2026-01-05\" \"i\": 1}", CL_REJECT_SYNTAX, NULL,
         "expected ',' or '}' after a value at byte 19, found \""},
        {"{\"i\": 01}", CL_REJECT_SYNTAX, NULL, "a number has a leading zero at byte 6, found 0"},
        {"{\"i\": 1.}", CL_REJECT_SYNTAX, NULL, "expected a digit at byte 8, found }"},
        {"{\"i\": nul}", CL_REJECT_SYNTAX, NULL, "expected a value at byte 6, found n"},
        {"{\"i\": nullx}", CL_REJECT_SYNTAX, NULL, NULL},
        {"{\"d\": NaN}", CL_REJECT_SYNTAX, NULL, NULL},
        {"{\"d\": +1}", CL_REJECT_SYNTAX, NULL, NULL},
        {"{\"s\": \"a\nb\"}", CL_REJECT_SYNTAX, NULL,
         "control character in a string: write it as an escape at byte 8, found \\x0a"},
        {"{\"s\": \"\\x\"}", CL_REJECT_SYNTAX, NULL,
         "unknown escape in a string at byte 8, found x"},
        {"{\"s\": \"\\u12g4\"}", CL_REJECT_SYNTAX, NULL, NULL},
        {"{\"s\": \"\\ud800\"}", CL_REJECT_UTF8, NULL, NULL},
        {"{\"s\": \"\\ud800\\u0041\"}", CL_REJECT_UTF8, NULL, NULL},
        {"{\"unread\": \"\\udc00\"}", CL_REJECT_UTF8, NULL, NULL},
        {"{\"s\": \"\xff\"}", CL_REJECT_UTF8, NULL, "a string is not UTF-8 at byte 7, found \\xff"},
        {"{\"s\": \"\xc0\xaf\"}", CL_REJECT_UTF8, NULL, NULL},
        {"{\"\xed\xa0\x80\": 1}", CL_REJECT_UTF8, NULL, NULL},
        {"{\"s\": \"\xf4\x90\x80\x80\"}", CL_REJECT_UTF8, NULL, NULL},
        /* What is not JSON is named first, wherever it stands. */
        {"{\"i\": \"text\", \"x\": [1, 2}", CL_REJECT_SYNTAX, NULL, NULL},
        {"{\"i\": 1, \"i\": 2, \"x\": \"\xff\"}", CL_REJECT_UTF8, NULL, NULL},
    };
    check_rejects(&all, cases, sizeof cases / sizeof *cases, "");
    assert_int_equal(cl_decoder_decode(all.decoder, NULL, 0, all.batch, &all.reject),
                     CL_DECODED_REJECT);
    assert_int_equal(all.reject.reason, CL_REJECT_TOMBSTONE);
}

static void rejects_of_values(void **state)
{
    (void)state;
    static const struct reject_case cases[] = {
        {"\"b\": 1}", CL_REJECT_TYPE, "b", "b: expected true or false, found 1"},
        {"\"b\": \"true\"}", CL_REJECT_TYPE, "b", NULL},
        {"\"i\": \"5\"}", CL_REJECT_TYPE, "i", "i: expected a number, found \"5\""},
        {"\"i\": 5.5}", CL_REJECT_TYPE, "i",
         "i: 5.5 has more fraction digits than the column keeps"},
        {"\"i\": 1e-400}", CL_REJECT_TYPE, "i", NULL},
        {"\"i\": true}", CL_REJECT_TYPE, "i", NULL},
        {"\"i\": [5]}", CL_REJECT_TYPE, "i", "i: expected a number, found an array"},
        {"\"i\": 2147483648}", CL_REJECT_RANGE, "i",
         "i: 2147483648 is outside the range of the column's type"},
        {"\"i\": -2147483649}", CL_REJECT_RANGE, "i", NULL},
        {"\"l\": 9223372036854775808}", CL_REJECT_RANGE, "l", NULL},
        {"\"l\": -9223372036854775809}", CL_REJECT_RANGE, "l", NULL},
        {"\"l\": 1e999999999999999999999}", CL_REJECT_RANGE, "l", NULL},
        {"\"d\": 1e400}", CL_REJECT_RANGE, "d",
         "d: 1e400 is outside the range of the column's type"},
        {"\"d\": -1.7976931348623159e308}", CL_REJECT_RANGE, "d", NULL},
        {"\"f\": 3.4028236e38}", CL_REJECT_RANGE, "f", NULL},
        {"\"f\": {}}", CL_REJECT_TYPE, "f", "f: expected a number, found an object"},
        {"\"dec\": 1.234}", CL_REJECT_TYPE, "dec", NULL},
        {"\"dec\": 10000000}", CL_REJECT_RANGE, "dec", NULL},
        {"\"dec\": \"1.20\"}", CL_REJECT_TYPE, "dec", NULL},
        {"\"wide\": 1e40}", CL_REJECT_RANGE, "wide", NULL},
        {"\"day\": 5}", CL_REJECT_TYPE, "day", "day: expected a time as a string, found 5"},
        {"\"day\": \"2026-02-30\"}", CL_REJECT_FORMAT, "day",
         "day: \"2026-02-30\" is not an ISO 8601 date or time"},
        {"\"ts\": \"2026-01-05\"}", CL_REJECT_TYPE, "ts", NULL},
        {"\"ts\": 253402300800}", CL_REJECT_RANGE, "ts", NULL},
        {"\"tu\": -62167219200000001}", CL_REJECT_RANGE, "tu", NULL},
        {"\"s\": 5}", CL_REJECT_TYPE, "s", "s: expected a string, found 5"},
        {"\"s\": false}", CL_REJECT_TYPE, "s", NULL},
        {"\"u\": \"01234567-89ab-cdef-0123-456789abcde\"}", CL_REJECT_FORMAT, "u", NULL},
        {"\"u\": \"01234567-89ab-cdef-0123-456789abcdeg\"}", CL_REJECT_FORMAT, "u",
         "u: \"01234567-89ab-cdef-0123-456789abcdeg\" is not a uuid"},
        {"\"u\": 7}", CL_REJECT_TYPE, "u", NULL},
        {"\"b64\": \"Zm9\"}", CL_REJECT_FORMAT, "b64", "b64: \"Zm9\" is not base64 with padding"},
        {"\"b64\": \"Zh==\"}", CL_REJECT_FORMAT, "b64", NULL},
        {"\"b64\": \"Zm9=\"}", CL_REJECT_FORMAT, "b64", NULL},
        {"\"b64\": \"====\"}", CL_REJECT_FORMAT, "b64", NULL},
        {"\"b64\": \"Zg==Zg==\"}", CL_REJECT_FORMAT, "b64", NULL},
        {"\"b64\": \"Zm 9v\"}", CL_REJECT_FORMAT, "b64", NULL},
        {"\"b64\": \"Zm-_\"}", CL_REJECT_FORMAT, "b64", NULL},
        {"\"kind\": \"fire\"}", CL_REJECT_FORMAT, "kind",
         "kind: \"fire\" is not one of the allowed values"},
        {"\"kind\": \"\"}", CL_REJECT_FORMAT, "kind", NULL},
        {"\"lim\": \"abcdef\"}", CL_REJECT_TOO_LONG, "lim",
         "lim: a value of 6 bytes is longer than its max_length of 5"},
        {"\"lim\": \"abcd\xc3\xa9\"}", CL_REJECT_TOO_LONG, "lim", NULL},
        {"\"lim\": \"abcd\\u00e9\"}", CL_REJECT_TOO_LONG, "lim",
         "lim: a value of 6 bytes is longer than its max_length of 5"},
        {"\"lim64\": \"AAAAAAA=\"}", CL_REJECT_TOO_LONG, "lim64", NULL},
        {"\"speed\": 512.3}", CL_REJECT_RANGE, "speed", "speed: 512.3 is outside [0, 400]"},
        {"\"speed\": -1e-300}", CL_REJECT_RANGE, "speed", NULL},
        {"\"ms\": 150}", CL_REJECT_RANGE, "kmh", "kmh: 150 m/s is 540 km/h, outside [0, 400]"},
        {"\"ms\": 1e308}", CL_REJECT_RANGE, "kmh", NULL},
        {"\"count\": 0}", CL_REJECT_RANGE, "count", "count: 0 is outside [1, 10]"},
        {"\"share\": 0.11}", CL_REJECT_RANGE, "share", NULL},
        {"\"cost\": 100}", CL_REJECT_RANGE, "cost", "cost: 100 is outside [0, 99.9]"},
        {"\"loc\": 5}", CL_REJECT_TYPE, "lat", "lat: expected an array, found 5"},
        {"\"a\": []}", CL_REJECT_TYPE, "deep", "deep: expected an object, found an array"},
        {"\"loc\": [\"x\"]}", CL_REJECT_TYPE, "lat", NULL},
        {"\"i\": 1, \"i\": 1}", CL_REJECT_DUPLICATE_KEY, "i",
         "i: \"i\" stands twice in the same object"},
        {"\"i\": null, \"\\u0069\": 1}", CL_REJECT_DUPLICATE_KEY, "i", NULL},
        {"\"loc\": [], \"loc\": []}", CL_REJECT_DUPLICATE_KEY, "lat", NULL},
        {"\"a\": {\"name\": \"x\", \"name\": \"y\"}}", CL_REJECT_DUPLICATE_KEY, "near", NULL},
    };
    check_rejects(&all, cases, sizeof cases / sizeof *cases, "{\"t\": \"2026-01-05T08:00:00\", ");
    static const struct reject_case missing[] = {
        {"{}", CL_REJECT_MISSING, "t", "t: is required, but absent or null"},
        {"{\"t\": null}", CL_REJECT_MISSING, "t", NULL},
        {"{\"i\": 3}", CL_REJECT_MISSING, "t", NULL},
        {"{\"t\": 3}", CL_REJECT_TYPE, "t", NULL},
        {"{\"t\": \"now\"}", CL_REJECT_FORMAT, "t", NULL},
        {"{\"t\": \"\\u0032026-01-05T08:00:00.1234567890123456789012345678901234567890\"}",
         CL_REJECT_FORMAT, "t", NULL},
    };
    check_rejects(&all, missing, sizeof missing / sizeof *missing, "");
}

static void strict_feeds(void **state)
{
    (void)state;
    decode_ok(&strict, "{\"t\": \"2026-01-05\", \"id\": \"x\", \"at\": {\"x\": 1, \"y\": 2}}");
    static const struct reject_case cases[] = {
        {"{\"t\": \"2026-01-05\", \"id\": \"x\", \"more\": 1, \"at\": {\"x\": 1}}",
         CL_REJECT_UNKNOWN_FIELD, NULL, "\"more\" is a member that no column reads"},
        {"{\"t\": \"2026-01-05\", \"id\": \"x\", \"at\": {\"x\": 1, \"z\": 1}}",
         CL_REJECT_UNKNOWN_FIELD, NULL, NULL},
        {"{\"t\": \"2026-01-05\", \"id\": \"x\", \"at\": {\"y\": 1}}", CL_REJECT_MISSING, "x",
         NULL},
        {"{\"t\": \"2026-01-05\", \"id\": \"x\", \"at\": null}", CL_REJECT_MISSING, "x", NULL},
        {"{\"t\": \"2026-01-05\", \"id\": \"x\"}", CL_REJECT_MISSING, "x", NULL},
    };
    check_rejects(&strict, cases, sizeof cases / sizeof *cases, "");
}

/* The words stay whole UTF-8, however hostile the message and long the name. */
static void words_of_hostile_messages(void **state)
{
    (void)state;
    struct decode_fixture f;
    decode_fixture_init(&f,
                        "feeds:\n  f:\n    event_time: t\n    columns:\n      t: {type: timestamp, "
                        "required: true}\n"
                        "      x: {type: string, format: uuid}\n",
                        "f");
    for (int pad = 0; pad < 8; pad++) { /* the cut falls on each byte of the sequences in turn */
        char name[300] = "abcdefg", text[1000];
        name[pad] = '\0';
        while (strlen(name) < 170)
            strcat(name, "\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9");
        f.spec->feeds[0].columns[1].field.name = name;
        (void)snprintf(text, sizeof text, "{\"t\": \"2026-01-05\", \"x\": \"%s\xc3\xa9\\u0000\"}",
                       name);
        assert_int_equal(decode_fixture_decode(&f, text, strlen(text)),
                         CL_DECODED_REJECT); /* the fixture checks UTF-8 */
        assert_int_equal(f.reject.reason, CL_REJECT_FORMAT);
        assert_memory_equal(f.reject.detail, name, 150);
    }
    f.spec->feeds[0].columns[1].field.name = "x";
    static const char text[] =
        "{\"t\": \"2026-01-05\", \"x\": \"\x7f\xc3\xa9 0123456789012345678901234567890123456789\"}";
    assert_int_equal(decode_fixture_decode(&f, text, sizeof text - 1), CL_DECODED_REJECT);
    assert_string_equal(
        f.reject.detail,
        "x: \"\\x7f\\xc3\\xa9 01234567890123456789012345678901234... is not a uuid");
    decode_fixture_fini(&f);
}

static void reasons_have_words(void **state)
{
    (void)state;
    for (int i = 0; i < CL_REJECT_N; i++) {
        const char *text = cl_reject_reason_text((enum cl_reject_reason)i);
        assert_non_null(text);
        assert_true(strlen(text) > 3);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text, cl_reject_reason_text((enum cl_reject_reason)j));
    }
    assert_string_equal(cl_reject_reason_text(CL_REJECT_N), "?");
}

/* Rows after one another: strings append, and a reject in between leaves no trace. */
static void rows_append(void **state)
{
    (void)state;
    struct decode_fixture f;
    decode_fixture_init(&f, NULL, "strict");
    for (int row = 0; row < 4; row++) {
        char text[100];
        (void)snprintf(text, sizeof text,
                       "{\"t\": \"2026-01-05\", \"id\": \"row %d\", \"at\": {\"x\": %d}}", row,
                       row);
        assert_int_equal(decode_fixture_decode(&f, text, strlen(text) - 1), CL_DECODED_REJECT);
        assert_int_equal(decode_fixture_decode(&f, text, strlen(text)), CL_DECODED_ROW);
        for (size_t c = f.feed->n_columns; c < f.feed->schema.n; c++)
            cl_column_set_null(&f.batch->columns[c], f.batch->rows);
        cl_batch_commit_row(f.batch);
    }
    const struct cl_column *id = &f.batch->columns[1];
    assert_int_equal(id->offsets[4], 4 * 5);
    assert_memory_equal(id->data, "row 0row 1row 2row 3", 20);
    assert_int_equal(f.batch->columns[3].null_count, 4);
    decode_fixture_fini(&f);
}

static int setup(void **state)
{
    (void)state;
    decode_fixture_init(&all, NULL, "all");
    decode_fixture_init(&strict, NULL, "strict");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    decode_fixture_fini(&all);
    decode_fixture_fini(&strict);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans),
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles_and_floats),
        cmocka_unit_test(decimals),
        cmocka_unit_test(times),
        cmocka_unit_test(strings),
        cmocka_unit_test(string_lengths),
        cmocka_unit_test(base64),
        cmocka_unit_test(paths),
        cmocka_unit_test(member_order),
        cmocka_unit_test(nulls),
        cmocka_unit_test(conversions),
        cmocka_unit_test(rejects_of_messages),
        cmocka_unit_test(rejects_of_values),
        cmocka_unit_test(strict_feeds),
        cmocka_unit_test(words_of_hostile_messages),
        cmocka_unit_test(reasons_have_words),
        cmocka_unit_test(rows_append),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
