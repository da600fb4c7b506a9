/* process_faults.c - two ways to stand in front of the allocator.
 *
 * A normal build defines malloc, calloc and realloc and goes on to glibc's own by its __libc_
 * names: then allocations within glibc (strdup, asprintf, opendir) and within other libraries fail
 * too.  A sanitizer has its own allocator, so there the linker renames the calls of the program's
 * objects only (--wrap, see meson.build). The clocks are always renamed by the linker. */
#include "process_faults.h"

#include "../tools/random.h"
#include "base/clock.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool alloc_armed;
static atomic_llong alloc_seen, alloc_at, alloc_end;

static bool alloc_fails(void)
{
    if (!atomic_load_explicit(&alloc_armed, memory_order_relaxed)) return false;
    long long number = atomic_fetch_add(&alloc_seen, 1) + 1;
    if (number < atomic_load(&alloc_at) || number >= atomic_load(&alloc_end)) return false;
    errno = ENOMEM;
    return true;
}

#ifdef FAULT_WRAP_ALLOC

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
    return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return alloc_fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return alloc_fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text)
{
    return alloc_fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return alloc_fails() ? NULL : __real_strndup(text, n);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
    if (alloc_fails()) return -1;
    va_list args;
    va_start(args, format);
    int len = vasprintf(ret, format, args);
    va_end(args);
    return len;
}

static void *steady_malloc(size_t size)
{
    return __real_malloc(size);
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
    return alloc_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return alloc_fails() ? NULL : __libc_realloc(p, size);
}

static void *steady_malloc(size_t size)
{
    return __libc_malloc(size);
}

#endif

/* jansson's parser writes past its buffers when it gets no memory, so the program ends itself then
 * (app/main.c): as kill -9, which has cycles of its own. */
__attribute__((constructor)) static void spare_jansson(void)
{
    json_set_alloc_funcs(steady_malloc, free);
}

void process_faults_arm_alloc(long long at, int count)
{
    atomic_store(&alloc_seen, 0);
    atomic_store(&alloc_at, at > 0 ? at : 1);
    atomic_store(&alloc_end, at > 0 ? at + count : 1);
    atomic_store(&alloc_armed, true);
}

long long process_faults_disarm_alloc(void)
{
    atomic_store(&alloc_armed, false);
    return atomic_load(&alloc_seen);
}

/* ---- clocks ---- */

static pthread_mutex_t clock_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t clock_random; /* 0: the wall clock is right; under clock_lock, as the next */
static int64_t clock_offset_us;

int64_t __real_cl_clock_wall_us(void);
int64_t __real_cl_clock_monotonic_us(void);
void __real_cl_clock_sleep_us(int64_t us);
int64_t __wrap_cl_clock_wall_us(void);
int64_t __wrap_cl_clock_monotonic_us(void);
void __wrap_cl_clock_sleep_us(int64_t us);

void process_faults_jump_clock(uint64_t seed)
{
    pthread_mutex_lock(&clock_lock);
    clock_random = seed;
    clock_offset_us = 0;
    pthread_mutex_unlock(&clock_lock);
}

int64_t __wrap_cl_clock_wall_us(void)
{
    pthread_mutex_lock(&clock_lock);
    if (clock_random != 0 && random_below(&clock_random, 4) == 0)
        clock_offset_us = ((int64_t)random_below(&clock_random, 6000000) - 3000000) * 86400;
    int64_t offset = clock_offset_us;
    pthread_mutex_unlock(&clock_lock);
    return __real_cl_clock_wall_us() + offset;
}

int64_t __wrap_cl_clock_monotonic_us(void)
{
    return __real_cl_clock_monotonic_us() * PROCESS_FAULTS_WARP;
}

void __wrap_cl_clock_sleep_us(int64_t us)
{
    __real_cl_clock_sleep_us(us / PROCESS_FAULTS_WARP);
}
