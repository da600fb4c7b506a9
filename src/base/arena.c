#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16384, ALIGN = 16 };

struct cl_arena_block {
    struct cl_arena_block *next;
    size_t used;
    size_t cap;
    _Alignas(ALIGN) uint8_t bytes[];
};

void cl_arena_init(struct cl_arena *a, size_t max_bytes)
{
    *a = (struct cl_arena){.max_bytes = max_bytes};
}

void cl_arena_fini(struct cl_arena *a)
{
    while (a->head != NULL) {
        struct cl_arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    a->used_bytes = 0;
}

void cl_arena_reset(struct cl_arena *a)
{
    cl_arena_fini(a);
}

void *cl_arena_alloc(struct cl_arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGN) return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (size > a->max_bytes || a->used_bytes > a->max_bytes - size) return NULL;
    struct cl_arena_block *b = a->head;
    if (b == NULL || b->cap - b->used < size) {
        size_t cap = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        if (cap > SIZE_MAX - sizeof *b) return NULL;
        b = calloc(1, sizeof *b + cap);
        if (b == NULL) return NULL;
        b->cap = cap;
        b->next = a->head;
        a->head = b;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    a->used_bytes += size;
    return p;
}

void *cl_arena_array(struct cl_arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return cl_arena_alloc(a, bytes);
}

char *cl_arena_strndup(struct cl_arena *a, const char *text, size_t len)
{
    char *copy = cl_arena_alloc(a, len + 1);
    if (copy != NULL && len > 0) memcpy(copy, text, len);
    return copy;
}

char *cl_arena_strdup(struct cl_arena *a, const char *text)
{
    return cl_arena_strndup(a, text, strlen(text));
}

char *cl_arena_printf(struct cl_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = len < 0 ? NULL : cl_arena_alloc(a, (size_t)len + 1);
    if (text != NULL) (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}
