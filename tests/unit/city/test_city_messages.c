/* Messages: the reference's members in its order, as Python writes them; pictures are JPEG files;
 * ids are unique; every malformed message is wrong in the way it says. */
#include "fixture.h"

#include <jansson.h>
#include <jpeglib.h>

static const char *const members[CL_CITY_FEEDS][12] = {
    {"id", "vehicle_id", "timestamp", "location", "speed", "direction", "make", "model", "year",
     "fuelType", NULL},
    {"id", "vehicle_id", "timestamp", "speed", "direction", "vehicleType", NULL},
    {"id", "vehicle_id", "camera_id", "location", "timestamp", "snapshot", NULL},
    {"id", "vehicle_id", "location", "timestamp", "temperature", "weatherCondition",
     "precipitation", "windSpeed", "humidity", "airQualityIndex", NULL},
    {"id", "vehicle_id", "incidentId", "type", "timestamp", "location", "status", "description",
     NULL},
};

static json_t *parse(const struct cl_city_event *e)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)e->value, e->value_len, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) fail_msg("%s in %.*s", error.text, (int)e->value_len, e->value);
    return json;
}

static double number(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const char *text(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);
    assert_true(json_is_string(value));
    return json_string_value(value);
}

/* Measures are in hundredths: the message's number rounded. */
static void check_measures(const struct cl_city_event *e, const json_t *json)
{
    for (int k = 0; cl_city_measure_name(e->feed, k) != NULL; k++) {
        const char *name = cl_city_measure_name(e->feed, k);
        double expected;
        if (e->feed == CL_CITY_CAMERA)
            expected = (double)strlen(text(json, "snapshot"));
        else if (e->feed == CL_CITY_EMERGENCY)
            expected = strcmp(text(json, "status"), "Resolved") == 0;
        else
            expected = number(json, name);
        assert_int_equal(llround(expected * 100), e->measures[k]);
    }
}

static void check_location(const json_t *json)
{
    const json_t *location = json_object_get(json, "location");
    assert_int_equal(json_array_size(location), 2);
    double lat = json_number_value(json_array_get(location, 0)),
           lon = json_number_value(json_array_get(location, 1));
    assert_true(fabs(lat - 51.5074) < 0.2 && fabs(lon + 0.1278) < 0.3);
}

static bool is_one_of(const char *value, const char *const *allowed)
{
    for (; *allowed != NULL; allowed++)
        if (strcmp(value, *allowed) == 0) return true;
    return false;
}

static void check_vocabulary(const struct cl_city_event *e, const json_t *json)
{
    static const char *const directions[] = {"North",      "North-East", "East",
                                             "South-East", "South",      "South-West",
                                             "West",       "North-West", NULL};
    static const char *const vehicle_types[] = {"private", "taxi", "bus", "truck", NULL};
    static const char *const skies[] = {"Sunny", "Cloudy", "Rain", "Snow", NULL};
    static const char *const fuels[] = {"Electric", "Hybrid", "Petrol", "Diesel", NULL};
    static const char *const incidents[] = {"Accident", "Fire", "Medical", "Police", NULL};
    static const char *const statuses[] = {"Active", "Resolved", NULL};
    if (e->feed != CL_CITY_GPS) check_location(json);
    switch (e->feed) {
    case CL_CITY_VEHICLE:
        assert_true(is_one_of(text(json, "direction"), directions));
        assert_true(is_one_of(text(json, "fuelType"), fuels));
        assert_true(number(json, "year") >= 2010 && number(json, "year") <= 2025);
        assert_true(json_is_integer(json_object_get(json, "year")));
        assert_true(number(json, "speed") >= 0 && number(json, "speed") < 200);
        break;
    case CL_CITY_GPS:
        assert_true(is_one_of(text(json, "direction"), directions));
        assert_true(is_one_of(text(json, "vehicleType"), vehicle_types));
        break;
    case CL_CITY_WEATHER: {
        const char *sky = text(json, "weatherCondition");
        assert_true(is_one_of(sky, skies));
        bool wet = strcmp(sky, "Rain") == 0 || strcmp(sky, "Snow") == 0;
        assert_int_equal(wet, number(json, "precipitation") > 0);
        if (strcmp(sky, "Snow") == 0) assert_true(number(json, "temperature") <= 0.5);
        assert_true(json_is_integer(json_object_get(json, "humidity")));
        assert_true(number(json, "humidity") >= 0 && number(json, "humidity") <= 100);
        break;
    }
    case CL_CITY_EMERGENCY:
        assert_true(is_one_of(text(json, "type"), incidents));
        assert_true(is_one_of(text(json, "status"), statuses));
        break;
    default: break;
    }
}

static void check_shape(const struct cl_city_event *e)
{
    json_t *json = parse(e);
    const char *const *expected = members[e->feed];
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        assert_non_null(*expected);
        assert_string_equal(name, *expected++);
    }
    assert_null(*expected);
    assert_string_equal(text(json, "id"), e->id);
    assert_string_equal(text(json, "vehicle_id"), e->key);
    assert_int_equal(strlen(e->key), e->key_len);
    int64_t time_us;
    const char *time = text(json, "timestamp");
    assert_int_equal(cl_time_parse(time, strlen(time), &time_us, NULL), CL_OK);
    assert_int_equal(time_us, e->event_time_us);
    assert_null(strchr(time, 'Z'));
    check_measures(e, json);
    check_vocabulary(e, json);
    json_decref(json);
}

static void messages_have_the_reference_shapes(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(400, 2);
    struct cl_city *city = a_city(&config);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_ALL_FEEDS);
    int64_t seen[CL_CITY_FEEDS] = {0};
    for (int k = 0; k < 120000; k++) {
        struct cl_city_event event = next_merged(merge);
        if (event.feed != CL_CITY_VEHICLE || k % 4 == 0) check_shape(&event);
        assert_null(memchr(event.value, '\n', event.value_len));
        seen[event.feed]++;
    }
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++)
        assert_true(seen[feed] > 0);
    cl_city_merge_free(merge);
    cl_city_free(city);
}

/* Known bytes: whatever changes these must count CL_CITY_VERSION up. */
static void a_message_is_known(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(1000, 4);
    struct cl_city *city = a_city(&config);
    struct cl_city_cursor *cursor = a_cursor(city, CL_CITY_VEHICLE, 1, 6);
    struct cl_city_event event = next_event(cursor);
    static const char expected[] =
        "{\"id\": \"5a99bc8f-1290-4d97-b7ad-4acdeea0d269\", \"vehicle_id\": \"Vehicle-00025\", "
        "\"timestamp\": \"2026-01-05T06:00:00.250000\", \"location\": [51.502593, -0.145609], "
        "\"speed\": 83.97, "
        "\"direction\": \"South\", \"make\": \"Wrightbus\", \"model\": \"StreetDeck\", \"year\": "
        "2025, "
        "\"fuelType\": \"Hybrid\"}";
    assert_int_equal(CL_CITY_VERSION, 1);
    assert_int_equal(event.value_len, strlen(expected));
    assert_memory_equal(event.value, expected, event.value_len);
    cl_city_cursor_free(cursor);
    cl_city_free(city);
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, 37);
}

static void ids_are_unique_uuids(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct cl_city_config config = a_config(5000, 4);
    struct cl_city *city = a_city(&config);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_ALL_FEEDS);
    char(*ids)[37] = calloc(N, sizeof *ids);
    assert_non_null(ids);
    for (int k = 0; k < N; k++) {
        struct cl_city_event event = next_merged(merge);
        memcpy(ids[k], event.id, 37);
        assert_int_equal(strspn(event.id, "0123456789abcdef-"), 36);
        assert_true(event.id[14] == '4' && strchr("89ab", event.id[19]) != NULL);
        assert_true(event.id[8] == '-' && event.id[13] == '-' && event.id[18] == '-' &&
                    event.id[23] == '-');
    }
    qsort(ids, N, sizeof *ids, by_text);
    for (int k = 1; k < N; k++)
        assert_memory_not_equal(ids[k - 1], ids[k], 36);
    free(ids);
    cl_city_merge_free(merge);
    cl_city_free(city);
}

static size_t decode_base64(const char *in, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    assert_int_equal(strlen(in) % 4, 0);
    for (; *in != '\0'; in += 4) {
        uint32_t word = 0;
        for (int k = 0; k < 4; k++) {
            const char *digit = in[k] == '=' ? digits : strchr(digits, in[k]);
            assert_non_null(digit);
            word = word << 6 | (uint32_t)(digit - digits);
        }
        out[n++] = (uint8_t)(word >> 16);
        if (in[2] != '=') out[n++] = (uint8_t)(word >> 8);
        if (in[3] != '=') out[n++] = (uint8_t)word;
    }
    return n;
}

/* Decodes, and gives the mean brightness of the sky. */
static double check_jpeg(const uint8_t *data, size_t len)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors; /* the default handler ends the program: a test fails then too */
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, data, len);
    assert_int_equal(jpeg_read_header(&jpeg, TRUE), JPEG_HEADER_OK);
    assert_true(jpeg_start_decompress(&jpeg));
    assert_int_equal(jpeg.output_width, 64);
    assert_int_equal(jpeg.output_height, 48);
    double sky = 0;
    while (jpeg.output_scanline < jpeg.output_height) {
        uint8_t row[64 * 3], *rows[] = {row};
        bool top = jpeg.output_scanline < 8;
        assert_int_equal(jpeg_read_scanlines(&jpeg, rows, 1), 1);
        for (int k = 0; top && k < 64 * 3; k++)
            sky += row[k] / (64.0 * 3 * 8);
    }
    assert_true(jpeg_finish_decompress(&jpeg));
    assert_int_equal(errors.num_warnings, 0);
    jpeg_destroy_decompress(&jpeg);
    return sky;
}

static void snapshots_are_pictures(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(300, 1);
    config.start_us -= 6 * HOUR_US; /* midnight */
    struct cl_city *city = a_city(&config);
    struct cl_city_cursor *cursor = a_cursor(city, CL_CITY_CAMERA, 0, 0);
    double night = 0, day = 0;
    int nights = 0, days = 0;
    for (int k = 0; k < 24 * 60 * 30; k++) {
        struct cl_city_event event = next_event(cursor);
        if (k % 37 != 0) continue;
        json_t *json = parse(&event);
        uint8_t data[CL_CITY_MAX_MESSAGE];
        double sky = check_jpeg(data, decode_base64(text(json, "snapshot"), data));
        int64_t hour = (event.event_time_us - config.start_us) / HOUR_US;
        if (hour < 4) night += sky, nights++;
        if (hour >= 10 && hour < 14) day += sky, days++;
        json_decref(json);
    }
    assert_true(nights > 20 && days > 20);
    assert_true(day / days > 2 * night / nights);
    cl_city_cursor_free(cursor);
    cl_city_free(city);
}

/* Is the message wrong in the way it says, and in no other? */
static void check_malformed(const struct cl_city_event *e)
{
    json_t *json = json_loadb((const char *)e->value, e->value_len, 0, NULL);
    switch (e->malformed) {
    case CL_CITY_EMPTY: assert_int_equal(e->value_len, 0); break;
    case CL_CITY_TRUNCATED:
        assert_null(json);
        assert_true(e->value_len > 0 && e->value[0] == '{');
        break;
    case CL_CITY_BAD_UTF8:
        assert_null(json);
        assert_non_null(memchr(e->value, 0xff, e->value_len));
        break;
    case CL_CITY_MISSING:
        assert_non_null(json);
        assert_null(json_object_get(json, "id"));
        break;
    case CL_CITY_RANGE:
        assert_non_null(json);
        if (e->feed == CL_CITY_GPS)
            assert_true(number(json, "speed") > 400);
        else
            assert_true(json_number_value(json_array_get(json_object_get(json, "location"), 0)) >
                        90);
        break;
    case CL_CITY_WRONG_TYPE: {
        static const char *const where[CL_CITY_FEEDS] = {"speed", "speed", "snapshot",
                                                         "temperature", "status"};
        bool wants_text = e->feed == CL_CITY_CAMERA || e->feed == CL_CITY_EMERGENCY;
        const json_t *value = json_object_get(json, where[e->feed]);
        assert_non_null(value);
        assert_false(wants_text ? json_is_string(value) : json_is_number(value));
        break;
    }
    default: fail();
    }
    json_decref(json);
}

static void malformed_messages_are_wrong_as_ordered(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(200, 2);
    config.malformed = 0.5;
    struct cl_city *city = a_city(&config);
    for (int feed = 0; feed < CL_CITY_FEEDS; feed++) {
        struct cl_city_cursor *cursor = a_cursor(city, (enum cl_city_feed)feed, 1, 0);
        int seen[CL_CITY_MALFORMED_KINDS] = {0};
        for (int k = 0; k < 3000; k++) {
            struct cl_city_event event = next_event(cursor);
            seen[event.malformed]++;
            if (event.malformed == CL_CITY_WELL_FORMED)
                check_shape(&event);
            else
                check_malformed(&event);
            assert_null(memchr(event.value, '\n', event.value_len));
        }
        for (int kind = 0; kind < CL_CITY_MALFORMED_KINDS; kind++)
            assert_true(seen[kind] > 100);
        cl_city_cursor_free(cursor);
    }
    cl_city_free(city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_have_the_reference_shapes),
        cmocka_unit_test(a_message_is_known),
        cmocka_unit_test(ids_are_unique_uuids),
        cmocka_unit_test(snapshots_are_pictures),
        cmocka_unit_test(malformed_messages_are_wrong_as_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
