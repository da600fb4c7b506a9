/* parquet_driver.c - writes a Parquet file of pseudo-random rows of every type, and says as JSON
 * what is in it, so that other people's readers can be compared with it value for value.
 *
 *     parquet_driver OUT ROWS [SEED [CODEC [PAGE_ROWS [ROW_GROUP_BYTES [BATCH_ROWS
 * [DICTIONARY]]]]]]
 *
 * Standard output: one JSON array a row.  OUT.metrics.json: the struct cl_data_file.
 * In JSON, floats and doubles are their bits in hexadecimal, decimals their unscaled value,
 * binaries hexadecimal, dates days and timestamps microseconds. */
#include "../support/mem_store.h"

#include "base/hash.h"
#include "parquet/parquet_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How values of a column come about. */
enum shape {
    SHAPE_SEQUENCE,
    SHAPE_CONSTANT,
    SHAPE_FEW,     /* a dictionary pays */
    SHAPE_MANY,    /* it does not */
    SHAPE_SPECIAL, /* extremes, NaNs, astral characters, long strings */
    SHAPE_NULL,
    SHAPE_NAN,
    SHAPE_GROWING, /* a dictionary pays at first and not later */
};

struct column {
    struct cl_field field;
    enum shape shape;
    int null_percent;
};

#define COL(name_, type_, shape_, nulls_)                                                          \
    {                                                                                              \
        .field = {.name = (name_), .type = (type_)}, .shape = (shape_), .null_percent = (nulls_)   \
    }
#define DEC(name_, p_, s_, shape_, nulls_)                                                         \
    {                                                                                              \
        .field = {.name = (name_), .type = CL_DECIMAL, .precision = (p_), .scale = (s_)},          \
        .shape = (shape_), .null_percent = (nulls_)                                                \
    }

static struct column columns[] = {
    COL("sequence", CL_LONG, SHAPE_SEQUENCE, -1),
    COL("bool_required", CL_BOOLEAN, SHAPE_MANY, -1),
    COL("bool_optional", CL_BOOLEAN, SHAPE_MANY, 30),
    COL("bool_const", CL_BOOLEAN, SHAPE_CONSTANT, 0),
    COL("int_few", CL_INT, SHAPE_FEW, -1),
    COL("int_many", CL_INT, SHAPE_MANY, 10),
    COL("int_special", CL_INT, SHAPE_SPECIAL, 50),
    COL("long_few", CL_LONG, SHAPE_FEW, 5),
    COL("long_special", CL_LONG, SHAPE_SPECIAL, 0),
    COL("long_growing", CL_LONG, SHAPE_GROWING, 3),
    COL("float_many", CL_FLOAT, SHAPE_MANY, -1),
    COL("float_special", CL_FLOAT, SHAPE_SPECIAL, 20),
    COL("double_many", CL_DOUBLE, SHAPE_MANY, -1),
    COL("double_few", CL_DOUBLE, SHAPE_FEW, 15),
    COL("double_special", CL_DOUBLE, SHAPE_SPECIAL, 20),
    COL("double_nan", CL_DOUBLE, SHAPE_NAN, 20),
    DEC("dec_5_2", 5, 2, SHAPE_FEW, 10),
    DEC("dec_9_0", 9, 0, SHAPE_SPECIAL, -1),
    DEC("dec_18_6", 18, 6, SHAPE_SPECIAL, 10),
    DEC("dec_19_0", 19, 0, SHAPE_MANY, -1),
    DEC("dec_38_10", 38, 10, SHAPE_SPECIAL, 25),
    COL("date_few", CL_DATE, SHAPE_FEW, 0),
    COL("date_many", CL_DATE, SHAPE_MANY, 10),
    COL("time_sequence", CL_TIMESTAMP, SHAPE_SEQUENCE, -1),
    COL("time_special", CL_TIMESTAMP, SHAPE_SPECIAL, 10),
    COL("text_const", CL_STRING, SHAPE_CONSTANT, -1),
    COL("text_few", CL_STRING, SHAPE_FEW, 10),
    COL("text_many", CL_STRING, SHAPE_MANY, -1),
    COL("text_growing", CL_STRING, SHAPE_GROWING, 10),
    COL("text_special", CL_STRING, SHAPE_SPECIAL, 20),
    COL("text_null", CL_STRING, SHAPE_NULL, 100),
    COL("long_null", CL_LONG, SHAPE_NULL, 100),
    COL("bin_few", CL_BINARY, SHAPE_FEW, 10),
    COL("bin_special", CL_BINARY, SHAPE_SPECIAL, 10),
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    return cl_mix64(random_state);
}

static void check(enum cl_code code, const struct cl_error *err)
{
    if (code == CL_OK) return;
    char text[1400];
    fprintf(stderr, "parquet_driver: %s\n", cl_error_text(err, text, sizeof text));
    exit(1);
}

/* A number for integers, dates, times and decimals: `least` to `most` are the type's extremes. */
static __int128 make_number(const struct column *c, int64_t row, __int128 least, __int128 most)
{
    uint64_t r = next_random(), high = next_random();
    __int128 wide = (__int128)((unsigned __int128)high << 64 | next_random()) % most;
    if (wide < least) wide = least;
    switch (c->shape) {
    case SHAPE_SEQUENCE:
        return c->field.type == CL_TIMESTAMP ? 1767600000000000 + row * 1000003 : row;
    case SHAPE_FEW: return (__int128)(r % 50) - 10;
    case SHAPE_GROWING: return row < 30000 ? (__int128)(r % 100) : (__int128)(int64_t)r;
    case SHAPE_SPECIAL:
        if (r % 5 == 0) return least;
        if (r % 5 == 1) return most;
        if (r % 5 == 2) return (__int128)(r % 3) - 1;
        return wide;
    default: return wide;
    }
}

static double make_double(const struct column *c)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, 1e-310, -1.5, 3.4e38, 1.0 / 3};
    uint64_t r = next_random();
    if (c->shape == SHAPE_NAN) return NAN;
    if (c->shape == SHAPE_FEW) return (double)(r % 40) / 10;
    if (c->shape == SHAPE_SPECIAL) return r % 9 == 8 ? (double)NAN : special[r % 9];
    return ((double)(int64_t)r) / 1e12;
}

/* UTF-8 for strings, any bytes for binaries. */
static size_t make_text(const struct column *c, int64_t row, uint8_t *out, size_t room)
{
    static const char *const special[] = {
        "",
        "a",
        "\"\\\n\t\x01",
        "Stra\xc3\x9fy",
        "\xe2\x82\xac",
        "\xf0\x9f\x9a\x97 car",
        "\xf4\x8f\xbf\xbf",
        "zzzzzzzzzzzzzzzzzzzz",
        "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"};
    uint64_t r = next_random();
    if (c->field.type == CL_BINARY && c->shape == SHAPE_SPECIAL) {
        size_t len = r % 97 == 0 ? 40000 : r % 24;
        for (size_t i = 0; i < len; i++)
            out[i] = r % 7 == 0 ? 0xff : (uint8_t)next_random();
        return len;
    }
    if (c->shape == SHAPE_SPECIAL) {
        if (r % 101 == 0) {
            size_t len = 70 + r % 3000;
            for (size_t i = 0; i < len; i++)
                out[i] = (uint8_t)('a' + (i * r) % 26);
            return len;
        }
        return (size_t)snprintf((char *)out, room, "%s",
                                special[r % (sizeof special / sizeof *special)]);
    }
    if (c->shape == SHAPE_CONSTANT) return (size_t)snprintf((char *)out, room, "km/h");
    if (c->shape == SHAPE_FEW)
        return (size_t)snprintf((char *)out, room, "vehicle-%03" PRIu64, r % 300);
    if (c->shape == SHAPE_GROWING && row < 30000)
        return (size_t)snprintf((char *)out, room, "g%" PRIu64, r % 20);
    return (size_t)snprintf((char *)out, room, "%016" PRIx64 "-%08" PRIx64, r,
                            next_random() & 0xffffffff);
}

static void print_decimal(__int128 v)
{
    char text[48], *p = text + sizeof text - 1;
    bool negative = v < 0;
    *p = '\0';
    do {
        int digit = (int)(v % 10);
        *--p = (char)('0' + (digit < 0 ? -digit : digit));
        v /= 10;
    } while (v != 0);
    printf("\"%s%s\"", negative ? "-" : "", p);
}

static void print_text(const uint8_t *text, size_t len, bool hex)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        if (hex)
            printf("%02x", text[i]);
        else if (text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
            printf("\\u%04x", text[i]);
        else
            putchar(text[i]);
    }
    putchar('"');
}

static __int128 power_of_10(int n)
{
    return n == 0 ? 1 : 10 * power_of_10(n - 1);
}

/* Fills the slot of row `slot` and prints it. */
static void make_value(const struct column *c, struct cl_column *col, int32_t slot, int64_t row)
{
    static uint8_t text[65536];
    struct cl_error err;
    if (c->null_percent > 0 && next_random() % 100 < (uint64_t)c->null_percent) {
        cl_column_set_null(col, slot);
        printf("null");
        return;
    }
    switch (c->field.type) {
    case CL_BOOLEAN: {
        bool v = c->shape == SHAPE_CONSTANT || next_random() % 3 == 0;
        cl_column_set_boolean(col, slot, v);
        printf(v ? "true" : "false");
        break;
    }
    case CL_INT:
    case CL_DATE: {
        bool date = c->field.type == CL_DATE; /* years 1 to 9999, which Python can hold */
        int32_t v =
            (int32_t)make_number(c, row, date ? -719162 : INT32_MIN, date ? 2932896 : INT32_MAX);
        cl_column_set_int(col, slot, v);
        printf("%d", v);
        break;
    }
    case CL_LONG:
    case CL_TIMESTAMP: {
        bool time = c->field.type == CL_TIMESTAMP;
        int64_t v = (int64_t)make_number(c, row, time ? -62135596800000000 : INT64_MIN,
                                         time ? 253402300799999999 : INT64_MAX);
        cl_column_set_long(col, slot, v);
        printf("%" PRId64, v);
        break;
    }
    case CL_FLOAT: {
        float v = (float)make_double(c);
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        cl_column_set_float(col, slot, v);
        printf("\"%08x\"", bits);
        break;
    }
    case CL_DOUBLE: {
        double v = make_double(c);
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        cl_column_set_double(col, slot, v);
        printf("\"%016" PRIx64 "\"", bits);
        break;
    }
    case CL_DECIMAL: {
        __int128 most = power_of_10(c->field.precision) - 1, v = make_number(c, row, -most, most);
        cl_column_set_decimal(col, slot, v);
        print_decimal(v);
        break;
    }
    case CL_STRING:
    case CL_BINARY: {
        size_t len = make_text(c, row, text, sizeof text);
        check(cl_column_set_bytes(col, slot, text, len, &err), &err);
        print_text(text, len, c->field.type == CL_BINARY);
        break;
    }
    }
}

static void print_bound(FILE *f, const char *name, const struct cl_bound *b)
{
    fprintf(f, ", \"%s\": ", name);
    if (!b->present) {
        fprintf(f, "null");
        return;
    }
    fputc('"', f);
    for (int i = 0; i < b->len; i++)
        fprintf(f, "%02x", b->bytes[i]);
    fputc('"', f);
}

static void write_metrics(const char *path, const struct cl_data_file *d)
{
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(f, "{\"rows\": %" PRId64 ", \"size_bytes\": %" PRId64 ", \"split_offsets\": [", d->rows,
            d->size_bytes);
    for (size_t i = 0; i < d->n_splits; i++)
        fprintf(f, "%s%" PRId64, i > 0 ? ", " : "", d->split_offsets[i]);
    fprintf(f, "], \"columns\": [");
    for (size_t i = 0; i < d->n_columns; i++) {
        const struct cl_column_metrics *m = &d->columns[i];
        fprintf(f,
                "%s\n{\"field_id\": %d, \"size_bytes\": %" PRId64 ", \"value_count\": %" PRId64
                ", \"null_count\": %" PRId64 ", \"nan_count\": %" PRId64,
                i > 0 ? "," : "", m->field_id, m->size_bytes, m->value_count, m->null_count,
                m->nan_count);
        print_bound(f, "lower", &m->lower);
        print_bound(f, "upper", &m->upper);
        fputc('}', f);
    }
    fprintf(f, "]}\n");
    (void)fclose(f);
}

static void write_rows(struct cl_parquet_writer *w, struct cl_batch *batch, int64_t rows)
{
    struct cl_error err;
    for (int64_t row = 0; row < rows; row++) {
        for (size_t c = 0; c < N_COLUMNS; c++) {
            printf(c == 0 ? "[" : ", ");
            make_value(&columns[c], &batch->columns[c], batch->rows, row);
        }
        printf("]\n");
        cl_batch_commit_row(batch);
        if (batch->rows < batch->capacity && row + 1 < rows) continue;
        check(cl_parquet_writer_write(w, batch, &err), &err);
        cl_batch_reset(batch);
    }
}

static int64_t argument(int argc, char **argv, int i, int64_t otherwise)
{
    return i < argc ? strtoll(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: parquet_driver OUT ROWS [SEED [CODEC [PAGE_ROWS [ROW_GROUP_BYTES "
                        "[BATCH_ROWS [DICTIONARY]]]]]]\n");
        return 2;
    }
    const char *codec = argc > 4 ? argv[4] : "zstd";
    struct cl_parquet_options options = {
        .compression = strcmp(codec, "zstd") == 0     ? CL_COMPRESS_ZSTD
                       : strcmp(codec, "snappy") == 0 ? CL_COMPRESS_SNAPPY
                                                      : CL_COMPRESS_NONE,
        .level = 1,
        .page_rows = (int32_t)argument(argc, argv, 5, 0),
        .row_group_bytes = argument(argc, argv, 6, 128 << 20),
        .dictionary = argument(argc, argv, 8, 1) != 0,
    };
    random_state = (uint64_t)argument(argc, argv, 3, 1);
    struct cl_field fields[N_COLUMNS];
    for (int i = 0; i < N_COLUMNS; i++) {
        fields[i] = columns[i].field;
        fields[i].id = 100 + i;
        fields[i].required = columns[i].null_percent < 0;
    }
    struct cl_schema schema = {.n = N_COLUMNS, .fields = fields};
    struct mem_store store;
    struct cl_error err;
    struct cl_parquet_writer *w;
    struct cl_batch *batch;
    struct cl_data_file file;
    mem_store_init(&store);
    check(cl_parquet_writer_new(&schema, &options, &store.store, "data/x.parquet", &w, &err), &err);
    check(cl_batch_new(&schema, (int32_t)argument(argc, argv, 7, 8192), &batch, &err), &err);
    write_rows(w, batch, argument(argc, argv, 2, 0));
    check(cl_parquet_writer_close(w, &file, &err), &err);
    FILE *out = fopen(argv[1], "wb");
    if (out == NULL || fwrite(store.data, 1, store.len, out) != store.len || fclose(out) != 0) {
        perror(argv[1]);
        return 1;
    }
    char name[4096];
    (void)snprintf(name, sizeof name, "%s.metrics.json", argv[1]);
    write_metrics(name, &file);
    cl_data_file_fini(&file);
    cl_parquet_writer_free(w);
    cl_batch_free(batch);
    mem_store_fini(&store);
    return 0;
}
