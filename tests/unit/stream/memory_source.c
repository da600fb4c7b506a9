#include "memory_source.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 32, CHUNK = 7 };

struct stored {
    int64_t offset;
    char *value;
};

struct part {
    struct stored *messages;
    size_t n;
    int64_t end;
    size_t read;
    int64_t position;
    int lane;
};

struct memory_source {
    struct cl_source base;
    struct cl_source_partition parts[MAX_PARTS];
    struct part state[MAX_PARTS];
    size_t n_parts;
    char identity[160];
    int n_lanes;
    int fail_in;
    bool fail_fatal;
    pthread_mutex_t lock;
    struct {
        struct cl_message messages[CHUNK];
        struct cl_advance advances[MAX_PARTS];
    } chunks[8];
};

static enum cl_code partitions(struct cl_source *base, const struct cl_source_partition **ret,
                               size_t *ret_n, struct cl_error *err)
{
    (void)err;
    struct memory_source *s = (struct memory_source *)base;
    for (size_t i = 0; i < s->n_parts; i++)
        s->parts[i].end = s->state[i].end;
    *ret = s->parts;
    *ret_n = s->n_parts;
    return CL_OK;
}

static enum cl_code identity(struct cl_source *base, int32_t part, const char **ret,
                             struct cl_error *err)
{
    (void)part;
    (void)err;
    *ret = ((struct memory_source *)base)->identity;
    return CL_OK;
}

static enum cl_code start(struct cl_source *base, const struct cl_position *positions,
                          const int *lanes, int n_lanes, struct cl_error *err)
{
    (void)err;
    struct memory_source *s = (struct memory_source *)base;
    s->n_lanes = n_lanes;
    for (size_t i = 0; i < s->n_parts; i++) {
        struct part *p = &s->state[i];
        p->lane = lanes[i];
        p->position = positions[i].next;
        p->read = 0;
        while (p->read < p->n && p->messages[p->read].offset < p->position)
            p->read++;
    }
    return CL_OK;
}

static enum cl_code poll(struct cl_source *base, int lane, int timeout_ms, struct cl_chunk *ret,
                         struct cl_error *err)
{
    (void)timeout_ms;
    struct memory_source *s = (struct memory_source *)base;
    pthread_mutex_lock(&s->lock);
    bool fails = s->fail_in >= 0 && s->fail_in-- == 0;
    pthread_mutex_unlock(&s->lock);
    if (fails) {
        enum cl_code code = cl_fail(err, CL_EIO, "the test broke this poll");
        err->fatal = s->fail_fatal;
        return code;
    }
    size_t n = 0, moved = 0;
    bool ended = true;
    for (size_t i = 0; i < s->n_parts; i++) {
        struct part *p = &s->state[i];
        if (p->lane != lane) continue;
        int64_t before = p->position;
        while (p->read < p->n && n < CHUNK) {
            const struct stored *m = &p->messages[p->read++];
            s->chunks[lane].messages[n++] = (struct cl_message){
                .part = (int32_t)i,
                .key_len = -1,
                .value_len = m->value == NULL ? -1 : (int32_t)strlen(m->value),
                .value = (const uint8_t *)m->value,
                .offset = m->offset,
                .timestamp_us = 1,
                .topic = s->parts[i].feed == NULL ? "lost_topic" : NULL,
            };
            p->position = m->offset + 1;
        }
        if (p->read == p->n) p->position = p->end;
        if (p->position != before)
            s->chunks[lane].advances[moved++] = (struct cl_advance){(int32_t)i, {p->position, 0}};
        ended = ended && p->read == p->n;
    }
    *ret = (struct cl_chunk){s->chunks[lane].messages, n, s->chunks[lane].advances, moved, ended};
    return CL_OK;
}

static void release(struct cl_source *base, int lane)
{
    (void)base;
    (void)lane;
}

static void stop(struct cl_source *base)
{
    (void)base;
}

static void free_source(struct cl_source *base)
{
    struct memory_source *s = (struct memory_source *)base;
    for (size_t i = 0; i < s->n_parts; i++) {
        for (size_t m = 0; m < s->state[i].n; m++)
            free(s->state[i].messages[m].value);
        free(s->state[i].messages);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

struct memory_source *memory_source_new(const struct cl_spec *spec, int n_partitions,
                                        bool unknown_topics)
{
    static const struct cl_source_ops ops = {
        .name = "memory",
        .partitions = partitions,
        .identity = identity,
        .start = start,
        .poll = poll,
        .release = release,
        .stop = stop,
        .free = free_source,
    };
    struct memory_source *s = calloc(1, sizeof *s);
    s->base.ops = &ops;
    s->fail_in = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    memory_source_rename(s, "memory");
    for (size_t f = 0; f < spec->n_feeds; f++)
        for (int p = 0; p < n_partitions; p++) {
            s->parts[s->n_parts] = (struct cl_source_partition){
                &spec->feeds[f], spec->feeds[f].topic, p, (int)s->n_parts, 0, 0};
            s->n_parts++;
        }
    if (unknown_topics) {
        s->parts[s->n_parts] = (struct cl_source_partition){NULL, "", 0, 0, 0, 0};
        s->n_parts++;
    }
    return s;
}

struct cl_source *memory_source_base(struct memory_source *s)
{
    return &s->base;
}

void memory_source_add(struct memory_source *s, int part, const char *value)
{
    struct part *p = &s->state[part];
    p->messages = realloc(p->messages, (p->n + 1) * sizeof *p->messages);
    p->messages[p->n++] = (struct stored){p->end++, value == NULL ? NULL : strdup(value)};
}

void memory_source_skip(struct memory_source *s, int part, int64_t n)
{
    s->state[part].end += n;
}

void memory_source_rename(struct memory_source *s, const char *kind)
{
    (void)snprintf(s->identity, sizeof s->identity, "{\"kind\":\"%s\"}", kind);
}

void memory_source_fail_poll(struct memory_source *s, int n, bool fatal)
{
    s->fail_in = n;
    s->fail_fatal = fatal;
}
