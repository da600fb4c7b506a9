/* files.c - `citylake files TABLE`: the data files of a table's snapshot. */
#include "app/app.h"

#include "app/lake_tables.h"
#include "app/report.h"
#include "base/clock.h"

#include <inttypes.h>

static const struct cl_result_column COLUMNS[] = {
    {.name = "path"},
    {.name = "rows", .numeric = true},
    {.name = "bytes", .numeric = true},
    {.name = "partition"},
    {.name = "snapshot_id", .numeric = true}, /* that added it */
};

/* Values of Iceberg's time transforms: days, hours and months since 1970. */
static void put_partition(struct cl_report *r, const struct cl_partition_field *p,
                          const struct cl_scan_file *f)
{
    int64_t year, value = f->partition_value;
    unsigned month, day;
    if (p->transform == CL_PARTITION_NONE || !f->has_partition) {
        cl_report_text(r, NULL);
        return;
    }
    if (p->transform == CL_PARTITION_MONTH) {
        int64_t years = value >= 0 ? value / 12 : (value - 11) / 12;
        cl_report_printf(r, "%s=%04" PRId64 "-%02" PRId64, p->name, 1970 + years,
                         value - years * 12 + 1);
        return;
    }
    int64_t hour = 0, days = value;
    if (p->transform == CL_PARTITION_HOUR) {
        days = value >= 0 ? value / 24 : (value - 23) / 24;
        hour = value - days * 24;
    }
    cl_civil_from_days(days, &year, &month, &day);
    if (p->transform == CL_PARTITION_HOUR)
        cl_report_printf(r, "%s=%04" PRId64 "-%02u-%02u-%02" PRId64, p->name, year, month, day,
                         hour);
    else
        cl_report_printf(r, "%s=%04" PRId64 "-%02u-%02u", p->name, year, month, day);
}

static enum cl_code put_files(const struct cl_app *app, const struct cl_lake_table *t,
                              struct cl_error *err)
{
    struct cl_report r;
    if (cl_report_open(&r, app->opt.format, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err) ==
        CL_OK)
        for (size_t i = 0; i < t->scan.n; i++) {
            const struct cl_scan_file *f = &t->scan.files[i];
            cl_report_text(&r, f->path);
            cl_report_int(&r, f->rows);
            cl_report_int(&r, f->size_bytes);
            put_partition(&r, &t->table->metadata->partition, f);
            cl_report_int(&r, f->added_snapshot_id);
        }
    return cl_report_close(&r);
}

int cl_cmd_files(struct cl_app *app)
{
    struct cl_error err = {0};
    struct cl_lake lake = {0};
    struct cl_names names = {0};
    struct cl_lake_tables tables = {0};
    enum cl_code code = CL_OK;
    if (app->n_args != 1)
        code = cl_fail(&err, CL_EINVAL,
                       "one table is wanted: citylake files TABLE (`citylake tables` lists them)");
    if (code == CL_OK) code = cl_app_lake_open(app, false, &lake, &err);
    if (code == CL_OK) code = cl_lake_names(&lake, &names, &err);
    if (code == CL_OK)
        code = cl_lake_tables_load(&lake, &names, app->args, 1, app->opt.as_of, &tables, &err);
    if (code == CL_OK) code = put_files(app, &tables.tables[0], &err);
    cl_lake_tables_fini(&tables);
    cl_names_fini(&names);
    cl_app_lake_close(&lake);
    return code == CL_OK || cl_report_reader_left(&err) ? CL_EXIT_OK : cl_app_error(app, &err);
}
