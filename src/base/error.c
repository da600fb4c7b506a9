#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void fill(struct cl_error *err, enum cl_code code, const char *where, const char *fmt,
                 va_list ap)
{
    /* Formatted aside first: an argument may point into *err. */
    char message[sizeof err->message];
    char place[sizeof err->where];
    (void)vsnprintf(message, sizeof message, fmt, ap);
    (void)snprintf(place, sizeof place, "%s", where);
    memset(err, 0, sizeof *err);
    err->code = code;
    err->retriable = code == CL_EIO;
    memcpy(err->message, message, sizeof message);
    memcpy(err->where, place, sizeof place);
}

enum cl_code cl_fail(struct cl_error *err, enum cl_code code, const char *fmt, ...)
{
    if (err == NULL) return code;
    va_list ap;
    va_start(ap, fmt);
    fill(err, code, "", fmt, ap);
    va_end(ap);
    return code;
}

enum cl_code cl_fail_at(struct cl_error *err, enum cl_code code, const char *where, const char *fmt,
                        ...)
{
    if (err == NULL) return code;
    va_list ap;
    va_start(ap, fmt);
    fill(err, code, where, fmt, ap);
    va_end(ap);
    return code;
}

enum cl_code cl_fail_errno(struct cl_error *err, int errno_value, const char *fmt, ...)
{
    enum cl_code code = CL_EIO;
    if (errno_value == ENOENT) code = CL_ENOTFOUND;
    if (errno_value == EEXIST) code = CL_EEXIST;
    if (errno_value == ENOMEM) code = CL_ENOMEM;
    if (err == NULL) return code;
    va_list ap;
    va_start(ap, fmt);
    fill(err, code, "", fmt, ap);
    va_end(ap);
    err->origin = CL_ORIGIN_ERRNO;
    err->origin_code = errno_value;
    char text[128];
    const char *reason = strerror_r(errno_value, text, sizeof text);
    size_t used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof err->message - used, ": %s", reason);
    return code;
}

enum cl_code cl_fail_nomem(struct cl_error *err)
{
    return cl_fail(err, CL_ENOMEM, "out of memory");
}

enum cl_code cl_error_wrap(struct cl_error *err, enum cl_code code, const char *fmt, ...)
{
    if (err == NULL) return code;
    char context[sizeof err->message];
    char old[sizeof err->message];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    memcpy(old, err->message, sizeof old);
    size_t used = strlen(context);
    if (used + 2 >= sizeof old) return code;
    memcpy(err->message, context, used);
    memcpy(err->message + used, ": ", 2);
    size_t room = sizeof err->message - used - 3, len = strnlen(old, sizeof old);
    if (len > room) len = room;
    memcpy(err->message + used + 2, old, len);
    err->message[used + 2 + len] = '\0';
    return code;
}

const char *cl_error_text(const struct cl_error *err, char *buf, size_t size)
{
    if (err->where[0] != '\0')
        (void)snprintf(buf, size, "%s: %s", err->where, err->message);
    else
        (void)snprintf(buf, size, "%s", err->message);
    return buf;
}

const char *cl_code_name(enum cl_code code)
{
    switch (code) {
    case CL_OK: return "ok";
    case CL_EINVAL: return "invalid";
    case CL_EDATA: return "bad-data";
    case CL_EIO: return "io";
    case CL_ENOTFOUND: return "not-found";
    case CL_EEXIST: return "exists";
    case CL_ECONFLICT: return "conflict";
    case CL_EUNKNOWN: return "unknown-outcome";
    case CL_ELIMIT: return "limit";
    case CL_ENOMEM: return "no-memory";
    case CL_ECANCELED: return "canceled";
    case CL_EUNSUPPORTED: return "unsupported";
    }
    return "?";
}
