/* test_clock.c - civil days, times and durations as text, and clocks that run. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Day by day over more than two eras of 400 years, counted the plain way. */
static void civil_days(void **state)
{
    (void)state;
    static const unsigned month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = cl_days_from_civil(1599, 12, 31) + 1;
    for (int64_t year = 1600; year <= 2401; year++)
        for (unsigned month = 1; month <= 12; month++)
            for (unsigned mday = 1; mday <= month_days[month - 1] + (month == 2 && is_leap(year));
                 mday++, day++) {
                int64_t y;
                unsigned m, d;
                assert_int_equal(cl_days_from_civil(year, month, mday), day);
                cl_civil_from_days(day, &y, &m, &d);
                if (y != year || m != month || d != mday) fail_msg("day %lld", (long long)day);
            }
    assert_int_equal(cl_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(cl_days_from_civil(0, 1, 1), -719528);
    for (int64_t far = INT32_MIN; far <= INT32_MAX; far += 9999991) {
        int64_t y;
        unsigned m, d;
        cl_civil_from_days(far, &y, &m, &d);
        assert_int_equal(cl_days_from_civil(y, m, d), far);
    }
}

static void times_as_text(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {1767600000000000, "2026-01-05T08:00:00Z"},
        {1767600000123456, "2026-01-05T08:00:00.123456Z"},
        {1767600000000001, "2026-01-05T08:00:00.000001Z"},
        {951782400000000, "2000-02-29T00:00:00Z"},
        {-62167219200000000, "0000-01-01T00:00:00Z"},
        {253402300799999999, "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[CL_TIME_TEXT];
        int64_t us;
        assert_string_equal(cl_time_text(cases[i].us, text), cases[i].text);
        assert_int_equal(cl_time_parse(text, strlen(text), &us, NULL), CL_OK);
        assert_int_equal(us, cases[i].us);
    }
    char text[CL_TIME_TEXT]; /* the longest there is stays inside */
    assert_true(strlen(cl_time_text(INT64_MIN, text)) < CL_TIME_TEXT);
    assert_true(strlen(cl_time_text(INT64_MAX, text)) < CL_TIME_TEXT);
}

static void times_from_text(void **state)
{
    (void)state;
    static const char *const good[] = {
        "2026-01-05T08:00:00",
        "2026-01-05 08:00:00Z",
        "2026-01-05T08:00",
        "2026-01-05T10:30:00+02:30",
        "2026-01-05T07:00:00-0100",
        "2026-01-05T08:00:00.0",
        "2026-01-05T08:00:00.000000999Z",
        "2026-01-06T02:00:00+18:00",
    };
    static const char *const bad[] = {
        "",
        "2026",
        "2026-1-5",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-01-00",
        "2026-01-05T",
        "2026-01-05T8:00",
        "2026-01-05T24:00:00",
        "2026-01-05T08:60:00",
        "2026-01-05T08:00:60",
        "2026-01-05T08:00:00.",
        "2026-01-05T08:00:00.1234567890",
        "2026-01-05T08:00:00+19:00",
        "2026-01-05T08:00:00+05",
        "2026-01-05T08:00:00+05:60",
        "2026-01-05T08:00:00ZZ",
        "2026-01-05t08:00:00",
        " 2026-01-05",
        "2026-01-05 ",
        "20260105",
        "-026-01-05",
        "2026-01-05T08:00:00,5",
    };
    int64_t us;
    struct cl_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (cl_time_parse(good[i], strlen(good[i]), &us, &err) != CL_OK) fail_msg("%s", good[i]);
        assert_int_equal(us, 1767600000000000);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cl_time_parse(bad[i], strlen(bad[i]), &us, &err) != CL_EINVAL)
            fail_msg("%s is taken", bad[i]);
    assert_int_equal(cl_time_parse("2024-02-29", 10, &us, NULL), CL_OK);
    assert_int_equal(us, cl_days_from_civil(2024, 2, 29) * 86400000000);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {
        {"500 ms", 500000},  {"10s", 10000000},        {"2 minutes", 120000000},
        {"1h", 3600000000},  {"7 days", 604800000000}, {"1.5s", 1500000},
        {"250us", 250},      {"1 week", 604800000000}, {"0s", 0},
        {"3min", 180000000},
    };
    static const char *const bad[] = {"",      "10",    "s",          "-1s",   "10 parsecs",
                                      "nan s", "inf s", "1e300 days", "10s s", "1 S"};
    int64_t us;
    struct cl_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (cl_duration_parse(good[i].text, &us, &err) != CL_OK) fail_msg("%s", good[i].text);
        assert_int_equal(us, good[i].us);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        us = 77;
        if (cl_duration_parse(bad[i], &us, &err) != CL_EINVAL) fail_msg("%s is taken", bad[i]);
        assert_int_equal(us, 77);
        assert_non_null(strstr(err.message, bad[i]));
    }
}

static void clocks_run(void **state)
{
    (void)state;
    int64_t before = cl_clock_monotonic_us(), cpu = cl_clock_cpu_us();
    cl_clock_sleep_us(2000);
    cl_clock_sleep_us(0);
    cl_clock_sleep_us(-5);
    assert_true(cl_clock_monotonic_us() - before >= 2000);
    assert_true(cl_clock_wall_us() > cl_days_from_civil(2024, 1, 1) * 86400000000);
    assert_true(cl_clock_cpu_us() >= cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_days),      cmocka_unit_test(times_as_text),
        cmocka_unit_test(times_from_text), cmocka_unit_test(durations),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
