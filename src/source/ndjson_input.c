/* ndjson_input.c - what an NDJSON source has to read: the files of a folder, one file, or a pipe.
 * The three shapes are described in ndjson_source.c. */
#include "source/ndjson_internal.h"

#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILES = 10000 };
static const char SUFFIX[] = ".ndjson";

static int add_stream(struct cl_ndjson_source *s, const char *path, const char *name,
                      bool envelopes)
{
    s->streams[s->n_streams] = (struct cl_ndjson_stream){.path = path,
                                                         .name = name,
                                                         .envelopes = envelopes,
                                                         .first_part = s->n_parts,
                                                         .lane = -1,
                                                         .reader = {.fd = -1}};
    return s->n_streams++;
}

static void add_part(struct cl_ndjson_source *s, int stream, const struct cl_feed *feed,
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

static enum cl_code alloc_streams(struct cl_ndjson_source *s, size_t n_streams, size_t n_parts,
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

static bool is_wanted(const struct cl_ndjson_source *s, const struct cl_feed *feed)
{
    return s->only == NULL || s->only == feed;
}

const struct cl_feed *cl_ndjson_feed_of_topic(const struct cl_spec *spec, const char *topic,
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
static enum cl_code list_folder(struct cl_ndjson_source *s, const char *path, const char ***ret,
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

static enum cl_code fail_no_files(const struct cl_ndjson_source *s, const char *path,
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
static enum cl_code add_unknown_file(struct cl_ndjson_source *s, const char *folder,
                                     const char *name, struct cl_error *err)
{
    const char *path = cl_arena_printf(&s->arena, "%s/%s", folder, name);
    const char *topic = cl_arena_strndup(&s->arena, name, topic_len_of(name));
    if (path == NULL || topic == NULL) return cl_fail_nomem(err);
    add_part(s, add_stream(s, path, topic, false), NULL, 0);
    return CL_OK;
}

enum cl_code cl_ndjson_number_unknown_file(struct cl_ndjson_source *s, struct cl_ndjson_stream *st,
                                           struct cl_error *err)
{
    enum cl_code code = cl_line_reader_first_line_hash(&st->reader, st->first_line, err);
    if (code != CL_OK) return code;
    uint64_t seed = cl_hash_bytes(st->name, strlen(st->name), 0);
    uint64_t hash = cl_hash_bytes(st->first_line, strlen(st->first_line), seed);
    s->parts[st->first_part].partition = (int32_t)(hash & INT32_MAX);
    return CL_OK;
}

static enum cl_code add_folder(struct cl_ndjson_source *s, const char *folder, struct cl_error *err)
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
        if (cl_ndjson_feed_of_topic(s->spec, names[i], topic_len_of(names[i])) == NULL)
            code = add_unknown_file(s, folder, names[i], err);
    return code;
}

static enum cl_code add_envelopes(struct cl_ndjson_source *s, const char *path, const char *name,
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

enum cl_code cl_ndjson_find_input(struct cl_ndjson_source *s,
                                  const struct cl_source_options *options, struct cl_error *err)
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
