/* commands.c - the table of commands: one entry makes a command known to the parser, to --help and to the manual page.
 * To add one: a line for its bit in options.h (if it has none), its prototype in app.h, its entry here, its file in
 * meson.build. */
#include "app/options.h"

const struct cl_command cl_commands[] = {
    {
        .name = "check",
        .bit = CL_FOR_CHECK,
        .run = cl_cmd_check,
        .args = "[FILE]",
        .max_args = 1,
        .summary = "validates city.yaml and says what it declares",
        .description = "Reads FILE, else what --config names, else ./city.yaml, else the built-in file; the options are "
                       "applied as the other commands would. The first mistake is printed as FILE:LINE:COLUMN: KEY: what is "
                       "wrong and what would be right. A valid file is summarised: its feeds with topic, columns, event "
                       "time, watermark, uniqueness and partition, then the settings of lake, Kafka and city.",
        .exit_1 = "the file could not be read",
        .examples = {{"check ./city.yaml, or show the built-in one", "citylake check"},
                     {"check another file", "citylake check examples/braunschweig.yaml"},
                     {"the same for a program", "citylake check --format json examples/braunschweig.yaml"}},
    },
    {.name = NULL},
};
