#include "parquet/bounds.h"

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t cl_bound_cut(const uint8_t *value, size_t len, bool utf8, size_t max_bytes, size_t max_units)
{
    if (!utf8) {
        size_t max = max_bytes < max_units ? max_bytes : max_units;
        return len < max ? len : max;
    }
    size_t cut = 0;
    for (size_t units = 0; cut < len && units < max_units; units++) {
        size_t next = cut + 1;
        while (next < len && next - cut < 4 && is_continuation(value[next]))
            next++;
        if (next > max_bytes) break;
        cut = next;
    }
    return cut;
}

/* The code point that fills value[0..len) exactly; UINT32_MAX when those bytes are not one in its
 * shortest form. */
static uint32_t code_point(const uint8_t *value, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint8_t lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    if (len > 4 || (value[0] & ~lead_mask[len]) != lead[len]) return UINT32_MAX;
    uint32_t cp = value[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++)
        cp = cp << 6 | (value[i] & 0x3f);
    return cp >= least[len] && cp <= 0x10ffff ? cp : UINT32_MAX;
}

static size_t put_code_point(uint8_t *out, uint32_t cp)
{
    static const uint8_t lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    out[0] = (uint8_t)(lead[len] | cp);
    return len;
}

static size_t round_up_utf8(uint8_t *value, size_t len)
{
    while (len > 0) {
        size_t start = len - 1;
        while (start > 0 && is_continuation(value[start]))
            start--;
        uint32_t cp = code_point(value + start, len - start);
        if (cp < 0x10ffff) {
            cp++;
            if (cp == 0xd800) cp = 0xe000; /* surrogates are not characters */
            return start + put_code_point(value + start, cp);
        }
        len = start;
    }
    return 0;
}

size_t cl_bound_round_up(uint8_t *value, size_t len, bool utf8)
{
    if (utf8) return round_up_utf8(value, len);
    while (len > 0 && value[len - 1] == 0xff)
        len--;
    if (len > 0) value[len - 1]++;
    return len;
}
