/* totals.c - the counters of a snapshot summary.
 *
 * Source: Iceberg spec, Appendix F "Optional Snapshot Summary Fields"; as the Java writer does,
 * counters of what was added are left out when they are 0, totals never are. */
#include "iceberg/append.h"

#include <errno.h>
#include <stdlib.h>

struct total_key {
    const char *key;
    size_t offset; /* in struct cl_totals */
};

static const struct total_key total_keys[] = {
    {"total-data-files", offsetof(struct cl_totals, data_files)},
    {"total-records", offsetof(struct cl_totals, records)},
    {"total-files-size", offsetof(struct cl_totals, files_size)},
    {"total-delete-files", offsetof(struct cl_totals, delete_files)},
    {"total-position-deletes", offsetof(struct cl_totals, position_deletes)},
    {"total-equality-deletes", offsetof(struct cl_totals, equality_deletes)},
};
enum { N_TOTALS = sizeof total_keys / sizeof *total_keys };

static int64_t *total_at(struct cl_totals *t, size_t i)
{
    return (int64_t *)(void *)((char *)t + total_keys[i].offset);
}

/* False when one is missing or not a number: then all are counted. */
static bool totals_from_summary(const struct cl_snapshot *s, struct cl_totals *ret)
{
    for (size_t i = 0; i < N_TOTALS; i++) {
        const char *text = cl_snapshot_summary(s, total_keys[i].key);
        char *end;
        if (text == NULL) return false;
        errno = 0;
        long long v = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || errno != 0 || v < 0) return false;
        *total_at(ret, i) = v;
    }
    return true;
}

static enum cl_code count_entry(void *ctx, const struct cl_manifest_entry *e, struct cl_error *err)
{
    struct cl_totals *t = ctx;
    if (e->status == CL_ENTRY_DELETED) return CL_OK;
    int64_t *rows = e->content == CL_CONTENT_DATA               ? &t->records
                    : e->content == CL_CONTENT_POSITION_DELETES ? &t->position_deletes
                                                                : &t->equality_deletes;
    *(e->content == CL_CONTENT_DATA ? &t->data_files : &t->delete_files) += 1;
    if (__builtin_add_overflow(*rows, e->rows, rows) ||
        __builtin_add_overflow(t->files_size, e->size_bytes, &t->files_size))
        return cl_fail(err, CL_EDATA, "the counts of the table's files do not fit 64 bits");
    return CL_OK;
}

enum cl_code cl_append_base_totals(struct cl_append *a, const struct cl_manifest_list *base_list,
                                   struct cl_totals *ret, struct cl_error *err)
{
    const struct cl_snapshot *parent = cl_metadata_current(a->base);
    *ret = (struct cl_totals){.records = 0};
    if (parent == NULL || totals_from_summary(parent, ret)) return CL_OK;
    *ret = (struct cl_totals){.records = 0};
    enum cl_code code = CL_OK;
    for (size_t i = 0; i < base_list->n && code == CL_OK; i++)
        code = cl_manifest_load(a->store, &base_list->files[i], -1, count_entry, ret, err);
    return code;
}

/* ---- the summary ---- */

static int compare_partitions(const void *a, const void *b)
{
    const struct cl_data_file *x = *(const struct cl_data_file *const *)a,
                              *y = *(const struct cl_data_file *const *)b;
    if (x->has_partition != y->has_partition) return x->has_partition ? 1 : -1;
    return (x->partition_value > y->partition_value) - (x->partition_value < y->partition_value);
}

static enum cl_code count_partitions(const struct cl_data_file *files, size_t n, int64_t *ret,
                                     struct cl_error *err)
{
    const struct cl_data_file **sorted = calloc(n > 0 ? n : 1, sizeof(*sorted));
    if (sorted == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &files[i];
    qsort(sorted, n, sizeof(*sorted), compare_partitions);
    *ret = n > 0;
    for (size_t i = 1; i < n; i++)
        *ret += compare_partitions(&sorted[i - 1], &sorted[i]) != 0;
    free(sorted);
    return CL_OK;
}

static bool set_number(json_t *summary, const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    return json_object_set_new(summary, key, json_string(text)) == 0;
}

static bool set_added(json_t *summary, const char *key, int64_t value)
{
    return value == 0 || set_number(summary, key, value);
}

enum cl_code cl_append_summary(const struct cl_data_file *files, size_t n_files, bool partitioned,
                               const struct cl_totals *base, const struct cl_property *ours,
                               size_t n_ours, json_t **ret, struct cl_error *err)
{
    struct cl_totals totals = *base;
    int64_t records = 0, size = 0, partitions = n_files > 0;
    for (size_t i = 0; i < n_files; i++) {
        records += files[i].rows;
        size += files[i].size_bytes;
    }
    enum cl_code code = partitioned ? count_partitions(files, n_files, &partitions, err) : CL_OK;
    if (code != CL_OK) return code;
    if (__builtin_add_overflow(totals.records, records, &totals.records) ||
        __builtin_add_overflow(totals.files_size, size, &totals.files_size) ||
        __builtin_add_overflow(totals.data_files, (int64_t)n_files, &totals.data_files))
        return cl_fail(err, CL_EDATA,
                       "the totals of the table's snapshot summary do not fit 64 bits");

    json_t *s = json_pack("{s:s}", "operation", "append");
    bool ok = s != NULL;
    for (size_t i = 0; i < n_ours && ok;
         i++) /* the counters come later and win over a key of the same name */
        if (strcmp(ours[i].key, "operation") != 0)
            ok = json_object_set_new(s, ours[i].key, json_string(ours[i].value)) == 0;
    ok = ok && set_added(s, "added-data-files", (int64_t)n_files) &&
         set_added(s, "added-records", records) && set_added(s, "added-files-size", size) &&
         set_number(s, "changed-partition-count", partitions);
    for (size_t i = 0; i < N_TOTALS && ok; i++)
        ok = set_number(s, total_keys[i].key, *total_at(&totals, i));
    if (!ok) {
        json_decref(s);
        return cl_fail_nomem(err);
    }
    *ret = s;
    return CL_OK;
}
