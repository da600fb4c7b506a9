/* values.h - what a string may have to be: a uuid, a time, base64. */
#ifndef CITYLAKE_DECODE_VALUES_H
#define CITYLAKE_DECODE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CL_UUID_LEN = 36 };

/* 8-4-4-4-12 hex digits of any case.  Reads exactly CL_UUID_LEN bytes. */
bool cl_uuid_check(const uint8_t *p);

/* The common forms of what cl_time_parse (base/clock.h) takes, with seconds: YYYY-MM-DD[T
 * ]HH:MM:SS[.f{1,9}][Z|+hh:mm]. Returns the byte after it (the caller looks for the closing quote
 * there), or NULL: no such form, ask cl_time_parse. */
const uint8_t *cl_time_scan(const uint8_t *p, const uint8_t *end, int64_t *ret_us);

/* base64 (RFC 4648, section 4), with padding, no white space, unused bits zero.  dst has room for
 * len / 4 * 3 bytes and may be src.  false: not base64. */
bool cl_base64_decode(const uint8_t *src, size_t len, uint8_t *dst, size_t *ret_len);

#endif
