/* snapshots.c - `citylake snapshots TABLE`: the table's history, oldest first, with what each
 * commit of ours says it covers. */
#include "app/app.h"

#include "app/report.h"
#include "base/clock.h"
#include "query/text.h"
#include "stream/ledger.h"

#include <inttypes.h>

static const struct cl_result_column COLUMNS[] = {
    {.name = "snapshot_id", .numeric = true},
    {.name = "time"},
    {.name = "operation"},
    {.name = "on_main", .boolean = true}, /* an ancestor of the current snapshot, or it */
    {.name = "added_files", .numeric = true},
    {.name = "added_rows", .numeric = true},
    {.name = "total_rows", .numeric = true},
    {.name = "consumed",
     .numeric = true}, /* from here on NULL where the snapshot is not of this program */
    {.name = "stored", .numeric = true},
    {.name = "duplicates", .numeric = true},
    {.name = "rejected", .numeric = true},
    {.name = "ranges"}, /* partition:start-next */
};

static bool on_main(const struct cl_metadata *m, int64_t id)
{
    const struct cl_snapshot *s = cl_metadata_current(m);
    for (size_t steps = 0; s != NULL && steps <= m->n_snapshots; steps++) {
        if (s->id == id) return true;
        s = s->parent_id < 0 ? NULL : cl_metadata_snapshot(m, s->parent_id);
    }
    return false;
}

static enum cl_code put_progress(struct cl_report *r, const struct cl_progress *p,
                                 struct cl_error *err)
{
    struct cl_buf ranges;
    struct cl_text t;
    cl_buf_init(&ranges, (size_t)16 << 20);
    cl_text_init(&t, &ranges, err);
    for (size_t i = 0; i < p->n; i++)
        if (p->entries[i].start >= 0)
            cl_text_printf(&t, "%s%s:%" PRId64 "-%" PRId64, ranges.len > 0 ? " " : "",
                           p->entries[i].key, p->entries[i].start, p->entries[i].end);
    cl_text_byte(&t, '\0');
    cl_report_int(r, p->commit.consumed);
    cl_report_int(r, p->commit.stored);
    cl_report_int(r, p->commit.duplicates);
    cl_report_int(r, p->commit.rejected);
    if (t.code == CL_OK) cl_report_text(r, (const char *)ranges.data);
    cl_buf_fini(&ranges);
    return t.code;
}

static enum cl_code put_snapshot(struct cl_report *r, const struct cl_metadata *m,
                                 const struct cl_snapshot *s, struct cl_error *err)
{
    char time[CL_TIME_TEXT];
    struct cl_progress progress = {0};
    enum cl_code code = cl_progress_read(s, &progress, err);
    if (code != CL_OK && code != CL_ENOTFOUND) return code;
    cl_report_int(r, s->id);
    cl_report_text(r, cl_time_text(s->timestamp_ms * 1000, time));
    cl_report_text(r, cl_snapshot_summary(s, "operation"));
    cl_report_bool(r, on_main(m, s->id));
    cl_report_text(r, cl_snapshot_summary(s, "added-data-files"));
    cl_report_text(r, cl_snapshot_summary(s, "added-records"));
    cl_report_text(r, cl_snapshot_summary(s, "total-records"));
    if (code == CL_OK) {
        code = put_progress(r, &progress, err);
    } else {
        code = CL_OK;
        for (int i = 0; i < 5; i++)
            cl_report_text(r, NULL);
    }
    cl_progress_fini(&progress);
    return code;
}

static enum cl_code put_snapshots(const struct cl_app *app, const struct cl_metadata *m,
                                  struct cl_error *err)
{
    struct cl_report r;
    enum cl_code code =
        cl_report_open(&r, app->opt.format, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);
    for (size_t i = 0; code == CL_OK && i < m->n_snapshots; i++)
        code = put_snapshot(&r, m, &m->snapshots[i], err);
    if (code != CL_OK && r.code == CL_OK) r.code = code;
    return cl_report_close(&r);
}

int cl_cmd_snapshots(struct cl_app *app)
{
    struct cl_error err = {0};
    struct cl_lake lake = {0};
    struct cl_table *table = NULL;
    enum cl_code code = CL_OK;
    if (app->n_args != 1)
        code =
            cl_fail(&err, CL_EINVAL,
                    "one table is wanted: citylake snapshots TABLE (`citylake tables` lists them)");
    if (code == CL_OK) code = cl_app_lake_open(app, false, &lake, &err);
    if (code == CL_OK) code = lake.catalog->ops->load(lake.catalog, app->args[0], &table, &err);
    if (code == CL_OK) code = put_snapshots(app, table->metadata, &err);
    cl_table_free(table);
    cl_app_lake_close(&lake);
    return code == CL_OK || cl_report_reader_left(&err) ? CL_EXIT_OK : cl_app_error(app, &err);
}
