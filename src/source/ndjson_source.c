/* ndjson_source.c - events from files of lines: a folder with one file per topic, one file of one
 * feed, or envelopes.
 *
 * Three shapes of input (options->path, options->feed):
 *
 *   a folder          DIR/TOPIC.ndjson for every feed; a missing file is a feed without messages.
 * A .ndjson file whose topic no feed declares gives messages without a feed, which become dead
 * letters. a file and a feed the lines are messages of that feed a file or "-"     the lines are
 * envelopes (envelope.h).  One stream carries every feed and, as messages without a feed, unknown
 * topics and lines that are no envelopes (whole, topic "").
 *
 * The offset of a message is the number of its line, from 0; the partition is 0.  The hint of a
 * position is the byte at which its line begins.  An empty line is no message, but it has a number.
 * Files end where they end when that is reached, so a source over files always ends, with or
 * without until_end.
 *
 * Messages point into the file's buffer (line_reader.h): nothing is copied, and a lane reads only
 * after release. */
#include "source/ndjson_source.h"

#include "source/envelope.h"
#include "source/ndjson_internal.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER_BYTES = 1 << 20,
    MAX_LINE_BYTES = 64 << 20,
    CHUNK_MESSAGES = 4096,
    ARENA_BYTES = 16 << 20
};
static struct cl_ndjson_source *self_of(struct cl_source *s)
{
    return (struct cl_ndjson_source *)s;
}

static enum cl_code ndjson_partitions(struct cl_source *base,
                                      const struct cl_source_partition **ret, size_t *ret_n,
                                      struct cl_error *err)
{
    (void)err;
    struct cl_ndjson_source *s = self_of(base);
    *ret = s->parts;
    *ret_n = (size_t)s->n_parts;
    return CL_OK;
}

/* Appends `text` as a JSON string; other than quotes, backslashes and control characters its bytes
 * stay. */
static enum cl_code append_json_string(struct cl_buf *b, const char *text, struct cl_error *err)
{
    enum cl_code code = cl_buf_append_byte(b, '"', err);
    for (; code == CL_OK && *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if (c < 0x20 || c == '"' || c == '\\')
            code = cl_buf_printf(b, err, "\\u%04x", c);
        else
            code = cl_buf_append_byte(b, c, err);
    }
    if (code == CL_OK) code = cl_buf_append_byte(b, '"', err);
    return code;
}

static enum cl_code find_first_line(struct cl_ndjson_stream *st, struct cl_error *err)
{
    if (st->path == NULL || st->has_first_line) return CL_OK;
    enum cl_code code = cl_line_reader_first_line_hash(&st->reader, st->first_line, err);
    if (code == CL_OK) st->has_first_line = true;
    return code;
}

/* The file's own name and a fingerprint of its first line: a file may be moved, but not exchanged.
 */
static enum cl_code make_identity(struct cl_ndjson_source *s, struct cl_ndjson_stream *st,
                                  const char **ret, struct cl_error *err)
{
    struct cl_buf b;
    cl_buf_init(&b, 4096);
    enum cl_code code = find_first_line(st, err);
    if (code == CL_OK) code = cl_buf_append_str(&b, "{\"file\":", err);
    if (code == CL_OK) code = append_json_string(&b, st->name, err);
    if (code == CL_OK)
        code =
            cl_buf_printf(&b, err, ",\"first_line\":\"%s\",\"kind\":\"ndjson\"}", st->first_line);
    if (code == CL_OK) {
        *ret = cl_arena_strndup(&s->arena, (const char *)b.data, b.len);
        if (*ret == NULL) code = cl_fail_nomem(err);
    }
    cl_buf_fini(&b);
    return code;
}

static enum cl_code ndjson_identity(struct cl_source *base, int32_t part, const char **ret,
                                    struct cl_error *err)
{
    struct cl_ndjson_source *s = self_of(base);
    struct cl_ndjson_stream *st = &s->streams[s->parts[part].stream];
    if (s->parts[part].feed == NULL && !st->envelopes) {
        *ret =
            "{\"file\":\"*.ndjson\",\"kind\":\"ndjson\"}"; /* see cl_ndjson_number_unknown_file */
        return CL_OK;
    }
    if (s->identities[part] == NULL) {
        enum cl_code code = make_identity(s, st, &s->identities[part], err);
        if (code != CL_OK) return code;
    }
    *ret = s->identities[part];
    return CL_OK;
}

static void free_lanes(struct cl_ndjson_source *s)
{
    for (int i = 0; i < s->n_lanes; i++) {
        free(s->lanes[i].messages);
        free(s->lanes[i].advances);
    }
    free(s->lanes);
    s->lanes = NULL;
    s->n_lanes = 0;
}

static enum cl_code alloc_lanes(struct cl_ndjson_source *s, int n_lanes, struct cl_error *err)
{
    s->lanes = calloc((size_t)n_lanes, sizeof *s->lanes);
    if (s->lanes == NULL) return cl_fail_nomem(err);
    s->n_lanes = n_lanes;
    for (int i = 0; i < n_lanes; i++) {
        struct cl_ndjson_lane *l = &s->lanes[i];
        l->messages = malloc(s->sizes.chunk_messages * sizeof *l->messages);
        l->advances = malloc((size_t)s->n_parts * sizeof *l->advances);
        if (l->messages == NULL || l->advances == NULL) return cl_fail_nomem(err);
    }
    return CL_OK;
}

/* Tables of one stream may stand at different lines: reading begins at the smallest, and each gets
 * only what it lacks. */
static enum cl_code start_stream(struct cl_ndjson_source *s, struct cl_ndjson_stream *st,
                                 const struct cl_position *positions, const int *lanes,
                                 struct cl_error *err)
{
    int64_t line = INT64_MAX, hint = 0;
    for (int i = st->first_part; i < st->first_part + st->n_parts; i++) {
        int64_t next = positions[i].next == CL_POSITION_BEGIN ? 0 : positions[i].next;
        s->start_next[i] = next;
        if (next >= line) continue;
        line = next;
        hint = positions[i].next == CL_POSITION_BEGIN ? 0 : positions[i].hint;
    }
    st->lane = lanes[st->first_part];
    st->done = st->path == NULL;
    if (st->lane < 0) return CL_OK;
    enum cl_code code = CL_OK;
    if (!st->reader.regular) code = find_first_line(st, err); /* before it is gone */
    if (code == CL_OK && st->path != NULL) code = cl_line_reader_seek(&st->reader, line, hint, err);
    if (code != CL_OK || st->path != NULL || line == 0) return code;
    code = cl_fail_at(
        err, CL_EINVAL, st->name,
        "the lake has read %" PRId64 " lines of this file, but it is gone; give it back", line);
    if (err != NULL) err->fatal = true;
    return code;
}

static enum cl_code ndjson_start(struct cl_source *base, const struct cl_position *positions,
                                 const int *lanes, int n_lanes, struct cl_error *err)
{
    struct cl_ndjson_source *s = self_of(base);
    free_lanes(s);
    enum cl_code code = alloc_lanes(s, n_lanes, err);
    for (int i = 0; code == CL_OK && i < s->n_streams; i++)
        code = start_stream(s, &s->streams[i], positions, lanes, err);
    return code;
}

/* The partition of an envelope's topic; -1: a declared feed that is not wanted. */
static int32_t part_of_topic(const struct cl_ndjson_source *s, const struct cl_ndjson_stream *st,
                             const struct cl_envelope *e)
{
    int32_t last = st->first_part + st->n_parts - 1;
    for (int32_t i = st->first_part; i < last; i++)
        if (strlen(s->parts[i].topic) == e->topic_len &&
            memcmp(s->parts[i].topic, e->topic, e->topic_len) == 0)
            return i;
    return s->only != NULL && cl_ndjson_feed_of_topic(s->spec, e->topic, e->topic_len) != NULL
               ? -1
               : last;
}

/* Makes a message of a line; false when it is none for us. */
static bool message_of(const struct cl_ndjson_source *s, const struct cl_ndjson_stream *st,
                       uint8_t *line, size_t len, struct cl_message *m)
{
    struct cl_envelope e;
    *m = (struct cl_message){.part = st->first_part,
                             .key_len = -1,
                             .value = line,
                             .value_len = (int32_t)len,
                             .offset = st->reader.line - 1,
                             .timestamp_us = INT64_MIN};
    if (!st->envelopes) {
        if (s->parts[m->part].feed == NULL) m->topic = st->name;
    } else if (!cl_envelope_scan(line, len, &e)) {
        m->part = st->first_part + st->n_parts - 1;
        m->topic = "";
    } else {
        m->part = part_of_topic(s, st, &e);
        m->key = e.key;
        m->key_len = e.key != NULL ? (int32_t)e.key_len : -1;
        m->value = e.value;
        m->value_len = e.value != NULL ? (int32_t)e.value_len : -1;
        if (m->part >= 0 && s->parts[m->part].feed == NULL) m->topic = e.topic;
    }
    return m->part >= 0 && m->offset >= s->start_next[m->part];
}

/* Fills the chunk from the lines that are in the buffer. */
static void take_lines(struct cl_ndjson_source *s, struct cl_ndjson_stream *st,
                       struct cl_ndjson_lane *l, struct cl_chunk *ret)
{
    uint8_t *line;
    size_t len, n = 0;
    while (n < s->sizes.chunk_messages && cl_line_reader_next(&st->reader, &line, &len))
        if (len > 0 && message_of(s, st, line, len, &l->messages[n])) n++;
    ret->messages = l->messages;
    ret->n = n;
    ret->advances = l->advances;
    ret->n_advances = 0;
    for (int i = st->first_part; i < st->first_part + st->n_parts; i++) {
        if (st->reader.line <= s->start_next[i]) continue; /* still on what it has */
        l->advances[ret->n_advances++] = (struct cl_advance){i, {st->reader.line, st->reader.byte}};
    }
}

/* A pipe cannot be asked for its length before: it ended before the lines that the lake has. */
static enum cl_code check_reached(const struct cl_ndjson_source *s,
                                  const struct cl_ndjson_stream *st, struct cl_error *err)
{
    int64_t smallest = INT64_MAX;
    for (int i = st->first_part; i < st->first_part + st->n_parts; i++)
        if (s->start_next[i] < smallest) smallest = s->start_next[i];
    if (st->reader.line >= smallest) return CL_OK;
    enum cl_code code =
        cl_fail_at(err, CL_EINVAL, st->reader.path,
                   "the lake has read %" PRId64 " lines of this input, but it ended after %" PRId64
                   "; run again with the same input, or into another lake",
                   smallest, st->reader.line);
    if (err != NULL) err->fatal = true;
    return code;
}

static enum cl_code poll_stream(struct cl_ndjson_source *s, struct cl_ndjson_stream *st,
                                struct cl_ndjson_lane *l, int timeout_ms, struct cl_chunk *ret,
                                struct cl_error *err)
{
    int64_t before = st->reader.line;
    enum cl_code code = cl_line_reader_fill(&st->reader, timeout_ms, err);
    if (code != CL_OK) return code;
    take_lines(s, st, l, ret);
    if (st->reader.line == before) ret->n_advances = 0;
    st->done = cl_line_reader_done(&st->reader);
    return st->done ? check_reached(s, st, err) : CL_OK;
}

static enum cl_code ndjson_poll(struct cl_source *base, int lane, int timeout_ms,
                                struct cl_chunk *ret, struct cl_error *err)
{
    struct cl_ndjson_source *s = self_of(base);
    struct cl_ndjson_lane *l = &s->lanes[lane];
    struct cl_chunk chunk = {0};
    for (int tried = 0; tried < s->n_streams && chunk.n == 0 && chunk.n_advances == 0; tried++) {
        struct cl_ndjson_stream *st = &s->streams[l->next_stream];
        l->next_stream = (l->next_stream + 1) % s->n_streams;
        if (st->lane != lane || st->done) continue;
        enum cl_code code = poll_stream(s, st, l, timeout_ms, &chunk, err);
        if (code != CL_OK) return code;
    }
    chunk.ended = true;
    for (int i = 0; i < s->n_streams; i++)
        if (s->streams[i].lane == lane && !s->streams[i].done) chunk.ended = false;
    *ret = chunk;
    return CL_OK;
}

static void ndjson_release(struct cl_source *base, int lane)
{
    (void)base; /* the lines' bytes stay until the next poll reads over them */
    (void)lane;
}

static void ndjson_stop(struct cl_source *base)
{
    struct cl_ndjson_source *s = self_of(base);
    for (int i = 0; i < s->n_streams; i++)
        s->streams[i].lane = -1;
}

static void ndjson_free(struct cl_source *base)
{
    struct cl_ndjson_source *s = self_of(base);
    free_lanes(s);
    for (int i = 0; i < s->n_streams; i++)
        if (s->streams[i].path != NULL) cl_line_reader_close(&s->streams[i].reader);
    cl_arena_fini(&s->arena);
    free(s);
}

static const struct cl_source_ops OPS = {
    .name = "ndjson",
    .partitions = ndjson_partitions,
    .identity = ndjson_identity,
    .start = ndjson_start,
    .poll = ndjson_poll,
    .release = ndjson_release,
    .stop = ndjson_stop,
    .free = ndjson_free,
};

enum cl_code cl_ndjson_source_new_sized(const struct cl_spec *spec,
                                        const struct cl_source_options *options,
                                        const struct cl_ndjson_sizes *sizes, struct cl_source **ret,
                                        struct cl_error *err)
{
    if (options->path == NULL)
        return cl_fail(
            err, CL_EINVAL,
            "the ndjson source needs a path: --source ndjson:DIR, ndjson:FILE or ndjson:-");
    struct cl_ndjson_source *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->base.ops = &OPS;
    s->spec = spec;
    s->only = options->only;
    s->sizes = *sizes;
    cl_arena_init(&s->arena, ARENA_BYTES);
    enum cl_code code = cl_ndjson_find_input(s, options, err);
    for (int i = 0; i < s->n_streams; i++) {
        struct cl_ndjson_stream *st = &s->streams[i];
        if (code == CL_OK && st->path != NULL)
            code = cl_line_reader_open(&st->reader, st->path, &sizes->lines, err);
        if (code != CL_OK && st->reader.fd < 0) st->path = NULL; /* not open: nothing to close */
        if (code == CL_OK && !st->envelopes && s->parts[st->first_part].feed == NULL)
            code = cl_ndjson_number_unknown_file(s, st, err);
    }
    if (code == CL_OK)
        *ret = &s->base;
    else
        ndjson_free(&s->base);
    return code;
}

enum cl_code cl_ndjson_source_new(const struct cl_spec *spec,
                                  const struct cl_source_options *options, struct cl_source **ret,
                                  struct cl_error *err)
{
    static const struct cl_ndjson_sizes SIZES = {{BUFFER_BYTES, MAX_LINE_BYTES}, CHUNK_MESSAGES};
    return cl_ndjson_source_new_sized(spec, options, &SIZES, ret, err);
}
