/* line_reader.c - see line_reader.h. */
#include "source/line_reader.h"

#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum cl_code cl_line_reader_open(struct cl_line_reader *r, const char *path,
                                 const struct cl_line_limits *limits, struct cl_error *err)
{
    *r = (struct cl_line_reader){.path = path, .limits = *limits, .fd = STDIN_FILENO};
    if (strcmp(path, "-") == 0) {
        r->path = "standard input";
    } else {
        r->owns_fd = true;
        r->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (r->fd < 0) return cl_fail_errno(err, errno, "cannot open %s", path);
    }
    enum cl_code code = CL_OK;
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        code = cl_fail_errno(err, errno, "cannot read %s", r->path);
    else if (S_ISDIR(st.st_mode))
        code = cl_fail(err, CL_EINVAL, "%s is a directory, a file of lines is needed", r->path);
    if (code == CL_OK && S_ISREG(st.st_mode)) {
        r->regular = true;
        off_t at = lseek(
            r->fd, 0, SEEK_CUR); /* a shell may have read the first lines of its standard input */
        r->base = at > 0 ? at : 0;
        (void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    if (code == CL_OK) {
        r->cap = limits->buffer_bytes;
        r->buf = malloc(r->cap);
        if (r->buf == NULL) code = cl_fail_nomem(err);
    }
    if (code != CL_OK) cl_line_reader_close(r);
    return code;
}

void cl_line_reader_close(struct cl_line_reader *r)
{
    if (r->owns_fd && r->fd >= 0) (void)close(r->fd);
    free(r->buf);
    *r = (struct cl_line_reader){.fd = -1};
}

/* Room for at least one more byte behind `end`. */
static enum cl_code make_room(struct cl_line_reader *r, struct cl_error *err)
{
    size_t len = r->end - r->begin, cap = r->cap;
    /* One byte more than the longest line is enough to tell that a line is too long; its \r\n may
     * come on top. */
    size_t max_cap = r->limits.max_line_bytes + 3;
    if (len == cap) cap = cap > max_cap / 2 ? max_cap : cap * 2;
    if (len == max_cap) {
        char where[256];
        (void)snprintf(where, sizeof where, "%s:%" PRId64, r->path, r->line + 1);
        enum cl_code code = cl_fail_at(err, CL_ELIMIT, where,
                                       "the line is longer than %zu bytes; split it or remove it",
                                       r->limits.max_line_bytes);
        if (err != NULL) err->fatal = true;
        return code;
    }
    if (r->begin > 0 && len > 0) memmove(r->buf, r->buf + r->begin, len);
    r->scanned -= r->begin;
    r->begin = 0;
    r->end = len;
    if (cap == r->cap && cap > r->limits.buffer_bytes && len < r->limits.buffer_bytes / 2)
        cap = r->limits.buffer_bytes; /* the long line is behind us */
    if (cap == r->cap) return CL_OK;
    assert(cap > 0);
    uint8_t *buf = realloc(r->buf, cap);
    if (buf == NULL) return cl_fail_nomem(err);
    r->buf = buf;
    r->cap = cap;
    return CL_OK;
}

/* One read into the free part of the buffer.  *ret_interrupted: a signal or the timeout came first,
 * nothing was read. */
static enum cl_code read_more(struct cl_line_reader *r, int timeout_ms, bool *ret_interrupted,
                              struct cl_error *err)
{
    ssize_t got;
    if (r->regular) {
        off_t at = (off_t)(r->base + r->byte + (int64_t)(r->end - r->begin));
        got = pread(r->fd, r->buf + r->end, r->cap - r->end, at);
    } else {
        struct pollfd pfd = {.fd = r->fd, .events = POLLIN};
        int ready = poll(&pfd, 1, timeout_ms);
        if (ready == 0 || (ready < 0 && errno == EINTR)) {
            *ret_interrupted = true;
            return CL_OK;
        }
        got = read(r->fd, r->buf + r->end, r->cap - r->end);
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        *ret_interrupted = true;
        return CL_OK;
    }
    if (got < 0) return cl_fail_errno(err, errno, "cannot read %s", r->path);
    r->at_eof = got == 0;
    r->end += (size_t)got;
    return CL_OK;
}

static bool has_line(struct cl_line_reader *r)
{
    const uint8_t *from = r->buf + r->scanned;
    const uint8_t *newline = r->end > r->scanned ? memchr(from, '\n', r->end - r->scanned) : NULL;
    r->scanned = newline != NULL ? (size_t)(newline - r->buf) : r->end;
    return newline != NULL;
}

/* timeout_ms < 0 waits for ever. */
static enum cl_code fill(struct cl_line_reader *r, int timeout_ms, bool *ret_interrupted,
                         struct cl_error *err)
{
    *ret_interrupted = false;
    while (!has_line(r) && !r->at_eof && !*ret_interrupted) {
        enum cl_code code = make_room(r, err);
        if (code == CL_OK) code = read_more(r, timeout_ms, ret_interrupted, err);
        if (code != CL_OK) return code;
        if (timeout_ms > 0)
            timeout_ms = 0; /* a writer of small pieces cannot hold us longer than that */
    }
    return CL_OK;
}

enum cl_code cl_line_reader_fill(struct cl_line_reader *r, int timeout_ms, struct cl_error *err)
{
    bool interrupted;
    return fill(r, timeout_ms, &interrupted, err);
}

bool cl_line_reader_next(struct cl_line_reader *r, uint8_t **ret, size_t *ret_len)
{
    size_t len, with_newline;
    if (has_line(r)) {
        len = r->scanned - r->begin;
        with_newline = len + 1;
    } else if (r->at_eof && r->end > r->begin) {
        len = with_newline = r->end - r->begin;
    } else {
        return false;
    }
    uint8_t *line = r->buf + r->begin;
    r->begin += with_newline;
    r->scanned = r->begin;
    r->byte += (int64_t)with_newline;
    r->line++;
    if (len > 0 && line[len - 1] == '\r') len--;
    *ret = line;
    *ret_len = len;
    return true;
}

static void rewind_to(struct cl_line_reader *r, int64_t line, int64_t byte)
{
    r->begin = r->scanned = r->end = 0;
    r->at_eof = false;
    r->line = line;
    r->byte = byte;
}

enum cl_code cl_line_reader_first_line_hash(struct cl_line_reader *r, char ret[33],
                                            struct cl_error *err)
{
    bool interrupted;
    int64_t line = r->line, byte = r->byte;
    if (r->regular) rewind_to(r, 0, 0);
    enum cl_code code = fill(r, -1, &interrupted, err);
    if (code == CL_OK && interrupted)
        code = cl_fail(err, CL_ECANCELED, "interrupted while waiting for the first line of %s",
                       r->path);
    if (code == CL_OK && r->begin == r->end) {
        ret[0] = '\0';
    } else if (code == CL_OK) {
        const uint8_t *p = r->buf + r->begin;
        size_t len = r->scanned - r->begin;
        (void)snprintf(ret, 33, "%016" PRIx64 "%016" PRIx64, cl_hash_bytes(p, len, 0),
                       cl_hash_bytes(p, len, 1));
    }
    if (r->regular && (line != 0 || byte != 0)) rewind_to(r, line, byte);
    return code;
}

/* Does a line begin at `byte`? */
static bool is_line_start(const struct cl_line_reader *r, int64_t byte)
{
    uint8_t before;
    return byte > 0 && pread(r->fd, &before, 1, (off_t)(r->base + byte - 1)) == 1 && before == '\n';
}

/* From the beginning of the file to the beginning of line `line`, block by block. */
static enum cl_code count_to(struct cl_line_reader *r, int64_t line, struct cl_error *err)
{
    rewind_to(r, 0, 0);
    uint8_t *unused;
    size_t len;
    while (r->line < line) {
        if (cl_line_reader_next(r, &unused, &len)) continue;
        if (cl_line_reader_done(r)) break;
        enum cl_code code = cl_line_reader_fill(r, 0, err);
        if (code != CL_OK) return code;
    }
    if (r->line == line) return CL_OK;
    enum cl_code code =
        cl_fail_at(err, CL_EINVAL, r->path,
                   "the lake has read %" PRId64 " lines of this file, but it has only %" PRId64
                   ": it was cut or replaced; give the file back, or read into another lake",
                   line, r->line);
    if (err != NULL) err->fatal = true;
    return code;
}

enum cl_code cl_line_reader_seek(struct cl_line_reader *r, int64_t line, int64_t byte_hint,
                                 struct cl_error *err)
{
    if (!r->regular) {
        if (r->line <= line) return CL_OK;
        enum cl_code code =
            cl_fail_at(err, CL_EINVAL, r->path,
                       "line %" PRId64 " is wanted but was read already and a pipe cannot go back;"
                       " run again with the same input: lines that are stored will be skipped",
                       line);
        if (err != NULL) err->fatal = true;
        return code;
    }
    if (line == 0 || is_line_start(r, byte_hint)) {
        rewind_to(r, line, line == 0 ? 0 : byte_hint);
        return CL_OK;
    }
    return count_to(r, line, err);
}
