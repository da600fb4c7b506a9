/* text.h - a writer of text whose errors stick: after the first failure every put does nothing, and
 * the code is looked at once.
 *
 * cl_text_init -> put* -> look at t.code.  Owns nothing: the buffer is the caller's. */
#ifndef CITYLAKE_QUERY_TEXT_H
#define CITYLAKE_QUERY_TEXT_H

#include "base/buf.h"

struct cl_text {
    struct cl_buf *buf;
    enum cl_code code;
    struct cl_error *err; /* filled by the first failure */
};

void cl_text_init(struct cl_text *t, struct cl_buf *buf, struct cl_error *err);

void cl_text_byte(struct cl_text *t, char byte);
void cl_text_bytes(struct cl_text *t, const char *bytes, size_t len);
void cl_text_str(struct cl_text *t, const char *text);
void cl_text_printf(struct cl_text *t, const char *fmt, ...) CL_PRINTF(2, 3);
void cl_text_int(struct cl_text *t, int64_t value);

/* Between quotes of that kind, those inside doubled: '\'' for an SQL literal, '"' for an SQL name
 * and for CSV. */
void cl_text_quoted(struct cl_text *t, char quote, const char *text, size_t len);

/* A JSON string (RFC 8259) with its quotes; UTF-8 goes through as it is, a byte that is not UTF-8
 * becomes U+FFFD. */
void cl_text_json(struct cl_text *t, const char *text, size_t len);

/* The shortest digits that read back as the same number, with ".0" or an exponent so that it is
 * seen to be no integer; nan, inf, -inf. */
void cl_text_double(struct cl_text *t, double value);
void cl_text_float(struct cl_text *t, float value);

/* Bytes of the UTF-8 character that text begins with (len > 0), and its code point; 0 when it is
 * not UTF-8. */
size_t cl_utf8_char(const char *text, size_t len, uint32_t *ret_code_point);

#endif
