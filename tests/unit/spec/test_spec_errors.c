/* test_spec_errors.c - every rule of city.yaml: the place and the words of its message. */
#include "spec_test.h"

#include <stdio.h>

static void check_all(const struct bad_case *cases, size_t n)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++)
        wrong += !is_refused(&cases[i]);
    assert_int_equal(wrong, 0);
}
#define CHECK_ALL(cases) check_all(cases, sizeof cases / sizeof *cases)

static void yaml_mistakes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"lake: [", "city.yaml:2:1", "not valid YAML: flow sequence without a closing bracket"},
        {"lake: {warehouse: a[0]}", "city.yaml:1:20",
         "not valid YAML: missing comma in flow mapping; inside { } and [ ], text that holds one "
         "of []{}, needs quotes: "
         "\"location[0]\""},
        {"- lake", "city.yaml:1:1", "expected a mapping (key: value), found a list"},
        {"lake", "city.yaml:1:1", "expected a mapping (key: value), found text"},
        {"feds: {}", "city.yaml:1:1", "feds: unknown key; did you mean \"feeds\"?"},
        {"zoo: {}", "city.yaml:1:1", "zoo: unknown key; known here are lake, kafka, city or feeds"},
        {"lake: {}\nlake: {}", "city.yaml:2:1",
         "key \"lake\" stands here twice (first in line 1); remove one"},
        {"lake: &a {}", "city.yaml:1:10",
         "anchors (&) and aliases (*) are not supported; write the value out"},
        {"lake: !!map {}", "city.yaml:1:13",
         "tags (!) are not supported; remove the tag, quote text that needs it"},
        {"lake:\n---\nlake:", "city.yaml:2:1",
         "a second YAML document (---); city.yaml is one document"},
        {"? [lake]\n: {}", "city.yaml:1:3", "a key must be a plain word, not a mapping or a list"},
        {"lake: {warehouse: \"a\\0b\"}", "city.yaml:1:19",
         "text with a NUL character (\\0) in it; remove it"},
        {"city: {}\nlake: \xff", "city.yaml:2:7", "not UTF-8; save the file as UTF-8"},
        {"lake: \xed\xa0\x80", "city.yaml:1:7", "not UTF-8; save the file as UTF-8"},
        {"a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "city.yaml:1:19",
         "nested deeper than 16 levels; city.yaml needs at most 6"},
    };
    CHECK_ALL(cases);
    struct cl_spec *spec = NULL;
    struct cl_error err;
    assert_int_equal(cl_spec_parse("city.yaml", "lake: \0", 7, &spec, &err), CL_EINVAL);
    assert_string_equal(err.message, "a NUL byte; city.yaml is text: remove it");
}

static void section_mistakes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"lake: {warehouse: }", "city.yaml:1:8",
         "lake.warehouse: has no value; give one or remove the key"},
        {"lake:\n  warehouse: [a]", "city.yaml:2:14",
         "lake.warehouse: expected a single value, found a list"},
        {"lake: {namespace: City}", "city.yaml:1:19",
         "lake.namespace: \"City\" is not a namespace: a lower-case letter, then lower-case "
         "letters, digits and _, at most 127"},
        {"lake: {catalog: glue}", "city.yaml:1:17",
         "lake.catalog: \"glue\" is not known here; use local"},
        {"lake: {compression: zstdd}", "city.yaml:1:21",
         "lake.compression: \"zstdd\" is not zstd, snappy or none; did you mean \"zstd\"?"},
        {"lake:\n  compression: snappy\n  compression_level: 3", "city.yaml:3:3",
         "lake.compression_level: only zstd has levels; remove it, or use compression: zstd"},
        {"lake: {compression_level: 23}", "city.yaml:1:27",
         "lake.compression_level: 23 is out of bounds; allowed is from 1 to 22"},
        {"lake: {commit_every: 10}", "city.yaml:1:22",
         "lake.commit_every: \"10\" is not a duration such as \"500 ms\", \"10s\", \"2 minutes\" "
         "or \"1h\""},
        {"lake: {commit_every: 10 ms}", "city.yaml:1:22",
         "lake.commit_every: 10 ms is out of bounds; allowed is from 100 ms to 1 day"},
        {"lake: {memory: 1 MiB}", "city.yaml:1:16",
         "lake.memory: 1 MiB is out of bounds; allowed is from 32 MiB to 1 TiB"},
        {"lake: {memory: 1 PB}", "city.yaml:1:16",
         "lake.memory: \"1 PB\" is not a size such as \"128 MiB\", \"64 KiB\", \"1 GB\" or 4096 "
         "(bytes)"},
        {"lake: {commit_rows: 1.5}", "city.yaml:1:21",
         "lake.commit_rows: \"1.5\" is not a whole number such as 500, 1_000_000, 10k or 2M"},
        {"lake: {target_file_size: 1 MiB, row_group_size: 2 MiB}", "city.yaml:1:26",
         "lake.target_file_size: row_group_size (2097152 bytes) must not be larger than "
         "target_file_size (1048576 bytes)"},
        {"kafka: {partitions: 0}", "city.yaml:1:21",
         "kafka.partitions: 0 is out of bounds; allowed is from 1 to 100000"},
        {"kafka: {bootstrap.servers: x}", "city.yaml:1:9",
         "kafka.bootstrap.servers: unknown key; did you mean \"bootstrap_servers\"?"},
        {"kafka: {properties: {bootstrap.servers: x}}", "city.yaml:1:22",
         "kafka.properties.bootstrap.servers: set kafka.bootstrap_servers instead"},
        {"kafka: {properties: {a: '${CL_TEST_NOT_SET}'}}", "city.yaml:1:25",
         "kafka.properties.a: environment variable CL_TEST_NOT_SET is not set; set it or remove "
         "${CL_TEST_NOT_SET}"},
        {"kafka: {properties: {a: 'x${CL_TEST'}}", "city.yaml:1:25",
         "kafka.properties.a: \"${\" without \"}\"; write ${NAME}, or $${ for the text itself"},
        {"city: {vehicles: 2M}", "city.yaml:1:18",
         "city.vehicles: 2M is out of bounds; allowed is from 1 to 1M"},
        {"city: {vehicles: many}", "city.yaml:1:18",
         "city.vehicles: \"many\" is not a whole number such as 500, 1_000_000, 10k or 2M"},
        {"city: {seed: -1}", "city.yaml:1:14",
         "city.seed: -1 is out of bounds; allowed is from 0 to 9223372036854775807"},
        {"city: {speed_up: 0}", "city.yaml:1:18",
         "city.speed_up: 0 is out of bounds; allowed is from 0.001 to 1M"},
        {"city: {speed_up: .inf}", "city.yaml:1:18",
         "city.speed_up: \".inf\" is not a number such as 0.5, 12 or 10k"},
        {"city: {start: yesterday}", "city.yaml:1:15",
         "city.start: \"yesterday\" is not an ISO 8601 date or time such as 2026-01-05T08:00:00"},
        {"city: {center: [51]}", "city.yaml:1:16",
         "city.center: expected [latitude, longitude], such as [51.5074, -0.1278]"},
        {"city: {center: [120, 3]}", "city.yaml:1:17",
         "city.center[0]: latitude 120 is outside of -80 to 80; the order is [latitude, "
         "longitude]"},
        {"city: {center: [3, 190]}", "city.yaml:1:20",
         "city.center[1]: longitude 190 is outside of -180 to 180"},
        {"city: {faults: {late: 2}}", "city.yaml:1:23",
         "city.faults.late: 2 is out of bounds; allowed is a rate from 0 to 1"},
        {"city: {faults: {lost: 0}}", "city.yaml:1:17",
         "city.faults.lost: unknown key; known here are duplicates, late, out_of_order or "
         "malformed"},
    };
    CHECK_ALL(cases);
}

static void feed_mistakes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"feeds:", "city.yaml:1:1",
         "feeds: declares no feed; add one, or remove the key to have the five built-in feeds"},
        {"feeds: {}", "city.yaml:1:1",
         "feeds: declares no feed; add one, or remove the key to have the five built-in feeds"},
        {"feeds: {f: x}", "city.yaml:1:12",
         "feeds.f: expected topic, event_time and columns, found text"},
        {"feeds: {Vehicle: {}}", "city.yaml:1:9",
         "feeds.Vehicle: not a feed name: a lower-case letter, then lower-case letters, digits and "
         "_, at most 127 (it becomes "
         "the table's name)"},
        {"feeds: {dead_letters: {}}", "city.yaml:1:9",
         "feeds.dead_letters: the table of rejected messages has this name; choose another"},
        {"feeds: {f: {}}", "city.yaml:1:9",
         "feeds.f: has no `columns`; add at least a required timestamp"},
        {"feeds: {f: {columns: {}}}", "city.yaml:1:22",
         "feeds.f.columns: expected column names and types, such as id: string, found none"},
        {"feeds: {f: {columns: [id]}}", "city.yaml:1:22",
         "feeds.f.columns: expected column names and types, such as id: string, found a list"},
        {"feeds: {f: {columns: {id: string}}}", "city.yaml:1:9",
         "feeds.f: has no `event_time`; it names a column with {type: timestamp, required: true}"},
        {"feeds: {f: {columns: {at: {type: timestamp, required: true}}}}", "city.yaml:1:9",
         "feeds.f: has no `event_time`; add event_time: at"},
        {"feeds: {f: {event_time: tt, columns: {t: timestamp}}}", "city.yaml:1:25",
         "feeds.f.event_time: the feed has no column \"tt\"; did you mean \"t\"?"},
        {"feeds: {f: {event_time: t, columns: {t: timestamp}}}", "city.yaml:1:25",
         "feeds.f.event_time: column \"t\" (line 1) must have required: true for this"},
        {"feeds: {f: {event_time: t, columns: {t: {type: long, required: true}}}}",
         "city.yaml:1:25",
         "feeds.f.event_time: column \"t\" is long; event time needs type: timestamp"},
        {FEED("    topic: a b\n"), "city.yaml:6:12",
         "feeds.f.topic: \"a b\" is not a topic name: letters, digits, . _ and - only, from 1 to "
         "249"},
        {FEED("    watermark: 2\n"), "city.yaml:6:16",
         "feeds.f.watermark: \"2\" is not a duration such as \"500 ms\", \"10s\", \"2 minutes\" or "
         "\"1h\""},
        {FEED("    strict: yes\n"), "city.yaml:6:13",
         "feeds.f.strict: \"yes\" is neither true nor false"},
        {FEED("    topik: x\n"), "city.yaml:6:5",
         "feeds.f.topik: unknown key; did you mean \"topic\"?"},
        {FEED("    key: id\n"), "city.yaml:6:10",
         "feeds.f.key: the feed has no column \"id\"; add it to `columns`"},
        {FEED("    key: t\n"), "city.yaml:6:10",
         "feeds.f.key: a message key is a string, int or long column"},
        {FEED("      a: string\n    key: a\n"), "city.yaml:7:10",
         "feeds.f.key: column \"a\" (line 6) must have required: true for this"},
        {FEED("    unique: t\n"), "city.yaml:6:13",
         "feeds.f.unique: expected {by: COLUMN, within: DURATION}, such as {by: id, within: 10 "
         "minutes}"},
        {FEED("    unique: {within: 1 minute}\n"), "city.yaml:6:13",
         "feeds.f.unique: `by` must name a column, or a list of them"},
        {FEED("    unique: {by: []}\n"), "city.yaml:6:13",
         "feeds.f.unique: `by` must name a column, or a list of them"},
        {FEED("    unique: {by: [t, t]}\n"), "city.yaml:6:22",
         "feeds.f.unique.by[1]: column \"t\" stands here twice"},
        {FEED("    unique: {by: [t, [t]]}\n"), "city.yaml:6:22",
         "feeds.f.unique.by[1]: expected a single value, found a list"},
        {FEED("      a: string\n    unique: {by: a}\n"), "city.yaml:7:18",
         "feeds.f.unique.by: column \"a\" (line 6) must have required: true for this"},
        {FEED("    partition: year(t)\n"), "city.yaml:6:16",
         "feeds.f.partition: \"year(t)\" is not a partition; use day(COLUMN), hour(COLUMN), "
         "month(COLUMN) or none"},
        {FEED("    partition: day(x\n"), "city.yaml:6:16",
         "feeds.f.partition: \"day(x\" is not a partition; use day(COLUMN), hour(COLUMN), "
         "month(COLUMN) or none"},
        {FEED("    partition: day(xyz)\n"), "city.yaml:6:16",
         "feeds.f.partition: the feed has no column \"xyz\"; add it to `columns`"},
        {FEED("      a: {type: string, required: true}\n    partition: day(a)\n"), "city.yaml:7:16",
         "feeds.f.partition: day needs a timestamp or date column, which \"a\" is not"},
        {FEED("      a: {type: date, required: true}\n    partition: hour(a)\n"), "city.yaml:7:16",
         "feeds.f.partition: hour needs a timestamp column, which \"a\" is not"},
        {"feeds:\n  a: {topic: x, event_time: t, columns: {t: {type: timestamp, required: true}}}\n"
         "  b: {topic: x, event_time: t, columns: {t: {type: timestamp, required: true}}}\n",
         "city.yaml:3:14",
         "feeds.b.topic: feed \"a\" (line 2) reads topic \"x\" already; give each feed its own"},
    };
    CHECK_ALL(cases);
}

static void column_mistakes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {FEED("      a: {type: strin}\n"), "city.yaml:6:17",
         "feeds.f.columns.a.type: unknown type \"strin\"; did you mean \"string\"?"},
        {FEED("      a: bigint\n"), "city.yaml:6:10",
         "feeds.f.columns.a: unknown type \"bigint\"; did you mean long?"},
        {FEED("      a: geography\n"), "city.yaml:6:10",
         "feeds.f.columns.a: unknown type \"geography\"; use boolean, int, long, float, double, "
         "decimal(p, s), date, "
         "timestamp, string or binary"},
        {FEED("      a: {required: true}\n"), "city.yaml:6:7",
         "feeds.f.columns.a: has no `type`; add one, such as type: string"},
        {FEED("      a: [string]\n"), "city.yaml:6:10",
         "feeds.f.columns.a: expected a type, or a mapping such as {type: string, required: true}"},
        {FEED("      a: {type: string, lenght: 3}\n"), "city.yaml:6:25",
         "feeds.f.columns.a.lenght: unknown key; known here are type, required, from, format, "
         "unit, from_unit, range, values, "
         "max_length, encoding or doc"},
        {FEED("      a: {type: string, form: b}\n"), "city.yaml:6:25",
         "feeds.f.columns.a.form: unknown key; did you mean \"from\"?"},
        {FEED("      1a: string\n"), "city.yaml:6:7",
         "feeds.f.columns.1a: not a column name: letters, digits and _ only, no digit first, at "
         "most 127; give it another "
         "name and read the field with `from: '\"1a\"'`"},
        {FEED("      _Offset: long\n"), "city.yaml:6:7",
         "feeds.f.columns._Offset: every table has a column _offset already; choose another name "
         "and read the field with "
         "`from: _Offset`"},
        {FEED("      T: long\n"), "city.yaml:6:7",
         "feeds.f.columns.T: differs from column \"t\" (line 5) only in case, which Athena and "
         "Redshift do not see; rename one"},
        {FEED("      t: long\n"), "city.yaml:6:7",
         "key \"t\" stands here twice (first in line 5); remove one"},
        {FEED("      a: decimal(39, 2)\n"), "city.yaml:6:10",
         "feeds.f.columns.a: a decimal has from 1 to 38 digits, not 39"},
        {FEED("      a: decimal(9, 10)\n"), "city.yaml:6:10",
         "feeds.f.columns.a: the digits after the point must be from 0 to 9, not 10"},
        {FEED("      a: decimal\n"), "city.yaml:6:10",
         "feeds.f.columns.a: \"decimal\" is not a decimal type; write \"decimal(9, 2)\": digits in "
         "all, digits after the point"},
        {FEED("      a: {type: decimal(9, 2)}\n"), "city.yaml:6:17",
         "feeds.f.columns.a.type: inside { } the comma of a decimal needs quotes: type: "
         "\"decimal(9, 2)\""},
        {FEED("      a: {type: double, unit: km/hh}\n"), "city.yaml:6:31",
         "feeds.f.columns.a.unit: unknown unit \"km/hh\"; did you mean \"km/h\"?"},
        {FEED("      a: {type: double, unit: C, from_unit: km}\n"), "city.yaml:6:45",
         "feeds.f.columns.a.from_unit: cannot convert from \"km\" (length) to \"C\" (temperature): "
         "they measure different things"},
        {FEED("      a: {type: double, from_unit: km}\n"), "city.yaml:6:25",
         "feeds.f.columns.a.from_unit: needs `unit` as well: what to convert to"},
        {FEED("      a: {type: long, unit: km, from_unit: m}\n"), "city.yaml:6:44",
         "feeds.f.columns.a.from_unit: a converted value has fractions; use type double or float"},
        {FEED("      a: {type: string, unit: km}\n"), "city.yaml:6:25",
         "feeds.f.columns.a.unit: only numbers have a unit; remove it"},
        {FEED("      a: {type: string, range: [0, 1]}\n"), "city.yaml:6:25",
         "feeds.f.columns.a.range: only numbers have a range; remove it"},
        {FEED("      a: {type: int, range: [5, 5]}\n"), "city.yaml:6:29",
         "feeds.f.columns.a.range: the lowest value (5) must be below the highest (5)"},
        {FEED("      a: {type: int, range: [0]}\n"), "city.yaml:6:29",
         "feeds.f.columns.a.range: expected [lowest, highest]; null leaves a side open"},
        {FEED("      a: {type: int, range: [null, .inf]}\n"), "city.yaml:6:29",
         "feeds.f.columns.a.range: a range open on both sides says nothing; remove it"},
        {FEED("      a: {type: int, range: [low, 3]}\n"), "city.yaml:6:30",
         "feeds.f.columns.a.range[0]: \"low\" is not a number such as 0.5, 12 or 10k"},
        {FEED("      a: {type: int, values: [a]}\n"), "city.yaml:6:22",
         "feeds.f.columns.a.values: only strings have a list of values; remove it"},
        {FEED("      a: {type: string, values: []}\n"), "city.yaml:6:33",
         "feeds.f.columns.a.values: expected a list of the allowed strings, such as [Active, "
         "Resolved]"},
        {FEED("      a: {type: string, values: [x, y, x]}\n"), "city.yaml:6:40",
         "feeds.f.columns.a.values[2]: \"x\" stands here twice"},
        {FEED("      a: {type: string, values: [x, null]}\n"), "city.yaml:6:37",
         "feeds.f.columns.a.values[1]: nothing is not text; quote it if you mean the text"},
        {FEED("      a: {type: int, max_length: 3}\n"), "city.yaml:6:22",
         "feeds.f.columns.a.max_length: only strings and binaries have a length; remove it"},
        {FEED("      a: {type: string, max_length: 0}\n"), "city.yaml:6:37",
         "feeds.f.columns.a.max_length: 0 is out of bounds; allowed is from 1 byte to 1 GiB"},
        {FEED("      a: {type: string, encoding: base64}\n"), "city.yaml:6:25",
         "feeds.f.columns.a.encoding: only binary columns are decoded; use type: binary"},
        {FEED("      a: {type: binary, encoding: hex}\n"), "city.yaml:6:35",
         "feeds.f.columns.a.encoding: \"hex\" is not known here; use base64"},
        {FEED("      a: {type: string, format: email}\n"), "city.yaml:6:33",
         "feeds.f.columns.a.format: \"email\" is not a format of strings; use uuid"},
        {FEED("      a: {type: timestamp, format: epoch}\n"), "city.yaml:6:36",
         "feeds.f.columns.a.format: \"epoch\" is not a format of times; use iso8601, epoch_s, "
         "epoch_ms or epoch_us"},
        {FEED("      a: {type: int, format: uuid}\n"), "city.yaml:6:22",
         "feeds.f.columns.a.format: only string, timestamp and date columns have a format; remove "
         "it"},
        {FEED("      a: {type: int, required: 1}\n"), "city.yaml:6:32",
         "feeds.f.columns.a.required: \"1\" is neither true nor false"},
    };
    CHECK_ALL(cases);
}

static void path_mistakes(void **state)
{
    (void)state;
#define PATH(text) FEED("      a: {type: int, from: '" text "'}\n")
#define BAD(text, rest)                                                                            \
    "feeds.f.columns.a.from: bad path \"" text "\": " rest                                         \
    "; write it like location[0] or a.b[2].\"odd name\""
    static const struct bad_case cases[] = {
        {PATH("[0]"), "city.yaml:6:28", BAD("[0]", "an unexpected character at character 1")},
        {PATH("a."), "city.yaml:6:28", BAD("a.", "a name is missing at character 3")},
        {PATH("a..b"), "city.yaml:6:28", BAD("a..b", "an unexpected character at character 3")},
        {PATH("a[x]"), "city.yaml:6:28",
         BAD("a[x]", "an index that is not [digits] at character 2")},
        {PATH("a[1"), "city.yaml:6:28", BAD("a[1", "an index that is not [digits] at character 2")},
        {PATH("a[1000000]"), "city.yaml:6:28",
         BAD("a[1000000]", "an index above 999999 at character 2")},
        {PATH("a b"), "city.yaml:6:28", BAD("a b", "an unexpected character at character 2")},
        {PATH("a[0]b"), "city.yaml:6:28", BAD("a[0]b", "an unexpected character at character 5")},
        {PATH("\"x"), "city.yaml:6:28", BAD("\"x", "a quote that does not end at character 1")},
        {PATH("\"\\n\""), "city.yaml:6:28",
         BAD("\"\\n\"", "an escape other than \\\" and \\\\ at character 2")},
        {FEED("      a: {type: int, from: p}\n      b: {type: int, from: p.q}\n"), "city.yaml:7:7",
         "feeds.f.columns.b: reads p.q, but column \"a\" (line 6) reads p: one value cannot be "
         "both"},
        {FEED("      a: {type: int, from: 'p[0]'}\n      b: {type: int, from: p.q}\n"),
         "city.yaml:7:7",
         "feeds.f.columns.b: reads p.q, but column \"a\" (line 6) reads p[0]: one value cannot be "
         "both"},
    };
#undef BAD
#undef PATH
    CHECK_ALL(cases);
}

static void stated_limits(void **state)
{
    (void)state;
    struct cl_spec *spec = NULL;
    struct cl_error err;
    size_t cap = 2 << 20, len = 0;
    char *text = malloc(cap);
    assert_non_null(text);

    memset(text, '#', (1 << 20) + 1);
    assert_int_equal(cl_spec_parse("city.yaml", text, (1 << 20) + 1, &spec, &err), CL_EINVAL);
    assert_string_equal(err.message, "larger than 1 MiB; city.yaml is a small file");

    len = (size_t)snprintf(text, cap, "%s", FEED(""));
    for (int i = 0; i < 1000; i++)
        len += (size_t)snprintf(text + len, cap - len, "      c%d: int\n", i);
    assert_int_equal(cl_spec_parse("city.yaml", text, len, &spec, &err), CL_EINVAL);
    assert_string_equal(err.message, "feeds.f.columns: 1001 columns; a feed has at most 1000");
    len -= strlen("      c999: int\n"); /* 1000 with t: allowed */
    assert_int_equal(cl_spec_parse("city.yaml", text, len, &spec, &err), CL_OK);
    assert_int_equal(spec->feeds[0].n_columns, 1000);
    assert_int_equal(spec->feeds[0].schema.n, 1003);
    cl_spec_free(spec);
    spec = NULL;

    len = (size_t)snprintf(text, cap, "feeds:\n");
    for (int i = 0; i < 1001; i++)
        len += (size_t)snprintf(text + len, cap - len, "  f%d: {}\n", i);
    assert_int_equal(cl_spec_parse("city.yaml", text, len, &spec, &err), CL_EINVAL);
    assert_string_equal(err.message, "feeds: 1001 feeds; a city has at most 1000");

    len = (size_t)snprintf(text, cap, "a: [");
    for (int i = 0; i < 4097; i++)
        len += (size_t)snprintf(text + len, cap - len, "1,");
    len += (size_t)snprintf(text + len, cap - len, "]");
    assert_int_equal(cl_spec_parse("city.yaml", text, len, &spec, &err), CL_EINVAL);
    assert_string_equal(err.message, "more than 4096 entries in one mapping or list");

    len = (size_t)snprintf(text, cap, "a:\n");
    for (int i = 0; i < 30; i++) {
        len += (size_t)snprintf(text + len, cap - len, " - [");
        for (int j = 0; j < 4000; j++)
            len += (size_t)snprintf(text + len, cap - len, "1,");
        len += (size_t)snprintf(text + len, cap - len, "]\n");
    }
    assert_int_equal(cl_spec_parse("city.yaml", text, len, &spec, &err), CL_EINVAL);
    assert_string_equal(err.message, "more than 100000 values in one file; split it");
    assert_null(spec);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_mistakes), cmocka_unit_test(section_mistakes),
        cmocka_unit_test(feed_mistakes), cmocka_unit_test(column_mistakes),
        cmocka_unit_test(path_mistakes), cmocka_unit_test(stated_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
