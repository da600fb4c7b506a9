/* bounds.h - short bounds for long strings: a prefix is a lower bound, a prefix rounded up is an
 * upper bound.
 *
 * Rounding up increments the last unit that can be incremented and drops what follows.  Units are
 * code points for UTF-8 (whose byte order is the order of its code points) and bytes for binary.
 * Malformed UTF-8 never makes these functions read past the end, and the results are still bounds
 * in byte order. */
#ifndef CITYLAKE_PARQUET_BOUNDS_H
#define CITYLAKE_PARQUET_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CL_BOUND_SLACK = 4
}; /* bytes by which rounding up may lengthen a value (U+007F -> U+0080, U+FFFF -> U+10000) */

/* Length of the longest prefix of whole units that has at most max_bytes bytes and max_units units.
 */
size_t cl_bound_cut(const uint8_t *value, size_t len, bool utf8, size_t max_bytes,
                    size_t max_units);

/* Turns value[0..len) into the least value above every string that begins with it.  The buffer has
 * room for CL_BOUND_SLACK more bytes.  Returns the new length; 0: there is no such value (only
 * U+10FFFF or 0xff bytes), the buffer is unchanged. */
size_t cl_bound_round_up(uint8_t *value, size_t len, bool utf8);

#endif
