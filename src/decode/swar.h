/* swar.h - eight bytes of text in one 64-bit word: loads, digits, and which bytes end a plain string.
 *
 * The first byte of the text is the lowest of the word on every machine.  Nothing here reads past what the caller says. */
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

/* Are all eight bytes digits?  Adding 0x46 to a byte over '9', or taking '0' from one under it, reaches its top bit. */
static inline bool cl_is_digits8(uint64_t w)
{
    return (((w + CL_EACH_BYTE(0x46)) | (w - CL_EACH_BYTE(0x30))) & CL_EACH_BYTE(0x80)) == 0;
}

/* The number that eight digits spell: pairs, then fours, then eights, each by one multiplication. */
static inline uint32_t cl_digits8(uint64_t w)
{
    w -= CL_EACH_BYTE(0x30);
    w = w * 10 + (w >> 8);
    w = ((w & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
         (w >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >> 32;
    return (uint32_t)w;
}

/* Top bits of the bytes that are a quote, a backslash, a control character or not ASCII.  Only the lowest bit that is set
 * is certain: a borrow may mark bytes above it. */
static inline uint64_t cl_string_stops8(uint64_t w)
{
    uint64_t quote = (w ^ CL_EACH_BYTE('"')) - CL_EACH_BYTE(1);
    uint64_t backslash = (w ^ CL_EACH_BYTE('\\')) - CL_EACH_BYTE(1);
    return (w | (w - CL_EACH_BYTE(0x20)) | quote | backslash) & CL_EACH_BYTE(0x80);
}

#endif
