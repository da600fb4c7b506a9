/* test_local_store.c - the promises of store.h, on a real directory. */
#include "../../support/temp_lake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

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

static void assert_content(const char *path, const char *wanted)
{
    struct cl_buf b;
    cl_buf_init(&b, 1 << 20);
    assert_int_equal(lake.store->ops->read(lake.store, path, &b, NULL), CL_OK);
    assert_int_equal(b.len, strlen(wanted));
    assert_memory_equal(b.data, wanted, b.len);
    cl_buf_fini(&b);
}

static size_t count_files(const char *prefix)
{
    struct cl_store_list list;
    assert_int_equal(lake.store->ops->list(lake.store, prefix, &list, NULL), CL_OK);
    size_t n = list.n;
    cl_store_list_fini(&list);
    return n;
}

/* Everything in the folder, temporary files too. */
static int entries_on_disk(void)
{
    char command[512];
    int n = -1;
    (void)snprintf(command, sizeof command, "find '%s' -type f | wc -l", lake.dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &n), 1);
    (void)pclose(f);
    return n;
}

static void a_file_appears_at_finish(void **state)
{
    (void)state;
    const struct cl_store_ops *ops = lake.store->ops;
    struct cl_outfile *f;
    int64_t size;
    assert_int_equal(ops->create(lake.store, "a/b/c.parquet", &f, NULL), CL_OK);
    assert_int_equal(ops->write(f, "hello ", 6, NULL), CL_OK);
    assert_int_equal(ops->write(f, "world", 5, NULL), CL_OK);
    assert_int_equal(f->size, 11);
    assert_int_equal(ops->size(lake.store, "a/b/c.parquet", &size, NULL), CL_ENOTFOUND);
    assert_int_equal(count_files(""), 0); /* the temporary name is not listed */
    assert_int_equal(entries_on_disk(), 1);
    assert_int_equal(ops->finish(f, NULL), CL_OK);
    assert_int_equal(ops->size(lake.store, "a/b/c.parquet", &size, NULL), CL_OK);
    assert_int_equal(size, 11);
    assert_content("a/b/c.parquet", "hello world");
    assert_int_equal(entries_on_disk(), 1);
}

static void abort_leaves_nothing(void **state)
{
    (void)state;
    struct cl_outfile *f;
    assert_int_equal(lake.store->ops->create(lake.store, "x", &f, NULL), CL_OK);
    assert_int_equal(lake.store->ops->write(f, "1", 1, NULL), CL_OK);
    lake.store->ops->abort(f);
    lake.store->ops->abort(NULL);
    assert_int_equal(entries_on_disk(), 0);
}

static void put_replaces_and_put_if_absent_does_not(void **state)
{
    (void)state;
    const struct cl_store_ops *ops = lake.store->ops;
    struct cl_error err;
    assert_int_equal(ops->put(lake.store, "d/x", "one", 3, &err), CL_OK);
    assert_int_equal(ops->put(lake.store, "d/x", "two", 3, &err), CL_OK);
    assert_content("d/x", "two");
    assert_int_equal(ops->put_if_absent(lake.store, "d/x", "three", 5, &err), CL_EEXIST);
    assert_content("d/x", "two");
    assert_int_equal(ops->put_if_absent(lake.store, "e/f/y", "three", 5, &err), CL_OK);
    assert_content("e/f/y", "three");
    assert_int_equal(ops->put_if_absent(lake.store, "empty", NULL, 0, &err), CL_OK);
    assert_content("empty", "");
    assert_int_equal(entries_on_disk(), 3);
}

static void missing_things_are_not_found(void **state)
{
    (void)state;
    const struct cl_store_ops *ops = lake.store->ops;
    struct cl_error err;
    struct cl_buf b;
    int64_t size;
    cl_buf_init(&b, 100);
    assert_int_equal(ops->read(lake.store, "nothing", &b, &err), CL_ENOTFOUND);
    assert_non_null(strstr(err.message, lake.dir)); /* the place */
    assert_int_equal(ops->remove(lake.store, "nothing", &err), CL_ENOTFOUND);
    assert_int_equal(ops->size(lake.store, "no/thing", &size, &err), CL_ENOTFOUND);
    assert_int_equal(count_files("no/folder"), 0);
}

static void read_keeps_to_the_buffers_maximum(void **state)
{
    (void)state;
    struct cl_buf b;
    cl_buf_init(&b, 4);
    assert_int_equal(lake.store->ops->put(lake.store, "x", "12345", 5, NULL), CL_OK);
    assert_int_equal(lake.store->ops->read(lake.store, "x", &b, NULL), CL_ELIMIT);
    assert_int_equal(b.len, 0);
    cl_buf_fini(&b);
}

static void paths_stay_inside(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "/etc/passwd", "..",  "../x", "a/../b",
                                      "a/..", "a//b",        "./a", "a/.",  "a/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cl_error err;
        assert_int_equal(lake.store->ops->put(lake.store, bad[i], "x", 1, &err), CL_EINVAL);
        assert_int_equal(lake.store->ops->remove(lake.store, bad[i], &err), CL_EINVAL);
    }
    assert_int_equal(lake.store->ops->put(lake.store, "a..b/..c", "x", 1, NULL),
                     CL_OK); /* dots in names are fine */
}

static void list_is_sorted_and_recursive(void **state)
{
    (void)state;
    const struct cl_store_ops *ops = lake.store->ops;
    static const char *const files[] = {"b/2", "a", "b/1/x", "b-/y", "b/10"};
    static const char *const sorted[] = {"a", "b-/y", "b/1/x", "b/10", "b/2"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(ops->put(lake.store, files[i], "abc", i, NULL), CL_OK);
    assert_int_equal(symlink("/etc", temp_lake_path(&lake, "link")), 0);
    struct cl_store_list list;
    assert_int_equal(ops->list(lake.store, "", &list, NULL), CL_OK);
    assert_int_equal(list.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(list.entries[i].path, sorted[i]);
    assert_int_equal(list.entries[0].size, 1);
    assert_true(list.entries[0].modified_us > 1500000000000000);
    cl_store_list_fini(&list);
    assert_int_equal(count_files("b"), 3); /* a folder, not a prefix of names */
    assert_int_equal(ops->remove(lake.store, "b/2", NULL), CL_OK);
    assert_int_equal(count_files("b"), 2);
}

static void uris(void **state)
{
    (void)state;
    char spelled[600];
    char *uri = cl_store_uri(lake.store, "t/x.avro");
    assert_memory_equal(uri, "file:///", 8);
    assert_string_equal(cl_store_relative(lake.store, uri), "t/x.avro");
    (void)snprintf(spelled, sizeof spelled, "file:%s", uri + 7); /* Hadoop's way */
    assert_string_equal(cl_store_relative(lake.store, spelled), "t/x.avro");
    assert_string_equal(cl_store_relative(lake.store, uri + 7), "t/x.avro");
    (void)snprintf(spelled, sizeof spelled, "%sx/y",
                   lake.store->root_uri); /* a sibling with a longer name */
    assert_null(cl_store_relative(lake.store, spelled));
    assert_null(cl_store_relative(lake.store, lake.store->root_uri));
    assert_null(cl_store_relative(lake.store, "s3://bucket/x"));
    free(uri);
}

static void root_is_resolved(void **state)
{
    (void)state;
    struct cl_store *s;
    assert_int_equal(lake.store->ops->put(lake.store, "real/x", "1", 1, NULL), CL_OK);
    assert_int_equal(symlink("real", temp_lake_path(&lake, "link")), 0);
    assert_int_equal(cl_local_store_new(temp_lake_path(&lake, "link/deep/er/"), &s, NULL), CL_OK);
    assert_non_null(strstr(s->root_uri, "/real/deep/er"));
    assert_int_equal(s->root_uri[strlen(s->root_uri) - 1], 'r');
    s->ops->free(s);
}

static void a_file_as_root_is_refused(void **state)
{
    (void)state;
    struct cl_store *s;
    struct cl_error err;
    assert_int_equal(lake.store->ops->put(lake.store, "file", "1", 1, NULL), CL_OK);
    assert_int_equal(cl_local_store_new(temp_lake_path(&lake, "file"), &s, &err), CL_EIO);
    assert_false(err.retriable);
    assert_int_equal(cl_local_store_new(temp_lake_path(&lake, "file/below"), &s, &err), CL_EIO);
    assert_int_equal(cl_local_store_new("", &s, &err), CL_EINVAL);
}

/* Root may write anywhere: the child becomes nobody. */
static void an_unwritable_folder_says_so(void **state)
{
    (void)state;
    assert_int_equal(lake.store->ops->put(lake.store, "ro/x", "1", 1, NULL), CL_OK);
    assert_int_equal(chmod(lake.dir, 0755), 0);
    assert_int_equal(chmod(temp_lake_path(&lake, "ro"), 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        struct cl_error err = {.retriable = true};
        if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
        enum cl_code code = lake.store->ops->put(lake.store, "ro/y", "1", 1, &err);
        bool good = code == CL_EIO && !err.retriable && strstr(err.message, "/ro/y") != NULL &&
                    strstr(err.message, "owner and mode") != NULL;
        if (!good) fprintf(stderr, "%d %s\n", (int)code, err.message);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(temp_lake_path(&lake, "ro"), 0755), 0);
    assert_int_equal(status, 0);
}

static void a_full_disk_says_so(void **state)
{
    (void)state;
    const struct cl_store_ops *ops = lake.store->ops;
    static char block[65536];
    struct cl_error err = {.message = ""};
    assert_int_equal(mkdir(temp_lake_path(&lake, "disk"), 0755), 0);
    if (mount("none", temp_lake_path(&lake, "disk"), "tmpfs", 0, "size=100k") != 0)
        skip(); /* needs root */
    struct cl_outfile *f;
    enum cl_code code = ops->create(lake.store, "disk/big", &f, &err);
    for (int i = 0; i < 10 && code == CL_OK; i++)
        code = ops->write(f, block, sizeof block, &err);
    ops->abort(f);
    enum cl_code put = ops->put(lake.store, "disk/big", block, sizeof block, NULL);
    enum cl_code put_again = ops->put_if_absent(lake.store, "disk/b2", block, sizeof block, NULL);
    size_t left = count_files("disk");
    assert_int_equal(umount(temp_lake_path(&lake, "disk")), 0);
    assert_int_equal(code, CL_EIO);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "disk/big"));
    assert_non_null(strstr(err.message, "free space"));
    assert_int_equal(put, CL_OK);        /* the aborted file gave its space back */
    assert_int_equal(put_again, CL_EIO); /* 64 KiB and the folder's own page do not fit twice */
    assert_int_equal(left, 1);
}

/* Of many processes that create one name, one succeeds. */
static void exclusive_creation_has_one_winner(void **state)
{
    (void)state;
    enum { PROCESSES = 8, NAMES = 20 };
    int wins[2];
    char won = 'w';
    assert_int_equal(pipe(wins), 0);
    for (int p = 0; p < PROCESSES; p++) {
        if (fork() != 0) continue;
        for (int i = 0; i < NAMES; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "race/%d", i);
            if (lake.store->ops->put_if_absent(lake.store, name, &won, 1, NULL) == CL_OK &&
                write(wins[1], &won, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    (void)close(wins[1]);
    char buffer[PROCESSES * NAMES];
    assert_int_equal(read(wins[0], buffer, sizeof buffer), NAMES);
    (void)close(wins[0]);
    assert_int_equal(entries_on_disk(), NAMES);
}

static void stale_temporary_files_do_no_harm(void **state)
{
    (void)state;
    char name[64];
    for (int i = 0; i < 5; i++) { /* as a crashed process with our id would have left them */
        (void)snprintf(name, sizeof name, ".tmp-%ld-%d", (long)getpid(), i);
        FILE *f = fopen(temp_lake_path(&lake, name), "w");
        assert_non_null(f);
        (void)fclose(f);
    }
    assert_int_equal(lake.store->ops->put(lake.store, "x", "1", 1, NULL), CL_OK);
    assert_content("x", "1");
    assert_int_equal(count_files(""), 1);
    assert_int_equal(entries_on_disk(), 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_at_finish),
        TEST(abort_leaves_nothing),
        TEST(put_replaces_and_put_if_absent_does_not),
        TEST(missing_things_are_not_found),
        TEST(read_keeps_to_the_buffers_maximum),
        TEST(paths_stay_inside),
        TEST(list_is_sorted_and_recursive),
        TEST(uris),
        TEST(root_is_resolved),
        TEST(a_file_as_root_is_refused),
        TEST(an_unwritable_folder_says_so),
        TEST(a_full_disk_says_so),
        TEST(exclusive_creation_has_one_winner),
        TEST(stale_temporary_files_do_no_harm),
    };
    return cmocka_run_group_tests_name("local_store", tests, NULL, NULL);
}
