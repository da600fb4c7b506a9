/* run.h - what `stream` and `up` share: open lake and source, run the engine, show progress, sum
 * up. */
#ifndef CITYLAKE_APP_RUN_H
#define CITYLAKE_APP_RUN_H

#include "app/app.h"

/* Returns an exit status; errors were printed. */
int cl_app_run_engine(struct cl_app *app);

#endif
