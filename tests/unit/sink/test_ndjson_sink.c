/* Tests of sink/ndjson_sink.c and json_text.c: what the sink writes, the source's scanner gives
 * back, byte for byte. */
#include "sink/json_text.h"
#include "sink/sink.h"
#include "source/envelope.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

static struct cl_feed FEEDS[] = {{.name = "gps", .topic = "gps_data"},
                                 {.name = "weather", .topic = "weather_data"}};
static const struct cl_spec SPEC = {.path = "test.yaml", .feeds = FEEDS, .n_feeds = 2};

static void test_is_value(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "{}",
        "[]",
        "0",
        "-0.5e+10",
        "1E5",
        "true",
        "false",
        "null",
        "\"\"",
        "\"\\u00e9\\n\\\"\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "{\"a\":{\"b\":[1,{\"c\":[]}]},\"d\":2}",
        "{ \"a\" : [ 1 ,\t2 ] }",
        "[[],{}]",
        "[[[[[[[[[[]]]]]]]]]]",
    };
    static const char *const BAD[] = {
        "",
        " ",
        " 1",
        "1 ",
        "{}x",
        "{",
        "[",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "[1 2]",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nul",
        "NaN",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "[1\n]",
        "{\"a\":1]",
        "[1}",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82\"",
        "]",
        ",",
        "\"\\\"",
        "\xc3\xa9",
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        if (!cl_json_is_value((const uint8_t *)GOOD[i], strlen(GOOD[i])))
            fail_msg("refused: %s", GOOD[i]);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (cl_json_is_value((const uint8_t *)BAD[i], strlen(BAD[i])))
            fail_msg("taken: %s", BAD[i]);
}

static void test_depth(void **state)
{
    (void)state;
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    assert_true(cl_json_is_value((uint8_t *)deep + 136, 128)); /* 64 levels */
    assert_false(cl_json_is_value((uint8_t *)deep, 400));
}

/* Sends through a pipe and returns the single line written. */
static size_t line_of(const void *key, size_t key_len, const void *value, size_t value_len,
                      uint8_t *line, size_t size)
{
    int fds[2];
    struct cl_sink *s = NULL;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(cl_ndjson_sink_new(&SPEC, fds[1], NULL, &s, NULL), CL_OK);
    assert_int_equal(s->ops->send(s, &FEEDS[1], key, key_len, value, value_len, 0, NULL), CL_OK);
    assert_int_equal(s->ops->flush(s, 0, NULL), CL_OK);
    struct cl_sink_stats stats;
    s->ops->stats(s, &stats);
    assert_int_equal(stats.sent, 1);
    assert_int_equal(stats.delivered, 1);
    s->ops->free(s);
    assert_int_equal(close(fds[1]), 0);
    ssize_t n = read(fds[0], line, size);
    assert_int_equal(close(fds[0]), 0);
    assert_true(n > 0 && line[n - 1] == '\n' && memchr(line, '\n', (size_t)n - 1) == NULL);
    assert_int_equal(stats.bytes, n);
    return (size_t)n - 1;
}

static void assert_comes_back(const void *key, size_t key_len, const void *value, size_t value_len,
                              bool as_value)
{
    uint8_t line[4096];
    struct cl_envelope e;
    size_t len = line_of(key, key_len, value, value_len, line, sizeof line);
    line[len] = '\0';
    assert_true((strstr((char *)line, "\"value\": ") != NULL) == as_value);
    assert_true(cl_envelope_scan(line, len, &e));
    assert_string_equal(e.topic, "weather_data");
    assert_true((e.key == NULL) == (key == NULL));
    assert_int_equal(e.key_len, key_len);
    if (key_len > 0) assert_memory_equal(e.key, key, key_len);
    assert_true((e.value == NULL) == (value == NULL));
    assert_int_equal(e.value_len, value_len);
    if (value_len > 0) assert_memory_equal(e.value, value, value_len);
}

static void test_envelopes_come_back(void **state)
{
    (void)state;
    assert_comes_back("k", 1, "{\"a\": [1, \"x\"]}", 15, true);
    assert_comes_back(NULL, 0, "1", 1, true);
    assert_comes_back("", 0, "\"\xc3\xa9\"", 4, true);
    assert_comes_back("a\"b\\c\n\x01\xc3\xa9", 9, "true", 4, true);
    assert_comes_back("k", 1, NULL, 0, true); /* tombstone */
    assert_comes_back("k", 1, "null", 4, false);
    assert_comes_back("k", 1, "", 0, false);
    assert_comes_back("k", 1, "{\"a\":", 5, false);
    assert_comes_back("k", 1, "{\"a\":\n1}", 8, false);
    assert_comes_back("k", 1, " 1", 2, false);
    assert_comes_back("k", 1, "\"\xff\"", 3, false);
    assert_comes_back("k", 1, "\0\n\r\"", 4, false);
}

/* Every length and every byte through base64. */
static void test_raw_of_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(255 - i);
    for (size_t len = 0; len <= sizeof bytes; len++)
        assert_comes_back(NULL, 0, bytes, len, false);
}

static void test_first_line_is_as_documented(void **state)
{
    (void)state;
    uint8_t line[256];
    size_t len = line_of("vehicle-17", 10, "{\"id\": 1}", 9, line, sizeof line);
    line[len] = '\0';
    assert_string_equal(
        (char *)line,
        "{\"topic\": \"weather_data\", \"key\": \"vehicle-17\", \"value\": {\"id\": 1}}");
}

static void read_file(const char *dir, const char *name, char *ret, size_t size)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(ret, 1, size - 1, f);
    ret[n] = '\0';
    (void)fclose(f);
}

static void test_folder(void **state)
{
    (void)state;
    char base[] = "/tmp/citylake-test-XXXXXX", dir[64], text[64], command[96];
    assert_non_null(mkdtemp(base));
    (void)snprintf(dir, sizeof dir, "%s/new", base);
    struct cl_sink *s = NULL;
    struct cl_error err = {0};
    assert_int_equal(cl_ndjson_sink_new(&SPEC, -1, dir, &s, NULL), CL_OK);
    assert_int_equal(s->ops->send(s, &FEEDS[0], "k", 1, "{\"a\": 1}", 8, 0, NULL), CL_OK);
    assert_int_equal(s->ops->send(s, &FEEDS[0], "k", 1, "broken {", 8, 0, NULL), CL_OK);
    assert_int_equal(s->ops->send(s, &FEEDS[0], NULL, 0, "a\nb", 3, 0, &err), CL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "gps"));
    assert_int_equal(s->ops->send(s, &FEEDS[0], NULL, 0, "a\r", 2, 0, NULL), CL_EUNSUPPORTED);
    assert_int_equal(s->ops->send(s, &FEEDS[0], NULL, 0, "", 0, 0, NULL), CL_EUNSUPPORTED);
    assert_int_equal(s->ops->send(s, &FEEDS[0], NULL, 0, NULL, 0, 0, NULL), CL_EUNSUPPORTED);
    assert_int_equal(s->ops->flush(s, 0, NULL), CL_OK);
    s->ops->free(s);
    read_file(dir, "gps_data.ndjson", text, sizeof text);
    assert_string_equal(text, "{\"a\": 1}\nbroken {\n");
    read_file(dir, "weather_data.ndjson", text, sizeof text);
    assert_string_equal(text, "");
    (void)snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

static void test_reader_that_goes_away(void **state)
{
    (void)state;
    int fds[2];
    struct cl_sink *s = NULL;
    struct cl_error err = {0};
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(close(fds[0]), 0);
    (void)signal(SIGPIPE, SIG_DFL); /* a signal would end this program */
    assert_int_equal(cl_ndjson_sink_new(&SPEC, fds[1], NULL, &s, NULL), CL_OK);
    assert_int_equal(s->ops->send(s, &FEEDS[0], NULL, 0, "1", 1, 0, NULL), CL_OK);
    assert_int_equal(s->ops->flush(s, 0, &err), CL_ECANCELED);
    struct cl_sink_stats stats;
    s->ops->stats(s, &stats);
    assert_int_equal(stats.failed, 1);
    s->ops->free(s);
    assert_int_equal(close(fds[1]), 0);
}

static void test_full_disk_is_named(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0) skip();
    struct cl_sink *s = NULL;
    struct cl_error err = {0};
    assert_int_equal(cl_ndjson_sink_new(&SPEC, fd, NULL, &s, NULL), CL_OK);
    assert_int_equal(s->ops->send(s, &FEEDS[0], NULL, 0, "1", 1, 0, NULL), CL_OK);
    assert_int_equal(s->ops->flush(s, 0, &err), CL_EIO);
    assert_non_null(strstr(err.message, "No space left"));
    assert_true(err.fatal);
    s->ops->free(s);
    assert_int_equal(close(fd), 0);
}

/* More than the buffer, in order and whole. */
static void test_many_events(void **state)
{
    (void)state;
    enum { N = 20000 };
    char path[] = "/tmp/citylake-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct cl_sink *s = NULL;
    struct cl_sink_stats stats;
    assert_int_equal(cl_ndjson_sink_new(&SPEC, fd, NULL, &s, NULL), CL_OK);
    for (int i = 0; i < N; i++) {
        char value[32];
        int len = snprintf(value, sizeof value, "{\"i\": %d}", i);
        assert_int_equal(s->ops->send(s, &FEEDS[i % 2], NULL, 0, value, (size_t)len, 0, NULL),
                         CL_OK);
    }
    assert_int_equal(s->ops->flush(s, 0, NULL), CL_OK);
    s->ops->stats(s, &stats);
    assert_int_equal(stats.delivered, N);
    s->ops->free(s);
    FILE *f = fdopen(fd, "r");
    rewind(f);
    char line[256], want[32];
    for (int i = 0; i < N; i++) {
        assert_non_null(fgets(line, sizeof line, f));
        (void)snprintf(want, sizeof want, "{\"i\": %d}}", i);
        assert_non_null(strstr(line, want));
    }
    assert_null(fgets(line, sizeof line, f));
    (void)fclose(f);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_value),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_envelopes_come_back),
        cmocka_unit_test(test_raw_of_every_byte),
        cmocka_unit_test(test_first_line_is_as_documented),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_reader_that_goes_away),
        cmocka_unit_test(test_full_disk_is_named),
        cmocka_unit_test(test_many_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
