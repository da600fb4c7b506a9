/* line_reader.h - the lines of a file or pipe, one after the other, without copying them.
 *
 * Order: open -> (first_line_hash | seek)* -> { fill -> next* }* -> close.  One thread at a time.
 *
 * Lines are numbered from 0 and end with \n; one \r before it is not part of the line; what follows
 * the last \n is a line too, unless it is empty.  Lines given out by next point into the buffer and
 * end with the next fill, seek or close.
 *
 * The buffer starts at `buffer_bytes`, grows for a line that does not fit, up to `max_line_bytes`,
 * and shrinks again after it. */
#ifndef CITYLAKE_SOURCE_LINE_READER_H
#define CITYLAKE_SOURCE_LINE_READER_H

#include "base/error.h"

#include <stdint.h>

struct cl_line_limits {
    size_t buffer_bytes;   /* >= 2 */
    size_t max_line_bytes; /* >= buffer_bytes */
};

struct cl_line_reader {
    const char *path; /* borrowed; for messages */
    struct cl_line_limits limits;
    int fd;
    bool owns_fd;
    bool regular; /* read by position; else a pipe: read once, in order */
    bool at_eof;  /* the last read found the end */
    uint8_t *buf; /* owned */
    size_t cap;
    size_t begin;   /* buf[begin, end) is read and not given out */
    size_t scanned; /* buf[begin, scanned) holds no \n */
    size_t end;
    int64_t base; /* file offset of the first line */
    int64_t byte; /* position of buf[begin], counted from base */
    int64_t line; /* number of the line that begins there */
};

/* Opens `path` ("-": standard input, which is not closed).  CL_ENOTFOUND, CL_EINVAL (a directory),
 * CL_EIO, CL_ENOMEM; then nothing is left to close. */
CL_MUSTCHECK enum cl_code cl_line_reader_open(struct cl_line_reader *r, const char *path,
                                              const struct cl_line_limits *limits,
                                              struct cl_error *err);
void cl_line_reader_close(struct cl_line_reader *r);

/* A 128-bit fingerprint of line 0, as 32 hex digits; "" for a file without lines.  Waits for the
 * line.  The reading position is kept; on a pipe it must still be at line 0.  CL_EIO, CL_ELIMIT,
 * CL_ECANCELED (a signal came). */
CL_MUSTCHECK enum cl_code cl_line_reader_first_line_hash(struct cl_line_reader *r, char ret[33],
                                                         struct cl_error *err);

/* Goes to the beginning of line `line`.  `byte_hint` is tried first when it is > 0 and a line
 * begins there.  A pipe can only go on: it is asked to stay where it is, and lines before `line`
 * are for the caller to skip. CL_EINVAL: there are not so many lines, or the pipe is past it. */
CL_MUSTCHECK enum cl_code cl_line_reader_seek(struct cl_line_reader *r, int64_t line,
                                              int64_t byte_hint, struct cl_error *err);

/* Reads until a whole line is there, or the end; a pipe waits at most timeout_ms.  CL_EIO,
 * CL_ELIMIT (fatal: a line is longer than the maximum), CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_line_reader_fill(struct cl_line_reader *r, int timeout_ms,
                                              struct cl_error *err);

/* The next line that is in the buffer; false when there is none.  After it r->line and r->byte are
 * those of the line behind it. */
bool cl_line_reader_next(struct cl_line_reader *r, uint8_t **ret, size_t *ret_len);

/* Everything up to the end of the file was given out. */
static inline bool cl_line_reader_done(const struct cl_line_reader *r)
{
    return r->at_eof && r->begin == r->end;
}

#endif
