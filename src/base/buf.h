/* buf.h - growable bytes, born with a maximum.
 *
 * Order: init -> append* -> (take | reset)* -> fini.  A failed append leaves the content as it was.
 * cl_buf_reserve + direct writes at data[len] is the fast path of the encoders. */
#ifndef CITYLAKE_BASE_BUF_H
#define CITYLAKE_BASE_BUF_H

#include "base/error.h"

#include <stdint.h>
#include <string.h>

struct cl_buf {
    uint8_t *data; /* owned; NULL while empty */
    size_t len;
    size_t cap;
    size_t max; /* bytes; growing past it is CL_ELIMIT */
};

void cl_buf_init(struct cl_buf *b, size_t max_bytes);
void cl_buf_fini(struct cl_buf *b); /* frees; the buffer may be used again after another init */

static inline void cl_buf_reset(struct cl_buf *b)
{
    b->len = 0;
}

/* Slow path of cl_buf_reserve. */
CL_MUSTCHECK enum cl_code cl_buf_grow(struct cl_buf *b, size_t extra, struct cl_error *err);

/* Makes room for `extra` more bytes.  CL_ELIMIT past max, CL_ENOMEM. */
CL_MUSTCHECK static inline enum cl_code cl_buf_reserve(struct cl_buf *b, size_t extra,
                                                       struct cl_error *err)
{
    if (b->cap - b->len >= extra) return CL_OK;
    return cl_buf_grow(b, extra, err);
}

CL_MUSTCHECK static inline enum cl_code cl_buf_append(struct cl_buf *b, const void *data,
                                                      size_t len, struct cl_error *err)
{
    enum cl_code code = cl_buf_reserve(b, len, err);
    if (code != CL_OK) return code;
    if (len > 0) memcpy(b->data + b->len, data, len);
    b->len += len;
    return CL_OK;
}

CL_MUSTCHECK static inline enum cl_code cl_buf_append_byte(struct cl_buf *b, uint8_t byte,
                                                           struct cl_error *err)
{
    enum cl_code code = cl_buf_reserve(b, 1, err);
    if (code != CL_OK) return code;
    b->data[b->len++] = byte;
    return CL_OK;
}

CL_MUSTCHECK enum cl_code cl_buf_append_str(struct cl_buf *b, const char *text,
                                            struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_buf_printf(struct cl_buf *b, struct cl_error *err, const char *fmt,
                                        ...) CL_PRINTF(3, 4);

#endif
