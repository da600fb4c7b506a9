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

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BUFFER_BYTES = 1 << 20,
    MAX_LINE_BYTES = 64 << 20,
    CHUNK_MESSAGES = 4096,
    MAX_FILES = 10000,
    ARENA_BYTES = 16 << 20
};
static const char SUFFIX[] = ".ndjson";

/* One file: a stream of partitions [first_part, first_part + n_parts). */
struct stream {
    const char *path; /* NULL: the feed's file does not exist */
    const char *name; /* the file's own name, for the identity and as the topic of messages without
                         a feed */
    bool envelopes;
    struct cl_line_reader reader; /* open when path is not NULL */
    int first_part, n_parts;
    int lane; /* -1: not read */
    bool done;
    char first_line[33]; /* hash; set by new for files, by identity for a pipe */
    bool has_first_line;
};

struct lane {
    struct cl_message *messages;
    struct cl_advance *advances;
    int next_stream; /* files take turns, so that the feeds' event times stay together */
};

struct ndjson_source {
    struct cl_source base;
    const struct cl_spec *spec;
    const struct cl_feed *only;
    struct cl_ndjson_sizes sizes;
    struct cl_arena arena; /* names, streams, partitions */
    struct stream *streams;
    int n_streams;
    struct cl_source_partition *parts;
    const char **identities; /* by partition, NULL until asked for */
    int64_t *start_next;     /* by partition: lines before it are stored already */
    int n_parts;
    struct lane *lanes;
    int n_lanes;
};

static struct ndjson_source *self_of(struct cl_source *s)
{
    return (struct ndjson_source *)s;
}

/* ---- what there is to read ---- */

static int add_stream(struct ndjson_source *s, const char *path, const char *name, bool envelopes)
{
    s->streams[s->n_streams] = (struct stream){.path = path,
                                               .name = name,
                                               .envelopes = envelopes,
                                               .first_part = s->n_parts,
                                               .lane = -1,
                                               .reader = {.fd = -1}};
    return s->n_streams++;
}

static void add_part(struct ndjson_source *s, int stream, const struct cl_feed *feed,
                     int32_t partition)
{
    s->parts[s->n_parts++] = (struct cl_source_partition){.feed = feed,
                                                          .topic = feed != NULL ? feed->topic : "",
                                                          .partition = partition,
                                                          .stream = stream,
                                                          .low = 0,
                                                          .end = -1};
    s->streams[stream].n_parts++;
}

static enum cl_code alloc_streams(struct ndjson_source *s, size_t n_streams, size_t n_parts,
                                  struct cl_error *err)
{
    s->streams = cl_arena_array(&s->arena, n_streams, sizeof *s->streams);
    s->parts = cl_arena_array(&s->arena, n_parts, sizeof *s->parts);
    s->identities = cl_arena_array(&s->arena, n_parts, sizeof *s->identities);
    s->start_next = cl_arena_array(&s->arena, n_parts, sizeof *s->start_next);
    bool ok =
        s->streams != NULL && s->parts != NULL && s->identities != NULL && s->start_next != NULL;
    return ok ? CL_OK : cl_fail_nomem(err);
}

static bool is_wanted(const struct ndjson_source *s, const struct cl_feed *feed)
{
    return s->only == NULL || s->only == feed;
}

static const struct cl_feed *feed_of_topic(const struct cl_spec *spec, const char *topic,
                                           size_t len)
{
    for (size_t i = 0; i < spec->n_feeds; i++)
        if (strlen(spec->feeds[i].topic) == len && memcmp(spec->feeds[i].topic, topic, len) == 0)
            return &spec->feeds[i];
    return NULL;
}

/* Length of the topic in TOPIC.ndjson, 0 when the name is of another kind. */
static size_t topic_len_of(const char *name)
{
    size_t len = strlen(name), suffix = sizeof SUFFIX - 1;
    if (len <= suffix || name[0] == '.' || strcmp(name + len - suffix, SUFFIX) != 0) return 0;
    return len - suffix;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the .ndjson files of a folder, sorted. */
static enum cl_code list_folder(struct ndjson_source *s, const char *path, const char ***ret,
                                size_t *ret_n, struct cl_error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL) return cl_fail_errno(err, errno, "cannot open %s", path);
    enum cl_code code = CL_OK;
    const char **names = cl_arena_array(&s->arena, MAX_FILES, sizeof *names);
    size_t n = 0;
    if (names == NULL) code = cl_fail_nomem(err);
    for (struct dirent *e; code == CL_OK && (e = readdir(dir)) != NULL;) {
        if (topic_len_of(e->d_name) == 0) continue;
        if (n == MAX_FILES)
            code = cl_fail(err, CL_ELIMIT, "%s holds more than %d .ndjson files", path, MAX_FILES);
        else if ((names[n++] = cl_arena_strdup(&s->arena, e->d_name)) == NULL)
            code = cl_fail_nomem(err);
    }
    (void)closedir(dir);
    if (code != CL_OK) return code;
    qsort(names, n, sizeof *names, by_name);
    *ret = names;
    *ret_n = n;
    return CL_OK;
}

static enum cl_code fail_no_files(const struct ndjson_source *s, const char *path,
                                  struct cl_error *err)
{
    char names[512];
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < s->spec->n_feeds && used < sizeof names; i++) {
        if (!is_wanted(s, &s->spec->feeds[i])) continue;
        int n = snprintf(names + used, sizeof names - used, "%s%s%s", used > 0 ? ", " : "",
                         s->spec->feeds[i].topic, SUFFIX);
        used += n > 0 ? (size_t)n : 0;
    }
    return cl_fail(
        err, CL_ENOTFOUND,
        "%s holds none of the files of the feeds (%s); `citylake simulate --out %s` makes them",
        path, names, path);
}

/* A file of a topic that no feed declares. */
static enum cl_code add_unknown_file(struct ndjson_source *s, const char *folder, const char *name,
                                     struct cl_error *err)
{
    const char *path = cl_arena_printf(&s->arena, "%s/%s", folder, name);
    const char *topic = cl_arena_strndup(&s->arena, name, topic_len_of(name));
    if (path == NULL || topic == NULL) return cl_fail_nomem(err);
    add_part(s, add_stream(s, path, topic, false), NULL, 0);
    return CL_OK;
}

/* The files of unknown topics share one table, that of dead letters, and so one identity.  They are
 * told apart by their partition number, made from name and first line: an exchanged file is a
 * partition that nobody has read from. */
static enum cl_code number_unknown_file(struct ndjson_source *s, struct stream *st,
                                        struct cl_error *err)
{
    enum cl_code code = cl_line_reader_first_line_hash(&st->reader, st->first_line, err);
    if (code != CL_OK) return code;
    uint64_t seed = cl_hash_bytes(st->name, strlen(st->name), 0);
    uint64_t hash = cl_hash_bytes(st->first_line, strlen(st->first_line), seed);
    s->parts[st->first_part].partition = (int32_t)(hash & INT32_MAX);
    return CL_OK;
}

static enum cl_code add_folder(struct ndjson_source *s, const char *folder, struct cl_error *err)
{
    const char **names = NULL;
    size_t n_names = 0, found = 0;
    enum cl_code code = list_folder(s, folder, &names, &n_names, err);
    if (code == CL_OK)
        code = alloc_streams(s, s->spec->n_feeds + n_names, s->spec->n_feeds + n_names, err);
    for (size_t i = 0; code == CL_OK && i < s->spec->n_feeds; i++) {
        const struct cl_feed *feed = &s->spec->feeds[i];
        if (!is_wanted(s, feed)) continue;
        const char *name = cl_arena_printf(&s->arena, "%s%s", feed->topic, SUFFIX);
        const char *path = cl_arena_printf(&s->arena, "%s/%s%s", folder, feed->topic, SUFFIX);
        if (name == NULL || path == NULL) return cl_fail_nomem(err);
        bool exists = bsearch(&name, names, n_names, sizeof *names, by_name) != NULL;
        found += exists;
        add_part(s, add_stream(s, exists ? path : NULL, name, false), feed, 0);
    }
    if (code == CL_OK && found == 0) code = fail_no_files(s, folder, err);
    for (size_t i = 0; code == CL_OK && s->only == NULL && i < n_names; i++)
        if (feed_of_topic(s->spec, names[i], topic_len_of(names[i])) == NULL)
            code = add_unknown_file(s, folder, names[i], err);
    return code;
}

static enum cl_code add_envelopes(struct ndjson_source *s, const char *path, const char *name,
                                  struct cl_error *err)
{
    enum cl_code code = alloc_streams(s, 1, s->spec->n_feeds + 1, err);
    if (code != CL_OK) return code;
    int stream = add_stream(s, path, name, true);
    for (size_t i = 0; i < s->spec->n_feeds; i++)
        if (is_wanted(s, &s->spec->feeds[i])) add_part(s, stream, &s->spec->feeds[i], 0);
    add_part(s, stream, NULL, 0);
    return CL_OK;
}

static enum cl_code find_feed(const struct cl_spec *spec, const char *name,
                              const struct cl_feed **ret, struct cl_error *err)
{
    for (size_t i = 0; i < spec->n_feeds; i++) {
        if (strcmp(spec->feeds[i].name, name) != 0) continue;
        *ret = &spec->feeds[i];
        return CL_OK;
    }
    return cl_fail(err, CL_EINVAL, "no feed \"%s\" in %s; name one of its feeds", name, spec->path);
}

static enum cl_code add_input(struct ndjson_source *s, const struct cl_source_options *options,
                              struct cl_error *err)
{
    const struct cl_feed *feed = NULL;
    struct stat st;
    enum cl_code code = CL_OK;
    if (options->feed != NULL) code = find_feed(s->spec, options->feed, &feed, err);
    if (code != CL_OK) return code;
    bool is_stdin = strcmp(options->path, "-") == 0;
    if (!is_stdin && stat(options->path, &st) != 0)
        return cl_fail_errno(err, errno, "cannot read the input %s", options->path);
    if (!is_stdin && S_ISDIR(st.st_mode)) {
        if (feed != NULL) s->only = feed;
        return add_folder(s, options->path, err);
    }
    const char *slash = strrchr(options->path, '/');
    const char *name = slash != NULL ? slash + 1 : options->path;
    if (feed == NULL) return add_envelopes(s, options->path, name, err);
    code = alloc_streams(s, 1, 1, err);
    if (code == CL_OK) add_part(s, add_stream(s, options->path, name, false), feed, 0);
    return code;
}

/* ---- the interface ---- */

static enum cl_code ndjson_partitions(struct cl_source *base,
                                      const struct cl_source_partition **ret, size_t *ret_n,
                                      struct cl_error *err)
{
    (void)err;
    struct ndjson_source *s = self_of(base);
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

static enum cl_code find_first_line(struct stream *st, struct cl_error *err)
{
    if (st->path == NULL || st->has_first_line) return CL_OK;
    enum cl_code code = cl_line_reader_first_line_hash(&st->reader, st->first_line, err);
    if (code == CL_OK) st->has_first_line = true;
    return code;
}

/* The file's own name and a fingerprint of its first line: a file may be moved, but not exchanged.
 */
static enum cl_code make_identity(struct ndjson_source *s, struct stream *st, const char **ret,
                                  struct cl_error *err)
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
    struct ndjson_source *s = self_of(base);
    struct stream *st = &s->streams[s->parts[part].stream];
    if (s->parts[part].feed == NULL && !st->envelopes) {
        *ret = "{\"file\":\"*.ndjson\",\"kind\":\"ndjson\"}"; /* see number_unknown_file */
        return CL_OK;
    }
    if (s->identities[part] == NULL) {
        enum cl_code code = make_identity(s, st, &s->identities[part], err);
        if (code != CL_OK) return code;
    }
    *ret = s->identities[part];
    return CL_OK;
}

static void free_lanes(struct ndjson_source *s)
{
    for (int i = 0; i < s->n_lanes; i++) {
        free(s->lanes[i].messages);
        free(s->lanes[i].advances);
    }
    free(s->lanes);
    s->lanes = NULL;
    s->n_lanes = 0;
}

static enum cl_code alloc_lanes(struct ndjson_source *s, int n_lanes, struct cl_error *err)
{
    s->lanes = calloc((size_t)n_lanes, sizeof *s->lanes);
    if (s->lanes == NULL) return cl_fail_nomem(err);
    s->n_lanes = n_lanes;
    for (int i = 0; i < n_lanes; i++) {
        struct lane *l = &s->lanes[i];
        l->messages = malloc(s->sizes.chunk_messages * sizeof *l->messages);
        l->advances = malloc((size_t)s->n_parts * sizeof *l->advances);
        if (l->messages == NULL || l->advances == NULL) return cl_fail_nomem(err);
    }
    return CL_OK;
}

/* Tables of one stream may stand at different lines: reading begins at the smallest, and each gets
 * only what it lacks. */
static enum cl_code start_stream(struct ndjson_source *s, struct stream *st,
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
    struct ndjson_source *s = self_of(base);
    free_lanes(s);
    enum cl_code code = alloc_lanes(s, n_lanes, err);
    for (int i = 0; code == CL_OK && i < s->n_streams; i++)
        code = start_stream(s, &s->streams[i], positions, lanes, err);
    return code;
}

/* The partition of an envelope's topic; -1: a declared feed that is not wanted. */
static int32_t part_of_topic(const struct ndjson_source *s, const struct stream *st,
                             const struct cl_envelope *e)
{
    int32_t last = st->first_part + st->n_parts - 1;
    for (int32_t i = st->first_part; i < last; i++)
        if (strlen(s->parts[i].topic) == e->topic_len &&
            memcmp(s->parts[i].topic, e->topic, e->topic_len) == 0)
            return i;
    return s->only != NULL && feed_of_topic(s->spec, e->topic, e->topic_len) != NULL ? -1 : last;
}

/* Makes a message of a line; false when it is none for us. */
static bool message_of(const struct ndjson_source *s, const struct stream *st, uint8_t *line,
                       size_t len, struct cl_message *m)
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
static void take_lines(struct ndjson_source *s, struct stream *st, struct lane *l,
                       struct cl_chunk *ret)
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
static enum cl_code check_reached(const struct ndjson_source *s, const struct stream *st,
                                  struct cl_error *err)
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

static enum cl_code poll_stream(struct ndjson_source *s, struct stream *st, struct lane *l,
                                int timeout_ms, struct cl_chunk *ret, struct cl_error *err)
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
    struct ndjson_source *s = self_of(base);
    struct lane *l = &s->lanes[lane];
    struct cl_chunk chunk = {0};
    for (int tried = 0; tried < s->n_streams && chunk.n == 0 && chunk.n_advances == 0; tried++) {
        struct stream *st = &s->streams[l->next_stream];
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
    struct ndjson_source *s = self_of(base);
    for (int i = 0; i < s->n_streams; i++)
        s->streams[i].lane = -1;
}

static void ndjson_free(struct cl_source *base)
{
    struct ndjson_source *s = self_of(base);
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
    struct ndjson_source *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->base.ops = &OPS;
    s->spec = spec;
    s->only = options->only;
    s->sizes = *sizes;
    cl_arena_init(&s->arena, ARENA_BYTES);
    enum cl_code code = add_input(s, options, err);
    for (int i = 0; i < s->n_streams; i++) {
        struct stream *st = &s->streams[i];
        if (code == CL_OK && st->path != NULL)
            code = cl_line_reader_open(&st->reader, st->path, &sizes->lines, err);
        if (code != CL_OK && st->reader.fd < 0) st->path = NULL; /* not open: nothing to close */
        if (code == CL_OK && !st->envelopes && s->parts[st->first_part].feed == NULL)
            code = number_unknown_file(s, st, err);
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
