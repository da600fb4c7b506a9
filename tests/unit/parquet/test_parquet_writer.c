/* test_parquet_writer.c - the writer against a store in memory: pages, row groups, metrics, and
 * everything that fails. What the values are is checked by other people's readers, in
 * tests/integration/test_parquet_readers.py. */
#include "../../support/mem_store.h"
#include "../../support/parquet_walk.h"

#include "base/hash.h"
#include "parquet/parquet_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0 /* the sanitizer has its own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#if !defined(OWN_MALLOC) && defined(__GLIBC__)
#define OWN_MALLOC 1
#elif !defined(OWN_MALLOC)
#define OWN_MALLOC 0
#endif

/* ---- allocations that fail on demand, in this program and in the libraries it calls ---- */

static long allocations, fail_allocation; /* fail_allocation: counted from 1; 0: none */

#if OWN_MALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
    return fail_allocation > 0 && ++allocations == fail_allocation ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fail_allocation > 0 && ++allocations == fail_allocation ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fail_allocation > 0 && ++allocations == fail_allocation ? NULL : __libc_realloc(p, size);
}
#endif

/* ---- helpers ---- */

enum { LONGS, TEXTS, DOUBLES, N_COLUMNS };

static struct cl_field fields[N_COLUMNS] = {
    [LONGS] = {1, "n", CL_LONG, 0, 0, true, NULL},
    [TEXTS] = {7, "text", CL_STRING, 0, 0, false, NULL},
    [DOUBLES] = {8, "x", CL_DOUBLE, 0, 0, false, NULL},
};
static const struct cl_schema schema = {.n = N_COLUMNS, .fields = fields};

static const struct cl_parquet_options defaults = {
    .compression = CL_COMPRESS_ZSTD, .level = 1, .row_group_bytes = 128 << 20, .dictionary = true};

static struct cl_batch *make_batch(int32_t rows, int64_t first)
{
    struct cl_batch *b;
    assert_int_equal(cl_batch_new(&schema, rows > 0 ? rows : 1, &b, NULL), CL_OK);
    for (int32_t i = 0; i < rows; i++) {
        char text[32];
        int64_t n = first + i;
        (void)snprintf(text, sizeof text, "text %lld", (long long)(n % 100));
        cl_column_set_long(&b->columns[LONGS], i, n);
        if (n % 5 == 0)
            cl_column_set_null(&b->columns[TEXTS], i);
        else
            assert_int_equal(cl_column_set_bytes(&b->columns[TEXTS], i, text, strlen(text), NULL),
                             CL_OK);
        cl_column_set_double(&b->columns[DOUBLES], i,
                             (double)(cl_mix64((uint64_t)n) >> 11) * 0x1p-53);
        cl_batch_commit_row(b);
    }
    return b;
}

static struct cl_parquet_writer *open_writer(struct mem_store *store,
                                             const struct cl_parquet_options *options)
{
    struct cl_parquet_writer *w = NULL;
    mem_store_init(store);
    assert_int_equal(
        cl_parquet_writer_new(&schema, options, &store->store, "data/a.parquet", &w, NULL), CL_OK);
    return w;
}

/* One column of one type, written as one file; the caller fills the batch. */
static void write_one(const struct cl_schema *s, struct cl_batch *b,
                      const struct cl_parquet_options *options, struct mem_store *store,
                      struct cl_data_file *file)
{
    struct cl_parquet_writer *w;
    mem_store_init(store);
    assert_int_equal(cl_parquet_writer_new(s, options, &store->store, "x", &w, NULL), CL_OK);
    assert_int_equal(cl_parquet_writer_write(w, b, NULL), CL_OK);
    assert_int_equal(cl_parquet_writer_close(w, file, NULL), CL_OK);
    cl_parquet_writer_free(w);
}

/* ---- what a file is ---- */

static void test_file_without_rows(void **state)
{
    (void)state;
    struct mem_store store;
    struct cl_parquet_writer *w = open_writer(&store, &defaults);
    struct cl_batch *empty = make_batch(0, 0);
    struct cl_data_file file;
    assert_int_equal(cl_parquet_writer_write(w, empty, NULL), CL_OK);
    assert_int_equal(cl_parquet_writer_close(w, &file, NULL), CL_OK);
    const uint8_t *footer = walk_footer(store.data, store.len);
    assert_int_equal(walk_int_field(footer, 3, -1), 0);
    assert_int_equal(walk_list_size(walk_field(footer, 2)), N_COLUMNS + 1);
    assert_int_equal(walk_list_size(walk_field(footer, 4)), 0);
    assert_int_equal(file.rows, 0);
    assert_int_equal(file.n_splits, 0);
    assert_int_equal(file.n_columns, N_COLUMNS);
    assert_false(file.columns[0].lower.present);
    assert_int_equal(file.size_bytes, store.len);
    cl_data_file_fini(&file);
    cl_parquet_writer_free(w);
    cl_batch_free(empty);
    mem_store_fini(&store);
}

static void test_metrics(void **state)
{
    (void)state;
    struct mem_store store;
    struct cl_parquet_writer *w = open_writer(&store, &defaults);
    struct cl_data_file file;
    for (int i = 0; i < 5; i++) {
        struct cl_batch *b = make_batch(1000, i * 1000);
        assert_int_equal(cl_parquet_writer_write(w, b, NULL), CL_OK);
        cl_batch_free(b);
    }
    assert_int_equal(cl_parquet_writer_rows(w), 5000);
    assert_int_equal(cl_parquet_writer_close(w, &file, NULL), CL_OK);
    assert_string_equal(file.path, "data/a.parquet");
    assert_string_equal(store.path, "data/a.parquet");
    assert_int_equal(file.rows, 5000);
    assert_int_equal(file.n_splits, 1);
    assert_int_equal(file.split_offsets[0], 4);
    assert_false(file.has_partition);
    const struct cl_column_metrics *m = file.columns;
    assert_int_equal(m[TEXTS].field_id, 7);
    assert_int_equal(m[TEXTS].value_count, 5000);
    assert_int_equal(m[TEXTS].null_count, 1000);
    assert_int_equal(m[TEXTS].lower.len, 6);
    assert_memory_equal(m[TEXTS].lower.bytes, "text 1", 6);
    assert_memory_equal(m[TEXTS].upper.bytes, "text 99", 7);
    int64_t high = 4999;
    assert_int_equal(m[LONGS].upper.len, 8);
    assert_memory_equal(m[LONGS].upper.bytes, &high, 8);
    int64_t sum = 0;
    for (size_t i = 0; i < file.n_columns; i++)
        sum += m[i].size_bytes;
    assert_true(sum > 0 && sum < file.size_bytes);
    cl_data_file_fini(&file);
    cl_parquet_writer_free(w);
    mem_store_fini(&store);
}

/* Pages of one optional int column without compression, decoded by hand: levels, values, the page
 * index. */
static void test_pages_of_an_optional_column(void **state)
{
    (void)state;
    enum { ROWS = 1000, PAGE = 64 };
    struct cl_field field = {3, "i", CL_INT, 0, 0, false, NULL};
    struct cl_schema one = {.n = 1, .fields = &field};
    struct cl_parquet_options options = {
        .compression = CL_COMPRESS_NONE, .row_group_bytes = 1 << 20, .page_rows = PAGE};
    struct cl_batch *b;
    struct mem_store store;
    struct cl_data_file file;
    assert_int_equal(cl_batch_new(&one, ROWS, &b, NULL), CL_OK);
    for (int32_t i = 0; i < ROWS;
         i++) { /* pages 0-4: no nulls, 5-9: only nulls, then every third */
        if (i >= 10 * PAGE ? i % 3 == 0 : i >= 5 * PAGE)
            cl_column_set_null(&b->columns[0], i);
        else
            cl_column_set_int(&b->columns[0], i, i * 10);
        cl_batch_commit_row(b);
    }
    write_one(&one, b, &options, &store, &file);
    const uint8_t *footer = walk_footer(store.data, store.len), *meta = walk_chunk(footer, 0, 0);
    const uint8_t *chunk =
        walk_list_struct(walk_field(walk_list_struct(walk_field(footer, 4), 0), 1), 0);
    const uint8_t *locations = walk_field(store.data + walk_int_field(chunk, 4, -1), 1);
    const uint8_t *column_index = store.data + walk_int_field(chunk, 6, -1);
    assert_int_equal(walk_list_size(locations), (ROWS + PAGE - 1) / PAGE);
    assert_int_equal(walk_list_size(walk_field(column_index, 1)), (ROWS + PAGE - 1) / PAGE);
    assert_int_equal(walk_int_field(column_index, 4, -1), 1); /* ascending */
    const uint8_t *p = store.data + walk_int_field(meta, 9, -1);
    int32_t row = 0;
    for (size_t k = 0; row < ROWS; k++) {
        const uint8_t *location = walk_list_struct(locations, k);
        assert_int_equal(walk_int_field(location, 1, -1), p - store.data);
        assert_int_equal(walk_int_field(location, 3, -1), row);
        struct walk_page page = walk_page(p);
        assert_int_equal(walk_int_field(location, 2, -1), page.next - p);
        assert_int_equal(page.type, 0);
        assert_int_equal(page.encoding, 0);
        assert_int_equal(page.values, ROWS - row < PAGE ? ROWS - row : PAGE);
        uint32_t levels_len;
        memcpy(&levels_len, page.body, 4);
        const uint8_t *values = page.body + 4 + levels_len, *levels = page.body + 4;
        bool run = (levels[0] & 1) == 0; /* pages without nulls or with nothing else are one run */
        assert_int_equal(run, k < 10);
        const uint8_t *bits = levels + 1; /* 8 groups at most: a header of one byte */
        for (int32_t i = 0; i < page.values; i++, row++) {
            bool present = run ? levels[levels_len - 1] == 1 : (bits[i / 8] >> (i % 8) & 1) != 0;
            assert_int_equal(present, cl_column_is_valid(&b->columns[0], row));
            if (!present) continue;
            int32_t v;
            memcpy(&v, values, 4);
            assert_int_equal(v, row * 10);
            values += 4;
        }
        assert_ptr_equal(values, page.next);
        p = page.next;
    }
    assert_int_equal(p - store.data - 4, walk_int_field(meta, 7, -1));
    cl_data_file_fini(&file);
    cl_batch_free(b);
    mem_store_fini(&store);
}

/* Encodings of the data pages of a column, "D" for dictionary and "P" for plain. */
static const char *encodings(const struct mem_store *store, char *buf, size_t size)
{
    const uint8_t *meta = walk_chunk(walk_footer(store->data, store->len), 0, 0);
    const uint8_t *p = store->data + walk_int_field(meta, 11, walk_int_field(meta, 9, -1));
    int64_t values = 0;
    size_t n = 0;
    while (values < walk_int_field(meta, 5, -1) && n + 1 < size) {
        struct walk_page page = walk_page(p);
        if (page.type == 0) {
            buf[n++] = page.encoding == 8 ? 'D' : 'P';
            values += page.values;
        }
        p = page.next;
    }
    buf[n] = '\0';
    return buf;
}

static void check_dictionary(int64_t (*value)(int64_t), const char *want)
{
    enum { ROWS = 50000 };
    struct cl_field field = {3, "v", CL_LONG, 0, 0, true, NULL};
    struct cl_schema one = {.n = 1, .fields = &field};
    struct cl_parquet_options options = defaults;
    struct mem_store store;
    struct cl_data_file file;
    struct cl_batch *b;
    char buf[16];
    options.page_rows = 10000;
    assert_int_equal(cl_batch_new(&one, ROWS, &b, NULL), CL_OK);
    for (int32_t i = 0; i < ROWS; i++) {
        cl_column_set_long(&b->columns[0], i, value(i));
        cl_batch_commit_row(b);
    }
    write_one(&one, b, &options, &store, &file);
    assert_string_equal(encodings(&store, buf, sizeof buf), want);
    const uint8_t *meta = walk_chunk(walk_footer(store.data, store.len), 0, 0);
    assert_int_equal(walk_field(meta, 11) != NULL, strchr(want, 'D') != NULL);
    cl_data_file_fini(&file);
    cl_batch_free(b);
    mem_store_fini(&store);
}

static int64_t few(int64_t i)
{
    return i % 7 * 1000000007;
}

static int64_t unique(int64_t i)
{
    return (int64_t)cl_mix64((uint64_t)i);
}

static int64_t half_unique(int64_t i) /* passes the sample, saves too little in a page */
{
    return unique(i / 4 * 3 + i % 4 % 3);
}

static int64_t few_then_unique(int64_t i)
{
    return i < 25000 ? few(i) : unique(i);
}

static void test_dictionary_pays_or_not(void **state)
{
    (void)state;
    check_dictionary(few, "DDDDD");
    check_dictionary(unique, "PPPPP");
    check_dictionary(half_unique, "PPPPP");
    check_dictionary(few_then_unique, "DDPPP");
}

/* Incompressible pages keep the whole chunk uncompressed. */
static void test_incompressible_chunk_is_stored(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    struct cl_field field = {3, "v", CL_LONG, 0, 0, true, NULL};
    struct cl_schema one = {.n = 1, .fields = &field};
    for (int compressible = 0; compressible < 2; compressible++) {
        struct mem_store store;
        struct cl_data_file file;
        struct cl_batch *b;
        struct cl_parquet_options options = defaults;
        options.page_rows = 1000;
        options.dictionary = false;
        assert_int_equal(cl_batch_new(&one, ROWS, &b, NULL), CL_OK);
        for (int32_t i = 0; i < ROWS; i++) {
            cl_column_set_long(&b->columns[0], i, compressible ? i : unique(i));
            cl_batch_commit_row(b);
        }
        write_one(&one, b, &options, &store, &file);
        const uint8_t *meta = walk_chunk(walk_footer(store.data, store.len), 0, 0);
        assert_int_equal(walk_int_field(meta, 4, -1),
                         compressible ? 6 : 0); /* ZSTD, UNCOMPRESSED */
        struct walk_page page = walk_page(store.data + walk_int_field(meta, 9, -1));
        int64_t values[1000];
        if (compressible)
            assert_int_equal(ZSTD_decompress(values, sizeof values, page.body, page.len),
                             sizeof values);
        else
            memcpy(values, page.body, sizeof values);
        assert_int_equal(values[999], compressible ? 999 : unique(999));
        cl_data_file_fini(&file);
        cl_batch_free(b);
        mem_store_fini(&store);
    }
}

static void test_row_groups(void **state)
{
    (void)state;
    struct cl_parquet_options options = defaults;
    options.row_group_bytes = 100000;
    options.page_rows = 500;
    struct mem_store store;
    struct cl_parquet_writer *w = open_writer(&store, &options);
    struct cl_data_file file;
    int64_t memory = 0;
    for (int i = 0; i < 50; i++) {
        struct cl_batch *b = make_batch(2000, i * 2000);
        assert_int_equal(cl_parquet_writer_write(w, b, NULL), CL_OK);
        cl_batch_free(b);
        if (i == 20) memory = cl_parquet_writer_memory_bytes(w);
        assert_true(cl_parquet_writer_memory_bytes(w) > options.row_group_bytes / 4);
    }
    int64_t expected = cl_parquet_writer_file_bytes(w);
    assert_true(cl_parquet_writer_memory_bytes(w) <
                memory + memory / 2); /* does not grow with the file */
    assert_int_equal(cl_parquet_writer_close(w, &file, NULL), CL_OK);
    assert_true(file.n_splits > 5);
    assert_in_range(file.size_bytes, expected, expected + expected / 4);
    const uint8_t *footer = walk_footer(store.data, store.len);
    assert_int_equal(walk_list_size(walk_field(footer, 4)), file.n_splits);
    int64_t rows = 0;
    for (size_t g = 0; g < file.n_splits; g++) {
        const uint8_t *group = walk_list_struct(walk_field(footer, 4), g);
        assert_int_equal(walk_int_field(group, 5, -1), file.split_offsets[g]);
        assert_int_equal(walk_int_field(group, 7, -1), g);
        rows += walk_int_field(group, 3, -1);
    }
    assert_int_equal(rows, 100000);
    cl_data_file_fini(&file);
    cl_parquet_writer_free(w);
    mem_store_fini(&store);
}

/* A 10 MB string among short ones has a page of its own, and bounds stay short. */
static void test_long_strings(void **state)
{
    (void)state;
    enum { ROWS = 300, LONG = 10000000 };
    struct cl_field field = {3, "s", CL_STRING, 0, 0, false, NULL};
    struct cl_schema one = {.n = 1, .fields = &field};
    for (int dictionary = 0; dictionary < 2; dictionary++) {
        struct cl_parquet_options options = {.compression = CL_COMPRESS_SNAPPY,
                                             .row_group_bytes = 128 << 20,
                                             .dictionary = dictionary};
        struct mem_store store;
        struct cl_data_file file;
        struct cl_batch *b;
        char *text = malloc(LONG);
        memset(text, 'z', LONG);
        assert_int_equal(cl_batch_new(&one, ROWS, &b, NULL), CL_OK);
        for (int32_t i = 0; i < ROWS; i++) {
            size_t len = i == 100 || i == 101 || i == 250 ? LONG : 3;
            assert_int_equal(cl_column_set_bytes(&b->columns[0], i, text, len, NULL), CL_OK);
            cl_batch_commit_row(b);
        }
        write_one(&one, b, &options, &store, &file);
        const uint8_t *footer = walk_footer(store.data, store.len),
                      *meta = walk_chunk(footer, 0, 0);
        const uint8_t *p = store.data + walk_int_field(meta, 11, walk_int_field(meta, 9, -1));
        static const int64_t want[] = {100, 1, 1, 148, 1, 49};
        for (size_t k = 0; k < 6;) {
            struct walk_page page = walk_page(p);
            if (page.type == 0) assert_int_equal(page.values, want[k++]);
            p = page.next;
        }
        assert_true(store.data + store.len - p < 2000);
        assert_int_equal(file.columns[0].lower.len, 3);
        assert_int_equal(file.columns[0].upper.len, 16);
        assert_int_equal(file.columns[0].upper.bytes[15], '{');
        cl_data_file_fini(&file);
        cl_batch_free(b);
        mem_store_fini(&store);
        free(text);
    }
}

/* ---- what is refused ---- */

static void test_refusals(void **state)
{
    (void)state;
    struct mem_store store;
    struct cl_parquet_writer *w;
    struct cl_error err;
    struct cl_parquet_options bad = defaults;
    mem_store_init(&store);
    bad.level = 1000;
    assert_int_equal(cl_parquet_writer_new(&schema, &bad, &store.store, "x", &w, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "1000"));
    bad = defaults;
    bad.row_group_bytes = 0;
    assert_int_equal(cl_parquet_writer_new(&schema, &bad, &store.store, "x", &w, &err), CL_EINVAL);
    bad = defaults;
    bad.page_rows = -1;
    assert_int_equal(cl_parquet_writer_new(&schema, &bad, &store.store, "x", &w, &err), CL_EINVAL);
    struct cl_schema none = {.n = 0};
    assert_int_equal(cl_parquet_writer_new(&none, &defaults, &store.store, "x", &w, &err),
                     CL_EINVAL);
    struct cl_field wide = {1, "d", CL_DECIMAL, 39, 0, true, NULL};
    struct cl_schema decimals = {.n = 1, .fields = &wide};
    assert_int_equal(cl_parquet_writer_new(&decimals, &defaults, &store.store, "x", &w, &err),
                     CL_EINVAL);
    assert_string_equal(err.where, "d");
    assert_int_equal(store.open, 0);
    cl_parquet_writer_free(NULL);
    mem_store_fini(&store);
}

static void test_required_column_with_null(void **state)
{
    (void)state;
    struct mem_store store;
    struct cl_parquet_writer *w = open_writer(&store, &defaults);
    struct cl_error err;
    struct cl_batch *b = make_batch(10, 0);
    cl_column_set_null(&b->columns[LONGS], 3);
    b->columns[LONGS].null_count = 1;
    assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_EDATA);
    assert_string_equal(err.where, "n");
    assert_int_equal(cl_parquet_writer_rows(w), 0); /* checked first: the writer is unharmed */
    cl_column_set_long(&b->columns[LONGS], 3, 3);
    b->columns[LONGS].null_count = 0;
    struct cl_data_file file;
    assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_OK);
    assert_int_equal(cl_parquet_writer_close(w, &file, &err), CL_OK);
    assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_EINVAL); /* closed */
    assert_int_equal(cl_parquet_writer_close(w, &file, &err), CL_EINVAL);
    cl_data_file_fini(&file);
    cl_batch_free(b);
    cl_parquet_writer_free(w);
    assert_int_equal(store.aborted, 0);
    mem_store_fini(&store);
}

static void test_batch_of_another_schema(void **state)
{
    (void)state;
    struct mem_store store;
    struct cl_parquet_writer *w = open_writer(&store, &defaults);
    struct cl_field other[N_COLUMNS] = {fields[0], fields[2], fields[1]};
    struct cl_schema swapped = {.n = N_COLUMNS, .fields = other},
                     shorter = {.n = 1, .fields = other};
    struct cl_batch *b;
    struct cl_error err;
    assert_int_equal(cl_batch_new(&swapped, 1, &b, NULL), CL_OK);
    assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_EINVAL);
    cl_batch_free(b);
    assert_int_equal(cl_batch_new(&shorter, 1, &b, NULL), CL_OK);
    assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_EINVAL);
    cl_batch_free(b);
    cl_parquet_writer_free(w);
    assert_int_equal(store.aborted, 1);
    assert_int_equal(store.open, 0);
    mem_store_fini(&store);
}

static void test_decimal_out_of_range(void **state)
{
    (void)state;
    static const int precisions[] = {3, 12, 20, 38};
    for (size_t i = 0; i < 4; i++) {
        struct cl_field field = {1, "price", CL_DECIMAL, precisions[i], 0, true, NULL};
        struct cl_schema one = {.n = 1, .fields = &field};
        __int128 limit = 1;
        for (int k = 0; k < precisions[i]; k++)
            limit *= 10;
        for (int sign = -1; sign <= 1; sign += 2) {
            struct mem_store store;
            struct cl_parquet_writer *w;
            struct cl_batch *b;
            struct cl_error err;
            mem_store_init(&store);
            assert_int_equal(cl_batch_new(&one, 2, &b, NULL), CL_OK);
            cl_column_set_decimal(&b->columns[0], 0, sign * (limit - 1));
            cl_batch_commit_row(b);
            assert_int_equal(cl_parquet_writer_new(&one, &defaults, &store.store, "x", &w, NULL),
                             CL_OK);
            assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_OK);
            cl_column_set_decimal(&b->columns[0], 1, sign * limit);
            cl_batch_commit_row(b);
            assert_int_equal(cl_parquet_writer_write(w, b, &err), CL_EDATA);
            assert_string_equal(err.where, "price");
            assert_int_equal(cl_parquet_writer_write(w, b, &err),
                             CL_EINVAL); /* good for free only */
            cl_batch_free(b);
            cl_parquet_writer_free(w);
            assert_int_equal(store.aborted, 1);
            mem_store_fini(&store);
        }
    }
}

/* ---- what breaks: every store call, every allocation, in turn ---- */

/* Writes a small file with several row groups.  On failure everything is released and nothing is
 * visible. */
static enum cl_code write_file(struct mem_store *store, struct cl_batch *b,
                               enum cl_compression compression, struct cl_error *err)
{
    struct cl_parquet_options options = {.compression = compression,
                                         .level = 1,
                                         .row_group_bytes = 8000,
                                         .page_rows = 200,
                                         .dictionary = true};
    struct cl_parquet_writer *w = NULL;
    struct cl_data_file file;
    enum cl_code code = cl_parquet_writer_new(&schema, &options, &store->store, "x", &w, err);
    for (int i = 0; i < 4 && code == CL_OK; i++)
        code = cl_parquet_writer_write(w, b, err);
    if (code == CL_OK) {
        code = cl_parquet_writer_close(w, &file, err);
        if (code == CL_OK) cl_data_file_fini(&file);
    }
    cl_parquet_writer_free(w);
    return code;
}

static void test_every_store_call_fails(void **state)
{
    (void)state;
    struct cl_batch *b = make_batch(1000, 0);
    int calls = 0;
    for (int fail_at = 0; fail_at <= calls; fail_at++) { /* 0: how many there are */
        struct mem_store store;
        struct cl_error err = {.code = CL_OK};
        mem_store_init(&store);
        store.fail_at = fail_at;
        enum cl_code code = write_file(&store, b, CL_COMPRESS_ZSTD, &err);
        if (fail_at == 0) calls = store.calls;
        assert_int_equal(code, fail_at == 0 ? CL_OK : CL_EIO);
        assert_int_equal(err.retriable, fail_at > 0);
        assert_int_equal(store.data != NULL, fail_at == 0);
        assert_int_equal(store.open, 0);
        assert_int_equal(store.calls,
                         fail_at == 0 ? calls : fail_at); /* nothing is tried after a failure */
        mem_store_fini(&store);
    }
    assert_true(calls > 20);
    cl_batch_free(b);
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    if (!OWN_MALLOC) skip();
    struct cl_batch *b = make_batch(1000, 0);
    static const enum cl_compression kinds[] = {CL_COMPRESS_NONE, CL_COMPRESS_ZSTD};
    for (size_t k = 0; k < 2; k++) {
        bool failed = true;
        long n = 0;
        for (fail_allocation = 1; failed; fail_allocation++) {
            struct mem_store store;
            struct cl_error err;
            mem_store_init(&store);
            allocations = 0;
            enum cl_code code = write_file(&store, b, kinds[k], &err);
            failed = allocations >= fail_allocation;
            if (failed) n++;
            assert_int_equal(code, failed ? CL_ENOMEM : CL_OK);
            assert_int_equal(store.open, 0);
            assert_int_equal(store.data == NULL, failed);
            mem_store_fini(&store);
        }
        fail_allocation = 0;
        assert_true(n > 50);
    }
    cl_batch_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_without_rows),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_pages_of_an_optional_column),
        cmocka_unit_test(test_dictionary_pays_or_not),
        cmocka_unit_test(test_incompressible_chunk_is_stored),
        cmocka_unit_test(test_row_groups),
        cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_required_column_with_null),
        cmocka_unit_test(test_batch_of_another_schema),
        cmocka_unit_test(test_decimal_out_of_range),
        cmocka_unit_test(test_every_store_call_fails),
        cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
