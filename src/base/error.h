/* error.h - what went wrong, where, and whether trying again helps.
 *
 * Every function that can fail returns enum cl_code and takes a caller-owned struct cl_error as its
 * last argument (NULL allowed: only the code is wanted).  On success the struct is not touched; on
 * failure it is filled whole. */
#ifndef CITYLAKE_BASE_ERROR_H
#define CITYLAKE_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define CL_MUSTCHECK __attribute__((warn_unused_result))
#define CL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum cl_code {
    CL_OK = 0,
    CL_EINVAL, /* wrong usage or configuration: a person must change something */
    CL_EDATA,  /* bytes that are not what their format says (corrupt metadata, malformed input) */
    CL_EIO,    /* the disk, the network or a server failed */
    CL_ENOTFOUND, /* the named thing does not exist */
    CL_EEXIST,    /* the named thing exists already (exclusive creation) */
    CL_ECONFLICT, /* somebody else committed first: reload and decide */
    CL_EUNKNOWN, /* the request may or may not have taken effect: reload and look before deciding */
    CL_ELIMIT,   /* a stated maximum was reached */
    CL_ENOMEM,   /* out of memory */
    CL_ECANCELED,    /* asked to stop */
    CL_EUNSUPPORTED, /* valid, but this program does not do it */
};

enum cl_origin {
    CL_ORIGIN_NONE = 0,
    CL_ORIGIN_ERRNO,
    CL_ORIGIN_KAFKA,
    CL_ORIGIN_HTTP,
    CL_ORIGIN_SQL
};

struct cl_error {
    enum cl_code code;
    bool retriable;        /* the same call may succeed later */
    bool fatal;            /* nothing can go on without a person */
    enum cl_origin origin; /* whose number origin_code is */
    long origin_code;
    char where[256]; /* file:line:column, topic/partition/offset, table, column; "" when the message
                        says it */
    char message[1024]; /* one line without a trailing full stop: what happened and what to do */
};

/* Fills err (NULL allowed) and returns code.  CL_EIO is marked retriable, nothing else is. */
enum cl_code cl_fail(struct cl_error *err, enum cl_code code, const char *fmt, ...) CL_PRINTF(3, 4);

/* The same with a place. */
enum cl_code cl_fail_at(struct cl_error *err, enum cl_code code, const char *where, const char *fmt,
                        ...) CL_PRINTF(4, 5);

/* From errno: ENOENT -> CL_ENOTFOUND, EEXIST -> CL_EEXIST, ENOMEM -> CL_ENOMEM, else CL_EIO;
 * appends ": strerror". */
enum cl_code cl_fail_errno(struct cl_error *err, int errno_value, const char *fmt, ...)
    CL_PRINTF(3, 4);

enum cl_code cl_fail_nomem(struct cl_error *err);

/* Puts "context: " in front of the message, for a caller that knows more.  Keeps code and flags;
 * returns the code. */
enum cl_code cl_error_wrap(struct cl_error *err, enum cl_code code, const char *fmt, ...)
    CL_PRINTF(3, 4);

/* "where: message" for a person; buf is always terminated.  Returns buf. */
const char *cl_error_text(const struct cl_error *err, char *buf, size_t size);

const char *cl_code_name(enum cl_code code);

#endif
