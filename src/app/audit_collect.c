/* audit_collect.c - see audit_collect.h. */
#include "app/audit_collect.h"

#include "query/duckdb_view.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a batch of commits whose offsets are compared at once: some 50 bytes of memory each. */
enum { BATCH_ROWS = 4000000 };

/* ---- history ---- */

static int64_t summary_number(const struct cl_snapshot *s, const char *key)
{
    const char *text = cl_snapshot_summary(s, key);
    return text == NULL ? -1 : strtoll(text, NULL, 10);
}

static enum cl_code read_commit(const struct cl_snapshot *s, struct cl_audit_commit *c,
                                struct cl_error *err)
{
    struct cl_error why = {0};
    const char *operation = cl_snapshot_summary(s, "operation");
    *c = (struct cl_audit_commit){
        .snapshot_id = s->id,
        .operation = operation == NULL ? "" : operation,
        .added_rows = summary_number(s, "added-records"),
        .total_rows = summary_number(s, "total-records"),
    };
    enum cl_code code = cl_progress_read(s, &c->progress, &why);
    c->ours = code == CL_OK;
    if (code == CL_EDATA) { /* that is a finding, not a failure of the audit */
        (void)snprintf(c->unreadable, sizeof c->unreadable, "%.255s", why.message);
    } else if (code != CL_OK && code != CL_ENOTFOUND) {
        if (err != NULL) *err = why;
        return code;
    }
    return CL_OK;
}

/* Filled from the head backwards, then turned round. */
enum cl_code cl_collect_chain(const struct cl_lake_table *t, struct cl_audit_chain *ret,
                              struct cl_error *err)
{
    const struct cl_metadata *m = t->table->metadata;
    struct cl_audit_chain chain = {.table = t->table->name,
                                   .dead_letters = strcmp(t->table->name, CL_DEAD_LETTERS) == 0};
    enum cl_code code = CL_OK;
    chain.commits = calloc(m->n_snapshots + 1, sizeof *chain.commits);
    if (chain.commits == NULL) return cl_fail_nomem(err);
    chain.complete = true;
    for (const struct cl_snapshot *s = t->snapshot; s != NULL && code == CL_OK;) {
        if (chain.n == m->n_snapshots) {
            code = cl_fail(err, CL_EDATA, "table %s: its snapshots are their own ancestors",
                           t->table->name);
            break;
        }
        code = read_commit(s, &chain.commits[chain.n++], err);
        const struct cl_snapshot *parent =
            s->parent_id < 0 ? NULL : cl_metadata_snapshot(m, s->parent_id);
        chain.complete = s->parent_id < 0;
        s = parent;
    }
    for (size_t i = 0; i < chain.n / 2; i++) {
        struct cl_audit_commit swap = chain.commits[i];
        chain.commits[i] = chain.commits[chain.n - 1 - i];
        chain.commits[chain.n - 1 - i] = swap;
    }
    if (code == CL_OK)
        *ret = chain;
    else
        cl_audit_chain_fini(&chain);
    return code;
}

/* ---- SQL ---- */

/* How partition and offset are called in the table: expressions, the first of them as in the
 * ledger's keys. */
struct expressions {
    const char *partition, *offset;
};

static struct expressions expressions_of(const struct cl_lake_table *t)
{
    if (strcmp(t->table->name, CL_DEAD_LETTERS) == 0)
        return (struct expressions){
            "(CASE WHEN feed IS NULL THEN '' ELSE topic END || '/' || \"partition\")",
            "\"offset\""};
    return (struct expressions){CL_COL_PARTITION, CL_COL_OFFSET};
}

enum { MAX_COLUMNS = 5 };

/* Called for each row of a result, with texts that end with NUL. */
typedef enum cl_code row_fn(void *context, const char *const *texts, struct cl_error *err);

/* The engine's texts end where their lengths say. */
static enum cl_code terminate(struct cl_buf *copy, const char *const *texts, const size_t *lens,
                              size_t n, const char **ret, struct cl_error *err)
{
    struct cl_text t;
    size_t at[MAX_COLUMNS];
    cl_buf_reset(copy);
    cl_text_init(&t, copy, err);
    for (size_t i = 0; i < n; i++) {
        at[i] = copy->len;
        if (texts[i] != NULL) cl_text_bytes(&t, texts[i], lens[i]);
        cl_text_byte(&t, '\0');
    }
    for (size_t i = 0; i < n && t.code == CL_OK; i++)
        ret[i] = texts[i] == NULL ? NULL : (const char *)copy->data + at[i];
    return t.code;
}

static enum cl_code each_row(struct cl_engine *engine, struct cl_result *result, row_fn *each,
                             void *context, struct cl_error *err)
{
    const struct cl_result_column *columns;
    const char *row[MAX_COLUMNS];
    size_t n;
    struct cl_buf copy;
    enum cl_code code = CL_OK;
    engine->ops->columns(result, &columns, &n);
    assert(n <= MAX_COLUMNS);
    cl_buf_init(&copy, (size_t)1 << 30);
    while (code == CL_OK) {
        const char *const *texts = NULL;
        const size_t *lens = NULL;
        code = engine->ops->next_row(result, &texts, &lens, err);
        if (code != CL_OK || texts == NULL) break;
        code = terminate(&copy, texts, lens, n, row, err);
        if (code == CL_OK) code = each(context, row, err);
    }
    cl_buf_fini(&copy);
    return code;
}

static enum cl_code run_query(struct cl_engine *engine, struct cl_text *sql, row_fn *each,
                              void *context, struct cl_error *err)
{
    struct cl_result *result = NULL;
    cl_text_byte(sql, '\0');
    enum cl_code code = sql->code;
    if (code == CL_OK)
        code = engine->ops->execute(engine, (const char *)sql->buf->data, &result, err);
    if (code == CL_OK) code = each_row(engine, result, each, context, err);
    if (result != NULL) engine->ops->result_free(result);
    return code;
}

/* A growing array of `size`-byte elements, moved to the arena at the end. */
struct list {
    struct cl_buf buf;
    struct cl_arena *arena;
};

static void list_init(struct list *l, struct cl_arena *arena)
{
    cl_buf_init(&l->buf, (size_t)1 << 32);
    l->arena = arena;
}

static enum cl_code list_end(struct list *l, enum cl_code code, size_t size, void *ret_array,
                             size_t *ret_n, struct cl_error *err)
{
    void *array = code == CL_OK ? cl_arena_alloc(l->arena, l->buf.len + 1) : NULL;
    if (code == CL_OK && array == NULL) code = cl_fail_nomem(err);
    if (code == CL_OK) {
        if (l->buf.len > 0) memcpy(array, l->buf.data, l->buf.len);
        memcpy(ret_array, &array, sizeof array);
        *ret_n = l->buf.len / size;
    }
    cl_buf_fini(&l->buf);
    return code;
}

static int64_t number(const char *text)
{
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

static enum cl_code add(struct list *l, const void *element, size_t size, struct cl_error *err)
{
    return cl_buf_append(&l->buf, element, size, err);
}

/* NULL stays NULL. */
static enum cl_code keep(struct cl_arena *arena, const char *text, const char **ret,
                         struct cl_error *err)
{
    *ret = text == NULL ? NULL : cl_arena_strdup(arena, text);
    return text != NULL && *ret == NULL ? cl_fail_nomem(err) : CL_OK;
}

/* ---- rows by file ---- */

struct file_snapshot {
    const char *path;
    int64_t snapshot_id;
};

struct rows_context {
    struct list list;
    struct file_snapshot *files; /* sorted by path */
    size_t n_files;
};

static int by_path(const void *x, const void *y)
{
    return strcmp(((const struct file_snapshot *)x)->path, ((const struct file_snapshot *)y)->path);
}

static enum cl_code add_rows(void *context, const char *const *texts, struct cl_error *err)
{
    struct rows_context *c = context;
    struct cl_audit_rows rows = {
        .rows = number(texts[2]), .min = number(texts[3]), .max = number(texts[4])};
    const struct file_snapshot wanted = {.path = texts[0]};
    const struct file_snapshot *file =
        bsearch(&wanted, c->files, c->n_files, sizeof wanted, by_path);
    if (file == NULL)
        return cl_fail(err, CL_EDATA, "the engine read %s, which was not asked for", texts[0]);
    rows.snapshot_id = file->snapshot_id;
    enum cl_code code = keep(c->list.arena, texts[1], &rows.key, err);
    return code == CL_OK ? add(&c->list, &rows, sizeof rows, err) : code;
}

enum cl_code cl_collect_rows(struct cl_engine *engine, const struct cl_lake_table *t,
                             struct cl_arena *arena, struct cl_audit_rows **ret, size_t *ret_n,
                             struct cl_error *err)
{
    struct rows_context c = {.n_files = t->scan.n};
    const struct cl_engine_table view = {t->table->name, &t->table->metadata->schema, &t->scan};
    struct expressions x = expressions_of(t);
    struct cl_buf buf;
    struct cl_text sql;
    *ret_n = 0;
    *ret = NULL;
    if (t->scan.n == 0) return CL_OK;
    c.files = calloc(t->scan.n, sizeof *c.files);
    if (c.files == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < t->scan.n; i++)
        c.files[i] = (struct file_snapshot){cl_duckdb_local_path(t->scan.files[i].path),
                                            t->scan.files[i].added_snapshot_id};
    qsort(c.files, c.n_files, sizeof *c.files, by_path);
    list_init(&c.list, arena);
    cl_buf_init(&buf, CL_DUCKDB_MAX_SQL);
    cl_text_init(&sql, &buf, err);
    cl_text_printf(&sql,
                   "SELECT filename, CASE WHEN %s IS NOT NULL THEN CAST(%s AS VARCHAR) END, "
                   "count(*), min(%s), max(%s) FROM ",
                   x.offset, x.partition, x.offset, x.offset);
    cl_duckdb_scan_sql(&sql, &view);
    cl_text_str(&sql, " GROUP BY 1, 2");
    enum cl_code code = run_query(engine, &sql, add_rows, &c, err);
    code = list_end(&c.list, code, sizeof **ret, ret, ret_n, err);
    cl_buf_fini(&buf);
    free(c.files);
    return code == CL_OK ? CL_OK : cl_error_wrap(err, code, "table %s", t->table->name);
}

/* ---- offsets in two rows ---- */

static enum cl_code add_twice(void *context, const char *const *texts, struct cl_error *err)
{
    struct list *l = context;
    struct cl_audit_twice twice = {.offsets = number(texts[1]), .example = number(texts[2])};
    enum cl_code code = keep(l->arena, texts[0] == NULL ? "NULL" : texts[0], &twice.key, err);
    return code == CL_OK ? add(l, &twice, sizeof twice, err) : code;
}

/* Appends what is found among the rows of n files. */
static enum cl_code twice_in(struct cl_engine *engine, const struct cl_lake_table *t,
                             struct cl_scan_file *files, size_t n, struct list *list,
                             struct cl_error *err)
{
    const struct cl_scan scan = {.files = files, .n = n};
    const struct cl_engine_table view = {t->table->name, &t->table->metadata->schema, &scan};
    struct expressions x = expressions_of(t);
    struct cl_buf buf;
    struct cl_text sql;
    cl_buf_init(&buf, CL_DUCKDB_MAX_SQL);
    cl_text_init(&sql, &buf, err);
    cl_text_printf(
        &sql, "SELECT CAST(p AS VARCHAR), count(*), min(o) FROM (SELECT %s AS p, %s AS o FROM ",
        x.partition, x.offset);
    cl_duckdb_scan_sql(&sql, &view);
    cl_text_str(&sql, " GROUP BY 1, 2 HAVING count(*) > 1) GROUP BY 1 ORDER BY 1");
    enum cl_code code = run_query(engine, &sql, add_twice, list, err);
    cl_buf_fini(&buf);
    return code;
}

static int by_added(const void *x, const void *y)
{
    const struct cl_scan_file *p = x, *q = y;
    return p->added_snapshot_id < q->added_snapshot_id
               ? -1
               : p->added_snapshot_id > q->added_snapshot_id;
}

static enum cl_code twice_by_commit(struct cl_engine *engine, const struct cl_lake_table *t,
                                    struct list *list, struct cl_error *err)
{
    size_t n = t->scan.n, start = 0;
    enum cl_code code = CL_OK;
    struct cl_scan_file *files = malloc(n * sizeof *files);
    if (files == NULL) return cl_fail_nomem(err);
    memcpy(files, t->scan.files, n * sizeof *files);
    qsort(files, n, sizeof *files, by_added);
    while (code == CL_OK && start < n) {
        size_t end = start;
        int64_t rows = 0;
        /* Whole commits only: the files of one are never split. */
        while (end < n && (rows < BATCH_ROWS ||
                           files[end].added_snapshot_id == files[end - 1].added_snapshot_id))
            rows += files[end++].rows;
        code = twice_in(engine, t, files + start, end - start, list, err);
        start = end;
    }
    free(files);
    return code;
}

enum cl_code cl_collect_twice(struct cl_engine *engine, const struct cl_lake_table *t,
                              bool disjoint, struct cl_arena *arena, struct cl_audit_twice **ret,
                              size_t *ret_n, struct cl_error *err)
{
    struct list list;
    *ret_n = 0;
    *ret = NULL;
    if (t->scan.n == 0) return CL_OK;
    list_init(&list, arena);
    enum cl_code code = disjoint ? twice_by_commit(engine, t, &list, err)
                                 : twice_in(engine, t, t->scan.files, t->scan.n, &list, err);
    code = list_end(&list, code, sizeof **ret, ret, ret_n, err);
    return code == CL_OK ? CL_OK : cl_error_wrap(err, code, "table %s", t->table->name);
}

/* ---- dead letters ---- */

static enum cl_code add_rejects(void *context, const char *const *texts, struct cl_error *err)
{
    struct list *l = context;
    struct cl_audit_rejects rejects = {.below_next = number(texts[1]),
                                       .at_or_past_next = number(texts[2]),
                                       .below_first = number(texts[3])};
    enum cl_code code = keep(l->arena, texts[0] == NULL ? "NULL" : texts[0], &rejects.key, err);
    return code == CL_OK ? add(l, &rejects, sizeof rejects, err) : code;
}

/* CASE partition WHEN '0' THEN 120 ... ELSE 0 END.  Keys are text from a file: quoted. */
static void put_positions(struct cl_text *sql, const struct cl_progress *p, bool first)
{
    cl_text_str(sql, "CASE CAST(\"partition\" AS VARCHAR)");
    for (size_t i = 0; i < p->n; i++) {
        cl_text_str(sql, " WHEN ");
        cl_text_quoted(sql, '\'', p->entries[i].key, strlen(p->entries[i].key));
        cl_text_str(sql, " THEN ");
        cl_text_int(sql, first ? p->entries[i].first : p->entries[i].next);
    }
    cl_text_str(sql, p->n == 0 ? " WHEN '' THEN 0 ELSE 0 END" : " ELSE 0 END");
}

enum cl_code cl_collect_rejects(struct cl_engine *engine, const struct cl_audit_chain *feed,
                                struct cl_arena *arena, struct cl_audit_rejects **ret,
                                size_t *ret_n, struct cl_error *err)
{
    static const struct cl_progress none = {0};
    const struct cl_audit_commit *newest = cl_audit_newest(feed);
    const struct cl_progress *p = newest == NULL ? &none : &newest->progress;
    struct list list;
    struct cl_buf buf;
    struct cl_text sql;
    list_init(&list, arena);
    cl_buf_init(&buf, CL_DUCKDB_MAX_SQL);
    cl_text_init(&sql, &buf, err);
    cl_text_str(&sql, "SELECT CAST(p AS VARCHAR), count(*) FILTER (o < n), count(*) FILTER (o >= "
                      "n), count(*) FILTER (o < f) "
                      "FROM (SELECT \"partition\" AS p, \"offset\" AS o, ");
    put_positions(&sql, p, false);
    cl_text_str(&sql, " AS n, ");
    put_positions(&sql, p, true);
    cl_text_str(&sql, " AS f FROM " CL_DEAD_LETTERS " WHERE feed = ");
    cl_text_quoted(&sql, '\'', feed->table, strlen(feed->table));
    cl_text_str(&sql, ") GROUP BY 1 ORDER BY 1");
    enum cl_code code = run_query(engine, &sql, add_rejects, &list, err);
    code = list_end(&list, code, sizeof **ret, ret, ret_n, err);
    cl_buf_fini(&buf);
    return code == CL_OK ? CL_OK : cl_error_wrap(err, code, "table " CL_DEAD_LETTERS);
}

enum cl_code cl_collect_in_both(struct cl_engine *engine, const char *feed, struct cl_arena *arena,
                                struct cl_audit_twice **ret, size_t *ret_n, struct cl_error *err)
{
    struct list list;
    struct cl_buf buf;
    struct cl_text sql;
    list_init(&list, arena);
    cl_buf_init(&buf, CL_DUCKDB_MAX_SQL);
    cl_text_init(&sql, &buf, err);
    cl_text_str(&sql, "SELECT CAST(p AS VARCHAR), count(*), min(o) FROM (SELECT DISTINCT "
                      "\"partition\" AS p, \"offset\" AS o FROM " CL_DEAD_LETTERS " WHERE feed = ");
    cl_text_quoted(&sql, '\'', feed, strlen(feed));
    cl_text_str(&sql, ") SEMI JOIN ");
    cl_text_quoted(&sql, '"', feed, strlen(feed));
    cl_text_str(&sql, " f ON f." CL_COL_PARTITION " = p AND f." CL_COL_OFFSET
                      " = o GROUP BY 1 ORDER BY 1");
    enum cl_code code = run_query(engine, &sql, add_twice, &list, err);
    code = list_end(&list, code, sizeof **ret, ret, ret_n, err);
    cl_buf_fini(&buf);
    return code == CL_OK ? CL_OK : cl_error_wrap(err, code, "table %s", feed);
}
