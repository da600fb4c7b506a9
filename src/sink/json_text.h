/* json_text.h - may these bytes stand as a value inside a line of JSON, and how do strings and
 * bytes stand there. */
#ifndef CITYLAKE_SINK_JSON_TEXT_H
#define CITYLAKE_SINK_JSON_TEXT_H

#include "base/buf.h"

/* True for one JSON value (RFC 8259, valid UTF-8) on one line without white space around it.  May
 * say false for a value nested more than 64 deep. */
bool cl_json_is_value(const uint8_t *p, size_t len);

/* Appends a quoted string: control characters, quotes and backslashes are escaped, other bytes stay
 * as they are. */
CL_MUSTCHECK enum cl_code cl_json_append_string(struct cl_buf *b, const void *text, size_t len,
                                                struct cl_error *err);

/* Appends base64 with padding (RFC 4648, section 4). */
CL_MUSTCHECK enum cl_code cl_json_append_base64(struct cl_buf *b, const void *data, size_t len,
                                                struct cl_error *err);

#endif
