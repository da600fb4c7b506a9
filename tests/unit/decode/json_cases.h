/* json_cases.h - texts that are one JSON value (Y) and texts that are not (N), by the sections of RFC 8259.
 *
 * An N text must stay wrong inside {"x":TEXT}, so it closes nothing that it did not open. */
#ifndef CITYLAKE_TESTS_JSON_CASES_H
#define CITYLAKE_TESTS_JSON_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct json_case {
    bool valid;
    const char *text;
    size_t len;
};

#define Y(text) {true, text, sizeof(text) - 1}
#define N(text) {false, text, sizeof(text) - 1}

static const struct json_case json_cases[] = {
    /* Section 2: white space and structure */
    Y("[]"), Y("{}"), Y("[ ]"), Y("{ }"), Y("[\t\n\r ]"), Y(" 1"), Y("\n\t\"a\" \r\n"), Y("[1,2,3]"), Y("[1 , 2 , 3]"),
    Y("[\n1\n,\n2\n]"), Y("[[]]"), Y("[[],[[]]]"), Y("[{},{}]"), Y("{\"a\":{}}"), Y("{\"a\":[{\"b\":[]}]}"),
    N(""), N(" "), N("\f1"), N("\v1"), N("1\f"), N("\xc2\xa0" "1"), N("\xe2\x81\xa0" "1"), N("\xef\xbb\xbf" "1"), N("[1\f]"),
    N("["), N("[1"), N("[1,"), N("[,"), N("[,1]"), N("[1,]"), N("[1,,2]"), N("[,]"), N("[1 2]"), N("[1:2]"), N("[\"a\":1]"),
    N("{"), N("{\"a\""), N("{\"a\":"), N("{\"a\":1"), N("{\"a\":1,"), N("{\"a\":1,}"), N("{,}"), N("{,\"a\":1}"), N("{\"a\" 1}"),
    N("{\"a\",1}"), N("{\"a\"::1}"), N("{\"a\":}"), N("{\"a\":1 \"b\":2}"), N("{\"a\":1,,\"b\":2}"), N("{\"a\":1;\"b\":2}"),
    N("{a:1}"), N("{'a':1}"), N("{1:1}"), N("{null:1}"), N("{[]:1}"), N("{\"a\"}"), N("{:1}"), N("{\"a\":1:2}"),
    N("1 2"), N("[]["), N("{}{"), N("[] []"), N("\"a\" \"b\""), N("[1)"), N("(1)"), N("<null>"), N("[<null>]"), N("1,"),
    N("//c\n1"), N("1/**/"), N("[1/*c*/]"), N("#1"), N("[1]#"), N("\0"), N("1\0"), N("[\0]"), N("[1\0]"), N("=1"), N("@"), N("`"),
    /* Section 3: literal names */
    Y("true"), Y("false"), Y("null"), Y("[true,false,null]"), Y("{\"true\":true}"),
    N("True"), N("TRUE"), N("nul"), N("tru"), N("fals"), N("nulll"), N("truee"), N("falsee"), N("true1"), N("undefined"), N("None"),
    N("nil"), N("t"), N("f"), N("n"), N("[tru]"), N("[nul"), N("tRue"), N("\xef\xbd\x94rue"),
    /* Section 4: members */
    Y("{\"\":0}"), Y("{\"a\":1,\"b\":2}"), Y("{\"a\":1,\"a\":2}"), Y("{\"a\\u0062\":1}"), Y("{\"\\u00e9\":1}"), Y("{\"\xc3\xa9\":1}"),
    Y("{\"\\\"\":1}"), Y("{ \"a\" : 1 , \"b\" : 2 }"), Y("{\"a\"\n:\n1}"), Y("{\"\xf0\x9f\x98\x80\":[]}"),
    N("{\"a\nb\":1}"), N("{\"\\x\":1}"), N("{\"\xff\":1}"), N("{\"\\ud800\":1}"), N("{\"a:1}"), N("{\"\\u00\":1}"), N("{\"\t\":1}"),
    /* Section 6: numbers */
    Y("0"), Y("-0"), Y("1"), Y("-1"), Y("10"), Y("123456789012345678"), Y("0.0"), Y("0.5"), Y("-0.5"), Y("1.25"), Y("1e5"), Y("1E5"),
    Y("1e+5"), Y("1e-5"), Y("0e0"), Y("0e+1"), Y("-0e-1"), Y("1.5e300"), Y("0.1e-300"), Y("1e00005"), Y("[0]"), Y("[-1.5E+2]"),
    Y("0.00000000000000000000000000000000000000000000000000000000001"), Y("1e-400"), Y("123.456e78"),
    Y("1.79769313486231570000000000000000000000000000000000000000001e308"),
    N("-"), N("+1"), N("01"), N("-01"), N("00"), N("0123"), N("1."), N(".5"), N("-.5"), N("1.e5"), N("1e"), N("1e+"), N("1e-"), N("1E"),
    N("1e5.5"), N("1.5.5"), N("1e5e5"), N("--1"), N("+-1"), N("-+1"), N("1-"), N("1+"), N("1a"), N("0x10"), N("0b1"), N("0o7"), N("1_000"),
    N("1,000.5,"), N("Infinity"), N("-Infinity"), N("NaN"), N("-NaN"), N("inf"), N("- 1"), N("1 .5"), N("1. 5"), N("1e 5"), N("0.e1"),
    N("-a"), N("1.a"), N("1ea"), N("2.e+3"), N("0e"), N("0e+"), N("1.0e"), N("\xef\xbc\x91"), N("[-]"), N("[1.]"), N("[-2.]"), N("[.1]"),
    N("[0e]"), N("[1e1"), N("[012]"), N("1 000"), N("$1"), N("1%"), N("1f"), N("1L"),
    /* Section 7: strings */
    Y("\"\""), Y("\"a\""), Y("\" \""), Y("\"\x7f\""), Y("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), Y("\"\\u0000\""), Y("\"\\u001f\""),
    Y("\"\\u00e9\\u20ac\""), Y("\"\\uABCD\\uabcd\""), Y("\"\\ud83d\\ude00\""), Y("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""), Y("\"\\ufffe\\uffff\""),
    Y("\"/\""), Y("\"'\""), Y("\"[{}]:,\""), Y("\"//not a comment\""), Y("\"\\\\u0061\""), Y("\"\\\\\\\"\""),
    Y("\"\\u0061bcdefghijklmnopqrstuvwxyz0123456789\""), Y("\"0123456789abcde\\n0123456789abcdef\""),
    N("\""), N("\"a"), N("'a'"), N("\"a'"), N("a"), N("\"\\\""), N("\"\\"), N("\"\\x41\""), N("\"\\a\""), N("\"\\0\""), N("\"\\'\""), N("\"\\ \""),
    N("\"\\U0041\""), N("\"\\u\""), N("\"\\u1\""), N("\"\\u12\""), N("\"\\u123\""), N("\"\\u12g4\""), N("\"\\u+123\""), N("\"\\u 123\""),
    N("\"\\u00\n1\""), N("\"\n\""), N("\"\t\""), N("\"\r\""), N("\"\0\""), N("\"\x01\""), N("\"\x1f\""), N("\"abcdefghijklmnopqrst\x1f\""),
    N("\"\\u{41}\""), N("\"a\"b"), N("\"a\"\"b\""), N("\"\\\n\""), N("\"\\\xc3\xa9\""), N("\\u0041"), N("\"\\uD8\""), N("\"a\\"),
    /* Section 8.2: surrogates stand in pairs */
    N("\"\\ud800\""), N("\"\\udbff\""), N("\"\\udc00\""), N("\"\\udfff\""), N("\"\\ud800\\ud800\""), N("\"\\ude00\\ud83d\""), N("\"\\ud800a\""),
    N("\"\\ud800\\n\""), N("\"\\ud800\\u0041\""), N("\"\\ud800\\"), N("\"\\ud800\\u\""), N("\"\\ud800\\u1\""), N("\"\\ud83d\\udde\""),
    N("\"\\ud800 \\udc00\""), N("\"a\\ud83d\""),
    /* Section 8.1: UTF-8 (RFC 3629) */
    Y("\"\xc2\x80\""), Y("\"\xdf\xbf\""), Y("\"\xe0\xa0\x80\""), Y("\"\xed\x9f\xbf\""), Y("\"\xee\x80\x80\""), Y("\"\xef\xbf\xbf\""),
    Y("\"\xf0\x90\x80\x80\""), Y("\"\xf4\x8f\xbf\xbf\""), Y("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), Y("\"\xef\xbb\xbf\""),
    Y("\"abcdefghijklmno\xc3\xa9pqrstuvwxyz\xe2\x82\xac\""), Y("\"\xe2\x80\xa8\xe2\x80\xa9\""),
    N("\"\x80\""), N("\"\xbf\""), N("\"\xc0\x80\""), N("\"\xc1\xbf\""), N("\"\xc2\""), N("\"\xc2" "a\""), N("\"\xe0\x9f\xbf\""), N("\"\xe0\x80\x80\""),
    N("\"\xed\xa0\x80\""), N("\"\xed\xbf\xbf\""), N("\"\xed\xa0\xbd\xed\xb8\x80\""), N("\"\xe2\x82\""), N("\"\xe2\""), N("\"\xe2\x82" "a\""),
    N("\"\xf0\x8f\xbf\xbf\""), N("\"\xf0\x9f\x98\""), N("\"\xf0\x9f\""), N("\"\xf0\""), N("\"\xf4\x90\x80\x80\""), N("\"\xf5\x80\x80\x80\""),
    N("\"\xf8\x88\x80\x80\x80\""), N("\"\xfe\""), N("\"\xff\""), N("\"a\xff" "b\""), N("\"\xc3\xa9\xa9\""), N("\xc3\xa9"), N("\xff"),
    N("\"\xe9\""), N("\"\xf0\x9f\x98\x80\x80\""),
};

#undef Y
#undef N

#endif
