/* duckdb_scalar.c - see duckdb_scalar.h. */
#include "query/duckdb_scalar.h"

#include "base/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

static const int64_t DAY_S = 86400;

static void two_digits(char *to, unsigned value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
}

/* Years before 1 are counted backwards: year 0 is 1 BC. */
static void put_civil(struct cl_text *t, int64_t days)
{
    int64_t year;
    unsigned month, day;
    cl_civil_from_days(days, &year, &month, &day);
    if (year <= 0 || year > 9999) {
        cl_text_printf(t, "%04" PRId64 "-%02u-%02u%s", year <= 0 ? 1 - year : year, month, day,
                       year <= 0 ? " (BC)" : "");
        return;
    }
    char text[10] = "0000-00-00";
    two_digits(text, (unsigned)year / 100);
    two_digits(text + 2, (unsigned)year % 100);
    two_digits(text + 5, month);
    two_digits(text + 8, day);
    cl_text_bytes(t, text, sizeof text);
}

void cl_put_date(struct cl_text *t, int32_t days)
{
    if (days == INT32_MAX || days == -INT32_MAX)
        cl_text_str(t, days > 0 ? "infinity" : "-infinity");
    else
        put_civil(t, days);
}

/* The fraction without the zeros at its end, at least `digits_min` digits of it. */
static void put_fraction(struct cl_text *t, int64_t fraction, int64_t per_second, int digits_min)
{
    char digits[12];
    int n = 0;
    for (int64_t unit = per_second / 10; unit > 0; unit /= 10)
        digits[n++] = (char)('0' + fraction / unit % 10);
    while (n > digits_min && digits[n - 1] == '0')
        n--;
    if (n == 0) return;
    cl_text_byte(t, '.');
    cl_text_bytes(t, digits, (size_t)n);
}

void cl_put_time(struct cl_text *t, int64_t ticks, int64_t per_second)
{
    unsigned s = (unsigned)(ticks / per_second); /* at most 24:00:00 */
    char text[8] = "00:00:00";
    two_digits(text, s / 3600);
    two_digits(text + 3, s / 60 % 60);
    two_digits(text + 6, s % 60);
    cl_text_bytes(t, text, sizeof text);
    if (ticks % per_second != 0) put_fraction(t, ticks % per_second, per_second, 0);
}

void cl_put_timestamp(struct cl_text *t, int64_t ticks, int64_t per_second, bool zone)
{
    if (ticks == INT64_MAX || ticks == -INT64_MAX) {
        cl_text_str(t, ticks > 0 ? "infinity" : "-infinity");
        return;
    }
    int64_t per_day = DAY_S * per_second, days = ticks / per_day, rest = ticks % per_day;
    if (rest < 0) {
        rest += per_day;
        days--;
    }
    put_civil(t, days);
    cl_text_byte(t, ' ');
    cl_put_time(t, rest, per_second);
    if (zone) cl_put_zone(t, 0);
}

void cl_put_zone(struct cl_text *t, int32_t offset_s)
{
    int32_t s = abs(offset_s);
    cl_text_printf(t, "%c%02d", offset_s < 0 ? '-' : '+', s / 3600);
    if (s % 3600 != 0) cl_text_printf(t, ":%02d", s / 60 % 60);
    if (s % 60 != 0) cl_text_printf(t, ":%02d", s % 60);
}

static void put_unit(struct cl_text *t, size_t start, int32_t n, const char *unit)
{
    if (n == 0) return;
    cl_text_printf(t, "%s%d %s%s", t->buf->len > start ? " " : "", n, unit,
                   n == 1 || n == -1 ? "" : "s");
}

void cl_put_interval(struct cl_text *t, int32_t months, int32_t days, int64_t us)
{
    size_t start = t->buf->len;
    put_unit(t, start, months / 12, "year");
    put_unit(t, start, months % 12, "month");
    put_unit(t, start, days, "day");
    if (us == 0 && t->buf->len > start) return;
    if (t->buf->len > start) cl_text_byte(t, ' ');
    if (us < 0) cl_text_byte(t, '-');
    uint64_t magnitude = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    uint64_t s = magnitude / 1000000;
    cl_text_printf(t, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
    if (magnitude % 1000000 != 0) put_fraction(t, (int64_t)(magnitude % 1000000), 1000000, 0);
}

void cl_put_hugeint(struct cl_text *t, unsigned __int128 magnitude, bool negative)
{
    char digits[48], *end = digits + sizeof digits, *p = end;
    do {
        *--p = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    } while (magnitude > 0);
    if (negative) *--p = '-';
    cl_text_bytes(t, p, (size_t)(end - p));
}

void cl_put_decimal(struct cl_text *t, __int128 unscaled, unsigned scale)
{
    unsigned __int128 magnitude =
        unscaled < 0 ? 0 - (unsigned __int128)unscaled : (unsigned __int128)unscaled;
    char fraction[40];
    for (unsigned i = scale; i > 0; i--) {
        fraction[i - 1] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    }
    cl_put_hugeint(t, magnitude, unscaled < 0);
    if (scale == 0) return;
    cl_text_byte(t, '.');
    cl_text_bytes(t, fraction, scale);
}

void cl_put_uuid(struct cl_text *t, unsigned __int128 bits)
{
    uint64_t high = (uint64_t)(bits >> 64), low = (uint64_t)bits;
    cl_text_printf(t, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                   high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48,
                   low & 0xFFFFFFFFFFFFu);
}

void cl_put_blob(struct cl_text *t, const uint8_t *bytes, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        uint8_t c = bytes[i];
        if (c >= 32 && c < 127 && c != '\\' && c != '\'' && c != '"')
            cl_text_byte(t, (char)c);
        else
            cl_text_bytes(t, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
    }
}

void cl_put_bits(struct cl_text *t, const uint8_t *bytes, size_t len)
{
    if (len == 0) return;
    for (size_t i = bytes[0]; i < (len - 1) * 8; i++)
        cl_text_byte(t, (bytes[1 + i / 8] >> (7 - i % 8) & 1) ? '1' : '0');
}
