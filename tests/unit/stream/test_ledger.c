/* test_ledger.c - what snapshot summaries say survives the round trip, and damage is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cl_progress example(void)
{
    struct cl_progress p = {.source = strdup("{\"kind\":\"kafka\",\"topic\":\"gps_data\"}"),
                            .commit_id = "0000-1"};
    struct cl_progress_entry *e = cl_progress_entry(&p, "10");
    *e = (struct cl_progress_entry){e->key, 0, 120, 812, 100, 120};
    e = cl_progress_entry(&p, "2");
    *e = (struct cl_progress_entry){e->key, 5, 7, 0, -1, -1};
    p.commit = (struct cl_counts){20, 18, 1, 1};
    p.total = (struct cl_counts){122, 100, 12, 10};
    return p;
}

static void round_trip(void **state)
{
    (void)state;
    struct cl_arena arena;
    struct cl_property props[5];
    size_t n = 0;
    struct cl_progress p = example(), back = {0};
    cl_arena_init(&arena, 1 << 20);
    assert_int_equal(cl_progress_summary(&p, &arena, props, &n, NULL), CL_OK);
    assert_int_equal(n, 5);
    struct cl_snapshot s = {.id = 7, .parent_id = -1, .summary = props, .n_summary = n};
    assert_string_equal(
        cl_snapshot_summary(&s, CL_SUMMARY_OFFSETS),
        "{\"first\":{\"10\":0,\"2\":5},\"hint\":{\"10\":812},\"next\":{\"10\":120,\"2\":7},"
        "\"source\":{\"kind\":\"kafka\",\"topic\":\"gps_data\"},\"v\":1}");
    assert_string_equal(cl_snapshot_summary(&s, CL_SUMMARY_RANGES), "{\"10\":[100,120]}");
    assert_int_equal(cl_progress_read(&s, &back, NULL), CL_OK);
    assert_string_equal(back.source, p.source);
    assert_string_equal(back.commit_id, "0000-1");
    assert_int_equal(back.n, 2);
    for (size_t i = 0; i < back.n; i++) {
        const struct cl_progress_entry *a = &back.entries[i], *b = cl_progress_find(&p, a->key);
        assert_non_null(b);
        assert_int_equal(a->first, b->first);
        assert_int_equal(a->next, b->next);
        assert_int_equal(a->hint, b->hint);
        assert_int_equal(a->start, b->start);
        assert_int_equal(a->end, b->end);
    }
    assert_memory_equal(&back.commit, &p.commit, sizeof p.commit);
    assert_memory_equal(&back.total, &p.total, sizeof p.total);
    cl_progress_fini(&p);
    cl_progress_fini(&back);
    cl_arena_fini(&arena);
}

static void entries_stay_sorted(void **state)
{
    (void)state;
    struct cl_progress p = {0};
    char key[16];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof key, "%d", i * 7919 % 500);
        cl_progress_entry(&p, key)->next = i * 7919 % 500;
    }
    assert_int_equal(p.n, 500);
    for (size_t i = 1; i < p.n; i++)
        assert_true(strcmp(p.entries[i - 1].key, p.entries[i].key) < 0);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        assert_int_equal(cl_progress_find(&p, key)->next, i);
    }
    assert_null(cl_progress_find(&p, "500"));
    cl_progress_fini(&p);
}

static void damage_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } bad[] = {
        {CL_SUMMARY_OFFSETS, "{"},
        {CL_SUMMARY_OFFSETS, "[]"},
        {CL_SUMMARY_OFFSETS, "{\"first\":{},\"next\":{},\"source\":{},\"v\":2}"},
        {CL_SUMMARY_OFFSETS, "{\"first\":{},\"next\":{},\"v\":1}"},
        {CL_SUMMARY_OFFSETS, "{\"first\":{},\"source\":{},\"v\":1}"},
        {CL_SUMMARY_OFFSETS, "{\"first\":{},\"next\":{\"0\":-4},\"source\":{},\"v\":1}"},
        {CL_SUMMARY_OFFSETS, "{\"first\":{},\"next\":{\"0\":\"4\"},\"source\":{},\"v\":1}"},
        {CL_SUMMARY_RANGES, "{\"0\":[1]}"},
        {CL_SUMMARY_RANGES, "{\"0\":[1,2.5]}"},
        {CL_SUMMARY_LEDGER, "{\"consumed\":1}"},
        {CL_SUMMARY_LEDGER_TOTAL, "7"},
    };
    struct cl_arena arena;
    struct cl_progress p = example(), back = {0};
    cl_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cl_property props[5];
        size_t n = 0;
        struct cl_error err = {0};
        assert_int_equal(cl_progress_summary(&p, &arena, props, &n, NULL), CL_OK);
        for (size_t k = 0; k < n; k++)
            if (strcmp(props[k].key, bad[i].key) == 0) props[k].value = bad[i].value;
        struct cl_snapshot s = {.id = 31337, .parent_id = -1, .summary = props, .n_summary = n};
        assert_int_equal(cl_progress_read(&s, &back, &err), CL_EDATA);
        assert_non_null(strstr(err.message, "31337"));
        assert_non_null(strstr(err.message, bad[i].key));
    }
    cl_progress_fini(&p);
    cl_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(entries_stay_sorted),
        cmocka_unit_test(damage_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
