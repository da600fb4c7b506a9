/* A million vehicles: short to build, little memory, and fast events; a city of one vehicle works
 * as well. */
#include "fixture.h"

#include <sys/resource.h>

static int64_t peak_rss_bytes(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (int64_t)usage.ru_maxrss * 1024;
}

static void a_million_vehicles(void **state)
{
    (void)state;
    int64_t before = peak_rss_bytes(), begun = cl_clock_cpu_us();
    struct cl_city_config config = a_config(1000000, 4);
    config.start_us += 2 * HOUR_US;
    struct cl_city *city = a_city(&config);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_ALL_FEEDS);
    int64_t seen[CL_CITY_FEEDS] = {0};
    for (int k = 0; k < 600000; k++)
        seen[next_merged(merge).feed]++;
    double seconds = (double)(cl_clock_cpu_us() - begun) / 1e6;
    double megabytes = (double)(peak_rss_bytes() - before) / 1e6;
    print_message("600000 events of 1000000 vehicles: %.2f s of CPU, %.0f MB\n", seconds,
                  megabytes);
    for (int feed = 0; feed < CL_CITY_EMERGENCY; feed++)
        assert_true(seen[feed] > 0);
    assert_true(seconds < 60); /* sanitizers included; it is about 3 s */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(megabytes < 160);
#endif
    cl_city_merge_free(merge);
    cl_city_free(city);
}

static void one_vehicle(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(1, 1);
    struct cl_city *city = a_city(&config);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_ALL_FEEDS);
    int64_t seen[CL_CITY_FEEDS] = {0};
    for (int k = 0; k < 20000; k++) {
        struct cl_city_event e = next_merged(merge);
        assert_string_equal(e.key, "Vehicle-00000");
        seen[e.feed]++;
    }
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
        assert_true(seen[feed] > 0);
    cl_city_merge_free(merge);
    cl_city_free(city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_million_vehicles),
                                       cmocka_unit_test(one_vehicle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
