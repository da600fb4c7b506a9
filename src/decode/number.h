/* number.h - the numbers of JSON (RFC 8259, section 6): scanned once, converted exactly.
 *
 * cl_number_scan checks the grammar and keeps up to 19 significant digits; the conversions use
 * those, and go back to the text only when 19 digits cannot decide.  Every result is the correctly
 * rounded or the exact one. */
#ifndef CITYLAKE_DECODE_NUMBER_H
#define CITYLAKE_DECODE_NUMBER_H

#include "decode/swar.h"

#include <float.h>
#include <stddef.h>

struct cl_number {
    uint64_t digits;  /* the first 19 significant digits, as an integer */
    int64_t exponent; /* value = digits * 10^exponent, if not cut */
    bool negative;
    bool cut;     /* digits other than zero were left out: |value| is more than that, less than with
                     digits + 1 */
    bool integer; /* written without fraction and exponent */
    const uint8_t *text, *end;
};

enum cl_number_fit {
    CL_NUMBER_OK,
    CL_NUMBER_FRACTION, /* has digits finer than the type keeps */
    CL_NUMBER_RANGE,    /* too large for the type */
};

enum { CL_POW5_FIRST = -342, CL_POW5_LAST = 308, CL_NUMBER_DIGITS = 19 };
extern const uint64_t cl_pow5_table[CL_POW5_LAST - CL_POW5_FIRST + 1]
                                   [2]; /* most significant word first */

/* Cold parts of cl_number_scan. */
const uint8_t *cl_number_scan_exponent(const uint8_t *p, const uint8_t *end, struct cl_number *n);
void cl_number_cut(struct cl_number *n, const uint8_t *mantissa_end, int64_t exponent);

/* digits * 10^q as the nearest double: infinite when too large, NaN when 128 bits cannot decide.
 * digits != 0. */
double cl_eisel_lemire(uint64_t digits, int64_t q);

/* Every case of cl_number_to_double. */
bool cl_number_to_double_slow(const struct cl_number *n, double *ret);

/* Nearest float of the decimal text itself, not of a double in between.  false: larger than any
 * float. */
bool cl_number_to_float(const struct cl_number *n, float *ret);

/* value * 10^scale as an integer; CL_NUMBER_FRACTION when it is none, unless floor asks for the
 * next one below. */
enum cl_number_fit cl_number_to_scaled(const struct cl_number *n, int scale, bool floor,
                                       __int128 *ret);

/* 10^n for n in [0, 38]. */
__int128 cl_power_of_ten(int n);

/* p < end.  Returns the byte after the number, or NULL when there is none at p.  What follows is
 * the caller's business. */
static inline const uint8_t *cl_number_scan(const uint8_t *p, const uint8_t *end,
                                            struct cl_number *n)
{
    n->text = p;
    n->negative = *p == '-';
    p += n->negative;
    const uint8_t *first = p;
    uint64_t w = 0; /* wraps with more than 19 digits; cl_number_cut counts again then */
    while (p < end && cl_is_digit(*p)) /* few, most often */
        w = w * 10 + (uint64_t)(*p++ - '0');
    ptrdiff_t count = p - first;
    if (count == 0 || (*first == '0' && count > 1)) return NULL;
    int64_t exponent = 0;
    n->integer = true;
    if (p < end && *p == '.') {
        const uint8_t *fraction = ++p;
        p = cl_scan_digits(p, end, &w);
        if (p == fraction) return NULL;
        exponent = fraction - p;
        count -= exponent;
        n->integer = false;
    }
    n->digits = w;
    n->exponent = exponent;
    n->cut = false;
    const uint8_t *mantissa_end = p;
    if (p < end && (*p | 0x20) == 'e') {
        p = cl_number_scan_exponent(p, end, n);
        if (p == NULL) return NULL;
    }
    n->end = p;
    if (__builtin_expect(count > CL_NUMBER_DIGITS, 0))
        cl_number_cut(n, mantissa_end, n->exponent - exponent);
    return p;
}

/* Nearest double, ties to even, as strtod.  false: larger than any double.
 * First the exact cases of W. Clinger (1990): both operands are doubles without error, so one
 * rounding is all there is. */
static inline bool cl_number_to_double(const struct cl_number *n, double *ret)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double v;
    if (n->cut) return cl_number_to_double_slow(n, ret);
    if (n->digits <= UINT64_C(1) << 53 && n->exponent >= -22 && n->exponent <= 22)
        v = n->exponent < 0 ? (double)n->digits / powers[-n->exponent]
                            : (double)n->digits * powers[n->exponent];
    else
        v = n->digits == 0 ? 0 : cl_eisel_lemire(n->digits, n->exponent);
    if (!(v <= DBL_MAX)) return cl_number_to_double_slow(n, ret);
    *ret = n->negative ? -v : v;
    return true;
}

/* Any way of writing an integral number is taken: 5, 5.0, 50e-1. */
static inline enum cl_number_fit cl_number_to_long(const struct cl_number *n, int64_t *ret)
{
    if (n->integer && !n->cut && n->exponent == 0 && n->digits <= INT64_MAX) {
        *ret = n->negative ? -(int64_t)n->digits : (int64_t)n->digits;
        return CL_NUMBER_OK;
    }
    __int128 wide;
    enum cl_number_fit fit = cl_number_to_scaled(n, 0, false, &wide);
    if (fit != CL_NUMBER_OK) return fit;
    if (wide < INT64_MIN || wide > INT64_MAX) return CL_NUMBER_RANGE;
    *ret = (int64_t)wide;
    return CL_NUMBER_OK;
}

#endif
