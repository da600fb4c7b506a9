#include "parquet/rle.h"

#include <stdbool.h>
#include <string.h>

int cl_rle_width(uint32_t max)
{
    return max == 0 ? 0 : 32 - __builtin_clz(max);
}

/* Every 8 values cost at most a packed group with its header, or a run with its header; packing
 * stores whole words. */
size_t cl_rle_room(size_t n, int width)
{
    return (n / 8 + 1) * ((size_t)width + 10) + 32;
}

static uint8_t *put_varint(uint8_t *out, uint64_t v)
{
    while (v >= 0x80) {
        *out++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *out++ = (uint8_t)v;
    return out;
}

static uint8_t *put_run(uint8_t *out, uint32_t value, size_t count, int width)
{
    out = put_varint(out, (uint64_t)count << 1);
    for (int bits = 0; bits < width; bits += 8)
        *out++ = (uint8_t)(value >> bits);
    return out;
}

/* 8 values of up to 8 bits are one word; of up to 16 bits, two. */
static uint8_t *pack_narrow(uint8_t *out, const uint32_t *v, int width)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word |= (uint64_t)v[i] << (i * width);
    memcpy(out, &word, 8);
    return out + width;
}

static uint8_t *pack_medium(uint8_t *out, const uint32_t *v, int width)
{
    unsigned __int128 low = 0, high = 0;
    for (int i = 0; i < 4; i++) {
        low |= (unsigned __int128)v[i] << (i * width);
        high |= (unsigned __int128)v[i + 4] << (i * width);
    }
    low |= high << (4 * width);
    memcpy(out, &low, 16);
    return out + width;
}

static uint8_t *pack_wide(uint8_t *out, const uint32_t *v, int width)
{
    uint64_t word = 0;
    int bits = 0;
    for (int i = 0; i < 8; i++) {
        word |= (uint64_t)v[i] << bits;
        bits += width;
        while (bits >= 8) {
            *out++ = (uint8_t)word;
            word >>= 8;
            bits -= 8;
        }
    }
    return out;
}

static uint8_t *pack_group(uint8_t *out, const uint32_t *v, int width)
{
    if (width <= 8) return pack_narrow(out, v, width);
    if (width <= 16) return pack_medium(out, v, width);
    return pack_wide(out, v, width);
}

static bool group_is_equal(const uint32_t *v)
{
    uint32_t differ = 0;
    for (int i = 1; i < 8; i++)
        differ |= v[i] ^ v[0];
    return differ == 0;
}

/* Packs n values, of which only the last group may be partial (padded with zeros). */
static uint8_t *put_packed(uint8_t *out, const uint32_t *v, size_t n, int width)
{
    out = put_varint(out, (uint64_t)((n + 7) / 8) << 1 | 1);
    for (; n >= 8; n -= 8, v += 8)
        out = pack_group(out, v, width);
    if (n > 0) {
        uint32_t tail[8] = {0};
        memcpy(tail, v, n * sizeof *v);
        out = pack_group(out, tail, width);
    }
    return out;
}

uint8_t *cl_rle_encode(uint8_t *out, const uint32_t *values, size_t n, int width)
{
    if (width == 0) return n > 0 ? put_run(out, 0, n, 0) : out;
    size_t i = 0;
    while (i < n) {
        size_t end =
            i; /* of the groups that are worth packing; steps of 8 keep every packed run whole */
        while (n - end >= 8 && !group_is_equal(values + end))
            end += 8;
        if (n - end < 8) return put_packed(out, values + i, n - i, width);
        if (end > i) out = put_packed(out, values + i, end - i, width);
        i = end + 8;
        while (i < n && values[i] == values[end])
            i++;
        out = put_run(out, values[end], i - end, width);
    }
    return out;
}

uint8_t *cl_rle_levels(uint8_t *out, const uint8_t *bits, size_t n, size_t present)
{
    if (n == 0) return out;
    if (present == n || present == 0) return put_run(out, present > 0, n, 1);
    size_t bytes = (n + 7) / 8;
    out = put_varint(out, (uint64_t)bytes << 1 | 1);
    memcpy(out, bits, bytes);
    return out + bytes;
}
