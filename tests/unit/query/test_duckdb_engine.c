/* test_duckdb_engine.c - the engine against DuckDB's own answers: files made by DuckDB, and every
 * scalar type's text compared with DuckDB's cast to VARCHAR. */
#include "query/engine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <duckdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 5000 };

struct fixture {
    char dir[64];
    char paths[3][128];
};

/* Files of ids 0..9 (columns 1 id, 2 name), 10..19 (1 id, 2 renamed, 3 speed, 4 time, 5 blob); in a
 * folder of awkward name. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->dir, "/tmp/citylake-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    char sub[100], sql[1024];
    snprintf(sub, sizeof sub, "%s/we[i]r*d's", f->dir);
    assert_int_equal(mkdir(sub, 0700), 0);
    snprintf(f->paths[0], sizeof f->paths[0], "%s/old.parquet", sub);
    snprintf(f->paths[1], sizeof f->paths[1], "%s/new.parquet", sub);
    snprintf(f->paths[2], sizeof f->paths[2], "%s/secret.txt", f->dir);
    static const char *const selects[2] = {
        "SELECT i AS id, 'v' || i AS name FROM range(10) t(i)",
        "SELECT i AS id, 'w' || i AS nm, i + 0.5::DOUBLE AS speed, TIMESTAMP '2026-01-05 "
        "08:00:00.25' AS seen, "
        "'\\x00a'::BLOB AS raw FROM range(10, 20) t(i)",
    };
    static const char *const names[2] = {"old", "new"};
    static const char *const ids[2] = {"id: 1, name: 2", "id: 1, nm: 2, speed: 3, seen: 4, raw: 5"};
    duckdb_database db;
    duckdb_connection con;
    assert_int_equal(duckdb_open(NULL, &db), DuckDBSuccess);
    assert_int_equal(duckdb_connect(db, &con), DuckDBSuccess);
    for (int i = 0; i < 2; i++) {
        snprintf(sql, sizeof sql,
                 "COPY (%s) TO '%s/we[i]r*d''s/%s.parquet' (FORMAT parquet, FIELD_IDS {%s})",
                 selects[i], f->dir, names[i], ids[i]);
        duckdb_result result;
        if (duckdb_query(con, sql, &result) != DuckDBSuccess)
            fail_msg("%s", duckdb_result_error(&result));
        duckdb_destroy_result(&result);
    }
    duckdb_disconnect(&con);
    duckdb_close(&db);
    FILE *secret = fopen(f->paths[2], "w");
    assert_non_null(secret);
    fputs("secret\n", secret);
    fclose(secret);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int rc = system(command);
    free(f);
    return rc;
}

/* Names need quoting: a quote of each kind, a blank. */
static struct cl_field FIELDS[] = {
    {.id = 1, .name = "id", .type = CL_LONG},
    {.id = 2, .name = "the \"name's\"", .type = CL_STRING},
    {.id = 3, .name = "speed", .type = CL_DOUBLE},
    {.id = 4, .name = "at", .type = CL_TIMESTAMP},
    {.id = 5, .name = "raw", .type = CL_BINARY},
    {.id = 6, .name = "price", .type = CL_DECIMAL, .precision = 9, .scale = 2},
    {.id = 7, .name = "day", .type = CL_DATE},
};
static const struct cl_schema SCHEMA = {7, FIELDS};

static struct cl_engine *open_engine(const struct cl_engine_table *tables, size_t n)
{
    struct cl_engine *e = NULL;
    struct cl_error err = {0};
    if (cl_duckdb_engine_new(tables, n, NULL, &e, &err) != CL_OK) fail_msg("%s", err.message);
    return e;
}

/* Every row of the result as a|b|c, rows ended by newlines; "NULL" for null. */
static enum cl_code query(struct cl_engine *e, const char *sql, char *buf, size_t size,
                          struct cl_error *err)
{
    struct cl_result *r = NULL;
    const struct cl_result_column *columns;
    size_t n, len = 0;
    buf[0] = '\0';
    enum cl_code code = e->ops->execute(e, sql, &r, err);
    if (code != CL_OK) return code;
    e->ops->columns(r, &columns, &n);
    for (;;) {
        const char *const *texts = NULL;
        const size_t *lens = NULL;
        code = e->ops->next_row(r, &texts, &lens, err);
        if (code != CL_OK || texts == NULL) break;
        for (size_t i = 0; i < n; i++) {
            len += (size_t)snprintf(buf + len, size - len, "%.*s%s",
                                    texts[i] == NULL ? 4 : (int)lens[i],
                                    texts[i] == NULL ? "NULL" : texts[i], i + 1 < n ? "|" : "\n");
            assert_true(len < size);
        }
    }
    e->ops->result_free(r);
    return code;
}

static void assert_query(struct cl_engine *e, const char *sql, const char *expected)
{
    char buf[4096];
    struct cl_error err = {0};
    if (query(e, sql, buf, sizeof buf, &err) != CL_OK) fail_msg("%s: %s", sql, err.message);
    assert_string_equal(buf, expected);
}

static void assert_fails(struct cl_engine *e, const char *sql, enum cl_code code, const char *part)
{
    char buf[4096];
    struct cl_error err = {0};
    if (query(e, sql, buf, sizeof buf, &err) != code || err.code != code)
        fail_msg("%s: %s (%s)", sql, cl_code_name(err.code), err.message);
    if (strstr(err.message, part) == NULL) fail_msg("%s: '%s' lacks '%s'", sql, err.message, part);
    assert_null(strchr(err.message, '\n'));
}

static void fixture_table(struct fixture *f, struct cl_scan_file files[2], struct cl_scan *scan,
                          struct cl_engine_table *table, char uri[160])
{
    snprintf(uri, 160, "file://%s", f->paths[0]);
    files[0] = (struct cl_scan_file){.path = uri};
    files[1] = (struct cl_scan_file){.path = f->paths[1]};
    *scan = (struct cl_scan){.files = files, .n = 2, .rows = 20};
    *table = (struct cl_engine_table){"gps", &SCHEMA, scan};
}

static void test_columns_by_field_id(void **state)
{
    struct cl_scan_file files[2];
    struct cl_scan scan, none = {0};
    struct cl_engine_table tables[2];
    char uri[160];
    fixture_table(*state, files, &scan, &tables[0], uri);
    tables[1] = (struct cl_engine_table){"empty one", &SCHEMA, &none};
    struct cl_engine *e = open_engine(tables, 2);
    assert_query(
        e, "SELECT * FROM gps WHERE id IN (3, 13) ORDER BY id",
        "3|v3|NULL|NULL|NULL|NULL|NULL\n13|w13|13.5|2026-01-05 08:00:00.25|\\x00a|NULL|NULL\n");
    assert_query(e, "SELECT count(*), sum(speed) FROM gps", "20|150.0\n");
    assert_query(e, "SELECT count(*) FROM \"empty one\"", "0\n");
    assert_query(e, "DESCRIBE \"empty one\"",
                 "id|BIGINT|YES|NULL|NULL|NULL\nthe \"name's\"|VARCHAR|YES|NULL|NULL|NULL\n"
                 "speed|DOUBLE|YES|NULL|NULL|NULL\nat|TIMESTAMP|YES|NULL|NULL|NULL\nraw|BLOB|YES|"
                 "NULL|NULL|NULL\n"
                 "price|DECIMAL(9,2)|YES|NULL|NULL|NULL\nday|DATE|YES|NULL|NULL|NULL\n");
    assert_query(
        e, "CREATE TABLE t AS SELECT id FROM gps; INSERT INTO t VALUES (99); SELECT max(id) FROM t",
        "99\n");
    e->ops->free(e);
}

/* SELECT x, x::VARCHAR: both texts must be the same. */
static void test_scalars_as_duckdb_casts(void **state)
{
    (void)state;
    static const char *const values[] = {
        "true",
        "false",
        "(-128)::TINYINT",
        "255::UTINYINT",
        "(-32768)::SMALLINT",
        "65535::USMALLINT",
        "4294967295::UINTEGER",
        "(-9223372036854775808)::BIGINT",
        "18446744073709551615::UBIGINT",
        "(-170141183460469231731687303715884105727)::HUGEINT",
        "170141183460469231731687303715884105727::HUGEINT",
        "340282366920938463463374607431768211455::UHUGEINT",
        "0::HUGEINT",
        "(-1)::HUGEINT",
        "1.5::DOUBLE",
        "3::DOUBLE",
        "0.1::DOUBLE",
        "1e300::DOUBLE",
        "5e-324::DOUBLE",
        "1.7976931348623157e308::DOUBLE",
        "0.1::FLOAT",
        "16777216::FLOAT",
        "3.4028235e38::FLOAT",
        "1e-45::FLOAT",
        "-0.0::DOUBLE",
        "0::DOUBLE",
        "-0.000001::DOUBLE",
        "-12.5::DOUBLE",
        "999999999.999999::DOUBLE",
        "'nan'::DOUBLE",
        "'inf'::DOUBLE",
        "'-inf'::FLOAT",
        "123456.789::DECIMAL(9,3)",
        "(-0.05)::DECIMAL(4,2)",
        "0::DECIMAL(18,0)",
        "'-99999999999999999999999999999999.999999'::DECIMAL(38,6)",
        "1.5::DECIMAL(18,4)",
        "DATE '2026-01-05'",
        "DATE '1969-12-31'",
        "DATE '0044-03-15 (BC)'",
        "'infinity'::DATE",
        "'-infinity'::DATE",
        "DATE '12345-06-07'",
        "TIME '08:09:10.000250'",
        "TIME '23:59:59'",
        "'12:34:56.789+05:30'::TIMETZ",
        "'12:34:56-03'::TIMETZ",
        "TIMESTAMP '2026-01-05 08:00:00'",
        "TIMESTAMP '1969-12-31 23:59:59.999999'",
        "TIMESTAMP '2026-01-05 08:00:00.123456'",
        "'infinity'::TIMESTAMP",
        "'2026-01-05 08:00:00'::TIMESTAMP_S",
        "'2026-01-05 08:00:00.12'::TIMESTAMP_MS",
        "'2026-01-05 08:00:00.123456789'::TIMESTAMP_NS",
        "'2026-01-05 10:00:00+02'::TIMESTAMPTZ",
        "'0044-03-15 (BC) 01:02:03'::TIMESTAMP",
        "INTERVAL '1 year 2 months 3 days 04:05:06.5'",
        "INTERVAL '-1 day'",
        "INTERVAL '0 day'",
        "INTERVAL '-00:00:01.25'",
        "INTERVAL '25 months'",
        "INTERVAL '100 hours'",
        "uuid '00112233-4455-6677-8899-aabbccddeeff'",
        "uuid 'ffeeddcc-bbaa-9988-7766-554433221100'",
        "'\\xAA\\x00z\"''\\x5C'::BLOB",
        "''::BLOB",
        "'0101011'::BIT",
        "'a'::ENUM('b', 'a')",
        "'text with \u00e9 and \U0001F600'",
        "''",
        "'exactly12byt'",
        "'longer than twelve bytes'",
    };
    struct cl_engine *e = open_engine(NULL, 0);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char sql[512], buf[512];
        struct cl_error err = {0};
        snprintf(sql, sizeof sql, "SELECT x, CAST(x AS VARCHAR) FROM (SELECT %s AS x)", values[i]);
        if (query(e, sql, buf, sizeof buf, &err) != CL_OK) fail_msg("%s: %s", sql, err.message);
        char *bar = strchr(buf, '|');
        assert_non_null(bar);
        *bar = '\0';
        bar[strlen(bar + 1)] = '\0'; /* the newline */
        bool number = strstr(values[i], "DOUBLE") != NULL || strstr(values[i], "FLOAT") != NULL;
        if (number && strncmp(values[i], "'", 1) != 0) /* 1e+300 or 1e300: the same number */
            assert_true(strstr(values[i], "FLOAT") != NULL
                            ? strtof(buf, NULL) == strtof(bar + 1, NULL)
                            : strtod(buf, NULL) == strtod(bar + 1, NULL));
        else
            assert_string_equal(buf, bar + 1);
    }
    e->ops->free(e);
}

/* Digits of the mantissa without the zeros at both ends. */
static int digits(const char *number)
{
    int n = 0, trailing = 0;
    for (const char *p = number; *p != '\0' && *p != 'e'; p++) {
        if (*p < '0' || *p > '9' || (n == 0 && *p == '0')) continue;
        n++;
        trailing = *p == '0' ? trailing + 1 : 0;
    }
    return n - trailing;
}

/* DuckDB's own cast gives the shortest digits: ours read back as the same number and have no more
 * of them. */
static void test_doubles_are_shortest(void **state)
{
    (void)state;
    struct cl_engine *e = open_engine(NULL, 0);
    struct cl_result *r = NULL;
    struct cl_error err = {0};
    const char *sql =
        "SELECT x, x::VARCHAR, y, y::VARCHAR FROM (SELECT random() * pow(10, i % 600 - 300) AS x, "
        "(random() * pow(10, i % 60 - 30))::FLOAT AS y FROM range(20000) t(i)) UNION ALL "
        "SELECT x, x::VARCHAR, 0::FLOAT, '0' FROM (SELECT round((random() - 0.5) * pow(10, i % "
        "12), "
        "(i % 8)::INTEGER) AS x FROM range(20000) t(i))";
    assert_int_equal(e->ops->execute(e, sql, &r, &err), CL_OK);
    const char *const *texts;
    const size_t *lens;
    int rows = 0, longer = 0;
    while (e->ops->next_row(r, &texts, &lens, &err) == CL_OK && texts != NULL) {
        assert_int_equal(strlen(texts[0]), lens[0]);
        char x[64], y[64];
        snprintf(x, sizeof x, "%.*s", (int)lens[1], texts[1]);
        snprintf(y, sizeof y, "%.*s", (int)lens[3], texts[3]);
        assert_true(strtod(texts[0], NULL) == strtod(x, NULL));
        assert_true(strtof(texts[2], NULL) == strtof(y, NULL));
        if (digits(texts[0]) > digits(x) || digits(texts[2]) > digits(y))
            print_message("%s %s, %s %s\n", texts[0], x, texts[2], y);
        longer += digits(texts[0]) > digits(x) || digits(texts[2]) > digits(y);
        rows++;
    }
    assert_int_equal(rows, 40000);
    assert_int_equal(longer, 0);
    e->ops->result_free(r);
    e->ops->free(e);
}

static void test_nested_as_json(void **state)
{
    (void)state;
    struct cl_engine *e = open_engine(NULL, 0);
    assert_query(
        e,
        "SELECT [1, NULL, 3], {'a': 'x\"y', 'b': [true, false], 'c': NULL, 'd': DATE '2026-01-05'}",
        "[1,null,3]|{\"a\":\"x\\\"y\",\"b\":[true,false],\"c\":null,\"d\":\"2026-01-05\"}\n");
    assert_query(e,
                 "SELECT map {'k': 1.5, 'l': NULL}, map {1: 'x'}, map {[1]: 2}, [1, "
                 "2]::INTEGER[2], row(1, 'x')",
                 "{\"k\":1.5,\"l\":null}|{\"1\":\"x\"}|{\"[1]\":2}|[1,2]|[1,\"x\"]\n");
    assert_query(e,
                 "SELECT ['nan'::DOUBLE, 'inf'::DOUBLE, 2], [[], [[1]]], '{\"a\": 1}'::JSON, "
                 "['{\"a\": 1}'::JSON]",
                 "[\"nan\",\"inf\",2.0]|[[],[[1]]]|{\"a\": 1}|[{\"a\": 1}]\n");
    assert_query(e,
                 "SELECT union_value(k := 5)::UNION(k INTEGER, s VARCHAR) UNION ALL SELECT "
                 "'x'::UNION(k INTEGER, s VARCHAR)",
                 "5\n\"x\"\n");
    assert_query(e, "SELECT NULL, NULL::INTEGER[], [NULL::STRUCT(a INTEGER)]",
                 "NULL|NULL|[null]\n");
    /* Lists past one vector, so that offsets into the child matter. */
    assert_query(e, "SELECT max(x) FROM (SELECT unnest(list(i)) AS x FROM range(5000) t(i))",
                 "4999\n");
    e->ops->free(e);
}

static void test_column_descriptions(void **state)
{
    (void)state;
    struct cl_engine *e = open_engine(NULL, 0);
    struct cl_result *r = NULL;
    struct cl_error err = {0};
    assert_int_equal(
        e->ops->execute(e, "SELECT 1.5 AS a, true AS b, [1] AS c, 'x' AS d, 1::DECIMAL(9,2) AS e",
                        &r, &err),
        CL_OK);
    const struct cl_result_column *c;
    size_t n;
    e->ops->columns(r, &c, &n);
    assert_int_equal(n, 5);
    assert_string_equal(c[0].name, "a");
    assert_true(c[0].numeric && !c[0].boolean && !c[0].json);
    assert_true(c[1].boolean && c[2].json && !c[3].json && !c[3].numeric);
    assert_string_equal(c[3].type, "VARCHAR");
    assert_string_equal(c[4].type, "DECIMAL(9,2)");
    e->ops->result_free(r);
    e->ops->free(e);
}

/* Either DuckDB's lock or our list of statements: which speaks first depends on the statement. */
static void assert_refused(struct cl_engine *e, const char *sql)
{
    char buf[256];
    struct cl_error err = {0};
    enum cl_code code = query(e, sql, buf, sizeof buf, &err);
    bool locked = strstr(err.message, "Permission Error") != NULL ||
                  strstr(err.message, "locked") != NULL ||
                  strstr(err.message, "Cannot change") != NULL;
    bool unsupported = strstr(err.message, "redirect") != NULL;
    if (!(code == CL_EINVAL && locked) && !(code == CL_EUNSUPPORTED && unsupported))
        fail_msg("%s: %s (%s)", sql, cl_code_name(code), err.message);
}

static void test_lock(void **state)
{
    struct fixture *f = *state;
    struct cl_scan_file files[2];
    struct cl_scan scan;
    struct cl_engine_table table;
    char uri[160], sql[512];
    fixture_table(f, files, &scan, &table, uri);
    struct cl_engine *e = open_engine(&table, 1);
    snprintf(sql, sizeof sql, "SELECT * FROM read_text('%s')", f->paths[2]);
    assert_refused(e, sql);
    assert_refused(e, "SELECT * FROM read_csv('/etc/passwd')");
    assert_refused(e, "SELECT * FROM glob('/etc/*')");
    assert_refused(e, "SELECT 1; COPY (SELECT 1) TO '/tmp/citylake-must-not-exist.csv'");
    snprintf(sql, sizeof sql, "COPY gps TO '%s/we[i]r*d''s/old.parquet'", f->dir);
    assert_refused(e, sql);
    snprintf(sql, sizeof sql, "EXPLAIN ANALYZE COPY gps TO '%s/we[i]r*d''s/old.parquet'", f->dir);
    assert_refused(e, sql);
    assert_refused(e, "PREPARE p AS COPY gps TO '/tmp/x'");
    assert_refused(e, "ATTACH '/tmp/x.db'");
    assert_refused(e, "ATTACH ':memory:' AS m");
    assert_refused(e, "EXPORT DATABASE '/tmp/x'");
    assert_refused(e, "INSTALL httpfs");
    assert_refused(e, "LOAD httpfs");
    assert_refused(e, "SET enable_external_access = true");
    assert_refused(e, "SET threads = 1");
    assert_refused(e, "SET allowed_paths = ['/etc/passwd']");
    assert_query(e, "SELECT count(*) FROM gps",
                 "20\n"); /* nothing was overwritten, and the engine still works */
    e->ops->free(e);
    assert_int_not_equal(access("/tmp/citylake-must-not-exist.csv", F_OK), 0);
}

static void test_errors_have_places(void **state)
{
    (void)state;
    struct cl_engine *e = open_engine(NULL, 0);
    static const struct {
        const char *sql, *where, *part;
    } cases[] = {
        {"slect 1", "line 1, column 1", "syntax error"},
        {"SELECT 1;\nSELECT\n  nope(2)", "line 3, column 3", "nope"},
        {"SELECT '\u00e9', x FROM (SELECT 1 AS xy)", "line 1, column 13", "Candidate bindings"},
        {"SELECT * FROM nowhere", "line 1, column 15", "does not exist"},
        {"", "", "no SQL statement"},
        {"SELECT $1", "", "parameter"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buf[256];
        struct cl_error err = {0};
        assert_int_equal(query(e, cases[i].sql, buf, sizeof buf, &err), CL_EINVAL);
        assert_string_equal(err.where, cases[i].where);
        if (strstr(err.message, cases[i].part) == NULL)
            fail_msg("'%s' lacks '%s'", err.message, cases[i].part);
    }
    assert_fails(e, "SELECT error('in the middle') FROM range(5000) t(i) WHERE i = 4500", CL_EINVAL,
                 "in the middle");
    assert_fails(e, "SELECT 123456789012345678901234567890123456789012345678901234567890::BIGNUM",
                 CL_EUNSUPPORTED, "cast it to VARCHAR");
    e->ops->free(e);
}

static void test_deletes_and_remote_files_are_refused(void **state)
{
    (void)state;
    struct cl_scan_file file = {.path = "file:///x.parquet", .has_deletes = true};
    struct cl_scan scan = {.files = &file, .n = 1};
    struct cl_engine_table table = {"camera", &SCHEMA, &scan};
    struct cl_engine *e = NULL;
    struct cl_error err = {0};
    assert_int_equal(cl_duckdb_engine_new(&table, 1, NULL, &e, &err), CL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "camera"));
    file = (struct cl_scan_file){.path = "s3://bucket/x.parquet"};
    assert_int_equal(cl_duckdb_engine_new(&table, 1, NULL, &e, &err), CL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "s3://bucket/x.parquet"));
    assert_null(e);
}

static void test_memory_limit(void **state)
{
    (void)state;
    struct cl_engine *e = NULL;
    struct cl_error err = {0};
    const struct cl_duckdb_options options = {.memory_bytes = 32 << 20, .threads = 1};
    assert_int_equal(cl_duckdb_engine_new(NULL, 0, &options, &e, &err), CL_OK);
    assert_query(e, "SELECT current_setting('threads')", "1\n");
    assert_fails(e, "SELECT count(*) FROM (SELECT DISTINCT hash(i) FROM range(20000000) t(i))",
                 CL_ELIMIT, "Out of Memory");
    e->ops->free(e);
}

static void *cancel_soon(void *engine)
{
    struct cl_engine *e = engine;
    usleep(200000);
    e->ops->cancel(e);
    return NULL;
}

static void test_cancel(void **state)
{
    (void)state;
    struct cl_engine *e = open_engine(NULL, 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, e), 0);
    assert_fails(e,
                 "SELECT count(*) FROM range(3000000) a(i), range(3000000) b(j) WHERE (i * 7 + j) "
                 "% 1000003 = 1",
                 CL_ECANCELED, "interrupted");
    pthread_join(thread, NULL);
    assert_query(e, "SELECT 42", "42\n"); /* and goes on */
    e->ops->free(e);
}

/* One file named MANY times is as much work to plan and open as MANY files. */
static void test_thousands_of_files(void **state)
{
    struct fixture *f = *state;
    struct cl_scan_file *files = calloc(MANY, sizeof *files);
    assert_non_null(files);
    for (int i = 0; i < MANY; i++)
        files[i].path = f->paths[i % 2];
    struct cl_scan scan = {.files = files, .n = MANY};
    struct cl_engine_table table = {"gps", &SCHEMA, &scan};
    struct cl_engine *e = open_engine(&table, 1);
    assert_query(e, "SELECT count(*), count(speed) FROM gps", "50000|25000\n");
    e->ops->free(e);
    free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_by_field_id),
        cmocka_unit_test(test_scalars_as_duckdb_casts),
        cmocka_unit_test(test_doubles_are_shortest),
        cmocka_unit_test(test_nested_as_json),
        cmocka_unit_test(test_column_descriptions),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_errors_have_places),
        cmocka_unit_test(test_deletes_and_remote_files_are_refused),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_thousands_of_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
