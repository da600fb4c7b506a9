/* test_metadata.c - table metadata: create, parse, refuse, keep what is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iceberg_test.h"

static struct temp_lake lake;

static int setup(void **state)
{
    (void)state;
    temp_lake_open(&lake);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_lake_close(&lake);
    return 0;
}

static struct cl_metadata *reparse(const struct cl_metadata *m)
{
    struct cl_buf b;
    struct cl_error err;
    struct cl_metadata *again = NULL;
    cl_buf_init(&b, 1 << 24);
    assert_int_equal(cl_metadata_serialize(m, &b, &err), CL_OK);
    if (cl_metadata_parse("again", b.data, b.len, &again, &err) != CL_OK)
        fail_msg("%s", err.message);
    cl_buf_fini(&b);
    return again;
}

static void a_new_table_has_every_member(void **state)
{
    (void)state;
    static const char *const members[] = {"format-version",
                                          "table-uuid",
                                          "location",
                                          "last-sequence-number",
                                          "last-updated-ms",
                                          "last-column-id",
                                          "schemas",
                                          "current-schema-id",
                                          "partition-specs",
                                          "default-spec-id",
                                          "last-partition-id",
                                          "sort-orders",
                                          "properties",
                                          "snapshots",
                                          "snapshot-log",
                                          "default-sort-order-id",
                                          "metadata-log",
                                          "refs",
                                          "current-snapshot-id"};
    struct cl_property p = {.key = "owner", .value = "city"};
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, &p, 1), *again = reparse(m);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_object_get(again->json, members[i]) == NULL) fail_msg("%s is missing", members[i]);
    assert_int_equal(json_integer_value(json_object_get(again->json, "last-column-id")), 7);
    assert_int_equal(json_integer_value(json_object_get(again->json, "last-partition-id")), 1000);
    assert_int_equal(strlen(again->uuid), 36);
    assert_int_equal(again->schema.n, 4);
    assert_string_equal(again->schema.fields[0].doc, "who");
    assert_true(again->schema.fields[0].required);
    assert_false(again->schema.fields[2].required);
    assert_int_equal(again->schema.fields[3].id, 7);
    assert_int_equal(again->schema.fields[3].type, CL_DECIMAL);
    assert_int_equal(again->schema.fields[3].precision, 9);
    assert_int_equal(again->schema.fields[3].scale, 2);
    assert_int_equal(again->partition.transform, CL_PARTITION_DAY);
    assert_int_equal(again->partition.source_id, 2);
    assert_int_equal(again->partition.field_id, 1000);
    assert_string_equal(again->partition.name, "timestamp_day");
    assert_string_equal(cl_metadata_property(again, "owner"), "city");
    assert_null(cl_metadata_current(again));
    assert_null(cl_metadata_as_of(again, INT64_MAX));
    cl_metadata_free(again);
    cl_metadata_free(m);
}

static void an_unpartitioned_table(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_NONE, NULL, 0);
    assert_int_equal(m->partition.transform, CL_PARTITION_NONE);
    assert_int_equal(json_integer_value(json_object_get(m->json, "last-partition-id")), 999);
    cl_metadata_free(m);
}

static void a_partition_name_must_be_free(void **state)
{
    (void)state;
    struct cl_field fields[] = {{.id = 1, .name = "t", .type = CL_TIMESTAMP},
                                {.id = 2, .name = "t_day", .type = CL_DATE}};
    struct cl_schema schema = {.n = 2, .fields = fields};
    struct cl_metadata *m;
    struct cl_error err;
    assert_int_equal(
        cl_metadata_create("file:///x", &schema, CL_PARTITION_DAY, 0, NULL, 0, &m, &err),
        CL_EINVAL);
    assert_non_null(strstr(err.message, "t_day"));
    assert_int_equal(
        cl_metadata_create("file:///x", &schema, CL_PARTITION_DAY, 2, NULL, 0, &m, &err),
        CL_EINVAL);
}

/* A small valid document whose parts can be replaced. */
static json_t *document(void)
{
    static const char text[] =
        "{\"format-version\":2,\"table-uuid\":\"u\",\"location\":\"file:///"
        "t\",\"last-sequence-number\":3,\"last-updated-ms\":5000,"
        "\"last-column-id\":2,\"schemas\":[{\"type\":\"struct\",\"schema-id\":4,\"fields\":["
        "{\"id\":1,\"name\":\"a\",\"type\":\"decimal(9,2)\",\"required\":true},{\"id\":2,\"name\":"
        "\"t\",\"type\":\"timestamp\"}]}],"
        "\"current-schema-id\":4,\"partition-specs\":[{\"spec-id\":0,\"fields\":[{\"source-id\":2,"
        "\"field-id\":1000,\"name\":\"h\","
        "\"transform\":\"hour\"}]}],\"default-spec-id\":0,\"x-unknown\":{\"deep\":[1,2.5,null]},"
        "\"current-snapshot-id\":12,"
        "\"snapshots\":[{\"snapshot-id\":12,\"parent-snapshot-id\":11,\"sequence-number\":3,"
        "\"timestamp-ms\":3000,\"manifest-list\":"
        "\"l12\",\"summary\":{\"operation\":\"append\"}},{\"snapshot-id\":11,\"sequence-number\":1,"
        "\"timestamp-ms\":1000,"
        "\"manifest-list\":\"l11\"}],\"snapshot-log\":[{\"snapshot-id\":11,\"timestamp-ms\":1000},{"
        "\"snapshot-id\":12,"
        "\"timestamp-ms\":3000},{\"snapshot-id\":11,\"timestamp-ms\":4000},{\"snapshot-id\":12,"
        "\"timestamp-ms\":4500}]}";
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    return j;
}

static void somebody_elses_document(void **state)
{
    (void)state;
    struct cl_metadata *m = NULL;
    struct cl_error err;
    assert_int_equal(cl_metadata_from_json("t", document(), &m, &err), CL_OK);
    assert_int_equal(m->schema_id, 4);
    assert_int_equal(m->partition.transform, CL_PARTITION_HOUR);
    assert_int_equal(m->n_snapshots, 2);
    assert_int_equal(m->snapshots[0].id, 11); /* oldest first */
    assert_int_equal(m->snapshots[0].parent_id, -1);
    assert_int_equal(m->snapshots[1].parent_id, 11);
    assert_string_equal(cl_snapshot_summary(&m->snapshots[1], "operation"), "append");
    assert_null(cl_snapshot_summary(&m->snapshots[0], "operation"));
    /* The log has a rollback and a roll forward. */
    static const struct {
        int64_t time, id;
    } cases[] = {{999, -1}, {1000, 11}, {2999, 11}, {3000, 12}, {4200, 11}, {9999, 12}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct cl_snapshot *s = cl_metadata_as_of(m, cases[i].time);
        assert_int_equal(s == NULL ? -1 : s->id, cases[i].id);
    }
    struct cl_metadata *again = reparse(m);
    assert_true(json_equal(m->json, again->json)); /* x-unknown too */
    cl_metadata_free(again);
    cl_metadata_free(m);
}

/* Replaces the member at a path like "schemas/0/fields/0/type" by JSON text; "" removes it. */
static void edit(json_t *j, const char *path, const char *value)
{
    char part[64];
    for (;;) {
        size_t len = strcspn(path, "/");
        (void)snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (path[len] == '\0') break;
        j = json_is_array(j) ? json_array_get(j, (size_t)atoi(part)) : json_object_get(j, part);
        assert_non_null(j);
        path += len + 1;
    }
    if (*value == '\0')
        assert_int_equal(json_object_del(j, part), 0);
    else
        assert_int_equal(json_object_set_new(j, part, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
}

static void bad_documents_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value;
        enum cl_code code;
        const char *message;
    } cases[] = {
        {"format-version", "", CL_EDATA, "\"format-version\" is missing"},
        {"format-version", "3", CL_EUNSUPPORTED, "format version 3"},
        {"format-version", "1", CL_EUNSUPPORTED, "upgrade"},
        {"table-uuid", "", CL_EDATA, "\"table-uuid\" is missing"},
        {"table-uuid", "7", CL_EDATA, "not text"},
        {"location", "", CL_EDATA, "location"},
        {"last-sequence-number", "-1", CL_EDATA, "out of range"},
        {"last-sequence-number", "9223372036854775807", CL_EDATA, "out of range"},
        {"last-updated-ms", "1.5", CL_EDATA, "not a whole number"},
        {"schemas", "{}", CL_EDATA, "not a list"},
        {"current-schema-id", "5", CL_EDATA, "current schema 5"},
        {"schemas/0/fields/0/type", "\"uuid\"", CL_EUNSUPPORTED, "column \"a\" has the type uuid"},
        {"schemas/0/fields/0/type", "\"timestamptz\"", CL_EUNSUPPORTED, "timestamptz"},
        {"schemas/0/fields/0/type", "\"decimal(39,2)\"", CL_EUNSUPPORTED, "decimal(39,2)"},
        {"schemas/0/fields/0/type", "\"decimal(9,2)x\"", CL_EUNSUPPORTED, "decimal(9,2)x"},
        {"schemas/0/fields/0/type", "{\"type\":\"list\",\"element\":\"int\"}", CL_EUNSUPPORTED,
         "type list"},
        {"schemas/0/fields/0/type", "17", CL_EDATA, "no type"},
        {"schemas/0/fields/0/id", "0", CL_EDATA, "field id 0"},
        {"default-spec-id", "1", CL_EDATA, "partition spec 1"},
        {"partition-specs/0/fields/0/transform", "\"bucket[16]\"", CL_EUNSUPPORTED, "bucket[16]"},
        {"partition-specs/0/fields", "[{},{}]", CL_EUNSUPPORTED, "2 fields"},
        {"current-snapshot-id", "99", CL_EDATA, "current snapshot 99"},
        {"snapshots/0/snapshot-id", "11", CL_EDATA, "twice"},
        {"snapshots/0/manifest-list", "", CL_EDATA, "no manifest list"},
        {"snapshots/0/summary/operation", "4", CL_EDATA, "operation"},
        {"snapshots", "7", CL_EDATA, "snapshots"},
        {"properties", "{\"a\":1}", CL_EDATA, "\"a\" in \"properties\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cl_metadata *m = NULL;
        struct cl_error err = {.message = ""};
        json_t *j = document();
        if (strcmp(cases[i].path, "current-snapshot-id") != 0 &&
            strncmp(cases[i].path, "snapshots", 9) == 0)
            edit(j, "current-snapshot-id", "-1");
        edit(j, cases[i].path, cases[i].value);
        enum cl_code code = cl_metadata_from_json("v7.metadata.json", j, &m, &err);
        if (code != cases[i].code || strstr(err.message, cases[i].message) == NULL ||
            strstr(err.message, "v7.metadata.json") == NULL)
            fail_msg("%s = %s: %d: %s", cases[i].path, cases[i].value, (int)code, err.message);
    }
}

static void broken_json_has_a_place(void **state)
{
    (void)state;
    struct cl_metadata *m;
    struct cl_error err;
    static const char text[] = "{\"format-version\": 2,\n \"table-uuid\": }";
    assert_int_equal(
        cl_metadata_parse("v1.metadata.json", (const uint8_t *)text, strlen(text), &m, &err),
        CL_EDATA);
    assert_non_null(strstr(err.message, "line 2"));
    assert_int_equal(cl_metadata_parse("v1.metadata.json", (const uint8_t *)"", 0, &m, &err),
                     CL_EDATA);
    assert_int_equal(cl_metadata_parse("v1.metadata.json", (const uint8_t *)"[]", 2, &m, &err),
                     CL_EDATA);
}

static void the_metadata_log_is_cut(void **state)
{
    (void)state;
    struct cl_property p = {.key = "write.metadata.previous-versions-max", .value = "3"};
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_NONE, &p, 1);
    struct cl_error err;
    for (int i = 1; i <= 5; i++) {
        struct cl_buf b;
        char file[32];
        struct cl_metadata *next = NULL;
        (void)snprintf(file, sizeof file, "v%d", i);
        cl_buf_init(&b, 1 << 20);
        assert_int_equal(cl_metadata_serialize_next(m, m, file, &b, &err), CL_OK);
        assert_int_equal(cl_metadata_parse("next", b.data, b.len, &next, &err), CL_OK);
        cl_buf_fini(&b);
        cl_metadata_free(m);
        m = next;
    }
    const json_t *log = json_object_get(m->json, "metadata-log");
    assert_int_equal(json_array_size(log), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(log, 0), "metadata-file")),
                        "v3");
    assert_string_equal(json_string_value(json_object_get(json_array_get(log, 2), "metadata-file")),
                        "v5");
    cl_metadata_free(m);
}

/* A gap in the middle would be committed as the table's metadata. */
static void no_part_is_lost_in_a_small_buffer(void **state)
{
    (void)state;
    struct cl_metadata *m = make_table(lake.store, CL_PARTITION_DAY, NULL, 0);
    struct cl_buf whole;
    cl_buf_init(&whole, 1 << 20);
    assert_int_equal(cl_metadata_serialize(m, &whole, NULL), CL_OK);
    for (size_t max = 0; max < whole.len; max++) {
        struct cl_buf b;
        struct cl_error err;
        cl_buf_init(&b, max);
        assert_int_equal(cl_metadata_serialize(m, &b, &err), CL_ELIMIT);
        assert_int_equal(b.len, 0);
        cl_buf_fini(&b);
    }
    cl_buf_fini(&whole);
    cl_metadata_free(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_table_has_every_member),  TEST(an_unpartitioned_table),
        TEST(a_partition_name_must_be_free), TEST(somebody_elses_document),
        TEST(bad_documents_are_named),       TEST(broken_json_has_a_place),
        TEST(the_metadata_log_is_cut),       TEST(no_part_is_lost_in_a_small_buffer),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
