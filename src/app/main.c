/* main.c - the program: command line -> city.yaml -> command.
 *
 * The first SIGINT or SIGTERM asks the command to finish (cl_stop_requested), the second ends the
 * process at once: nothing that was committed can be hurt by that, and what was not is read again.
 */
#include "app/options.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_stop(int signal_number)
{
    (void)signal_number;
    if (atomic_fetch_add(&cl_stop_requested, 1) > 0) _exit(130);
}

/* SA_RESTART: only the waits that look at cl_stop_requested should notice. */
static void set_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART},
                     ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGPIPE, &ignore,
                    NULL); /* a closed pipe or connection is an error code, not our end */
}

/* jansson's parser ignores that it got no memory and writes past its buffers.  Ending at once is
 * the safe way out: the lake is made for kill -9. */
static void *json_malloc(size_t size)
{
    static const char last_words[] = "citylake: out of memory\n";
    void *p = malloc(size);
    if (p != NULL) return p;
    (void)!write(STDERR_FILENO, last_words, strlen(last_words));
    _exit(CL_EXIT_FAILED);
}

static int print_request(enum cl_request request, const struct cl_command *command)
{
    switch (request) {
    case CL_REQUEST_HELP: cl_help_print(stdout, command); break;
    case CL_REQUEST_VERSION: puts("citylake " CL_VERSION); break;
    case CL_REQUEST_MAN: cl_man_print(stdout); break;
    case CL_REQUEST_PRINT_CONFIG: fputs(cl_spec_builtin_text(), stdout); break;
    case CL_REQUEST_RUN: break;
    }
    return CL_EXIT_OK;
}

static int run(struct cl_app *app, const struct cl_command *command, struct cl_error *err)
{
    app->log.format = app->opt.log_format;
    app->log.min_level = app->opt.verbose ? CL_LOG_DEBUG : CL_LOG_INFO;
    if (command->loads_spec &&
        cl_app_spec_load(app->opt.config, &app->opt, &app->spec, err) != CL_OK) {
        (void)cl_app_error(app, err);
        return err->code == CL_EINVAL || err->code == CL_ENOTFOUND ? CL_EXIT_USAGE : CL_EXIT_FAILED;
    }
    int status = command->run(app);
    cl_spec_free(app->spec);
    return status;
}

/* What was printed must have arrived: a full disk under `> file` is a failure.  A reader that left
 * (`| head`) is not. */
static int flush_output(const struct cl_app *app, int status)
{
    struct cl_error err;
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (errno == EPIPE) return status;
    (void)cl_fail(&err, CL_EIO, "cannot write to standard output");
    int failed = cl_app_error(app, &err);
    return status != CL_EXIT_OK ? status : failed;
}

int main(int argc, char **argv)
{
    struct cl_app app = {.log = {.fd = STDERR_FILENO, .on_terminal = isatty(STDERR_FILENO) == 1}};
    struct cl_error err;
    enum cl_request request;
    const struct cl_command *command = NULL;
    set_signals();
    json_set_alloc_funcs(json_malloc, free);
    if (cl_options_parse(argc, argv, &app, &request, &command, &err) != CL_OK)
        return cl_app_error(&app, &err);
    int status =
        request == CL_REQUEST_RUN ? run(&app, command, &err) : print_request(request, command);
    return flush_output(&app, status);
}
