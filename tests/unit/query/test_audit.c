/* test_audit.c - the audit sees what it should: a sound history passes, and each way of tampering
 * with it is found and named. */
#include "query/audit_check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE "{\"cluster\":\"c\",\"kind\":\"kafka\",\"topic\":\"t\"}"

enum { COMMITS = 3, PARTITIONS = 2, STEP = 100, REJECTED = 3, DUPLICATES = 2 };
enum { STORED = PARTITIONS * STEP - REJECTED - DUPLICATES };

/* Three commits of two partitions, 100 offsets each a commit, from offset 1000; each rejects 3 and
 * drops 2 duplicates. */
struct history {
    struct cl_audit_commit commits[COMMITS];
    struct cl_audit_chain chain;
    struct cl_audit_rows rows[COMMITS * PARTITIONS];
    struct cl_audit_rejects rejects[PARTITIONS];
};

static struct cl_progress_entry *entry(struct history *h, int commit, int partition)
{
    return &h->commits[commit].progress.entries[partition];
}

static void make_commit(struct history *h, int i)
{
    struct cl_audit_commit *c = &h->commits[i];
    struct cl_progress *p = &c->progress;
    *c = (struct cl_audit_commit){.snapshot_id = 7000 + i, .operation = "append", .ours = true};
    p->source = strdup(SOURCE);
    p->commit = (struct cl_counts){PARTITIONS * STEP, STORED, DUPLICATES, REJECTED};
    p->total = (struct cl_counts){p->commit.consumed * (i + 1), STORED * (i + 1),
                                  DUPLICATES * (i + 1), REJECTED * (i + 1)};
    c->added_rows = STORED;
    c->total_rows = STORED * (i + 1);
    for (int k = 0; k < PARTITIONS; k++) {
        char key[16];
        snprintf(key, sizeof key, "%d", k);
        struct cl_progress_entry *e = cl_progress_entry(p, key);
        assert_non_null(e);
        e->first = 1000;
        e->start = 1000 + i * STEP;
        e->next = e->end = e->start + STEP;
        h->rows[i * PARTITIONS + k] = (struct cl_audit_rows){.snapshot_id = c->snapshot_id,
                                                             .key = k == 0 ? "0" : "1",
                                                             .rows = k == 0 ? STEP : STORED - STEP,
                                                             .min = e->start,
                                                             .max = e->end - 1};
    }
}

static void make_history(struct history *h)
{
    *h = (struct history){0};
    for (int i = 0; i < COMMITS; i++)
        make_commit(h, i);
    h->chain = (struct cl_audit_chain){
        .table = "gps", .commits = h->commits, .n = COMMITS, .complete = true};
    h->rejects[0] = (struct cl_audit_rejects){.key = "0"};
    h->rejects[1] = (struct cl_audit_rejects){.key = "1", .below_next = REJECTED * COMMITS};
}

static void free_history(struct history *h)
{
    for (int i = 0; i < COMMITS; i++)
        cl_progress_fini(&h->commits[i].progress);
}

static void check_all(struct cl_audit *a, struct history *h)
{
    static const struct cl_audit_watermark marks[] = {{"0", 0, 1300}, {"1", 900, 1350}};
    cl_audit_init(a);
    cl_audit_check_chain(a, &h->chain);
    cl_audit_check_rows(a, &h->chain, h->rows, COMMITS * PARTITIONS);
    cl_audit_check_unique(a, &h->chain, NULL, 0);
    cl_audit_check_rejects(a, &h->chain, h->rejects, PARTITIONS, NULL, 0);
    cl_audit_check_log(a, &h->chain, SOURCE, marks, 2);
}

static const struct cl_audit_line *line(const struct cl_audit *a, const char *check)
{
    for (size_t i = 0; i < a->n_lines; i++)
        if (strcmp(a->lines[i].check, check) == 0) return &a->lines[i];
    fail_msg("no line of check %s", check);
    return NULL;
}

/* The tampered history fails in `check`, with a problem that has `part` in its text. */
static void assert_found(struct history *h, const char *check, const char *part)
{
    struct cl_audit a;
    bool found = false;
    check_all(&a, h);
    assert_true(a.total_problems > 0);
    assert_int_equal(line(&a, check)->result, CL_AUDIT_FAILED);
    for (size_t i = 0; i < a.n_problems && !found; i++)
        found = strcmp(a.problems[i].check, check) == 0 && strstr(a.problems[i].text, part) != NULL;
    for (size_t i = 0; i < a.n_problems && !found; i++)
        print_message("%s: %s\n", a.problems[i].check, a.problems[i].text);
    if (!found) fail_msg("no problem of %s says '%s'", check, part);
    cl_audit_fini(&a);
    free_history(h);
}

static void test_a_sound_history_passes(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    make_history(&h);
    check_all(&a, &h);
    for (size_t i = 0; i < a.n_problems; i++)
        print_message("%s: %s\n", a.problems[i].check, a.problems[i].text);
    assert_int_equal(a.total_problems, 0);
    assert_int_equal(a.n_lines, 8);
    assert_int_equal(a.tables, 1);
    assert_int_equal(a.partitions, PARTITIONS);
    assert_int_equal(a.offsets, COMMITS * PARTITIONS * STEP);
    assert_non_null(strstr(line(&a, "ledger")->detail, "complete: every offset"));
    assert_non_null(strstr(line(&a, "log")->detail, "50 offsets not read yet"));
    cl_audit_fini(&a);
    free_history(&h);
}

static void test_gap(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    entry(&h, 1, 0)->start += 5;
    assert_found(&h, "ranges", "partition 0, snapshot 7001: gap, offsets 1100 to 1104");
}

static void test_overlap(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    entry(&h, 2, 1)->start -= 10;
    assert_found(&h, "ranges", "partition 1, snapshot 7002: overlap, offsets 1190 to 1199");
}

static void test_range_that_begins_late(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    entry(&h, 0, 0)->start += 1;
    assert_found(&h, "ranges", "its first range starts at 1001");
}

static void test_map_and_range_disagree(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    entry(&h, 2, 0)->next += 1;
    assert_found(&h, "ranges", "the range ends at 1300, the map says 1301");
}

static void test_map_moves_without_a_range(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    entry(&h, 1, 0)->start = entry(&h, 1, 0)->end = -1;
    assert_found(&h, "ranges", "moved from 1100 to 1200 without a range");
}

static void test_first_changes(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    entry(&h, 2, 0)->first = 900;
    assert_found(&h, "ranges", "first was 1000, now 900");
}

static void test_partition_vanishes(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    free(h.commits[2].progress.entries[1].key);
    h.commits[2].progress.n = 1;
    assert_found(&h, "ranges", "partition 1, snapshot 7002: its position is gone");
}

static void test_source_changes(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[2].progress.source[13] = 'X';
    assert_found(&h, "source", "snapshot 7002 was read from");
}

static void test_ledger_does_not_add_up(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[1].progress.commit.duplicates++;
    assert_found(&h, "ledger", "snapshot 7001: its ledger does not add up");
}

static void test_totals_do_not_add_up(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[2].progress.total.rejected++;
    h.commits[2].progress.total.consumed++;
    assert_found(&h, "ledger", "total rejected is 10, but 6 before it + 3 = 9");
}

static void test_more_messages_than_offsets(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    for (int i = 0; i < COMMITS; i++) {
        h.commits[i].progress.commit.consumed += 10;
        h.commits[i].progress.commit.duplicates += 10;
        h.commits[i].progress.total.consumed += 10 * (i + 1);
        h.commits[i].progress.total.duplicates += 10 * (i + 1);
    }
    assert_found(&h, "ledger", "consumed 210 messages from 200 offsets");
}

static void test_files_and_ledger_disagree(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[0].added_rows--;
    assert_found(&h, "snapshots", "its ledger stored 195 rows, its files added 194");
}

static void test_foreign_append(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[1].ours = false;
    assert_found(&h, "snapshots", "snapshot 7001: another program appended 195 rows");
}

static void test_foreign_delete(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[2] = (struct cl_audit_commit){.snapshot_id = 7002,
                                            .operation = "delete",
                                            .added_rows = 0,
                                            .total_rows = 380,
                                            .progress = h.commits[2].progress};
    assert_found(&h, "snapshots", "another program's delete took the table from 390 to 380 rows");
}

/* Compaction by another program moves rows to new files, and is no problem. */
static void test_foreign_compaction_passes(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    make_history(&h);
    struct cl_audit_commit commits[COMMITS + 1];
    memcpy(commits, h.commits, sizeof h.commits);
    commits[COMMITS] = (struct cl_audit_commit){.snapshot_id = 8000,
                                                .operation = "replace",
                                                .added_rows = 3 * STORED,
                                                .total_rows = 3 * STORED};
    h.chain.commits = commits;
    h.chain.n = COMMITS + 1;
    for (int i = 0; i < COMMITS * PARTITIONS; i++)
        h.rows[i].snapshot_id = 8000;
    check_all(&a, &h);
    assert_int_equal(a.total_problems, 0);
    cl_audit_fini(&a);
    h.rows[0].max = 1300; /* but rows past `next` are found all the same */
    h.commits[0].progress.n = 2;
    assert_found(&h, "rows", "outside of what was read, 1000 to 1299");
}

static void test_unreadable_summary(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.commits[1].ours = false;
    strcpy(h.commits[1].unreadable, "snapshot 7001: summary key citylake.ranges is missing");
    assert_found(&h, "snapshots", "citylake.ranges is missing");
}

static void test_no_snapshot_of_ours(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    for (int i = 0; i < COMMITS; i++)
        h.commits[i].ours = false;
    assert_found(&h, "snapshots", "is unknown");
}

static void test_row_outside_its_commit(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rows[2].min = 1099;
    assert_found(&h, "rows",
                 "partition 0, snapshot 7001: rows with offsets 1099 to 1199, outside of the "
                 "commit's range 1100-1200");
}

static void test_row_past_the_end(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rows[4].max = 1300;
    assert_found(&h, "rows", "outside of what was read");
}

static void test_rows_are_missing(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rows[1].rows--;
    assert_found(&h, "rows", "the table holds 584 rows, its ledger stored 585");
}

/* One row too few here, one too many there: the sum is right. */
static void test_rows_swapped_between_commits(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rows[1].rows--;
    h.rows[3].rows++;
    assert_found(&h, "rows", "snapshot 7001: its ledger stored 195 rows, its files hold 196");
}

static void test_rows_of_a_snapshot_not_on_main(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rows[5].snapshot_id = 1;
    assert_found(&h, "rows", "files of snapshot 1, which is not on main");
}

static void test_rows_without_partition(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rows[5].key = NULL;
    assert_found(&h, "rows", "have no partition or no offset");
}

static void test_duplicate_offsets(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    static const struct cl_audit_twice twice = {"1", 2, 1042};
    make_history(&h);
    cl_audit_init(&a);
    cl_audit_check_unique(&a, &h.chain, &twice, 1);
    assert_int_equal(a.total_problems, 1);
    assert_string_equal(a.problems[0].text,
                        "partition 1: 2 offsets stand in more than one row, offset 1042 for one");
    cl_audit_fini(&a);
    free_history(&h);
}

static void test_dead_letters_missing(void **state)
{
    (void)state;
    struct history h;
    make_history(&h);
    h.rejects[1].below_next--;
    assert_found(&h, "rejects", "the ledger rejected 9 messages, dead_letters has 8 of them");
}

static void test_dead_letters_in_flight_pass(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    make_history(&h);
    h.rejects[0].at_or_past_next = 4;
    check_all(&a, &h);
    assert_int_equal(a.total_problems, 0);
    assert_non_null(strstr(line(&a, "rejects")->detail, "4 more are in flight"));
    cl_audit_fini(&a);
    free_history(&h);
}

static void test_offset_in_table_and_dead_letters(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    static const struct cl_audit_twice twice = {"0", 1, 1007};
    make_history(&h);
    cl_audit_init(&a);
    cl_audit_check_rejects(&a, &h.chain, h.rejects, PARTITIONS, &twice, 1);
    assert_int_equal(a.total_problems, 1);
    assert_non_null(strstr(a.problems[0].text, "offset 1007 for one"));
    cl_audit_fini(&a);
    free_history(&h);
}

static void test_log(void **state)
{
    (void)state;
    static const struct {
        struct cl_audit_watermark marks[2];
        const char *identity, *part;
    } cases[] = {
        {{{"0", 0, 1299}, {"1", 0, 1300}}, SOURCE, "read up to 1300, but the log ends at 1299"},
        {{{"0", 1400, 1500}, {"1", 0, 1300}}, SOURCE, "offsets 1300 to 1399 left the log"},
        {{{"0", 0, 1300}, {"2", 0, 0}}, SOURCE, "partition 1 was read, but the log has none"},
        {{{"0", 0, 1300}, {"1", 0, 1300}}, "{}", "the log is {}"},
    };
    struct history h;
    make_history(&h);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cl_audit a;
        cl_audit_init(&a);
        cl_audit_check_log(&a, &h.chain, cases[i].identity, cases[i].marks, 2);
        assert_int_equal(a.total_problems, 1);
        if (strstr(a.problems[0].text, cases[i].part) == NULL)
            fail_msg("'%s' lacks '%s'", a.problems[0].text, cases[i].part);
        cl_audit_fini(&a);
    }
    free_history(&h);
}

/* Expired snapshots: the oldest one left is where checking begins. */
static void test_expired_history_passes(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    make_history(&h);
    h.chain.commits = h.commits + 1;
    h.chain.n = COMMITS - 1;
    h.chain.complete = false;
    check_all(&a, &h);
    assert_int_equal(a.total_problems, 0);
    assert_non_null(strstr(line(&a, "snapshots")->detail, "expired"));
    cl_audit_fini(&a);
    entry(&h, 2, 0)->start++; /* a gap after that is still seen */
    assert_found(&h, "ranges", "gap");
}

static void test_dead_letters_ranges_may_jump_but_not_overlap(void **state)
{
    (void)state;
    struct history h;
    struct cl_audit a;
    make_history(&h);
    h.chain.dead_letters = true;
    for (int i = 0; i < COMMITS; i++) { /* ten dead letters a commit */
        h.commits[i].progress.commit = (struct cl_counts){.consumed = 10, .stored = 10};
        h.commits[i].progress.total =
            (struct cl_counts){.consumed = 10 * (i + 1), .stored = 10 * (i + 1)};
        h.commits[i].added_rows = 10;
        h.commits[i].total_rows = 10 * (i + 1);
    }
    entry(&h, 1, 0)->start += 5;
    cl_audit_init(&a);
    cl_audit_check_chain(&a, &h.chain);
    assert_int_equal(a.total_problems, 0);
    assert_int_equal(a.partitions, 0);
    cl_audit_fini(&a);
    entry(&h, 1, 0)->start -= 15;
    assert_found(&h, "ranges", "overlap");
}

static void test_many_problems_are_counted_and_cut(void **state)
{
    (void)state;
    struct cl_audit a;
    cl_audit_init(&a);
    cl_audit_begin(&a, "gps", "ranges");
    for (int i = 0; i < 100000; i++)
        cl_audit_problem(&a, "problem %d", i);
    cl_audit_end(&a, "fine");
    assert_int_equal(a.total_problems, 100000);
    assert_int_equal(a.n_problems, CL_AUDIT_KEPT);
    assert_string_equal(a.lines[0].detail, "100000 problems");
    assert_false(a.out_of_memory);
    cl_audit_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sound_history_passes),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_range_that_begins_late),
        cmocka_unit_test(test_map_and_range_disagree),
        cmocka_unit_test(test_map_moves_without_a_range),
        cmocka_unit_test(test_first_changes),
        cmocka_unit_test(test_partition_vanishes),
        cmocka_unit_test(test_source_changes),
        cmocka_unit_test(test_ledger_does_not_add_up),
        cmocka_unit_test(test_totals_do_not_add_up),
        cmocka_unit_test(test_more_messages_than_offsets),
        cmocka_unit_test(test_files_and_ledger_disagree),
        cmocka_unit_test(test_foreign_append),
        cmocka_unit_test(test_foreign_delete),
        cmocka_unit_test(test_foreign_compaction_passes),
        cmocka_unit_test(test_unreadable_summary),
        cmocka_unit_test(test_no_snapshot_of_ours),
        cmocka_unit_test(test_row_outside_its_commit),
        cmocka_unit_test(test_row_past_the_end),
        cmocka_unit_test(test_rows_are_missing),
        cmocka_unit_test(test_rows_swapped_between_commits),
        cmocka_unit_test(test_rows_of_a_snapshot_not_on_main),
        cmocka_unit_test(test_rows_without_partition),
        cmocka_unit_test(test_duplicate_offsets),
        cmocka_unit_test(test_dead_letters_missing),
        cmocka_unit_test(test_dead_letters_in_flight_pass),
        cmocka_unit_test(test_offset_in_table_and_dead_letters),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_expired_history_passes),
        cmocka_unit_test(test_dead_letters_ranges_may_jump_but_not_overlap),
        cmocka_unit_test(test_many_problems_are_counted_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
