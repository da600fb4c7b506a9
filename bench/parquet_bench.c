/* parquet_bench.c - what the Parquet writer costs: rows/s, MB/s and bytes a row, whole and column
 * by column.
 *
 *     parquet_bench [ROWS [CODEC [LEVEL [PAGE_ROWS]]]]      CODEC: zstd (default), snappy, none
 *
 * Rows are like the reference's vehicle event.  They are made before the clock starts; the store
 * throws the bytes away. Time is CPU time of the process, the best of three runs. */
#include "base/clock.h"
#include "base/hash.h"
#include "parquet/parquet_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH_ROWS = 8192, VEHICLES = 1000, RUNS = 3 };

enum {
    ID,
    VEHICLE,
    TIME,
    LATITUDE,
    LONGITUDE,
    SPEED,
    DIRECTION,
    MAKE,
    MODEL,
    YEAR,
    FUEL,
    PARTITION,
    OFFSET,
    INGESTED,
    N_COLUMNS
};

static struct cl_field fields[N_COLUMNS] = {
    [ID] = {1, "id", CL_STRING, 0, 0, true, NULL},
    [VEHICLE] = {2, "vehicle_id", CL_STRING, 0, 0, true, NULL},
    [TIME] = {3, "timestamp", CL_TIMESTAMP, 0, 0, true, NULL},
    [LATITUDE] = {4, "latitude", CL_DOUBLE, 0, 0, false, NULL},
    [LONGITUDE] = {5, "longitude", CL_DOUBLE, 0, 0, false, NULL},
    [SPEED] = {6, "speed", CL_DOUBLE, 0, 0, false, NULL},
    [DIRECTION] = {7, "direction", CL_STRING, 0, 0, false, NULL},
    [MAKE] = {8, "make", CL_STRING, 0, 0, false, NULL},
    [MODEL] = {9, "model", CL_STRING, 0, 0, false, NULL},
    [YEAR] = {10, "year", CL_INT, 0, 0, false, NULL},
    [FUEL] = {11, "fuel_type", CL_STRING, 0, 0, false, NULL},
    [PARTITION] = {12, "_partition", CL_INT, 0, 0, true, NULL},
    [OFFSET] = {13, "_offset", CL_LONG, 0, 0, true, NULL},
    [INGESTED] = {14, "_ingested_at", CL_TIMESTAMP, 0, 0, true, NULL},
};
static const struct cl_schema schema = {.n = N_COLUMNS, .fields = fields};

struct vehicle {
    double latitude, longitude, speed;
};

static uint64_t random_state = 42;

static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    return cl_mix64(random_state);
}

static double uniform(void)
{
    return (double)(next_random() >> 11) * 0x1p-53;
}

static void check(enum cl_code code, const struct cl_error *err)
{
    if (code == CL_OK) return;
    char text[1400];
    fprintf(stderr, "parquet_bench: %s\n", cl_error_text(err, text, sizeof text));
    exit(1);
}

static void set_text(struct cl_column *col, int32_t row, const char *text)
{
    struct cl_error err;
    check(cl_column_set_bytes(col, row, text, strlen(text), &err), &err);
}

/* Vehicles report in turn, one tick of the city a second, as the simulator does. */
static void make_row(struct cl_batch *b, int64_t n, struct vehicle *vehicles)
{
    static const char *const directions[] = {"North-East", "North", "South", "West"};
    static const char *const models[] = {"C500", "i3", "Golf", "Zoe"};
    char text[64];
    int32_t row = b->rows;
    struct vehicle *v = &vehicles[n % VEHICLES];
    uint64_t a = next_random(), c = next_random();
    (void)snprintf(text, sizeof text,
                   "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-a%03" PRIx64 "-%012" PRIx64, a >> 32,
                   a >> 16 & 0xffff, a & 0xfff, c >> 52, c & 0xffffffffffff);
    set_text(&b->columns[ID], row, text);
    (void)snprintf(text, sizeof text, "vehicle-%05" PRId64, n % VEHICLES);
    set_text(&b->columns[VEHICLE], row, text);
    cl_column_set_long(&b->columns[TIME], row,
                       1767600000000000 + n / VEHICLES * 1000000 + (int64_t)(a % 1000) * 1000);
    v->latitude += (uniform() - 0.5) * 1e-3;
    v->longitude += (uniform() - 0.5) * 1e-3;
    v->speed = uniform() * 90 + 10;
    cl_column_set_double(&b->columns[LATITUDE], row, v->latitude);
    cl_column_set_double(&b->columns[LONGITUDE], row, v->longitude);
    cl_column_set_double(&b->columns[SPEED], row, v->speed);
    set_text(&b->columns[DIRECTION], row, directions[a >> 8 & 3]);
    set_text(&b->columns[MAKE], row, "BMW");
    set_text(&b->columns[MODEL], row, models[n % VEHICLES % 4]);
    cl_column_set_int(&b->columns[YEAR], row, 2000 + (int)(n % VEHICLES % 25));
    set_text(&b->columns[FUEL], row, "Hybrid");
    cl_column_set_int(&b->columns[PARTITION], row, (int32_t)(n / 500 % 4));
    cl_column_set_long(&b->columns[OFFSET], row, 1000000 + n / 4);
    cl_column_set_long(&b->columns[INGESTED], row, 1767600001000000 + n / BATCH_ROWS * 20011);
    cl_batch_commit_row(b);
}

/* ---- a store that keeps nothing ---- */

static enum cl_code sink_create(struct cl_store *s, const char *path, struct cl_outfile **ret,
                                struct cl_error *err)
{
    (void)path;
    struct cl_outfile *f = calloc(1, sizeof *f);
    if (f == NULL) return cl_fail_nomem(err);
    f->store = s;
    *ret = f;
    return CL_OK;
}

static enum cl_code sink_write(struct cl_outfile *f, const void *data, size_t len,
                               struct cl_error *err)
{
    (void)data;
    (void)err;
    f->size += (int64_t)len;
    return CL_OK;
}

static enum cl_code sink_finish(struct cl_outfile *f, struct cl_error *err)
{
    (void)err;
    free(f);
    return CL_OK;
}

static void sink_abort(struct cl_outfile *f)
{
    free(f);
}

static const struct cl_store_ops sink_ops = {.name = "sink",
                                             .create = sink_create,
                                             .write = sink_write,
                                             .finish = sink_finish,
                                             .abort = sink_abort};

struct result {
    int64_t cpu_us, file_bytes, memory_bytes;
};

static struct result run(const struct cl_schema *s, struct cl_batch *const *batches, size_t n,
                         size_t first_column, const struct cl_parquet_options *options)
{
    struct result best = {.cpu_us = INT64_MAX};
    struct cl_store store = {.ops = &sink_ops};
    for (int i = 0; i < RUNS; i++) {
        struct cl_error err;
        struct cl_parquet_writer *w;
        struct cl_data_file file;
        int64_t start = cl_clock_cpu_us();
        check(cl_parquet_writer_new(s, options, &store, "x", &w, &err), &err);
        for (size_t b = 0; b < n; b++) {
            struct cl_batch part = *batches[b];
            part.schema = s;
            part.columns += first_column;
            check(cl_parquet_writer_write(w, &part, &err), &err);
        }
        int64_t memory = cl_parquet_writer_memory_bytes(w);
        check(cl_parquet_writer_close(w, &file, &err), &err);
        int64_t cpu = cl_clock_cpu_us() - start;
        if (cpu < best.cpu_us) best = (struct result){cpu, file.size_bytes, memory};
        cl_data_file_fini(&file);
        cl_parquet_writer_free(w);
    }
    return best;
}

static void report(const char *name, const struct result *r, int64_t rows, size_t plain_bytes)
{
    double seconds = (double)r->cpu_us / 1e6;
    printf("%-14s %9.2f %9.1f %9.1f %9.2f %9.1f\n", name, (double)rows / seconds / 1e6,
           seconds * 1e9 / (double)rows, (double)plain_bytes / seconds / 1e6,
           (double)r->file_bytes / (double)rows, (double)r->memory_bytes / 1e6);
}

static size_t column_bytes(struct cl_batch *const *batches, size_t n, size_t column)
{
    size_t bytes = 0;
    for (size_t b = 0; b < n; b++) {
        const struct cl_column *col = &batches[b]->columns[column];
        size_t rows = (size_t)batches[b]->rows;
        bytes += col->offsets != NULL ? (size_t)col->offsets[rows] + 4 * rows
                                      : cl_type_width(col->type) * rows;
    }
    return bytes;
}

int main(int argc, char **argv)
{
    int64_t rows = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000000;
    const char *codec = argc > 2 ? argv[2] : "zstd";
    struct cl_parquet_options options = {
        .compression = strcmp(codec, "snappy") == 0 ? CL_COMPRESS_SNAPPY
                       : strcmp(codec, "none") == 0 ? CL_COMPRESS_NONE
                                                    : CL_COMPRESS_ZSTD,
        .level = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1,
        .page_rows = argc > 4 ? (int32_t)strtol(argv[4], NULL, 10) : 0,
        .row_group_bytes = 128 << 20,
        .dictionary = true,
    };
    struct cl_error err;
    size_t n = (size_t)((rows + BATCH_ROWS - 1) / BATCH_ROWS);
    struct cl_batch **batches = calloc(n + 1, sizeof(struct cl_batch *));
    struct vehicle *vehicles = calloc(VEHICLES, sizeof *vehicles);
    if (batches == NULL || vehicles == NULL) {
        free(batches);
        free(vehicles);
        return 1;
    }
    for (int i = 0; i < VEHICLES; i++)
        vehicles[i] = (struct vehicle){.latitude = 52 + uniform(), .longitude = 10 + uniform()};
    for (int64_t row = 0; row < rows; row++) {
        struct cl_batch **b = &batches[row / BATCH_ROWS];
        if (*b == NULL) check(cl_batch_new(&schema, BATCH_ROWS, b, &err), &err);
        make_row(*b, row, vehicles);
    }
    printf("%-14s %9s %9s %9s %9s %9s\n", "column", "Mrows/s", "ns/row", "MB/s", "bytes/row",
           "memory MB");
    size_t total = 0;
    for (size_t c = 0; c < N_COLUMNS; c++) {
        struct cl_schema one = {.n = 1, .fields = &fields[c]};
        struct result r = run(&one, batches, n, c, &options);
        size_t bytes = column_bytes(batches, n, c);
        report(fields[c].name, &r, rows, bytes);
        total += bytes;
    }
    struct result all = run(&schema, batches, n, 0, &options);
    report("all", &all, rows, total);
    for (size_t b = 0; b < n; b++)
        cl_batch_free(batches[b]);
    free(batches);
    free(vehicles);
    return 0;
}
