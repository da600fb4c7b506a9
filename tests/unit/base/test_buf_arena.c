/* test_buf_arena.c - growable bytes and arenas: what they keep, and their maxima. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void buf_appends(void **state)
{
    (void)state;
    struct cl_buf b;
    char want[5000] = "";
    cl_buf_init(&b, 100000);
    for (int i = 0; i < 400; i++) {
        char piece[16];
        (void)snprintf(piece, sizeof piece, "<%d>", i);
        strcat(want, piece);
        switch (i % 3) {
        case 0: assert_int_equal(cl_buf_append(&b, piece, strlen(piece), NULL), CL_OK); break;
        case 1: assert_int_equal(cl_buf_append_str(&b, piece, NULL), CL_OK); break;
        default: assert_int_equal(cl_buf_printf(&b, NULL, "<%d>", i), CL_OK); break;
        }
    }
    assert_int_equal(cl_buf_append_byte(&b, '!', NULL), CL_OK);
    strcat(want, "!");
    assert_int_equal(b.len, strlen(want));
    assert_memory_equal(b.data, want, b.len);
    cl_buf_reset(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(cl_buf_append(&b, NULL, 0, NULL), CL_OK);
    cl_buf_fini(&b);
    assert_null(b.data);
}

static void buf_keeps_its_maximum(void **state)
{
    (void)state;
    struct cl_buf b;
    struct cl_error err;
    cl_buf_init(&b, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(cl_buf_append_byte(&b, (uint8_t)i, &err), CL_OK);
    assert_int_equal(cl_buf_append_byte(&b, 1, &err), CL_ELIMIT);
    assert_non_null(strstr(err.message, "100 bytes"));
    assert_int_equal(cl_buf_printf(&b, &err, "%s", "x"), CL_ELIMIT);
    assert_int_equal(cl_buf_append(&b, "xy", 2, &err), CL_ELIMIT);
    assert_int_equal(b.len, 100); /* a failed append leaves the content */
    for (int i = 0; i < 100; i++)
        assert_int_equal(b.data[i], i);
    assert_int_equal(cl_buf_grow(&b, SIZE_MAX, &err), CL_ELIMIT);
    cl_buf_fini(&b);
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct cl_arena a;
    uint8_t *given[500];
    cl_arena_init(&a, 1 << 20);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 500; i++) {
            given[i] = cl_arena_alloc(&a, i * 3 + 1);
            assert_non_null(given[i]);
            assert_int_equal((uintptr_t)given[i] % 16, 0);
            for (size_t k = 0; k < i * 3 + 1; k++)
                assert_int_equal(given[i][k], 0);
            memset(given[i], (int)i, i * 3 + 1);
        }
        for (size_t i = 0; i < 500; i++) /* none overlaps another */
            for (size_t k = 0; k < i * 3 + 1; k++)
                assert_int_equal(given[i][k], (uint8_t)i);
        cl_arena_reset(&a);
        assert_int_equal(a.used_bytes, 0);
    }
    uint8_t *large = cl_arena_alloc(&a, 100000);
    assert_non_null(large);
    assert_int_equal(large[99999], 0);
    cl_arena_fini(&a);
}

static void arena_copies_text(void **state)
{
    (void)state;
    struct cl_arena a;
    cl_arena_init(&a, 1 << 16);
    assert_string_equal(cl_arena_strdup(&a, "text"), "text");
    assert_string_equal(cl_arena_strdup(&a, ""), "");
    assert_string_equal(cl_arena_strndup(&a, "text and more", 4), "text");
    assert_string_equal(cl_arena_printf(&a, "%s-%05d", "x", 42), "x-00042");
    cl_arena_fini(&a);
}

static void arena_keeps_its_maximum(void **state)
{
    (void)state;
    struct cl_arena a;
    cl_arena_init(&a, 160);
    for (int i = 0; i < 10; i++)
        assert_non_null(cl_arena_alloc(&a, 9)); /* 16 each */
    assert_null(cl_arena_alloc(&a, 1));
    assert_null(cl_arena_printf(&a, "x"));
    assert_null(cl_arena_strdup(&a, "x"));
    cl_arena_reset(&a);
    assert_null(cl_arena_alloc(&a, 161));
    assert_null(cl_arena_alloc(&a, SIZE_MAX));
    assert_null(cl_arena_array(&a, SIZE_MAX / 2, 3));
    assert_non_null(cl_arena_array(&a, 10, 16));
    cl_arena_fini(&a);
}

/* Any change of a byte or of the length changes the hash; equal bytes have equal hashes wherever
 * they stand. */
static void hash_sees_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[48] = {0}, moved[50] = {0};
    for (size_t len = 0; len < 40; len++) {
        uint64_t h = cl_hash_bytes(bytes, len, 1);
        assert_true(h != cl_hash_bytes(bytes, len + 1, 1));
        assert_true(h != cl_hash_bytes(bytes, len, 2));
        memcpy(moved + 3, bytes, len);
        assert_true(h == cl_hash_bytes(moved + 3, len, 1));
        for (size_t i = 0; i < len; i++) {
            bytes[i] ^= 0x10;
            assert_true(h != cl_hash_bytes(bytes, len, 1));
            bytes[i] ^= 0x10;
        }
        bytes[len] = (uint8_t)(len * 31 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_appends),
        cmocka_unit_test(buf_keeps_its_maximum),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_copies_text),
        cmocka_unit_test(arena_keeps_its_maximum),
        cmocka_unit_test(hash_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
