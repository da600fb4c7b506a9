/* test_scalars.c - numbers, sizes and "did you mean". */
#include "spec_test.h"

#include "spec/scalars.h"
#include "spec/suggest.h"

static void counts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"42", 42},
                {"-7", -7},
                {"+7", 7},
                {"1_000", 1000},
                {"10k", 10000},
                {"10 k", 10000},
                {"1.5M", 1500000},
                {"2G", 2000000000},
                {"1e3", 1000},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",      " 1", "k",    "1.5",  "1__0",
                                      "_1",    "1_", "0x10", "inf",  "nan",
                                      "1 kB",  "1e", "--1",  "1e99", "9223372036854775808",
                                      "1.2.3", "१"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t value = 99;
        if (cl_scalar_count(good[i].text, &value, NULL) != CL_OK || value != good[i].value)
            fail_msg("\"%s\" gave %lld", good[i].text, (long long)value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t value;
        if (cl_scalar_count(bad[i], &value, NULL) != CL_EINVAL)
            fail_msg("\"%s\" was accepted", bad[i]);
    }
}

static void reals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0.1", 0.1},   {"-.5", -0.5},   {"1.", 1},    {"1e-3", 0.001},
                {"2.5k", 2500}, {"1_0.5", 10.5}, {"1E+2", 100}};
    static const char *const bad[] = {
        "",
        ".",
        "inf",
        ".inf",
        "nan",
        "0x1p3",
        "1e999",
        "1 km",
        "1,5",
        "e5",
        "111111111111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = 99;
        if (cl_scalar_real(good[i].text, &value, NULL) != CL_OK || value != good[i].value)
            fail_msg("\"%s\" gave %g", good[i].text, value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double value;
        if (cl_scalar_real(bad[i], &value, NULL) != CL_EINVAL)
            fail_msg("\"%s\" was accepted", bad[i]);
    }
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"4096", 4096},           {"512 B", 512},          {"64KiB", 65536},
                {"128 MiB", 134217728},   {"1 GB", 1000000000},    {"1 GiB", 1073741824},
                {"1.5 KiB", 1536},        {"2 TB", 2000000000000}, {"1kB", 1000},
                {"1 TiB", 1099511627776}, {"3MB", 3000000},        {"0", 0}};
    static const char *const bad[] = {"",      "MiB", "-1",   "1.5",    "1.1 KiB",
                                      "1 mib", "1 M", "1 PB", "1 MiBs", "100000000 TiB"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t value = 99;
        if (cl_scalar_size(good[i].text, &value, NULL) != CL_OK || value != good[i].value)
            fail_msg("\"%s\" gave %lld", good[i].text, (long long)value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t value;
        if (cl_scalar_size(bad[i], &value, NULL) != CL_EINVAL)
            fail_msg("\"%s\" was accepted", bad[i]);
    }
}

static void booleans(void **state)
{
    (void)state;
    bool value = false;
    assert_int_equal(cl_scalar_bool("true", &value, NULL), CL_OK);
    assert_true(value);
    assert_int_equal(cl_scalar_bool("FALSE", &value, NULL), CL_OK);
    assert_false(value);
    assert_int_equal(cl_scalar_bool("yes", &value, NULL), CL_EINVAL);
    assert_int_equal(cl_scalar_bool("tRue", &value, NULL), CL_EINVAL);
}

static void suggestions(void **state)
{
    (void)state;
    static const char *const words[] = {"vehicles", "seed", NULL,       "speed_up",
                                        "km/h",     "C",    "partition"};
    static const char *const cases[][2] = {{"vehicels", "vehicles"},
                                           {"VEHICLES", "vehicles"},
                                           {"sede", "seed"},
                                           {"speedup", "speed_up"},
                                           {"km/hh", "km/h"},
                                           {"c", "C"},
                                           {"partitions", "partition"},
                                           {"x", NULL},
                                           {"", NULL},
                                           {"completely-else", NULL},
                                           {"ship", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = cl_suggest(cases[i][0], words, sizeof words / sizeof *words);
        if (got == NULL ? cases[i][1] != NULL
                        : cases[i][1] == NULL || strcmp(got, cases[i][1]) != 0)
            fail_msg("\"%s\": %s", cases[i][0], got == NULL ? "nothing" : got);
    }
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(cl_suggest(longest, words, sizeof words / sizeof *words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(reals),
                                       cmocka_unit_test(sizes), cmocka_unit_test(booleans),
                                       cmocka_unit_test(suggestions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
