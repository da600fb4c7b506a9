/* test_stream.c - the engine on a source in memory: rows land once, whatever the catalog and the
 * source do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flaky_catalog.h"
#include "memory_source.h"
#include "stream/ledger.h"
#include "stream/stream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char city_yaml[] = "feeds:\n"
                                "  alpha:\n"
                                "    topic: a\n"
                                "    event_time: t\n"
                                "    watermark: 1 minute\n"
                                "    columns:\n"
                                "      id: {type: string, required: true}\n"
                                "      t: {type: timestamp, required: true}\n"
                                "      x: {type: double}\n"
                                "    partition: day(t)\n"
                                "  beta:\n"
                                "    topic: b\n"
                                "    event_time: t\n"
                                "    watermark: 1 minute\n"
                                "    columns:\n"
                                "      t: {type: timestamp, required: true}\n"
                                "      n: {type: int, required: true}\n";

struct fixture {
    char dir[64];
    struct cl_spec *spec;
    struct cl_store *store;
    struct cl_catalog *inner;
    struct flaky_catalog *flaky;
    struct memory_source *source;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct cl_error err = {0};
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/citylake-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (cl_spec_parse("test.yaml", city_yaml, strlen(city_yaml), &f->spec, &err) != CL_OK)
        fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(cl_local_store_new(f->dir, &f->store, &err), CL_OK);
    assert_int_equal(cl_local_catalog_new(f->store, "city", &f->inner, &err), CL_OK);
    f->flaky = flaky_catalog_new(f->inner);
    f->source = memory_source_new(f->spec, 2, true);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    struct cl_source *source = memory_source_base(f->source);
    struct cl_catalog *flaky = flaky_catalog_base(f->flaky);
    source->ops->free(source);
    flaky->ops->free(flaky);
    f->inner->ops->free(f->inner);
    f->store->ops->free(f->store);
    cl_spec_free(f->spec);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int failed = system(command);
    free(f);
    return failed;
}

/* Messages for both partitions of both feeds; every tenth of alpha lacks its id. */
static void add_messages(struct fixture *f, int from, int n)
{
    char text[160];
    for (int i = from; i < from + n; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"id\": %s, \"t\": \"2026-01-0%dT08:00:00\", \"x\": %d.5}",
                       i % 10 == 3 ? "null" : "\"a\"", 1 + i % 3, i);
        memory_source_add(f->source, i % 2, text);
        (void)snprintf(text, sizeof text, "{\"t\": \"2026-01-01T08:00:00\", \"n\": %d}", i);
        memory_source_add(f->source, 2 + i % 2, text);
    }
}

static enum cl_code run(struct fixture *f, struct cl_stream_stats *stats, struct cl_error *err)
{
    const struct cl_stream_options options = {.lanes = 2, .commit_every_us = 1000};
    return cl_stream_run(f->spec, memory_source_base(f->source), flaky_catalog_base(f->flaky),
                         &options, stats, err);
}

static void run_ok(struct fixture *f)
{
    struct cl_error err = {0};
    if (run(f, NULL, &err) != CL_OK) fail_msg("%s", err.message);
}

/* Rows of a table by its manifests, and its newest progress. */
static int64_t rows_of(struct fixture *f, const char *table, struct cl_progress *ret)
{
    struct cl_table *t = NULL;
    struct cl_scan scan = {0};
    const struct cl_snapshot *s = NULL;
    struct cl_error err = {0};
    if (f->inner->ops->load(f->inner, table, &t, &err) != CL_OK) fail_msg("%s", err.message);
    const struct cl_snapshot *current = cl_metadata_current(t->metadata);
    int64_t rows = 0;
    if (current != NULL) {
        if (cl_scan_plan(t->metadata, current, f->store, &scan, &err) != CL_OK)
            fail_msg("%s", err.message);
        rows = scan.rows;
        cl_scan_fini(&scan);
    }
    if (ret != NULL) assert_int_equal(cl_progress_current(t->metadata, ret, &s, &err), CL_OK);
    cl_table_free(t);
    return rows;
}

/* No Parquet file is in the store that no table refers to. */
static void assert_no_orphans(struct fixture *f)
{
    static const char *const tables[] = {"alpha", "beta", CL_DEAD_LETTERS};
    size_t live = 0, stored = 0;
    for (size_t i = 0; i < 3; i++) {
        struct cl_table *t = NULL;
        struct cl_scan scan = {0};
        assert_int_equal(f->inner->ops->load(f->inner, tables[i], &t, NULL), CL_OK);
        if (cl_metadata_current(t->metadata) != NULL) {
            assert_int_equal(
                cl_scan_plan(t->metadata, cl_metadata_current(t->metadata), f->store, &scan, NULL),
                CL_OK);
            live += scan.n;
            cl_scan_fini(&scan);
        }
        cl_table_free(t);
    }
    struct cl_store_list list = {0};
    assert_int_equal(f->store->ops->list(f->store, "", &list, NULL), CL_OK);
    for (size_t i = 0; i < list.n; i++)
        stored += strstr(list.entries[i].path, ".parquet") != NULL;
    cl_store_list_fini(&list);
    assert_int_equal(live, stored);
}

/* 100 messages a feed: 90 rows and 10 rejects in alpha, 100 rows in beta; all of it `times` times.
 */
static void assert_all_there(struct fixture *f, int times)
{
    struct cl_progress a = {0}, b = {0}, dead = {0};
    assert_int_equal(rows_of(f, "alpha", &a), 90 * times);
    assert_int_equal(rows_of(f, "beta", &b), 100 * times);
    assert_int_equal(rows_of(f, CL_DEAD_LETTERS, &dead), 10 * times);
    assert_int_equal(a.total.consumed, 100 * times);
    assert_int_equal(a.total.stored, 90 * times);
    assert_int_equal(a.total.rejected, 10 * times);
    assert_int_equal(b.total.consumed, 100 * times);
    for (int p = 0; p < 2; p++) {
        const char *key = p == 0 ? "0" : "1";
        assert_int_equal(cl_progress_find(&a, key)->first, 0);
        assert_int_equal(cl_progress_find(&a, key)->next, 50 * times);
        assert_int_equal(cl_progress_find(&b, key)->next, 50 * times);
    }
    assert_non_null(cl_progress_find(&dead, "a/1"));
    assert_null(cl_progress_find(&dead, "b/0"));
    cl_progress_fini(&a);
    cl_progress_fini(&b);
    cl_progress_fini(&dead);
}

static void rows_land_and_a_second_run_goes_on(void **state)
{
    struct fixture *f = *state;
    add_messages(f, 0, 100);
    run_ok(f);
    assert_all_there(f, 1);
    run_ok(f);
    assert_all_there(f, 1);
    add_messages(f, 100, 100);
    run_ok(f);
    assert_all_there(f, 2);
    assert_no_orphans(f);
}

static void faults_of_the_catalog_lose_and_double_nothing(void **state)
{
    static const enum flaky_fault faults[] = {FLAKY_COMMIT_LOST, FLAKY_COMMIT_UNKNOWN,
                                              FLAKY_COMMIT_UNDONE, FLAKY_COMMIT_CONFLICT,
                                              FLAKY_LOAD_FAILS};
    static const char *const tables[] = {"alpha", "beta", CL_DEAD_LETTERS};
    struct fixture *f = *state;
    int runs = 0;
    add_messages(f, 0, 100);
    run_ok(f);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        for (size_t t = 0; t < 3; t++) {
            /* Loads at start are not retried (a person is watching); the third one is a commit's.
             */
            add_messages(f, (runs + 1) * 100, 100);
            int before = flaky_catalog_commits(f->flaky);
            if (faults[i] != FLAKY_LOAD_FAILS)
                flaky_catalog_order(f->flaky, tables[t], faults[i], 2);
            run_ok(f);
            runs++;
            assert_true(flaky_catalog_commits(f->flaky) >= before + 3);
            assert_all_there(f, runs + 1);
        }
    assert_no_orphans(f);
}

static void a_refused_commit_leaves_the_rest_for_the_next_run(void **state)
{
    struct fixture *f = *state;
    struct cl_error err = {0};
    struct cl_progress dead = {0};
    add_messages(f, 0, 100);
    /* dead_letters is committed first, then alpha is refused: a crash between the two. */
    flaky_catalog_order(f->flaky, "alpha", FLAKY_COMMIT_REFUSED, 1);
    assert_int_equal(run(f, NULL, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "refused"));
    assert_int_equal(rows_of(f, "alpha", NULL), 0);
    assert_true(rows_of(f, CL_DEAD_LETTERS, &dead) > 0);
    assert_true(cl_progress_find(&dead, "a/1")->next > 0);
    cl_progress_fini(&dead);
    run_ok(f);
    assert_all_there(f, 1);
    assert_no_orphans(f);
}

static void a_broken_source_loses_nothing(void **state)
{
    struct fixture *f = *state;
    struct cl_error err = {0};
    add_messages(f, 0, 100);
    memory_source_fail_poll(f->source, 5, false);
    run_ok(f);
    assert_all_there(f, 1);
    add_messages(f, 100, 100);
    memory_source_fail_poll(f->source, 4, true);
    assert_int_equal(run(f, NULL, &err), CL_EIO);
    assert_non_null(strstr(err.message, "broke this poll"));
    run_ok(f);
    assert_all_there(f, 2);
    assert_no_orphans(f);
}

static void gaps_tombstones_and_unknown_topics(void **state)
{
    struct fixture *f = *state;
    struct cl_progress b = {0}, dead = {0};
    memory_source_add(f->source, 2, "{\"t\": \"2026-01-01\", \"n\": 1}");
    memory_source_skip(f->source, 2, 10);
    memory_source_add(f->source, 2, NULL);
    memory_source_skip(f->source, 2, 5);
    memory_source_add(f->source, 4, "{}");
    run_ok(f);
    assert_int_equal(rows_of(f, "beta", &b), 1);
    assert_int_equal(cl_progress_find(&b, "0")->next, 17);
    assert_int_equal(b.total.consumed, 2);
    assert_int_equal(b.total.rejected, 1);
    assert_int_equal(rows_of(f, CL_DEAD_LETTERS, &dead), 2);
    assert_int_equal(cl_progress_find(&dead, "/0")->next, 1);
    cl_progress_fini(&b);
    cl_progress_fini(&dead);
    run_ok(f);
    assert_int_equal(rows_of(f, CL_DEAD_LETTERS, NULL), 2);
}

static void another_source_is_named_and_refused(void **state)
{
    struct fixture *f = *state;
    struct cl_error err = {0};
    add_messages(f, 0, 20);
    run_ok(f);
    memory_source_rename(f->source, "another");
    assert_int_equal(run(f, NULL, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "\"kind\":\"memory\""));
    assert_non_null(strstr(err.message, "\"kind\":\"another\""));
}

static void a_table_of_another_shape_is_named_and_refused(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"x: {type: double}", "x: {type: string}",
         "column x is string in city.yaml but double in the table"},
        {"x: {type: double}", "y: {type: double}", "city.yaml declares column y"},
        {"partition: day(t)", "partition: hour(t)", "partitions by hour but the table by day"},
    };
    struct fixture *f = *state;
    add_messages(f, 0, 20);
    run_ok(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[sizeof city_yaml + 64];
        const char *at = strstr(city_yaml, cases[i].from);
        struct cl_spec *spec = NULL;
        struct cl_error err = {0};
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - city_yaml), city_yaml, cases[i].to,
                       at + strlen(cases[i].from));
        assert_int_equal(cl_spec_parse("other.yaml", text, strlen(text), &spec, &err), CL_OK);
        struct memory_source *source = memory_source_new(spec, 2, false);
        const struct cl_stream_options options = {.lanes = 1};
        enum cl_code code =
            cl_stream_run(spec, memory_source_base(source), f->inner, &options, NULL, &err);
        assert_int_equal(code, CL_EINVAL);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("unexpected message: %s", err.message);
        memory_source_base(source)->ops->free(memory_source_base(source));
        cl_spec_free(spec);
    }
}

/* A rival engine with the same input in another thread. */
struct rival {
    struct fixture *f;
    struct memory_source *source;
    struct cl_stream_stats stats;
    enum cl_code code;
    struct cl_error err;
};

static void *run_rival(void *arg)
{
    struct rival *r = arg;
    const struct cl_stream_options options = {.lanes = 2, .commit_every_us = 1000};
    r->code = cl_stream_run(r->f->spec, memory_source_base(r->source), r->f->inner, &options,
                            &r->stats, &r->err);
    return NULL;
}

static void two_engines_on_one_lake_store_everything_once(void **state)
{
    struct fixture *f = *state;
    struct rival rivals[2] = {{.f = f}, {.f = f}};
    struct memory_source *own = f->source;
    pthread_t threads[2];
    add_messages(f, 0, 100); /* creates the tables before the race */
    run_ok(f);
    for (int i = 0; i < 2; i++) {
        rivals[i].source = f->source = memory_source_new(f->spec, 2, true);
        add_messages(f, 0, 1000);
    }
    f->source = own;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_rival, &rivals[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (rivals[i].code != CL_OK) fail_msg("%s", rivals[i].err.message);
        memory_source_base(rivals[i].source)->ops->free(memory_source_base(rivals[i].source));
    }
    assert_all_there(f, 10);
    assert_no_orphans(f);
}

static void a_stop_commits_what_was_read(void **state)
{
    struct fixture *f = *state;
    static atomic_int stop = 1;
    struct cl_stream_stats stats = {0};
    struct cl_error err = {0};
    const struct cl_stream_options options = {.lanes = 1, .stop = &stop};
    add_messages(f, 0, 100);
    assert_int_equal(
        cl_stream_run(f->spec, memory_source_base(f->source), f->inner, &options, &stats, &err),
        CL_OK);
    assert_int_equal(stats.committed, rows_of(f, "alpha", NULL) + rows_of(f, "beta", NULL) +
                                          rows_of(f, CL_DEAD_LETTERS, NULL));
    run_ok(f);
    assert_all_there(f, 1);
}

#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(rows_land_and_a_second_run_goes_on),
        with_fixture(faults_of_the_catalog_lose_and_double_nothing),
        with_fixture(a_refused_commit_leaves_the_rest_for_the_next_run),
        with_fixture(a_broken_source_loses_nothing),
        with_fixture(gaps_tombstones_and_unknown_topics),
        with_fixture(another_source_is_named_and_refused),
        with_fixture(a_table_of_another_shape_is_named_and_refused),
        with_fixture(two_engines_on_one_lake_store_everything_once),
        with_fixture(a_stop_commits_what_was_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
