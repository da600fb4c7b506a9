/* stream.c - `citylake stream`: a source through the native engine into the lake. */
#include "app/run.h"

int cl_cmd_stream(struct cl_app *app)
{
    return cl_app_run_engine(app);
}
