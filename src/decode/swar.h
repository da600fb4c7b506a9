/* swar.h - eight bytes of text in one 64-bit word: loads, digits, and which bytes end a plain
 * string.
 *
 * The first byte of the text is the lowest of the word on every machine.  Nothing here reads past
 * what the caller says. */
#ifndef CITYLAKE_DECODE_SWAR_H
#define CITYLAKE_DECODE_SWAR_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CL_EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static inline uint64_t cl_load64(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return le64toh(w);
}

static inline bool cl_is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* Top bits of the bytes that are no digits: adding 0x46 to a byte over '9', or taking '0' from one
 * under it, reaches its top bit.  Only the lowest bit that is set is certain: a carry may mark
 * bytes above it. */
static inline uint64_t cl_non_digits8(uint64_t w)
{
    return ((w + CL_EACH_BYTE(0x46)) | (w - CL_EACH_BYTE(0x30))) & CL_EACH_BYTE(0x80);
}

/* The number that eight digits (0 to 9, not '0' to '9') make: pairs, then fours, then eights, a
 * multiplication each. */
static inline uint32_t cl_digits8(uint64_t w)
{
    const uint64_t outer = UINT64_C(0x000000ff000000ff);
    w = w * 10 + (w >> 8);
    w = (w & outer) * UINT64_C(0x000f424000000064) +
        (w >> 16 & outer) * UINT64_C(0x0000271000000001);
    return (uint32_t)(w >> 32);
}

/* Appends the digits at p to *number (modulo 2^64) and returns where they end.  Eight at a time;
 * fewer than eight are moved to the end of a word of zeros, because a branch for each of them would
 * be mispredicted more often than not. */
static inline const uint8_t *cl_scan_digits(const uint8_t *p, const uint8_t *end, uint64_t *number)
{
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    while (end - p >= 8) {
        uint64_t w = cl_load64(p), stop = cl_non_digits8(w);
        w ^= CL_EACH_BYTE(0x30);
        if (stop == 0) {
            *number = *number * 100000000 + cl_digits8(w);
            p += 8;
            continue;
        }
        unsigned n = (unsigned)__builtin_ctzll(stop) / 8;
        *number = *number * powers[n] + cl_digits8(w << (56 - 8 * n) << 8);
        return p + n;
    }
    while (p < end && cl_is_digit(*p))
        *number = *number * 10 + (uint64_t)(*p++ - '0');
    return p;
}

/* Top bits of the bytes that are a quote, a backslash, a control character or not ASCII.  Only the
 * lowest bit that is set is certain: a borrow may mark bytes above it. */
static inline uint64_t cl_string_stops8(uint64_t w)
{
    uint64_t quote = (w ^ CL_EACH_BYTE('"')) - CL_EACH_BYTE(1);
    uint64_t backslash = (w ^ CL_EACH_BYTE('\\')) - CL_EACH_BYTE(1);
    return (w | (w - CL_EACH_BYTE(0x20)) | quote | backslash) & CL_EACH_BYTE(0x80);
}

#endif
