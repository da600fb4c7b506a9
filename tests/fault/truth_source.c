#include "truth_source.h"

#include "../tools/random.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHUNK = 64, MAX_LANES = 8 };

struct lane_chunk {
    struct cl_message messages[MAX_CHUNK];
    struct cl_advance advances[TRUTH_MAX_PARTS];
};
static struct lane_chunk chunks[MAX_LANES]; /* one engine reads in a process */

static struct truth_source *self_of(struct cl_source *s)
{
    return (struct truth_source *)s;
}

static enum cl_code partitions(struct cl_source *base, const struct cl_source_partition **ret,
                               size_t *ret_n, struct cl_error *err)
{
    (void)err;
    struct truth_source *s = self_of(base);
    for (size_t i = 0; i < s->n_parts; i++)
        s->parts[i].end = s->streams[s->parts[i].stream].end;
    *ret = s->parts;
    *ret_n = s->n_parts;
    return CL_OK;
}

static enum cl_code identity(struct cl_source *base, int32_t part, const char **ret,
                             struct cl_error *err)
{
    (void)base;
    (void)part;
    (void)err;
    *ret = "{\"kind\":\"truth\"}";
    return CL_OK;
}

/* Reading begins where the first of the stream's partitions stands. */
static enum cl_code start(struct cl_source *base, const struct cl_position *positions,
                          const int *lanes, int n_lanes, struct cl_error *err)
{
    struct truth_source *s = self_of(base);
    if (n_lanes > MAX_LANES) return cl_fail(err, CL_EINVAL, "%d lanes", n_lanes);
    for (size_t k = 0; k < s->n_streams; k++) {
        struct truth_stream *st = &s->streams[k];
        int64_t from = INT64_MAX;
        for (size_t i = 0; i < s->n_parts; i++) {
            if ((size_t)s->parts[i].stream != k) continue;
            s->start_next[i] = positions[i].next;
            if (positions[i].next > st->end)
                return cl_fail(err, CL_EINVAL, "position %" PRId64 " is past the end",
                               positions[i].next);
            if (positions[i].next < from) from = positions[i].next;
            st->lane = lanes[i];
        }
        st->at = 0;
        while (st->at < st->n && st->messages[st->at].offset < from)
            st->at++;
    }
    return CL_OK;
}

static void take(struct truth_source *s, struct truth_stream *st, size_t stream, int lane,
                 struct cl_chunk *ret)
{
    struct lane_chunk *c = &chunks[lane];
    while (st->at < st->n && ret->n < (size_t)s->chunk) {
        const struct truth_message *m = &st->messages[st->at++];
        c->messages[ret->n++] = (struct cl_message){
            .part = m->part,
            .key_len = -1,
            .value_len = m->value == NULL ? -1 : m->len,
            .value = (const uint8_t *)m->value,
            .offset = m->offset,
            .timestamp_us = 1,
            .topic = s->parts[m->part].feed == NULL ? "lost" : NULL,
        };
    }
    int64_t next = st->at == st->n ? st->end : st->messages[st->at].offset;
    for (size_t i = 0; i < s->n_parts; i++)
        if ((size_t)s->parts[i].stream == stream && next > s->start_next[i])
            c->advances[ret->n_advances++] = (struct cl_advance){(int32_t)i, {next, next * 10}};
}

static enum cl_code poll(struct cl_source *base, int lane, int timeout_ms, struct cl_chunk *ret,
                         struct cl_error *err)
{
    (void)timeout_ms;
    struct truth_source *s = self_of(base);
    struct cl_chunk chunk = {
        .messages = chunks[lane].messages, .advances = chunks[lane].advances, .ended = true};
    int die;
    if (s->faults != NULL && faults_next(s->faults, FAULT_POLL, &die) != FAULT_NONE)
        return faults_fail(s->faults, FAULT_POLL, FAULT_UNDONE, err);
    for (size_t k = 0; k < s->n_streams; k++) {
        struct truth_stream *st = &s->streams[k];
        if (st->lane != lane) continue;
        if (chunk.n == 0) take(s, st, k, lane, &chunk);
        if (st->at < st->n) chunk.ended = false;
    }
    *ret = chunk;
    return CL_OK;
}

static void release(struct cl_source *base, int lane)
{
    (void)base;
    memset(&chunks[lane], 0xee, sizeof chunks[lane]); /* nobody may look any more */
}

static void stop(struct cl_source *base)
{
    (void)base;
}

void truth_source_init(struct truth_source *s, const struct cl_spec *spec, bool envelopes)
{
    static const struct cl_source_ops ops = {
        .name = "truth",
        .partitions = partitions,
        .identity = identity,
        .start = start,
        .poll = poll,
        .release = release,
        .stop = stop,
        .free = stop,
    };
    *s = (struct truth_source){.base = {&ops}, .spec = spec, .envelopes = envelopes, .chunk = 7};
    for (size_t f = 0; f < spec->n_feeds; f++)
        for (int p = 0; p < (envelopes ? 1 : TRUTH_PARTITIONS); p++) {
            s->parts[s->n_parts] = (struct cl_source_partition){
                &spec->feeds[f], spec->feeds[f].topic, p, envelopes ? 0 : (int)s->n_parts, 0, 0};
            s->n_parts++;
        }
    if (envelopes) s->parts[s->n_parts++] = (struct cl_source_partition){NULL, "", 0, 0, 0, 0};
    s->n_streams = envelopes ? 1 : s->n_parts;
}

void truth_source_fini(struct truth_source *s)
{
    for (size_t k = 0; k < s->n_streams; k++) {
        for (size_t i = 0; i < s->streams[k].n; i++)
            free(s->streams[k].messages[i].value);
        free(s->streams[k].messages);
    }
}

/* ---- messages ---- */

/* x is the offset, so that a row can be recognised; pad makes files and memory grow. */
static int good_text(char *buf, size_t size, int64_t offset, uint64_t *random)
{
    int pad = random_below(random, 50) == 0 ? 3000 : (int)random_below(random, 30);
    return snprintf(buf, size,
                    "{\"id\":\"v%u\",\"t\":\"2026-01-%02uT%02u:00:00\",\"x\":%" PRId64
                    ",\"pad\":\"%0*d\"}",
                    random_below(random, 50), 1 + random_below(random, 4), random_below(random, 24),
                    offset, pad + 1, 0);
}

static int bad_text(char *buf, size_t size, int64_t offset, uint64_t *random)
{
    switch (random_below(random, 3)) {
    case 0:
        return snprintf(buf, size, "{\"id\":null,\"t\":\"2026-01-01\",\"x\":%" PRId64 "}", offset);
    case 1: return snprintf(buf, size, "{\"id\":\"a\",\"t\":");
    default:
        return snprintf(buf, size, "{\"id\":\"a\",\"t\":\"yesterday\",\"x\":%" PRId64 "}", offset);
    }
}

static void append(struct truth_stream *st, struct truth_message m, const char *text)
{
    st->messages = realloc(st->messages, (st->n + 1) * sizeof *st->messages);
    if (m.len >= 0) {
        m.value = malloc((size_t)m.len + 1);
        if (st->messages == NULL || m.value == NULL) abort();
        m.value = realloc(m.value, m.len > 0 ? (size_t)m.len : 1);
        memcpy(m.value, text, (size_t)m.len);
    }
    st->messages[st->n++] = m;
    st->end = m.offset + 1;
}

void truth_source_grow(struct truth_source *s, uint64_t *random, int n)
{
    char text[4096];
    for (int i = 0; i < n; i++) {
        int part = (int)random_below(random, (uint32_t)s->n_parts);
        struct truth_stream *st = &s->streams[s->parts[part].stream];
        if (random_below(random, 20) == 0) st->end += 1 + random_below(random, 5);
        struct truth_message m = {.part = part, .offset = st->end};
        uint32_t dice = random_below(random, 100);
        m.row = s->parts[part].feed != NULL && dice < 80;
        if (dice < 80)
            m.len = good_text(text, sizeof text, m.offset, random);
        else if (dice < 85)
            m.len = -1;
        else
            m.len = bad_text(text, sizeof text, m.offset, random);
        append(st, m, text);
    }
}
