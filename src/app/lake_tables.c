/* lake_tables.c - see lake_tables.h. */
#include "app/lake_tables.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum cl_code cl_lake_names(const struct cl_lake *lake, struct cl_names *ret, struct cl_error *err)
{
    return lake->catalog->ops->list(lake->catalog, &ret->names, &ret->n, err);
}

void cl_names_fini(struct cl_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct cl_names){0};
}

/* ---- the moment ---- */

struct moment {
    bool now;
    int64_t snapshot_id; /* -1: by time only */
    int64_t time_ms;
};

static bool is_snapshot_id(const char *text, int64_t *ret)
{
    char *end;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    long long id = strtoll(text, &end, 10);
    *ret = id;
    return *end == '\0' && errno == 0;
}

static enum cl_code find_snapshot(const struct cl_lake *lake, const struct cl_names *all,
                                  struct moment *m, struct cl_error *err)
{
    for (size_t i = 0; i < all->n; i++) {
        struct cl_table *table = NULL;
        enum cl_code code = lake->catalog->ops->load(lake->catalog, all->names[i], &table, err);
        if (code != CL_OK) return code;
        const struct cl_snapshot *s = cl_metadata_snapshot(table->metadata, m->snapshot_id);
        if (s != NULL) m->time_ms = s->timestamp_ms;
        cl_table_free(table);
        if (s != NULL) return CL_OK;
    }
    return cl_fail(err, CL_ENOTFOUND,
                   "--as-of: no table has a snapshot %" PRId64
                   "; `citylake snapshots TABLE` lists them",
                   m->snapshot_id);
}

static enum cl_code moment_of(const struct cl_lake *lake, const struct cl_names *all,
                              const char *as_of, struct moment *ret, struct cl_error *err)
{
    int64_t us;
    *ret = (struct moment){.now = as_of == NULL, .snapshot_id = -1};
    if (as_of == NULL) return CL_OK;
    if (is_snapshot_id(as_of, &ret->snapshot_id)) return find_snapshot(lake, all, ret, err);
    ret->snapshot_id = -1;
    enum cl_code code = cl_time_parse(as_of, strlen(as_of), &us, err);
    if (code != CL_OK)
        return cl_error_wrap(err, code, "--as-of %s: neither a snapshot id nor a time", as_of);
    ret->time_ms = us >= 0 ? us / 1000 : (us - 999) / 1000;
    return CL_OK;
}

static const struct cl_snapshot *choose(const struct cl_metadata *m, const struct moment *moment)
{
    if (moment->now) return cl_metadata_current(m);
    const struct cl_snapshot *s =
        moment->snapshot_id < 0 ? NULL : cl_metadata_snapshot(m, moment->snapshot_id);
    return s != NULL ? s : cl_metadata_as_of(m, moment->time_ms);
}

/* ---- tables ---- */

static enum cl_code load(const struct cl_lake *lake, const char *name, const struct moment *moment,
                         struct cl_lake_table *ret, struct cl_error *err)
{
    enum cl_code code = lake->catalog->ops->load(lake->catalog, name, &ret->table, err);
    if (code != CL_OK) return code;
    ret->snapshot = choose(ret->table->metadata, moment);
    if (ret->snapshot == NULL) return CL_OK;
    code = cl_scan_plan(ret->table->metadata, ret->snapshot, lake->store, &ret->scan, err);
    return code == CL_OK ? CL_OK : cl_error_wrap(err, code, "table %s", name);
}

enum cl_code cl_lake_tables_load(const struct cl_lake *lake, const struct cl_names *all,
                                 char *const *wanted, size_t n, const char *as_of,
                                 struct cl_lake_tables *ret, struct cl_error *err)
{
    struct moment moment;
    struct cl_lake_tables t = {0};
    enum cl_code code = moment_of(lake, all, as_of, &moment, err);
    if (code != CL_OK) return code;
    t.tables = calloc(n + 1, sizeof *t.tables);
    if (t.tables == NULL) return cl_fail_nomem(err);
    while (code == CL_OK && t.n < n) {
        code = load(lake, wanted[t.n], &moment, &t.tables[t.n], err);
        t.n++;
    }
    if (code == CL_OK)
        *ret = t;
    else
        cl_lake_tables_fini(&t);
    return code;
}

void cl_lake_tables_fini(struct cl_lake_tables *t)
{
    for (size_t i = 0; i < t->n; i++) {
        cl_scan_fini(&t->tables[i].scan);
        cl_table_free(t->tables[i].table);
    }
    free(t->tables);
    *t = (struct cl_lake_tables){0};
}

/* ---- the engine ---- */

/* Looks every 50 ms whether the user wants to stop. */
static void *watch(void *context)
{
    struct cl_lake_sql *sql = context;
    (void)pthread_mutex_lock(&sql->lock);
    while (!sql->ended) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 50000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&sql->changed, &sql->lock, &until);
        if (!sql->ended && atomic_load(&cl_stop_requested) != 0)
            sql->engine->ops->cancel(sql->engine);
    }
    (void)pthread_mutex_unlock(&sql->lock);
    return NULL;
}

static void make_temp_dir(struct cl_lake_sql *sql)
{
    const char *base = getenv("TMPDIR");
    int len = snprintf(sql->temp_dir, sizeof sql->temp_dir, "%s/citylake-sql-XXXXXX",
                       base != NULL && base[0] == '/' ? base : "/tmp");
    if (len >= (int)sizeof sql->temp_dir || mkdtemp(sql->temp_dir) == NULL) sql->temp_dir[0] = '\0';
}

enum cl_code cl_lake_sql_open(const struct cl_lake_tables *tables, struct cl_lake_sql *ret,
                              struct cl_error *err)
{
    *ret = (struct cl_lake_sql){.lock = PTHREAD_MUTEX_INITIALIZER,
                                .changed = PTHREAD_COND_INITIALIZER};
    ret->views = calloc(tables->n + 1, sizeof *ret->views);
    if (ret->views == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < tables->n; i++) {
        const struct cl_lake_table *t = &tables->tables[i];
        ret->views[i] =
            (struct cl_engine_table){t->table->name, &t->table->metadata->schema, &t->scan};
    }
    make_temp_dir(ret);
    const struct cl_duckdb_options options = {.temp_dir =
                                                  ret->temp_dir[0] == '\0' ? NULL : ret->temp_dir};
    enum cl_code code = cl_duckdb_engine_new(ret->views, tables->n, &options, &ret->engine, err);
    if (code != CL_OK) return code;
    /* Without the thread only Ctrl-C twice would end a query: not worth failing for. */
    ret->has_watcher = pthread_create(&ret->watcher, NULL, watch, ret) == 0;
    return CL_OK;
}

void cl_lake_sql_close(struct cl_lake_sql *sql)
{
    if (sql->has_watcher) {
        (void)pthread_mutex_lock(&sql->lock);
        sql->ended = true;
        (void)pthread_cond_signal(&sql->changed);
        (void)pthread_mutex_unlock(&sql->lock);
        (void)pthread_join(sql->watcher, NULL);
    }
    if (sql->engine != NULL) sql->engine->ops->free(sql->engine);
    if (sql->temp_dir[0] != '\0') (void)rmdir(sql->temp_dir);
    free(sql->views);
    *sql = (struct cl_lake_sql){0};
}
