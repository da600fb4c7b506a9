/* test_json.c - what is JSON and what is not: a table of cases, jansson as a second opinion, and
 * broken messages.
 *
 * Every case is put alone, into a member that no column reads, into an element that is skipped, and
 * into an object that is read, so that each way through the decoder meets it. */
#include "../../tools/decode_fixture.h"
#include "../../tools/random.h"
#include "json_cases.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct decode_fixture all;

enum verdict { JSON, NOT_JSON, TOO_DEEP };

static enum verdict our_verdict(const char *text, size_t len)
{
    if (decode_fixture_decode(&all, text, len) == CL_DECODED_ROW) return JSON;
    switch (all.reject.reason) {
    case CL_REJECT_EMPTY:
    case CL_REJECT_SYNTAX:
    case CL_REJECT_UTF8: return NOT_JSON;
    case CL_REJECT_DEPTH: return TOO_DEEP;
    default: return JSON;
    }
}

/* false: jansson cannot tell: a limit of its own that JSON does not have, or a NUL byte, which it
 * takes for the end. */
static bool jansson_verdict(const char *text, size_t len, enum verdict *ret)
{
    json_error_t err;
    json_t *root = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &err);
    *ret = root != NULL ? JSON : NOT_JSON;
    json_decref(root);
    if (root != NULL) return memchr(text, 0, len) == NULL;
    enum json_error_code code = json_error_code(&err);
    return code != json_error_numeric_overflow && code != json_error_null_byte_in_key &&
           code != json_error_stack_overflow;
}

/* Both must agree, and with what the table says. */
static void check_case(const struct json_case *c, const char *before, const char *after)
{
    char text[4096];
    size_t len = strlen(before);
    memcpy(text, before, len);
    memcpy(text + len, c->text, c->len);
    len += c->len;
    memcpy(text + len, after, strlen(after));
    len += strlen(after);
    enum verdict want = c->valid ? JSON : NOT_JSON, theirs;
    if (our_verdict(text, len) != want)
        fail_msg("%.*s: decoder says %s", (int)len, text, all.reject.detail);
    if (jansson_verdict(text, len, &theirs) && theirs != want)
        fail_msg("%.*s: the table is wrong", (int)len, text);
}

static void conformity(void **state)
{
    (void)state;
    size_t valid = 0, invalid = 0;
    for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++) {
        const struct json_case *c = &json_cases[i];
        check_case(c, "", "");
        check_case(c, "{\"t\":\"2026-01-05\",\"unread\":", "}");
        check_case(c, "{\"t\": \"2026-01-05\", \"loc\": [0, 0, ", "]}");
        check_case(c, "{\"t\":\"2026-01-05\",\"a\":{\"unread\" :", ",\"b\":[]}}");
        check_case(c, "{\"s\":", ",\"t\":\"2026-01-05\"}");
        check_case(c, "{\"d\":", "}");
        check_case(c, "{\"i\":", "}");
        check_case(c, "{\"loc\":[0,", "]}");
        valid += c->valid;
        invalid += !c->valid;
    }
    assert_true(valid >= 60 && invalid >= 100);
}

static const char *const messages[] = {
    "{\"t\": \"2026-01-05T08:00:00.25Z\", \"b\": true, \"i\": -12, \"l\": 9007199254740993, \"f\": "
    "1.5e-3, \"d\": 51.50756433459829, "
    "\"dec\": 12.50, \"s\": \"caf\xc3\xa9 \\u00e9\\ud83d\\ude00\\n\", \"u\": "
    "\"01234567-89ab-cdef-0123-456789abcdef\"}",
    "{\"t\":\"2026-01-05\",\"loc\":[51.5,-0.12,{\"x\":[true,false,null]}],\"a\":{\"b\":[1,[],{"
    "\"c\":5}],\"name\":\"n\"},\"b64\":\"Zm9v\"}",
    "{ \"t\" : \"2026-01-05 08:00\" , \"ts\" : 1767600000.5 , \"tm\" : 1767600000123 , \"day\" : "
    "\"2026-01-05\", \"x\": [ ] , \"y\" : { } }",
    "{\"kind\":\"Fire\",\"lim\":\"abcde\",\"speed\":39.99999999999999,\"ms\":12.5,\"bin\":"
    "\"\xf0\x9f\x98\x80\",\"t\":\"2026-01-05T08:00:00\"}",
};
enum { N_MESSAGES = sizeof messages / sizeof *messages };

/* Cut at every byte, a message is never taken, and is called truncated. */
static void truncated(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MESSAGES; m++) {
        size_t len = strlen(messages[m]);
        assert_int_equal(decode_fixture_decode(&all, messages[m], len), CL_DECODED_ROW);
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(decode_fixture_decode(&all, messages[m], cut), CL_DECODED_REJECT);
            enum cl_reject_reason reason = all.reject.reason;
            if (cut == 0) {
                assert_int_equal(reason, CL_REJECT_EMPTY);
                continue;
            }
            bool split = ((uint8_t)messages[m][cut] & 0xc0) == 0x80; /* inside a UTF-8 sequence */
            if (reason != (split ? CL_REJECT_UTF8 : CL_REJECT_SYNTAX))
                fail_msg("%.*s: %s", (int)cut, messages[m], all.reject.detail);
            if (!split && strncmp(all.reject.detail, "truncated", 9) != 0)
                fail_msg("%.*s: %s", (int)cut, messages[m], all.reject.detail);
        }
    }
}

static size_t mutate(uint64_t *seed, char *text, size_t len)
{
    static const char bytes[] =
        "{}[]\",:\\0123456789.-+eEtfnu \t\n/\x01\x7f\x80\xbf\xc3\xa9\xe2\xed\xf0\xf4\xff";
    for (uint32_t n = random_below(seed, 3) + 1; n > 0; n--) {
        size_t at = random_below(seed, (uint32_t)len), other = random_below(seed, (uint32_t)len);
        switch (random_below(seed, 4)) {
        case 0: text[at] = bytes[random_below(seed, sizeof bytes - 1)]; break;
        case 1: text[at] = text[other]; break;
        case 2: /* take one out */ memmove(text + at, text + at + 1, --len - at); break;
        default: /* put one in */
            memmove(text + at + 1, text + at, len++ - at);
            text[at] = bytes[random_below(seed, sizeof bytes - 1)];
            break;
        }
        if (len < 4) break;
    }
    return len;
}

/* Broken messages: jansson and the decoder must agree on which of them are still JSON. */
static void mutated(void **state)
{
    (void)state;
    uint64_t seed = 21;
    int json = 0, not_json = 0;
    for (int i = 0; i < 200000; i++) {
        char text[1000];
        const char *base = messages[random_below(&seed, N_MESSAGES)];
        size_t len = strlen(base);
        memcpy(text, base, len);
        len = mutate(&seed, text, len);
        enum verdict ours = our_verdict(text, len), theirs;
        if (!jansson_verdict(text, len, &theirs)) continue;
        if (ours != theirs)
            fail_msg("%.*s: ours %d (%s), jansson %d", (int)len, text, ours, all.reject.detail,
                     theirs);
        json += theirs == JSON;
        not_json += theirs == NOT_JSON;
    }
    assert_true(json > 20000 && not_json > 20000);
}

static void assert_same_rows(const struct cl_batch *a, const struct cl_batch *b, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        const struct cl_column *x = &a->columns[c], *y = &b->columns[c];
        assert_int_equal(cl_column_is_valid(x, 0), cl_column_is_valid(y, 0));
        if (x->offsets != NULL) {
            assert_int_equal(x->offsets[1], y->offsets[1]);
            if (x->offsets[1] > 0) assert_memory_equal(x->data, y->data, (size_t)x->offsets[1]);
        } else if (x->type == CL_BOOLEAN) {
            assert_int_equal(cl_bit_get(x->values, 0), cl_bit_get(y->values, 0));
        } else {
            assert_memory_equal(x->values, y->values, cl_type_width(x->type));
        }
    }
}

/* What a decoder has learnt of the order of members must not show: two with different histories
 * give the same. */
static void history_does_not_matter(void **state)
{
    (void)state;
    struct decode_fixture other;
    uint64_t seed = 22;
    decode_fixture_init(&other, NULL, "all");
    for (int i = 0; i < 100000; i++) {
        char text[1000];
        const char *base = messages[random_below(&seed, N_MESSAGES)];
        size_t len = strlen(base);
        memcpy(text, base, len);
        if (i % 3 != 0) len = mutate(&seed, text, len);
        if (i % 5 == 0)
            (void)decode_fixture_decode(&all, messages[i % N_MESSAGES],
                                        strlen(messages[i % N_MESSAGES]));
        enum cl_decoded a = decode_fixture_decode(&all, text, len),
                        b = decode_fixture_decode(&other, text, len);
        assert_int_equal(a, b);
        if (a == CL_DECODED_ROW)
            assert_same_rows(all.batch, other.batch, all.feed->n_columns);
        else
            assert_string_equal(all.reject.detail, other.reject.detail);
    }
    decode_fixture_fini(&other);
}

static size_t nested(char *text, const char *before, char open, char close, int levels)
{
    size_t len = strlen(before);
    memcpy(text, before, len);
    for (int i = 0; i < levels; i++) {
        text[len++] = open;
        if (open == '{' && i < levels - 1) {
            memcpy(text + len, "\"k\":", 4);
            len += 4;
        }
    }
    memset(text + len, close, (size_t)levels);
    len += (size_t)levels;
    text[len++] = '}';
    return len;
}

static void depth(void **state)
{
    (void)state;
    static const char *const before[] = {
        "{\"t\":\"2026-01-05\",\"x\":",
        "{\"t\":\"2026-01-05\",\"a\":{\"b\":[0,0,{}],\"x\":0},\"x\":"};
    char text[2000];
    for (int i = 0; i < 2; i++)
        for (int object = 0; object < 2; object++)
            for (int levels = 1; levels < 100; levels++) {
                size_t len =
                    nested(text, before[i], object ? '{' : '[', object ? '}' : ']', levels);
                enum verdict want = levels <= CL_JSON_MAX_DEPTH - 1 ? JSON : TOO_DEEP;
                if (our_verdict(text, len) != want)
                    fail_msg("%d levels: %s", levels, all.reject.detail);
            }
    memset(text, '[', sizeof text); /* never closed: too deep comes first */
    assert_int_equal(our_verdict(text, sizeof text), TOO_DEEP);
    assert_int_equal(our_verdict(text, CL_JSON_MAX_DEPTH), NOT_JSON);
}

/* One message of ten million bytes, in a string that is kept and in one that is not. */
static void large(void **state)
{
    (void)state;
    size_t len = 10 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    for (int kept = 0; kept < 2; kept++) {
        int head = snprintf(text, len, "{\"t\":\"2026-01-05\",\"%s\":\"", kept ? "s" : "x");
        memset(text + head, 'a', len - (size_t)head);
        memcpy(text + len - 2, "\"}", 2);
        assert_int_equal(decode_fixture_decode(&all, text, len), CL_DECODED_ROW);
        if (kept)
            assert_int_equal(all.batch->columns[decode_fixture_column(&all, "s")].offsets[1],
                             len - 2 - (size_t)head);
        text[len / 2] = '\x02';
        assert_int_equal(our_verdict(text, len), NOT_JSON);
        assert_int_equal(all.reject.byte, len / 2);
    }
    free(text);
}

static int setup(void **state)
{
    (void)state;
    decode_fixture_init(&all, NULL, "all");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    decode_fixture_fini(&all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conformity), cmocka_unit_test(truncated),
        cmocka_unit_test(mutated),    cmocka_unit_test(history_does_not_matter),
        cmocka_unit_test(depth),      cmocka_unit_test(large),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
