#include "parquet/dict.h"

#include <stdlib.h>

enum { MIN_SLOTS = 256, MIN_TEXTS = 64 };

void cl_dict_init(struct cl_dict *d, size_t width)
{
    *d = (struct cl_dict){.width = width};
    cl_buf_init(&d->values, CL_DICT_MAX_BYTES);
}

void cl_dict_fini(struct cl_dict *d)
{
    size_t width = d->width;
    cl_buf_fini(&d->values);
    free(d->slots);
    free(d->texts);
    cl_dict_init(d, width);
}

void cl_dict_reset(struct cl_dict *d)
{
    cl_buf_reset(&d->values);
    d->n = 0;
    if (d->n_slots > 0) memset(d->slots, 0, d->n_slots * sizeof *d->slots);
}

size_t cl_dict_memory_bytes(const struct cl_dict *d)
{
    return d->values.cap + d->n_slots * sizeof *d->slots + d->texts_cap * sizeof *d->texts;
}

static enum cl_code grow_slots(struct cl_dict *d, struct cl_error *err)
{
    size_t n = d->n_slots == 0 ? MIN_SLOTS : d->n_slots * 4;
    struct cl_dict_slot *slots = calloc(n, sizeof *slots);
    if (slots == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < d->n_slots; i++) {
        if (d->slots[i].index_plus_1 == 0) continue;
        size_t at = d->slots[i].hash & (n - 1);
        while (slots[at].index_plus_1 != 0)
            at = (at + 1) & (n - 1);
        slots[at] = d->slots[i];
    }
    free(d->slots);
    d->slots = slots;
    d->n_slots = n;
    return CL_OK;
}

static enum cl_code grow_texts(struct cl_dict *d, struct cl_error *err)
{
    size_t cap = d->texts_cap == 0 ? MIN_TEXTS : d->texts_cap * 2;
    struct cl_dict_text *texts = realloc(d->texts, cap * sizeof *texts);
    if (texts == NULL) return cl_fail_nomem(err);
    d->texts = texts;
    d->texts_cap = cap;
    return CL_OK;
}

/* Whether one more value of `bytes` PLAIN bytes fits; makes room for it in every array. */
static enum cl_code prepare(struct cl_dict *d, size_t bytes, bool *ret_fits, struct cl_error *err)
{
    *ret_fits = d->n < CL_DICT_MAX_VALUES && bytes <= CL_DICT_MAX_BYTES - d->values.len;
    if (!*ret_fits) return CL_OK;
    enum cl_code code = cl_buf_reserve(&d->values, bytes, err);
    if (code == CL_OK && d->width == 0 && d->n == d->texts_cap) code = grow_texts(d, err);
    if (code == CL_OK && (size_t)d->n * 2 >= d->n_slots) code = grow_slots(d, err);
    return code;
}

static void insert(struct cl_dict *d, uint32_t hash)
{
    size_t at = hash & (d->n_slots - 1);
    while (d->slots[at].index_plus_1 != 0)
        at = (at + 1) & (d->n_slots - 1);
    d->slots[at] = (struct cl_dict_slot){hash, ++d->n};
}

/* The widths are compile-time constants where this is inlined. */
static inline uint64_t load(const uint8_t *p, size_t width)
{
    uint64_t key = 0;
    memcpy(&key, p, width);
    return key;
}

/* Both halves of the 128-bit product: values that differ in their high bits only (few-digit
 * doubles, the end of a string) must not share their slots. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_key(uint64_t key)
{
    return (uint32_t)fold(key ^ 0x2545f4914f6cdd1du, 0x9e3779b97f4a7c15u);
}

static inline enum cl_code add_fixed(struct cl_dict *d, const uint8_t *values, size_t n,
                                     size_t width, uint32_t *ret_indexes, size_t *ret_done,
                                     struct cl_error *err)
{
    uint64_t last = n > 0 ? ~load(values, width) : 0; /* unlike the first value */
    uint32_t last_index = 0;
    size_t i = 0;
    for (; i < n; i++) {
        uint64_t key = load(values + i * width, width);
        if (key == last) {
            ret_indexes[i] = last_index;
            continue;
        }
        uint32_t hash = hash_key(key), index = 0;
        if (d->n_slots > 0) {
            size_t at = hash & (d->n_slots - 1);
            while ((index = d->slots[at].index_plus_1) != 0 &&
                   load(d->values.data + (index - 1) * width, width) != key)
                at = (at + 1) & (d->n_slots - 1);
        }
        if (index == 0) {
            bool fits;
            enum cl_code code = prepare(d, width, &fits, err);
            if (code != CL_OK) return code;
            if (!fits) break;
            memcpy(d->values.data + d->values.len, values + i * width, width);
            d->values.len += width;
            insert(d, hash);
            index = d->n;
        }
        last = key;
        last_index = ret_indexes[i] = index - 1;
    }
    *ret_done = i;
    return CL_OK;
}

enum cl_code cl_dict_add_fixed(struct cl_dict *d, const void *values, size_t n,
                               uint32_t *ret_indexes, size_t *ret_done, struct cl_error *err)
{
    if (d->width == 4) return add_fixed(d, values, n, 4, ret_indexes, ret_done, err);
    return add_fixed(d, values, n, 8, ret_indexes, ret_done, err);
}

/* The first and the last 8 bytes of a string, which overlap when it is shorter than 16; with the
 * length they say all of it up to 16 bytes.  Loads of fixed size: a memcpy of variable length costs
 * more than the rest of a lookup. */
struct text_key {
    uint64_t head, tail;
};

static inline struct text_key text_key(const uint8_t *text, uint32_t len)
{
    if (len >= 8) return (struct text_key){load(text, 8), load(text + len - 8, 8)};
    if (len >= 4) return (struct text_key){load(text, 4), load(text + len - 4, 4)};
    if (len == 0) return (struct text_key){0, 0};
    return (struct text_key){text[0] | (uint64_t)text[len / 2] << 8 | (uint64_t)text[len - 1] << 16,
                             0};
}

/* Whether two strings of len bytes, whose keys are equal, are equal. */
static inline bool middle_equals(const uint8_t *a, const uint8_t *b, uint32_t len)
{
    return len <= 16 || memcmp(a + 8, b + 8, len - 16) == 0;
}

static inline uint32_t hash_text(const uint8_t *text, uint32_t len, struct text_key key)
{
    uint64_t h = fold(key.head ^ len ^ 0x2545f4914f6cdd1du, 0x9fb21c651e98df25u);
    for (uint32_t i = 8; i + 8 < len; i += 8)
        h = fold(h ^ load(text + i, 8), 0x9e3779b97f4a7c15u);
    return (uint32_t)fold(h ^ key.tail, 0x9fb21c651e98df25u);
}

static void append_text(struct cl_dict *d, const uint8_t *text, uint32_t len)
{
    d->texts[d->n] = (struct cl_dict_text){.offset = (uint32_t)d->values.len};
    memcpy(d->values.data + d->values.len, &len,
           sizeof len); /* little-endian machines only, as everywhere here */
    if (len > 0) memcpy(d->values.data + d->values.len + sizeof len, text, len);
    d->values.len += sizeof len + len;
}

static inline bool text_equals(const struct cl_dict *d, uint32_t index, const uint8_t *text,
                               uint32_t len, struct text_key key)
{
    const uint8_t *stored = d->values.data + d->texts[index].offset;
    if (load(stored, sizeof len) != len) return false;
    stored += sizeof len;
    struct text_key other = text_key(stored, len);
    return other.head == key.head && other.tail == key.tail && middle_equals(stored, text, len);
}

/* Index + 1 of the string, or 0. */
static inline uint32_t find_text(const struct cl_dict *d, uint32_t hash, const uint8_t *text,
                                 uint32_t len, struct text_key key)
{
    if (d->n_slots == 0) return 0;
    size_t at = hash & (d->n_slots - 1);
    while (d->slots[at].index_plus_1 != 0) {
        const struct cl_dict_slot *slot = &d->slots[at];
        if (slot->hash == hash && text_equals(d, slot->index_plus_1 - 1, text, len, key))
            return slot->index_plus_1;
        at = (at + 1) & (d->n_slots - 1);
    }
    return 0;
}

enum cl_code cl_dict_add_texts(struct cl_dict *d, const uint8_t *data, const int32_t *offsets,
                               size_t n, uint32_t page, struct cl_text_range *range,
                               uint32_t *ret_indexes, size_t *ret_done, struct cl_error *err)
{
    const uint8_t *last = NULL;
    struct text_key last_key = {0, 0};
    uint32_t last_len = 0, last_index = 0;
    size_t i = 0;
    for (; i < n; i++) {
        const uint8_t *text = data + offsets[i];
        uint32_t len = (uint32_t)(offsets[i + 1] - offsets[i]);
        struct text_key key = text_key(text, len);
        if (last != NULL && len == last_len && key.head == last_key.head &&
            key.tail == last_key.tail && middle_equals(text, last, len)) {
            ret_indexes[i] = last_index;
            continue;
        }
        uint32_t hash = hash_text(text, len, key), index = find_text(d, hash, text, len, key);
        if (index == 0) {
            bool fits;
            enum cl_code code = prepare(d, sizeof len + len, &fits, err);
            if (code != CL_OK) return code;
            if (!fits) break;
            append_text(d, text, len);
            insert(d, hash);
            index = d->n;
        }
        if (d->texts[index - 1].page != page) {
            d->texts[index - 1].page = page;
            cl_text_range_add(range, text, len);
        }
        last = text;
        last_key = key;
        last_len = len;
        last_index = ret_indexes[i] = index - 1;
    }
    *ret_done = i;
    return CL_OK;
}

enum cl_code cl_dict_decode(const struct cl_dict *d, const uint32_t *indexes, size_t n,
                            struct cl_buf *out, struct cl_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *value = d->values.data + indexes[i] * d->width;
        size_t bytes = d->width;
        if (d->width == 0) {
            uint32_t len;
            value = d->values.data + d->texts[indexes[i]].offset;
            memcpy(&len, value, sizeof len);
            bytes = sizeof len + len;
        }
        enum cl_code code = cl_buf_append(out, value, bytes, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

void cl_dict_rewind(struct cl_dict *d, uint32_t n, size_t values_len)
{
    d->n = n;
    d->values.len = values_len;
}
