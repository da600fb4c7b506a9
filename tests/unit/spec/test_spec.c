/* test_spec.c - what valid files become: the built-in feeds whole, defaults, conversions, the
 * environment. */
#include "spec_test.h"

#include "base/buf.h"
#include "spec/path.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* One line for each feed and column: what a reader of the table, and of the wire, must be able to
 * rely on. */
static void describe(const struct cl_spec *spec, struct cl_buf *out)
{
    for (size_t i = 0; i < spec->n_feeds; i++) {
        const struct cl_feed *f = &spec->feeds[i];
        assert_int_equal(
            cl_buf_printf(
                out, NULL,
                "%s topic=%s key=%d time=%d late=%lld unique=%zu within=%lld by=%d(%d)%s\n",
                f->name, f->topic, f->key_column, f->event_time_column, (long long)f->watermark_us,
                f->n_unique, (long long)f->unique_within_us, (int)f->partition, f->partition_column,
                f->strict ? " strict" : ""),
            CL_OK);
        for (size_t c = 0; c < f->schema.n; c++) {
            const struct cl_field *field = &f->schema.fields[c];
            char type[32], path[64] = "-", range[64] = "";
            if (c < f->n_columns) {
                const struct cl_feed_column *col = &f->columns[c];
                assert_int_equal(col->field.id, field->id);
                cl_path_text(col, path, sizeof path);
                if (col->has_range)
                    (void)snprintf(range, sizeof range, " [%g, %g]", col->min, col->max);
            }
            assert_int_equal(cl_buf_printf(out, NULL, "  %d %s %s%s %s%s\n", field->id, field->name,
                                           cl_type_text(field, type, sizeof type),
                                           field->required ? "!" : "", path, range),
                             CL_OK);
        }
    }
    assert_int_equal(cl_buf_append_byte(out, 0, NULL), CL_OK);
}

static const char golden[] =
    "vehicle topic=vehicle_data key=1 time=2 late=120000000 unique=1 within=600000000 by=1(2)\n"
    "  1 id string! id\n"
    "  2 vehicle_id string! vehicle_id\n"
    "  3 timestamp timestamp! timestamp\n"
    "  4 latitude double location[0] [-90, 90]\n"
    "  5 longitude double location[1] [-180, 180]\n"
    "  6 speed double speed [0, 400]\n"
    "  7 direction string direction\n"
    "  8 make string make\n"
    "  9 model string model\n"
    "  10 year int year [1800, 3000]\n"
    "  11 fuel_type string fuelType\n"
    "  12 _partition int! -\n"
    "  13 _offset long! -\n"
    "  14 _ingested_at timestamp! -\n"
    "gps topic=gps_data key=1 time=2 late=120000000 unique=1 within=600000000 by=1(2)\n"
    "  1 id string! id\n"
    "  2 vehicle_id string! vehicle_id\n"
    "  3 timestamp timestamp! timestamp\n"
    "  4 speed double speed [0, 400]\n"
    "  5 direction string direction\n"
    "  6 vehicle_type string vehicleType\n"
    "  7 _partition int! -\n"
    "  8 _offset long! -\n"
    "  9 _ingested_at timestamp! -\n"
    "camera topic=traffic_data key=1 time=3 late=120000000 unique=1 within=600000000 by=1(3)\n"
    "  1 id string! id\n"
    "  2 vehicle_id string! vehicle_id\n"
    "  3 camera_id string camera_id\n"
    "  4 timestamp timestamp! timestamp\n"
    "  5 latitude double location[0] [-90, 90]\n"
    "  6 longitude double location[1] [-180, 180]\n"
    "  7 snapshot string snapshot\n"
    "  8 _partition int! -\n"
    "  9 _offset long! -\n"
    "  10 _ingested_at timestamp! -\n"
    "weather topic=weather_data key=1 time=2 late=120000000 unique=1 within=600000000 by=1(2)\n"
    "  1 id string! id\n"
    "  2 vehicle_id string! vehicle_id\n"
    "  3 timestamp timestamp! timestamp\n"
    "  4 latitude double location[0] [-90, 90]\n"
    "  5 longitude double location[1] [-180, 180]\n"
    "  6 temperature double temperature [-100, 100]\n"
    "  7 weather_condition string weatherCondition\n"
    "  8 precipitation double precipitation [0, 2000]\n"
    "  9 wind_speed double windSpeed [0, 500]\n"
    "  10 humidity double humidity [0, 100]\n"
    "  11 air_quality_index double airQualityIndex [0, 5000]\n"
    "  12 _partition int! -\n"
    "  13 _offset long! -\n"
    "  14 _ingested_at timestamp! -\n"
    "emergency topic=emergency_data key=1 time=4 late=120000000 unique=1 within=600000000 by=1(4)\n"
    "  1 id string! id\n"
    "  2 vehicle_id string! vehicle_id\n"
    "  3 incident_id string incidentId\n"
    "  4 type string type\n"
    "  5 timestamp timestamp! timestamp\n"
    "  6 latitude double location[0] [-90, 90]\n"
    "  7 longitude double location[1] [-180, 180]\n"
    "  8 status string status\n"
    "  9 description string description\n"
    "  10 _partition int! -\n"
    "  11 _offset long! -\n"
    "  12 _ingested_at timestamp! -\n";

static void builtin_feeds_are_the_reference(void **state)
{
    (void)state;
    struct cl_spec *spec = NULL;
    struct cl_error err = {0};
    struct cl_buf text;
    cl_buf_init(&text, 1 << 16);
    if (cl_spec_load_builtin(&spec, &err) != CL_OK) fail_msg("%s: %s", err.where, err.message);
    describe(spec, &text);
    assert_string_equal((char *)text.data, golden);
    assert_string_equal(spec->path, "(built-in)");
    cl_spec_free(spec);

    /* A file without feeds has the same ones. */
    spec = parse_ok("lake: {warehouse: /data}");
    cl_buf_reset(&text);
    describe(spec, &text);
    assert_string_equal((char *)text.data, golden);
    assert_string_equal(spec->lake.warehouse, "/data");
    cl_spec_free(spec);
    cl_buf_fini(&text);
}

/* The values that the built-in file states are those that an empty file has, and those that spec.h
 * promises. */
static void defaults_are_as_documented(void **state)
{
    (void)state;
    struct cl_spec *specs[3] = {parse_ok(""), parse_ok("# nothing\nlake:\nkafka:\ncity:\n"), NULL};
    assert_int_equal(cl_spec_load_builtin(&specs[2], NULL), CL_OK);
    for (int i = 0; i < 3; i++) {
        const struct cl_spec *s = specs[i];
        assert_string_equal(s->lake.warehouse, "./lake");
        assert_string_equal(s->lake.namespace_name, "city");
        assert_string_equal(s->lake.catalog, "local");
        assert_int_equal(s->lake.commit_every_us, 10000000);
        assert_int_equal(s->lake.commit_rows, 5000000);
        assert_int_equal(s->lake.target_file_bytes, 134217728);
        assert_int_equal(s->lake.row_group_bytes, 33554432);
        assert_string_equal(s->lake.compression, "zstd");
        assert_int_equal(s->lake.compression_level, 1);
        assert_int_equal(s->lake.memory_bytes, 402653184);
        assert_string_equal(s->kafka.bootstrap_servers, "127.0.0.1:9092");
        assert_string_equal(s->kafka.group, "citylake");
        assert_int_equal(s->kafka.partitions, 4);
        assert_int_equal(s->kafka.replication, 1);
        assert_int_equal(s->kafka.n_properties, 0);
        assert_int_equal(s->city.vehicles, 1000);
        assert_int_equal(s->city.seed, 42);
        assert_int_equal(s->city.start_us, 1767592800000000);
        assert_true(s->city.speed_up == 1 && s->city.latitude == 51.5074 &&
                    s->city.longitude == -0.1278);
        assert_true(s->city.duplicates == 0 && s->city.late == 0 && s->city.out_of_order == 0 &&
                    s->city.malformed == 0);
        assert_int_equal(s->n_feeds, 5);
        cl_spec_free(specs[i]);
    }
}

static void sections_are_read(void **state)
{
    (void)state;
    struct cl_spec *s = parse_ok(
        "lake: {compression: snappy, commit_every: 500 ms, commit_rows: 10k, target_file_size: 1 "
        "GB,\n"
        "  row_group_size: 64 KiB, memory: 32MiB, namespace: bs}\n"
        "kafka: {group: g, partitions: 1_2, replication: 3}\n"
        "city: {vehicles: 0.5M, seed: 9223372036854775807, start: '2026-01-05 07:00:00+01:00',\n"
        "  speed_up: 1e2, center: [-33.9, 18.4], faults: {duplicates: 0.25, late: 1, malformed: "
        ".5}}\n");
    assert_string_equal(s->lake.compression, "snappy");
    assert_int_equal(s->lake.commit_every_us, 500000);
    assert_int_equal(s->lake.commit_rows, 10000);
    assert_int_equal(s->lake.target_file_bytes, 1000000000);
    assert_int_equal(s->lake.row_group_bytes, 65536);
    assert_int_equal(s->lake.memory_bytes, 33554432);
    assert_string_equal(s->lake.namespace_name, "bs");
    assert_string_equal(s->kafka.group, "g");
    assert_int_equal(s->kafka.partitions, 12);
    assert_int_equal(s->kafka.replication, 3);
    assert_int_equal(s->city.vehicles, 500000);
    assert_int_equal(s->city.seed, INT64_MAX);
    assert_int_equal(s->city.start_us, 1767592800000000);
    assert_true(s->city.speed_up == 100 && s->city.latitude == -33.9 && s->city.longitude == 18.4);
    assert_true(s->city.duplicates == 0.25 && s->city.late == 1 && s->city.out_of_order == 0 &&
                s->city.malformed == 0.5);
    cl_spec_free(s);
}

static void columns_are_read(void **state)
{
    (void)state;
    struct cl_spec *s = parse_ok(
        FEED("      d: {type: 'decimal( 9 , 2 )', range: [-1.5, null]}\n"
             "      v: {type: string, values: [None, 'null', yes], max_length: 2 KiB}\n"
             "      b: {type: binary, encoding: base64, max_length: 10, from: v}\n"
             "      e: {type: timestamp, format: epoch_ms, from: 'a.b[12].\"odd .\\\"n\"[0]'}\n"
             "      u: {type: string, required: true, format: uuid, doc: an id}\n"
             "      k: {type: date, required: true}\n"
             "      n: long\n"
             "    key: u\n    unique: {by: [t, k], within: 1h}\n    partition: month(k)\n    "
             "strict: true\n    doc: about\n"));
    const struct cl_feed *f = &s->feeds[0];
    const struct cl_feed_column *c = f->columns;
    assert_int_equal(f->n_columns, 8);
    assert_string_equal(f->topic, "f");
    assert_string_equal(f->doc, "about");
    assert_true(f->strict);
    assert_int_equal(f->watermark_us, 60000000);
    assert_int_equal(f->key_column, 5);
    assert_int_equal(f->n_unique, 2);
    assert_int_equal(f->unique_columns[0], 0);
    assert_int_equal(f->unique_columns[1], 6);
    assert_int_equal(f->unique_within_us, 3600000000);
    assert_int_equal(f->partition, CL_PARTITION_MONTH);
    assert_int_equal(f->partition_column, 6);
    assert_int_equal(f->line, 2);
    assert_int_equal(c[1].line, 6);
    assert_int_equal(c[1].field.precision, 9);
    assert_int_equal(c[1].field.scale, 2);
    assert_true(c[1].has_range && c[1].min == -1.5 && isinf(c[1].max) && c[1].max > 0);
    assert_int_equal(c[2].n_values, 3);
    assert_string_equal(c[2].values[0], "None");
    assert_string_equal(c[2].values[1], "null");
    assert_string_equal(c[2].values[2], "yes");
    assert_int_equal(c[2].max_bytes, 2048);
    assert_true(c[3].base64);
    assert_int_equal(c[4].time_format, CL_TIME_EPOCH_MS);
    assert_int_equal(c[4].path_len, 5);
    assert_string_equal(c[4].path[1].key, "b");
    assert_null(c[4].path[2].key);
    assert_int_equal(c[4].path[2].index, 12);
    assert_string_equal(c[4].path[3].key, "odd .\"n");
    assert_int_equal(c[4].path[3].key_len, 7);
    assert_int_equal(c[5].format, CL_STRING_UUID);
    assert_string_equal(c[5].field.doc, "an id");
    assert_string_equal(f->schema.fields[5].doc, "an id");
    assert_int_equal(c[7].field.type, CL_LONG);
    assert_string_equal(c[7].path[0].key, "n");
    assert_ptr_equal(cl_spec_find_feed(s, "f"), f);
    assert_ptr_equal(cl_spec_find_topic(s, "fx", 1), f);
    assert_null(cl_spec_find_topic(s, "fx", 2));
    assert_null(cl_spec_find_feed(s, "g"));
    cl_spec_free(s);

    s = parse_ok(FEED("    partition: none\n"));
    assert_int_equal(s->feeds[0].partition, CL_PARTITION_NONE);
    assert_int_equal(s->feeds[0].partition_column, -1);
    assert_int_equal(s->feeds[0].key_column, -1);
    cl_spec_free(s);
    s = parse_ok(FEED("      w: date\n"));
    assert_int_equal(s->feeds[0].partition, CL_PARTITION_DAY);
    assert_int_equal(s->feeds[0].partition_column, 0);
    cl_spec_free(s);
}

static double convert(const char *from, const char *to, double value)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   FEED("      a: {type: double, unit: '%s', from_unit: '%s'}\n"), to, from);
    struct cl_spec *s = parse_ok(text);
    const struct cl_feed_column *c = &s->feeds[0].columns[1];
    assert_string_equal(c->unit, to);
    assert_string_equal(c->from_unit, from);
    assert_int_equal(c->has_conversion, strcmp(from, to) != 0);
    double result = value * c->unit_factor + c->unit_offset;
    cl_spec_free(s);
    return result;
}

static void units_convert(void **state)
{
    (void)state;
    /* Exact: the factor itself is the correctly rounded one. */
    assert_true(convert("m/s", "km/h", 10) == 36);
    assert_true(convert("km/h", "m/s", 36) == 10);
    assert_true(convert("C", "F", 100) == 212);
    assert_true(convert("hPa", "Pa", 1013) == 101300);
    assert_true(convert("km", "m", 1.5) == 1500);
    assert_true(convert("%", "1", 50) == 0.5);
    assert_true(convert("km/h", "km/h", 7) == 7);
    /* Affine both ways and long factors: to the last digits. */
    static const struct {
        const char *from, *to;
        double in, out;
    } cases[] = {{"F", "C", 212, 100},
                 {"K", "C", 273.15, 0},
                 {"C", "K", 0, 273.15},
                 {"K", "F", 0, -459.67},
                 {"F", "K", -459.67, 0},
                 {"mph", "km/h", 100, 160.9344},
                 {"kn", "m/s", 1, 0.5144444444444444},
                 {"mi", "ft", 1, 5280},
                 {"in", "cm", 1, 2.54},
                 {"mm", "m", 1, 0.001},
                 {"bar", "hPa", 1, 1000},
                 {"h", "ms", 1, 3600000},
                 {"min", "s", 2, 120},
                 {"deg", "rad", 180, M_PI},
                 {"rad", "deg", M_PI, 180},
                 {"mg/m3", "ug/m3", 1, 1000},
                 {"ppm", "%", 1, 0.0001},
                 {"t", "kg", 1, 1000},
                 {"m3", "l", 1, 1000},
                 {"kW", "W", 1, 1000},
                 {"Wh", "kWh", 1, 0.001},
                 {"kPa", "Pa", 1, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = convert(cases[i].from, cases[i].to, cases[i].in);
        if (fabs(got - cases[i].out) > 1e-11 * fmax(1, fabs(cases[i].out)))
            fail_msg("%g %s is %.17g %s, not %.17g", cases[i].in, cases[i].from, got, cases[i].to,
                     cases[i].out);
    }
}

static void environment_goes_before_the_file(void **state)
{
    (void)state;
    struct cl_spec *s = NULL;
    struct cl_error err = {0};
    assert_int_equal(setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:1", 1), 0);
    assert_int_equal(setenv("TRAFFIC_TOPIC", "cams", 1), 0);
    assert_int_equal(setenv("GPS_TOPIC", "", 1), 0);
    s = parse_ok("kafka: {bootstrap_servers: other:2}");
    assert_string_equal(s->kafka.bootstrap_servers, "kafka:1");
    assert_string_equal(cl_spec_find_feed(s, "camera")->topic, "cams");
    assert_string_equal(cl_spec_find_feed(s, "gps")->topic, "gps_data");
    cl_spec_free(s);

    assert_int_equal(setenv("GPS_TOPIC", "cams", 1), 0);
    assert_int_equal(cl_spec_load_builtin(&s, &err), CL_EINVAL);
    assert_string_equal(err.message, "with the topics that environment variables set, feeds "
                                     "\"gps\" and \"camera\" both read topic "
                                     "\"cams\"; give each feed its own");
    assert_int_equal(setenv("GPS_TOPIC", "no topic", 1), 0);
    assert_int_equal(cl_spec_load_builtin(&s, &err), CL_EINVAL);
    assert_string_equal(err.message, "environment variable GPS_TOPIC: \"no topic\" is not a topic "
                                     "name: letters, digits, . _ and - "
                                     "only, from 1 to 249");
    unsetenv("KAFKA_BOOTSTRAP_SERVERS");
    unsetenv("TRAFFIC_TOPIC");
    unsetenv("GPS_TOPIC");
}

static void properties_are_expanded(void **state)
{
    (void)state;
    assert_int_equal(setenv("CL_TEST_SECRET", "p4$$", 1), 0);
    assert_int_equal(setenv("CL_TEST_EMPTY", "", 1), 0);
    struct cl_spec *s = parse_ok("kafka: {properties: {sasl.password: "
                                 "'x${CL_TEST_SECRET}${CL_TEST_EMPTY}-$${A}$', debug: all}}");
    assert_int_equal(s->kafka.n_properties, 2);
    assert_string_equal(s->kafka.properties[0], "sasl.password");
    assert_string_equal(s->kafka.properties[1], "xp4$$-${A}$");
    assert_string_equal(s->kafka.properties[2], "debug");
    assert_string_equal(s->kafka.properties[3], "all");
    cl_spec_free(s);
}

static void files_are_loaded(void **state)
{
    (void)state;
    struct cl_spec *s = NULL;
    struct cl_error err = {0};
    assert_int_equal(cl_spec_load("no-such-file.yaml", &s, &err), CL_ENOTFOUND);
    assert_string_equal(
        err.message,
        "no configuration file no-such-file.yaml; leave out --config to use the built-in one");
    assert_int_equal(cl_spec_load("/", &s, &err), CL_EIO);
    assert_null(s);
    char path[512];
    const char *data = CL_TEST_DATA, *tests_end = strrchr(data, '/'); /* .../tests/data */
    (void)snprintf(path, sizeof path, "%.*s/../examples/braunschweig.yaml", (int)(tests_end - data),
                   data);
    if (cl_spec_load(path, &s, &err) != CL_OK) fail_msg("%s: %s", err.where, err.message);
    const struct cl_feed *f = cl_spec_find_topic(s, "fcd_data", 8);
    assert_non_null(f);
    assert_string_equal(f->name, "fcd");
    const struct cl_feed_column *speed = &f->columns[cl_schema_find(&f->schema, "speed")];
    assert_true(speed->has_conversion && speed->unit_factor == 3.6 && speed->unit_offset == 0);
    assert_int_equal(f->columns[f->event_time_column].time_format, CL_TIME_EPOCH_MS);
    assert_string_equal(f->columns[f->event_time_column].path[0].key, "time");
    cl_spec_free(s);
    cl_spec_free(NULL);
}

int main(void)
{
    /* What the surroundings say must not change what is tested. */
    static const char *const names[] = {
        "KAFKA_BOOTSTRAP_SERVERS", "VEHICLE_TOPIC", "GPS_TOPIC",
        "TRAFFIC_TOPIC",           "WEATHER_TOPIC", "EMERGENCY_TOPIC"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builtin_feeds_are_the_reference),
        cmocka_unit_test(defaults_are_as_documented),
        cmocka_unit_test(sections_are_read),
        cmocka_unit_test(columns_are_read),
        cmocka_unit_test(units_convert),
        cmocka_unit_test(environment_goes_before_the_file),
        cmocka_unit_test(properties_are_expanded),
        cmocka_unit_test(files_are_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
