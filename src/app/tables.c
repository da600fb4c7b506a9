/* tables.c - `citylake tables`: what the lake holds. */
#include "app/app.h"

#include "app/lake_tables.h"
#include "app/report.h"
#include "base/clock.h"

#include <stdio.h>

static const struct cl_result_column COLUMNS[] = {
    {.name = "table"},
    {.name = "rows", .numeric = true},
    {.name = "files", .numeric = true},
    {.name = "bytes", .numeric = true},
    {.name = "snapshots", .numeric = true},
    {.name = "last_commit"},
    {.name = "schema_id", .numeric = true},
    {.name = "location"},
};

static void put_table(struct cl_report *r, const struct cl_lake_table *t)
{
    const struct cl_metadata *m = t->table->metadata;
    char time[CL_TIME_TEXT];
    int64_t bytes = 0;
    for (size_t i = 0; i < t->scan.n; i++)
        bytes += t->scan.files[i].size_bytes;
    cl_report_text(r, t->table->name);
    cl_report_int(r, t->scan.rows);
    cl_report_int(r, (int64_t)t->scan.n);
    cl_report_int(r, bytes);
    cl_report_int(r, (int64_t)m->n_snapshots);
    cl_report_text(r, t->snapshot == NULL ? NULL
                                          : cl_time_text(t->snapshot->timestamp_ms * 1000, time));
    cl_report_int(r, m->schema_id);
    cl_report_text(r, m->location);
}

static enum cl_code put_tables(const struct cl_app *app, const struct cl_lake_tables *tables,
                               struct cl_error *err)
{
    struct cl_report r;
    if (cl_report_open(&r, app->opt.format, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err) ==
        CL_OK)
        for (size_t i = 0; i < tables->n; i++)
            put_table(&r, &tables->tables[i]);
    return cl_report_close(&r);
}

int cl_cmd_tables(struct cl_app *app)
{
    struct cl_error err = {0};
    struct cl_lake lake = {0};
    struct cl_names names = {0};
    struct cl_lake_tables tables = {0};
    enum cl_code code = cl_app_lake_open(app, false, &lake, &err);
    if (code == CL_OK) code = cl_lake_names(&lake, &names, &err);
    if (code == CL_OK)
        code =
            cl_lake_tables_load(&lake, &names, names.names, names.n, app->opt.as_of, &tables, &err);
    if (code == CL_OK) code = put_tables(app, &tables, &err);
    cl_lake_tables_fini(&tables);
    cl_names_fini(&names);
    cl_app_lake_close(&lake);
    return code == CL_OK || cl_report_reader_left(&err) ? CL_EXIT_OK : cl_app_error(app, &err);
}
