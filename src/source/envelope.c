/* envelope.c - see envelope.h.
 *
 * Two passes.  The first finds the members and checks everything, and writes nothing.  The second
 * decodes in place what needs it; decoded text is never longer than its source, so writing never
 * overtakes reading. */
#include "source/envelope.h"

#include <string.h>

/* A stretch of the line. */
struct span {
    uint8_t *p;
    size_t len;
};

struct scan {
    uint8_t *p, *end;
};

struct member {
    struct span text; /* strings: between the quotes */
    bool seen, is_null, escaped;
};

struct members {
    struct member topic, key, value, raw;
};

/* What a byte means while a value is skipped. */
enum { PLAIN = 0, QUOTE, BACKSLASH, OPEN, CLOSE };
static const uint8_t CLASS[256] = {
    ['"'] = QUOTE, ['\\'] = BACKSLASH, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* 0-63, or 64 for a byte that is not of the base64 alphabet (RFC 4648, section 4). */
static unsigned base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z') return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (unsigned)(c - '0') + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return 64;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

/* Goes past `c`, with white space before and after it. */
static bool take(struct scan *s, uint8_t c)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    skip_space(s);
    return true;
}

/* Four hex digits after "\u"; -1 when they are none. */
static int32_t code_unit(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 4) return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* Length of the escape at p, which stands on a backslash, 0 when it is not one; *ret_rune is what
 * it means. */
static size_t escape_at(const uint8_t *p, const uint8_t *end, uint32_t *ret_rune)
{
    static const char NAMES[] = "\"\\/bfnrt", MEANS[] = "\"\\/\b\f\n\r\t";
    if (end - p < 2) return 0;
    if (p[1] != 'u') {
        const char *name = p[1] == '\0' ? NULL : strchr(NAMES, p[1]);
        if (name == NULL) return 0;
        *ret_rune = (uint8_t)MEANS[name - NAMES];
        return 2;
    }
    int32_t high = code_unit(p + 2, end);
    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF)) return 0;
    if (high < 0xD800 || high > 0xDBFF) {
        *ret_rune = (uint32_t)high;
        return 6;
    }
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u') return 0;
    int32_t low = code_unit(p + 8, end);
    if (low < 0xDC00 || low > 0xDFFF) return 0;
    *ret_rune = 0x10000u + ((uint32_t)(high - 0xD800) << 10 | (uint32_t)(low - 0xDC00));
    return 12;
}

/* A string whose text is wanted: escapes are checked. */
static bool take_string(struct scan *s, struct span *ret, bool *ret_escaped)
{
    if (s->p == s->end || *s->p != '"') return false;
    uint8_t *begin = ++s->p;
    *ret_escaped = false;
    while (s->p < s->end && *s->p != '"') {
        if (*s->p < 0x20) return false;
        uint32_t rune;
        size_t step = 1;
        if (*s->p == '\\') {
            step = escape_at(s->p, s->end, &rune);
            if (step == 0) return false;
            *ret_escaped = true;
        }
        s->p += step;
    }
    if (s->p == s->end) return false;
    *ret = (struct span){begin, (size_t)(s->p - begin)};
    s->p++;
    return true;
}

/* Past the closing quote of a string whose text does not matter; s->p stands after the opening one.
 */
static bool skip_string(struct scan *s)
{
    uint8_t *p = s->p, *end = s->end;
    while (p < end) {
        if (*p == '"') {
            s->p = p + 1;
            return true;
        }
        if (*p == '\\' && ++p == end) break;
        p++;
    }
    return false;
}

/* Past an object or array: brackets are counted, not matched.  The loop that most of the time is
 * spent in: pointers are local, for bytes may alias *s. */
static bool skip_nested(struct scan *s)
{
    uint8_t *p = s->p, *end = s->end;
    size_t depth = 0;
    while (p < end) {
        uint8_t class = CLASS[*p++];
        if (class == PLAIN) continue;
        if (class == QUOTE) {
            while (p < end && *p != '"')
                p += *p == '\\' && end - p > 1 ? 2 : 1;
            if (p == end) return false;
            p++;
        } else if (class == OPEN) {
            depth++;
        } else if (class == CLOSE && --depth == 0) {
            s->p = p;
            return true;
        }
    }
    return false;
}

/* Any JSON value, as a span. */
static bool take_value(struct scan *s, struct span *ret)
{
    uint8_t *begin = s->p;
    if (begin == s->end) return false;
    bool ok = true;
    if (*begin == '"') {
        s->p++;
        ok = skip_string(s);
    } else if (CLASS[*begin] == OPEN) {
        ok = skip_nested(s);
    } else {
        while (s->p<s->end && * s->p> ' ' && *s->p != ',' && *s->p != ':' && CLASS[*s->p] == PLAIN)
            s->p++;
        ok = s->p > begin;
    }
    *ret = (struct span){begin, (size_t)(s->p - begin)};
    return ok;
}

static bool span_is(struct span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static bool take_text_member(struct scan *s, struct member *m, bool may_be_null)
{
    if (m->seen || s->p == s->end) return false;
    m->seen = true;
    if (*s->p == '"') return take_string(s, &m->text, &m->escaped);
    m->is_null = true;
    return may_be_null && take_value(s, &m->text) && span_is(m->text, "null");
}

/* Whole groups of four, padding at the end only, no bits thrown away. */
static bool is_base64(struct span s)
{
    if (s.len % 4 != 0) return false;
    size_t digits = s.len;
    while (digits > 0 && s.len - digits < 2 && s.p[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++)
        if (base64_digit(s.p[i]) > 63) return false;
    if (s.len - digits == 1) return (base64_digit(s.p[digits - 1]) & 3) == 0;
    if (s.len - digits == 2) return (base64_digit(s.p[digits - 1]) & 15) == 0;
    return true;
}

static bool take_member(struct scan *s, struct members *m)
{
    struct span name;
    bool escaped;
    if (!take_string(s, &name, &escaped) || !take(s, ':')) return false;
    if (span_is(name, "topic")) return take_text_member(s, &m->topic, false);
    if (span_is(name, "key")) return take_text_member(s, &m->key, true);
    if (span_is(name, "raw"))
        return take_text_member(s, &m->raw, false) && !m->raw.escaped && is_base64(m->raw.text);
    if (span_is(name, "value")) {
        if (m->value.seen || !take_value(s, &m->value.text)) return false;
        m->value.seen = true;
        m->value.is_null = span_is(m->value.text, "null");
        return true;
    }
    struct span unused;
    return take_value(s, &unused);
}

static bool take_members(struct scan *s, struct members *m)
{
    if (!take(s, '{')) return false;
    do {
        if (!take_member(s, m)) return false;
    } while (take(s, ','));
    if (!take(s, '}')) return false;
    return s->p == s->end && m->topic.seen && m->value.seen != m->raw.seen;
}

static size_t put_utf8(uint8_t *to, uint32_t rune)
{
    if (rune < 0x80) {
        to[0] = (uint8_t)rune;
        return 1;
    }
    if (rune < 0x800) {
        to[0] = (uint8_t)(0xC0 | rune >> 6);
        to[1] = (uint8_t)(0x80 | (rune & 0x3F));
        return 2;
    }
    if (rune < 0x10000) {
        to[0] = (uint8_t)(0xE0 | rune >> 12);
        to[1] = (uint8_t)(0x80 | (rune >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (rune & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | rune >> 18);
    to[1] = (uint8_t)(0x80 | (rune >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (rune >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (rune & 0x3F));
    return 4;
}

static void unescape(struct member *m)
{
    if (!m->escaped) return;
    uint8_t *to = m->text.p, *end = m->text.p + m->text.len;
    for (uint8_t *from = m->text.p; from < end;) {
        uint32_t rune;
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        from += escape_at(from, end, &rune);
        to += put_utf8(to, rune);
    }
    m->text.len = (size_t)(to - m->text.p);
}

static void decode_base64(struct span *s)
{
    uint8_t *to = s->p;
    for (size_t i = 0; i + 4 <= s->len; i += 4) {
        uint8_t *from = s->p + i;
        unsigned pads = (unsigned)(from[3] == '=') + (unsigned)(from[2] == '=');
        uint32_t bits = (uint32_t)base64_digit(from[0]) << 18 | (uint32_t)base64_digit(from[1])
                                                                    << 12;
        if (pads < 2) bits |= (uint32_t)base64_digit(from[2]) << 6;
        if (pads < 1) bits |= (uint32_t)base64_digit(from[3]);
        *to++ = (uint8_t)(bits >> 16);
        if (pads < 2) *to++ = (uint8_t)(bits >> 8);
        if (pads < 1) *to++ = (uint8_t)bits;
    }
    s->len = (size_t)(to - s->p);
}

bool cl_envelope_scan(uint8_t *line, size_t len, struct cl_envelope *ret)
{
    struct scan s = {line, line + len};
    struct members m = {0};
    if (!take_members(&s, &m)) return false;
    unescape(&m.topic);
    unescape(&m.key);
    m.topic.text.p[m.topic.text.len] =
        '\0'; /* over its closing quote, or what an escape left over */
    if (m.raw.seen) decode_base64(&m.raw.text);
    struct member *value = m.raw.seen ? &m.raw : &m.value;
    *ret = (struct cl_envelope){
        .topic = (const char *)m.topic.text.p,
        .topic_len = m.topic.text.len,
        .key = m.key.seen && !m.key.is_null ? m.key.text.p : NULL,
        .key_len = m.key.seen && !m.key.is_null ? m.key.text.len : 0,
        .value = value->is_null ? NULL : value->text.p,
        .value_len = value->is_null ? 0 : value->text.len,
    };
    return true;
}
