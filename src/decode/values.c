/* values.c - see values.h.  A uuid and a time are checked many bytes at once; base64 goes by a
 * table. */
#include "decode/values.h"

#include "base/clock.h"
#include "decode/swar.h"

#if defined(__SSE2__)
#include <emmintrin.h>

/* Are the 16 bytes at p hex digits, but for hyphens exactly where the bits of `hyphens` are? */
static bool is_hex16(const uint8_t *p, int hyphens)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('0' - 1)),
                                  _mm_cmplt_epi8(v, _mm_set1_epi8('9' + 1)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(low, _mm_set1_epi8('a' - 1)),
                                   _mm_cmplt_epi8(low, _mm_set1_epi8('f' + 1)));
    int hex = _mm_movemask_epi8(_mm_or_si128(digit, letter));
    int minus = _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
    return minus == hyphens && (hex | minus) == 0xffff;
}

bool cl_uuid_check(const uint8_t *p)
{
    return is_hex16(p, 1 << 8 | 1 << 13) && is_hex16(p + 16, 1 << (18 - 16) | 1 << (23 - 16)) &&
           is_hex16(p + CL_UUID_LEN - 16, 1 << (23 - 20));
}

#else

bool cl_uuid_check(const uint8_t *p)
{
    for (int i = 0; i < CL_UUID_LEN; i++) {
        uint8_t low = p[i] | 0x20;
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? p[i] != '-' : !cl_is_digit(p[i]) && (low < 'a' || low > 'f')) return false;
    }
    return true;
}

#endif

/* XORed with eight bytes of a good time, digits become 0..9 and the rest 0; adding the second word
 * then sets no top bit. */
#define DATE_SHAPE UINT64_C(0x2d30302d30303030) /* 0000-00- */
#define DATE_LIMIT UINT64_C(0x7f76767f76767676)
#define HOUR_SHAPE UINT64_C(0x30303a3030543030) /* 00T00:00 */
#define HOUR_LIMIT UINT64_C(0x76767f76767f7676)

static bool fits(uint64_t word, uint64_t limit)
{
    return ((word | (word + limit)) & CL_EACH_BYTE(0x80)) == 0;
}

static unsigned digit_at(uint64_t word, int byte)
{
    return (unsigned)(word >> 8 * byte & 0xf);
}

static unsigned two_digits(uint64_t word, int byte)
{
    return digit_at(word, byte) * 10 + digit_at(word, byte + 1);
}

/* p: after the dot.  NULL: no digit or more than nine. */
static const uint8_t *scan_fraction(const uint8_t *p, const uint8_t *end, int64_t *ret_us)
{
    int64_t us = 0;
    int digits = 0;
    for (; p < end && cl_is_digit(*p); p++, digits++)
        if (digits < 6) us = us * 10 + (*p - '0');
    if (digits == 0 || digits > 9) return NULL;
    for (; digits < 6; digits++)
        us *= 10;
    *ret_us = us;
    return p;
}

/* p: the sign. */
static const uint8_t *scan_zone(const uint8_t *p, const uint8_t *end, int64_t *ret_shift_us)
{
    if (end - p < 6 || p[3] != ':' || !cl_is_digit(p[1]) || !cl_is_digit(p[2]) ||
        !cl_is_digit(p[4]) || !cl_is_digit(p[5]))
        return NULL;
    int hours = (p[1] - '0') * 10 + p[2] - '0', minutes = (p[4] - '0') * 10 + p[5] - '0';
    if (hours > 18 || minutes > 59) return NULL;
    *ret_shift_us = (int64_t)(hours * 60 + minutes) * (*p == '-' ? -60000000 : 60000000);
    return p + 6;
}

const uint8_t *cl_time_scan(const uint8_t *p, const uint8_t *end, int64_t *ret_us)
{
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (end - p < 20) return NULL; /* 19 bytes of time, and the quote that must follow */
    uint64_t date = cl_load64(p) ^ DATE_SHAPE, hour = cl_load64(p + 8);
    if ((hour >> 16 & 0xff) == ' ') hour ^= (uint64_t)(' ' ^ 'T') << 16;
    hour ^= HOUR_SHAPE;
    if (!fits(date, DATE_LIMIT) || !fits(hour, HOUR_LIMIT) || p[16] != ':' || !cl_is_digit(p[17]) ||
        !cl_is_digit(p[18]))
        return NULL;
    unsigned year = two_digits(date, 0) * 100 + two_digits(date, 2);
    unsigned month = two_digits(date, 5), day = two_digits(hour, 0);
    unsigned hours = two_digits(hour, 3), minutes = two_digits(hour, 6);
    unsigned seconds = (unsigned)(p[17] - '0') * 10 + (unsigned)(p[18] - '0');
    if (month - 1 > 11 || day == 0 || hours > 23 || minutes > 59 || seconds > 59) return NULL;
    if (day > month_days[month - 1]) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (month != 2 || day != 29 || !leap) return NULL;
    }
    int64_t fraction = 0, shift = 0;
    p += 19;
    if (*p == '.') {
        p = scan_fraction(p + 1, end, &fraction);
        if (p == NULL || p == end) return NULL;
    }
    if (*p == 'Z') {
        p++;
    } else if (*p == '+' || *p == '-') {
        p = scan_zone(p, end, &shift);
        if (p == NULL) return NULL;
    }
    int64_t seconds_of_day = (int64_t)(hours * 60 + minutes) * 60 + seconds;
    *ret_us = (cl_days_from_civil(year, month, day) * 86400 + seconds_of_day) * 1000000 + fraction -
              shift;
    return p;
}

/* Value of a base64 letter, or a number with bits above 0x3f. */
static unsigned base64_letter(uint8_t c)
{
    static const uint8_t values[256] = {
        ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
        ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
        ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
        ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
        ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
        ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
        ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
        ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
        ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
        ['/'] = 64,
    };
    return (unsigned)values[c] - 1; /* no letter: all bits set */
}

bool cl_base64_decode(const uint8_t *src, size_t len, uint8_t *dst, size_t *ret_len)
{
    if (len % 4 != 0) return false;
    size_t padding =
        len == 0 ? 0 : (size_t)(src[len - 1] == '=') + (src[len - 1] == '=' && src[len - 2] == '=');
    const uint8_t *whole_end = src + len - (padding > 0 ? 4 : 0);
    uint8_t *out = dst;
    for (; src < whole_end; src += 4) {
        unsigned a = base64_letter(src[0]), b = base64_letter(src[1]), c = base64_letter(src[2]),
                 d = base64_letter(src[3]);
        if ((a | b | c | d) > 0x3f) return false;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        *out++ = (uint8_t)(b << 4 | c >> 2);
        *out++ = (uint8_t)(c << 6 | d);
    }
    if (padding > 0) {
        unsigned a = base64_letter(src[0]), b = base64_letter(src[1]),
                 c = padding == 1 ? base64_letter(src[2]) : 0;
        if ((a | b | c) > 0x3f || (padding == 2 ? b & 0xf : c & 0x3) != 0) return false;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        if (padding == 1) *out++ = (uint8_t)(b << 4 | c >> 2);
    }
    *ret_len = (size_t)(out - dst);
    return true;
}
