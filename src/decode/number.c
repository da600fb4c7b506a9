/* number.c - the parts of number.h that are off the common path, and the conversion to double.
 *
 * Order of attempts for a double: Clinger's exact cases (number.h); the Eisel-Lemire product of the
 * digits with a 128-bit power of five, which says when it cannot decide (D. Lemire, "Number Parsing
 * at a Gigabyte per Second", 2021); strtod. strtod is handed digits and an exponent without a
 * decimal point, so the locale cannot matter, and never more than KEPT_DIGITS digits: 767 decide
 * any double, and one more non-zero digit stands for all that follow. */
#include "decode/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT_DIGITS = 780 };

/* Larger exponents are held here: beyond the exponent of any type by more than the digits of any
 * message. */
#define EXPONENT_MAX ((int64_t)1 << 48)

const uint8_t *cl_number_scan_exponent(const uint8_t *p, const uint8_t *end, struct cl_number *n)
{
    p++; /* the e */
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end || !cl_is_digit(*p)) return NULL;
    int64_t e = 0;
    for (; p < end && cl_is_digit(*p); p++)
        if (e < EXPONENT_MAX) e = e * 10 + (*p - '0');
    n->exponent += negative ? -e : e;
    n->integer = false;
    return p;
}

/* Walks the digits of the mantissa, with or without the point between them. */
struct walk {
    const uint8_t *p, *end;
    bool fraction; /* the digit just given stood after the point */
};

static struct walk walk_from(const struct cl_number *n)
{
    return (struct walk){n->text + n->negative, n->end, false};
}

static bool next_digit(struct walk *w, int *ret)
{
    if (w->p < w->end && *w->p == '.') {
        w->p++;
        w->fraction = true;
    }
    if (w->p == w->end || !cl_is_digit(*w->p)) return false;
    *ret = *w->p++ - '0';
    return true;
}

/* exponent: the one written after e, or 0. */
void cl_number_cut(struct cl_number *n, const uint8_t *mantissa_end, int64_t exponent)
{
    struct walk w = {n->text + n->negative, mantissa_end, false};
    uint64_t digits = 0;
    int kept = 0, digit;
    while (next_digit(&w, &digit)) {
        if (kept > 0 || digit > 0) kept++;
        if (kept <= CL_NUMBER_DIGITS) {
            digits = digits * 10 + (uint64_t)digit;
            exponent -= w.fraction;
        } else {
            kept = CL_NUMBER_DIGITS + 1; /* enough to know */
            n->cut |= digit != 0;
            exponent += !w.fraction;
        }
    }
    n->digits = digits;
    n->exponent = exponent;
}

static double assemble(uint64_t mantissa, uint64_t biased_exponent)
{
    uint64_t bits = mantissa | biased_exponent << 52;
    double v;
    memcpy(&v, &bits, 8);
    return v;
}

double cl_eisel_lemire(uint64_t digits, int64_t q)
{
    if (q < CL_POW5_FIRST) return 0;
    if (q > CL_POW5_LAST) return INFINITY;
    int lz = __builtin_clzll(digits);
    uint64_t w = digits << lz;
    const uint64_t *power = cl_pow5_table[q - CL_POW5_FIRST];
    unsigned __int128 product = (unsigned __int128)w * power[0];
    uint64_t hi = (uint64_t)(product >> 64), lo = (uint64_t)product;
    /* If the 9 bits under the 55 wanted are all ones, a carry from the lower word matters. */
    if ((hi & 0x1ff) == 0x1ff) {
        uint64_t more = (uint64_t)((unsigned __int128)w * power[1] >> 64);
        lo += more;
        hi += lo < more;
    }
    /* The power itself is not exact out there. */
    if (lo == UINT64_MAX && (q < -27 || q > 55)) return NAN;
    int upper = (int)(hi >> 63), shift = upper + 64 - 52 - 3;
    uint64_t mantissa = hi >> shift; /* 54 bits: 53 and one to round by */
    /* floor(q * log2(5)) + q, by a fixed-point logarithm that is exact over the table's q. */
    int64_t exponent = (((152170 + 65536) * q) >> 16) + 63 + upper - lz + 1023;
    if (exponent <= 0) { /* subnormal, or zero */
        if (-exponent + 1 >= 64) return 0;
        mantissa >>= -exponent + 1;
        mantissa = (mantissa + (mantissa & 1)) >> 1;
        return assemble(mantissa, 0); /* a carry into bit 52 makes the smallest normal number */
    }
    /* Exactly half-way is possible for small q only: then round to even, not up. */
    if (lo <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << shift == hi)
        mantissa &= ~UINT64_C(1);
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> 53 != 0) {
        mantissa >>= 1;
        exponent++;
    }
    if (exponent >= 0x7ff) return INFINITY;
    return assemble(mantissa & ~(UINT64_C(1) << 52), (uint64_t)exponent);
}

/* Digits and exponent for strtod and strtof; see the top of the file. */
struct plain_text {
    char text[KEPT_DIGITS + 40];
};

static void write_plain(const struct cl_number *n, struct plain_text *t)
{
    struct walk w = walk_from(n);
    int64_t exponent = 0;
    size_t used = 0;
    bool more = false;
    int digit;
    if (n->negative) t->text[used++] = '-';
    t->text[used++] = '0';
    size_t first = used;
    while (next_digit(&w, &digit)) {
        if (used < first + KEPT_DIGITS) {
            if (used > first || digit > 0) t->text[used++] = (char)('0' + digit);
            exponent -= w.fraction;
        } else {
            more |= digit > 0;
            exponent += !w.fraction;
        }
    }
    if (more) {
        t->text[used++] = '1';
        exponent--;
    }
    struct cl_number e = {.exponent = 0};
    if (w.p < w.end) (void)cl_number_scan_exponent(w.p, w.end, &e);
    exponent += e.exponent;
    (void)snprintf(t->text + used, sizeof t->text - used, "e%lld", (long long)exponent);
}

bool cl_number_to_double_slow(const struct cl_number *n, double *ret)
{
    double v = n->digits == 0 ? 0 : cl_eisel_lemire(n->digits, n->exponent);
    if (n->cut && v != cl_eisel_lemire(n->digits + 1, n->exponent)) v = NAN;
    if (isnan(v)) {
        struct plain_text t;
        write_plain(n, &t);
        v = fabs(strtod(t.text, NULL));
    }
    if (isinf(v)) return false;
    *ret = n->negative ? -v : v;
    return true;
}

/* Rounding the nearest double to float goes wrong only where that double lies half-way between two
 * floats, which its low 29 bits tell, and among subnormal floats, which have fewer bits. */
bool cl_number_to_float(const struct cl_number *n, float *ret)
{
    double wide;
    if (!cl_number_to_double(n, &wide)) return false;
    uint64_t bits;
    memcpy(&bits, &wide, 8);
    float v;
    if ((bits & 0x1fffffff) == 0x10000000 || (wide != 0 && fabs(wide) < (double)FLT_MIN * 2)) {
        struct plain_text t;
        write_plain(n, &t);
        v = strtof(t.text, NULL);
    } else {
        v = (float)wide;
    }
    if (isinf(v)) return false;
    *ret = v;
    return true;
}

__int128 cl_power_of_ten(int n)
{
    __int128 v = 1;
    while (n-- > 0)
        v *= 10;
    return v;
}

/* Appends a digit to a magnitude; false when 128 bits do not hold it. */
static bool append_digit(unsigned __int128 *v, int digit)
{
    const unsigned __int128 max = ~(unsigned __int128)0 >> 1;
    if (*v > (max - (unsigned)digit) / 10) return false;
    *v = *v * 10 + (unsigned)digit;
    return true;
}

/* Walks the text digit by digit: `weight` is the power of ten of the digit at hand, counted in
 * units of 10^-scale. */
static enum cl_number_fit scaled_from_text(const struct cl_number *n, int scale,
                                           unsigned __int128 *ret, bool *ret_rest)
{
    struct walk w = walk_from(n);
    struct cl_number e = {.exponent = 0};
    int digit;
    int64_t weight = scale - 1;
    const uint8_t *p = w.p;
    for (; p < n->end && cl_is_digit(*p); p++)
        weight++;
    for (; p < n->end && (*p | 0x20) != 'e'; p++) {
    }
    if (p < n->end) (void)cl_number_scan_exponent(p, n->end, &e);
    weight += e.exponent;
    unsigned __int128 v = 0;
    for (; next_digit(&w, &digit); weight--) {
        if (weight < 0)
            *ret_rest |= digit > 0;
        else if (!append_digit(&v, digit))
            return CL_NUMBER_RANGE;
    }
    for (; v > 0 && weight >= 0; weight--)
        if (!append_digit(&v, 0)) return CL_NUMBER_RANGE;
    *ret = v;
    return CL_NUMBER_OK;
}

enum cl_number_fit cl_number_to_scaled(const struct cl_number *n, int scale, bool floor,
                                       __int128 *ret)
{
    int64_t shift = n->exponent + scale;
    unsigned __int128 v = 0;
    bool rest = false;
    if (!n->cut && shift >= 0 && shift <= 18) {
        v = (unsigned __int128)n->digits * (unsigned __int128)cl_power_of_ten((int)shift);
    } else {
        enum cl_number_fit fit = scaled_from_text(n, scale, &v, &rest);
        if (fit != CL_NUMBER_OK) return fit;
    }
    if (rest && !floor) return CL_NUMBER_FRACTION;
    *ret = n->negative ? -(__int128)v - rest : (__int128)v;
    return CL_NUMBER_OK;
}
