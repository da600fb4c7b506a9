/* commands.c - the table of commands: one entry makes a command known to the parser, to --help and
 * to the manual page. To add one: a line for its bit in options.h (if it has none), its prototype
 * in app.h, its entry here, its file in meson.build. */
#include "app/options.h"

const struct cl_command cl_commands[] = {
    {
        .name = "up",
        .bit = CL_FOR_UP,
        .run = cl_cmd_up,
        .args = "",
        .loads_spec = true,
        .summary = "the whole city in one process: simulated devices, engine, local lake",
        .description =
            "Runs the simulated city through the native engine into the lake, at the pace of real "
            "time unless --rate or "
            "--speed-up say otherwise, until Ctrl-C, --events or --for. A lake that exists is "
            "continued where it "
            "stopped. The same lake answers `citylake sql` from another shell at the same time.",
        .exit_1 = "the engine failed; what was committed is in the lake once",
        .examples = {{"the default city into ./lake", "citylake up"},
                     {"ten seconds of a larger one",
                      "citylake up --vehicles 10k --for 10s --lake /tmp/lake"},
                     {"as fast as the machine can", "citylake up --rate 1e9 --events 5M"}},
    },
    {
        .name = "simulate",
        .bit = CL_FOR_SIMULATE,
        .run = cl_cmd_simulate,
        .args = "",
        .loads_spec = true,
        .summary = "the simulated devices: events to Kafka, or as NDJSON",
        .description = "Makes the events of a simulated city, the same ones for the same seed. "
                       "With --kafka they go to Kafka (topics "
                       "are created when missing, keyed by vehicle, idempotent producer); with "
                       "--out to one NDJSON file per "
                       "topic; else to standard output, one envelope {\"topic\", \"key\", "
                       "\"value\"} a line. Faults can be "
                       "ordered; --truth writes down which were sent.",
        .exit_1 = "events could not be delivered or written",
        .examples = {{"look at some events", "citylake simulate --events 5"},
                     {"fill Kafka", "citylake simulate --kafka 127.0.0.1:9092 --events 1M"},
                     {"files with faults, and what they are",
                      "citylake simulate --out events --events 100k --malformed 0.01 --duplicates "
                      "0.01 --truth truth.json"}},
    },
    {
        .name = "stream",
        .bit = CL_FOR_STREAM,
        .run = cl_cmd_stream,
        .args = "",
        .loads_spec = true,
        .summary = "Kafka, NDJSON or the simulated city into the lake, exactly once",
        .description = "Reads the feeds of city.yaml, checks every message, and commits rows to "
                       "Iceberg tables with the offsets they "
                       "came from; messages that break a rule go whole into table dead_letters. "
                       "Where to begin is read from the "
                       "tables themselves, so a run goes on where the last one was committed, "
                       "whatever ended it. SIGINT and "
                       "SIGTERM commit what was read.",
        .exit_1 = "source, lake or catalog failed; what was committed is there once, the rest is "
                  "read again",
        .examples = {{"follow Kafka", "citylake stream --kafka 127.0.0.1:9092 --lake /data/lake"},
                     {"what is in Kafka now, then stop", "citylake stream --until-end"},
                     {"a folder of TOPIC.ndjson files", "citylake stream --source ndjson:events"},
                     {"plain lines of one feed",
                      "zstd -dc cars.ndjson.zst | citylake stream --source ndjson:- --feed fcd"}},
    },
    {
        .name = "sql",
        .bit = CL_FOR_SQL,
        .run = cl_cmd_sql,
        .args = "[QUERY]",
        .max_args = 1,
        .loads_spec = true,
        .summary = "SQL over the current snapshots, or over the lake as it was",
        .description = "Runs QUERY (or standard input) in DuckDB over the tables of the lake. Only "
                       "the lake's files can be read and "
                       "nothing can be written. Ctrl-C cancels the query.",
        .exit_1 = "the query or the lake failed",
        .examples =
            {{"count", "citylake sql \"SELECT count(*) FROM vehicle\""},
             {"yesterday's state of the lake, as csv",
              "citylake sql --as-of 2026-01-04T23:59:59 --format csv \"SELECT * FROM weather\""},
             {"why messages were rejected",
              "citylake sql \"SELECT reason, count(*) FROM dead_letters GROUP BY 1\""}},
    },
    {
        .name = "tables",
        .bit = CL_FOR_TABLES,
        .run = cl_cmd_tables,
        .args = "",
        .loads_spec = true,
        .summary = "the tables of the lake",
        .description = "Lists the tables with their rows, files, bytes, snapshots and last commit.",
        .exit_1 = "the lake could not be read",
        .examples = {{"what is in ./lake", "citylake tables"}},
    },
    {
        .name = "snapshots",
        .bit = CL_FOR_SNAPSHOTS,
        .run = cl_cmd_snapshots,
        .args = "TABLE",
        .min_args = 1,
        .max_args = 1,
        .loads_spec = true,
        .summary = "the snapshots of a table: what each commit covers",
        .description = "Lists the snapshots of TABLE with time, rows, and the offsets and counts "
                       "that citylake wrote into them.",
        .exit_1 = "the table could not be read",
        .examples = {{"commits of one feed", "citylake snapshots vehicle"}},
    },
    {
        .name = "files",
        .bit = CL_FOR_FILES,
        .run = cl_cmd_files,
        .args = "TABLE",
        .min_args = 1,
        .max_args = 1,
        .loads_spec = true,
        .summary = "the data files of a table",
        .description = "Lists the live data files of TABLE with rows, bytes and partition.",
        .exit_1 = "the table could not be read",
        .examples = {{"files of one feed", "citylake files vehicle"}},
    },
    {
        .name = "audit",
        .bit = CL_FOR_AUDIT,
        .run = cl_cmd_audit,
        .args = "[TABLE...]",
        .max_args = -1,
        .loads_spec = true,
        .summary = "proves that every offset is accounted for exactly once",
        .description = "Checks that the ranges in the snapshots are gap-free and do not overlap, "
                       "that they equal what the rows' own "
                       "_partition and _offset say, and that consumed = stored + duplicates + "
                       "rejected. With --kafka or "
                       "--source kafka the positions are held against the broker's too.",
        .exit_1 = "something does not add up: each finding is a line",
        .examples = {{"the lake by itself", "citylake audit"},
                     {"and against Kafka", "citylake audit --kafka 127.0.0.1:9092"}},
    },
    {
        .name = "check",
        .bit = CL_FOR_CHECK,
        .run = cl_cmd_check,
        .args = "[FILE]",
        .max_args = 1,
        .summary = "validates city.yaml and says what it declares",
        .description =
            "Reads FILE, else what --config names, else ./city.yaml, else the built-in file; the "
            "options are "
            "applied as the other commands would. The first mistake is printed as "
            "FILE:LINE:COLUMN: KEY: what is "
            "wrong and what would be right. A valid file is summarised: its feeds with topic, "
            "columns, event "
            "time, watermark, uniqueness and partition, then the settings of lake, Kafka and city.",
        .exit_1 = "the file could not be read",
        .examples = {{"check ./city.yaml, or show the built-in one", "citylake check"},
                     {"check another file", "citylake check examples/braunschweig.yaml"},
                     {"the same for a program",
                      "citylake check --format json examples/braunschweig.yaml"}},
    },
    {.name = NULL},
};
