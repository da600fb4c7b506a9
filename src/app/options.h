/* options.h - private to src/app: the tables of commands and options, and what is made from them.
 *
 * Two tables: cl_commands (commands.c) and cl_option_table (options.c).  The parser, `--help` and
 * the manual page read both, so that none of them can say what another does not do. */
#ifndef CITYLAKE_APP_OPTIONS_H
#define CITYLAKE_APP_OPTIONS_H

#include "app/app.h"

#include <stdio.h>

/* A bit for each command, for the options' `commands`. */
enum {
    CL_FOR_UP = 1 << 0,
    CL_FOR_SIMULATE = 1 << 1,
    CL_FOR_STREAM = 1 << 2,
    CL_FOR_SQL = 1 << 3,
    CL_FOR_TABLES = 1 << 4,
    CL_FOR_SNAPSHOTS = 1 << 5,
    CL_FOR_FILES = 1 << 6,
    CL_FOR_AUDIT = 1 << 7,
    CL_FOR_CHECK = 1 << 8,
    CL_FOR_ALL = (1 << 9) - 1,
};

enum { CL_MAX_EXAMPLES = 5 };

struct cl_example {
    const char *what, *command;
};

struct cl_command {
    const char *name;
    unsigned bit; /* CL_FOR_... */
    int (*run)(struct cl_app *app);
    const char *args;       /* for the usage line: "[FILE]", "" */
    int min_args, max_args; /* max -1: any number */
    bool loads_spec;     /* false: main leaves app->spec NULL, the command loads city.yaml itself */
    const char *summary; /* one line */
    const char *description;                     /* a paragraph, without line breaks */
    const char *exit_1;                          /* what exit status 1 means here */
    struct cl_example examples[CL_MAX_EXAMPLES]; /* ends with NULLs */
};

/* Ends with a NULL name. */
extern const struct cl_command cl_commands[];

enum cl_option_kind {
    CL_OPTION_FLAG,     /* bool */
    CL_OPTION_TEXT,     /* const char * */
    CL_OPTION_COUNT,    /* int64_t */
    CL_OPTION_REAL,     /* double */
    CL_OPTION_DURATION, /* int64_t microseconds */
    CL_OPTION_TIME,     /* const char *, checked to be a time */
    CL_OPTION_FORMAT,   /* enum cl_format, and format_given */
    CL_OPTION_LOG,      /* enum cl_log_format */
};

struct cl_option {
    const char *name; /* without "--" */
    const char *arg;  /* "FILE"; NULL: a flag */
    enum cl_option_kind kind;
    size_t offset; /* in struct cl_options */
    double min, max;
    unsigned commands;
    const char *help; /* one sentence, no full stop; the default is named where there is one */
};

/* Ends with a NULL name. */
extern const struct cl_option cl_option_table[];

/* What the command line asks for. */
enum cl_request {
    CL_REQUEST_RUN,  /* *ret_command with app->opt, app->args */
    CL_REQUEST_HELP, /* of *ret_command, or of the program when that is NULL */
    CL_REQUEST_VERSION,
    CL_REQUEST_MAN,
    CL_REQUEST_PRINT_CONFIG, /* the built-in city.yaml */
};

/* Fills app->opt, command, args and n_args; strings point into argv, whose order is changed.
 * CL_EINVAL: the message names the option or command and what would be right; app->command is set
 * when the command was known. */
CL_MUSTCHECK enum cl_code cl_options_parse(int argc, char **argv, struct cl_app *app,
                                           enum cl_request *ret,
                                           const struct cl_command **ret_command,
                                           struct cl_error *err);

/* Puts what the options say over what city.yaml says.  CL_EINVAL. */
CL_MUSTCHECK enum cl_code cl_options_apply(const struct cl_options *opt, struct cl_spec *spec,
                                           struct cl_error *err);

/* --config, else ./city.yaml when there is one, else the built-in file.  Overrides are applied. */
CL_MUSTCHECK enum cl_code cl_app_spec_load(const char *config, const struct cl_options *opt,
                                           struct cl_spec **ret, struct cl_error *err);

/* help.c.  command NULL: the program. */
void cl_help_print(FILE *out, const struct cl_command *command);
/* man.c: roff source of citylake(1). */
void cl_man_print(FILE *out);

/* What help and manual share. */
#define CL_PROGRAM_SUMMARY                                                                         \
    "a city's events into an Apache Iceberg lake, exactly once, and SQL over them"
struct cl_named_text {
    const char *name, *text;
};
extern const struct cl_named_text cl_environment_texts[]; /* ends with a NULL name */
extern const struct cl_named_text
    cl_top_options[]; /* --help, --version...: ends with a NULL name */

#endif
