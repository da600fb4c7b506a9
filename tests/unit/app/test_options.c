/* test_options.c - the command line: what is taken, what is refused and how, and that help and
 * manual say all of it. */
#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the five headers above first. */
#include <cmocka.h>

enum { MAX_WORDS = 40 };

/* Parses "citylake check --seed 1", split at blanks; '~' stands for a blank inside of a word. */
struct parsed {
    char text[600];
    char *argv[MAX_WORDS + 1];
    struct cl_app app;
    enum cl_request request;
    const struct cl_command *command;
    struct cl_error err;
    enum cl_code code;
};

static void parse(struct parsed *p, const char *line)
{
    int argc = 0;
    *p = (struct parsed){0};
    (void)snprintf(p->text, sizeof p->text, "%s", line);
    for (char *save = NULL, *word = strtok_r(p->text, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        assert_true(argc < MAX_WORDS);
        for (char *c = word; *c != '\0'; c++)
            if (*c == '~') *c = ' ';
        p->argv[argc++] = word;
    }
    p->code = cl_options_parse(argc, p->argv, &p->app, &p->request, &p->command, &p->err);
}

static void parse_ok(struct parsed *p, const char *line)
{
    parse(p, line);
    if (p->code != CL_OK) fail_msg("%s: %s", line, p->err.message);
}

static void every_kind_of_option(void **state)
{
    (void)state;
    struct parsed p;
    parse_ok(&p, "citylake check --config my.yaml --lake=/data/lake --kafka h:1 --vehicles 10k "
                 "--seed=1_000 --start 2026-01-05~07:00 "
                 "--speed-up 1.5 --duplicates 0.1 --late=1 --out-of-order .5 --malformed 0 "
                 "--partitions 12 --commit-every=2~minutes "
                 "--format json --log=json --verbose file.yaml");
    const struct cl_options *o = &p.app.opt;
    assert_int_equal(p.request, CL_REQUEST_RUN);
    assert_string_equal(p.command->name, "check");
    assert_string_equal(p.app.command, "check");
    assert_string_equal(o->config, "my.yaml");
    assert_string_equal(o->lake, "/data/lake");
    assert_string_equal(o->kafka, "h:1");
    assert_int_equal(o->vehicles, 10000);
    assert_int_equal(o->seed, 1000);
    assert_string_equal(o->start, "2026-01-05 07:00");
    assert_true(o->speed_up == 1.5 && o->duplicates == 0.1 && o->late == 1 &&
                o->out_of_order == 0.5 && o->malformed == 0);
    assert_int_equal(o->partitions, 12);
    assert_int_equal(o->commit_every_us, 120000000);
    assert_int_equal(o->format, CL_FORMAT_JSON);
    assert_true(o->format_given);
    assert_int_equal(o->log_format, CL_LOG_JSON);
    assert_true(o->verbose);
    assert_int_equal(p.app.n_args, 1);
    assert_string_equal(p.app.args[0], "file.yaml");
}

static void nothing_given(void **state)
{
    (void)state;
    struct parsed p;
    parse_ok(&p, "citylake check");
    const struct cl_options *o = &p.app.opt;
    assert_null(o->config);
    assert_null(o->lake);
    assert_true(o->vehicles == -1 && o->events == -1 && o->seed == -1 && o->partitions == -1);
    assert_true(o->duplicates == -1 && o->late == -1 && o->out_of_order == -1 &&
                o->malformed == -1);
    assert_true(o->lanes == 0 && o->rate == 0 && o->speed_up == 0 && o->duration_us == 0 &&
                o->commit_every_us == 0);
    assert_false(o->until_end || o->quiet || o->verbose || o->format_given);
    assert_int_equal(p.app.n_args, 0);
}

static void order_and_ends(void **state)
{
    (void)state;
    struct parsed p;
    parse_ok(&p, "citylake check a.yaml --seed 1 --seed 2");
    assert_int_equal(p.app.opt.seed, 2);
    assert_string_equal(p.app.args[0], "a.yaml");
    parse_ok(&p, "citylake check -- --seed");
    assert_string_equal(p.app.args[0], "--seed");
    parse_ok(&p, "citylake check -");
    assert_string_equal(p.app.args[0], "-");
    parse_ok(&p, "citylake check --lake=--odd");
    assert_string_equal(p.app.opt.lake, "--odd");
    parse_ok(&p, "citylake check --seed 3 --help --nonsense");
    assert_int_equal(p.request, CL_REQUEST_HELP);
}

static void requests(void **state)
{
    (void)state;
    struct parsed p;
    static const struct {
        const char *line;
        enum cl_request request;
        bool of_check;
    } cases[] = {{"citylake --help", CL_REQUEST_HELP, false},
                 {"citylake -h", CL_REQUEST_HELP, false},
                 {"citylake help", CL_REQUEST_HELP, false},
                 {"citylake help check", CL_REQUEST_HELP, true},
                 {"citylake check --help", CL_REQUEST_HELP, true},
                 {"citylake check x -h", CL_REQUEST_HELP, true},
                 {"citylake --version", CL_REQUEST_VERSION, false},
                 {"citylake --man", CL_REQUEST_MAN, false},
                 {"citylake --print-config", CL_REQUEST_PRINT_CONFIG, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse_ok(&p, cases[i].line);
        assert_int_equal(p.request, cases[i].request);
        assert_int_equal(p.command != NULL, cases[i].of_check);
    }
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"citylake", "no command; see citylake --help"},
        {"citylake chekc", "unknown command \"chekc\"; did you mean \"check\"?"},
        {"citylake frobnicate", "unknown command \"frobnicate\"; see citylake --help"},
        {"citylake help frobnicate", "unknown command \"frobnicate\"; see citylake --help"},
        {"citylake --lake x check",
         "--lake stands before the command; write citylake COMMAND [options], see citylake --help"},
        {"citylake check --lak x", "unknown option --lak; did you mean --lake?"},
        {"citylake check --lak=x", "unknown option --lak; did you mean --lake?"},
        {"citylake check --frobnicate", "unknown option --frobnicate; see citylake check --help"},
        {"citylake check -v",
         "unknown option -v; options begin with --, see citylake check --help"},
        {"citylake check --until-end",
         "--until-end is not an option of this command; see citylake check --help"},
        {"citylake check --lake", "--lake needs a value: --lake DIR|URI"},
        {"citylake check --lake --verbose", "--lake needs a value: --lake DIR|URI"},
        {"citylake check --lake=", "--lake: the value is empty; it means: where the lake is; "
                                   "default lake.warehouse of city.yaml"},
        {"citylake check --verbose=1", "--verbose takes no value; write --verbose alone"},
        {"citylake check --vehicles many",
         "--vehicles: \"many\" is not a whole number such as 500, 1_000_000, 10k or 2M"},
        {"citylake check --vehicles 0",
         "--vehicles: \"0\" is out of bounds; it means: simulated vehicles, 1 to 1M; default 1000"},
        {"citylake check --late 1.1", "--late: \"1.1\" is out of bounds; it means: part of the "
                                      "events sent too late, 0 to 1; default 0"},
        {"citylake check --commit-every 10", "--commit-every: \"10\" is not a duration such as "
                                             "\"500 ms\", \"10s\", \"2 minutes\" or \"1h\""},
        {"citylake check --commit-every 1ms",
         "--commit-every: \"1ms\" is out of bounds; it means: how often rows become visible, "
         "from 100 ms to 1 day; default lake.commit_every of city.yaml"},
        {"citylake check --start now",
         "--start: \"now\" is not an ISO 8601 date or time such as 2026-01-05T08:00:00"},
        {"citylake check --format xml",
         "--format: \"xml\" is not known; output as table (default), csv or json"},
        {"citylake check a b",
         "one argument too many: \"b\"; usage: citylake check [options] [FILE]"},
    };
    struct parsed p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse(&p, cases[i][0]);
        if (p.code != CL_EINVAL || strcmp(p.err.message, cases[i][1]) != 0)
            fail_msg("%s\nexpected: %s\ngot (%s): %s", cases[i][0], cases[i][1],
                     cl_code_name(p.code), p.err.message);
    }
}

static void options_override_the_file(void **state)
{
    (void)state;
    struct parsed p;
    struct cl_spec *spec = NULL;
    static const char text[] =
        "lake: {warehouse: /file, commit_every: 1s}\nkafka: {partitions: 3}\n"
        "city: {vehicles: 7, seed: 8, speed_up: 9, start: 2026-01-01, faults: {late: 0.5, "
        "malformed: 0.25}}\n";
    assert_int_equal(cl_spec_parse("f", text, strlen(text), &spec, NULL), CL_OK);
    parse_ok(&p, "citylake check");
    assert_int_equal(cl_options_apply(&p.app.opt, spec, NULL), CL_OK);
    assert_string_equal(spec->lake.warehouse, "/file");
    assert_int_equal(spec->lake.commit_every_us, 1000000);
    assert_int_equal(spec->kafka.partitions, 3);
    assert_true(spec->city.vehicles == 7 && spec->city.seed == 8 && spec->city.speed_up == 9 &&
                spec->city.late == 0.5);

    parse_ok(&p, "citylake check --lake l --kafka k --partitions 5 --commit-every 2s --vehicles 1 "
                 "--seed 0 --speed-up 2 --start "
                 "2026-01-02 --duplicates 1 --late 0 --out-of-order 0.125 --malformed 0");
    assert_int_equal(cl_options_apply(&p.app.opt, spec, NULL), CL_OK);
    assert_string_equal(spec->lake.warehouse, "l");
    assert_string_equal(spec->kafka.bootstrap_servers, "k");
    assert_int_equal(spec->lake.commit_every_us, 2000000);
    assert_int_equal(spec->kafka.partitions, 5);
    assert_true(spec->city.vehicles == 1 && spec->city.seed == 0 && spec->city.speed_up == 2);
    assert_int_equal(spec->city.start_us, 1767312000000000);
    assert_true(spec->city.duplicates == 1 && spec->city.late == 0 &&
                spec->city.out_of_order == 0.125 && spec->city.malformed == 0);
    cl_spec_free(spec);
}

static char *printed(void (*print)(FILE *, const struct cl_command *),
                     const struct cl_command *command)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    print(out, command);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void print_man(FILE *out, const struct cl_command *command)
{
    (void)command;
    cl_man_print(out);
}

/* Looks for a whole label, not for the beginning of a longer one. */
static bool names(const char *text, const char *before, const char *name)
{
    char label[64];
    (void)snprintf(label, sizeof label, "%s%s", before, name);
    for (const char *at = strstr(text, label); at != NULL; at = strstr(at + 1, label))
        if (strchr(" \n\\", at[strlen(label)]) != NULL) return true;
    return false;
}

static void help_and_manual_are_complete(void **state)
{
    (void)state;
    char *program = printed(cl_help_print, NULL), *man = printed(print_man, NULL);
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++) {
        char *help = printed(cl_help_print, c);
        char heading[64];
        assert_non_null(c->run);
        assert_true(names(program, "\n  ", c->name));
        (void)snprintf(heading, sizeof heading, ".SS citylake %s ", c->name);
        assert_non_null(strstr(man, heading));
        assert_non_null(strstr(help, c->exit_1));
        assert_true(strstr(help, "examples:\n  # ") != NULL &&
                    strstr(help, "\n  2  wrong usage") != NULL);
        for (const struct cl_option *o = cl_option_table; o->name != NULL; o++)
            assert_int_equal(names(help, "\n  --", o->name), (o->commands & c->bit) != 0);
        for (const char *line = help; line != NULL && *line != '\0';
             line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL)
            if (strncmp(line, "  citylake", 10) != 0) assert_true(strcspn(line, "\n") <= 100);
        free(help);
    }
    assert_non_null(strstr(man, ".SH EXIT STATUS\n"));
    assert_non_null(strstr(man, "\\-\\-print\\-config"));
    free(program);
    free(man);
}

/* Two options of one name, or a command without a bit of its own, would make the tables lie. */
static void tables_are_sound(void **state)
{
    (void)state;
    unsigned bits = 0;
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++) {
        assert_int_equal(bits & c->bit, 0);
        assert_true(c->bit != 0 && (c->bit & ~(unsigned)CL_FOR_ALL) == 0);
        bits |= c->bit;
    }
    for (const struct cl_option *o = cl_option_table; o->name != NULL; o++) {
        assert_int_equal(o->arg == NULL, o->kind == CL_OPTION_FLAG);
        assert_true(o->commands != 0 && o->offset < sizeof(struct cl_options));
        for (const struct cl_option *other = o + 1; other->name != NULL; other++) {
            assert_string_not_equal(o->name, other->name);
            assert_int_not_equal(o->offset, other->offset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_option),
        cmocka_unit_test(nothing_given),
        cmocka_unit_test(order_and_ends),
        cmocka_unit_test(requests),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(options_override_the_file),
        cmocka_unit_test(help_and_manual_are_complete),
        cmocka_unit_test(tables_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
