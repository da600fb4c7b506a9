#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void cl_buf_init(struct cl_buf *b, size_t max_bytes)
{
    *b = (struct cl_buf){.max = max_bytes};
}

void cl_buf_fini(struct cl_buf *b)
{
    free(b->data);
    *b = (struct cl_buf){.max = b->max};
}

enum cl_code cl_buf_grow(struct cl_buf *b, size_t extra, struct cl_error *err)
{
    if (extra > b->max || b->len > b->max - extra)
        return cl_fail(err, CL_ELIMIT, "buffer would grow past its maximum of %zu bytes", b->max);
    size_t need = b->len + extra;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap += cap / 2 + 64;
    if (cap > b->max) cap = b->max;
    uint8_t *data = realloc(b->data, cap);
    if (data == NULL) return cl_fail_nomem(err);
    b->data = data;
    b->cap = cap;
    return CL_OK;
}

enum cl_code cl_buf_append_str(struct cl_buf *b, const char *text, struct cl_error *err)
{
    return cl_buf_append(b, text, strlen(text), err);
}

enum cl_code cl_buf_printf(struct cl_buf *b, struct cl_error *err, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    enum cl_code code = len < 0 ? cl_fail(err, CL_EINVAL, "cannot format text") : CL_OK;
    if (code == CL_OK) code = cl_buf_reserve(b, (size_t)len + 1, err);
    if (code == CL_OK) {
        (void)vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
    return code;
}
