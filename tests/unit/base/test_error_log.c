/* test_error_log.c - errors say what, where and whether again; log lines are one write each and
 * read back as JSON. */
#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void failures_are_filled_whole(void **state)
{
    (void)state;
    struct cl_error err;
    memset(&err, 0xff, sizeof err);
    assert_int_equal(cl_fail(&err, CL_EINVAL, "%s: %d", "speed", 5), CL_EINVAL);
    assert_int_equal(err.code, CL_EINVAL);
    assert_false(err.retriable || err.fatal);
    assert_int_equal(err.origin, CL_ORIGIN_NONE);
    assert_string_equal(err.message, "speed: 5");
    assert_string_equal(err.where, "");
    assert_int_equal(cl_fail(&err, CL_EIO, "x"), CL_EIO);
    assert_true(err.retriable);
    assert_int_equal(cl_fail(NULL, CL_EIO, "x"), CL_EIO);
    assert_int_equal(cl_fail_at(NULL, CL_EDATA, "a", "x"), CL_EDATA);
    assert_int_equal(cl_fail_at(&err, CL_EDATA, "city.yaml:3:5", "bad unit \"%s\"", "x"), CL_EDATA);
    char text[64];
    assert_string_equal(cl_error_text(&err, text, sizeof text), "city.yaml:3:5: bad unit \"x\"");
    assert_string_equal(cl_error_text(&err, text, 8), "city.ya");
    /* An argument may be the error's own message. */
    assert_int_equal(cl_fail(&err, CL_EDATA, "again: %s", err.message), CL_EDATA);
    assert_string_equal(err.message, "again: bad unit \"x\"");
    assert_string_equal(cl_error_text(&err, text, sizeof text), "again: bad unit \"x\"");
    assert_int_equal(cl_fail_nomem(&err), CL_ENOMEM);
}

static void errno_becomes_a_code(void **state)
{
    (void)state;
    struct cl_error err;
    static const struct {
        int number;
        enum cl_code code;
    } cases[] = {{ENOENT, CL_ENOTFOUND},
                 {EEXIST, CL_EEXIST},
                 {ENOMEM, CL_ENOMEM},
                 {ENOSPC, CL_EIO},
                 {EACCES, CL_EIO}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(cl_fail_errno(&err, cases[i].number, "lake %s", "x"), cases[i].code);
        assert_int_equal(cl_fail_errno(NULL, cases[i].number, "x"), cases[i].code);
        assert_int_equal(err.origin, CL_ORIGIN_ERRNO);
        assert_int_equal(err.origin_code, cases[i].number);
        assert_int_equal(err.retriable, cases[i].code == CL_EIO);
        assert_memory_equal(err.message, "lake x: ", 8);
        assert_string_equal(err.message + 8, strerror(cases[i].number));
    }
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    struct cl_error err;
    char longest[3000];
    memset(longest, 'm', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    (void)cl_fail_at(&err, CL_EIO, longest, "%s", longest);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_int_equal(cl_error_wrap(&err, CL_EIO, "table %s", "gps"), CL_EIO);
    assert_memory_equal(err.message, "table gps: mmm", 14);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    (void)cl_error_wrap(&err, CL_EIO, "%s", longest); /* no room for both: the cause stays */
    assert_memory_equal(err.message, "table gps: mmm", 14);
    assert_int_equal(cl_error_wrap(NULL, CL_EIO, "x"), CL_EIO);
}

static void codes_have_names(void **state)
{
    (void)state;
    for (int i = CL_OK; i <= CL_EUNSUPPORTED; i++) {
        const char *name = cl_code_name((enum cl_code)i);
        assert_string_not_equal(name, "?");
        for (int j = CL_OK; j < i; j++)
            assert_string_not_equal(name, cl_code_name((enum cl_code)j));
    }
    assert_string_equal(cl_code_name((enum cl_code)99), "?");
}

/* What one call writes, as text. */
static const char *logged(enum cl_log_format format, bool on_terminal, enum cl_log_level min,
                          enum cl_log_level level, const char *text)
{
    static char line[8192];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct cl_log log = {ends[1], format, min, on_terminal};
    cl_log(&log, level, "commit", CL_STR("table", text), CL_NUM("rows", INT64_MIN),
           CL_DBL("seconds", 0.25));
    assert_int_equal(close(ends[1]), 0);
    ssize_t len = read(ends[0], line, sizeof line - 1);
    assert_true(len >= 0);
    line[len] = '\0';
    assert_int_equal(close(ends[0]), 0);
    return line;
}

static void logfmt_lines(void **state)
{
    (void)state;
    const char *line = logged(CL_LOG_LOGFMT, false, CL_LOG_INFO, CL_LOG_WARN, "gps");
    assert_memory_equal(line, "time=20", 7);
    assert_non_null(strstr(
        line, " level=warn event=commit table=gps rows=-9223372036854775808 seconds=0.25\n"));
    assert_non_null(
        strstr(logged(CL_LOG_LOGFMT, false, CL_LOG_INFO, CL_LOG_INFO, "a b"), " table=\"a b\" "));
    assert_non_null(strstr(logged(CL_LOG_LOGFMT, false, CL_LOG_INFO, CL_LOG_INFO, "a\"\\\n\x01"),
                           " table=\"a\\\"\\\\\\n\\u0001\" "));
    assert_non_null(
        strstr(logged(CL_LOG_LOGFMT, false, CL_LOG_INFO, CL_LOG_INFO, NULL), " table=\"\" "));
    assert_string_equal(logged(CL_LOG_LOGFMT, false, CL_LOG_WARN, CL_LOG_INFO, "x"), "");
    assert_memory_equal(logged(CL_LOG_LOGFMT, true, CL_LOG_INFO, CL_LOG_INFO, "x"),
                        "\r\033[Ktime=", 9);
    cl_log(NULL, CL_LOG_ERROR, "nobody", CL_STR("listens", "x"));
}

static void json_lines(void **state)
{
    (void)state;
    static const char *const texts[] = {"gps", "", "a \"quoted\" \\ text", "two\nlines\t\x1f",
                                        "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *line = logged(CL_LOG_JSON, false, CL_LOG_DEBUG, CL_LOG_ERROR, texts[i]);
        json_error_t err;
        json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, &err);
        if (root == NULL) fail_msg("%s: %s", line, err.text);
        assert_string_equal(json_string_value(json_object_get(root, "table")), texts[i]);
        assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
        assert_string_equal(json_string_value(json_object_get(root, "event")), "commit");
        assert_true(json_integer_value(json_object_get(root, "rows")) == INT64_MIN);
        assert_int_equal(line[strlen(line) - 1], '\n');
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_filled_whole),
        cmocka_unit_test(errno_becomes_a_code),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(logfmt_lines),
        cmocka_unit_test(json_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
