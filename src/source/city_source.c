/* city_source.c - the simulated city as a source: nothing is stored, every position can be read
 * again.
 *
 * The feeds of the spec that are named like one of the city's have spec->kafka.partitions
 * partitions each.  A city has no end unless one is wanted: --events counts from the city's first
 * event over all feeds read, in the order of sending, and --for is simulated time from the city's
 * start.  Both become an end offset of each partition before anything is read, so a run that was
 * killed and is started again stops at the same events.
 *
 * A paced city (options->paced or a rate) gives events when the simulated clock reaches them.  The
 * clock starts at the oldest position, so a run goes on where the one before stopped; --for then
 * counts from there.
 *
 * A lane reads its partitions side by side in simulated time, each for a while (QUANTUM_US) before
 * the next, so that their watermarks stay close.  Messages are copied into the lane's buffer, which
 * holds one chunk. */
#include "source/city_source.h"

#include "base/arena.h"
#include "city/pace.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_MESSAGES = 2048, CHUNK_BYTES = 1 << 20, ARENA_BYTES = 16 << 20 };
#define QUANTUM_US INT64_C(10000000)

struct part {
    enum cl_city_feed feed;
    int partition;
    int64_t end; /* first offset not to be read; INT64_MAX: no end */
    /* Of the lane that reads it: */
    struct cl_city_cursor *cursor; /* NULL: not read by this process */
    int64_t next;                  /* position */
    int64_t time_us; /* when the event there is sent; INT64_MAX when there is none to read */
    int64_t touched; /* number of the chunk that moved it last */
};

struct lane {
    int32_t *parts;
    size_t n_parts;
    struct cl_message *messages;
    struct cl_advance *advances;
    uint8_t *bytes;
    size_t used;
    size_t n_messages, n_advances;
    int64_t chunk;
};

struct city_source {
    struct cl_source base;
    const struct cl_source_options *options;
    struct cl_city *city;
    struct cl_arena arena;
    double speed; /* of the simulated clock, 0: as fast as possible */
    struct part *parts;
    struct cl_source_partition *partitions;
    const char *identity[CL_CITY_FEEDS];
    size_t n_parts;
    struct cl_pace pace;
    int64_t until_us; /* paced with a duration */
    struct lane *lanes;
    int n_lanes;
};

void cl_city_config_from_spec(const struct cl_spec *spec, struct cl_city_config *ret)
{
    const struct cl_city_spec *c = &spec->city;
    *ret = (struct cl_city_config){
        .vehicles = c->vehicles,
        .seed = c->seed,
        .start_us = c->start_us,
        .latitude = c->latitude,
        .longitude = c->longitude,
        .partitions = spec->kafka.partitions,
        .duplicates = c->duplicates,
        .late = c->late,
        .out_of_order = c->out_of_order,
        .malformed = c->malformed,
    };
}

enum cl_code cl_city_feeds_from_spec(const struct cl_spec *spec, const struct cl_feed *only,
                                     const struct cl_feed *ret_feeds[CL_CITY_FEEDS],
                                     unsigned *ret_set, struct cl_error *err)
{
    unsigned set = 0;
    for (int k = 0; k < CL_CITY_FEEDS; k++) {
        const struct cl_feed *feed =
            cl_spec_find_feed(spec, cl_city_feed_name((enum cl_city_feed)k));
        if (only != NULL && feed != only) feed = NULL;
        ret_feeds[k] = feed;
        if (feed != NULL) set |= CL_CITY_BIT(k);
    }
    if (set == 0)
        return cl_fail_at(
            err, CL_EINVAL, spec->path,
            "%s is none of the simulated city's feeds: vehicle, gps, camera, weather, emergency",
            only != NULL ? only->name : "each declared feed");
    *ret_set = set;
    return CL_OK;
}

static const char *identity_of(struct cl_arena *arena, const struct cl_city_config *c,
                               const char *feed)
{
    return cl_arena_printf(
        arena,
        "{\"center\":[%.17g,%.17g],\"faults\":{\"duplicates\":%.17g,\"late\":%.17g,"
        "\"malformed\":%.17g,\"out_of_order\":%.17g},\"feed\":\"%s\",\"kind\":\"city\","
        "\"partitions\":%d,\"seed\":%llu,\"start_us\":%lld,\"vehicles\":%lld,\"version\":%d}",
        c->latitude, c->longitude, c->duplicates, c->late, c->malformed, c->out_of_order, feed,
        c->partitions, (unsigned long long)c->seed, (long long)c->start_us, (long long)c->vehicles,
        CL_CITY_VERSION);
}

/* Turns --events and --for into end offsets. */
static enum cl_code set_ends(struct city_source *s, unsigned feeds, struct cl_error *err)
{
    const struct cl_city_config *config = cl_city_config_of(s->city);
    const struct cl_source_options *o = s->options;
    size_t n = (size_t)CL_CITY_FEEDS * (size_t)config->partitions;
    int64_t *after = calloc(n, sizeof *after);
    enum cl_code code = after == NULL ? cl_fail_nomem(err) : CL_OK;
    if (code == CL_OK && o->max_events > 0)
        code = cl_city_offsets_after(s->city, feeds, o->max_events, after, err);
    for (size_t k = 0; k < s->n_parts && code == CL_OK; k++) {
        struct part *part = &s->parts[k];
        part->end = INT64_MAX;
        if (o->max_events > 0) part->end = after[part->feed * config->partitions + part->partition];
        if (o->duration_us > 0 && s->speed <= 0) {
            int64_t at;
            code = cl_city_offset_at(s->city, part->feed, part->partition,
                                     config->start_us + o->duration_us, &at, err);
            if (code == CL_OK && at < part->end) part->end = at;
        }
        s->partitions[k].end = part->end == INT64_MAX ? -1 : part->end;
    }
    free(after);
    return code;
}

static enum cl_code add_partitions(struct city_source *s,
                                   const struct cl_feed *feeds[CL_CITY_FEEDS], struct cl_error *err)
{
    const struct cl_city_config *config = cl_city_config_of(s->city);
    size_t n = (size_t)CL_CITY_FEEDS * (size_t)config->partitions;
    s->parts = calloc(n, sizeof *s->parts);
    s->partitions = calloc(n, sizeof *s->partitions);
    if (s->parts == NULL || s->partitions == NULL) return cl_fail_nomem(err);
    for (int k = 0; k < CL_CITY_FEEDS; k++) {
        if (feeds[k] == NULL) continue;
        s->identity[k] = identity_of(&s->arena, config, feeds[k]->name);
        if (s->identity[k] == NULL) return cl_fail_nomem(err);
        for (int p = 0; p < config->partitions; p++) {
            size_t at = s->n_parts++;
            s->parts[at] = (struct part){.feed = (enum cl_city_feed)k, .partition = p};
            s->partitions[at] = (struct cl_source_partition){.feed = feeds[k],
                                                             .topic = feeds[k]->topic,
                                                             .partition = p,
                                                             .stream = (int)at,
                                                             .low = 0,
                                                             .end = -1};
        }
    }
    return CL_OK;
}

static enum cl_code partitions(struct cl_source *base, const struct cl_source_partition **ret,
                               size_t *ret_n, struct cl_error *err)
{
    (void)err;
    struct city_source *s = (struct city_source *)base;
    *ret = s->partitions;
    *ret_n = s->n_parts;
    return CL_OK;
}

static enum cl_code identity(struct cl_source *base, int32_t part, const char **ret,
                             struct cl_error *err)
{
    (void)err;
    struct city_source *s = (struct city_source *)base;
    *ret = s->identity[s->parts[part].feed];
    return CL_OK;
}

/* Looks at the event that comes next in a partition. */
static enum cl_code look_ahead(struct city_source *s, struct part *part, struct cl_error *err)
{
    enum cl_code code = cl_city_cursor_peek(part->cursor, &part->time_us, err);
    if (code != CL_OK) return code;
    if (cl_city_cursor_offset(part->cursor) >= part->end) part->time_us = INT64_MAX;
    if (part->time_us >= s->until_us) part->time_us = INT64_MAX;
    return CL_OK;
}

static void stop(struct cl_source *base)
{
    struct city_source *s = (struct city_source *)base;
    for (size_t k = 0; k < s->n_parts; k++) {
        cl_city_cursor_free(s->parts[k].cursor);
        s->parts[k].cursor = NULL;
    }
    for (int k = 0; k < s->n_lanes; k++) {
        free(s->lanes[k].parts);
        free(s->lanes[k].messages);
        free(s->lanes[k].advances);
        free(s->lanes[k].bytes);
    }
    free(s->lanes);
    s->lanes = NULL;
    s->n_lanes = 0;
}

static enum cl_code open_lanes(struct city_source *s, const int *lanes, int n_lanes,
                               struct cl_error *err)
{
    s->lanes = calloc((size_t)n_lanes, sizeof *s->lanes);
    if (s->lanes == NULL) return cl_fail_nomem(err);
    s->n_lanes = n_lanes;
    for (int k = 0; k < n_lanes; k++) {
        struct lane *lane = &s->lanes[k];
        lane->parts = calloc(s->n_parts, sizeof *lane->parts);
        lane->messages = calloc(CHUNK_MESSAGES, sizeof *lane->messages);
        lane->advances = calloc(s->n_parts, sizeof *lane->advances);
        lane->bytes = malloc(CHUNK_BYTES);
        if (lane->parts == NULL || lane->messages == NULL || lane->advances == NULL ||
            lane->bytes == NULL)
            return cl_fail_nomem(err);
    }
    for (size_t k = 0; k < s->n_parts; k++)
        if (lanes[k] >= 0) s->lanes[lanes[k]].parts[s->lanes[lanes[k]].n_parts++] = (int32_t)k;
    return CL_OK;
}

static enum cl_code open_part(struct city_source *s, struct part *part,
                              const struct cl_position *position, struct cl_error *err)
{
    part->next = position->next == CL_POSITION_BEGIN ? 0 : position->next;
    part->touched = 0;
    enum cl_code code =
        cl_city_cursor_new(s->city, part->feed, part->partition, part->next, &part->cursor, err);
    if (code == CL_OK) code = look_ahead(s, part, err);
    return code;
}

static enum cl_code start(struct cl_source *base, const struct cl_position *positions,
                          const int *lanes, int n_lanes, struct cl_error *err)
{
    struct city_source *s = (struct city_source *)base;
    s->until_us = INT64_MAX;
    enum cl_code code = open_lanes(s, lanes, n_lanes, err);
    int64_t oldest = INT64_MAX;
    for (size_t k = 0; k < s->n_parts && code == CL_OK; k++) {
        if (lanes[k] < 0) continue;
        code = open_part(s, &s->parts[k], &positions[k], err);
        if (code == CL_OK && s->parts[k].time_us < oldest) oldest = s->parts[k].time_us;
    }
    if (code != CL_OK) {
        stop(base);
        return code;
    }
    cl_pace_start(&s->pace, s->speed, oldest);
    if (s->speed > 0 && s->options->duration_us > 0 && oldest != INT64_MAX) {
        s->until_us = oldest + s->options->duration_us;
        for (size_t k = 0; k < s->n_parts; k++)
            if (s->parts[k].time_us >= s->until_us) s->parts[k].time_us = INT64_MAX;
    }
    return CL_OK;
}

/* The lane's partition with the oldest next event, and how far it may go before another one is due.
 * NULL: nothing left. */
static struct part *oldest_part(struct city_source *s, const struct lane *lane, int32_t *ret_index,
                                int64_t *ret_until)
{
    struct part *first = NULL;
    int64_t second = INT64_MAX - QUANTUM_US;
    for (size_t k = 0; k < lane->n_parts; k++) {
        struct part *part = &s->parts[lane->parts[k]];
        if (part->time_us == INT64_MAX) continue;
        if (first == NULL || part->time_us < first->time_us) {
            if (first != NULL) second = first->time_us;
            first = part;
            *ret_index = lane->parts[k];
        } else if (part->time_us < second) {
            second = part->time_us;
        }
    }
    *ret_until = second + QUANTUM_US;
    return first;
}

static const uint8_t *keep(struct lane *lane, const void *data, size_t len)
{
    uint8_t *to = lane->bytes + lane->used;
    memcpy(to, data, len);
    lane->used += len;
    return to;
}

static bool is_full(const struct lane *lane)
{
    return lane->n_messages == CHUNK_MESSAGES ||
           lane->used + CL_CITY_MAX_MESSAGE + CL_CITY_MAX_KEY > CHUNK_BYTES;
}

/* Notes where the partition stands after this chunk. */
static void advance(struct lane *lane, int32_t index, struct part *part)
{
    size_t at = 0;
    if (part->touched == lane->chunk)
        while (lane->advances[at].part != index)
            at++;
    else
        at = lane->n_advances++;
    part->touched = lane->chunk;
    lane->advances[at] = (struct cl_advance){.part = index, .position = {.next = part->next}};
}

static enum cl_code take(struct city_source *s, struct lane *lane, int32_t index, struct part *part,
                         int64_t until, struct cl_error *err)
{
    while (part->time_us <= until && part->time_us != INT64_MAX && !is_full(lane)) {
        struct cl_city_event event;
        enum cl_code code = cl_city_cursor_next(part->cursor, &event, err);
        if (code != CL_OK) return code;
        struct cl_message *m = &lane->messages[lane->n_messages++];
        m->part = index;
        m->key_len = (int32_t)event.key_len;
        m->key = keep(lane, event.key, event.key_len);
        m->value_len = (int32_t)event.value_len;
        m->value = keep(lane, event.value, event.value_len);
        m->offset = event.offset;
        m->timestamp_us = event.timestamp_us;
        m->topic = NULL;
        code = look_ahead(s, part, err);
        if (code != CL_OK) return code;
        part->next = cl_city_cursor_offset(part->cursor);
        if (part->next > part->end) part->next = part->end;
    }
    advance(lane, index, part);
    return CL_OK;
}

/* Fills the chunk with what is due.  Sets *ret_due to the time of the next event of the lane,
 * INT64_MAX for none. */
static enum cl_code gather(struct city_source *s, struct lane *lane, int64_t *ret_due,
                           struct cl_error *err)
{
    int64_t now = cl_pace_now_us(&s->pace), until;
    *ret_due = INT64_MAX;
    while (!is_full(lane)) {
        int32_t index = 0;
        struct part *part = oldest_part(s, lane, &index, &until);
        if (part == NULL) break;
        *ret_due = part->time_us;
        if (part->time_us > now) break;
        enum cl_code code = take(s, lane, index, part, until < now ? until : now, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

static enum cl_code poll(struct cl_source *base, int index, int timeout_ms, struct cl_chunk *ret,
                         struct cl_error *err)
{
    struct city_source *s = (struct city_source *)base;
    struct lane *lane = &s->lanes[index];
    int64_t due, deadline = cl_clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    lane->n_messages = lane->n_advances = lane->used = 0;
    lane->chunk++;
    enum cl_code code = gather(s, lane, &due, err);
    if (code == CL_OK && lane->n_messages == 0 && due != INT64_MAX) {
        int64_t wait = cl_pace_wait_us(&s->pace, due), left = deadline - cl_clock_monotonic_us();
        cl_clock_sleep_us(wait < left ? wait : left);
        code = gather(s, lane, &due, err);
    }
    if (code != CL_OK) return code;
    *ret = (struct cl_chunk){
        .messages = lane->messages,
        .n = lane->n_messages,
        .advances = lane->advances,
        .n_advances = lane->n_advances,
        .ended = lane->n_messages == 0 && due == INT64_MAX,
    };
    return CL_OK;
}

static void release(struct cl_source *base, int lane)
{
    (void)base;
    (void)lane; /* the next poll reuses the buffer */
}

static enum cl_code watermarks(struct cl_source *base, int32_t index, int64_t *ret_low,
                               int64_t *ret_end, struct cl_error *err)
{
    struct city_source *s = (struct city_source *)base;
    const struct part *part = &s->parts[index];
    *ret_low = 0;
    *ret_end = part->end == INT64_MAX ? -1 : part->end;
    if (s->speed <= 0 || s->n_lanes == 0) return CL_OK;
    int64_t now = cl_pace_now_us(&s->pace), sent;
    enum cl_code code =
        cl_city_offset_at(s->city, part->feed, part->partition, now + 1, &sent, err);
    if (code == CL_OK && (*ret_end < 0 || sent < *ret_end)) *ret_end = sent;
    return code;
}

static void destroy(struct cl_source *base)
{
    struct city_source *s = (struct city_source *)base;
    stop(base);
    free(s->parts);
    free(s->partitions);
    cl_arena_fini(&s->arena);
    cl_city_free(s->city);
    free(s);
}

static const struct cl_source_ops ops = {
    .name = "city",
    .partitions = partitions,
    .identity = identity,
    .start = start,
    .poll = poll,
    .release = release,
    .stop = stop,
    .free = destroy,
    .watermarks = watermarks,
};

enum cl_code cl_city_source_new(const struct cl_spec *spec, const struct cl_source_options *options,
                                struct cl_source **ret, struct cl_error *err)
{
    const struct cl_feed *feeds[CL_CITY_FEEDS];
    unsigned set = 0;
    if (options->until_end && options->max_events <= 0 && options->duration_us <= 0)
        return cl_fail(err, CL_EINVAL,
                       "the simulated city has no end: give --events N or --for DURATION");
    enum cl_code code = cl_city_feeds_from_spec(spec, options->only, feeds, &set, err);
    if (code != CL_OK) return code;
    struct city_source *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->base.ops = &ops;
    s->options = options;
    cl_arena_init(&s->arena, ARENA_BYTES);
    struct cl_city_config config;
    cl_city_config_from_spec(spec, &config);
    code = cl_city_new(&config, &s->city, err);
    if (code == CL_OK && options->rate > 0)
        s->speed = options->rate / cl_city_events_per_second(s->city, set);
    else if (code == CL_OK && options->paced)
        s->speed = spec->city.speed_up;
    if (code == CL_OK) code = add_partitions(s, feeds, err);
    if (code == CL_OK) code = set_ends(s, set, err);
    if (code != CL_OK) {
        destroy(&s->base);
        return code;
    }
    *ret = &s->base;
    return CL_OK;
}
