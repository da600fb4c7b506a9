/* iceberg_test.h - a small table and files for it; include after cmocka's headers. */
#ifndef CITYLAKE_TESTS_ICEBERG_TEST_H
#define CITYLAKE_TESTS_ICEBERG_TEST_H

#include "../../support/temp_lake.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

#include <stdio.h>
#include <stdlib.h>

/* The Parquet file need not exist: nothing here opens it. */
struct test_file {
    struct cl_data_file file;
    char path[64];
    struct cl_column_metrics columns[3];
    int64_t splits[2];
};

static struct cl_field test_fields[] = {
    {.id = 1, .name = "id", .type = CL_STRING, .required = true, .doc = "who"},
    {.id = 2, .name = "timestamp", .type = CL_TIMESTAMP, .required = true},
    {.id = 3, .name = "speed", .type = CL_DOUBLE},
    {.id = 7, .name = "price", .type = CL_DECIMAL, .precision = 9, .scale = 2},
};
static const struct cl_schema test_schema = {.n = 4, .fields = test_fields};

static inline struct cl_metadata *make_table(struct cl_store *store, enum cl_transform transform,
                                             const struct cl_property *properties, size_t n)
{
    struct cl_error err;
    struct cl_metadata *m = NULL;
    char *location = cl_store_uri(store, "city/vehicle");
    if (cl_metadata_create(location, &test_schema, transform, 1, properties, n, &m, &err) != CL_OK)
        fail_msg("create: %s", err.message);
    free(location);
    return m;
}

/* File n of a table: n rows, day n. */
static inline void make_file(struct test_file *t, int n)
{
    memset(t, 0, sizeof *t);
    (void)snprintf(t->path, sizeof t->path, "city/vehicle/data/%d.parquet", n);
    for (int i = 0; i < 3; i++)
        t->columns[i] = (struct cl_column_metrics){.field_id = i + 1,
                                                   .size_bytes = 100 * n + i,
                                                   .value_count = n,
                                                   .null_count = i,
                                                   .nan_count = i};
    t->columns[0].lower = (struct cl_bound){.present = true, .len = 1, .bytes = "a"};
    t->columns[0].upper = (struct cl_bound){.present = true, .len = 2, .bytes = "zz"};
    t->columns[1].lower = (struct cl_bound){.present = true, .len = 0};
    t->splits[0] = 4;
    t->splits[1] = 4000 + n;
    t->file = (struct cl_data_file){
        .path = t->path,
        .size_bytes = 1000 + n,
        .rows = n,
        .has_partition = true,
        .partition_value = n,
        .columns = t->columns,
        .n_columns = 3,
        .split_offsets = t->splits,
        .n_splits = 2,
    };
}

/* Appends files first..last to *m, which becomes the next version. */
static inline void append_files(struct cl_metadata **m, struct cl_store *store, int first, int last,
                                const char *tag)
{
    struct cl_error err;
    struct cl_metadata *next = NULL;
    struct cl_written written = {.n = 0};
    struct cl_property summary = {.key = "citylake.commit", .value = "x"};
    struct test_file *files = calloc((size_t)(last - first + 1), sizeof *files);
    struct cl_data_file *data = calloc((size_t)(last - first + 1), sizeof *data);
    for (int i = first; i <= last; i++) {
        make_file(&files[i - first], i);
        data[i - first] = files[i - first].file;
    }
    enum cl_code code = cl_metadata_append(*m, store, data, (size_t)(last - first + 1), &summary, 1,
                                           tag, &next, &written, &err);
    if (code != CL_OK) fail_msg("append: %s", err.message);
    cl_written_fini(&written);
    cl_metadata_free(*m);
    *m = next;
    free(data);
    free(files);
}

#endif
