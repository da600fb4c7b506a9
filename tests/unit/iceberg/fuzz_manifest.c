/* fuzz_manifest.c - Avro bytes from anybody, read as a manifest list and as a manifest. */
#include "iceberg/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches what the entry points to. */
static enum cl_code sum_entry(void *ctx, const struct cl_manifest_entry *e, struct cl_error *err)
{
    uint64_t *sum = ctx;
    (void)err;
    for (size_t i = 0; i < e->path.len; i++)
        *sum += e->path.data[i];
    for (size_t i = 0; i < e->column_sizes.n; i++)
        *sum += (uint64_t)e->column_sizes.items[i].value;
    for (size_t i = 0; i < e->upper.n; i++)
        for (size_t k = 0; k < e->upper.items[i].value.len; k++)
            *sum += e->upper.items[i].value.data[k];
    return CL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_manifest_file from = {.sequence_number = 3, .added_snapshot_id = 7};
    struct cl_manifest_list list;
    struct cl_arena arena;
    struct cl_error err;
    volatile uint64_t kept;
    uint64_t sum = 0;
    (void)!cl_manifest_read(data, size, &from, 1000, sum_entry, &sum, &err);
    cl_arena_init(&arena, (size_t)64 << 20);
    if (cl_manifest_list_read(data, size, &arena, &list, &err) == CL_OK)
        for (size_t i = 0; i < list.n; i++)
            sum += strlen(list.files[i].path) + list.files[i].n_partitions;
    cl_arena_fini(&arena);
    kept = sum;
    (void)kept;
    return 0;
}
