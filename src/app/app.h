/* app.h - the commands and what they share.  One file per command; this folder is the only wiring.
 */
#ifndef CITYLAKE_APP_APP_H
#define CITYLAKE_APP_APP_H

#include "base/log.h"
#include "catalog/catalog.h"
#include "source/source.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdatomic.h>

/* Exit status. */
enum { CL_EXIT_OK = 0, CL_EXIT_FAILED = 1, CL_EXIT_USAGE = 2 };

enum cl_format { CL_FORMAT_TABLE, CL_FORMAT_CSV, CL_FORMAT_JSON };

/* Every option of every command.  One table (options.c) makes the parser, --help and the manual
 * page. */
struct cl_options {
    const char *config; /* --config FILE */
    const char *lake;   /* --lake DIR|URI: overrides lake.warehouse */
    const char *source; /* --source kafka|city|ndjson:PATH */
    const char *kafka;  /* --kafka HOST:PORT: overrides kafka.bootstrap_servers */
    const char *feed;   /* --feed NAME */
    const char *out;    /* --out DIR */
    const char *as_of;  /* --as-of SNAPSHOT|TIME */
    const char *truth;  /* --truth FILE: simulate's ground-truth ledger */
    int64_t vehicles;   /* --vehicles N, -1: not given */
    int64_t events;     /* --events N, -1 */
    int64_t seed;       /* --seed N, -1 */
    int64_t lanes;      /* --lanes N, 0: one per core */
    int64_t partitions; /* --partitions N, -1 */
    double rate;        /* --rate N events/s, 0: not given */
    double speed_up;    /* --speed-up X, 0: not given */
    double duplicates, late, out_of_order, malformed; /* --duplicates R ..., -1: not given */
    int64_t duration_us;                              /* --for DURATION, 0 */
    int64_t commit_every_us;                          /* --commit-every DURATION, 0 */
    const char *start;                                /* --start TIME */
    const char *metrics;                              /* --metrics [HOST:]PORT */
    bool until_end;                                   /* --until-end */
    bool quiet;                                       /* --quiet: no progress line */
    enum cl_format format;                            /* --format table|csv|json */
    bool format_given;
    enum cl_log_format log_format; /* --log logfmt|json */
    bool verbose;                  /* --verbose: debug log lines */
};

struct cl_app {
    struct cl_options opt;
    struct cl_spec *spec; /* loaded, with the options' overrides applied */
    struct cl_log log;    /* on stderr */
    const char *command;
    char **args; /* what is left after options */
    int n_args;
};

/* Set by SIGINT and SIGTERM: finish cleanly.  A second signal ends the process at once (exit 130).
 */
extern atomic_int cl_stop_requested;

/* The commands: each returns an exit status and has printed its own errors with cl_app_error. */
int cl_cmd_up(struct cl_app *app);
int cl_cmd_simulate(struct cl_app *app);
int cl_cmd_stream(struct cl_app *app);
int cl_cmd_sql(struct cl_app *app);
int cl_cmd_tables(struct cl_app *app);
int cl_cmd_snapshots(struct cl_app *app);
int cl_cmd_files(struct cl_app *app);
int cl_cmd_audit(struct cl_app *app);
int cl_cmd_check(struct cl_app *app);

/* Prints "citylake COMMAND: where: message" on stderr.  Returns CL_EXIT_USAGE for CL_EINVAL, else
 * CL_EXIT_FAILED. */
int cl_app_error(const struct cl_app *app, const struct cl_error *err);

/* An opened lake: store and catalog as the spec says.  Both pointers to be given to
 * cl_app_lake_close. create: make the warehouse when missing; otherwise a missing one is
 * CL_ENOTFOUND with a remedy. */
struct cl_lake {
    struct cl_store *store;
    struct cl_catalog *catalog;
};
CL_MUSTCHECK enum cl_code cl_app_lake_open(const struct cl_app *app, bool create,
                                           struct cl_lake *ret, struct cl_error *err);
void cl_app_lake_close(struct cl_lake *lake);

/* The source that --source names. `options` must outlive it. */
CL_MUSTCHECK enum cl_code cl_app_source_open(const struct cl_app *app,
                                             struct cl_source_options *options,
                                             struct cl_source **ret, struct cl_error *err);

/* A progress line on a terminal (rewritten in place), nothing elsewhere. */
void cl_app_progress(const struct cl_app *app, const char *fmt, ...) CL_PRINTF(2, 3);

#endif
