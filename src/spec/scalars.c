#include "spec/scalars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Splits "1_000.5 MiB" into a number and what follows it (blanks skipped).  Not strtod on the text
 * itself: that would take hex, "inf" and "nan".  NULL: no number stands there. */
static const char *split_number(const char *text, double *ret)
{
    char digits[64];
    size_t n = 0;
    const char *p = text;
    bool any = false, point = false, exponent = false;
    if (*p == '-' || *p == '+') digits[n++] = *p++;
    for (; *p != '\0' && n + 2 < sizeof digits; p++) {
        if (*p >= '0' && *p <= '9') {
            any = true;
        } else if (*p == '_' && any && p[-1] != '_' && p[1] >= '0' && p[1] <= '9') {
            continue;
        } else if (*p == '.' && !point && !exponent) {
            point = true;
        } else if ((*p == 'e' || *p == 'E') && any && !exponent &&
                   (p[1 + (p[1] == '-' || p[1] == '+')] >= '0' &&
                    p[1 + (p[1] == '-' || p[1] == '+')] <= '9')) {
            exponent = true;
            digits[n++] = *p;
            if (p[1] == '-' || p[1] == '+') digits[n++] = *++p;
            continue;
        } else {
            break;
        }
        digits[n++] = *p;
    }
    if (!any || n + 2 >= sizeof digits) return NULL;
    digits[n] = '\0';
    char *end = NULL;
    *ret = strtod(digits, &end);
    if (*end != '\0' || !isfinite(*ret)) return NULL;
    return p + strspn(p, " ");
}

static bool thousands(const char *suffix, double *number)
{
    static const struct {
        const char *text;
        double factor;
    } known[] = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(suffix, known[i].text) != 0) continue;
        *number *= known[i].factor;
        return isfinite(*number);
    }
    return false;
}

/* Plain digits are read as integers, so that all 64 bits are exact; only suffixes and fractions go
 * through a double. */
static bool exact_integer(const char *text, int64_t *ret)
{
    int64_t value = 0;
    const char *p = text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    if (*p < '0' || *p > '9') return false;
    for (; *p != '\0'; p++) {
        if (*p == '_' && p[-1] != '_' && p[1] >= '0' && p[1] <= '9') continue;
        if (*p < '0' || *p > '9') return false;
        int digit = *p - '0';
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_add_overflow(value, negative ? -digit : digit, &value)) return false;
    }
    *ret = value;
    return true;
}

enum cl_code cl_scalar_count(const char *text, int64_t *ret, struct cl_error *err)
{
    double number;
    if (exact_integer(text, ret)) return CL_OK;
    const char *suffix = split_number(text, &number);
    if (suffix == NULL || !thousands(suffix, &number) || number != floor(number) ||
        fabs(number) > 9e15)
        return cl_fail(err, CL_EINVAL,
                       "\"%.64s\" is not a whole number such as 500, 1_000_000, 10k or 2M", text);
    *ret = (int64_t)number;
    return CL_OK;
}

enum cl_code cl_scalar_real(const char *text, double *ret, struct cl_error *err)
{
    double number;
    const char *suffix = split_number(text, &number);
    if (suffix == NULL || !thousands(suffix, &number))
        return cl_fail(err, CL_EINVAL, "\"%.64s\" is not a number such as 0.5, 12 or 10k", text);
    *ret = number;
    return CL_OK;
}

enum cl_code cl_scalar_size(const char *text, int64_t *ret_bytes, struct cl_error *err)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"", 1},
                 {"B", 1},
                 {"kB", 1e3},
                 {"KB", 1e3},
                 {"MB", 1e6},
                 {"GB", 1e9},
                 {"TB", 1e12},
                 {"KiB", 1024},
                 {"MiB", 1 << 20},
                 {"GiB", 1 << 30},
                 {"TiB", 1099511627776.0}};
    double number;
    const char *unit = split_number(text, &number);
    for (size_t i = 0; unit != NULL && i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].unit) != 0) continue;
        number *= units[i].bytes;
        if (number != floor(number) || number < 0 || number > 9e15) break;
        *ret_bytes = (int64_t)number;
        return CL_OK;
    }
    return cl_fail(
        err, CL_EINVAL,
        "\"%.64s\" is not a size such as \"128 MiB\", \"64 KiB\", \"1 GB\" or 4096 (bytes)", text);
}

enum cl_code cl_scalar_bool(const char *text, bool *ret, struct cl_error *err)
{
    static const char *const yes[] = {"true", "True", "TRUE"}, *const no[] = {"false", "False",
                                                                              "FALSE"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, yes[i]) != 0 && strcmp(text, no[i]) != 0) continue;
        *ret = strcmp(text, yes[i]) == 0;
        return CL_OK;
    }
    return cl_fail(err, CL_EINVAL, "\"%.64s\" is neither true nor false", text);
}
