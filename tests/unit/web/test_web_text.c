/* test_web_text.c - addresses as they are written, and the Prometheus text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/address.h"
#include "web/exposition.h"
#include "web/process.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void parses_to(const char *text, const char *host, const char *port)
{
    struct cl_web_address a;
    struct cl_error err;
    assert_int_equal(cl_web_address_parse(text, &a, &err), CL_OK);
    assert_string_equal(a.host, host);
    assert_string_equal(a.port, port);
}

static void a_port_alone_is_for_this_machine(void **state)
{
    (void)state;
    parses_to("9100", "127.0.0.1", "9100");
    parses_to("0", "127.0.0.1", "0");
    parses_to("65535", "127.0.0.1", "65535");
}

static void a_host_is_taken_as_named(void **state)
{
    (void)state;
    parses_to("0.0.0.0:9100", "0.0.0.0", "9100");
    parses_to("localhost:80", "localhost", "80");
    parses_to("[::1]:9100", "::1", "9100");
}

static void bad_addresses_are_refused_with_the_form(void **state)
{
    static const char *const bad[] = {"",        ":9100",      "host",       "host:", "host:abc",
                                      "65536",   "-1",         "1.5",        "::1",   "::1:9100",
                                      "[]:9100", "host:9100x", "host: 9100", "+9"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cl_web_address a;
        struct cl_error err = {0};
        if (cl_web_address_parse(bad[i], &a, &err) != CL_EINVAL)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_non_null(strstr(err.message, "PORT or HOST:PORT"));
    }
}

static void a_port_in_use_is_named(void **state)
{
    (void)state;
    struct cl_web_address a;
    struct cl_error err = {0};
    char url[CL_WEB_URL], other[CL_WEB_URL];
    int fd, second = -1;
    bool loopback = false;
    assert_int_equal(cl_web_address_parse("0", &a, &err), CL_OK);
    assert_int_equal(cl_web_listen(&a, &fd, url, &loopback, &err), CL_OK);
    assert_true(loopback);
    assert_memory_equal(url, "http://127.0.0.1:", 17);
    assert_int_equal(cl_web_address_parse(url + 7, &a, &err), CL_OK);
    assert_int_equal(cl_web_listen(&a, &second, other, &loopback, &err), CL_EINVAL);
    assert_int_equal(second, -1);
    assert_non_null(strstr(err.message, a.port));
    assert_non_null(strstr(err.message, "another program has this port"));
    (void)close(fd);
}

static void other_addresses_are_not_loopback(void **state)
{
    (void)state;
    struct cl_web_address a;
    struct cl_error err = {0};
    char url[CL_WEB_URL];
    int fd;
    bool loopback = true;
    assert_int_equal(cl_web_address_parse("0.0.0.0:0", &a, &err), CL_OK);
    assert_int_equal(cl_web_listen(&a, &fd, url, &loopback, &err), CL_OK);
    assert_false(loopback);
    (void)close(fd);
    assert_int_equal(cl_web_address_parse("192.0.2.1:0", &a, &err),
                     CL_OK); /* for documentation: nobody has it */
    assert_int_equal(cl_web_listen(&a, &fd, url, &loopback, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "does not have that address"));
}

static void the_text_is_as_prometheus_wants_it(void **state)
{
    (void)state;
    struct cl_buf out;
    cl_buf_init(&out, 1 << 16);
    struct cl_expo e = {.out = &out};
    const struct cl_expo_label labels[] = {{"feed", "a\\b\"c\nd"}, {"reason", "\xc3\xa4"}};
    cl_expo_family(&e, "x_total", "counter", "Line\nfeed, back\\slash, \"quotes\"");
    cl_expo_count(&e, "", labels, 2, INT64_MIN);
    cl_expo_count(&e, "", NULL, 0, 7);
    cl_expo_sample(&e, "_sum", labels + 1, 1, 0.1);
    cl_expo_sample(&e, "", NULL, 0, INFINITY);
    cl_expo_sample(&e, "", NULL, 0, -INFINITY);
    cl_expo_sample(&e, "", NULL, 0, NAN);
    assert_int_equal(e.code, CL_OK);
    assert_int_equal(cl_buf_append(&out, "", 1, NULL), CL_OK);
    assert_string_equal(
        (const char *)out.data,
        "# HELP x_total Line\\nfeed, back\\\\slash, \"quotes\"\n"
        "# TYPE x_total counter\n"
        "x_total{feed=\"a\\\\b\\\"c\\nd\",reason=\"\xc3\xa4\"} -9223372036854775808\n"
        "x_total 7\n"
        "x_total_sum{reason=\"\xc3\xa4\"} 0.1\n"
        "x_total +Inf\nx_total -Inf\nx_total NaN\n");
    cl_buf_fini(&out);
}

static void a_full_buffer_is_an_error_that_stays(void **state)
{
    (void)state;
    struct cl_buf out;
    cl_buf_init(&out, 16);
    struct cl_expo e = {.out = &out};
    cl_expo_family(&e, "a_name_that_is_longer_than_the_buffer", "gauge", "Help");
    cl_expo_count(&e, "", NULL, 0, 1);
    assert_int_equal(e.code, CL_ELIMIT);
    cl_buf_fini(&out);
}

static void the_process_is_described(void **state)
{
    (void)state;
    struct cl_process_info p;
    cl_process_info(&p);
    double now = (double)time(NULL);
    assert_true(p.start_s > now - 3600 && p.start_s < now + 2);
    assert_true(p.rss_bytes > 100000);
    assert_true(p.cpu_s >= 0);
    assert_true(p.threads >= 1 && p.threads < 100);
    int64_t before = p.open_fds;
    int fd = dup(0);
    assert_true(fd >= 0);
    cl_process_info(&p);
    assert_int_equal(p.open_fds, before + 1);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_alone_is_for_this_machine),
        cmocka_unit_test(a_host_is_taken_as_named),
        cmocka_unit_test(bad_addresses_are_refused_with_the_form),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(other_addresses_are_not_loopback),
        cmocka_unit_test(the_text_is_as_prometheus_wants_it),
        cmocka_unit_test(a_full_buffer_is_an_error_that_stays),
        cmocka_unit_test(the_process_is_described),
    };
    return cmocka_run_group_tests_name("web_text", tests, NULL, NULL);
}
