/* Tests of source/envelope.c: what is an envelope, what is none, and that a line that is none stays
 * as it was. */
#include "source/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONE ((const char *)-1)

/* Scans an exactly sized copy, so that ASan sees a read past the end. */
static bool scan(const char *line, size_t len, uint8_t **ret_copy, struct cl_envelope *ret)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, line, len);
    bool ok = cl_envelope_scan(copy, len, ret);
    *ret_copy = copy;
    return ok;
}

static void assert_bytes(const uint8_t *p, size_t len, const char *want)
{
    if (want == NONE) {
        assert_null(p);
        return;
    }
    assert_non_null(p);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(p, want, len);
}

static void good(const char *line, const char *topic, const char *key, const char *value)
{
    struct cl_envelope e;
    uint8_t *copy;
    assert_true(scan(line, strlen(line), &copy, &e));
    assert_string_equal(e.topic, topic);
    assert_int_equal(e.topic_len, strlen(topic));
    assert_bytes(e.key, e.key_len, key);
    assert_bytes(e.value, e.value_len, value);
    free(copy);
}

static void bad(const char *line)
{
    struct cl_envelope e = {.topic = "untouched"};
    uint8_t *copy;
    size_t len = strlen(line);
    if (scan(line, len, &copy, &e)) fail_msg("taken as an envelope: %s", line);
    assert_memory_equal(copy, line, len);
    assert_string_equal(e.topic, "untouched");
    free(copy);
}

static void test_members(void **state)
{
    (void)state;
    good("{\"topic\":\"t\",\"key\":\"k\",\"value\":{\"a\":1}}", "t", "k", "{\"a\":1}");
    good("{\"value\":{\"a\":1},\"key\":\"k\",\"topic\":\"t\"}", "t", "k", "{\"a\":1}");
    good(" { \"topic\" : \"t\" ,\t\"key\" : null , \"value\" : [ 1 , 2 ] } ", "t", NONE,
         "[ 1 , 2 ]");
    good("{\"topic\":\"t\",\"value\":-1.5e3}", "t", NONE, "-1.5e3");
    good("{\"topic\":\"t\",\"value\":\"a\\\"b}\"}", "t", NONE, "\"a\\\"b}\"");
    good("{\"topic\":\"t\",\"key\":\"\",\"value\":true}", "t", "", "true");
    good("{\"topic\":\"t\",\"extra\":{\"x\":[\"}\"]},\"value\":{},\"n\":1}", "t", NONE, "{}");
    good("{\"topic\":\"t\",\"value\":null}", "t", NONE, NONE);
    good("{\"topic\":\"t\",\"value\":{\"s\":\"]}\\\\\",\"o\":{\"p\":[]}}}", "t", NONE,
         "{\"s\":\"]}\\\\\",\"o\":{\"p\":[]}}");
}

static void test_value_is_not_judged(void **state)
{
    (void)state;
    good("{\"topic\":\"t\",\"value\":{\"a\":tru,,}}", "t", NONE, "{\"a\":tru,,}");
    good("{\"topic\":\"t\",\"value\":{\"a\":\xff\x01}}", "t", NONE, "{\"a\":\xff\x01}");
    good("{\"topic\":\"t\",\"value\":nonsense}", "t", NONE, "nonsense");
}

static void test_escapes(void **state)
{
    (void)state;
    good("{\"topic\":\"a\\u0062\\n\",\"key\":\"\\\"\\\\\\/\\b\\f\\r\\t\",\"value\":1}", "ab\n",
         "\"\\/\b\f\r\t", "1");
    good("{\"topic\":\"t\",\"key\":\"\\u00e9\\u20AC\\uD83D\\uDE00!\",\"value\":1}", "t",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!", "1");
    good("{\"\\u0074opic\":\"unknown member\",\"topic\":\"t\",\"value\":1}", "t", NONE, "1");
    bad("{\"topic\":\"t\",\"key\":\"\\x\",\"value\":1}");
    bad("{\"topic\":\"t\",\"key\":\"\\u12\",\"value\":1}");
    bad("{\"topic\":\"t\",\"key\":\"\\uD83D\",\"value\":1}");
    bad("{\"topic\":\"t\",\"key\":\"\\uD83D\\u0041\",\"value\":1}");
    bad("{\"topic\":\"t\",\"key\":\"\\uDE00\",\"value\":1}");
    bad("{\"topic\":\"t\",\"key\":\"a\tb\",\"value\":1}");
}

static void test_raw(void **state)
{
    (void)state;
    good("{\"topic\":\"t\",\"raw\":\"\"}", "t", NONE, "");
    good("{\"topic\":\"t\",\"raw\":\"Zg==\"}", "t", NONE, "f");
    good("{\"topic\":\"t\",\"raw\":\"Zm8=\"}", "t", NONE, "fo");
    good("{\"topic\":\"t\",\"key\":\"k\",\"raw\":\"Zm9v\"}", "t", "k", "foo");
    good("{\"raw\":\"Zm9vYmFyCg==\",\"topic\":\"t\"}", "t", NONE, "foobar\n");
    good("{\"topic\":\"t\",\"raw\":\"/+7v\"}", "t", NONE, "\xff\xee\xef");
    bad("{\"topic\":\"t\",\"raw\":\"Zg=\"}");
    bad("{\"topic\":\"t\",\"raw\":\"Zg\"}");
    bad("{\"topic\":\"t\",\"raw\":\"Zh==\"}"); /* bits that would be lost */
    bad("{\"topic\":\"t\",\"raw\":\"Zm9=\"}");
    bad("{\"topic\":\"t\",\"raw\":\"Z===\"}");
    bad("{\"topic\":\"t\",\"raw\":\"Zg==Zg==\"}");
    bad("{\"topic\":\"t\",\"raw\":\"Zm9\\u0076\"}");
    bad("{\"topic\":\"t\",\"raw\":null}");
    bad("{\"topic\":\"t\",\"raw\":\"Zg==\",\"value\":1}");
}

static void test_not_envelopes(void **state)
{
    (void)state;
    static const char *const LINES[] = {
        "",
        " ",
        "{",
        "{}",
        "[]",
        "null",
        "topic",
        "{\"topic\":\"t\"}",
        "{\"value\":1}",
        "{\"topic\":1,\"value\":1}",
        "{\"topic\":null,\"value\":1}",
        "{\"topic\":\"t\",\"key\":1,\"value\":1}",
        "{\"topic\":\"t\",\"key\":nul,\"value\":1}",
        "{\"topic\":\"t\",\"value\":}",
        "{\"topic\":\"t\",\"value\":1",
        "{\"topic\":\"t\",\"value\":{\"a\":1}",
        "{\"topic\":\"t\",\"value\":1}}",
        "{\"topic\":\"t\",\"value\":1} x",
        "{\"topic\":\"t\",\"value\":1,}",
        "{,\"topic\":\"t\",\"value\":1}",
        "{\"topic\":\"t\" \"value\":1}",
        "{\"topic\":\"t\",\"value\":\"abc}",
        "{\"topic\":\"t\",\"value\":\"abc\\\"}",
        "{\"topic\":\"t\",\"value\":\"abc\\",
        "{\"topic\":\"t\",\"topic\":\"t\",\"value\":1}",
        "{\"topic\":\"t\",\"value\":1,\"value\":1}",
        "{\"topic\":\"t\",\"key\":null,\"key\":null,\"value\":1}",
        "{\"topic\":\"t\",\"value\":]}",
        "{\"topic\":\"t\",\"value\":1 2}",
        "{topic:\"t\",\"value\":1}",
    };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        bad(LINES[i]);
}

/* Every line cut short at every place is none, and reads nothing behind its end. */
static void test_cut_lines(void **state)
{
    (void)state;
    static const char LINE[] = "{\"topic\":\"t\\u00e9\",\"key\":\"\\uD83D\\uDE00\",\"x\":[\"\\\"\"]"
                               ",\"value\":{\"a\":[1,\"\\\\\"]}}";
    struct cl_envelope e;
    for (size_t len = 0; len < sizeof LINE - 1; len++) {
        uint8_t *copy;
        assert_false(scan(LINE, len, &copy, &e));
        assert_memory_equal(copy, LINE, len);
        free(copy);
    }
}

static void test_nul_bytes(void **state)
{
    (void)state;
    static const char LINE[] = "{\"topic\":\"t\",\"value\":{\"a\":\0\0}}";
    struct cl_envelope e;
    uint8_t *copy;
    assert_true(scan(LINE, sizeof LINE - 1, &copy, &e));
    assert_int_equal(e.value_len, 8);
    assert_memory_equal(e.value, "{\"a\":\0\0}", 8);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),       cmocka_unit_test(test_value_is_not_judged),
        cmocka_unit_test(test_escapes),       cmocka_unit_test(test_raw),
        cmocka_unit_test(test_not_envelopes), cmocka_unit_test(test_cut_lines),
        cmocka_unit_test(test_nul_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
