/* test_local_catalog.c - versions, hints, races between processes, broken metadata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../iceberg/iceberg_test.h"

#include "catalog/catalog.h"

#include <sys/wait.h>
#include <unistd.h>

static struct temp_lake lake;
static struct cl_catalog *catalog;

static int setup(void **state)
{
    (void)state;
    temp_lake_open(&lake);
    return cl_local_catalog_new(lake.store, "city", &catalog, NULL) == CL_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    catalog->ops->free(catalog);
    temp_lake_close(&lake);
    return 0;
}

static void create_with(const struct cl_property *properties, size_t n)
{
    struct cl_error err;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, properties, n);
    if (catalog->ops->create(catalog, "vehicle", m, &err) != CL_OK) fail_msg("%s", err.message);
    cl_metadata_free(m);
}

static struct cl_table *load(void)
{
    struct cl_table *t = NULL;
    struct cl_error err;
    if (catalog->ops->load(catalog, "vehicle", &t, &err) != CL_OK) fail_msg("%s", err.message);
    return t;
}

/* The metadata after one more append of file n, built on t.  Its files are in *w. */
static struct cl_metadata *next_of(const struct cl_table *t, int n, struct cl_written *w)
{
    struct cl_metadata *next = NULL;
    struct test_file f;
    make_file(&f, n);
    if (cl_metadata_append(t->metadata, lake.store, &f.file, 1, NULL, 0, "citylake", &next, w,
                           NULL) != CL_OK)
        abort();
    return next;
}

static enum cl_code append_once(const struct cl_table *t, int n)
{
    struct cl_written w = {.n = 0};
    struct cl_metadata *next = next_of(t, n, &w);
    enum cl_code code = catalog->ops->commit(catalog, t, next, NULL);
    for (size_t i = 0; i < w.n && code == CL_ECONFLICT; i++)
        if (lake.store->ops->remove(lake.store, w.paths[i], NULL) != CL_OK) abort();
    cl_written_fini(&w);
    cl_metadata_free(next);
    return code;
}

static void append_loaded(int n)
{
    struct cl_table *t = load();
    assert_int_equal(append_once(t, n), CL_OK);
    cl_table_free(t);
}

static void put_text(const char *path, const char *text)
{
    assert_int_equal(lake.store->ops->put(lake.store, path, text, strlen(text), NULL), CL_OK);
}

/* With content: the name of an old version stays when it is emptied. */
static bool is_there(int version)
{
    char path[64];
    int64_t size;
    (void)snprintf(path, sizeof path, "city/vehicle/metadata/v%d.metadata.json", version);
    return lake.store->ops->size(lake.store, path, &size, NULL) == CL_OK && size > 0;
}

static void create_load_commit(void **state)
{
    (void)state;
    struct cl_table *t = NULL;
    assert_int_equal(catalog->ops->load(catalog, "vehicle", &t, NULL), CL_ENOTFOUND);
    create_with(NULL, 0);
    t = load();
    assert_int_equal(t->version, 1);
    assert_string_equal(t->name, "vehicle");
    assert_string_equal(cl_store_relative(lake.store, t->metadata_location),
                        "city/vehicle/metadata/v1.metadata.json");
    assert_int_equal(append_once(t, 1), CL_OK);
    cl_table_free(t);
    t = load();
    assert_int_equal(t->version, 2);
    assert_int_equal(t->metadata->n_snapshots, 1);
    const json_t *log = json_object_get(t->metadata->json, "metadata-log");
    assert_int_equal(json_array_size(log), 1);
    assert_non_null(
        strstr(json_string_value(json_object_get(json_array_get(log, 0), "metadata-file")),
               "/v1.metadata.json"));
    cl_table_free(t);
}

static void create_twice_is_refused(void **state)
{
    (void)state;
    struct cl_error err;
    create_with(NULL, 0);
    append_loaded(1);
    assert_int_equal(
        lake.store->ops->remove(lake.store, "city/vehicle/metadata/v1.metadata.json", NULL), CL_OK);
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    assert_int_equal(catalog->ops->create(catalog, "vehicle", m, &err),
                     CL_EEXIST); /* though v1 is free again */
    assert_false(is_there(1));
    cl_metadata_free(m);
}

static void a_stale_base_loses(void **state)
{
    (void)state;
    create_with(NULL, 0);
    struct cl_table *stale = load();
    append_loaded(1);
    assert_int_equal(append_once(stale, 2), CL_ECONFLICT);
    struct cl_table *now = load();
    assert_int_equal(now->version, 2);
    assert_int_equal(now->metadata->n_snapshots, 1);
    cl_table_free(now);
    cl_table_free(stale);
}

static void any_hint_will_do(void **state)
{
    (void)state;
    static const char *const hints[] = {
        "4", "2", "1\n", " 3 ", "99", "", "x", "-1", "3.5", "99999999999999999999", "4 5"};
    create_with(NULL, 0);
    for (int i = 1; i <= 3; i++)
        append_loaded(i);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        put_text("city/vehicle/metadata/version-hint.text", hints[i]);
        struct cl_table *t = load();
        if (t->version != 4) fail_msg("hint \"%s\": version %lld", hints[i], (long long)t->version);
        cl_table_free(t);
    }
    assert_int_equal(
        lake.store->ops->remove(lake.store, "city/vehicle/metadata/version-hint.text", NULL),
        CL_OK);
    put_text("city/vehicle/metadata/v9x.metadata.json", "not a version");
    put_text("city/vehicle/metadata/00007-abc.metadata.json", "nor this");
    append_loaded(4);
    struct cl_table *t = load();
    assert_int_equal(t->version, 5);
    cl_table_free(t);
}

static void broken_metadata_names_a_way_back(void **state)
{
    (void)state;
    struct cl_table *t = NULL;
    struct cl_error err;
    create_with(NULL, 0);
    append_loaded(1);
    append_loaded(2);
    put_text("city/vehicle/metadata/v3.metadata.json", "{\"format-version\": 2,\n  oops");
    assert_int_equal(catalog->ops->load(catalog, "vehicle", &t, &err), CL_EDATA);
    static const char *const parts[] = {"v3.metadata.json", "line 2", "v2.metadata.json",
                                        "version-hint.text"};
    for (size_t i = 0; i < 4; i++)
        if (strstr(err.message, parts[i]) == NULL)
            fail_msg("%s is not in: %s", parts[i], err.message);
    put_text("city/vehicle/metadata/v2.metadata.json", "");
    put_text("city/vehicle/metadata/v1.metadata.json", "[]");
    assert_int_equal(catalog->ops->load(catalog, "vehicle", &t, &err), CL_EDATA);
    assert_non_null(strstr(err.message, "no earlier version"));
}

static void compressed_metadata_is_refused(void **state)
{
    (void)state;
    struct cl_table *t = NULL;
    struct cl_error err;
    create_with(NULL, 0);
    put_text("city/vehicle/metadata/v2.gz.metadata.json", "\x1f\x8b");
    assert_int_equal(catalog->ops->load(catalog, "vehicle", &t, &err), CL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "compression-codec"));
}

static void old_versions_go_when_asked(void **state)
{
    (void)state;
    static const struct cl_property properties[] = {
        {"write.metadata.delete-after-commit.enabled", "true"},
        {"write.metadata.previous-versions-max", "3"}};
    create_with(properties, 2);
    struct cl_table *sleeper = load(); /* on v1 */
    for (int i = 1; i <= 9; i++)
        append_loaded(i);
    for (int v = 1; v <= 10; v++)
        assert_int_equal(is_there(v), v >= 7); /* v10 and three before it */
    struct cl_table *t = load();
    assert_int_equal(json_array_size(json_object_get(t->metadata->json, "metadata-log")), 3);
    cl_table_free(t);
    /* v2 is empty, but its name is taken. */
    assert_int_equal(append_once(sleeper, 50), CL_ECONFLICT);
    assert_false(is_there(2));
    cl_table_free(sleeper);
    t = load();
    assert_int_equal(t->version, 10);
    assert_int_equal(t->metadata->n_snapshots, 9);
    cl_table_free(t);
}

/* Another program may have removed old versions. */
static void a_commit_whose_base_is_gone_counts(void **state)
{
    (void)state;
    create_with(NULL, 0);
    append_loaded(1);
    struct cl_table *t = load();
    assert_int_equal(
        lake.store->ops->remove(lake.store, "city/vehicle/metadata/v1.metadata.json", NULL), CL_OK);
    assert_int_equal(
        lake.store->ops->remove(lake.store, "city/vehicle/metadata/v2.metadata.json", NULL), CL_OK);
    assert_int_equal(append_once(t, 2), CL_OK);
    assert_true(is_there(3));
    cl_table_free(t);
    t = load();
    assert_int_equal(t->metadata->n_snapshots, 2);
    cl_table_free(t);
}

static void versions_left_behind_go_first(void **state)
{
    (void)state;
    static const struct cl_property properties[] = {
        {"write.metadata.delete-after-commit.enabled", "true"},
        {"write.metadata.previous-versions-max", "20"}};
    create_with(properties, 2);
    for (int i = 1; i <= 9; i++)
        append_loaded(i); /* v10; nothing removed */
    struct cl_table *t = load();
    struct cl_written w = {.n = 0};
    struct cl_metadata *next = next_of(t, 10, &w), *fewer = NULL;
    json_t *doc = json_deep_copy(next->json);
    assert_int_equal(json_object_set_new(json_object_get(doc, "properties"),
                                         "write.metadata.previous-versions-max", json_string("2")),
                     0);
    assert_int_equal(cl_metadata_from_json("t", doc, &fewer, NULL), CL_OK);
    assert_int_equal(catalog->ops->commit(catalog, t, fewer, NULL), CL_OK);
    for (int v = 1; v <= 11; v++)
        assert_int_equal(is_there(v), v >= 9);
    cl_metadata_free(fewer);
    cl_metadata_free(next);
    cl_written_fini(&w);
    cl_table_free(t);
}

static void names_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "..", ".hidden", "a/b", "a b", "x?y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cl_table *t = NULL;
        struct cl_catalog *c = NULL;
        char *location = NULL;
        assert_int_equal(catalog->ops->load(catalog, bad[i], &t, NULL), CL_EINVAL);
        assert_int_equal(catalog->ops->location(catalog, bad[i], &location, NULL), CL_EINVAL);
        assert_int_equal(cl_local_catalog_new(lake.store, bad[i], &c, NULL), CL_EINVAL);
    }
}

static void another_tables_metadata_is_refused(void **state)
{
    (void)state;
    create_with(NULL, 0);
    struct cl_table *t = load();
    struct cl_metadata *other = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    assert_int_equal(catalog->ops->commit(catalog, t, other, NULL), CL_EINVAL);
    assert_false(is_there(2));
    cl_metadata_free(other);
    cl_table_free(t);
}

static void list_has_the_tables(void **state)
{
    (void)state;
    char **names;
    size_t n;
    assert_int_equal(catalog->ops->list(catalog, &names, &n, NULL), CL_OK);
    assert_int_equal(n, 0);
    free(names);
    create_with(NULL, 0);
    append_loaded(1);
    put_text("city/vehicle/data/x.parquet", "");
    put_text("city/vehicle-2/metadata/v1.metadata.json", "{}");
    put_text("city/no-table/data/x.parquet", "");
    put_text("city/file", "");
    put_text("elsewhere/t/metadata/v1.metadata.json", "{}");
    assert_int_equal(catalog->ops->list(catalog, &names, &n, NULL), CL_OK);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "vehicle");
    assert_string_equal(names[1], "vehicle-2");
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* ---- races ---- */

enum { PROCESSES = 8 };

static void race_child(int process, int appends)
{
    for (int i = 0; i < appends; i++) {
        enum cl_code code = CL_ECONFLICT;
        while (code == CL_ECONFLICT) { /* a lost race: load again */
            struct cl_table *t = NULL;
            if (catalog->ops->load(catalog, "vehicle", &t, NULL) != CL_OK) _exit(2);
            code = append_once(t, 1 + process * appends + i);
            cl_table_free(t);
        }
        if (code != CL_OK) _exit(3);
    }
    _exit(0);
}

static void race(const struct cl_property *properties, size_t n, int appends)
{
    create_with(properties, n);
    for (int p = 0; p < PROCESSES; p++)
        if (fork() == 0) race_child(p, appends);
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    size_t total = (size_t)(PROCESSES * appends);
    struct cl_table *t = load();
    struct cl_scan scan;
    bool *seen = calloc(total + 1, sizeof *seen);
    assert_int_equal(t->version, total + 1);
    assert_int_equal(t->metadata->n_snapshots, total);
    for (size_t i = 1; i < total; i++) {
        assert_int_equal(t->metadata->snapshots[i].parent_id,
                         t->metadata->snapshots[i - 1].id); /* one line, no fork */
        assert_int_equal(t->metadata->snapshots[i].sequence_number, i + 1);
        assert_true(t->metadata->snapshots[i].timestamp_ms >=
                    t->metadata->snapshots[i - 1].timestamp_ms);
    }
    assert_int_equal(
        cl_scan_plan(t->metadata, cl_metadata_current(t->metadata), lake.store, &scan, NULL),
        CL_OK);
    assert_int_equal(scan.n, total);
    for (size_t i = 0; i < scan.n; i++) {
        assert_false(seen[scan.files[i].rows]); /* file n has n rows */
        seen[scan.files[i].rows] = true;
    }
    cl_scan_fini(&scan);
    cl_table_free(t);
    free(seen);
}

static void no_update_is_lost(void **state)
{
    (void)state;
    race(NULL, 0, 50);
}

static void no_update_is_lost_while_versions_go(void **state)
{
    (void)state;
    static const struct cl_property properties[] = {
        {"write.metadata.delete-after-commit.enabled", "true"},
        {"write.metadata.previous-versions-max", "2"},
        {"commit.manifest.min-count-to-merge", "10"}};
    race(properties, 3, 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_load_commit),
        TEST(create_twice_is_refused),
        TEST(a_stale_base_loses),
        TEST(any_hint_will_do),
        TEST(broken_metadata_names_a_way_back),
        TEST(compressed_metadata_is_refused),
        TEST(old_versions_go_when_asked),
        TEST(a_commit_whose_base_is_gone_counts),
        TEST(versions_left_behind_go_first),
        TEST(names_are_checked),
        TEST(another_tables_metadata_is_refused),
        TEST(list_has_the_tables),
        TEST(no_update_is_lost),
        TEST(no_update_is_lost_while_versions_go),
    };
    return cmocka_run_group_tests_name("local_catalog", tests, NULL, NULL);
}
