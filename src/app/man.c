/* man.c - citylake(1) as roff source (man macros, see man(7)), from the same tables as --help. */
#include "app/options.h"

/* Text of the page: hyphens as typed, and no control line by accident. */
static void put(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void line(FILE *out, const char *text)
{
    put(out, text);
    fputc('\n', out);
}

/* A paragraph with a bold label. */
static void labelled(FILE *out, const char *label, const char *text)
{
    fputs(".TP\n\\fB", out);
    put(out, label);
    fputs("\\fR\n", out);
    line(out, text);
}

static void print_option(FILE *out, const struct cl_option *o)
{
    fputs(".TP\n\\fB\\-\\-", out);
    put(out, o->name);
    fputs("\\fR", out);
    if (o->arg != NULL) {
        fputs(" \\fI", out);
        put(out, o->arg);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    put(out, o->help);
    fputs(".\nCommands:", out);
    const char *before = " ";
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++) {
        if ((o->commands & c->bit) == 0) continue;
        fprintf(out, "%s%s", before, c->name);
        before = ", ";
    }
    fputs(".\n", out);
}

static void print_command(FILE *out, const struct cl_command *c)
{
    fprintf(out, ".SS citylake %s [options] ", c->name);
    line(out, c->args);
    line(out, c->description);
    fputs(".PP\nExit status 1: ", out);
    put(out, c->exit_1);
    fputs(".\n.PP\n.nf\n", out);
    for (size_t i = 0; i < CL_MAX_EXAMPLES && c->examples[i].command != NULL; i++) {
        fputs("  # ", out);
        line(out, c->examples[i].what);
        fputs("  ", out);
        line(out, c->examples[i].command);
    }
    fputs(".fi\n", out);
}

static bool has_commands(const struct cl_option *o)
{
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++)
        if (o->commands & c->bit) return true;
    return false;
}

void cl_man_print(FILE *out)
{
    fputs(".TH CITYLAKE 1 \"\" \"citylake " CL_VERSION
          "\" \"User Commands\"\n.SH NAME\ncitylake \\- ",
          out);
    line(out, CL_PROGRAM_SUMMARY);
    fputs(".SH SYNOPSIS\n.B citylake\n\\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]\n.SH "
          "DESCRIPTION\n",
          out);
    line(out, "Takes the events of a city from Kafka, NDJSON files or its own simulation, checks "
              "them against the feeds that "
              "city.yaml declares, and keeps them as Apache Iceberg tables over Parquet files, "
              "each event exactly once. "
              "What breaks a rule is kept whole in table dead_letters.");
    fputs(".SH COMMANDS\n", out);
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++)
        print_command(out, c);
    fputs(".SH OPTIONS\nOptions mean the same in every command that takes them. ", out);
    line(out, "Write --name value or --name=value; -- ends the options. Counts may be written 10k, "
              "2M or 1_000_000.");
    for (const struct cl_option *o = cl_option_table; o->name != NULL; o++)
        if (has_commands(o)) print_option(out, o);
    fputs(".SS Without a command\n", out);
    for (const struct cl_named_text *t = cl_top_options; t->name != NULL; t++)
        labelled(out, t->name, t->text);
    fputs(".SH ENVIRONMENT\n", out);
    for (const struct cl_named_text *t = cl_environment_texts; t->name != NULL; t++)
        labelled(out, t->name, t->text);
    fputs(".SH FILES\n", out);
    labelled(out, "./city.yaml",
             "the city's file when --config is not given; without it the built-in one is used "
             "(citylake --print-config prints it, with every key explained).");
    labelled(out, "./lake", "the lake, when neither city.yaml nor --lake names another.");
    fputs(".SH EXIT STATUS\n", out);
    labelled(out, "0", "done");
    labelled(out, "1", "the work failed, or the audit found something");
    labelled(out, "2", "wrong usage or configuration");
    labelled(out, "130",
             "ended at once by a second SIGINT or SIGTERM; the first one finishes cleanly");
}
