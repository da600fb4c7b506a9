/* Tests of source/ndjson_source.c and line_reader.c on files and pipes, with tiny buffers so that
 * every line crosses a boundary. */
#include "source/ndjson_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_SEEN = 4096 };

static struct cl_feed FEEDS[] = {{.name = "gps", .topic = "gps_data"},
                                 {.name = "weather", .topic = "weather_data"}};
static const struct cl_spec SPEC = {.path = "test.yaml", .feeds = FEEDS, .n_feeds = 2};

/* What was handed over, as one text: "topic@offset=value;" in order. */
struct seen {
    char text[1 << 16];
    size_t len;
    struct cl_position positions[16];
};

struct fixture {
    char dir[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/citylake-test-XXXXXX");
    if (mkdtemp(f->dir) == NULL) return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int failed = system(command);
    free(f);
    return failed;
}

static const char *path_of(const struct fixture *f, const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

static void write_file_n(const struct fixture *f, const char *name, const void *data, size_t len,
                         const char *mode)
{
    FILE *file = fopen(path_of(f, name), mode);
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    write_file_n(f, name, text, strlen(text), "w");
}

static struct cl_source *open_sized(const char *path, const char *feed, size_t buffer, size_t chunk)
{
    struct cl_source_options options = {.path = path, .feed = feed};
    struct cl_ndjson_sizes sizes = {{buffer, 1 << 20}, chunk};
    struct cl_source *s = NULL;
    struct cl_error err = {0};
    if (cl_ndjson_source_new_sized(&SPEC, &options, &sizes, &s, &err) != CL_OK)
        fail_msg("%s", err.message);
    return s;
}

static size_t parts_of(struct cl_source *s, const struct cl_source_partition **ret)
{
    size_t n = 0;
    struct cl_error err;
    assert_int_equal(s->ops->partitions(s, ret, &n, &err), CL_OK);
    return n;
}

static enum cl_code start_at(struct cl_source *s, const struct cl_position *positions,
                             struct cl_error *err)
{
    const struct cl_source_partition *parts;
    struct cl_position begin[16];
    int lanes[16] = {0};
    size_t n = parts_of(s, &parts);
    assert_in_range(n, 1, 16);
    for (size_t i = 0; i < n; i++)
        begin[i] = (struct cl_position){CL_POSITION_BEGIN, 0};
    return s->ops->start(s, positions != NULL ? positions : begin, lanes, 1, err);
}

static void see(struct seen *seen, const struct cl_source_partition *parts,
                const struct cl_message *m)
{
    const char *topic = parts[m->part].feed != NULL ? parts[m->part].topic : m->topic;
    int n = snprintf(seen->text + seen->len, sizeof seen->text - seen->len, "%s@%lld=", topic,
                     (long long)m->offset);
    seen->len += (size_t)n;
    assert_true(seen->len + (size_t)(m->value_len > 0 ? m->value_len : 0) + 2 < sizeof seen->text);
    if (m->value_len < 0) seen->text[seen->len++] = '~';
    if (m->value_len > 0) {
        memcpy(seen->text + seen->len, m->value, (size_t)m->value_len);
        seen->len += (size_t)m->value_len;
    }
    seen->text[seen->len++] = ';';
    seen->text[seen->len] = '\0';
}

/* Polls lane 0 up to max_polls times or to the end; true at the end. */
static bool drain(struct cl_source *s, struct seen *seen, int max_polls)
{
    const struct cl_source_partition *parts;
    size_t n = parts_of(s, &parts);
    for (int polls = 0; polls < max_polls; polls++) {
        struct cl_chunk c;
        struct cl_error err = {0};
        if (s->ops->poll(s, 0, 1000, &c, &err) != CL_OK) fail_msg("%s: %s", err.where, err.message);
        for (size_t i = 0; i < c.n; i++)
            see(seen, parts, &c.messages[i]);
        for (size_t i = 0; i < c.n_advances; i++) {
            assert_in_range(c.advances[i].part, 0, n - 1);
            assert_true(c.advances[i].position.next > seen->positions[c.advances[i].part].next);
            seen->positions[c.advances[i].part] = c.advances[i].position;
        }
        bool ended = c.ended;
        s->ops->release(s, 0);
        if (ended) return true;
    }
    return false;
}

static void assert_reads(struct cl_source *s, const struct cl_position *positions, const char *want)
{
    struct seen seen = {.len = 0};
    struct cl_error err = {0};
    if (start_at(s, positions, &err) != CL_OK) fail_msg("%s: %s", err.where, err.message);
    assert_true(drain(s, &seen, 100000));
    assert_string_equal(seen.text, want);
    s->ops->stop(s);
}

static const size_t BUFFERS[] = {2, 3, 7, 16, 64, 1 << 20};
#define FOR_EACH_BUFFER(i) for (size_t i = 0; i < sizeof BUFFERS / sizeof *BUFFERS; i++)

static void test_lines(void **state)
{
    write_file(*state, "a.ndjson", "one\n\ntwo\r\n\r\n{\"three\": 3}\nlast");
    FOR_EACH_BUFFER(i)
    {
        struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", BUFFERS[i], 1 + i);
        assert_reads(s, NULL,
                     "gps_data@0=one;gps_data@2=two;gps_data@4={\"three\": 3};gps_data@5=last;");
        s->ops->free(s);
    }
}

static void test_nul_bytes_stay(void **state)
{
    static const char DATA[] = "a\0b\n\0\n";
    write_file_n(*state, "a.ndjson", DATA, sizeof DATA - 1, "w");
    struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", 2, 10);
    struct seen seen = {.len = 0};
    assert_int_equal(start_at(s, NULL, NULL), CL_OK);
    assert_true(drain(s, &seen, 100));
    static const char WANT[] = "gps_data@0=a\0b;gps_data@1=\0;";
    assert_int_equal(seen.len, sizeof WANT - 1);
    assert_memory_equal(seen.text, WANT, sizeof WANT - 1);
    s->ops->free(s);
}

static void test_long_lines(void **state)
{
    enum { LEN = 30000 };
    static char data[2 * LEN + 16], want[2 * LEN + 64];
    memset(data, 'x', LEN);
    memcpy(data + LEN, "\nshort\n", 7);
    memset(data + LEN + 7, 'y', LEN);
    write_file_n(*state, "a.ndjson", data, 2 * LEN + 7, "w");
    (void)snprintf(want, sizeof want, "gps_data@0=%.*s;gps_data@1=short;gps_data@2=%.*s;", LEN,
                   data, LEN, data + LEN + 7);
    FOR_EACH_BUFFER(i)
    {
        struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", BUFFERS[i], 1);
        assert_reads(s, NULL, want);
        s->ops->free(s);
    }
}

static void test_too_long_line_is_named(void **state)
{
    static char data[300];
    memset(data, 'x', sizeof data);
    data[1] = '\n';
    write_file_n(*state, "a.ndjson", data, sizeof data, "w");
    struct cl_source_options options = {.path = path_of(*state, "a.ndjson"), .feed = "gps"};
    struct cl_ndjson_sizes sizes = {{16, 100}, 10};
    struct cl_source *s = NULL;
    struct cl_error err = {0};
    assert_int_equal(cl_ndjson_source_new_sized(&SPEC, &options, &sizes, &s, &err), CL_OK);
    assert_int_equal(start_at(s, NULL, &err), CL_OK);
    struct cl_chunk c;
    assert_int_equal(s->ops->poll(s, 0, 0, &c, &err), CL_OK);
    assert_int_equal(c.n, 1);
    s->ops->release(s, 0);
    assert_int_equal(s->ops->poll(s, 0, 0, &c, &err), CL_ELIMIT);
    assert_true(err.fatal);
    assert_non_null(strstr(err.where, "a.ndjson:2"));
    s->ops->free(s);
}

/* Whatever line a reader stops at, the rest comes from there, with the hint and without, and with a
 * wrong hint. */
static void test_resume(void **state)
{
    write_file(*state, "a.ndjson", "a\n\nbb\r\nccc\n");
    static const char *const REST[] = {"gps_data@0=a;gps_data@2=bb;gps_data@3=ccc;",
                                       "gps_data@2=bb;gps_data@3=ccc;",
                                       "gps_data@2=bb;gps_data@3=ccc;", "gps_data@3=ccc;", ""};
    static const int64_t BYTES[] = {0, 2, 3, 7, 11};
    FOR_EACH_BUFFER(i)
    {
        struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", BUFFERS[i], 2);
        for (int64_t line = 0; line <= 4; line++) {
            struct cl_position p = {line, BYTES[line]};
            assert_reads(s, &p, REST[line]);
            p.hint = 0;
            assert_reads(s, &p, REST[line]);
            p.hint = BYTES[line] + 1 == 2 || BYTES[line] + 1 == 3
                         ? 1
                         : BYTES[line] + 1; /* in the middle of a line */
            assert_reads(s, &p, REST[line]);
            p.hint = 1 << 20;
            assert_reads(s, &p, REST[line]);
        }
        s->ops->free(s);
    }
}

static void test_positions_are_lines_and_bytes(void **state)
{
    write_file(*state, "a.ndjson", "a\n\nbb\r\nccc");
    struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", 4, 1);
    struct seen seen = {.len = 0};
    assert_int_equal(start_at(s, NULL, NULL), CL_OK);
    assert_false(drain(s, &seen, 1));
    assert_int_equal(seen.positions[0].next, 1);
    assert_int_equal(seen.positions[0].hint, 2);
    assert_true(drain(s, &seen, 10));
    assert_int_equal(seen.positions[0].next, 4);
    assert_int_equal(seen.positions[0].hint, 10);
    s->ops->free(s);
}

static void test_position_behind_the_end(void **state)
{
    write_file(*state, "a.ndjson", "a\nb\nc");
    struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", 16, 2);
    struct cl_position at_end = {3, 5}, behind = {4, 0};
    struct cl_error err = {0};
    assert_reads(s, &at_end, "");
    assert_int_equal(start_at(s, &behind, &err), CL_EINVAL);
    assert_true(err.fatal);
    assert_non_null(strstr(err.where, "a.ndjson"));
    s->ops->free(s);
}

static void test_file_that_grows(void **state)
{
    write_file(*state, "a.ndjson", "a\n");
    struct cl_source *s = open_sized(path_of(*state, "a.ndjson"), "gps", 16, 2);
    struct seen seen = {.len = 0};
    assert_int_equal(start_at(s, NULL, NULL), CL_OK);
    write_file_n(*state, "a.ndjson", "b\n", 2, "a");
    assert_true(drain(s, &seen, 10));
    assert_string_equal(seen.text, "gps_data@0=a;gps_data@1=b;");
    s->ops->stop(s);
    write_file_n(*state, "a.ndjson", "c\n", 2, "a");
    assert_reads(s, seen.positions, "gps_data@2=c;");
    s->ops->free(s);
}

static void test_folder(void **state)
{
    write_file(*state, "gps_data.ndjson", "1\n2\n3\n");
    write_file(*state, "zebra.ndjson", "stripes\n");
    write_file(*state, "notes.txt", "not read\n");
    struct fixture *f = *state;
    struct cl_source *s = open_sized(f->dir, NULL, 4, 2);
    const struct cl_source_partition *parts;
    assert_int_equal(parts_of(s, &parts), 3);
    assert_ptr_equal(parts[0].feed, &FEEDS[0]);
    assert_ptr_equal(parts[1].feed, &FEEDS[1]);
    assert_null(parts[2].feed);
    assert_string_equal(parts[2].topic, "");
    assert_true(parts[0].stream != parts[2].stream);
    /* Files take turns. */
    assert_reads(s, NULL, "gps_data@0=1;gps_data@1=2;zebra@0=stripes;gps_data@2=3;");
    s->ops->free(s);
}

static void test_folder_of_one_feed(void **state)
{
    write_file(*state, "gps_data.ndjson", "1\n");
    write_file(*state, "weather_data.ndjson", "2\n");
    write_file(*state, "zebra.ndjson", "3\n");
    struct fixture *f = *state;
    struct cl_source *s = open_sized(f->dir, "weather", 4, 2);
    assert_reads(s, NULL, "weather_data@0=2;");
    s->ops->free(s);
}

static void test_lanes_share_nothing(void **state)
{
    write_file(*state, "gps_data.ndjson", "1\n");
    write_file(*state, "weather_data.ndjson", "2\n");
    struct fixture *f = *state;
    struct cl_source *s = open_sized(f->dir, NULL, 4, 2);
    struct cl_position begin[2] = {{CL_POSITION_BEGIN, 0}, {CL_POSITION_BEGIN, 0}};
    int lanes[2] = {-1, 1};
    struct cl_chunk c;
    assert_int_equal(s->ops->start(s, begin, lanes, 2, NULL), CL_OK);
    assert_int_equal(s->ops->poll(s, 0, 0, &c, NULL), CL_OK);
    assert_true(c.ended && c.n == 0);
    assert_int_equal(s->ops->poll(s, 1, 0, &c, NULL), CL_OK);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.messages[0].part, 1);
    s->ops->free(s);
}

static void test_errors_name_the_place(void **state)
{
    struct fixture *f = *state;
    struct cl_source *s = NULL;
    struct cl_error err;
    struct cl_source_options options = {.path = f->dir};
    assert_int_equal(cl_ndjson_source_new(&SPEC, &options, &s, &err), CL_ENOTFOUND);
    assert_non_null(strstr(err.message, f->dir));
    assert_non_null(strstr(err.message, "weather_data.ndjson"));
    options.path = path_of(f, "missing");
    assert_int_equal(cl_ndjson_source_new(&SPEC, &options, &s, &err), CL_ENOTFOUND);
    assert_non_null(strstr(err.message, "missing"));
    options.path = f->dir;
    options.feed = "nofeed";
    assert_int_equal(cl_ndjson_source_new(&SPEC, &options, &s, &err), CL_EINVAL);
    assert_non_null(strstr(err.message, "nofeed"));
    options.path = NULL;
    assert_int_equal(cl_ndjson_source_new(&SPEC, &options, &s, &err), CL_EINVAL);
}

static void test_missing_file_that_was_read(void **state)
{
    write_file(*state, "gps_data.ndjson", "1\n");
    struct fixture *f = *state;
    struct cl_source *s = open_sized(f->dir, NULL, 4, 2);
    struct cl_position p[2] = {{CL_POSITION_BEGIN, 0}, {5, 0}};
    struct cl_error err = {0};
    assert_int_equal(start_at(s, p, &err), CL_EINVAL);
    assert_non_null(strstr(err.where, "weather_data.ndjson"));
    s->ops->free(s);
}

static const char ENVELOPES[] = "{\"topic\": \"gps_data\", \"key\": \"k\", \"value\": {\"a\": 1}}\n"
                                "{\"topic\": \"zebra\", \"key\": null, \"value\": 2}\n"
                                "no envelope\n"
                                "{\"topic\": \"weather_data\", \"raw\": \"bm90IGpzb24=\"}\n"
                                "{\"topic\": \"gps_data\", \"value\": null}\n";
static const char SEEN_ENVELOPES[] =
    "gps_data@0={\"a\": 1};zebra@1=2;@2=no envelope;weather_data@3=not json;gps_data@4=~;";

static void test_envelopes(void **state)
{
    write_file(*state, "env", ENVELOPES);
    FOR_EACH_BUFFER(i)
    {
        struct cl_source *s = open_sized(path_of(*state, "env"), NULL, BUFFERS[i], 2);
        const struct cl_source_partition *parts;
        assert_int_equal(parts_of(s, &parts), 3);
        assert_true(parts[0].stream == parts[1].stream && parts[1].stream == parts[2].stream);
        assert_reads(s, NULL, SEEN_ENVELOPES);
        s->ops->free(s);
    }
}

/* The tables of one stream may stand at different lines: each gets only what it lacks, and no
 * position goes back. */
static void test_envelopes_of_tables_at_different_lines(void **state)
{
    write_file(*state, "env", ENVELOPES);
    struct cl_source *s = open_sized(path_of(*state, "env"), NULL, 16, 1);
    struct cl_position p[3] = {{4, 0}, {1, 0}, {2, 0}};
    struct seen seen = {.positions = {{4, 0}, {1, 0}, {2, 0}}};
    assert_int_equal(start_at(s, p, NULL), CL_OK);
    assert_true(drain(s, &seen, 100));
    assert_string_equal(seen.text, "@2=no envelope;weather_data@3=not json;gps_data@4=~;");
    for (int i = 0; i < 3; i++)
        assert_int_equal(seen.positions[i].next, 5);
    s->ops->free(s);
}

static void test_envelopes_only_one_feed(void **state)
{
    write_file(*state, "env", ENVELOPES);
    struct cl_source_options options = {.path = path_of(*state, "env"), .only = &FEEDS[1]};
    struct cl_source *s = NULL;
    assert_int_equal(cl_ndjson_source_new(&SPEC, &options, &s, NULL), CL_OK);
    assert_reads(s, NULL, "zebra@1=2;@2=no envelope;weather_data@3=not json;");
    s->ops->free(s);
}

static void identity_of(struct cl_source *s, int32_t part, char *ret, size_t size)
{
    const char *text;
    const struct cl_source_partition *parts;
    (void)parts_of(s, &parts);
    assert_int_equal(s->ops->identity(s, part, &text, NULL), CL_OK);
    (void)snprintf(ret, size, "%s", text);
}

static void test_identity(void **state)
{
    char first[256], again[256], other[256], unknown[256];
    struct fixture *f = *state;
    write_file(f, "gps_data.ndjson", "first\r\nmore\n");
    write_file(f, "zebra.ndjson", "1\n");
    struct cl_source *s = open_sized(f->dir, NULL, 4, 2);
    identity_of(s, 0, first, sizeof first);
    identity_of(s, 1, other, sizeof other);
    identity_of(s, 2, unknown, sizeof unknown);
    assert_string_equal(
        other, "{\"file\":\"weather_data.ndjson\",\"first_line\":\"\",\"kind\":\"ndjson\"}");
    assert_string_equal(unknown, "{\"file\":\"*.ndjson\",\"kind\":\"ndjson\"}");
    assert_non_null(strstr(first, "{\"file\":\"gps_data.ndjson\",\"first_line\":\""));
    s->ops->free(s);
    write_file(f, "gps_data.ndjson", "first\r\nquite different behind it\n");
    s = open_sized(f->dir, NULL, 64, 2);
    identity_of(s, 0, again, sizeof again);
    assert_string_equal(first, again);
    s->ops->free(s);
    write_file(f, "gps_data.ndjson", "First\r\nmore\n");
    s = open_sized(f->dir, NULL, 64, 2);
    identity_of(s, 0, again, sizeof again);
    assert_string_not_equal(first, again);
    assert_reads(s, NULL,
                 "gps_data@0=First;gps_data@1=more;zebra@0=1;"); /* looking did not move it */
    s->ops->free(s);
}

static void test_exchanged_unknown_file_is_another_partition(void **state)
{
    struct fixture *f = *state;
    const struct cl_source_partition *parts;
    write_file(f, "gps_data.ndjson", "1\n");
    write_file(f, "zebra.ndjson", "1\n");
    struct cl_source *s = open_sized(f->dir, NULL, 4, 2);
    (void)parts_of(s, &parts);
    int32_t before = parts[2].partition;
    assert_true(before >= 0);
    s->ops->free(s);
    write_file(f, "aardvark.ndjson", "1\n");
    s = open_sized(f->dir, NULL, 4, 2);
    assert_int_equal(parts_of(s, &parts), 4);
    assert_int_equal(parts[3].partition, before);
    assert_int_not_equal(parts[2].partition, before);
    s->ops->free(s);
    write_file(f, "zebra.ndjson", "2\n");
    s = open_sized(f->dir, NULL, 4, 2);
    (void)parts_of(s, &parts);
    assert_int_not_equal(parts[3].partition, before);
    s->ops->free(s);
}

/* Runs `body` with standard input at the end of a pipe that holds `text`. */
static void with_stdin(const char *text, bool keep_open, void (*body)(struct cl_source *, int))
{
    int fds[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(fds[0]), 0);
    if (!keep_open) assert_int_equal(close(fds[1]), 0);
    struct cl_source *s = open_sized("-", NULL, 16, 2);
    body(s, fds[1]);
    s->ops->free(s);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(saved), 0);
}

static void pipe_whole(struct cl_source *s, int fd)
{
    (void)fd;
    char identity[256];
    identity_of(s, 0, identity, sizeof identity);
    assert_non_null(strstr(identity, "{\"file\":\"-\",\"first_line\":\""));
    assert_reads(s, NULL, SEEN_ENVELOPES);
}

static void pipe_resumed(struct cl_source *s, int fd)
{
    (void)fd;
    struct cl_position p[3] = {{3, 77}, {3, 77}, {3, 77}};
    assert_reads(s, p, "weather_data@3=not json;gps_data@4=~;");
}

static void pipe_too_short(struct cl_source *s, int fd)
{
    (void)fd;
    struct cl_position p[3] = {{9, 0}, {9, 0}, {9, 0}};
    struct cl_error err = {0};
    struct cl_chunk c;
    assert_int_equal(start_at(s, p, NULL), CL_OK);
    enum cl_code code = CL_OK;
    for (int i = 0; code == CL_OK && i < 100; i++) {
        code = s->ops->poll(s, 0, 0, &c, &err);
        if (code == CL_OK) assert_int_equal(c.n_advances, 0);
    }
    assert_int_equal(code, CL_EINVAL);
    assert_true(err.fatal);
}

static void pipe_cannot_go_back(struct cl_source *s, int fd)
{
    (void)fd;
    struct cl_position p[3] = {{0, 0}, {0, 0}, {0, 0}};
    struct cl_error err = {0};
    assert_reads(s, NULL, SEEN_ENVELOPES);
    assert_int_equal(start_at(s, p, &err), CL_EINVAL);
    assert_true(err.fatal);
}

/* A line that comes in pieces is one message, and a poll does not wait longer than it was told. */
static void pipe_in_pieces(struct cl_source *s, int fd)
{
    struct seen seen = {.len = 0};
    struct cl_chunk c;
    assert_int_equal(start_at(s, NULL, NULL), CL_OK);
    assert_false(drain(s, &seen, 5)); /* a line at a time: the buffer is small */
    assert_string_equal(seen.text, SEEN_ENVELOPES);
    seen.len = 0;
    for (const char *p = "{\"topic\":\"gps_data\",\"value\":7}"; *p != '\0'; p++) {
        assert_int_equal(write(fd, p, 1), 1);
        assert_int_equal(s->ops->poll(s, 0, 1, &c, NULL), CL_OK);
        assert_true(c.n == 0 && c.n_advances == 0 && !c.ended);
        s->ops->release(s, 0);
    }
    assert_int_equal(close(fd), 0);
    assert_true(drain(s, &seen, 10));
    assert_string_equal(seen.text, "gps_data@5=7;");
}

static void test_stdin(void **state)
{
    (void)state;
    with_stdin(ENVELOPES, false, pipe_whole);
    with_stdin(ENVELOPES, false, pipe_resumed);
    with_stdin(ENVELOPES, false, pipe_too_short);
    with_stdin(ENVELOPES, false, pipe_cannot_go_back);
    with_stdin(ENVELOPES, true, pipe_in_pieces);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines),
        TEST(test_nul_bytes_stay),
        TEST(test_long_lines),
        TEST(test_too_long_line_is_named),
        TEST(test_resume),
        TEST(test_positions_are_lines_and_bytes),
        TEST(test_position_behind_the_end),
        TEST(test_file_that_grows),
        TEST(test_folder),
        TEST(test_folder_of_one_feed),
        TEST(test_lanes_share_nothing),
        TEST(test_errors_name_the_place),
        TEST(test_missing_file_that_was_read),
        TEST(test_envelopes),
        TEST(test_envelopes_of_tables_at_different_lines),
        TEST(test_envelopes_only_one_feed),
        TEST(test_identity),
        TEST(test_exchanged_unknown_file_is_another_partition),
        TEST(test_stdin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
