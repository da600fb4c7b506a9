/* json_scan.c - strings with their escapes and UTF-8, and values that nobody reads.
 *
 * cl_json_skip keeps the kinds of the open containers as bits of one word, so it needs no recursion
 * and no memory; the limit CL_JSON_MAX_DEPTH is what fits there. */
#include "decode/json_scan.h"

#include "decode/number.h"

_Static_assert(CL_JSON_MAX_DEPTH <= 64, "one bit for each open container");

__attribute__((cold)) const uint8_t *cl_json_fault(struct cl_json_fault *fault,
                                                   enum cl_reject_reason reason, const uint8_t *at,
                                                   const char *what)
{
    *fault = (struct cl_json_fault){reason, at, what};
    return NULL;
}

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Length of the UTF-8 sequence at p (RFC 3629, section 4), or 0: stray or missing continuation
 * bytes, an overlong form, a surrogate, or a code point past U+10FFFF.  The second byte's range is
 * what tells the last three. */
static size_t utf8_sequence(const uint8_t *p, const uint8_t *end)
{
    uint8_t c = *p;
    size_t room = (size_t)(end - p);
    if (c < 0xc2 || room < 2) return 0;
    if (c < 0xe0) return is_continuation(p[1]) ? 2 : 0;
    uint8_t low = 0x80, high = 0xbf;
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;
    if (p[1] < low || p[1] > high || room < 3 || !is_continuation(p[2])) return 0;
    if (c < 0xf0) return 3;
    return c <= 0xf4 && room >= 4 && is_continuation(p[3]) ? 4 : 0;
}

static int hex_digit(uint8_t c)
{
    if (cl_is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits, or -1. */
static int hex4(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 4) return -1;
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        v = v << 4 | digit;
    }
    return v;
}

static bool is_high_surrogate(int c)
{
    return c >= 0xd800 && c <= 0xdbff;
}

static bool is_low_surrogate(int c)
{
    return c >= 0xdc00 && c <= 0xdfff;
}

/* A \u escape that breaks off at the end is called truncated, any other wrong one wrong. */
static const uint8_t *bad_hex(const uint8_t *p, const uint8_t *end, struct cl_json_fault *fault)
{
    while (p < end && hex_digit(*p) >= 0)
        p++;
    if (p == end) return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated inside a string");
    return cl_json_fault(fault, CL_REJECT_SYNTAX, p, "expected four hex digits after \\u");
}

/* p: the backslash. */
static const uint8_t *check_escape(const uint8_t *p, const uint8_t *end,
                                   struct cl_json_fault *fault)
{
    if (end - p < 2)
        return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated inside a string");
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return p + 2;
    case 'u': break;
    default: return cl_json_fault(fault, CL_REJECT_SYNTAX, p + 1, "unknown escape in a string");
    }
    int c = hex4(p + 2, end);
    if (c < 0) return bad_hex(p + 2, end, fault);
    if (is_low_surrogate(c))
        return cl_json_fault(fault, CL_REJECT_UTF8, p,
                             "low surrogate escape without a high one before it");
    if (!is_high_surrogate(c)) return p + 6;
    const uint8_t *q = p + 6;
    if (q == end || (*q == '\\' && end - q < 2))
        return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated inside a string");
    if (*q == '\\' && q[1] == 'u') {
        int low = hex4(q + 2, end);
        if (low < 0) return bad_hex(q + 2, end, fault);
        if (is_low_surrogate(low)) return p + 12;
    }
    return cl_json_fault(fault, CL_REJECT_UTF8, p,
                         "high surrogate escape without a low one after it");
}

const uint8_t *cl_json_string(const uint8_t *p, const uint8_t *end, struct cl_json_text *ret,
                              struct cl_json_fault *fault)
{
    ret->raw = p;
    ret->escaped = false;
    for (;;) {
        p = cl_json_plain(p, end);
        if (p == end)
            return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated inside a string");
        if (*p == '"') {
            ret->len = (size_t)(p - ret->raw);
            return p + 1;
        }
        if (*p == '\\') {
            ret->escaped = true;
            p = check_escape(p, end, fault);
            if (p == NULL) return NULL;
            continue;
        }
        if (*p < ' ')
            return cl_json_fault(fault, CL_REJECT_SYNTAX, p,
                                 "control character in a string: write it as an escape");
        do {
            size_t len = utf8_sequence(p, end);
            if (len == 0) return cl_json_fault(fault, CL_REJECT_UTF8, p, "a string is not UTF-8");
            p += len;
        } while (p < end && *p >= 0x80);
    }
}

static uint8_t *put_utf8(uint8_t *dst, int c)
{
    if (c < 0x80) {
        *dst++ = (uint8_t)c;
        return dst;
    }
    if (c < 0x800) {
        *dst++ = (uint8_t)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *dst++ = (uint8_t)(0xe0 | c >> 12);
        } else {
            *dst++ = (uint8_t)(0xf0 | c >> 18);
            *dst++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        }
        *dst++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    *dst++ = (uint8_t)(0x80 | (c & 0x3f));
    return dst;
}

size_t cl_json_unescape(const uint8_t *raw, size_t len, uint8_t *dst)
{
    const uint8_t *p = raw, *end = raw + len;
    uint8_t *out = dst;
    while (p < end) {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        p += 2;
        switch (p[-1]) {
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        case 'u': {
            int c = hex4(p, end);
            p += 4;
            if (is_high_surrogate(c)) {
                c = 0x10000 + (c - 0xd800) * 0x400 + hex4(p + 2, end) - 0xdc00;
                p += 6;
            }
            out = put_utf8(out, c);
            break;
        }
        default: *out++ = p[-1]; break;
        }
    }
    return (size_t)(out - dst);
}

static const uint8_t *skip_literal(const uint8_t *p, const uint8_t *end, const char *word,
                                   size_t len, struct cl_json_fault *fault)
{
    size_t same = 0;
    while (same < len && p + same < end && p[same] == (uint8_t)word[same])
        same++;
    if (same == len) return p + len;
    if (p + same == end)
        return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated inside a value");
    return cl_json_fault(fault, CL_REJECT_SYNTAX, p, "expected a value");
}

/* Finds the first byte that cannot stand in the number at p. */
static const uint8_t *number_fault(const uint8_t *p, const uint8_t *end,
                                   struct cl_json_fault *fault)
{
    const uint8_t *first = p + (*p == '-');
    for (p = first; p < end && cl_is_digit(*p); p++) {
    }
    if (p < end && p > first && *first == '0' && p - first > 1)
        return cl_json_fault(fault, CL_REJECT_SYNTAX, first, "a number has a leading zero");
    if (p < end && p > first && *p == '.')
        for (p++; p < end && cl_is_digit(*p); p++) {
        }
    if (p < end && cl_is_digit(p[-1]) && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
    }
    return cl_json_fault(fault, CL_REJECT_SYNTAX, p,
                         p == end ? "truncated inside a number" : "expected a digit");
}

static const uint8_t *skip_scalar(const uint8_t *p, const uint8_t *end, struct cl_json_fault *fault)
{
    struct cl_json_text text;
    struct cl_number number;
    switch (*p) {
    case '"': return cl_json_string(p + 1, end, &text, fault);
    case 't': return skip_literal(p, end, "true", 4, fault);
    case 'f': return skip_literal(p, end, "false", 5, fault);
    case 'n': return skip_literal(p, end, "null", 4, fault);
    default: break;
    }
    if (*p != '-' && !cl_is_digit(*p))
        return cl_json_fault(fault, CL_REJECT_SYNTAX, p, "expected a value");
    const uint8_t *after = cl_number_scan(p, end, &number);
    return after != NULL ? after : number_fault(p, end, fault);
}

/* From the white space before a member name to the byte after its colon. */
static const uint8_t *skip_name(const uint8_t *p, const uint8_t *end, struct cl_json_fault *fault)
{
    struct cl_json_text name;
    p = cl_json_space(p, end);
    if (p == end) return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated inside an object");
    if (*p != '"')
        return cl_json_fault(fault, CL_REJECT_SYNTAX, p, "expected a member name in quotes");
    p = cl_json_string(p + 1, end, &name, fault);
    if (p == NULL) return NULL;
    p = cl_json_space(p, end);
    if (p == end)
        return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated after a member name");
    if (*p != ':')
        return cl_json_fault(fault, CL_REJECT_SYNTAX, p, "expected ':' after a member name");
    return p + 1;
}

/* The open containers of one skip: bit 0 is the innermost, 1 = object. */
struct nesting {
    uint64_t objects;
    int open;
};

static bool in_object(const struct nesting *n)
{
    return n->objects & 1;
}

/* p: after a value.  Closes containers as long as they end here; returns where the next value is
 * due, or, with none open any more, the end of the whole value. */
static const uint8_t *skip_separator(const uint8_t *p, const uint8_t *end, struct nesting *n,
                                     struct cl_json_fault *fault)
{
    while (n->open > 0) {
        p = cl_json_space(p, end);
        if (p == end)
            return cl_json_fault(fault, CL_REJECT_SYNTAX, end,
                                 in_object(n) ? "truncated inside an object"
                                              : "truncated inside an array");
        if (*p == ',') return in_object(n) ? skip_name(p + 1, end, fault) : p + 1;
        if (*p != (in_object(n) ? '}' : ']'))
            return cl_json_fault(fault, CL_REJECT_SYNTAX, p,
                                 in_object(n) ? "expected ',' or '}' after a value"
                                              : "expected ',' or ']' after a value");
        p++;
        n->open--;
        n->objects >>= 1;
    }
    return p;
}

const uint8_t *cl_json_skip(const uint8_t *p, const uint8_t *end, int open,
                            struct cl_json_fault *fault)
{
    struct nesting n = {0, 0};
    do {
        p = cl_json_space(p, end);
        if (p == end)
            return cl_json_fault(fault, CL_REJECT_SYNTAX, end, "truncated before a value");
        if (*p != '{' && *p != '[') {
            p = skip_scalar(p, end, fault);
            if (p != NULL) p = skip_separator(p, end, &n, fault);
            continue;
        }
        if (open + n.open >= CL_JSON_MAX_DEPTH)
            return cl_json_fault(fault, CL_REJECT_DEPTH, p, "nested too deep");
        n.objects = n.objects << 1 | (*p == '{');
        n.open++;
        p = cl_json_space(p + 1, end);
        bool empty = p < end && *p == (in_object(&n) ? '}' : ']');
        if (empty)
            p = skip_separator(p, end, &n, fault); /* it closes what was just opened */
        else if (in_object(&n))
            p = skip_name(p, end, fault);
    } while (p != NULL && n.open > 0);
    return p;
}
