/* test_avro.c - the Avro reader against hand-made bytes and the writer; manifests there and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iceberg_test.h"

#include "iceberg/avro_reader.h"
#include "iceberg/avro_value.h"

static const char sync_marker[] = "0123456789abcdef";

static void put_long(struct cl_buf *b, int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; z >= 0x80; z >>= 7)
        assert_int_equal(cl_buf_append_byte(b, (uint8_t)(z | 0x80), NULL), CL_OK);
    assert_int_equal(cl_buf_append_byte(b, (uint8_t)z, NULL), CL_OK);
}

static void put_text(struct cl_buf *b, const char *text)
{
    put_long(b, (int64_t)strlen(text));
    assert_int_equal(cl_buf_append_str(b, text, NULL), CL_OK);
}

/* A file with codec null and one block of `records` records. */
static void make_container(struct cl_buf *b, const char *schema, int64_t records, const void *data,
                           size_t len)
{
    cl_buf_init(b, 1 << 20);
    assert_int_equal(cl_buf_append(b, "Obj\1", 4, NULL), CL_OK);
    put_long(b, -1); /* the form with a size, which our writer does not use */
    put_long(b, (int64_t)strlen(schema) + 13);
    put_text(b, "avro.schema");
    put_text(b, schema);
    put_long(b, 0);
    assert_int_equal(cl_buf_append(b, sync_marker, 16, NULL), CL_OK);
    put_long(b, records);
    put_long(b, (int64_t)len);
    assert_int_equal(cl_buf_append(b, data, len, NULL), CL_OK);
    assert_int_equal(cl_buf_append(b, sync_marker, 16, NULL), CL_OK);
}

static void numbers(void **state)
{
    (void)state;
    static const int64_t values[] = {0, -1, 1, 63, 64, -64, -65, INT32_MAX, INT64_MAX, INT64_MIN};
    struct cl_buf b;
    cl_buf_init(&b, 1000);
    for (size_t i = 0; i < 10; i++)
        put_long(&b, values[i]);
    struct cl_avro_cursor c = {.p = b.data, .end = b.data + b.len};
    for (size_t i = 0; i < 10; i++) {
        int64_t v;
        assert_int_equal(cl_avro_read_long(&c, &v, NULL), CL_OK);
        assert_true(v == values[i]);
    }
    assert_ptr_equal(c.p, c.end);
    cl_buf_fini(&b);
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    for (size_t len = 0; len <= sizeof endless; len++) { /* cut anywhere, and too long */
        int64_t v;
        c = (struct cl_avro_cursor){.p = endless, .end = endless + len};
        assert_int_equal(cl_avro_read_long(&c, &v, NULL), CL_EDATA);
    }
}

static const char every_type[] =
    "{\"type\":\"record\",\"name\":\"a.b.r\",\"fields\":["
    "{\"name\":\"n\",\"type\":\"null\"},{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"f\","
    "\"type\":\"float\"},"
    "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":"
    "\"e\",\"symbols\":[\"x\"]}},"
    "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"fx\",\"size\":3}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"long\"}},"
    "{\"name\":\"u\",\"type\":[\"string\",\"null\",\"fx\"]},"
    "{\"name\":\"next\",\"type\":[\"null\",\"r\"]},"
    "{\"name\":\"nulls\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"
    "{\"name\":\"wanted\",\"type\":[\"long\",\"null\"],\"field-id\":5}]}";

/* One record of every_type whose field `wanted` is v; nested: inside another one. */
static void put_every_type(struct cl_buf *b, int64_t v, bool nested)
{
    static const uint8_t head[] = {1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 'a', 'b', 'c'};
    assert_int_equal(cl_buf_append(b, head, sizeof head, NULL), CL_OK);
    put_long(b, 1); /* map: one pair */
    put_text(b, "key");
    put_long(b, 9);
    put_long(b, 0);
    put_long(b, 2); /* union: the fixed */
    assert_int_equal(cl_buf_append(b, "abc", 3, NULL), CL_OK);
    put_long(b, nested);
    if (nested) put_every_type(b, v - 1, false);
    put_long(b, INT64_MAX); /* as many nulls, in no bytes */
    put_long(b, 0);
    put_long(b, 0); /* union: the long */
    put_long(b, v);
}

static enum cl_code want_field(void *ctx, const struct cl_avro_field *f, struct cl_avro_cursor *c,
                               struct cl_error *err)
{
    bool present;
    if (f->id == 5) return cl_avro_get_long(c, f->type, &present, ctx, err);
    return cl_avro_skip(c, f->type, err);
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    struct cl_buf data, file;
    struct cl_avro_reader r;
    struct cl_error err;
    bool more;
    cl_buf_init(&data, 10000);
    put_every_type(&data, 41, false);
    put_every_type(&data, 43, true);
    make_container(&file, every_type, 2, data.data, data.len);
    assert_int_equal(cl_avro_open(&r, file.data, file.len, &err), CL_OK);
    for (int64_t expected = 41; expected <= 43; expected += 2) {
        int64_t got = 0;
        assert_int_equal(cl_avro_next(&r, &more, &err), CL_OK);
        assert_true(more);
        assert_int_equal(cl_avro_get_record(&r.record, r.schema, NULL, want_field, &got, &err),
                         CL_OK);
        assert_int_equal(got, expected);
    }
    assert_int_equal(cl_avro_next(&r, &more, &err), CL_OK);
    assert_false(more);
    cl_avro_close(&r);
    cl_buf_fini(&file);
    cl_buf_fini(&data);
}

/* Skips every record; what open, next or skip says first. */
static enum cl_code skip_all(const uint8_t *data, size_t len, struct cl_error *err)
{
    struct cl_avro_reader r;
    enum cl_code code = cl_avro_open(&r, data, len, err);
    if (code != CL_OK) return code;
    for (bool more = true; code == CL_OK;) {
        code = cl_avro_next(&r, &more, err);
        if (code != CL_OK || !more) break;
        code = cl_avro_skip(&r.record, r.schema, err);
    }
    cl_avro_close(&r);
    return code;
}

static void every_cut_is_an_error(void **state)
{
    (void)state;
    struct cl_buf data, file;
    struct cl_error err;
    cl_buf_init(&data, 10000);
    put_every_type(&data, 41, true);
    make_container(&file, every_type, 1, data.data, data.len);
    assert_int_equal(skip_all(file.data, file.len, &err), CL_OK);
    size_t header =
        file.len - data.len - 16 - 3; /* a file that ends after its header has no records: valid */
    for (size_t len = 0; len < file.len; len++) {
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, file.data, len);
        enum cl_code code = skip_all(exact, len, &err);
        if (code != (len == header ? CL_OK : CL_EDATA))
            fail_msg("cut at %zu of %zu (header %zu): %d", len, file.len, header, (int)code);
        free(exact);
    }
    cl_buf_fini(&file);
    cl_buf_fini(&data);
}

static void hostile_files_end_soon(void **state)
{
    (void)state;
    struct cl_buf file, bomb;
    struct cl_error err;
    /* 2^62 records of no bytes */
    make_container(&file, "\"null\"", INT64_MAX / 2, "", 0);
    assert_int_equal(skip_all(file.data, file.len, &err), CL_EDATA);
    cl_buf_fini(&file);
    /* a record that contains itself, with no end */
    make_container(&file,
                   "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"r\"}"
                   ",{\"name\":\"b\",\"type\":\"r\"}]}",
                   1, "x", 1);
    assert_int_equal(skip_all(file.data, file.len, &err), CL_EDATA);
    cl_buf_fini(&file);
    /* 2^40 empty records inside one */
    cl_buf_init(&bomb, 100000);
    assert_int_equal(
        cl_buf_append_str(&bomb, "{\"type\":\"record\",\"name\":\"r0\",\"fields\":[]}", &err),
        CL_OK);
    for (int i = 1; i <= 40; i++) {
        char *inner = calloc(1, bomb.len + 1);
        assert_non_null(inner);
        memcpy(inner, bomb.data, bomb.len);
        cl_buf_reset(&bomb);
        assert_int_equal(
            cl_buf_printf(
                &bomb, &err,
                "{\"type\":\"record\",\"name\":\"r%d\",\"fields\":[{\"name\":\"a\",\"type\":%s},"
                "{\"name\":\"b\",\"type\":\"r%d\"}]}",
                i, inner, i - 1),
            CL_OK);
        free(inner);
    }
    assert_int_equal(cl_buf_append_byte(&bomb, 0, &err), CL_OK);
    make_container(&file, (const char *)bomb.data, 1, "", 0);
    assert_int_equal(skip_all(file.data, file.len, &err), CL_EDATA);
    cl_buf_fini(&bomb);
    cl_buf_fini(&file);
}

static void bad_schemas_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *message;
    } cases[] = {
        {"{", "not JSON"},
        {"\"date\"", "unknown type \"date\""},
        {"{\"type\":\"record\",\"name\":\"r\"}", "without fields"},
        {"{\"type\":\"record\",\"fields\":[]}", "without a name"},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"type\":\"int\"}]}",
         "field without a name"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}", "bad size"},
        {"17", "neither a name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cl_buf file;
        struct cl_error err;
        make_container(&file, cases[i].schema, 1, "", 0);
        assert_int_equal(skip_all(file.data, file.len, &err), CL_EDATA);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s: %s", cases[i].schema, err.message);
        cl_buf_fini(&file);
    }
}

/* ---- manifests ---- */

struct seen {
    int n;
    struct cl_manifest_entry last;
    int64_t sizes[3];
};

static enum cl_code see(void *ctx, const struct cl_manifest_entry *e, struct cl_error *err)
{
    struct seen *s = ctx;
    (void)err;
    s->n++;
    s->last = *e;
    for (size_t i = 0; i < e->column_sizes.n && i < 3; i++)
        s->sizes[i] = e->column_sizes.items[i].value;
    assert_memory_equal(e->path.data, "file:///x", 9);
    assert_memory_equal(e->format.data, "PARQUET", 7);
    assert_int_equal(e->lower.n, 1);
    assert_int_equal(e->lower.items[0].id, 3);
    assert_int_equal(e->lower.items[0].value.len, 2);
    assert_int_equal(e->split_offsets.n, 1);
    return CL_OK;
}

static struct cl_manifest_entry entry_of(int i, struct cl_id_long *sizes, struct cl_id_bytes *bound,
                                         struct cl_id_long *split)
{
    for (int k = 0; k < 3; k++)
        sizes[k] = (struct cl_id_long){.id = k + 1, .value = i * 10 + k};
    *bound = (struct cl_id_bytes){.id = 3, .value = {.data = (const uint8_t *)"ab", .len = 2}};
    *split = (struct cl_id_long){.value = 4};
    return (struct cl_manifest_entry){
        .status = i % 3,
        .snapshot_id = i % 2 == 0 ? CL_MANIFEST_NULL : 77,
        .sequence_number = i % 3 == 1 ? CL_MANIFEST_NULL : i,
        .file_sequence_number = CL_MANIFEST_NULL,
        .path = {.data = (const uint8_t *)"file:///x", .len = 9},
        .format = {.data = (const uint8_t *)"PARQUET", .len = 7},
        .has_partition = i % 5 != 0,
        .partition_value = i - 50,
        .rows = i,
        .size_bytes = 100,
        .column_sizes = {.items = sizes, .n = 3, .present = true},
        .lower = {.items = bound, .n = 1, .present = true},
        .split_offsets = {.items = split, .n = 1, .present = true},
        .sort_order_id = CL_MANIFEST_NULL,
    };
}

static void manifest_there_and_back(void **state)
{
    (void)state;
    enum { ENTRIES = 3000 }; /* several blocks */
    struct cl_partition_field day = {
        .transform = CL_PARTITION_DAY, .source_id = 2, .field_id = 1000, .name = "9t-day\xc3\xbc"};
    struct cl_manifest_writer w;
    struct cl_error err;
    assert_int_equal(cl_manifest_writer_init(&w, &day, 3, "{}", "[]", &err), CL_OK);
    for (int i = 0; i < ENTRIES; i++) {
        struct cl_id_long sizes[3], split;
        struct cl_id_bytes bound;
        struct cl_manifest_entry e = entry_of(i, sizes, &bound, &split);
        assert_int_equal(cl_manifest_writer_add(&w, &e, &err), CL_OK);
    }
    assert_int_equal(cl_manifest_writer_finish(&w, &err), CL_OK);
    assert_int_equal(w.file.added_files + w.file.existing_files + w.file.deleted_files, ENTRIES);
    assert_int_equal(w.file.added_rows + w.file.existing_rows + w.file.deleted_rows,
                     ENTRIES * (ENTRIES - 1) / 2);
    assert_int_equal(w.file.min_sequence_number, 0);
    assert_true(w.file.partitions[0].contains_null);
    static const uint8_t lower[] = {0xcf, 0xff, 0xff, 0xff}; /* -49 */
    assert_memory_equal(w.file.partitions[0].lower.data, lower, 4);

    struct cl_manifest_file from = {.sequence_number = 12, .added_snapshot_id = 99};
    struct seen s = {.n = 0};
    assert_int_equal(cl_manifest_read(w.avro.out.data, w.avro.out.len, &from, 1000, see, &s, &err),
                     CL_OK);
    assert_int_equal(s.n, ENTRIES);
    assert_int_equal(s.last.status, (ENTRIES - 1) % 3);
    assert_int_equal(s.last.rows, ENTRIES - 1);
    assert_int_equal(s.last.partition_value, ENTRIES - 1 - 50);
    assert_true(s.last.has_partition);
    assert_int_equal(s.sizes[2], (ENTRIES - 1) * 10 + 2);
    assert_true(s.last.sort_order_id == CL_MANIFEST_NULL);
    assert_null(s.last.key_metadata.data);
    assert_false(s.last.upper.present);
    s.n = 0; /* without the field's id the partition is not read */
    assert_int_equal(cl_manifest_read(w.avro.out.data, w.avro.out.len, &from, -1, see, &s, &err),
                     CL_OK);
    assert_false(s.last.has_partition);
    cl_manifest_writer_fini(&w);
}

static enum cl_code collect(void *ctx, const struct cl_manifest_entry *e, struct cl_error *err)
{
    struct cl_manifest_entry *out = ctx;
    (void)err;
    out[e->rows] = *e;
    return CL_OK;
}

static void nulls_inherit_from_the_manifest(void **state)
{
    (void)state;
    struct cl_partition_field none = {.transform = CL_PARTITION_NONE};
    struct cl_manifest_writer w;
    struct cl_error err;
    assert_int_equal(cl_manifest_writer_init(&w, &none, 0, "{}", "[]", &err), CL_OK);
    for (int i = 0; i < 6; i++) {
        struct cl_id_long sizes[3], split;
        struct cl_id_bytes bound;
        struct cl_manifest_entry e = entry_of(i, sizes, &bound, &split);
        e.sequence_number = i < 3 ? CL_MANIFEST_NULL : i;
        assert_int_equal(cl_manifest_writer_add(&w, &e, &err), CL_OK);
    }
    assert_int_equal(cl_manifest_writer_finish(&w, &err), CL_OK);
    struct cl_manifest_file from = {.sequence_number = 12, .added_snapshot_id = 99};
    struct cl_manifest_entry got[6];
    assert_int_equal(
        cl_manifest_read(w.avro.out.data, w.avro.out.len, &from, -1, collect, got, &err), CL_OK);
    assert_int_equal(got[0].snapshot_id, 99);
    assert_int_equal(got[1].snapshot_id, 77);
    assert_true(got[0].sequence_number ==
                CL_MANIFEST_NULL);                /* status EXISTING: nothing to inherit */
    assert_int_equal(got[1].sequence_number, 12); /* status ADDED */
    assert_int_equal(got[4].sequence_number, 4);
    from.sequence_number = 0; /* a version 1 manifest: everything is 0 */
    assert_int_equal(
        cl_manifest_read(w.avro.out.data, w.avro.out.len, &from, -1, collect, got, &err), CL_OK);
    assert_int_equal(got[0].sequence_number, 0);
    cl_manifest_writer_fini(&w);
}

static void broken_manifests_do_not_pass(void **state)
{
    (void)state;
    struct cl_partition_field none = {.transform = CL_PARTITION_NONE};
    struct cl_manifest_writer w;
    struct cl_error err;
    struct cl_manifest_entry got[8];
    struct cl_manifest_file from = {.sequence_number = 1};
    assert_int_equal(cl_manifest_writer_init(&w, &none, 0, "{}", "[]", &err), CL_OK);
    for (int i = 0; i < 6; i++) {
        struct cl_id_long sizes[3], split;
        struct cl_id_bytes bound;
        struct cl_manifest_entry e = entry_of(i, sizes, &bound, &split);
        assert_int_equal(cl_manifest_writer_add(&w, &e, &err), CL_OK);
    }
    assert_int_equal(cl_manifest_writer_finish(&w, &err), CL_OK);
    size_t len = w.avro.out.len;
    int refused = 0;
    for (size_t cut = 0; cut < len; cut++)
        refused += cl_manifest_read(w.avro.out.data, cut, &from, -1, collect, got, &err) != CL_OK;
    assert_int_equal(
        refused,
        len - 1); /* all but the cut right after the header, where no entry is lost visibly */
    w.avro.out.data[len - 3] ^= 1; /* sync marker */
    assert_int_equal(cl_manifest_read(w.avro.out.data, len, &from, -1, collect, got, &err),
                     CL_EDATA);
    cl_manifest_writer_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(hostile_files_end_soon),
        cmocka_unit_test(bad_schemas_are_named),
        cmocka_unit_test(manifest_there_and_back),
        cmocka_unit_test(nulls_inherit_from_the_manifest),
        cmocka_unit_test(broken_manifests_do_not_pass),
    };
    return cmocka_run_group_tests_name("avro", tests, NULL, NULL);
}
