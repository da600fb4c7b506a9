/* stream.c - `citylake stream`: a source through the native engine into the lake. */
#include "app/run.h"

int cl_cmd_stream(struct cl_app *app)
{
    struct cl_source_options options = {
        .until_end = app->opt.until_end,
        .max_events = app->opt.events > 0 ? app->opt.events : 0,
        .duration_us = app->opt.duration_us,
        .rate = app->opt.rate,
        .feed = app->opt.feed,
    };
    return cl_app_run_engine(app, &options);
}
