/* arena.h - many small allocations that end together.
 *
 * Order: init -> alloc* -> (reset -> alloc*)* -> fini.  Not thread-safe.  Memory is 16-byte aligned
 * and zeroed. */
#ifndef CITYLAKE_BASE_ARENA_H
#define CITYLAKE_BASE_ARENA_H

#include "base/error.h"

struct cl_arena_block;

struct cl_arena {
    struct cl_arena_block *head; /* newest block */
    size_t used_bytes;           /* over all blocks */
    size_t max_bytes;
};

void cl_arena_init(struct cl_arena *a, size_t max_bytes);
void cl_arena_fini(struct cl_arena *a);
void cl_arena_reset(struct cl_arena *a); /* forgets every allocation */

/* NULL when the maximum is reached or memory is out: callers answer with CL_ENOMEM. */
void *cl_arena_alloc(struct cl_arena *a, size_t size);
void *cl_arena_array(struct cl_arena *a, size_t count,
                     size_t size); /* checks the product for overflow */
char *cl_arena_strdup(struct cl_arena *a, const char *text);
char *cl_arena_strndup(struct cl_arena *a, const char *text, size_t len);
char *cl_arena_printf(struct cl_arena *a, const char *fmt, ...) CL_PRINTF(2, 3);

#endif
