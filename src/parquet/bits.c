#include "parquet/bits.h"

#include <string.h>

/* 8 bits or fewer from any place; reads no byte past the one with the last bit. */
static unsigned take(const uint8_t *bits, size_t at, size_t n)
{
    unsigned word = bits[at >> 3], shift = at & 7;
    if (shift + n > 8) word |= (unsigned)bits[(at >> 3) + 1] << 8;
    return word >> shift & ((1u << n) - 1);
}

void cl_bits_append(uint8_t *dst, size_t dst_at, const uint8_t *src, size_t src_at, size_t n)
{
    while (n > 0) {
        size_t used = dst_at & 7, step = n < 8 - used ? n : 8 - used;
        unsigned kept = dst[dst_at >> 3] & ((1u << used) - 1);
        dst[dst_at >> 3] = (uint8_t)(kept | take(src, src_at, step) << used);
        dst_at += step;
        src_at += step;
        n -= step;
    }
}

void cl_bits_append_ones(uint8_t *dst, size_t dst_at, size_t n)
{
    static const uint8_t ones = 0xff;
    while (n > 0) {
        size_t used = dst_at & 7, step = n < 8 - used ? n : 8 - used;
        if (used == 0 && n >= 8) {
            memset(dst + (dst_at >> 3), 0xff, n >> 3);
            step = n & ~(size_t)7;
        } else {
            cl_bits_append(dst, dst_at, &ones, 0, step);
        }
        dst_at += step;
        n -= step;
    }
}

size_t cl_bits_count(const uint8_t *bits, size_t at, size_t n)
{
    size_t count = 0;
    while (n > 0) {
        size_t step = n < 8 ? n : 8;
        if ((at & 7) == 0 && n >= 64) {
            uint64_t word;
            memcpy(&word, bits + (at >> 3), 8);
            count += (size_t)__builtin_popcountll(word);
            step = 64;
        } else {
            count += (size_t)__builtin_popcount(take(bits, at, step));
        }
        at += step;
        n -= step;
    }
    return count;
}

/* First bit at or after `at` that is `wanted`, or end. */
static size_t find(const uint8_t *bits, size_t at, size_t end, unsigned wanted)
{
    uint8_t dull = wanted != 0 ? 0x00 : 0xff;
    while (at < end) {
        if ((at & 7) == 0 && bits[at >> 3] == dull) {
            at += 8;
            continue;
        }
        if ((bits[at >> 3] >> (at & 7) & 1u) == wanted) return at;
        at++;
    }
    return end;
}

size_t cl_bits_next_run(const uint8_t *bits, size_t at, size_t end, size_t *ret_start)
{
    size_t start = find(bits, at, end, 1);
    *ret_start = start;
    return find(bits, start, end, 0) - start;
}
