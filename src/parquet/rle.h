/* rle.h - Parquet's RLE / bit-packing hybrid: definition levels and dictionary indexes.
 *
 * A sequence of runs, each begun by a varint: low bit 0 = (count << 1), then the value in
 * ceil(width / 8) bytes; low bit 1 = (groups << 1), then groups * 8 values of `width` bits, LSB
 * first. Source: Encodings.md of Apache Parquet, "Run Length Encoding / Bit-Packing Hybrid". */
#ifndef CITYLAKE_PARQUET_RLE_H
#define CITYLAKE_PARQUET_RLE_H

#include <stddef.h>
#include <stdint.h>

/* Bits that hold every value up to max: 0 for 0. */
int cl_rle_width(uint32_t max);

/* Room that cl_rle_encode needs at `out` for n values; it may write, and leave unused, some bytes
 * past its result. */
size_t cl_rle_room(size_t n, int width);

/* Encodes n values of at most `width` bits (0 to 32).  Returns the end of what it wrote. */
uint8_t *cl_rle_encode(uint8_t *out, const uint32_t *values, size_t n, int width);

/* Definition levels of an optional flat column: bits, LSB first, 1 = present; `present` of the n
 * are. Bits at n and after are ignored.  Needs cl_rle_room(n, 1).  Returns the end. */
uint8_t *cl_rle_levels(uint8_t *out, const uint8_t *bits, size_t n, size_t present);

#endif
