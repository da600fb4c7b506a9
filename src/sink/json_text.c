/* json_text.c - see json_text.h.  The check is a loop over tokens with a stack of one bit a level:
 * 1 object, 0 array. */
#include "sink/json_text.h"

enum { MAX_DEPTH = 64 };

struct text {
    const uint8_t *p, *end;
};

/* Length of the UTF-8 sequence at p (no overlong forms, no surrogates, up to U+10FFFF), 0 when it
 * is none. */
static size_t utf8_len(const uint8_t *p, const uint8_t *end)
{
    size_t len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (p[0] < 0xC2 || p[0] > 0xF4 || (size_t)(end - p) < len) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return len;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool take_escape(struct text *t)
{
    if (t->end - t->p < 2) return false;
    uint8_t c = t->p[1];
    if (c == 'u') {
        if (t->end - t->p < 6) return false;
        for (int i = 2; i < 6; i++)
            if (!is_hex(t->p[i])) return false;
        t->p += 6;
        return true;
    }
    t->p += 2;
    return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
}

static bool take_string(struct text *t)
{
    if (t->p == t->end || *t->p != '"') return false;
    t->p++;
    while (t->p < t->end) {
        uint8_t c = *t->p;
        if (c == '"') {
            t->p++;
            return true;
        }
        if (c == '\\') {
            if (!take_escape(t)) return false;
        } else if (c >= 0x80) {
            size_t len = utf8_len(t->p, t->end);
            if (len == 0) return false;
            t->p += len;
        } else if (c < 0x20) {
            return false;
        } else {
            t->p++;
        }
    }
    return false;
}

static bool take_digits(struct text *t)
{
    const uint8_t *begin = t->p;
    while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
        t->p++;
    return t->p > begin;
}

static bool take_number(struct text *t)
{
    if (t->p < t->end && *t->p == '-') t->p++;
    bool zero = t->p < t->end && *t->p == '0';
    const uint8_t *begin = t->p;
    if (!take_digits(t) || (zero && t->p - begin > 1)) return false;
    if (t->p < t->end && *t->p == '.') {
        t->p++;
        if (!take_digits(t)) return false;
    }
    if (t->p < t->end && (*t->p == 'e' || *t->p == 'E')) {
        t->p++;
        if (t->p < t->end && (*t->p == '+' || *t->p == '-')) t->p++;
        if (!take_digits(t)) return false;
    }
    return true;
}

static bool take_word(struct text *t, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(t->end - t->p) < len || memcmp(t->p, word, len) != 0) return false;
    t->p += len;
    return true;
}

static bool take_scalar(struct text *t)
{
    switch (t->p < t->end ? *t->p : 0) {
    case '"': return take_string(t);
    case 't': return take_word(t, "true");
    case 'f': return take_word(t, "false");
    case 'n': return take_word(t, "null");
    default: return take_number(t);
    }
}

static void skip_space(struct text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
        t->p++;
}

static bool take(struct text *t, uint8_t c)
{
    skip_space(t);
    if (t->p == t->end || *t->p != c) return false;
    t->p++;
    skip_space(t);
    return true;
}

static bool take_name(struct text *t)
{
    return take_string(t) && take(t, ':');
}

bool cl_json_is_value(const uint8_t *p, size_t len)
{
    struct text t = {p, p + len};
    uint64_t is_object = 0;
    unsigned depth = 0;
    for (;;) {
        /* A value begins here. */
        bool object = t.p < t.end && *t.p == '{';
        if (object || (t.p < t.end && *t.p == '[')) {
            t.p++;
            skip_space(&t);
            bool empty = t.p < t.end && *t.p == (object ? '}' : ']');
            if (!empty) {
                if (depth == MAX_DEPTH) return false;
                is_object = is_object << 1 | object;
                depth++;
                if (object && !take_name(&t)) return false;
                continue;
            }
            t.p++;
        } else if (!take_scalar(&t)) {
            return false;
        }
        /* A value ended here. */
        for (;;) {
            if (depth == 0) return t.p == t.end;
            if (take(&t, ',')) break;
            skip_space(&t);
            if (t.p == t.end || *t.p != (is_object & 1 ? '}' : ']')) return false;
            t.p++;
            is_object >>= 1;
            depth--;
        }
        if ((is_object & 1) && !take_name(&t)) return false;
    }
}

enum cl_code cl_json_append_string(struct cl_buf *b, const void *text, size_t len,
                                   struct cl_error *err)
{
    static const char HEX[] = "0123456789abcdef";
    const uint8_t *p = text;
    enum cl_code code = cl_buf_reserve(b, len * 6 + 2, err);
    if (code != CL_OK) return code;
    uint8_t *to = b->data + b->len;
    *to++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"' || p[i] == '\\') {
            *to++ = '\\';
            *to++ = p[i];
        } else if (p[i] < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = (uint8_t)HEX[p[i] >> 4];
            to[5] = (uint8_t)HEX[p[i] & 15];
            to += 6;
        } else {
            *to++ = p[i];
        }
    }
    *to++ = '"';
    b->len = (size_t)(to - b->data);
    return CL_OK;
}

enum cl_code cl_json_append_base64(struct cl_buf *b, const void *data, size_t len,
                                   struct cl_error *err)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = data;
    enum cl_code code = cl_buf_reserve(b, (len + 2) / 3 * 4, err);
    if (code != CL_OK) return code;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)p[i] << 16;
        if (left > 1) bits |= (uint32_t)p[i + 1] << 8;
        if (left > 2) bits |= p[i + 2];
        uint8_t *to = b->data + b->len;
        to[0] = (uint8_t)DIGITS[bits >> 18];
        to[1] = (uint8_t)DIGITS[bits >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)DIGITS[bits >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)DIGITS[bits & 63] : '=';
        b->len += 4;
    }
    return CL_OK;
}
