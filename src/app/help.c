/* help.c - `citylake --help` and `citylake COMMAND --help`, from the tables. */
#include "app/options.h"

#include <string.h>

enum { WIDTH = 100, LABEL_MAX = 26 };

const struct cl_named_text cl_environment_texts[] = {
    {"KAFKA_BOOTSTRAP_SERVERS", "Kafka servers; goes before city.yaml, --kafka goes before it"},
    {"VEHICLE_TOPIC, GPS_TOPIC, TRAFFIC_TOPIC, WEATHER_TOPIC, EMERGENCY_TOPIC",
     "topics of the feeds vehicle, gps, camera, weather and emergency; go before city.yaml"},
    {NULL, NULL},
};

/* Words of `text` from column `at` on, wrapped at WIDTH; further lines begin at `indent`. */
static void wrap(FILE *out, const char *text, int at, int indent)
{
    bool first = true;
    while (*text != '\0') {
        int len = (int)strcspn(text, " ");
        if (!first && at + 1 + len > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", len, text);
        at += len + !first;
        first = false;
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* "  label      text", the text on the next line when the label is too long for its column. */
static void entry(FILE *out, const char *label, const char *text, int column)
{
    int used = fprintf(out, "  %s", label);
    if (used + 2 > column)
        fprintf(out, "\n%*s", column, "");
    else
        fprintf(out, "%*s", column - used, "");
    wrap(out, text, column, column);
}

static void print_exit_status(FILE *out, const char *exit_1)
{
    fprintf(out, "\nexit status:\n");
    fprintf(out, "  0  done\n  1  %s\n  2  wrong usage or configuration\n", exit_1);
}

static void print_program(FILE *out)
{
    fprintf(out, "citylake - " CL_PROGRAM_SUMMARY
                 "\n\nusage: citylake COMMAND [options] [arguments]\n\ncommands:\n");
    for (const struct cl_command *c = cl_commands; c->name != NULL; c++)
        entry(out, c->name, c->summary, 14);
    fprintf(
        out,
        "\n`citylake COMMAND --help` shows the options and examples of a command.\n\noptions:\n");
    for (const struct cl_named_text *t = cl_top_options; t->name != NULL; t++)
        entry(out, t->name, t->text, 20);
    fprintf(out, "\nenvironment:\n");
    for (const struct cl_named_text *t = cl_environment_texts; t->name != NULL; t++)
        entry(out, t->name, t->text, 20);
    print_exit_status(out, "the work failed, or the audit found something");
}

void cl_help_print(FILE *out, const struct cl_command *command)
{
    if (command == NULL) {
        print_program(out);
        return;
    }
    fprintf(out, "citylake %s - %s\n\nusage: citylake %s [options]%s%s\n\n", command->name,
            command->summary, command->name, command->args[0] != '\0' ? " " : "", command->args);
    wrap(out, command->description, 0, 0);
    fprintf(out, "\noptions:\n");
    for (const struct cl_option *o = cl_option_table; o->name != NULL; o++) {
        char label[64];
        if ((o->commands & command->bit) == 0) continue;
        (void)snprintf(label, sizeof label, "--%s%s%s", o->name, o->arg != NULL ? " " : "",
                       o->arg != NULL ? o->arg : "");
        entry(out, label, o->help, LABEL_MAX);
    }
    fprintf(out, "\nexamples:\n");
    for (size_t i = 0; i < CL_MAX_EXAMPLES && command->examples[i].command != NULL; i++)
        fprintf(out, "  # %s\n  %s\n", command->examples[i].what, command->examples[i].command);
    print_exit_status(out, command->exit_1);
}
