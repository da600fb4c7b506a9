#include "app/run.h"

#include "base/clock.h"
#include "stream/stream.h"
#include "web/metrics_pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct progress {
    const struct cl_app *app;
    struct cl_stream_stats last;
    double rate; /* smoothed, events/s */
    int64_t last_log_us;
};

static void show_progress(void *context, const struct cl_stream_stats *s)
{
    struct progress *p = context;
    int64_t span = s->elapsed_us - p->last.elapsed_us;
    if (span > 0) {
        double now = (double)(s->consumed - p->last.consumed) * 1e6 / (double)span;
        p->rate = p->last.elapsed_us == 0 ? now : p->rate * 0.7 + now * 0.3;
    }
    p->last = *s;
    cl_app_progress(p->app,
                    "%" PRId64 " events  %.0f/s  %" PRId64 " rejected  %" PRId64
                    " committed in %" PRId64 " snapshots  %.0f MiB in open files",
                    s->consumed, p->rate, s->rejected, s->committed, s->commits,
                    (double)s->memory_bytes / 1048576.0);
    if (!isatty(STDERR_FILENO) && s->elapsed_us - p->last_log_us >= 10000000) {
        p->last_log_us = s->elapsed_us;
        cl_log(&p->app->log, CL_LOG_INFO, "progress", CL_NUM("events", s->consumed),
               CL_DBL("per_second", p->rate), CL_NUM("rejected", s->rejected),
               CL_NUM("committed", s->committed));
    }
}

static void sum_up(const struct cl_app *app, const char *event, const struct cl_stream_stats *s,
                   int64_t cpu_us)
{
    double seconds = (double)s->elapsed_us / 1e6;
    cl_app_progress(app, "%s", "");
    cl_log(&app->log, CL_LOG_INFO, event, CL_NUM("events", s->consumed),
           CL_NUM("rejected", s->rejected), CL_NUM("committed", s->committed),
           CL_NUM("snapshots", s->commits), CL_NUM("files", s->files), CL_DBL("seconds", seconds),
           CL_DBL("per_second", seconds > 0 ? (double)s->consumed / seconds : 0),
           CL_DBL("cpu_seconds", (double)cpu_us / 1e6), CL_DBL("mb", (double)s->bytes / 1e6));
}

/* --metrics: what the server shows, and the server. */
struct watch {
    struct cl_metrics_pages pages;
    struct cl_web_server *server;
};

static enum cl_code start_watch(const struct cl_app *app, struct watch *w, struct cl_error *err)
{
    struct cl_web_address address;
    if (app->opt.metrics == NULL) return CL_OK;
    enum cl_code code = cl_web_address_parse(app->opt.metrics, &address, err);
    if (code == CL_OK) code = cl_metrics_new(&w->pages.metrics, err);
    if (code == CL_OK) {
        w->pages.version = CL_VERSION;
        code = cl_web_server_start(&address, cl_metrics_pages, CL_METRICS_PAGES_N, &w->pages,
                                   &w->server, err);
    }
    if (code != CL_OK) return cl_error_wrap(err, code, "--metrics");
    cl_log(&app->log, CL_LOG_INFO, "metrics", CL_STR("url", cl_web_server_url(w->server)));
    if (!cl_web_server_on_loopback(w->server))
        cl_log(&app->log, CL_LOG_WARN, "metrics_open", CL_STR("url", cl_web_server_url(w->server)),
               CL_STR("what", "without password or encryption: everybody who reaches this address "
                              "can read them"));
    return CL_OK;
}

/* Before source and spec go, whose names the metrics borrow. */
static void stop_watch(struct watch *w)
{
    cl_web_server_stop(w->server);
    cl_metrics_free(w->pages.metrics);
}

int cl_app_run_engine(struct cl_app *app)
{
    struct cl_error err = {0};
    struct watch watch = {0};
    struct cl_lake lake = {0};
    struct cl_source_options source_options = {0};
    struct cl_source *source = NULL;
    struct cl_stream_stats stats = {0};
    struct progress progress = {.app = app};
    int64_t cpu = cl_clock_cpu_us();
    enum cl_code code = start_watch(app, &watch, &err);
    if (code == CL_OK) code = cl_app_source_open(app, &source_options, &source, &err);
    if (code == CL_OK) code = cl_app_lake_open(app, true, &lake, &err);
    if (code == CL_OK) {
        const struct cl_stream_options options = {
            .lanes = (int)app->opt.lanes,
            .commit_every_us = app->opt.commit_every_us,
            .log = &app->log,
            .stop = &cl_stop_requested,
            .metrics = watch.pages.metrics,
            .progress = show_progress,
            .context = &progress,
        };
        code = cl_stream_run(app->spec, source, lake.catalog, &options, &stats, &err);
        sum_up(app, code == CL_OK ? "done" : "failed", &stats, cl_clock_cpu_us() - cpu);
    }
    stop_watch(&watch);
    if (source != NULL) source->ops->free(source);
    cl_app_lake_close(&lake);
    return code == CL_OK ? CL_EXIT_OK : cl_app_error(app, &err);
}
