/* scalars.h - numbers as people write them, in city.yaml and on the command line: 1_000_000, 10k,
 * 2M, 128 MiB, true.
 *
 * Each answers CL_EINVAL with a message that quotes the text (cut at 64 bytes) and shows an example
 * of what is right. */
#ifndef CITYLAKE_SPEC_SCALARS_H
#define CITYLAKE_SPEC_SCALARS_H

#include "base/error.h"

#include <stdint.h>

/* Whole numbers: digits, `_` between digits, and k, M or G for thousands, millions, thousand
 * millions ("1.5M" is 1500000). */
CL_MUSTCHECK enum cl_code cl_scalar_count(const char *text, int64_t *ret, struct cl_error *err);

/* Decimal numbers with the same suffixes; finite.  "inf", "nan" and hexadecimal are refused. */
CL_MUSTCHECK enum cl_code cl_scalar_real(const char *text, double *ret, struct cl_error *err);

/* Bytes: "128 MiB", "64KiB", "1 GB" (1000^3), "512 B", or a bare number of bytes. */
CL_MUSTCHECK enum cl_code cl_scalar_size(const char *text, int64_t *ret_bytes,
                                         struct cl_error *err);

/* true or false (YAML 1.2 core: also True, TRUE...). */
CL_MUSTCHECK enum cl_code cl_scalar_bool(const char *text, bool *ret, struct cl_error *err);

#endif
