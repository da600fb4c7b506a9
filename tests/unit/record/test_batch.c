/* test_batch.c - columns of every type: set, null, commit, take, grow, limits. */
#include "record/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BOOL, INT, LONG, FLOAT, DOUBLE, DECIMAL, DATE, TIMESTAMP, STRING, BINARY, N };

static struct cl_field fields[N] = {
    {1, "bool", CL_BOOLEAN, 0, 0, false, NULL},  {2, "int", CL_INT, 0, 0, false, NULL},
    {3, "long", CL_LONG, 0, 0, false, NULL},     {4, "float", CL_FLOAT, 0, 0, false, NULL},
    {5, "double", CL_DOUBLE, 0, 0, false, NULL}, {6, "decimal", CL_DECIMAL, 9, 2, false, NULL},
    {7, "date", CL_DATE, 0, 0, false, NULL},     {8, "timestamp", CL_TIMESTAMP, 0, 0, false, NULL},
    {9, "string", CL_STRING, 0, 0, false, NULL}, {10, "binary", CL_BINARY, 0, 0, true, NULL},
};
static const struct cl_schema schema = {N, fields};

static struct cl_batch *new_batch(int32_t capacity)
{
    struct cl_batch *b;
    assert_int_equal(cl_batch_new(&schema, capacity, &b, NULL), CL_OK);
    return b;
}

/* A row whose every value is told by `seed`. */
static void set_row(struct cl_batch *b, int seed)
{
    char text[64];
    int32_t row = b->rows;
    struct cl_column *c = b->columns;
    int len = snprintf(text, sizeof text, "row %d%.*s", seed, seed % 40,
                       "........................................");
    cl_column_set_boolean(&c[BOOL], row, seed % 3 == 0);
    cl_column_set_int(&c[INT], row, seed);
    cl_column_set_long(&c[LONG], row, (int64_t)seed << 40);
    cl_column_set_float(&c[FLOAT], row, (float)seed / 2);
    cl_column_set_double(&c[DOUBLE], row, seed / 4.0);
    cl_column_set_decimal(&c[DECIMAL], row, -(__int128)seed);
    cl_column_set_int(&c[DATE], row, -seed);
    cl_column_set_long(&c[TIMESTAMP], row, seed * 1000000L);
    assert_int_equal(cl_column_set_bytes(&c[STRING], row, text, (size_t)len, NULL), CL_OK);
    assert_int_equal(
        cl_column_set_bytes(&c[BINARY], row, &seed, seed % 5 == 0 ? 0 : sizeof seed, NULL), CL_OK);
}

static void set_nulls(struct cl_batch *b)
{
    for (int c = 0; c < N; c++)
        cl_column_set_null(&b->columns[c], b->rows);
}

static void assert_row(const struct cl_batch *b, int32_t row, int seed)
{
    char text[64];
    const struct cl_column *c = b->columns;
    int len = snprintf(text, sizeof text, "row %d%.*s", seed, seed % 40,
                       "........................................");
    __int128 decimal;
    for (int i = 0; i < N; i++)
        assert_true(cl_column_is_valid(&c[i], row));
    assert_int_equal(cl_bit_get(c[BOOL].values, row), seed % 3 == 0);
    assert_int_equal(((int32_t *)c[INT].values)[row], seed);
    assert_int_equal(((int64_t *)c[LONG].values)[row], (int64_t)seed << 40);
    assert_true(((float *)c[FLOAT].values)[row] == (float)seed / 2);
    assert_true(((double *)c[DOUBLE].values)[row] == seed / 4.0);
    memcpy(&decimal, (uint8_t *)c[DECIMAL].values + 16 * row, 16);
    assert_true(decimal == -(__int128)seed);
    assert_int_equal(((int32_t *)c[DATE].values)[row], -seed);
    assert_int_equal(((int64_t *)c[TIMESTAMP].values)[row], seed * 1000000L);
    assert_int_equal(c[STRING].offsets[row + 1] - c[STRING].offsets[row], len);
    assert_memory_equal(c[STRING].data + c[STRING].offsets[row], text, (size_t)len);
    assert_int_equal(c[BINARY].offsets[row + 1] - c[BINARY].offsets[row], seed % 5 == 0 ? 0 : 4);
}

static void assert_nulls(const struct cl_batch *b, int32_t row)
{
    static const uint8_t zero[16];
    for (int i = 0; i < N; i++) {
        const struct cl_column *col = &b->columns[i];
        size_t width = cl_type_width(col->type);
        assert_false(cl_column_is_valid(col, row));
        if (width > 0)
            assert_memory_equal((uint8_t *)col->values + width * (size_t)row, zero, width);
        if (col->offsets != NULL) assert_int_equal(col->offsets[row + 1], col->offsets[row]);
        if (col->type == CL_BOOLEAN) assert_false(cl_bit_get(col->values, row));
    }
}

static void rows_and_nulls(void **state)
{
    (void)state;
    struct cl_batch *b = new_batch(100);
    for (int i = 0; i < 100; i++) {
        set_row(b, i); /* every third is abandoned for nulls: a slot may be filled again before the
                          commit */
        if (i % 3 == 1) set_nulls(b);
        cl_batch_commit_row(b);
    }
    assert_int_equal(b->rows, 100);
    for (int i = 0; i < 100; i++) {
        if (i % 3 == 1)
            assert_nulls(b, i);
        else
            assert_row(b, i, i);
    }
    for (int c = 0; c < N; c++)
        assert_int_equal(b->columns[c].null_count, 33);
    cl_batch_free(b);
}

static void reset_keeps_nothing(void **state)
{
    (void)state;
    struct cl_batch *b = new_batch(9);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(cl_batch_bytes(b), 0);
        for (int i = 0; i < 9; i++) {
            if ((i + round) % 2 == 0)
                set_row(b, i + 7 * round);
            else
                set_nulls(b);
            cl_batch_commit_row(b);
        }
        for (int i = 0; i < 9; i++) {
            if ((i + round) % 2 == 0)
                assert_row(b, i, i + 7 * round);
            else
                assert_nulls(b, i);
        }
        for (int c = 0; c < N; c++)
            assert_int_equal(b->columns[c].null_count, round % 2 == 0 ? 4 : 5);
        cl_batch_reset(b);
    }
    cl_batch_free(b);
}

/* Fixed widths 4+8+4+8+16+4+8, two strings' offsets, ten bitmaps and the booleans' bits, and the
 * text. */
static void counts_bytes(void **state)
{
    (void)state;
    struct cl_batch *b = new_batch(64);
    size_t text = 0;
    for (int i = 1; i <= 17; i++) {
        set_row(b, i);
        text += (size_t)(b->columns[STRING].offsets[i] - b->columns[STRING].offsets[i - 1]) +
                (i % 5 == 0 ? 0 : 4);
        cl_batch_commit_row(b);
    }
    assert_int_equal(cl_batch_bytes(b),
                     17 * (4 + 8 + 4 + 8 + 16 + 4 + 8) + 17 * 2 * 4 + 11 * 3 + text);
    cl_batch_free(b);
}

static void take_picks_rows(void **state)
{
    (void)state;
    struct cl_batch *src = new_batch(50), *dst = new_batch(7);
    for (int i = 0; i < 50; i++) {
        if (i % 10 == 9)
            set_nulls(src);
        else
            set_row(src, i);
        cl_batch_commit_row(src);
    }
    struct cl_error err;
    static const int32_t first[] = {41, 9, 0, 0}, second[] = {19, 49, 3};
    assert_int_equal(cl_batch_take(dst, src, first, 4, &err), CL_OK);
    assert_int_equal(cl_batch_take(dst, src, second, 3, &err), CL_OK);
    assert_int_equal(cl_batch_take(dst, src, NULL, 0, &err), CL_OK);
    assert_int_equal(cl_batch_take(dst, src, first, 1, &err), CL_ELIMIT);
    assert_int_equal(dst->rows, 7);
    assert_row(dst, 0, 41);
    assert_nulls(dst, 1);
    assert_row(dst, 2, 0);
    assert_row(dst, 3, 0);
    assert_nulls(dst, 4);
    assert_nulls(dst, 5);
    assert_row(dst, 6, 3);
    for (int c = 0; c < N; c++)
        assert_int_equal(dst->columns[c].null_count, 3);
    cl_batch_free(src);
    cl_batch_free(dst);
}

static void strings_grow_to_their_limit(void **state)
{
    (void)state;
    struct cl_batch *b = new_batch(3);
    struct cl_column *col = &b->columns[STRING];
    struct cl_error err;
    static uint8_t block[100000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7);
    assert_int_equal(cl_column_set_bytes(col, 0, block, 10, &err), CL_OK);
    assert_int_equal(cl_column_set_bytes(col, 1, block, sizeof block, &err), CL_OK);
    assert_int_equal(cl_column_set_bytes(col, 2, NULL, 0, &err), CL_OK);
    assert_memory_equal(col->data + 10, block, sizeof block);
    assert_int_equal(col->offsets[3], 10 + sizeof block);
    assert_int_equal(cl_column_grow(col, 2, CL_COLUMN_MAX_BYTES - sizeof block, &err), CL_ELIMIT);
    assert_non_null(strstr(err.message, "1073741824"));
    assert_int_equal(cl_column_grow(col, 2, SIZE_MAX, &err), CL_ELIMIT);
    assert_memory_equal(col->data + 10, block, sizeof block);
    cl_batch_free(b);
}

static void half_built_is_freed(void **state)
{
    (void)state;
    cl_batch_free(NULL);
    struct cl_batch *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->schema = &schema;
    cl_batch_free(b);
}

static void schema_names_and_types(void **state)
{
    (void)state;
    char text[32];
    assert_int_equal(cl_schema_find(&schema, "string"), STRING);
    assert_int_equal(cl_schema_find(&schema, "String"), -1);
    assert_int_equal(cl_schema_find(&schema, ""), -1);
    assert_string_equal(cl_type_text(&fields[DECIMAL], text, sizeof text), "decimal(9, 2)");
    for (int i = 0; i < N; i++)
        if (i != DECIMAL && i != BOOL)
            assert_string_equal(cl_type_text(&fields[i], text, sizeof text), fields[i].name);
    assert_string_equal(cl_type_text(&fields[BOOL], text, sizeof text), "boolean");
    static const size_t widths[N] = {0, 4, 8, 4, 8, 16, 4, 8, 0, 0};
    for (int i = 0; i < N; i++)
        assert_int_equal(cl_type_width(fields[i].type), widths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_nulls),
        cmocka_unit_test(reset_keeps_nothing),
        cmocka_unit_test(counts_bytes),
        cmocka_unit_test(take_picks_rows),
        cmocka_unit_test(strings_grow_to_their_limit),
        cmocka_unit_test(half_built_is_freed),
        cmocka_unit_test(schema_names_and_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
