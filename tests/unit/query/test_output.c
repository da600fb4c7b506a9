/* test_output.c - the three formats, byte for byte. */
#include "query/output.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct cl_result_column COLUMNS[] = {
    {.name = "name"},
    {.name = "n", .numeric = true},
    {.name = "ok", .boolean = true},
    {.name = "list", .json = true},
};
enum { N = 4 };

static const char *const ROWS[][N] = {
    {"plain", "1", "true", "[1,2]"},
    {"", "-12.5", NULL, NULL},
    {NULL, "nan", "false", "{\"a\":1}"},
    {"a \"b\", c\nd\te\x1b[0m", "1e+20", "true", "[]"},
    {"Stra\u00dfe \u6771\u4eac e\u0301", NULL, NULL, "[]"},
};

/* The output of the first n rows; to be freed. */
static char *written(enum cl_output_format format, size_t n, int max_width)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    struct cl_output *o = NULL;
    assert_non_null(f);
    assert_int_equal(cl_output_new(f, format, COLUMNS, N, max_width, &o, NULL), CL_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(cl_output_row(o, ROWS[i], NULL, NULL), CL_OK);
    assert_int_equal(cl_output_finish(o, NULL), CL_OK);
    cl_output_free(o);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void assert_written(enum cl_output_format format, size_t n, int max_width,
                           const char *expected)
{
    char *text = written(format, n, max_width);
    assert_string_equal(text, expected);
    free(text);
}

static void test_csv(void **state)
{
    (void)state;
    assert_written(CL_OUTPUT_CSV, 0, 0, "name,n,ok,list\n");
    assert_written(CL_OUTPUT_CSV, 5, 0,
                   "name,n,ok,list\n"
                   "plain,1,true,\"[1,2]\"\n"
                   "\"\",-12.5,,\n"
                   ",nan,false,\"{\"\"a\"\":1}\"\n"
                   "\"a \"\"b\"\", c\nd\te\x1b[0m\",1e+20,true,[]\n"
                   "Stra\u00dfe \u6771\u4eac e\u0301,,,[]\n");
}

static void test_json(void **state)
{
    (void)state;
    assert_written(CL_OUTPUT_JSON, 0, 0, "[]\n");
    assert_written(CL_OUTPUT_JSON, 5, 0,
                   "[\n{\"name\": \"plain\", \"n\": 1, \"ok\": true, \"list\": [1,2]},\n"
                   "{\"name\": \"\", \"n\": -12.5, \"ok\": null, \"list\": null},\n"
                   "{\"name\": null, \"n\": \"nan\", \"ok\": false, \"list\": {\"a\":1}},\n"
                   "{\"name\": \"a \\\"b\\\", c\\nd\\te\\u001b[0m\", \"n\": 1e+20, \"ok\": true, "
                   "\"list\": []},\n"
                   "{\"name\": \"Stra\u00dfe \u6771\u4eac e\u0301\", \"n\": null, \"ok\": null, "
                   "\"list\": []}\n]\n");
}

static void test_table(void **state)
{
    (void)state;
    assert_written(CL_OUTPUT_TABLE, 0, 0,
                   " name | n | ok | list\n------+---+----+------\n(0 rows)\n");
    assert_written(CL_OUTPUT_TABLE, 1, 0,
                   " name  | n | ok   | list\n-------+---+------+-------\n plain | 1 | true | "
                   "[1,2]\n(1 row)\n");
    /* \u6771\u4eac takes four columns, e with a combining accent one. */
    assert_written(CL_OUTPUT_TABLE, 5, 0,
                   " name                  | n     | ok    | list\n"
                   "-----------------------+-------+-------+---------\n"
                   " plain                 |     1 | true  | [1,2]\n"
                   "                       | -12.5 | NULL  | NULL\n"
                   " NULL                  |   nan | false | {\"a\":1}\n"
                   " a \"b\", c\\nd\\te\\x1B[0m | 1e+20 | true  | []\n"
                   " Stra\u00dfe \u6771\u4eac e\u0301         |  NULL | NULL  | []\n"
                   "(5 rows)\n");
}

static void test_table_cuts_to_a_width(void **state)
{
    (void)state;
    assert_written(CL_OUTPUT_TABLE, 5, 5,
                   " name  | n     | ok    | list\n"
                   "-------+-------+-------+-------\n"
                   " plain |     1 | true  | [1,2]\n"
                   "       | -12.5 | NULL  | NULL\n"
                   " NULL  |   nan | false | {\"a\"\u2026\n"
                   " a \"b\u2026 | 1e+20 | true  | []\n"
                   " Stra\u2026 |  NULL | NULL  | []\n"
                   "(5 rows)\n");
}

static void test_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    static const struct cl_result_column column = {.name = "x"};
    static const char *const row[] = {"a\xFF\xC3z\0b"};
    static const size_t len = 6;
    static const char *const expected[] = {" x\n-----------------\n a\\xFF\\xC3z\\x00b\n(1 row)\n",
                                           "x\na\xFF\xC3z\0b\n",
                                           "[\n{\"x\": \"a\uFFFD\uFFFDz\\u0000b\"}\n]\n"};
    for (int format = 0; format < 3; format++) {
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        struct cl_output *o = NULL;
        assert_int_equal(cl_output_new(f, (enum cl_output_format)format, &column, 1, 0, &o, NULL),
                         CL_OK);
        assert_int_equal(cl_output_row(o, row, &len, NULL), CL_OK);
        assert_int_equal(cl_output_finish(o, NULL), CL_OK);
        cl_output_free(o);
        fclose(f);
        if (format == CL_OUTPUT_CSV)
            assert_memory_equal(text, expected[format], 9); /* a NUL byte is inside */
        else
            assert_string_equal(text, expected[format]);
        free(text);
    }
}

/* Past the rows whose widths are looked at, memory does not grow and nothing is lost. */
static void test_many_rows(void **state)
{
    (void)state;
    static const struct cl_result_column columns[] = {{.name = "i", .numeric = true},
                                                      {.name = "text"}};
    char *text = NULL, number[16], filler[128];
    size_t size = 0, lines = 0;
    FILE *f = open_memstream(&text, &size);
    struct cl_output *o = NULL;
    memset(filler, 'x', 100);
    filler[100] = '\0';
    assert_int_equal(cl_output_new(f, CL_OUTPUT_TABLE, columns, 2, 0, &o, NULL), CL_OK);
    for (int i = 0; i < 200000; i++) {
        snprintf(number, sizeof number, "%d", i);
        const char *const row[] = {number, filler};
        assert_int_equal(cl_output_row(o, row, NULL, NULL), CL_OK);
    }
    assert_int_equal(cl_output_finish(o, NULL), CL_OK);
    cl_output_free(o);
    fclose(f);
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 200003);
    assert_non_null(strstr(text, "\n(200000 rows)\n"));
    assert_non_null(strstr(text, "\n 199999 | xxx"));
    free(text);
}

static void test_full_disk(void **state)
{
    (void)state;
    FILE *f = fopen("/dev/full", "w");
    if (f == NULL) skip();
    struct cl_output *o = NULL;
    struct cl_error err = {0};
    assert_int_equal(cl_output_new(f, CL_OUTPUT_CSV, COLUMNS, N, 0, &o, &err), CL_OK);
    assert_int_equal(cl_output_row(o, ROWS[0], NULL, &err), CL_OK);
    assert_int_equal(cl_output_finish(o, &err), CL_EIO);
    assert_non_null(strstr(err.message, "space"));
    cl_output_free(o);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_cuts_to_a_width),
        cmocka_unit_test(test_bytes_that_are_not_utf8),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
