/* fuzz_decoder.c - any bytes as a message of a feed with every column type, and of a strict one.
 *
 * Checked beside the sanitizers: jansson agrees on what is JSON; a row has a value in every
 * required column and strings that stay inside their buffers; a second decoder with another history
 * gives the same. */
#include "../../tools/decode_fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what, const struct decode_fixture *f)
{
    fprintf(stderr, "%s: reason %d: %s\n", what, (int)f->reject.reason, f->reject.detail);
    abort();
}

/* jansson's own limits (numbers, depth, NUL) say nothing about JSON. */
static void compare_with_jansson(const uint8_t *data, size_t size, const struct decode_fixture *f,
                                 enum cl_decoded done)
{
    bool json = done == CL_DECODED_ROW ||
                (f->reject.reason != CL_REJECT_SYNTAX && f->reject.reason != CL_REJECT_UTF8 &&
                 f->reject.reason != CL_REJECT_EMPTY);
    if (done == CL_DECODED_REJECT && f->reject.reason == CL_REJECT_DEPTH) return;
    json_error_t err;
    json_t *root = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &err);
    bool theirs = root != NULL;
    json_decref(root);
    if (theirs && memchr(data, 0, size) != NULL) return;
    if (!theirs) {
        enum json_error_code code = json_error_code(&err);
        if (code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
            code == json_error_stack_overflow)
            return;
    }
    if (json != theirs) fail(theirs ? "jansson takes it" : err.text, f);
}

static void check_row(const struct decode_fixture *f)
{
    for (size_t c = 0; c < f->feed->n_columns; c++) {
        const struct cl_column *col = &f->batch->columns[c];
        bool valid = cl_column_is_valid(col, 0);
        if (!valid && f->feed->columns[c].field.required) fail("null in a required column", f);
        if (col->offsets == NULL) continue;
        int64_t len = (int64_t)col->offsets[1] - col->offsets[0],
                max = f->feed->columns[c].max_bytes;
        if (len < 0 || (size_t)len > col->data_cap || (!valid && len != 0) ||
            (max > 0 && len > max))
            fail("bad string", f);
    }
}

static void assert_same(const struct decode_fixture *a, const struct decode_fixture *b)
{
    for (size_t c = 0; c < a->feed->n_columns; c++) {
        const struct cl_column *x = &a->batch->columns[c], *y = &b->batch->columns[c];
        size_t width = cl_type_width(x->type);
        bool same =
            cl_column_is_valid(x, 0) == cl_column_is_valid(y, 0) &&
            (width == 0 || memcmp(x->values, y->values, width) == 0) &&
            (x->offsets == NULL ||
             (x->offsets[1] == y->offsets[1] &&
              (x->offsets[1] == 0 || memcmp(x->data, y->data, (size_t)x->offsets[1]) == 0)));
        if (!same) fail("two histories, two rows", a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decode_fixture all, fresh,
        strict; /* live as long as the process, as in the program */
    static bool ready;
    if (!ready) {
        decode_fixture_init(&all, NULL, "all");
        decode_fixture_init(&fresh, NULL, "all");
        decode_fixture_init(&strict, NULL, "strict");
        ready = true;
    }
    static const char usual[] = "{\"t\":\"2026-01-05\",\"b\":true,\"i\":1,\"l\":2,\"f\":3,\"d\":4}";
    enum cl_decoded done = decode_fixture_decode(&all, data, size);
    compare_with_jansson(data, size, &all, done);
    if (decode_fixture_decode(&fresh, usual, sizeof usual - 1) != CL_DECODED_ROW)
        fail("the usual message", &fresh);
    enum cl_decoded again = decode_fixture_decode(&fresh, data, size);
    if (again != done) fail("two histories, two results", &all);
    if (done == CL_DECODED_ROW) {
        check_row(&all);
        assert_same(&all, &fresh);
    }
    if (decode_fixture_decode(&strict, data, size) == CL_DECODED_ROW) check_row(&strict);
    return 0;
}
