/* spec_test.h - what the tests of src/spec share. */
#ifndef CITYLAKE_TESTS_SPEC_TEST_H
#define CITYLAKE_TESTS_SPEC_TEST_H

#include "spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the five headers above first. */
#include <cmocka.h>

/* A feed with a time column t in line 5; more columns follow from line 6 on, indented by 6. */
#define FEED(more)                                                                                 \
    "feeds:\n  f:\n    event_time: t\n    columns:\n      t: {type: timestamp, required: "         \
    "true}\n" more

static inline struct cl_spec *parse_ok(const char *text)
{
    struct cl_spec *spec = NULL;
    struct cl_error err = {0};
    if (cl_spec_parse("city.yaml", text, strlen(text), &spec, &err) != CL_OK)
        fail_msg("%s\nwas refused: %s: %s", text, err.where, err.message);
    return spec;
}

struct bad_case {
    const char *text, *where, *message;
};

/* The exact place, and the message whole. */
static inline bool is_refused(const struct bad_case *c)
{
    struct cl_spec *spec = NULL;
    struct cl_error err = {0};
    enum cl_code code = cl_spec_parse("city.yaml", c->text, strlen(c->text), &spec, &err);
    if (code != CL_EINVAL || spec != NULL || strcmp(err.where, c->where) != 0 ||
        strcmp(err.message, c->message) != 0) {
        print_error("%s\nexpected %s: %s\ngot (%s) %s: %s\n", c->text, c->where, c->message,
                    cl_code_name(code), err.where, err.message);
        cl_spec_free(spec);
        return false;
    }
    /* A caller that does not want the text gets the same answer. */
    return cl_spec_parse("city.yaml", c->text, strlen(c->text), &spec, NULL) == CL_EINVAL;
}

#endif
