/* parquet_writer.c - batches to columns, row groups to the store, the footer last.
 *
 * File: "PAR1", row groups (their column chunks in schema order), ColumnIndexes, OffsetIndexes,
 * FileMetaData, its length, "PAR1".  A row group ends after the batch with which its encoded bytes
 * reach options.row_group_bytes or its rows CL_PQ_GROUP_ROWS, and at close.
 *
 * A failure of write or close leaves the writer with columns of different length: `failed` then
 * refuses everything but free, which aborts the file. */
#include "parquet/parquet_writer.h"

#include "parquet/column.h"
#include "parquet/footer.h"

#include <stdlib.h>

enum { CL_PQ_GROUP_ROWS = 1 << 20 };

/* What a chunk may need past row_group_bytes: the last batch's bytes of one column, grown by a
 * sixth, and page headers. */
static const size_t CHUNK_SLACK_BYTES = CL_COLUMN_MAX_BYTES * 2;

/* All page indexes, and the footer, of one file. */
static const size_t INDEX_MAX_BYTES = (size_t)1 << 30;

struct cl_parquet_writer {
    const struct cl_schema *schema; /* borrowed */
    struct cl_outfile *out;         /* NULL after close */
    char *path;
    int64_t row_group_bytes;
    struct cl_pq_shared shared;
    struct cl_pq_column *columns;
    int64_t rows;
    int64_t group_rows; /* of the row group under construction */
    struct cl_pq_row_group *groups;
    size_t n_groups, groups_cap;
    struct cl_buf column_indexes, offset_indexes;
    bool failed;
};

static enum cl_code check_options(const struct cl_parquet_options *o,
                                  const struct cl_schema *schema, struct cl_error *err)
{
    if (schema->n == 0) return cl_fail(err, CL_EINVAL, "a Parquet file needs at least one column");
    if (o->row_group_bytes <= 0)
        return cl_fail(err, CL_EINVAL, "row_group_bytes is %lld but must be more than 0",
                       (long long)o->row_group_bytes);
    if (o->page_rows < 0 || o->page_rows > CL_PQ_PAGE_ROWS_MAX)
        return cl_fail(err, CL_EINVAL, "page_rows is %d but must be 0 (default) to %d",
                       o->page_rows, CL_PQ_PAGE_ROWS_MAX);
    return CL_OK;
}

static enum cl_code init_columns(struct cl_parquet_writer *w, struct cl_error *err)
{
    size_t n = w->schema->n;
    w->columns = calloc(n, sizeof *w->columns);
    if (w->columns == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        enum cl_code code = cl_pq_column_init(&w->columns[i], &w->schema->fields[i], &w->shared,
                                              (size_t)w->row_group_bytes + CHUNK_SLACK_BYTES, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

enum cl_code cl_parquet_writer_new(const struct cl_schema *schema,
                                   const struct cl_parquet_options *options, struct cl_store *store,
                                   const char *path, struct cl_parquet_writer **ret,
                                   struct cl_error *err)
{
    enum cl_code code = check_options(options, schema, err);
    if (code != CL_OK) return code;
    struct cl_parquet_writer *w = calloc(1, sizeof *w);
    if (w == NULL) return cl_fail_nomem(err);
    w->schema = schema;
    w->row_group_bytes = options->row_group_bytes;
    w->shared.page_rows = options->page_rows > 0 ? (size_t)options->page_rows : CL_PQ_PAGE_ROWS;
    w->shared.dictionary = options->dictionary;
    cl_buf_init(&w->shared.dense, INT32_MAX);
    cl_buf_init(&w->shared.header, 256);
    cl_buf_init(&w->column_indexes, INDEX_MAX_BYTES);
    cl_buf_init(&w->offset_indexes, INDEX_MAX_BYTES);
    code = cl_codec_init(&w->shared.codec, options->compression, options->level, err);
    if (code == CL_OK) code = init_columns(w, err);
    if (code == CL_OK && (w->path = strdup(path)) == NULL) code = cl_fail_nomem(err);
    if (code == CL_OK) code = store->ops->create(store, path, &w->out, err);
    if (code == CL_OK) code = store->ops->write(w->out, CL_PQ_MAGIC, CL_PQ_MAGIC_BYTES, err);
    if (code != CL_OK) {
        cl_parquet_writer_free(w);
        return code;
    }
    *ret = w;
    return CL_OK;
}

void cl_parquet_writer_free(struct cl_parquet_writer *w)
{
    if (w == NULL) return;
    if (w->out != NULL) w->out->store->ops->abort(w->out);
    for (size_t i = 0; w->columns != NULL && i < w->schema->n; i++)
        cl_pq_column_fini(&w->columns[i]);
    for (size_t i = 0; i < w->n_groups; i++)
        free(w->groups[i].chunks);
    free(w->groups);
    free(w->columns);
    free(w->path);
    cl_buf_fini(&w->shared.dense);
    cl_buf_fini(&w->shared.header);
    cl_codec_fini(&w->shared.codec);
    cl_buf_fini(&w->column_indexes);
    cl_buf_fini(&w->offset_indexes);
    free(w);
}

static enum cl_code add_group(struct cl_parquet_writer *w, struct cl_error *err)
{
    if (w->n_groups == w->groups_cap) {
        size_t cap = w->groups_cap == 0 ? 4 : w->groups_cap * 2;
        struct cl_pq_row_group *groups = realloc(w->groups, cap * sizeof *groups);
        if (groups == NULL) return cl_fail_nomem(err);
        w->groups = groups;
        w->groups_cap = cap;
    }
    struct cl_pq_row_group *group = &w->groups[w->n_groups];
    *group = (struct cl_pq_row_group){.rows = w->group_rows,
                                      .chunks = calloc(w->schema->n, sizeof *group->chunks)};
    if (group->chunks == NULL) return cl_fail_nomem(err);
    w->n_groups++;
    return CL_OK;
}

static enum cl_code end_row_group(struct cl_parquet_writer *w, struct cl_error *err)
{
    if (w->group_rows == 0) return CL_OK;
    enum cl_code code = add_group(w, err);
    for (size_t i = 0; i < w->schema->n && code == CL_OK; i++)
        code = cl_pq_column_finish(&w->columns[i], w->out, &w->column_indexes, &w->offset_indexes,
                                   &w->groups[w->n_groups - 1].chunks[i], err);
    w->group_rows = 0;
    return code;
}

static int64_t waiting_bytes(const struct cl_parquet_writer *w)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < w->schema->n; i++)
        bytes += cl_pq_column_encoded_bytes(&w->columns[i]);
    return bytes;
}

static enum cl_code check_batch(const struct cl_parquet_writer *w, const struct cl_batch *batch,
                                struct cl_error *err)
{
    if (w->failed || w->out == NULL)
        return cl_fail(err, CL_EINVAL, "%s: the writer is closed or failed before", w->path);
    if (batch->schema->n != w->schema->n)
        return cl_fail(err, CL_EINVAL, "%s: a batch of %zu columns cannot go to a file of %zu",
                       w->path, batch->schema->n, w->schema->n);
    for (size_t i = 0; i < w->schema->n; i++) {
        const struct cl_field *field = &w->schema->fields[i];
        if (batch->columns[i].type != field->type)
            return cl_fail_at(err, CL_EINVAL, field->name,
                              "the batch's column %zu has another type than the file's", i);
        if (field->required && batch->columns[i].null_count > 0)
            return cl_fail_at(err, CL_EDATA, field->name, "a required column has %lld null values",
                              (long long)batch->columns[i].null_count);
    }
    return CL_OK;
}

enum cl_code cl_parquet_writer_write(struct cl_parquet_writer *w, const struct cl_batch *batch,
                                     struct cl_error *err)
{
    enum cl_code code = check_batch(w, batch, err);
    if (code != CL_OK) return code;
    for (size_t i = 0; i < w->schema->n && code == CL_OK; i++)
        code = cl_pq_column_append(&w->columns[i], &batch->columns[i], batch->rows, err);
    w->group_rows += batch->rows;
    w->rows += batch->rows;
    if (code == CL_OK &&
        (w->group_rows >= CL_PQ_GROUP_ROWS || waiting_bytes(w) >= w->row_group_bytes))
        code = end_row_group(w, err);
    w->failed = code != CL_OK;
    return code;
}

int64_t cl_parquet_writer_rows(const struct cl_parquet_writer *w)
{
    return w->rows;
}

int64_t cl_parquet_writer_file_bytes(const struct cl_parquet_writer *w)
{
    return (w->out != NULL ? w->out->size : 0) + waiting_bytes(w);
}

int64_t cl_parquet_writer_memory_bytes(const struct cl_parquet_writer *w)
{
    size_t bytes =
        sizeof *w + w->schema->n * sizeof *w->columns + w->shared.dense.cap + w->shared.header.cap +
        cl_codec_memory_bytes(&w->shared.codec) + w->column_indexes.cap + w->offset_indexes.cap +
        w->groups_cap * sizeof *w->groups + w->n_groups * w->schema->n * sizeof *w->groups->chunks;
    int64_t total = (int64_t)bytes;
    for (size_t i = 0; i < w->schema->n; i++)
        total += cl_pq_column_memory_bytes(&w->columns[i]);
    return total;
}

static void fill_metrics(const struct cl_pq_column *c, struct cl_column_metrics *m)
{
    *m = (struct cl_column_metrics){
        .field_id = c->field->id,
        .size_bytes = c->file_bytes,
        .value_count = c->file_rows,
        .null_count = c->file_stats.nulls,
        .nan_count = c->file_stats.nans,
    };
    cl_stats_bounds(&c->file_stats, c->field, &m->lower, &m->upper);
}

/* Everything that `close` returns, allocated before the file becomes visible, so that nothing can
 * fail afterwards. */
static enum cl_code describe(struct cl_parquet_writer *w, struct cl_data_file *f,
                             struct cl_error *err)
{
    *f = (struct cl_data_file){.rows = w->rows, .n_columns = w->schema->n, .n_splits = w->n_groups};
    f->columns = calloc(w->schema->n, sizeof *f->columns);
    f->split_offsets = calloc(w->n_groups + 1, sizeof *f->split_offsets);
    f->path = strdup(w->path);
    if (f->columns == NULL || f->split_offsets == NULL || f->path == NULL) {
        cl_data_file_fini(f);
        return cl_fail_nomem(err);
    }
    for (size_t i = 0; i < w->schema->n; i++)
        fill_metrics(&w->columns[i], &f->columns[i]);
    for (size_t i = 0; i < w->n_groups; i++)
        f->split_offsets[i] = w->groups[i].chunks[0].file_offset;
    return CL_OK;
}

static enum cl_code write_tail(struct cl_parquet_writer *w, struct cl_error *err)
{
    const struct cl_store_ops *ops = w->out->store->ops;
    struct cl_pq_footer footer = {
        .schema = w->schema,
        .rows = w->rows,
        .groups = w->groups,
        .n_groups = w->n_groups,
        .column_indexes_offset = w->out->size,
        .offset_indexes_offset = w->out->size + (int64_t)w->column_indexes.len,
    };
    struct cl_buf buf;
    cl_buf_init(&buf, INDEX_MAX_BYTES);
    enum cl_code code = cl_pq_footer_put(&footer, &buf, err);
    if (code == CL_OK)
        code = ops->write(w->out, w->column_indexes.data, w->column_indexes.len, err);
    if (code == CL_OK)
        code = ops->write(w->out, w->offset_indexes.data, w->offset_indexes.len, err);
    if (code == CL_OK) code = ops->write(w->out, buf.data, buf.len, err);
    cl_buf_fini(&buf);
    return code;
}

enum cl_code cl_parquet_writer_seal(struct cl_parquet_writer *w, struct cl_data_file *ret,
                                    struct cl_outfile **ret_out, struct cl_error *err)
{
    if (w->failed || w->out == NULL)
        return cl_fail(err, CL_EINVAL, "%s: the writer is closed or failed before", w->path);
    struct cl_data_file file;
    enum cl_code code = end_row_group(w, err);
    if (code == CL_OK) code = write_tail(w, err);
    if (code == CL_OK) code = describe(w, &file, err);
    w->failed = code != CL_OK;
    if (code != CL_OK) return code;
    file.size_bytes = w->out->size;
    *ret_out = w->out;
    w->out = NULL;
    *ret = file;
    return CL_OK;
}

enum cl_code cl_parquet_writer_close(struct cl_parquet_writer *w, struct cl_data_file *ret,
                                     struct cl_error *err)
{
    struct cl_data_file file;
    struct cl_outfile *out = NULL;
    enum cl_code code = cl_parquet_writer_seal(w, &file, &out, err);
    if (code != CL_OK) return code;
    code = out->store->ops->finish(out, err); /* frees it, on failure too */
    if (code != CL_OK) {
        w->failed = true;
        cl_data_file_fini(&file);
        return code;
    }
    *ret = file;
    return CL_OK;
}
