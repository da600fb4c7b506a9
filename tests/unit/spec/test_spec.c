/* test_spec.c - the built-in city.yaml. */
#include "spec/spec.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void builtin_has_five_feeds(void **state)
{
    (void)state;
    struct cl_spec *spec = NULL;
    struct cl_error err = {0};
    enum cl_code code = cl_spec_load_builtin(&spec, &err);
    if (code != CL_OK) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(spec->n_feeds, 5);
    cl_spec_free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(builtin_has_five_feeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
