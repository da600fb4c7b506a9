#include "stream/fileset.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_OPEN = 64,
    MAX_UNSETTLED = 64, /* complete files whose descriptors are still open; more are settled by the
                           lane itself */
};

struct open_file {
    struct cl_parquet_writer *writer;
    char *path;
    bool has_value;
    int32_t value;
    int64_t last_write; /* counts batches */
};

struct cl_fileset {
    const struct cl_schema *schema;
    struct cl_store *store;
    struct cl_fileset_options options;
    struct open_file open[MAX_OPEN];
    size_t n_open;
    struct cl_file_list finished;
    int64_t writes;
    int64_t files_made;
    struct cl_batch *routed; /* rows of one partition value out of a mixed batch */
    int32_t *indexes;
};

/* ---- lists of finished files ---- */

void cl_file_list_fini(struct cl_file_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->outs[i] != NULL) list->outs[i]->store->ops->abort(list->outs[i]);
        cl_data_file_fini(&list->files[i]);
    }
    free(list->files);
    free(list->outs);
    *list = (struct cl_file_list){0};
}

static enum cl_code file_list_reserve(struct cl_file_list *list, size_t extra, struct cl_error *err)
{
    struct cl_data_file *files = realloc(list->files, (list->n + extra) * sizeof *files);
    if (files == NULL) return cl_fail_nomem(err);
    list->files = files;
    struct cl_outfile **outs = realloc(list->outs, (list->n + extra) * sizeof *outs);
    if (outs == NULL) return cl_fail_nomem(err);
    list->outs = outs;
    return CL_OK;
}

enum cl_code cl_file_list_move(struct cl_file_list *dst, struct cl_file_list *src,
                               struct cl_error *err)
{
    if (src->n == 0) return CL_OK;
    enum cl_code code = file_list_reserve(dst, src->n, err);
    if (code != CL_OK) return code;
    memcpy(&dst->files[dst->n], src->files, src->n * sizeof *src->files);
    memcpy(&dst->outs[dst->n], src->outs, src->n * sizeof *src->outs);
    dst->n += src->n;
    free(src->files);
    free(src->outs);
    *src = (struct cl_file_list){0};
    return CL_OK;
}

enum cl_code cl_file_list_settle(struct cl_file_list *list, struct cl_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        struct cl_outfile *out = list->outs[i];
        if (out == NULL) continue;
        list->outs[i] = NULL; /* finish frees it, on failure too */
        enum cl_code code = out->store->ops->finish(out, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

void cl_file_list_discard(struct cl_file_list *list, struct cl_store *store)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->outs[i] == NULL) (void)store->ops->remove(store, list->files[i].path, NULL);
    cl_file_list_fini(list);
}

/* ---- partition values ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int32_t cl_transform_value(enum cl_transform transform, int64_t timestamp_us)
{
    int64_t day = floor_div(timestamp_us, 86400000000), year;
    unsigned month, of_month;
    switch (transform) {
    case CL_PARTITION_DAY: return (int32_t)day;
    case CL_PARTITION_HOUR: return (int32_t)floor_div(timestamp_us, 3600000000);
    case CL_PARTITION_MONTH:
        cl_civil_from_days(day, &year, &month, &of_month);
        return (int32_t)((year - 1970) * 12 + (int64_t)month - 1);
    case CL_PARTITION_NONE: break;
    }
    return 0;
}

/* "2026-01-05", "2026-01-05-08", "2026-01": the folder names that Iceberg's own writers use. */
static void value_text(enum cl_transform transform, int32_t value, char *buf, size_t size)
{
    int64_t year;
    unsigned month, day;
    if (transform == CL_PARTITION_MONTH) {
        year = 1970 + floor_div(value, 12);
        (void)snprintf(buf, size, "%04" PRId64 "-%02" PRId64, year,
                       value - floor_div(value, 12) * 12 + 1);
        return;
    }
    int64_t days = transform == CL_PARTITION_HOUR ? floor_div(value, 24) : value;
    cl_civil_from_days(days, &year, &month, &day);
    int used = snprintf(buf, size, "%04" PRId64 "-%02u-%02u", year, month, day);
    if (transform == CL_PARTITION_HOUR)
        (void)snprintf(buf + used, size - (size_t)used, "-%02" PRId64, value - days * 24);
}

/* ---- the set ---- */

enum cl_code cl_fileset_new(const struct cl_schema *schema, struct cl_store *store,
                            const struct cl_fileset_options *options, struct cl_fileset **ret,
                            struct cl_error *err)
{
    struct cl_fileset *f = calloc(1, sizeof *f);
    if (f == NULL) return cl_fail_nomem(err);
    f->schema = schema;
    f->store = store;
    f->options = *options;
    *ret = f;
    return CL_OK;
}

void cl_fileset_free(struct cl_fileset *f)
{
    if (f == NULL) return;
    for (size_t i = 0; i < f->n_open; i++) {
        cl_parquet_writer_free(f->open[i].writer);
        free(f->open[i].path);
    }
    cl_file_list_discard(&f->finished, f->store);
    cl_batch_free(f->routed);
    free(f->indexes);
    free(f);
}

int64_t cl_fileset_memory_bytes(const struct cl_fileset *f)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < f->n_open; i++)
        bytes += cl_parquet_writer_memory_bytes(f->open[i].writer);
    return bytes;
}

static enum cl_code end_file(struct cl_fileset *f, size_t i, struct cl_error *err)
{
    struct open_file file = f->open[i];
    f->open[i] = f->open[--f->n_open];
    struct cl_data_file done = {0};
    struct cl_outfile *out = NULL;
    enum cl_code code = file_list_reserve(&f->finished, 1, err);
    if (code == CL_OK) code = cl_parquet_writer_seal(file.writer, &done, &out, err);
    if (code == CL_OK) {
        done.has_partition = file.has_value;
        done.partition_value = file.value;
        f->finished.files[f->finished.n] = done;
        f->finished.outs[f->finished.n++] = out;
        if (f->finished.n % MAX_UNSETTLED == 0) code = cl_file_list_settle(&f->finished, err);
    }
    cl_parquet_writer_free(file.writer);
    free(file.path);
    return code;
}

enum cl_code cl_fileset_shed(struct cl_fileset *f, struct cl_error *err)
{
    size_t largest = 0;
    if (f->n_open == 0) return CL_OK;
    for (size_t i = 1; i < f->n_open; i++)
        if (cl_parquet_writer_memory_bytes(f->open[i].writer) >
            cl_parquet_writer_memory_bytes(f->open[largest].writer))
            largest = i;
    return end_file(f, largest, err);
}

static enum cl_code end_oldest(struct cl_fileset *f, struct cl_error *err)
{
    size_t oldest = 0;
    for (size_t i = 1; i < f->n_open; i++)
        if (f->open[i].last_write < f->open[oldest].last_write) oldest = i;
    return end_file(f, oldest, err);
}

static enum cl_code start_file(struct cl_fileset *f, bool has_value, int32_t value,
                               struct cl_error *err)
{
    const struct cl_fileset_options *o = &f->options;
    char folder[96] = "", text[64];
    if (has_value) {
        value_text(o->transform, value, text, sizeof text);
        (void)snprintf(folder, sizeof folder, "/%.64s=%.24s", o->partition_name, text);
    }
    struct open_file file = {.has_value = has_value, .value = value};
    if (asprintf(&file.path, "%s%s/%s-%05" PRId64 ".parquet", o->folder, folder, o->prefix,
                 f->files_made) < 0)
        return cl_fail_nomem(err);
    enum cl_code code =
        cl_parquet_writer_new(f->schema, &o->parquet, f->store, file.path, &file.writer, err);
    if (code != CL_OK) {
        free(file.path);
        return code;
    }
    f->files_made++;
    f->open[f->n_open++] = file;
    return CL_OK;
}

static enum cl_code write_value(struct cl_fileset *f, const struct cl_batch *batch, bool has_value,
                                int32_t value, struct cl_error *err)
{
    enum cl_code code = CL_OK;
    size_t i = 0;
    while (i < f->n_open && (f->open[i].has_value != has_value || f->open[i].value != value))
        i++;
    if (i == f->n_open) {
        if (f->n_open == MAX_OPEN) code = end_oldest(f, err);
        if (code == CL_OK) code = start_file(f, has_value, value, err);
        if (code != CL_OK) return code;
        i = f->n_open - 1;
    }
    struct open_file *file = &f->open[i];
    file->last_write = ++f->writes;
    code = cl_parquet_writer_write(file->writer, batch, err);
    if (code != CL_OK) return code;
    if (cl_parquet_writer_file_bytes(file->writer) >= f->options.target_file_bytes)
        return end_file(f, i, err);
    return CL_OK;
}

/* Splits a batch that spans several partition values.  Each pass takes the rows of the first value
 * not yet written; the values in one batch are few unless the events are far out of order. */
static enum cl_code write_mixed(struct cl_fileset *f, const struct cl_batch *batch,
                                struct cl_error *err)
{
    enum cl_code code = CL_OK;
    if (f->routed == NULL) code = cl_batch_new(f->schema, batch->capacity, &f->routed, err);
    if (code == CL_OK && f->indexes == NULL) {
        f->indexes = calloc((size_t)batch->capacity * 2, sizeof *f->indexes);
        if (f->indexes == NULL) code = cl_fail_nomem(err);
    }
    if (code != CL_OK) return code;
    const int64_t *times = batch->columns[f->options.partition_column].values;
    int32_t *left = f->indexes, *mine = f->indexes + batch->capacity, n_left = batch->rows;
    for (int32_t i = 0; i < n_left; i++)
        left[i] = i;
    while (n_left > 0 && code == CL_OK) {
        int32_t value = cl_transform_value(f->options.transform, times[left[0]]), n_mine = 0,
                kept = 0;
        for (int32_t i = 0; i < n_left; i++) {
            if (cl_transform_value(f->options.transform, times[left[i]]) == value)
                mine[n_mine++] = left[i];
            else
                left[kept++] = left[i];
        }
        n_left = kept;
        cl_batch_reset(f->routed);
        code = cl_batch_take(f->routed, batch, mine, n_mine, err);
        if (code == CL_OK) code = write_value(f, f->routed, true, value, err);
    }
    return code;
}

enum cl_code cl_fileset_write(struct cl_fileset *f, const struct cl_batch *batch,
                              struct cl_error *err)
{
    const struct cl_fileset_options *o = &f->options;
    if (batch->rows == 0) return CL_OK;
    if (o->transform == CL_PARTITION_NONE) return write_value(f, batch, false, 0, err);
    /* The partition column is required, so every slot holds a time. */
    const int64_t *times = batch->columns[o->partition_column].values;
    int64_t low = times[0], high = times[0];
    for (int32_t i = 1; i < batch->rows; i++) {
        low = times[i] < low ? times[i] : low;
        high = times[i] > high ? times[i] : high;
    }
    int32_t value = cl_transform_value(o->transform, low);
    if (value == cl_transform_value(o->transform, high))
        return write_value(f, batch, true, value, err);
    return write_mixed(f, batch, err);
}

enum cl_code cl_fileset_finish(struct cl_fileset *f, struct cl_file_list *list,
                               struct cl_error *err)
{
    while (f->n_open > 0) {
        enum cl_code code = end_file(f, f->n_open - 1, err);
        if (code != CL_OK) return code;
    }
    return cl_file_list_move(list, &f->finished, err);
}
