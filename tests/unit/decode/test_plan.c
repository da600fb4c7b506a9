/* test_plan.c - columns compiled into a tree: shared prefixes, contradictions, many members, and
 * running out of memory. */
#include "decode/plan.h"

#include "decode/decoder.h"
#include "decode/swar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A feed made by hand: city.yaml refuses some of these already, the decoder does not rely on it. */
enum { MAX_COLUMNS = 2000, MAX_STEPS = 80 };

struct hand_feed {
    struct cl_feed feed;
    struct cl_field fields[MAX_COLUMNS];
    struct cl_feed_column columns[MAX_COLUMNS];
    struct cl_path_step steps[MAX_COLUMNS * 4];
    size_t n_steps;
};

static struct hand_feed *new_feed(void)
{
    struct hand_feed *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->feed.name = "hand";
    h->feed.columns = h->columns;
    h->feed.schema.fields = h->fields;
    return h;
}

static void add(struct hand_feed *h, const char *name, enum cl_type type,
                const struct cl_path_step *path, size_t len)
{
    size_t i = h->feed.n_columns++;
    struct cl_path_step *steps = &h->steps[h->n_steps];
    memcpy(steps, path, len * sizeof *path);
    h->n_steps += len;
    h->fields[i] = (struct cl_field){.id = (int)i + 1, .name = name, .type = type};
    h->columns[i] = (struct cl_feed_column){.field = h->fields[i], .path = steps, .path_len = len};
    h->feed.schema.n = h->feed.n_columns;
}

#define KEY(text)                                                                                  \
    {                                                                                              \
        (text), sizeof(text) - 1, -1                                                               \
    }
#define AT(i)                                                                                      \
    {                                                                                              \
        NULL, 0, (i)                                                                               \
    }
#define ADD(h, name, ...)                                                                          \
    add((h), (name), CL_LONG, (const struct cl_path_step[]){__VA_ARGS__},                          \
        sizeof((const struct cl_path_step[]){__VA_ARGS__}) / sizeof(struct cl_path_step))

static void assert_refused(struct hand_feed *h, const char *one, const char *other)
{
    struct cl_decoder *d = NULL;
    struct cl_error err;
    assert_int_equal(cl_decoder_new(&h->feed, &d, &err), CL_EINVAL);
    assert_null(d);
    assert_string_equal(err.where, "hand");
    if (strstr(err.message, one) == NULL || strstr(err.message, other) == NULL)
        fail_msg("%s", err.message);
    free(h);
}

static void contradictions(void **state)
{
    (void)state;
    struct hand_feed *h = new_feed();
    ADD(h, "whole", KEY("a"));
    ADD(h, "part", KEY("a"), KEY("b"));
    assert_refused(h, "\"whole\" reads a,", "\"part\" reads a.b");
    h = new_feed();
    ADD(h, "part", KEY("a"), AT(3));
    ADD(h, "whole", KEY("a"));
    assert_refused(h, "\"part\" reads a[3]", "\"whole\" reads a:");
    h = new_feed();
    ADD(h, "member", KEY("a"), KEY("b"));
    ADD(h, "element", KEY("a"), AT(0));
    assert_refused(h, "\"member\" reads a.b", "\"element\" reads a[0]");
    h = new_feed();
    ADD(h, "first", AT(0));
    assert_refused(h, "\"first\"", "a message is an object");
    h = new_feed();
    struct cl_path_step deep[MAX_STEPS];
    for (int i = 0; i < MAX_STEPS; i++)
        deep[i] = (struct cl_path_step)KEY("k");
    add(h, "deep", CL_LONG, deep, CL_JSON_MAX_DEPTH + 1);
    assert_refused(h, "\"deep\"", "65 steps");
    h = new_feed();
    ADD(h, "converted", KEY("a"));
    h->columns[0].has_conversion = true;
    assert_refused(h, "\"converted\"", "float and double");
}

static int64_t decode_long(struct cl_decoder *d, struct cl_batch *batch, size_t column,
                           const char *text)
{
    struct cl_reject reject;
    if (cl_decoder_decode(d, (const uint8_t *)text, strlen(text), batch, &reject) != CL_DECODED_ROW)
        fail_msg("%s", reject.detail);
    if (!cl_column_is_valid(&batch->columns[column], 0)) fail_msg("column %zu is null", column);
    return ((int64_t *)batch->columns[column].values)[0];
}

/* One value read by several columns, elements asked for out of order, and a path as deep as may be.
 */
static void shared_and_deep(void **state)
{
    (void)state;
    struct hand_feed *h = new_feed();
    struct cl_decoder *d;
    struct cl_batch *batch;
    ADD(h, "one", KEY("a"), AT(7), KEY("x"));
    ADD(h, "two", KEY("a"), AT(2));
    ADD(h, "three", KEY("a"), AT(7), KEY("x"));
    add(h, "text", CL_DOUBLE, (const struct cl_path_step[]){KEY("a"), AT(2)}, 2);
    struct cl_path_step deep[CL_JSON_MAX_DEPTH];
    for (int i = 0; i < CL_JSON_MAX_DEPTH; i++)
        deep[i] = (struct cl_path_step)KEY("k");
    add(h, "deep", CL_LONG, deep, CL_JSON_MAX_DEPTH);
    assert_int_equal(cl_decoder_new(&h->feed, &d, NULL), CL_OK);
    assert_int_equal(cl_batch_new(&h->feed.schema, 1, &batch, NULL), CL_OK);
    static const char text[] = "{\"a\":[0,1,22,3,4,5,6,{\"x\":77},8]}";
    assert_int_equal(decode_long(d, batch, 0, text), 77);
    assert_int_equal(decode_long(d, batch, 1, text), 22);
    assert_int_equal(decode_long(d, batch, 2, text), 77);
    assert_true(((double *)batch->columns[3].values)[0] == 22);
    char nested[CL_JSON_MAX_DEPTH * 6 + 10] = "";
    for (int i = 0; i < CL_JSON_MAX_DEPTH; i++)
        strcat(nested, "{\"k\":");
    strcat(nested, "5");
    for (int i = 0; i < CL_JSON_MAX_DEPTH; i++)
        strcat(nested, "}");
    assert_int_equal(decode_long(d, batch, 4, nested), 5);
    cl_batch_free(batch);
    cl_decoder_free(d);
    free(h);
}

/* Names of every length, and so many members that the hash table has collisions. */
static void many_members(void **state)
{
    (void)state;
    struct hand_feed *h = new_feed();
    struct cl_decoder *d;
    struct cl_batch *batch;
    char(*names)[40] = calloc(MAX_COLUMNS, 40);
    char *text = malloc((size_t)MAX_COLUMNS * 60);
    assert_true(names != NULL && text != NULL);
    for (int i = 0; i < MAX_COLUMNS; i++) {
        (void)snprintf(names[i], 40, "%.*s%d", i % 30, "abcdefghijklmnopqrstuvwxyzabcdefgh", i);
        add(h, names[i], CL_LONG, &(struct cl_path_step){names[i], strlen(names[i]), -1}, 1);
    }
    assert_int_equal(cl_decoder_new(&h->feed, &d, NULL), CL_OK);
    assert_int_equal(cl_batch_new(&h->feed.schema, 1, &batch, NULL), CL_OK);
    for (int step = 1; step < 8;
         step += 2) { /* other orders each time: 2000 has no factor 3 or 7 */
        size_t len = 0;
        for (int i = 0; i < MAX_COLUMNS; i++) {
            int c = i * (step == 5 ? 9 : step) % MAX_COLUMNS;
            len += (size_t)sprintf(text + len, "%s\"%s\": %d", i == 0 ? "{" : ", ", names[c],
                                   c + step);
        }
        memcpy(text + len, "}", 2);
        (void)decode_long(d, batch, 0, text);
        for (int c = 0; c < MAX_COLUMNS; c++)
            assert_int_equal(((int64_t *)batch->columns[c].values)[0], c + step);
    }
    cl_batch_free(batch);
    cl_decoder_free(d);
    free(names);
    free(text);
    free(h);
}

/* The plan's arena with less and less room: CL_ENOMEM every time, until it fits. */
static void out_of_memory(void **state)
{
    (void)state;
    struct hand_feed *h = new_feed();
    ADD(h, "one", KEY("alpha"), AT(7), KEY("x"));
    ADD(h, "two", KEY("alpha"), AT(2));
    ADD(h, "three", KEY("beta"));
    char *values[] = {(char[]){"x"}, (char[]){"yy"}};
    h->columns[2].values = values;
    h->columns[2].n_values = 2;
    int failed = 0;
    for (size_t room = 0;; room += 16) {
        struct cl_arena arena;
        struct cl_decode_plan plan;
        struct cl_error err;
        cl_arena_init(&arena, room);
        enum cl_code code = cl_decode_plan_build(&h->feed, &arena, &plan, &err);
        cl_arena_fini(&arena);
        if (code == CL_OK) break;
        assert_int_equal(code, CL_ENOMEM);
        failed++;
    }
    assert_true(failed > 20);
    free(h);
}

/* A batch column that cannot grow: the decoder says so, and works again when there is room. */
static void full_batch(void **state)
{
    (void)state;
    struct hand_feed *h = new_feed();
    struct cl_decoder *d;
    struct cl_batch *batch;
    struct cl_reject reject;
    add(h, "s", CL_STRING, (const struct cl_path_step[]){KEY("s")}, 1);
    assert_int_equal(cl_decoder_new(&h->feed, &d, NULL), CL_OK);
    assert_int_equal(cl_batch_new(&h->feed.schema, 2, &batch, NULL), CL_OK);
    static const char text[] = "{\"s\": \"0123456789\"}", escaped[] = "{\"s\": \"\\u0041\"}";
    assert_int_equal(cl_decoder_decode(d, (const uint8_t *)text, sizeof text - 1, batch, &reject),
                     CL_DECODED_ROW);
    size_t cap = batch->columns[0].data_cap;
    batch->columns[0].data_cap = CL_COLUMN_MAX_BYTES - 5; /* as if the rows before had filled it */
    batch->columns[0].offsets[0] = (int32_t)CL_COLUMN_MAX_BYTES - 5;
    assert_int_equal(cl_decoder_decode(d, (const uint8_t *)text, sizeof text - 1, batch, &reject),
                     CL_DECODED_NOMEM);
    assert_int_equal(
        cl_decoder_decode(d, (const uint8_t *)escaped, sizeof escaped - 1, batch, &reject),
        CL_DECODED_NOMEM);
    batch->columns[0].data_cap = cap;
    batch->columns[0].offsets[0] = 0;
    assert_int_equal(cl_decoder_decode(d, (const uint8_t *)text, sizeof text - 1, batch, &reject),
                     CL_DECODED_ROW);
    cl_batch_free(batch);
    cl_decoder_free(d);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions), cmocka_unit_test(shared_and_deep),
        cmocka_unit_test(many_members),   cmocka_unit_test(out_of_memory),
        cmocka_unit_test(full_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
