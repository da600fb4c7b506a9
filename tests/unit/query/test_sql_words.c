/* test_sql_words.c - words in SQL text. */
#include "query/sql_words.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

static void test_mentions(void **state)
{
    (void)state;
    assert_true(cl_sql_mentions("SELECT * FROM gps", "gps"));
    assert_true(cl_sql_mentions("SELECT * FROM GPS, x", "gps"));
    assert_true(cl_sql_mentions("gps", "gps"));
    assert_true(cl_sql_mentions("FROM \"gps\"", "gps"));
    assert_true(cl_sql_mentions("FROM main.gps;", "gps"));
    assert_true(cl_sql_mentions("FROM gps2 JOIN gps", "gps"));
    assert_true(cl_sql_mentions("FROM \"odd-name\"", "odd-name"));
    assert_false(cl_sql_mentions("FROM gps2", "gps"));
    assert_false(cl_sql_mentions("FROM my_gps", "gps"));
    assert_false(cl_sql_mentions("FROM gps\u00e9", "gps"));
    assert_false(cl_sql_mentions("", "gps"));
    assert_false(cl_sql_mentions("FROM gps", ""));
}

static void test_lists_tables(void **state)
{
    (void)state;
    assert_true(cl_sql_lists_tables("show tables"));
    assert_true(cl_sql_lists_tables("SELECT * FROM duckdb_tables()"));
    assert_true(cl_sql_lists_tables("SELECT * FROM information_schema.columns"));
    assert_false(cl_sql_lists_tables("SELECT shown FROM gps"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mentions),
        cmocka_unit_test(test_lists_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
