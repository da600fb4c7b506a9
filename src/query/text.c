/* text.c - see text.h. */
#include "query/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void cl_text_init(struct cl_text *t, struct cl_buf *buf, struct cl_error *err)
{
    *t = (struct cl_text){.buf = buf, .code = CL_OK, .err = err};
}

void cl_text_byte(struct cl_text *t, char byte)
{
    if (t->code == CL_OK) t->code = cl_buf_append_byte(t->buf, (uint8_t)byte, t->err);
}

void cl_text_bytes(struct cl_text *t, const char *bytes, size_t len)
{
    if (t->code == CL_OK) t->code = cl_buf_append(t->buf, bytes, len, t->err);
}

void cl_text_str(struct cl_text *t, const char *text)
{
    cl_text_bytes(t, text, strlen(text));
}

void cl_text_printf(struct cl_text *t, const char *fmt, ...)
{
    char small[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (len < 0 || t->code != CL_OK) return;
    if ((size_t)len < sizeof small) {
        cl_text_bytes(t, small, (size_t)len);
        return;
    }
    t->code = cl_buf_reserve(t->buf, (size_t)len + 1, t->err);
    if (t->code != CL_OK) return;
    va_start(args, fmt);
    (void)vsnprintf((char *)t->buf->data + t->buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    t->buf->len += (size_t)len;
}

void cl_text_int(struct cl_text *t, int64_t value)
{
    char digits[24], *end = digits + sizeof digits, *p = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) *--p = '-';
    cl_text_bytes(t, p, (size_t)(end - p));
}

void cl_text_quoted(struct cl_text *t, char quote, const char *text, size_t len)
{
    cl_text_byte(t, quote);
    while (len > 0) {
        const char *at = memchr(text, quote, len);
        size_t n = at == NULL ? len : (size_t)(at - text) + 1;
        cl_text_bytes(t, text, n);
        if (at != NULL) cl_text_byte(t, quote);
        text += n;
        len -= n;
    }
    cl_text_byte(t, quote);
}

/* RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
size_t cl_utf8_char(const char *text, size_t len, uint32_t *ret_code_point)
{
    const uint8_t *p = (const uint8_t *)text;
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
               : (p[0] & 0xF0) == 0xE0       ? 3
               : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                             : 0;
    if (n == 0 || n > len) return 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < smallest[n] || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF) return 0;
    *ret_code_point = c;
    return n;
}

static void json_escape(struct cl_text *t, unsigned char c)
{
    switch (c) {
    case '"': cl_text_str(t, "\\\""); break;
    case '\\': cl_text_str(t, "\\\\"); break;
    case '\n': cl_text_str(t, "\\n"); break;
    case '\r': cl_text_str(t, "\\r"); break;
    case '\t': cl_text_str(t, "\\t"); break;
    default: cl_text_printf(t, "\\u%04x", c);
    }
}

void cl_text_json(struct cl_text *t, const char *text, size_t len)
{
    cl_text_byte(t, '"');
    size_t done = 0, i = 0;
    while (i < len) {
        unsigned char c = (unsigned char)text[i];
        uint32_t code_point;
        size_t n = c < 0x80 ? 1 : cl_utf8_char(text + i, len - i, &code_point);
        if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += n;
            continue;
        }
        cl_text_bytes(t, text + done, i - done);
        if (n == 0)
            cl_text_str(t, "\xEF\xBF\xBD");
        else
            json_escape(t, c);
        done = ++i;
    }
    cl_text_bytes(t, text + done, len - done);
    cl_text_byte(t, '"');
}

static void put_number(struct cl_text *t, const char *digits)
{
    cl_text_str(t, digits);
    if (strpbrk(digits, ".e") == NULL) cl_text_str(t, ".0");
}

/* Most measured numbers have six decimals or less.  n / 10^6 is the double nearest to that decimal
 * (both are exact), so the text reads back as `value`; with 15 digits or less no shorter text does.
 */
static bool put_short_decimal(struct cl_text *t, double value)
{
    if (!(fabs(value) < 1e9)) return false;
    int64_t n = llrint(value * 1e6);
    if (n == 0 || (double)n / 1e6 != value) return false; /* 0: or -0.0 */
    char digits[6];
    int64_t magnitude = n < 0 ? -n : n, fraction = magnitude % 1000000;
    size_t len = sizeof digits;
    for (size_t i = len; i > 0; i--, fraction /= 10)
        digits[i - 1] = (char)('0' + fraction % 10);
    while (len > 1 && digits[len - 1] == '0')
        len--;
    if (n < 0) cl_text_byte(t, '-');
    cl_text_int(t, magnitude / 1000000);
    cl_text_byte(t, '.');
    cl_text_bytes(t, digits, len);
    return true;
}

/* 17 significant digits always read back as the same double (9 for a float); most numbers need 15
 * (6) or less, which printf trims. */
void cl_text_double(struct cl_text *t, double value)
{
    char digits[40];
    if (put_short_decimal(t, value)) return;
    if (!isfinite(value)) {
        cl_text_str(t, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    for (int precision = fpclassify(value) == FP_SUBNORMAL ? 1 : 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (precision == 17 || strtod(digits, NULL) == value) break;
    }
    put_number(t, digits);
}

void cl_text_float(struct cl_text *t, float value)
{
    char digits[40];
    if (!isfinite(value)) {
        cl_text_double(t, (double)value);
        return;
    }
    for (int precision = fpclassify(value) == FP_SUBNORMAL ? 1 : 6; precision <= 9; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (precision == 9 || strtof(digits, NULL) == value) break;
    }
    put_number(t, digits);
}
