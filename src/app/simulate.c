/* simulate.c - `citylake simulate`: the simulated devices -> Kafka, or NDJSON.
 *
 * All feeds in the order of sending go to one sink:
 *
 *   --kafka HOST:PORT  topics of the spec, created when missing, keyed by vehicle_id
 *   --out DIR          one file of plain lines per topic; a malformed message stands there as it
 *                      is, but an empty one cannot: it is left out, and not in the truth either
 *   neither            envelopes on standard output; what is not JSON is base64 in "raw"
 *
 * As fast as possible, unless --rate or --speed-up sets a pace.  Ends after --events, --for, or a
 * signal: what was given to the sink is then delivered, and the truth is written. */
#include "app/app.h"
#include "app/truth.h"
#include "city/pace.h"
#include "sink/sink.h"
#include "source/city_source.h"

#include <stdio.h>
#include <unistd.h>

enum { EVENTS_PER_LOOK = 256, FLUSH_MS = 60000, SLICE_MS = 100 };
#define PROGRESS_EVERY_US INT64_C(250000)
#define LOG_EVERY_US INT64_C(10000000)

struct run {
    struct cl_app *app;
    const struct cl_feed *feeds[CL_CITY_FEEDS];
    unsigned set; /* of feeds */
    struct cl_city *city;
    struct cl_city_merge *merge;
    struct cl_sink *sink;
    struct cl_truth *truth; /* NULL: not wanted */
    struct cl_pace pace;
    int64_t events;      /* sent */
    int64_t most_events; /* INT64_MAX: no limit */
    int64_t until_us;    /* simulated; INT64_MAX: no limit */
    int64_t simulated_us;
    int64_t started_us, shown_us, logged_us; /* monotonic clock */
};

static enum cl_code find_only(const struct cl_app *app, const struct cl_feed **ret,
                              struct cl_error *err)
{
    *ret = NULL;
    if (app->opt.feed == NULL) return CL_OK;
    *ret = cl_spec_find_feed(app->spec, app->opt.feed);
    if (*ret == NULL)
        return cl_fail_at(err, CL_EINVAL, app->spec->path,
                          "--feed %s: no feed of that name is declared", app->opt.feed);
    return CL_OK;
}

static enum cl_code open_sink(struct cl_app *app, struct cl_sink **ret, struct cl_error *err)
{
    if (app->opt.kafka != NULL && app->opt.out != NULL)
        return cl_fail(err, CL_EINVAL,
                       "--kafka and --out exclude each other: events go to one place");
    if (app->opt.kafka != NULL) return cl_kafka_sink_new(app->spec, ret, err);
    return cl_ndjson_sink_new(app->spec, STDOUT_FILENO, app->opt.out, ret, err);
}

static double speed_of(const struct run *run)
{
    const struct cl_options *opt = &run->app->opt;
    if (opt->rate > 0) return opt->rate / cl_city_events_per_second(run->city, run->set);
    return opt->speed_up > 0 ? run->app->spec->city.speed_up : 0;
}

static enum cl_code open_run(struct run *run, struct cl_error *err)
{
    struct cl_app *app = run->app;
    const struct cl_feed *only;
    struct cl_city_config config;
    cl_city_config_from_spec(app->spec, &config);
    enum cl_code code = find_only(app, &only, err);
    if (code == CL_OK) code = cl_city_feeds_from_spec(app->spec, only, run->feeds, &run->set, err);
    if (code == CL_OK) code = cl_city_new(&config, &run->city, err);
    if (code == CL_OK) code = cl_city_merge_new(run->city, run->set, &run->merge, err);
    if (code == CL_OK) code = open_sink(app, &run->sink, err);
    if (code == CL_OK && app->opt.truth != NULL)
        code = cl_truth_open(app->opt.truth, run->feeds, &run->truth, err);
    if (code != CL_OK) return code;
    run->most_events = app->opt.events >= 0 ? app->opt.events : INT64_MAX;
    run->until_us = app->opt.duration_us > 0 ? config.start_us + app->opt.duration_us : INT64_MAX;
    run->simulated_us = config.start_us;
    run->started_us = run->shown_us = run->logged_us = cl_clock_monotonic_us();
    cl_pace_start(&run->pace, speed_of(run), config.start_us);
    return CL_OK;
}

static void report(struct run *run)
{
    int64_t now = cl_clock_monotonic_us();
    bool show = now - run->shown_us >= PROGRESS_EVERY_US,
         write_log = now - run->logged_us >= LOG_EVERY_US;
    if (!show && !write_log) return;
    struct cl_sink_stats stats;
    run->sink->ops->stats(run->sink, &stats);
    char time[CL_TIME_TEXT];
    cl_time_text(run->simulated_us / 1000000 * 1000000, time);
    double rate = (double)run->events * 1e6 / (double)(now - run->started_us + 1);
    if (show) {
        run->shown_us = now;
        cl_app_progress(run->app, "%lld events, %.0f events/s, %lld errors, the city is at %s",
                        (long long)run->events, rate, (long long)stats.failed, time);
    }
    if (write_log && !run->app->log.on_terminal && !run->app->opt.quiet) {
        run->logged_us = now;
        cl_log(&run->app->log, CL_LOG_INFO, "simulate", CL_NUM("events", run->events),
               CL_NUM("events_per_s", rate), CL_NUM("errors", stats.failed),
               CL_STR("simulated", time));
    }
}

/* Waits until the simulated clock reaches time_us.  False: asked to stop. */
static bool wait_for(struct run *run, int64_t time_us)
{
    for (;;) {
        if (atomic_load(&cl_stop_requested) != 0) return false;
        int64_t wait = cl_pace_wait_us(&run->pace, time_us);
        if (wait <= 0) return true;
        cl_clock_sleep_us(wait < SLICE_MS * 1000 ? wait : SLICE_MS * 1000);
        report(run);
    }
}

static enum cl_code send_one(struct run *run, struct cl_error *err)
{
    struct cl_city_event event;
    enum cl_code code = cl_city_merge_next(run->merge, &event, err);
    if (code == CL_OK && event.value_len == 0 && run->app->opt.out != NULL) return CL_OK;
    if (code == CL_OK)
        code = run->sink->ops->send(run->sink, run->feeds[event.feed], event.key, event.key_len,
                                    event.value, event.value_len, event.timestamp_us, err);
    if (code != CL_OK) return code;
    run->events++;
    return run->truth != NULL ? cl_truth_count(run->truth, &event, err) : CL_OK;
}

static enum cl_code send_all(struct run *run, struct cl_error *err)
{
    while (run->events < run->most_events) {
        if (run->events % EVENTS_PER_LOOK == 0) {
            if (atomic_load(&cl_stop_requested) != 0) break;
            report(run);
        }
        int64_t time_us;
        enum cl_code code = cl_city_merge_peek(run->merge, &time_us, err);
        if (code != CL_OK) return code;
        if (time_us >= run->until_us) break;
        if (run->pace.speed > 0 && !wait_for(run, time_us)) break;
        run->simulated_us = time_us;
        code = send_one(run, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

static void summarise(struct run *run)
{
    struct cl_sink_stats stats;
    run->sink->ops->stats(run->sink, &stats);
    double seconds = (double)(cl_clock_monotonic_us() - run->started_us) / 1e6;
    char time[CL_TIME_TEXT];
    cl_log(&run->app->log, CL_LOG_INFO, "simulated", CL_NUM("events", run->events),
           CL_NUM("delivered", stats.delivered), CL_NUM("errors", stats.failed),
           CL_NUM("bytes", stats.bytes), CL_DBL("seconds", seconds),
           CL_NUM("events_per_s", (double)run->events / (seconds > 0 ? seconds : 1)),
           CL_STR("sink", run->sink->ops->name),
           CL_STR("simulated", cl_time_text(run->simulated_us, time)));
}

int cl_cmd_simulate(struct cl_app *app)
{
    struct run run = {.app = app};
    struct cl_error err, later;
    enum cl_code code = open_run(&run, &err);
    bool opened = code == CL_OK;
    if (code == CL_OK) code = send_all(&run, &err);
    if (opened) {
        /* A failed run delivers what it can, but its first error is the one to tell. */
        enum cl_code flushed =
            run.sink->ops->flush(run.sink, FLUSH_MS, code == CL_OK ? &err : &later);
        if (code == CL_OK) code = flushed;
    }
    if (code == CL_ECANCELED) code = CL_OK; /* the reader of standard output has seen enough */
    enum cl_code closed = cl_truth_close(run.truth, code == CL_OK ? &err : &later);
    if (code == CL_OK) code = closed;
    if (opened && !app->opt.quiet) summarise(&run);
    int status = code == CL_OK ? CL_EXIT_OK : cl_app_error(app, &err);
    if (run.sink != NULL) run.sink->ops->free(run.sink);
    cl_city_merge_free(run.merge);
    cl_city_free(run.city);
    return status;
}
