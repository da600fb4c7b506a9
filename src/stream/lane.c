#include "stream/lane.h"

#include "base/clock.h"
#include "stream/dead_letters.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BATCH_ROWS = 4096,     /* a batch of every column stays in the second-level cache */
    BATCH_BYTES = 8 << 20, /* message bytes after which a batch is flushed early */
    POLL_MS = 50,
    DEAD_BATCH_ROWS = 1024,
    LOG_EVERY_US = 5000000,
};

/* A lane's part of one feed. */
struct lane_table {
    struct cl_decoder *decoder;
    struct cl_batch *batch;
    struct cl_fileset *files;
    struct cl_counts counts;
    size_t batch_bytes;
    int col_partition, col_offset, col_ingested;
};

struct cl_lane {
    const struct cl_stream_plan *plan;
    int index;
    pthread_t thread;
    struct lane_table *tables;
    struct cl_batch *dead_batch;
    struct cl_fileset *dead_files;
    size_t dead_bytes;
    int64_t dead_rows;
    struct cl_position *position; /* per partition of the plan; only this lane's are used */
    bool *moved, *dead_moved;
    int64_t (*rejects)[CL_REJECT_N]; /* per table, the last: of no table */
    _Atomic int64_t *reached; /* per partition: position[].next for other threads to see, written
                                 once per chunk */
    bool ended;
    int64_t last_complaint_us;
    struct cl_lane_stats stats;
    char prefix[48];

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool requested, quit, failed, at_end;
    struct cl_handover *handover;
    struct cl_error error;
    atomic_bool attention; /* requested or quit: read without the lock by the hot loop */
};

/* ---- handovers ---- */

void cl_handover_free(struct cl_handover *h, struct cl_store *store)
{
    if (h == NULL) return;
    for (size_t i = 0; i < h->n_tables && h->files != NULL; i++)
        cl_file_list_discard(&h->files[i], store);
    cl_file_list_discard(&h->dead, store);
    free(h->files);
    free(h->counts);
    free(h->position);
    free(h->moved);
    free(h->dead_moved);
    free(h->rejects);
    free(h);
}

static struct cl_handover *handover_new(size_t n_tables, size_t n_parts)
{
    struct cl_handover *h = calloc(1, sizeof *h);
    if (h == NULL) return NULL;
    h->n_tables = n_tables;
    h->files = calloc(n_tables + 1, sizeof *h->files);
    h->counts = calloc(n_tables + 1, sizeof *h->counts);
    h->position = calloc(n_parts + 1, sizeof *h->position);
    h->moved = calloc(n_parts + 1, sizeof *h->moved);
    h->dead_moved = calloc(n_parts + 1, sizeof *h->dead_moved);
    h->rejects = calloc(n_tables + 1, sizeof *h->rejects);
    if (h->files == NULL || h->counts == NULL || h->position == NULL || h->moved == NULL ||
        h->dead_moved == NULL || h->rejects == NULL) {
        cl_handover_free(h, NULL);
        return NULL;
    }
    return h;
}

/* ---- the hot path ---- */

static void update_memory(struct cl_lane *lane, int64_t *ret_bytes)
{
    int64_t bytes = cl_fileset_memory_bytes(lane->dead_files);
    for (size_t i = 0; i < lane->plan->n_tables; i++)
        bytes += cl_fileset_memory_bytes(lane->tables[i].files);
    atomic_store_explicit(&lane->stats.memory_bytes, bytes, memory_order_relaxed);
    *ret_bytes = bytes;
}

/* When the open files hold more than the lane's share, the largest is ended early: smaller files,
 * never more memory. */
static enum cl_code shed_memory(struct cl_lane *lane, struct cl_error *err)
{
    int64_t bytes;
    update_memory(lane, &bytes);
    while (bytes > lane->plan->memory_bytes) {
        struct cl_fileset *largest = lane->dead_files;
        int64_t before = bytes;
        for (size_t i = 0; i < lane->plan->n_tables; i++)
            if (cl_fileset_memory_bytes(lane->tables[i].files) > cl_fileset_memory_bytes(largest))
                largest = lane->tables[i].files;
        enum cl_code code = cl_fileset_shed(largest, err);
        if (code != CL_OK) return code;
        update_memory(lane, &bytes);
        if (bytes >= before) break;
    }
    return CL_OK;
}

static enum cl_code flush_table(struct cl_lane *lane, struct lane_table *t, struct cl_error *err)
{
    enum cl_code code = cl_fileset_write(t->files, t->batch, err);
    cl_batch_reset(t->batch);
    t->batch_bytes = 0;
    return code == CL_OK ? shed_memory(lane, err) : code;
}

static enum cl_code flush_dead(struct cl_lane *lane, struct cl_error *err)
{
    enum cl_code code = cl_fileset_write(lane->dead_files, lane->dead_batch, err);
    cl_batch_reset(lane->dead_batch);
    lane->dead_bytes = 0;
    return code == CL_OK ? shed_memory(lane, err) : code;
}

static enum cl_code reject_message(struct cl_lane *lane, const struct cl_message *m,
                                   const struct cl_reject *reject, int64_t now_us,
                                   struct cl_error *err)
{
    const struct cl_stream_plan *plan = lane->plan;
    int table = plan->table_of_part[m->part];
    lane->rejects[table >= 0 ? (size_t)table : plan->n_tables][reject->reason]++;
    if (table >= 0) lane->tables[table].counts.rejected++;
    atomic_fetch_add_explicit(&lane->stats.rejected, 1, memory_order_relaxed);
    if (m->offset < plan->dead_below[m->part]) return CL_OK;
    enum cl_code code =
        cl_dead_letters_add(lane->dead_batch, &plan->parts[m->part], m, reject, now_us, err);
    if (code != CL_OK) return code;
    lane->dead_moved[m->part] = true;
    lane->dead_rows++;
    lane->dead_bytes += m->value_len > 0 ? (size_t)m->value_len : 0;
    if (lane->dead_batch->rows == lane->dead_batch->capacity || lane->dead_bytes > BATCH_BYTES)
        return flush_dead(lane, err);
    return CL_OK;
}

static enum cl_code take_message(struct cl_lane *lane, const struct cl_message *m, int64_t now_us,
                                 struct cl_error *err)
{
    int table = lane->plan->table_of_part[m->part];
    struct cl_reject reject = {.reason = CL_REJECT_TOMBSTONE, .column = -1};
    if (table < 0) {
        reject.reason = CL_REJECT_UNKNOWN_TOPIC;
        (void)snprintf(reject.detail, sizeof reject.detail,
                       "no feed of city.yaml reads this topic, or it is no envelope");
        return reject_message(lane, m, &reject, now_us, err);
    }
    struct lane_table *t = &lane->tables[table];
    t->counts.consumed++;
    if (m->value_len < 0) {
        (void)snprintf(reject.detail, sizeof reject.detail, "the message has no value (tombstone)");
        return reject_message(lane, m, &reject, now_us, err);
    }
    struct cl_batch *batch = t->batch;
    switch (cl_decoder_decode(t->decoder, m->value, (size_t)m->value_len, batch, &reject)) {
    case CL_DECODED_ROW: break;
    case CL_DECODED_REJECT: return reject_message(lane, m, &reject, now_us, err);
    case CL_DECODED_NOMEM: return cl_fail_nomem(err);
    }
    int32_t row = batch->rows;
    cl_column_set_int(&batch->columns[t->col_partition], row, lane->plan->parts[m->part].partition);
    cl_column_set_long(&batch->columns[t->col_offset], row, m->offset);
    cl_column_set_long(&batch->columns[t->col_ingested], row, now_us);
    cl_batch_commit_row(batch);
    t->counts.stored++;
    t->batch_bytes += (size_t)m->value_len;
    if (batch->rows == batch->capacity || t->batch_bytes > BATCH_BYTES)
        return flush_table(lane, t, err);
    return CL_OK;
}

static enum cl_code take_chunk(struct cl_lane *lane, const struct cl_chunk *chunk,
                               struct cl_error *err)
{
    int64_t now_us = cl_clock_wall_us();
    long long bytes = 0, taken = 0;
    for (size_t i = 0; i < chunk->n; i++) {
        const struct cl_message *m = &chunk->messages[i];
        /* A stream shared by several tables is read from the smallest position: each skips what it
         * has. */
        if (m->offset < lane->position[m->part].next) continue;
        enum cl_code code = take_message(lane, m, now_us, err);
        if (code != CL_OK) {
            struct cl_source_partition const *p = &lane->plan->parts[m->part];
            return cl_error_wrap(err, code, "topic %s, partition %d, offset %lld", p->topic,
                                 p->partition, (long long)m->offset);
        }
        bytes += m->value_len > 0 ? m->value_len : 0;
        taken++;
    }
    for (size_t i = 0; i < chunk->n_advances; i++) {
        const struct cl_advance *a = &chunk->advances[i];
        if (a->position.next <= lane->position[a->part].next) continue;
        lane->position[a->part] = a->position;
        atomic_store_explicit(&lane->reached[a->part], a->position.next, memory_order_relaxed);
        lane->moved[a->part] = true;
    }
    atomic_fetch_add_explicit(&lane->stats.consumed, taken, memory_order_relaxed);
    atomic_fetch_add_explicit(&lane->stats.bytes, bytes, memory_order_relaxed);
    return CL_OK;
}

/* ---- between chunks ---- */

static enum cl_code prepare_handover(struct cl_lane *lane, struct cl_handover *h,
                                     struct cl_error *err)
{
    const struct cl_stream_plan *plan = lane->plan;
    enum cl_code code = flush_dead(lane, err);
    if (code == CL_OK) code = cl_fileset_finish(lane->dead_files, &h->dead, err);
    for (size_t i = 0; i < plan->n_tables && code == CL_OK; i++) {
        struct lane_table *t = &lane->tables[i];
        code = flush_table(lane, t, err);
        if (code == CL_OK) code = cl_fileset_finish(t->files, &h->files[i], err);
        h->counts[i] = t->counts;
        t->counts = (struct cl_counts){0};
    }
    if (code != CL_OK) return code;
    for (size_t i = 0; i < plan->n_parts; i++) {
        h->position[i] = lane->position[i];
        h->moved[i] = lane->moved[i];
        h->dead_moved[i] = lane->dead_moved[i];
        lane->moved[i] = lane->dead_moved[i] = false;
    }
    h->dead_rows = lane->dead_rows;
    lane->dead_rows = 0;
    memcpy(h->rejects, lane->rejects, (plan->n_tables + 1) * sizeof *h->rejects);
    memset(lane->rejects, 0, (plan->n_tables + 1) * sizeof *lane->rejects);
    h->ended = lane->ended;
    return CL_OK;
}

/* Answers a request, if there is one.  *ret_quit: the lane is to end. */
static enum cl_code answer(struct cl_lane *lane, bool *ret_quit, struct cl_error *err)
{
    pthread_mutex_lock(&lane->lock);
    *ret_quit = lane->quit;
    bool requested = lane->requested && !lane->quit;
    atomic_store(&lane->attention, false);
    pthread_mutex_unlock(&lane->lock);
    if (!requested) return CL_OK;
    struct cl_handover *h = handover_new(lane->plan->n_tables, lane->plan->n_parts);
    enum cl_code code = h == NULL ? cl_fail_nomem(err) : prepare_handover(lane, h, err);
    if (code != CL_OK) {
        cl_handover_free(h, lane->plan->dead.catalog->store);
        return code;
    }
    pthread_mutex_lock(&lane->lock);
    lane->requested = false;
    lane->handover = h;
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    return CL_OK;
}

/* A lane without more input sleeps until the committer wants something. */
static void wait_for_attention(struct cl_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->at_end = true;
    while (!lane->requested && !lane->quit)
        pthread_cond_wait(&lane->changed, &lane->lock);
    pthread_mutex_unlock(&lane->lock);
}

static enum cl_code read_once(struct cl_lane *lane, struct cl_error *err)
{
    struct cl_source *source = lane->plan->source;
    struct cl_chunk chunk = {0};
    enum cl_code code = source->ops->poll(source, lane->index, POLL_MS, &chunk, err);
    atomic_store_explicit(&lane->stats.polled, true, memory_order_relaxed);
    if (code == CL_EIO && !(err->fatal)) {
        /* The source keeps trying; say so, but not at every poll. */
        int64_t now = cl_clock_monotonic_us();
        if (lane->last_complaint_us == 0 || now - lane->last_complaint_us > LOG_EVERY_US) {
            char text[1400];
            cl_log(lane->plan->log, CL_LOG_WARN, "source", CL_NUM("lane", lane->index),
                   CL_STR("error", cl_error_text(err, text, sizeof text)),
                   CL_STR("action", "retrying"));
            lane->last_complaint_us = now;
        }
        cl_clock_sleep_us(POLL_MS * 1000);
        return CL_OK;
    }
    if (code != CL_OK) return code;
    code = take_chunk(lane, &chunk, err);
    lane->ended = chunk.ended;
    source->ops->release(source, lane->index);
    return code;
}

static void *run(void *arg)
{
    struct cl_lane *lane = arg;
    struct cl_error err = {0};
    enum cl_code code = CL_OK;
    bool quit = false;
    while (code == CL_OK && !quit) {
        if (lane->ended) wait_for_attention(lane);
        if (lane->ended || atomic_load_explicit(&lane->attention, memory_order_relaxed))
            code = answer(lane, &quit, &err);
        if (code == CL_OK && !quit && !lane->ended) code = read_once(lane, &err);
    }
    pthread_mutex_lock(&lane->lock);
    lane->at_end = true;
    if (code != CL_OK) {
        lane->failed = true;
        lane->error = err;
    }
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

/* ---- birth and death ---- */

static enum cl_code new_fileset(struct cl_lane *lane, const struct cl_stream_table *table,
                                struct cl_fileset **ret, struct cl_error *err)
{
    const struct cl_fileset_options options = {
        .parquet = lane->plan->parquet,
        .target_file_bytes = lane->plan->spec->lake.target_file_bytes,
        .transform = table->transform,
        .partition_column = table->partition_column,
        .partition_name = table->partition_name,
        .folder = table->data_folder,
        .prefix = lane->prefix,
    };
    return cl_fileset_new(&table->schema, table->catalog->store, &options, ret, err);
}

static enum cl_code init_table(struct cl_lane *lane, struct lane_table *t,
                               const struct cl_stream_table *table, struct cl_error *err)
{
    t->col_partition = cl_schema_find(&table->schema, CL_COL_PARTITION);
    t->col_offset = cl_schema_find(&table->schema, CL_COL_OFFSET);
    t->col_ingested = cl_schema_find(&table->schema, CL_COL_INGESTED_AT);
    enum cl_code code = cl_decoder_new(table->feed, &t->decoder, err);
    if (code == CL_OK) code = cl_batch_new(&table->schema, BATCH_ROWS, &t->batch, err);
    if (code == CL_OK) code = new_fileset(lane, table, &t->files, err);
    return code;
}

static void lane_free(struct cl_lane *lane)
{
    for (size_t i = 0; i < lane->plan->n_tables && lane->tables != NULL; i++) {
        cl_decoder_free(lane->tables[i].decoder);
        cl_batch_free(lane->tables[i].batch);
        cl_fileset_free(lane->tables[i].files);
    }
    free(lane->tables);
    cl_batch_free(lane->dead_batch);
    cl_fileset_free(lane->dead_files);
    cl_handover_free(lane->handover, lane->plan->dead.catalog->store);
    free(lane->position);
    free(lane->moved);
    free(lane->dead_moved);
    free(lane->rejects);
    free(lane->reached);
    (void)pthread_cond_destroy(&lane->changed);
    (void)pthread_mutex_destroy(&lane->lock);
    free(lane);
}

static enum cl_code lane_init(struct cl_lane *lane, struct cl_error *err)
{
    const struct cl_stream_plan *plan = lane->plan;
    (void)snprintf(lane->prefix, sizeof lane->prefix, "%s-%02d", plan->run_id, lane->index);
    lane->tables = calloc(plan->n_tables + 1, sizeof *lane->tables);
    lane->position = calloc(plan->n_parts + 1, sizeof *lane->position);
    lane->moved = calloc(plan->n_parts + 1, sizeof *lane->moved);
    lane->dead_moved = calloc(plan->n_parts + 1, sizeof *lane->dead_moved);
    lane->rejects = calloc(plan->n_tables + 1, sizeof *lane->rejects);
    lane->reached = calloc(plan->n_parts + 1, sizeof *lane->reached);
    if (lane->tables == NULL || lane->position == NULL || lane->moved == NULL ||
        lane->dead_moved == NULL || lane->rejects == NULL || lane->reached == NULL)
        return cl_fail_nomem(err);
    memcpy(lane->position, plan->start, plan->n_parts * sizeof *lane->position);
    for (size_t i = 0; i < plan->n_parts; i++)
        atomic_init(&lane->reached[i], plan->start[i].next);
    enum cl_code code = cl_batch_new(&plan->dead.schema, DEAD_BATCH_ROWS, &lane->dead_batch, err);
    if (code == CL_OK) code = new_fileset(lane, &plan->dead, &lane->dead_files, err);
    for (size_t i = 0; i < plan->n_tables && code == CL_OK; i++)
        code = init_table(lane, &lane->tables[i], &plan->tables[i], err);
    return code;
}

enum cl_code cl_lane_start(const struct cl_stream_plan *plan, int index, struct cl_lane **ret,
                           struct cl_error *err)
{
    struct cl_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL) return cl_fail_nomem(err);
    lane->plan = plan;
    lane->index = index;
    (void)pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lane->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    enum cl_code code = lane_init(lane, err);
    if (code == CL_OK) {
        int failed = pthread_create(&lane->thread, NULL, run, lane);
        if (failed != 0)
            code = cl_fail_errno(err, failed, "cannot start a thread for lane %d", index);
    }
    if (code != CL_OK) {
        lane_free(lane);
        return code;
    }
    *ret = lane;
    return CL_OK;
}

/* ---- the committer's side ---- */

static void set_flag(struct cl_lane *lane, bool *flag)
{
    pthread_mutex_lock(&lane->lock);
    *flag = true;
    atomic_store(&lane->attention, true);
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
}

void cl_lane_request(struct cl_lane *lane)
{
    set_flag(lane, &lane->requested);
}

void cl_lane_quit(struct cl_lane *lane)
{
    set_flag(lane, &lane->quit);
}

void cl_lane_join_free(struct cl_lane *lane)
{
    if (lane == NULL) return;
    (void)pthread_join(lane->thread, NULL);
    lane_free(lane);
}

enum cl_code cl_lane_collect(struct cl_lane *lane, int timeout_ms, struct cl_handover **ret,
                             struct cl_error *err)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&lane->lock);
    int timed_out = 0;
    while (lane->handover == NULL && !lane->failed && timed_out == 0)
        timed_out = pthread_cond_timedwait(&lane->changed, &lane->lock, &deadline);
    enum cl_code code = CL_OK;
    *ret = lane->handover;
    lane->handover = NULL;
    if (*ret == NULL && lane->failed) {
        if (err != NULL) *err = lane->error;
        code = lane->error.code;
    }
    pthread_mutex_unlock(&lane->lock);
    return code;
}

enum cl_code cl_lane_check(struct cl_lane *lane, struct cl_error *err)
{
    pthread_mutex_lock(&lane->lock);
    enum cl_code code = lane->failed ? lane->error.code : CL_OK;
    if (lane->failed && err != NULL) *err = lane->error;
    pthread_mutex_unlock(&lane->lock);
    return code;
}

bool cl_lane_ended(struct cl_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool ended = lane->at_end;
    pthread_mutex_unlock(&lane->lock);
    return ended;
}

const struct cl_lane_stats *cl_lane_stats(const struct cl_lane *lane)
{
    return &lane->stats;
}

int64_t cl_lane_reached(const struct cl_lane *lane, size_t part)
{
    return atomic_load_explicit(&lane->reached[part], memory_order_relaxed);
}
