/* up.c - `citylake up`: the simulated city through the native engine into a local lake, in one
 * process. */
#include "app/run.h"

#include <stdio.h>
#include <unistd.h>

int cl_cmd_up(struct cl_app *app)
{
    app->opt.source = "city";
    if (!app->opt.quiet && isatty(STDERR_FILENO))
        (void)fprintf(stderr,
                      "The city runs into the lake %s; stop it with Ctrl-C.  From another shell:\n"
                      "  citylake sql --lake %s \"SELECT count(*), avg(speed) FROM vehicle\"\n",
                      app->spec->lake.warehouse, app->spec->lake.warehouse);
    return cl_app_run_engine(app);
}
