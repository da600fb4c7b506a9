/* options.c - the table of options, and the parser that follows it.
 *
 *   citylake COMMAND [options] [arguments]
 *
 * --name=value and --name value are the same; options may stand after arguments; "--" ends them;
 * the last of two wins. */
#include "app/options.h"

#include "base/clock.h"
#include "spec/scalars.h"
#include "spec/suggest.h"

#include <stdio.h>
#include <string.h>

enum {
    RUNS = CL_FOR_UP | CL_FOR_SIMULATE | CL_FOR_STREAM,
    LISTS = CL_FOR_TABLES | CL_FOR_SNAPSHOTS | CL_FOR_FILES,
    ENGINE = CL_FOR_UP | CL_FOR_STREAM,
};

#define AT(member) offsetof(struct cl_options, member)
#define TEXT(name, arg, member, commands, help)                                                    \
    {                                                                                              \
        name, arg, CL_OPTION_TEXT, AT(member), 0, 0, commands, help                                \
    }
#define FLAG(name, member, commands, help)                                                         \
    {                                                                                              \
        name, NULL, CL_OPTION_FLAG, AT(member), 0, 0, commands, help                               \
    }

const struct cl_option cl_option_table[] = {
    TEXT("config", "FILE", config, CL_FOR_ALL,
         "the city's file; default ./city.yaml, else the built-in one"),
    TEXT("lake", "DIR|URI", lake, CL_FOR_ALL & ~CL_FOR_SIMULATE,
         "where the lake is; default lake.warehouse of city.yaml"),
    TEXT("source", "SOURCE", source, CL_FOR_STREAM | CL_FOR_AUDIT,
         "where events come from: kafka (default), city, ndjson:DIR, ndjson:FILE or ndjson:- for "
         "standard input"),
    TEXT("kafka", "HOST:PORT", kafka, CL_FOR_SIMULATE | CL_FOR_STREAM | CL_FOR_AUDIT | CL_FOR_CHECK,
         "Kafka servers; default kafka.bootstrap_servers of city.yaml"),
    TEXT("feed", "NAME", feed, CL_FOR_SIMULATE | CL_FOR_STREAM | CL_FOR_AUDIT,
         "only this feed; for ndjson:FILE: its lines are plain messages of this feed"),
    TEXT("out", "DIR", out, CL_FOR_SIMULATE,
         "write NDJSON, one file DIR/TOPIC.ndjson for each topic"),
    TEXT("truth", "FILE", truth, CL_FOR_SIMULATE,
         "write what was really sent, faults included, for checking"),
    TEXT("as-of", "SNAPSHOT|TIME", as_of, CL_FOR_SQL | CL_FOR_FILES | CL_FOR_TABLES,
         "the lake as it was: a snapshot id, or a time such as 2026-01-05T08:00:00"),
    {"vehicles", "N", CL_OPTION_COUNT, AT(vehicles), 1, 1e6, RUNS | CL_FOR_CHECK,
     "simulated vehicles, 1 to 1M; default 1000"},
    {"events", "N", CL_OPTION_COUNT, AT(events), 0, 9e18, RUNS,
     "stop after N simulated events; default no end"},
    {"for", "DURATION", CL_OPTION_DURATION, AT(duration_us), 1, 9e15, RUNS,
     "stop after this much simulated time, such as 10s or 2 hours; default no end"},
    {"rate", "N", CL_OPTION_REAL, AT(rate), 1e-3, 1e12, RUNS,
     "simulated events per second; default: up follows the clock, others go as fast as they can"},
    {"seed", "N", CL_OPTION_COUNT, AT(seed), 0, 9.3e18, RUNS | CL_FOR_CHECK,
     "seed of the simulation: equal seeds, equal events; default 42"},
    {"start", "TIME", CL_OPTION_TIME, AT(start), 0, 0, RUNS | CL_FOR_CHECK,
     "simulated time at the beginning; default 2026-01-05T06:00:00"},
    {"speed-up", "X", CL_OPTION_REAL, AT(speed_up), 1e-3, 1e6, RUNS | CL_FOR_CHECK,
     "simulated seconds per real second; default 1 for up, others do not follow the clock"},
    {"duplicates", "R", CL_OPTION_REAL, AT(duplicates), 0, 1, RUNS | CL_FOR_CHECK,
     "part of the events sent twice, 0 to 1; default 0"},
    {"late", "R", CL_OPTION_REAL, AT(late), 0, 1, RUNS | CL_FOR_CHECK,
     "part of the events sent too late, 0 to 1; default 0"},
    {"out-of-order", "R", CL_OPTION_REAL, AT(out_of_order), 0, 1, RUNS | CL_FOR_CHECK,
     "part of the events sent out of order, 0 to 1; default 0"},
    {"malformed", "R", CL_OPTION_REAL, AT(malformed), 0, 1, RUNS | CL_FOR_CHECK,
     "part of the events broken, 0 to 1; default 0"},
    {"partitions", "N", CL_OPTION_COUNT, AT(partitions), 1, 1e5, RUNS | CL_FOR_CHECK,
     "partitions of each simulated topic; default kafka.partitions of city.yaml"},
    {"lanes", "N", CL_OPTION_COUNT, AT(lanes), 0, 1024, ENGINE,
     "worker threads; default 0, one for each core"},
    {"commit-every", "DURATION", CL_OPTION_DURATION, AT(commit_every_us), 100e3, 86400e6,
     ENGINE | CL_FOR_CHECK,
     "how often rows become visible, from 100 ms to 1 day; default lake.commit_every of city.yaml"},
    TEXT("metrics", "[HOST:]PORT", metrics, ENGINE,
         "serve Prometheus metrics at /metrics, and /healthz and /readyz; without HOST only to "
         "this machine, port 0: any free one"),
    FLAG("until-end", until_end, CL_FOR_STREAM,
         "stop at the offsets that were the end when the command started"),
    {"format", "FORMAT", CL_OPTION_FORMAT, AT(format), 0, 0,
     CL_FOR_SQL | LISTS | CL_FOR_AUDIT | CL_FOR_CHECK, "output as table (default), csv or json"},
    FLAG("quiet", quiet, RUNS | CL_FOR_AUDIT, "no progress line"),
    {"log", "FORMAT", CL_OPTION_LOG, AT(log_format), 0, 0, CL_FOR_ALL,
     "log lines on standard error as logfmt (default) or json"},
    FLAG("verbose", verbose, CL_FOR_ALL, "log debug lines too"),
    {.name = NULL},
};

const struct cl_named_text cl_top_options[] = {
    {"--help", "this text; after a command: its options and examples"},
    {"--version", "print the version"},
    {"--man", "print the manual page (roff): citylake --man | man -l -"},
    {"--print-config", "print the built-in city.yaml, to begin your own with"},
    {NULL, NULL},
};

static const struct cl_command *find_command(const char *name)
{
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static enum cl_code unknown_command(const char *word, struct cl_error *err)
{
    const char *names[32];
    size_t n = 0;
    for (const struct cl_command *c = cl_commands; c->name != NULL && n < 32; c++)
        names[n++] = c->name;
    if (word[0] == '-')
        return cl_fail(err, CL_EINVAL,
                       "%.64s stands before the command; write citylake COMMAND [options], see "
                       "citylake --help",
                       word);
    const char *near = cl_suggest(word, names, n);
    if (near != NULL)
        return cl_fail(err, CL_EINVAL, "unknown command \"%.64s\"; did you mean \"%s\"?", word,
                       near);
    return cl_fail(err, CL_EINVAL, "unknown command \"%.64s\"; see citylake --help", word);
}

/* name is not NUL-terminated: it ends at '='. */
static enum cl_code find_option(const char *name, size_t len, const struct cl_command *command,
                                const struct cl_option **ret, struct cl_error *err)
{
    const char *names[64];
    size_t n = 0;
    char word[64];
    (void)snprintf(word, sizeof word, "%.*s", (int)(len < 63 ? len : 63), name);
    for (const struct cl_option *o = cl_option_table; o->name != NULL && n < 64; o++) {
        if (strcmp(o->name, word) == 0) {
            if ((o->commands & command->bit) == 0)
                return cl_fail(err, CL_EINVAL,
                               "--%s is not an option of this command; see citylake %s --help",
                               word, command->name);
            *ret = o;
            return CL_OK;
        }
        if (o->commands & command->bit) names[n++] = o->name;
    }
    const char *near = cl_suggest(word, names, n);
    if (near != NULL)
        return cl_fail(err, CL_EINVAL, "unknown option --%s; did you mean --%s?", word, near);
    return cl_fail(err, CL_EINVAL, "unknown option --%s; see citylake %s --help", word,
                   command->name);
}

static enum cl_code choose(const struct cl_option *o, const char *value, const char *const *words,
                           int *ret, struct cl_error *err)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) != 0) continue;
        *ret = i;
        return CL_OK;
    }
    return cl_fail(err, CL_EINVAL, "\"%.64s\" is not known; %s", value, o->help);
}

static enum cl_code set_number(const struct cl_option *o, const char *value, void *member,
                               struct cl_error *err)
{
    int64_t integer = 0;
    double real = 0;
    enum cl_code code;
    if (o->kind == CL_OPTION_REAL) {
        code = cl_scalar_real(value, &real, err);
    } else {
        code = o->kind == CL_OPTION_COUNT ? cl_scalar_count(value, &integer, err)
                                          : cl_duration_parse(value, &integer, err);
        real = (double)integer;
    }
    if (code != CL_OK) return code;
    if (real < o->min || real > o->max)
        return cl_fail(err, CL_EINVAL, "\"%.64s\" is out of bounds; it means: %s", value, o->help);
    if (o->kind == CL_OPTION_REAL)
        *(double *)member = real;
    else
        *(int64_t *)member = integer;
    return CL_OK;
}

static enum cl_code set_option(const struct cl_option *o, const char *value, struct cl_options *opt,
                               struct cl_error *err)
{
    static const char *const formats[] = {"table", "csv", "json", NULL}, *const logs[] = {"logfmt",
                                                                                          "json",
                                                                                          NULL};
    void *member = (char *)opt + o->offset;
    enum cl_code code = CL_OK;
    int64_t time_us;
    int choice = 0;
    switch (o->kind) {
    case CL_OPTION_FLAG: *(bool *)member = true; break;
    case CL_OPTION_TIME:
        code = cl_time_parse(value, strlen(value), &time_us, err);
        if (code == CL_OK) *(const char **)member = value;
        break;
    case CL_OPTION_TEXT:
        if (value[0] == '\0')
            code = cl_fail(err, CL_EINVAL, "the value is empty; it means: %s", o->help);
        else
            *(const char **)member = value;
        break;
    case CL_OPTION_FORMAT:
        code = choose(o, value, formats, &choice, err);
        if (code != CL_OK) break;
        opt->format = (enum cl_format)choice;
        opt->format_given = true;
        break;
    case CL_OPTION_LOG:
        code = choose(o, value, logs, &choice, err);
        if (code == CL_OK) opt->log_format = (enum cl_log_format)choice;
        break;
    default: code = set_number(o, value, member, err); break;
    }
    return code == CL_OK ? code : cl_error_wrap(err, code, "--%s", o->name);
}

/* argv[*i] begins with "--"; *i moves past the value when that is a word of its own. */
static enum cl_code parse_option(int argc, char **argv, int *i, const struct cl_command *command,
                                 struct cl_options *opt, struct cl_error *err)
{
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    const struct cl_option *o;
    enum cl_code code = find_option(name, equals != NULL ? (size_t)(equals - name) : strlen(name),
                                    command, &o, err);
    if (code != CL_OK) return code;
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (o->arg == NULL && value != NULL)
        return cl_fail(err, CL_EINVAL, "--%s takes no value; write --%s alone", o->name, o->name);
    if (o->arg != NULL && value == NULL) {
        bool another_option = *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) == 0;
        if (*i + 1 >= argc || another_option)
            return cl_fail(err, CL_EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
        value = argv[++*i];
    }
    return set_option(o, value, opt, err);
}

static enum cl_code check_args(const struct cl_app *app, const struct cl_command *command,
                               struct cl_error *err)
{
    if (app->n_args < command->min_args)
        return cl_fail(err, CL_EINVAL, "needs an argument: citylake %s [options] %s", command->name,
                       command->args);
    if (command->max_args >= 0 && app->n_args > command->max_args)
        return cl_fail(err, CL_EINVAL,
                       "one argument too many: \"%.64s\"; usage: citylake %s [options]%s%s",
                       app->args[command->max_args], command->name,
                       command->args[0] != '\0' ? " " : "", command->args);
    return CL_OK;
}

static const struct cl_options no_options = {.vehicles = -1,
                                             .events = -1,
                                             .seed = -1,
                                             .partitions = -1,
                                             .duplicates = -1,
                                             .late = -1,
                                             .out_of_order = -1,
                                             .malformed = -1};

static enum cl_code parse_command(int argc, char **argv, struct cl_app *app,
                                  const struct cl_command *command, enum cl_request *ret,
                                  struct cl_error *err)
{
    bool options_ended = false;
    app->command = command->name;
    app->args = argv + 2;
    for (int i = 2; i < argc; i++) {
        enum cl_code code = CL_OK;
        const char *word = argv[i];
        if (options_ended || word[0] != '-' || word[1] == '\0') {
            app->args[app->n_args++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            *ret = CL_REQUEST_HELP;
            return CL_OK;
        } else if (word[1] != '-') {
            code = cl_fail(err, CL_EINVAL,
                           "unknown option %.64s; options begin with --, see citylake %s --help",
                           word, command->name);
        } else {
            code = parse_option(argc, argv, &i, command, &app->opt, err);
        }
        if (code != CL_OK) return code;
    }
    *ret = CL_REQUEST_RUN;
    return check_args(app, command, err);
}

enum cl_code cl_options_parse(int argc, char **argv, struct cl_app *app, enum cl_request *ret,
                              const struct cl_command **ret_command, struct cl_error *err)
{
    static const struct {
        const char *word;
        enum cl_request request;
    } top[] = {{"--help", CL_REQUEST_HELP}, {"-h", CL_REQUEST_HELP},
               {"help", CL_REQUEST_HELP},   {"--version", CL_REQUEST_VERSION},
               {"--man", CL_REQUEST_MAN},   {"--print-config", CL_REQUEST_PRINT_CONFIG}};
    app->opt = no_options;
    app->command = NULL;
    app->args = NULL;
    app->n_args = 0;
    if (argc < 2) return cl_fail(err, CL_EINVAL, "no command; see citylake --help");
    const char *word = argv[1];
    const struct cl_command *command = NULL;
    for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
        if (strcmp(word, top[i].word) != 0) continue;
        if (strcmp(word, "help") == 0 && argc > 2) {
            command = find_command(argv[2]);
            if (command == NULL) return unknown_command(argv[2], err);
        }
        *ret_command = command;
        *ret = top[i].request;
        return CL_OK;
    }
    command = find_command(word);
    if (command == NULL) return unknown_command(word, err);
    enum cl_code code = parse_command(argc, argv, app, command, ret, err);
    if (code == CL_OK) *ret_command = command;
    return code;
}
