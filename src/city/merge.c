/* merge.c - all feeds in the order of sending: a binary heap of cursors, smallest (time, feed,
 * partition) first. */
#include "city/plan.h"

#include <stdlib.h>

struct reader {
    int64_t time_us;
    int rank; /* feed * partitions + partition */
    struct cl_city_cursor *cursor;
};

struct cl_city_merge {
    struct reader *heap;
    size_t n;     /* that still have events */
    size_t total; /* cursors */
    bool stale;   /* heap[0] has moved since it was placed */
};

static bool before(const struct reader *a, const struct reader *b)
{
    return a->time_us != b->time_us ? a->time_us < b->time_us : a->rank < b->rank;
}

static void sift_down(struct cl_city_merge *m, size_t at)
{
    struct reader moving = m->heap[at];
    for (size_t child = 2 * at + 1; child < m->n; child = 2 * at + 1) {
        if (child + 1 < m->n && before(&m->heap[child + 1], &m->heap[child])) child++;
        if (!before(&m->heap[child], &moving)) break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = moving;
}

static void drop_ended(struct cl_city_merge *m, size_t at)
{
    struct reader ended = m->heap[at];
    m->heap[at] = m->heap[--m->n];
    m->heap[m->n] = ended; /* kept behind the heap, for free */
}

static enum cl_code open_all(const struct cl_city *city, unsigned feeds, struct cl_city_merge *m,
                             struct cl_error *err)
{
    int partitions = city->config.partitions;
    for (int rank = 0; rank < CL_CITY_FEEDS * partitions; rank++) {
        if ((feeds & CL_CITY_BIT(rank / partitions)) == 0) continue;
        struct reader *r = &m->heap[m->total];
        r->rank = rank;
        enum cl_code code = cl_city_cursor_new(city, (enum cl_city_feed)(rank / partitions),
                                               rank % partitions, 0, &r->cursor, err);
        if (code != CL_OK) return code;
        m->total++;
        code = cl_city_cursor_peek(r->cursor, &r->time_us, err);
        if (code != CL_OK) return code;
    }
    m->n = m->total;
    for (size_t k = m->n; k-- > 0;)
        if (m->heap[k].time_us == INT64_MAX) drop_ended(m, k);
    for (size_t k = m->n; k-- > 0;)
        sift_down(m, k);
    return CL_OK;
}

enum cl_code cl_city_merge_new(const struct cl_city *city, unsigned feeds,
                               struct cl_city_merge **ret, struct cl_error *err)
{
    struct cl_city_merge *m = calloc(1, sizeof *m);
    if (m == NULL) return cl_fail_nomem(err);
    m->heap = calloc((size_t)CL_CITY_FEEDS * (size_t)city->config.partitions, sizeof *m->heap);
    enum cl_code code = m->heap == NULL ? cl_fail_nomem(err) : open_all(city, feeds, m, err);
    if (code != CL_OK) {
        cl_city_merge_free(m);
        return code;
    }
    *ret = m;
    return CL_OK;
}

void cl_city_merge_free(struct cl_city_merge *m)
{
    if (m == NULL) return;
    for (size_t k = 0; k < m->total; k++)
        cl_city_cursor_free(m->heap[k].cursor);
    free(m->heap);
    free(m);
}

/* The event given last stays valid until the next call, so its cursor moves on only now. */
static enum cl_code refresh(struct cl_city_merge *m, struct cl_error *err)
{
    if (!m->stale) return CL_OK;
    enum cl_code code = cl_city_cursor_peek(m->heap[0].cursor, &m->heap[0].time_us, err);
    if (code != CL_OK) return code;
    m->stale = false;
    if (m->heap[0].time_us == INT64_MAX) drop_ended(m, 0);
    if (m->n > 0) sift_down(m, 0);
    return CL_OK;
}

enum cl_code cl_city_merge_peek(struct cl_city_merge *m, int64_t *ret_time_us, struct cl_error *err)
{
    enum cl_code code = refresh(m, err);
    if (code == CL_OK) *ret_time_us = m->n == 0 ? INT64_MAX : m->heap[0].time_us;
    return code;
}

enum cl_code cl_city_merge_next(struct cl_city_merge *m, struct cl_city_event *ret,
                                struct cl_error *err)
{
    enum cl_code code = refresh(m, err);
    if (code != CL_OK) return code;
    if (m->n == 0) return cl_fail(err, CL_ENOTFOUND, "city: no vehicle, no events");
    code = cl_city_cursor_next(m->heap[0].cursor, ret, err);
    if (code == CL_OK) m->stale = true;
    return code;
}
