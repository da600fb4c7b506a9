/* ndjson_sink.c - events as lines: envelopes of all feeds on one descriptor, or one plain file per
 * topic in a folder.
 *
 * Envelopes, what `--source ndjson:-` reads (source/envelope.h):
 *   {"topic": "gps_data", "key": "vehicle-17", "value": {...}}     the value is JSON on one line
 *   {"topic": "gps_data", "key": "vehicle-17", "raw": "eyJhIjo="}  any other bytes: every value is
 * checked
 *   {"topic": "gps_data", "key": null, "value": null}              no key, no value (a tombstone)
 *
 * A folder holds DIR/TOPIC.ndjson, values only.  A plain line cannot carry every value (see
 * fits_plain_line): those are refused, never altered.
 *
 * Lines are gathered and written a quarter of a MiB at a time. */
#include "sink/json_text.h"
#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WRITE_BYTES = 256 << 10, MAX_BUFFER_BYTES = 512 << 20 };

struct output {
    int fd;
    char *path; /* owned; NULL: a descriptor that was lent to us */
    struct cl_buf buf;
    int64_t waiting; /* events in buf */
};

struct ndjson_sink {
    struct cl_sink base;
    const struct cl_spec *spec;
    bool folder;
    struct output *outputs; /* one per feed in a folder, else one */
    size_t n_outputs;
    struct cl_sink_stats stats;
};

static const char *name_of(const struct output *o)
{
    return o->path != NULL ? o->path : "standard output";
}

/* write(2), but a reader that went away is EPIPE and never a signal, whatever the process does with
 * SIGPIPE. */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
    sigset_t pipe_set, old, pending;
    (void)sigemptyset(&pipe_set);
    (void)sigaddset(&pipe_set, SIGPIPE);
    (void)sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
    ssize_t n = write(fd, data, len);
    int saved = errno;
    if (n < 0 && saved == EPIPE && !was_pending) {
        struct timespec now = {0};
        (void)sigtimedwait(&pipe_set, NULL, &now); /* takes the signal that this write raised */
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return n;
}

static enum cl_code fail_write(const struct output *o, int error, struct cl_error *err)
{
    if (error == EPIPE) return cl_fail(err, CL_ECANCELED, "the reader of %s went away", name_of(o));
    enum cl_code code = cl_fail_errno(err, error, "cannot write %s", name_of(o));
    if (err != NULL) err->fatal = true;
    return code;
}

static enum cl_code write_out(struct ndjson_sink *s, struct output *o, struct cl_error *err)
{
    size_t done = 0;
    while (done < o->buf.len) {
        ssize_t n = write_quietly(o->fd, o->buf.data + done, o->buf.len - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = o->fd, .events = POLLOUT};
            (void)poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            int error = errno;
            s->stats.failed += o->waiting;
            o->waiting = 0;
            cl_buf_reset(&o->buf);
            return fail_write(o, error, err);
        }
    }
    s->stats.delivered += o->waiting;
    s->stats.bytes += (int64_t)o->buf.len;
    o->waiting = 0;
    cl_buf_reset(&o->buf);
    return CL_OK;
}

static enum cl_code append_envelope(struct cl_buf *b, const char *topic, const void *key,
                                    size_t key_len, const void *value, size_t value_len,
                                    struct cl_error *err)
{
    bool is_json =
        value != NULL && cl_json_is_value(value, value_len) &&
        !(value_len == 4 && memcmp(value, "null", 4) == 0); /* that word means "no value" */
    enum cl_code code = cl_buf_append_str(b, "{\"topic\": ", err);
    if (code == CL_OK) code = cl_json_append_string(b, topic, strlen(topic), err);
    if (code == CL_OK) code = cl_buf_append_str(b, ", \"key\": ", err);
    if (code == CL_OK && key == NULL) code = cl_buf_append_str(b, "null", err);
    if (code == CL_OK && key != NULL) code = cl_json_append_string(b, key, key_len, err);
    if (code == CL_OK && value == NULL) return cl_buf_append_str(b, ", \"value\": null}\n", err);
    if (code == CL_OK)
        code = cl_buf_append_str(b, is_json ? ", \"value\": " : ", \"raw\": \"", err);
    if (code == CL_OK && is_json) code = cl_buf_append(b, value, value_len, err);
    if (code == CL_OK && !is_json) code = cl_json_append_base64(b, value, value_len, err);
    if (code == CL_OK) code = cl_buf_append_str(b, is_json ? "}\n" : "\"}\n", err);
    return code;
}

/* What a reader gives back as it was: it skips empty lines and takes one \r off the end. */
static bool fits_plain_line(const uint8_t *value, size_t len)
{
    return value != NULL && len > 0 && value[len - 1] != '\r' && memchr(value, '\n', len) == NULL;
}

static enum cl_code append_plain(struct cl_buf *b, const struct cl_feed *feed, const void *value,
                                 size_t value_len, struct cl_error *err)
{
    if (!fits_plain_line(value, value_len))
        return cl_fail(err, CL_EUNSUPPORTED,
                       "an event of feed %s is empty or holds a line break, which a file of plain "
                       "lines cannot carry;"
                       " write envelopes to standard output instead",
                       feed->name);
    enum cl_code code = cl_buf_append(b, value, value_len, err);
    return code == CL_OK ? cl_buf_append_byte(b, '\n', err) : code;
}

static enum cl_code ndjson_send(struct cl_sink *base, const struct cl_feed *feed, const void *key,
                                size_t key_len, const void *value, size_t value_len,
                                int64_t timestamp_us, struct cl_error *err)
{
    (void)timestamp_us; /* the event time stands in the value */
    struct ndjson_sink *s = (struct ndjson_sink *)base;
    struct output *o = &s->outputs[s->folder ? feed - s->spec->feeds : 0];
    size_t before = o->buf.len;
    enum cl_code code =
        s->folder ? append_plain(&o->buf, feed, value, value_len, err)
                  : append_envelope(&o->buf, feed->topic, key, key_len, value, value_len, err);
    if (code != CL_OK) {
        o->buf.len = before; /* no half line */
        return code;
    }
    s->stats.sent++;
    o->waiting++;
    return o->buf.len >= WRITE_BYTES ? write_out(s, o, err) : CL_OK;
}

static enum cl_code ndjson_flush(struct cl_sink *base, int timeout_ms, struct cl_error *err)
{
    (void)timeout_ms; /* writes wait for the reader or the disk */
    struct ndjson_sink *s = (struct ndjson_sink *)base;
    enum cl_code code = CL_OK;
    for (size_t i = 0; i < s->n_outputs; i++) {
        enum cl_code one = write_out(s, &s->outputs[i], code == CL_OK ? err : NULL);
        if (code == CL_OK) code = one;
    }
    return code;
}

static void ndjson_stats(struct cl_sink *base, struct cl_sink_stats *ret)
{
    *ret = ((struct ndjson_sink *)base)->stats;
}

static void ndjson_free(struct cl_sink *base)
{
    struct ndjson_sink *s = (struct ndjson_sink *)base;
    for (size_t i = 0; i < s->n_outputs; i++) {
        struct output *o = &s->outputs[i];
        if (o->path != NULL && o->fd >= 0) (void)close(o->fd);
        free(o->path);
        cl_buf_fini(&o->buf);
    }
    free(s->outputs);
    free(s);
}

static const struct cl_sink_ops OPS = {.name = "ndjson",
                                       .send = ndjson_send,
                                       .flush = ndjson_flush,
                                       .stats = ndjson_stats,
                                       .free = ndjson_free};

static enum cl_code open_files(struct ndjson_sink *s, const char *dir, struct cl_error *err)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return cl_fail_errno(err, errno, "cannot make the folder %s", dir);
    for (size_t i = 0; i < s->n_outputs; i++) {
        struct output *o = &s->outputs[i];
        if (asprintf(&o->path, "%s/%s.ndjson", dir, s->spec->feeds[i].topic) < 0) {
            o->path = NULL;
            return cl_fail_nomem(err);
        }
        o->fd = open(o->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (o->fd < 0) return cl_fail_errno(err, errno, "cannot write %s", o->path);
    }
    return CL_OK;
}

enum cl_code cl_ndjson_sink_new(const struct cl_spec *spec, int fd, const char *dir,
                                struct cl_sink **ret, struct cl_error *err)
{
    struct ndjson_sink *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->base.ops = &OPS;
    s->spec = spec;
    s->folder = dir != NULL;
    s->n_outputs = s->folder ? spec->n_feeds : 1;
    s->outputs = calloc(s->n_outputs, sizeof *s->outputs);
    if (s->outputs == NULL) {
        free(s);
        return cl_fail_nomem(err);
    }
    for (size_t i = 0; i < s->n_outputs; i++) {
        s->outputs[i].fd = s->folder ? -1 : fd;
        cl_buf_init(&s->outputs[i].buf, MAX_BUFFER_BYTES);
    }
    enum cl_code code = s->folder ? open_files(s, dir, err) : CL_OK;
    if (code == CL_OK)
        *ret = &s->base;
    else
        ndjson_free(&s->base);
    return code;
}
