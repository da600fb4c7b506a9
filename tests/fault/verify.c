#include "verify.h"

#include "app/audit_collect.h"
#include "store/local_fs.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TABLES = 8, MAX_ARENA_BYTES = 1 << 28 };

struct verify {
    struct cl_catalog *catalog;
    const struct truth_source *truth;
    FILE *out;
    int wrong;
    struct cl_lake_table tables[MAX_TABLES]; /* feeds in the spec's order, then dead_letters */
    struct cl_engine_table views[MAX_TABLES];
    size_t n;
    struct cl_engine *engine;
    struct cl_arena arena;
    struct cl_audit report;
};

static void wrong(struct verify *v, const char *format, ...) CL_PRINTF(2, 3);
static void wrong(struct verify *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(v->out, "    wrong: ");
    (void)vfprintf(v->out, format, args);
    fprintf(v->out, "\n");
    va_end(args);
    v->wrong++;
}

static void failed(struct verify *v, const char *what, const struct cl_error *err)
{
    char text[1400];
    wrong(v, "%s: %s", what, cl_error_text(err, text, sizeof text));
}

/* ---- the audit ---- */

static void check_times(struct verify *v, const struct cl_metadata *m, const char *name)
{
    for (size_t i = 1; i < m->n_snapshots; i++)
        if (m->snapshots[i].timestamp_ms < m->snapshots[i - 1].timestamp_ms)
            wrong(v, "table %s: snapshot %" PRId64 " is older than the one before it", name,
                  m->snapshots[i].id);
}

static bool load(struct verify *v, const char *name)
{
    struct cl_lake_table *t = &v->tables[v->n];
    struct cl_error err = {0};
    enum cl_code code = v->catalog->ops->load(v->catalog, name, &t->table, &err);
    if (code == CL_OK) {
        t->snapshot = cl_metadata_current(t->table->metadata);
        check_times(v, t->table->metadata, name);
        if (t->snapshot != NULL)
            code = cl_scan_plan(t->table->metadata, t->snapshot, v->catalog->store, &t->scan, &err);
        v->views[v->n] = (struct cl_engine_table){name, &t->table->metadata->schema, &t->scan};
        v->n++;
    }
    if (code != CL_OK) failed(v, name, &err);
    return code == CL_OK;
}

static enum cl_code audit_table(struct verify *v, size_t i, struct cl_error *err)
{
    struct cl_audit_chain chain = {0};
    struct cl_audit_rows *rows = NULL;
    struct cl_audit_twice *twice = NULL, *both = NULL;
    struct cl_audit_rejects *rejects = NULL;
    size_t n = 0, n_both = 0;
    enum cl_code code = cl_collect_chain(&v->tables[i], &chain, err);
    if (code != CL_OK) return code;
    cl_audit_check_chain(&v->report, &chain);
    code = cl_collect_rows(v->engine, &v->tables[i], &v->arena, &rows, &n, err);
    if (code == CL_OK) cl_audit_check_rows(&v->report, &chain, rows, n);
    if (code == CL_OK)
        code = cl_collect_twice(v->engine, &v->tables[i], false, &v->arena, &twice, &n, err);
    if (code == CL_OK) cl_audit_check_unique(&v->report, &chain, twice, n);
    if (code == CL_OK && !chain.dead_letters) {
        code = cl_collect_rejects(v->engine, &chain, &v->arena, &rejects, &n, err);
        if (code == CL_OK)
            code = cl_collect_in_both(v->engine, chain.table, &v->arena, &both, &n_both, err);
        if (code == CL_OK) cl_audit_check_rejects(&v->report, &chain, rejects, n, both, n_both);
    }
    cl_audit_chain_fini(&chain);
    return code;
}

static void audit(struct verify *v)
{
    struct cl_error err = {0};
    for (size_t i = 0; i < v->n; i++)
        if (audit_table(v, i, &err) != CL_OK) failed(v, v->views[i].name, &err);
    for (size_t i = 0; i < v->report.n_problems; i++)
        wrong(v, "audit: %s: %s: %s", v->report.problems[i].table, v->report.problems[i].check,
              v->report.problems[i].text);
}

/* ---- the rows ---- */

static int64_t number(const char *const *texts, const size_t *lens, size_t i)
{
    char copy[32];
    size_t len = texts[i] == NULL ? 0 : lens[i] < sizeof copy - 1 ? lens[i] : sizeof copy - 1;
    if (len > 0) memcpy(copy, texts[i], len);
    copy[len] = '\0';
    return len == 0 ? -1 : strtoll(copy, NULL, 10);
}

/* Marks one offset as found; `seen` has one counter for each message of the stream. */
static void found(struct verify *v, const char *table, int part, int64_t offset, bool row,
                  int *seen)
{
    const struct truth_stream *st = &v->truth->streams[v->truth->parts[part].stream];
    size_t low = 0, high = st->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (st->messages[mid].offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == st->n || st->messages[low].offset != offset || st->messages[low].part != part ||
        st->messages[low].row != row)
        wrong(v, "table %s: partition %d has offset %" PRId64 ", which does not belong there",
              table, v->truth->parts[part].partition, offset);
    else
        seen[low]++;
}

typedef void row_fn(struct verify *v, const char *table, const char *const *texts,
                    const size_t *lens, int **seen);

static int part_of(const struct truth_source *truth, const struct cl_feed *feed, int64_t partition)
{
    for (size_t i = 0; i < truth->n_parts; i++)
        if (truth->parts[i].feed == feed && truth->parts[i].partition == partition) return (int)i;
    return -1;
}

static const struct cl_feed *feed_of(const struct cl_spec *spec, const char *name, size_t len)
{
    for (size_t f = 0; f < spec->n_feeds && name != NULL; f++)
        if (strlen(spec->feeds[f].name) == len && memcmp(spec->feeds[f].name, name, len) == 0)
            return &spec->feeds[f];
    return NULL;
}

/* _partition, _offset, x */
static void take_row(struct verify *v, const char *table, const char *const *texts,
                     const size_t *lens, int **seen)
{
    int64_t offset = number(texts, lens, 1);
    int part =
        part_of(v->truth, feed_of(v->truth->spec, table, strlen(table)), number(texts, lens, 0));
    if (number(texts, lens, 2) != offset)
        wrong(v, "table %s: the row of offset %" PRId64 " has another's values", table, offset);
    if (part < 0)
        wrong(v, "table %s: a row of an unknown partition", table);
    else
        found(v, table, part, offset, true, seen[v->truth->parts[part].stream]);
}

/* partition, offset, feed */
static void take_dead(struct verify *v, const char *table, const char *const *texts,
                      const size_t *lens, int **seen)
{
    int part =
        part_of(v->truth, feed_of(v->truth->spec, texts[2], lens[2]), number(texts, lens, 0));
    if (part < 0)
        wrong(v, "table %s: a dead letter of an unknown partition", table);
    else
        found(v, table, part, number(texts, lens, 1), false, seen[v->truth->parts[part].stream]);
}

static void each_row(struct verify *v, const char *table, const char *sql, row_fn *take, int **seen)
{
    struct cl_result *result = NULL;
    struct cl_error err = {0};
    const char *const *texts = NULL;
    const size_t *lens = NULL;
    enum cl_code code = v->engine->ops->execute(v->engine, sql, &result, &err);
    while (code == CL_OK) {
        code = v->engine->ops->next_row(result, &texts, &lens, &err);
        if (code != CL_OK || texts == NULL) break;
        take(v, table, texts, lens, seen);
    }
    if (result != NULL) v->engine->ops->result_free(result);
    if (code != CL_OK) failed(v, table, &err);
}

static void compare_rows(struct verify *v)
{
    const struct truth_source *truth = v->truth;
    int *seen[TRUTH_MAX_PARTS];
    char sql[128];
    for (size_t k = 0; k < truth->n_streams; k++)
        if ((seen[k] = calloc(truth->streams[k].n + 1, sizeof **seen)) == NULL) abort();
    for (size_t i = 0; i + 1 < v->n; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT _partition, _offset, CAST(x AS BIGINT) FROM %s",
                       v->views[i].name);
        each_row(v, v->views[i].name, sql, take_row, seen);
    }
    each_row(v, CL_DEAD_LETTERS, "SELECT \"partition\", \"offset\", feed FROM " CL_DEAD_LETTERS,
             take_dead, seen);
    for (size_t k = 0; k < truth->n_streams; k++) {
        for (size_t i = 0; i < truth->streams[k].n; i++) {
            const struct truth_message *m = &truth->streams[k].messages[i];
            const struct cl_source_partition *p = &truth->parts[m->part];
            if (seen[k][i] != 1)
                wrong(v, "feed %s, partition %d, offset %" PRId64 ": %d times a %s",
                      p->feed == NULL ? "-" : p->feed->name, p->partition, m->offset, seen[k][i],
                      m->row ? "row" : "dead letter");
        }
        free(seen[k]);
    }
}

/* ---- what lies about ---- */

static bool is_live(const struct verify *v, const char *path)
{
    for (size_t i = 0; i < v->n; i++)
        for (size_t f = 0; f < v->tables[i].scan.n; f++) {
            const char *live =
                cl_store_relative(v->catalog->store, v->tables[i].scan.files[f].path);
            if (live != NULL && strcmp(live, path) == 0) return true;
        }
    return false;
}

static void count_files(struct verify *v, size_t *orphans)
{
    struct cl_store_list list = {0};
    struct cl_store *store = v->catalog->store;
    struct cl_error err = {0};
    size_t files = 0, live = 0;
    *orphans = 0;
    for (size_t i = 0; i < v->n; i++)
        live += v->tables[i].scan.n;
    if (store->ops->list(store, "", &list, &err) != CL_OK) failed(v, "list", &err);
    for (size_t i = 0; i < list.n; i++) {
        if (strstr(list.entries[i].path, ".parquet") == NULL) continue;
        files++;
        if (!is_live(v, list.entries[i].path)) ++*orphans;
    }
    if (files - *orphans != live)
        wrong(v, "tables refer to %zu files, but %zu of them exist", live, files - *orphans);
    cl_store_list_fini(&list);
}

static int temp_files; /* nftw has no context */

static int count_temp(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    if (kind == FTW_F &&
        strncmp(path + at->base, CL_LOCAL_TEMP_PREFIX, strlen(CL_LOCAL_TEMP_PREFIX)) == 0)
        temp_files++;
    return 0;
}

int verify_temp_files(const char *dir)
{
    temp_files = 0;
    (void)nftw(dir, count_temp, 16, FTW_PHYS);
    return temp_files;
}

int verify_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL) (void)closedir(dir);
    return n;
}

int verify_lake(struct cl_catalog *catalog, const struct truth_source *truth, size_t *orphans,
                FILE *out)
{
    struct verify v = {.catalog = catalog, .truth = truth, .out = out};
    const struct cl_duckdb_options options = {.threads = 1, .memory_bytes = (int64_t)256 << 20};
    struct cl_error err = {0};
    bool loaded = true;
    cl_arena_init(&v.arena, MAX_ARENA_BYTES);
    cl_audit_init(&v.report);
    for (size_t f = 0; f < truth->spec->n_feeds; f++)
        loaded = load(&v, truth->spec->feeds[f].name) && loaded;
    loaded = load(&v, CL_DEAD_LETTERS) && loaded;
    if (loaded) count_files(&v, orphans);
    if (loaded && v.wrong == 0) {
        if (cl_duckdb_engine_new(v.views, v.n, &options, &v.engine, &err) != CL_OK)
            failed(&v, "DuckDB", &err);
        if (v.engine != NULL) audit(&v);
        if (v.engine != NULL) compare_rows(&v);
    }
    if (v.engine != NULL) v.engine->ops->free(v.engine);
    for (size_t i = 0; i < v.n; i++) {
        cl_scan_fini(&v.tables[i].scan);
        cl_table_free(v.tables[i].table);
    }
    cl_audit_fini(&v.report);
    cl_arena_fini(&v.arena);
    return v.wrong;
}
