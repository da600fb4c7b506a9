#include "parquet_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t varint(const uint8_t **p)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = *(*p)++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    return v;
}

static const uint8_t *skip_value(const uint8_t *p, int type, bool in_list);

static const uint8_t *skip_struct(const uint8_t *p)
{
    while (*p != 0) {
        int type = *p & 0x0f, delta = *p >> 4;
        p++;
        if (delta == 0) (void)varint(&p);
        p = skip_value(p, type, false);
    }
    return p + 1;
}

static const uint8_t *list_header(const uint8_t *p, size_t *size, int *type)
{
    *type = *p & 0x0f;
    *size = *p >> 4;
    p++;
    if (*size == 15) *size = (size_t)varint(&p);
    return p;
}

static const uint8_t *skip_value(const uint8_t *p, int type, bool in_list)
{
    size_t size;
    switch (type) {
    case 1:
    case 2: return in_list ? p + 1 : p;
    case 3: return p + 1;
    case 4:
    case 5:
    case 6: (void)varint(&p); return p;
    case 8: size = (size_t)varint(&p); return p + size;
    case 9:
        p = list_header(p, &size, &type);
        for (size_t i = 0; i < size; i++)
            p = skip_value(p, type, true);
        return p;
    case 12: return skip_struct(p);
    default: fail_msg("thrift type %d", type); return p;
    }
}

const uint8_t *walk_field(const uint8_t *p, int id)
{
    int last = 0;
    while (*p != 0) {
        int type = *p & 0x0f, delta = *p >> 4;
        p++;
        last = delta != 0 ? last + delta : (int)walk_int(p);
        if (delta == 0) (void)varint(&p);
        if (last == id) return p;
        p = skip_value(p, type, false);
    }
    return NULL;
}

int64_t walk_int(const uint8_t *p)
{
    uint64_t v = varint(&p);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

int64_t walk_int_field(const uint8_t *p, int id, int64_t missing)
{
    const uint8_t *field = walk_field(p, id);
    return field != NULL ? walk_int(field) : missing;
}

size_t walk_list_size(const uint8_t *list)
{
    size_t size;
    int type;
    (void)list_header(list, &size, &type);
    return size;
}

const uint8_t *walk_list_struct(const uint8_t *list, size_t index)
{
    size_t size;
    int type;
    const uint8_t *p = list_header(list, &size, &type);
    assert_int_equal(type, 12);
    assert_true(index < size);
    for (size_t i = 0; i < index; i++)
        p = skip_struct(p);
    return p;
}

const uint8_t *walk_footer(const uint8_t *file, size_t len)
{
    uint32_t footer;
    assert_true(len >= 12);
    assert_memory_equal(file, "PAR1", 4);
    assert_memory_equal(file + len - 4, "PAR1", 4);
    memcpy(&footer, file + len - 8, 4);
    assert_true(footer <= len - 12);
    assert_ptr_equal(skip_struct(file + len - 8 - footer), file + len - 8);
    return file + len - 8 - footer;
}

const uint8_t *walk_chunk(const uint8_t *footer, size_t group, size_t column)
{
    const uint8_t *columns = walk_field(walk_list_struct(walk_field(footer, 4), group), 1);
    return walk_field(walk_list_struct(columns, column), 3);
}

struct walk_page walk_page(const uint8_t *header)
{
    struct walk_page page = {.type = (int)walk_int_field(header, 1, -1)};
    const uint8_t *inner = walk_field(header, page.type == 0 ? 5 : 7);
    assert_non_null(inner);
    page.values = walk_int_field(inner, 1, -1);
    page.encoding = (int)walk_int_field(inner, 2, -1);
    page.len = (size_t)walk_int_field(header, 3, -1);
    page.body = skip_struct(header);
    page.next = page.body + page.len;
    return page;
}
