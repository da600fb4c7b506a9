/* test_append.c - appends: snapshots, counters, refs, merged manifests, plans, and what happens
 * when files are missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iceberg_test.h"

#include "base/clock.h"

static struct temp_lake lake;

static int setup(void **state)
{
    (void)state;
    temp_lake_open(&lake);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_lake_close(&lake);
    return 0;
}

static void assert_summary(const struct cl_metadata *m, const char *key, const char *value)
{
    const char *got = cl_snapshot_summary(cl_metadata_current(m), key);
    if (got == NULL || value == NULL ? got != value : strcmp(got, value) != 0)
        fail_msg("%s is %s, not %s", key, got == NULL ? "absent" : got,
                 value == NULL ? "absent" : value);
}

static void an_append_makes_a_snapshot(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    append_files(&m, lake.store, 1, 3, "citylake");
    append_files(&m, lake.store, 4, 4, "citylake");
    const struct cl_snapshot *s = cl_metadata_current(m);
    assert_int_equal(m->n_snapshots, 2);
    assert_int_equal(s->sequence_number, 2);
    assert_int_equal(m->last_sequence_number, 2);
    assert_int_equal(s->parent_id, m->snapshots[0].id);
    assert_true(s->id > 0 && s->id != s->parent_id);
    assert_int_equal(s->timestamp_ms, m->last_updated_ms);
    assert_summary(m, "operation", "append");
    assert_summary(m, "citylake.commit", "x");
    assert_summary(m, "added-data-files", "1");
    assert_summary(m, "added-records", "4");
    assert_summary(m, "added-files-size", "1004");
    assert_summary(m, "changed-partition-count", "1");
    assert_summary(m, "total-data-files", "4");
    assert_summary(m, "total-records", "10");
    assert_summary(m, "total-files-size", "4010");
    assert_summary(m, "total-delete-files", "0");
    const json_t *refs = json_object_get(m->json, "refs");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(refs, "main"), "snapshot-id")), s->id);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(refs, "citylake"), "snapshot-id")),
        s->id);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(refs, "citylake"), "type")), "tag");
    assert_ptr_equal(cl_metadata_as_of(m, s->timestamp_ms), s);
    cl_metadata_free(m);
}

static void a_plan_has_the_files(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    struct cl_scan scan;
    struct cl_error err;
    append_files(&m, lake.store, 1, 3, NULL);
    append_files(&m, lake.store, 4, 5, NULL);
    assert_int_equal(cl_scan_plan(m, cl_metadata_current(m), lake.store, &scan, &err), CL_OK);
    assert_int_equal(scan.n, 5);
    assert_int_equal(scan.rows, 15);
    for (size_t i = 0; i < scan.n; i++) {
        const struct cl_scan_file *f = &scan.files[i];
        char path[64];
        (void)snprintf(path, sizeof path, "city/vehicle/data/%d.parquet", (int)f->rows);
        assert_string_equal(cl_store_relative(lake.store, f->path), path);
        assert_int_equal(f->size_bytes, 1000 + f->rows);
        assert_true(f->has_partition);
        assert_int_equal(f->partition_value, f->rows);
        assert_int_equal(f->added_snapshot_id, m->snapshots[f->rows <= 3 ? 0 : 1].id);
        assert_false(f->has_deletes);
    }
    cl_scan_fini(&scan);
    assert_int_equal(cl_scan_plan(m, &m->snapshots[0], lake.store, &scan, &err), CL_OK);
    assert_int_equal(scan.n, 3);
    cl_scan_fini(&scan);
    cl_metadata_free(m);
}

static void an_empty_append_keeps_the_files(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    struct cl_scan scan;
    append_files(&m, lake.store, 1, 0, NULL);
    append_files(&m, lake.store, 1, 1, NULL);
    append_files(&m, lake.store, 2, 1, "citylake");
    assert_summary(m, "added-data-files", NULL);
    assert_summary(m, "changed-partition-count", "0");
    assert_summary(m, "total-records", "1");
    assert_int_equal(cl_scan_plan(m, cl_metadata_current(m), lake.store, &scan, NULL), CL_OK);
    assert_int_equal(scan.n, 1);
    cl_scan_fini(&scan);
    cl_metadata_free(m);
}

static size_t count_manifests(const struct cl_metadata *m)
{
    struct cl_arena arena;
    struct cl_manifest_list list;
    struct cl_error err;
    cl_arena_init(&arena, 1 << 26);
    assert_int_equal(cl_manifest_list_load(lake.store, cl_metadata_current(m)->manifest_list,
                                           &arena, &list, &err),
                     CL_OK);
    cl_arena_fini(&arena);
    return list.n;
}

static void many_manifests_are_merged(void **state)
{
    (void)state;
    enum { APPENDS = 250 };
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    size_t most = 0;
    for (int i = 1; i <= APPENDS; i++) {
        append_files(&m, lake.store, i, i, NULL);
        size_t n = count_manifests(m);
        if (n > most) most = n;
    }
    assert_int_equal(most, 100);
    struct cl_scan scan;
    static bool seen[APPENDS + 1];
    assert_int_equal(cl_scan_plan(m, cl_metadata_current(m), lake.store, &scan, NULL), CL_OK);
    assert_int_equal(scan.n, APPENDS);
    assert_int_equal(scan.rows, APPENDS * (APPENDS + 1) / 2);
    for (size_t i = 0; i < scan.n; i++) {
        const struct cl_scan_file *f = &scan.files[i];
        assert_false(seen[f->rows]);
        seen[f->rows] = true;
        assert_int_equal(f->partition_value, f->rows);
        assert_int_equal(f->added_snapshot_id,
                         m->snapshots[f->rows - 1].id); /* merging keeps who added it */
    }
    cl_scan_fini(&scan);
    /* Old snapshots are untouched. */
    assert_int_equal(cl_scan_plan(m, &m->snapshots[49], lake.store, &scan, NULL), CL_OK);
    assert_int_equal(scan.n, 50);
    cl_scan_fini(&scan);
    cl_metadata_free(m);
}

static void time_never_runs_backwards(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0), *late = NULL;
    int64_t future =
        cl_clock_wall_us() / 1000 + 3600000; /* written while the clock was an hour ahead */
    json_t *doc = json_deep_copy(m->json);
    assert_int_equal(json_object_set_new(doc, "last-updated-ms", json_integer(future)), 0);
    assert_int_equal(cl_metadata_from_json("late", doc, &late, NULL), CL_OK);
    append_files(&late, lake.store, 1, 1, NULL);
    assert_int_equal(late->last_updated_ms, future);
    assert_int_equal(cl_metadata_current(late)->timestamp_ms, future);
    cl_metadata_free(late);
    cl_metadata_free(m);
}

/* Drops the totals of the current snapshot, as a writer that does not keep them would. */
static struct cl_metadata *without_totals(const struct cl_metadata *m)
{
    struct cl_metadata *ret = NULL;
    json_t *doc = json_deep_copy(m->json);
    json_t *snapshots = json_object_get(doc, "snapshots");
    json_t *last = json_array_get(snapshots, json_array_size(snapshots) - 1);
    assert_int_equal(json_object_del(json_object_get(last, "summary"), "total-records"), 0);
    assert_int_equal(cl_metadata_from_json("t", doc, &ret, NULL), CL_OK);
    return ret;
}

static void missing_totals_are_counted(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    append_files(&m, lake.store, 1, 4, NULL);
    struct cl_metadata *bare = without_totals(m);
    append_files(&bare, lake.store, 5, 5, NULL);
    assert_summary(bare, "total-records", "15");
    assert_summary(bare, "total-data-files", "5");
    assert_summary(bare, "total-files-size", "5015");
    cl_metadata_free(bare);
    cl_metadata_free(m);
}

static enum cl_code plain_append(const struct cl_metadata *m, const struct cl_property *summary,
                                 size_t n, const char *tag, struct cl_metadata **ret,
                                 struct cl_written *w, struct cl_error *err)
{
    struct test_file f;
    make_file(&f, 1);
    return cl_metadata_append(m, lake.store, &f.file, 1, summary, n, tag, ret, w, err);
}

static void written_names_every_file(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0), *next = NULL;
    struct cl_written w = {.n = 0};
    struct cl_store_list list;
    struct cl_error err;
    assert_int_equal(plain_append(m, NULL, 0, NULL, &next, &w, &err), CL_OK);
    assert_int_equal(lake.store->ops->list(lake.store, "", &list, NULL), CL_OK);
    assert_int_equal(w.n, 2);
    assert_int_equal(list.n, 2);
    cl_store_list_fini(&list);
    for (size_t i = 0; i < w.n; i++)
        assert_int_equal(lake.store->ops->remove(lake.store, w.paths[i], &err), CL_OK);
    assert_int_equal(lake.store->ops->list(lake.store, "", &list, NULL), CL_OK);
    assert_int_equal(list.n, 0);
    cl_store_list_fini(&list);
    cl_written_fini(&w);
    cl_metadata_free(next);
    cl_metadata_free(m);
}

static void our_counters_win(void **state)
{
    (void)state;
    struct cl_property summary[] = {
        {"operation", "delete"}, {"added-records", "999"}, {"note", "n"}};
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0), *next = NULL;
    struct cl_written w = {.n = 0};
    assert_int_equal(plain_append(m, summary, 3, NULL, &next, &w, NULL), CL_OK);
    assert_summary(next, "operation", "append");
    assert_summary(next, "added-records", "1");
    assert_summary(next, "note", "n");
    cl_written_fini(&w);
    cl_metadata_free(next);
    cl_metadata_free(m);
}

static void a_branch_is_not_a_tag(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0), *next = NULL;
    struct cl_written w = {.n = 0};
    struct cl_error err;
    append_files(&m, lake.store, 1, 1, NULL);
    assert_int_equal(plain_append(m, NULL, 0, "main", &next, &w, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "main"));
    assert_null(next);
    cl_written_fini(&w);
    cl_metadata_free(m);
}

static void missing_and_foreign_files_are_named(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    struct cl_scan scan;
    struct cl_error err;
    append_files(&m, lake.store, 1, 1, NULL);
    const struct cl_snapshot *s = cl_metadata_current(m);
    const char *list = cl_store_relative(lake.store, s->manifest_list);
    struct temp_lake other;
    temp_lake_open(&other); /* as if the lake had been moved */
    assert_int_equal(cl_scan_plan(m, s, other.store, &scan, &err), CL_EDATA);
    assert_string_equal(err.where, s->manifest_list);
    assert_non_null(strstr(err.message, "moved"));
    temp_lake_close(&other);
    assert_int_equal(lake.store->ops->put(lake.store, list, "Obj\1garbage", 11, &err), CL_OK);
    assert_int_equal(cl_scan_plan(m, s, lake.store, &scan, &err), CL_EDATA);
    assert_non_null(strstr(err.message, s->manifest_list));
    assert_int_equal(lake.store->ops->remove(lake.store, list, &err), CL_OK);
    assert_int_equal(cl_scan_plan(m, s, lake.store, &scan, &err), CL_EDATA);
    assert_string_equal(err.where, s->manifest_list);
    cl_metadata_free(m);
}

/* Adds a manifest of row-level deletes with the given sequence number to the current snapshot's
 * list. */
static void add_deletes(const struct cl_metadata *m, int64_t sequence)
{
    struct cl_arena arena;
    struct cl_manifest_list list;
    struct cl_buf bytes = {.data = NULL};
    const struct cl_snapshot *s = cl_metadata_current(m);
    cl_arena_init(&arena, 1 << 26);
    assert_int_equal(cl_manifest_list_load(lake.store, s->manifest_list, &arena, &list, NULL),
                     CL_OK);
    struct cl_manifest_file *files = cl_arena_array(&arena, list.n + 1, sizeof *files);
    memcpy(files, list.files, list.n * sizeof *files);
    files[list.n] = files[0];
    files[list.n].content = CL_MANIFEST_DELETES;
    files[list.n].sequence_number = sequence;
    list = (struct cl_manifest_list){.files = files, .n = list.n + 1};
    assert_int_equal(cl_manifest_list_write(&list, s, &bytes, NULL), CL_OK);
    assert_int_equal(lake.store->ops->put(lake.store,
                                          cl_store_relative(lake.store, s->manifest_list),
                                          bytes.data, bytes.len, NULL),
                     CL_OK);
    cl_buf_fini(&bytes);
    cl_arena_fini(&arena);
}

static void files_that_deletes_may_touch_are_marked(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    struct cl_scan scan;
    for (int i = 1; i <= 3; i++)
        append_files(&m, lake.store, i, i, NULL);
    add_deletes(m, 2);
    assert_int_equal(cl_scan_plan(m, cl_metadata_current(m), lake.store, &scan, NULL), CL_OK);
    assert_int_equal(scan.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(scan.files[i].has_deletes, scan.files[i].rows <= 2);
    cl_scan_fini(&scan);
    append_files(&m, lake.store, 4, 4, NULL); /* the delete manifest goes on */
    assert_int_equal(count_manifests(m), 5);
    cl_metadata_free(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_append_makes_a_snapshot),
        TEST(a_plan_has_the_files),
        TEST(an_empty_append_keeps_the_files),
        TEST(many_manifests_are_merged),
        TEST(time_never_runs_backwards),
        TEST(missing_totals_are_counted),
        TEST(written_names_every_file),
        TEST(our_counters_win),
        TEST(a_branch_is_not_a_tag),
        TEST(missing_and_foreign_files_are_named),
        TEST(files_that_deletes_may_touch_are_marked),
    };
    return cmocka_run_group_tests_name("append", tests, NULL, NULL);
}
