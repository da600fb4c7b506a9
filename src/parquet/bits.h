/* bits.h - bitmaps of Arrow batches (LSB first), cut and joined at any bit. */
#ifndef CITYLAKE_PARQUET_BITS_H
#define CITYLAKE_PARQUET_BITS_H

#include <stddef.h>
#include <stdint.h>

/* Appends n bits of src, from bit src_at, to dst at bit dst_at.  The rest of dst's last byte
 * becomes zero. */
void cl_bits_append(uint8_t *dst, size_t dst_at, const uint8_t *src, size_t src_at, size_t n);

/* The same with ones. */
void cl_bits_append_ones(uint8_t *dst, size_t dst_at, size_t n);

/* Ones among n bits from bit `at`. */
size_t cl_bits_count(const uint8_t *bits, size_t at, size_t n);

/* The next run of ones at or after bit `at` and before bit `end`: its first bit in *ret_start
 * (`end`: there is none), its length returned. */
size_t cl_bits_next_run(const uint8_t *bits, size_t at, size_t end, size_t *ret_start);

#endif
