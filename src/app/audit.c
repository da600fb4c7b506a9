/* audit.c - `citylake audit`: is every offset accounted for exactly once?
 *
 * Feed tables are loaded before dead_letters: a commit writes dead_letters first, so a lake that is
 * being written looks, at worst, as if some dead letters were ahead of their feed, which is how a
 * commit in the making looks anyway.  The rules are in query/audit_check.h. */
#include "app/app.h"

#include "app/audit_collect.h"
#include "app/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARENA_BYTES = 1 << 30 };

struct audit {
    struct cl_app *app;
    struct cl_lake lake;
    struct cl_names names;
    struct cl_names
        wanted; /* its array is owned, the names are borrowed from `names`; dead_letters last */
    struct cl_lake_tables tables;
    struct cl_lake_sql sql;
    struct cl_audit_chain *chains; /* one for each table */
    struct cl_arena arena;
    struct cl_audit report;
};

/* ---- which tables ---- */

static bool is_wanted(const struct cl_app *app, const char *name)
{
    if (strcmp(name, CL_DEAD_LETTERS) == 0)
        return true; /* the feeds' rejects are looked up there */
    if (app->opt.feed != NULL && strcmp(name, app->opt.feed) != 0) return false;
    for (int i = 0; i < app->n_args; i++)
        if (strcmp(name, app->args[i]) == 0) return true;
    return app->n_args == 0;
}

static bool has_name(const struct cl_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->names[i], name) == 0) return true;
    return false;
}

static enum cl_code choose_tables(struct audit *a, struct cl_error *err)
{
    const struct cl_app *app = a->app;
    for (int i = 0; i < app->n_args; i++)
        if (!has_name(&a->names, app->args[i]))
            return cl_fail(err, CL_ENOTFOUND,
                           "there is no table %s in this lake; `citylake tables` lists them",
                           app->args[i]);
    if (app->opt.feed != NULL && !has_name(&a->names, app->opt.feed))
        return cl_fail(err, CL_ENOTFOUND,
                       "there is no table of feed %s in this lake; `citylake tables` lists them",
                       app->opt.feed);
    a->wanted.names = calloc(a->names.n + 1, sizeof *a->wanted.names);
    if (a->wanted.names == NULL) return cl_fail_nomem(err);
    for (int dead_letters = 0; dead_letters < 2; dead_letters++)
        for (size_t i = 0; i < a->names.n; i++)
            if ((strcmp(a->names.names[i], CL_DEAD_LETTERS) == 0) == (dead_letters == 1) &&
                is_wanted(app, a->names.names[i]))
                a->wanted.names[a->wanted.n++] = a->names.names[i];
    if (a->wanted.n == 0)
        return cl_fail(err, CL_ENOTFOUND, "the lake has no table in namespace %s",
                       app->spec->lake.namespace_name);
    return CL_OK;
}

static bool has_positions(const struct cl_lake_table *t)
{
    const struct cl_schema *schema = &t->table->metadata->schema;
    return strcmp(t->table->name, CL_DEAD_LETTERS) == 0 ||
           (cl_schema_find(schema, CL_COL_PARTITION) >= 0 &&
            cl_schema_find(schema, CL_COL_OFFSET) >= 0);
}

/* Takes out what is no table of a feed: other programs' tables may stand in the lake. */
static void drop_others(struct audit *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->tables.n; i++) {
        struct cl_lake_table *t = &a->tables.tables[i];
        if (has_positions(t)) {
            a->tables.tables[kept++] = *t;
            continue;
        }
        cl_audit_skip(&a->report, t->table->name, "all",
                      "not a feed's table: it has no " CL_COL_PARTITION " and " CL_COL_OFFSET);
        cl_scan_fini(&t->scan);
        cl_table_free(t->table);
    }
    a->tables.n = kept;
}

static void note_missing_feeds(struct audit *a)
{
    const struct cl_spec *spec = a->app->spec;
    for (size_t i = 0; i < spec->n_feeds; i++)
        if (is_wanted(a->app, spec->feeds[i].name) && !has_name(&a->names, spec->feeds[i].name))
            cl_audit_skip(&a->report, spec->feeds[i].name, "all", "not in the lake yet");
}

/* ---- the checks of one table ---- */

/* Every file is of a commit of ours, and nothing was wrong so far: then rows of different commits
 * have different offsets. */
static bool is_disjoint(const struct cl_lake_table *t, const struct cl_audit_chain *chain,
                        bool sound)
{
    bool all_ours = sound && chain->complete && !cl_audit_rewritten(chain);
    for (size_t i = 0; i < chain->n && all_ours; i++)
        all_ours = chain->commits[i].ours;
    return all_ours && t->scan.n > 0;
}

static enum cl_code check_rows(struct audit *a, const struct cl_lake_table *t,
                               const struct cl_audit_chain *chain, int64_t problems_before,
                               struct cl_error *err)
{
    struct cl_audit_rows *rows = NULL;
    struct cl_audit_twice *twice = NULL;
    size_t n = 0;
    enum cl_code code = cl_collect_rows(a->sql.engine, t, &a->arena, &rows, &n, err);
    if (code != CL_OK) return code;
    cl_audit_check_rows(&a->report, chain, rows, n);
    bool sound = a->report.total_problems == problems_before;
    code = cl_collect_twice(a->sql.engine, t, is_disjoint(t, chain, sound), &a->arena, &twice, &n,
                            err);
    if (code == CL_OK) cl_audit_check_unique(&a->report, chain, twice, n);
    return code;
}

static enum cl_code check_rejects(struct audit *a, const struct cl_audit_chain *chain,
                                  struct cl_error *err)
{
    struct cl_audit_rejects *rejects = NULL;
    struct cl_audit_twice *both = NULL;
    size_t n = 0, n_both = 0;
    enum cl_code code = CL_OK;
    if (has_name(&a->wanted, CL_DEAD_LETTERS))
        code = cl_collect_rejects(a->sql.engine, chain, &a->arena, &rejects, &n, err);
    if (code == CL_OK && n > 0)
        code = cl_collect_in_both(a->sql.engine, chain->table, &a->arena, &both, &n_both, err);
    if (code == CL_OK) cl_audit_check_rejects(&a->report, chain, rejects, n, both, n_both);
    return code;
}

static enum cl_code check_table(struct audit *a, size_t i, struct cl_error *err)
{
    const struct cl_lake_table *t = &a->tables.tables[i];
    struct cl_audit_chain *chain = &a->chains[i];
    int64_t problems = a->report.total_problems;
    enum cl_code code = cl_collect_chain(t, chain, err);
    if (code != CL_OK) return code;
    cl_audit_check_chain(&a->report, chain);
    code = check_rows(a, t, chain, problems, err);
    if (code == CL_OK && !chain->dead_letters) code = check_rejects(a, chain, err);
    return code;
}

/* ---- the log ---- */

static enum cl_code check_log_of(struct audit *a, struct cl_source *source,
                                 const struct cl_audit_chain *chain, struct cl_error *err)
{
    const struct cl_source_partition *parts;
    struct cl_audit_watermark *marks;
    const char *identity = NULL;
    size_t n_parts, n = 0;
    enum cl_code code = source->ops->partitions(source, &parts, &n_parts, err);
    if (code != CL_OK) return code;
    marks = cl_arena_array(&a->arena, n_parts + 1, sizeof *marks);
    if (marks == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].feed == NULL || strcmp(parts[i].feed->name, chain->table) != 0) continue;
        struct cl_audit_watermark *mark = &marks[n++];
        mark->key = cl_arena_printf(&a->arena, "%" PRId32, parts[i].partition);
        if (mark->key == NULL) return cl_fail_nomem(err);
        code = source->ops->watermarks(source, (int32_t)i, &mark->low, &mark->end, err);
        if (code == CL_OK) code = source->ops->identity(source, (int32_t)i, &identity, err);
        if (code != CL_OK) return code;
    }
    if (n == 0)
        cl_audit_skip(&a->report, chain->table, "log", "city.yaml has no feed of this name");
    else
        cl_audit_check_log(&a->report, chain, identity, marks, n);
    return CL_OK;
}

/* Only when Kafka is named: the rest of the audit needs nothing but the lake. */
static enum cl_code check_log(struct audit *a, struct cl_error *err)
{
    const struct cl_options *opt = &a->app->opt;
    bool kafka = opt->source == NULL ? opt->kafka != NULL : strcmp(opt->source, "kafka") == 0;
    struct cl_app app = *a->app;
    struct cl_source_options options = {0};
    struct cl_source *source = NULL;
    app.opt.source = "kafka";
    enum cl_code code = kafka ? cl_app_source_open(&app, &options, &source, err) : CL_OK;
    for (size_t i = 0; i < a->tables.n && code == CL_OK; i++) {
        const struct cl_audit_chain *chain = &a->chains[i];
        if (chain->table == NULL || chain->dead_letters) continue;
        if (!kafka || source->ops->watermarks == NULL)
            cl_audit_skip(&a->report, chain->table, "log",
                          "no log was named (--source kafka, --kafka HOST:PORT)");
        else
            code = check_log_of(a, source, chain, err);
    }
    if (source != NULL) source->ops->free(source);
    return code == CL_OK ? CL_OK : cl_error_wrap(err, code, "comparing with the log");
}

/* ---- output ---- */

static const struct cl_result_column COLUMNS[] = {
    {.name = "table"}, {.name = "check"}, {.name = "result"}, {.name = "detail"}};

static void put_row(struct cl_report *r, const char *table, const char *check, const char *result,
                    const char *detail)
{
    cl_report_text(r, table);
    cl_report_text(r, check);
    cl_report_text(r, result);
    cl_report_text(r, detail);
}

/* The lines of one table stand together, in the order of the tables' first lines. */
static void put_lines(struct cl_report *r, const struct cl_audit *a)
{
    static const char *const results[] = {"OK", "FAILED", "skipped"};
    for (size_t first = 0; first < a->n_lines; first++) {
        const char *table = a->lines[first].table;
        size_t i = 0;
        while (strcmp(a->lines[i].table, table) != 0)
            i++;
        if (i < first) continue; /* its lines are out already */
        for (; i < a->n_lines; i++)
            if (strcmp(a->lines[i].table, table) == 0)
                put_row(r, table, a->lines[i].check, results[a->lines[i].result],
                        a->lines[i].detail);
    }
}

/* csv and json have the problems as rows after the checks; a table is followed by them as lines. */
static enum cl_code print_report(const struct cl_app *app, const struct cl_audit *a,
                                 struct cl_error *err)
{
    bool table = app->opt.format == CL_FORMAT_TABLE;
    struct cl_report r;
    if (cl_report_open(&r, app->opt.format, COLUMNS, 4, err) == CL_OK) {
        put_lines(&r, a);
        for (size_t i = 0; i < a->n_problems && !table; i++)
            put_row(&r, a->problems[i].table, a->problems[i].check, "PROBLEM", a->problems[i].text);
    }
    enum cl_code code = cl_report_close(&r);
    if (code != CL_OK) return code;
    FILE *out = table ? stdout : stderr;
    for (size_t i = 0; i < a->n_problems && table; i++)
        fprintf(out, "%s: %s: %s\n", a->problems[i].table, a->problems[i].check,
                a->problems[i].text);
    if (a->total_problems > (int64_t)a->n_problems && table)
        fprintf(out, "and %" PRId64 " more\n", a->total_problems - (int64_t)a->n_problems);
    if (a->total_problems > 0)
        fprintf(out, "audit: FAILED: %" PRId64 " problem%s\n", a->total_problems,
                a->total_problems == 1 ? "" : "s");
    else
        fprintf(out,
                "audit: passed: %" PRId64 " tables, %" PRId64 " partitions, %" PRId64 " offsets\n",
                a->tables, a->partitions, a->offsets);
    return CL_OK;
}

/* ---- the command ---- */

static enum cl_code run(struct audit *a, struct cl_error *err)
{
    enum cl_code code = cl_app_lake_open(a->app, false, &a->lake, err);
    if (code == CL_OK) code = cl_lake_names(&a->lake, &a->names, err);
    if (code == CL_OK) code = choose_tables(a, err);
    if (code == CL_OK)
        code = cl_lake_tables_load(&a->lake, &a->names, a->wanted.names, a->wanted.n, NULL,
                                   &a->tables, err);
    if (code == CL_OK) drop_others(a);
    if (code == CL_OK) note_missing_feeds(a);
    if (code == CL_OK) code = cl_lake_sql_open(&a->tables, &a->sql, err);
    if (code == CL_OK) {
        a->chains = calloc(a->tables.n + 1, sizeof *a->chains);
        if (a->chains == NULL) code = cl_fail_nomem(err);
    }
    for (size_t i = 0; i < a->tables.n && code == CL_OK; i++)
        code = check_table(a, i, err);
    if (code == CL_OK) code = check_log(a, err);
    if (code == CL_OK && a->report.out_of_memory) code = cl_fail_nomem(err);
    return code == CL_OK ? print_report(a->app, &a->report, err) : code;
}

int cl_cmd_audit(struct cl_app *app)
{
    struct audit a = {.app = app};
    struct cl_error err = {0};
    cl_arena_init(&a.arena, MAX_ARENA_BYTES);
    cl_audit_init(&a.report);
    enum cl_code code = run(&a, &err);
    int status =
        code == CL_OK || cl_report_reader_left(&err) ? CL_EXIT_OK : cl_app_error(app, &err);
    if (status == CL_EXIT_OK && a.report.total_problems > 0) status = CL_EXIT_FAILED;
    for (size_t i = 0; a.chains != NULL && i < a.tables.n; i++)
        cl_audit_chain_fini(&a.chains[i]);
    free(a.chains);
    cl_audit_fini(&a.report);
    cl_arena_fini(&a.arena);
    cl_lake_sql_close(&a.sql);
    cl_lake_tables_fini(&a.tables);
    free(a.wanted.names);
    cl_names_fini(&a.names);
    cl_app_lake_close(&a.lake);
    return status;
}
