/* json_scan.h - the grammar of JSON (RFC 8259) over bytes that are neither padded nor terminated.
 *
 * Each scanner takes [p, end) and returns the byte after what it read, or NULL and fills *fault.
 * All of them check what they pass over completely; nothing at or past `end` is read. */
#ifndef CITYLAKE_DECODE_JSON_SCAN_H
#define CITYLAKE_DECODE_JSON_SCAN_H

#include "decode/decoder.h"
#include "decode/swar.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What is wrong with the text as JSON, whatever a column wants of it. */
struct cl_json_fault {
    enum cl_reject_reason reason; /* SYNTAX, UTF8 or DEPTH */
    const uint8_t *at;            /* == end: the message stops too early */
    const char *what;             /* "expected ':' after a member name" */
};

/* A string as it stands between its quotes. */
struct cl_json_text {
    const uint8_t *raw;
    size_t len;
    bool escaped; /* has a backslash */
};

/* Fills *fault and returns NULL. */
const uint8_t *cl_json_fault(struct cl_json_fault *fault, enum cl_reject_reason reason,
                             const uint8_t *at, const char *what);

/* p: after the opening quote.  The fast part of a string is cl_json_plain below. */
const uint8_t *cl_json_string(const uint8_t *p, const uint8_t *end, struct cl_json_text *ret,
                              struct cl_json_fault *fault);

/* Resolves the escapes of a string that cl_json_string has checked.  dst has room for len bytes and
 * may be raw itself. Returns the bytes written, at most len. */
size_t cl_json_unescape(const uint8_t *raw, size_t len, uint8_t *dst);

/* Any value, checked to its last byte; white space before it is skipped.  open: containers around
 * it. */
const uint8_t *cl_json_skip(const uint8_t *p, const uint8_t *end, int open,
                            struct cl_json_fault *fault);

static inline bool cl_json_is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Most producers write one blank or none: no loop for those. */
static inline const uint8_t *cl_json_space(const uint8_t *p, const uint8_t *end)
{
    if (p < end && *p == ' ') p++;
    while (p < end && __builtin_expect(cl_json_is_space(*p), 0))
        p++;
    return p;
}

/* First byte at or after p that ends a plain run of a string: a quote, a backslash, a control
 * character, a byte that is not ASCII; or end. */
static inline const uint8_t *cl_json_plain(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
                  blank = _mm_set1_epi8(' ');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed: bytes of 0x80 and above are negative, so below a blank too. */
        __m128i stop =
            _mm_or_si128(_mm_cmplt_epi8(v, blank),
                         _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask != 0) return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    while (end - p >= 8) {
        uint64_t stops = cl_string_stops8(cl_load64(p));
        if (stops != 0) return p + __builtin_ctzll(stops) / 8;
        p += 8;
    }
    while (p < end && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

#endif
