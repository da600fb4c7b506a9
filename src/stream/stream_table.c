#include "stream/stream_table.h"

#include "stream/dead_letters.h"

#include <stdio.h>
#include <stdlib.h>

static void describe(const struct cl_field *field, char *buf, size_t size)
{
    char type[32];
    (void)snprintf(buf, size, "%s%s", field->required ? "required " : "",
                   cl_type_text(field, type, sizeof type));
}

static bool same_type(const struct cl_field *a, const struct cl_field *b)
{
    return a->type == b->type && a->required == b->required &&
           (a->type != CL_DECIMAL || (a->precision == b->precision && a->scale == b->scale));
}

/* Every declared column must stand in the table with the same type, and no other column.  Takes
 * over the table's ids. */
static enum cl_code match_columns(const struct cl_schema *wanted, const struct cl_schema *have,
                                  struct cl_field *fields, struct cl_error *err)
{
    char mine[64], theirs[64];
    for (size_t i = 0; i < wanted->n; i++) {
        fields[i] = wanted->fields[i];
        int at = cl_schema_find(have, fields[i].name);
        if (at < 0)
            return cl_fail(err, CL_EINVAL,
                           "city.yaml declares column %s, which the table does not have; remove it "
                           "from city.yaml or write to "
                           "another lake (--lake)",
                           fields[i].name);
        const struct cl_field *other = &have->fields[at];
        if (!same_type(&fields[i], other)) {
            describe(&fields[i], mine, sizeof mine);
            describe(other, theirs, sizeof theirs);
            return cl_fail(err, CL_EINVAL,
                           "column %s is %s in city.yaml but %s in the table; make city.yaml agree "
                           "or write to another lake "
                           "(--lake)",
                           fields[i].name, mine, theirs);
        }
        fields[i].id = other->id;
    }
    for (size_t i = 0; i < have->n; i++)
        if (cl_schema_find(wanted, have->fields[i].name) < 0)
            return cl_fail(err, CL_EINVAL,
                           "the table has column %s, which city.yaml does not declare; declare it "
                           "or write to another lake "
                           "(--lake)",
                           have->fields[i].name);
    return CL_OK;
}

static enum cl_code match_partition(const struct cl_stream_table *t, const struct cl_metadata *m,
                                    struct cl_error *err)
{
    static const char *const names[] = {"none", "day", "hour", "month"};
    int source_id =
        t->transform == CL_PARTITION_NONE ? 0 : t->schema.fields[t->partition_column].id;
    if (t->transform == m->partition.transform &&
        (source_id == 0 || source_id == m->partition.source_id))
        return CL_OK;
    return cl_fail(err, CL_EINVAL,
                   "city.yaml partitions by %s but the table by %s%s%s; make city.yaml agree or "
                   "write to another lake (--lake)",
                   names[t->transform], names[m->partition.transform],
                   m->partition.transform == CL_PARTITION_NONE ? "" : " as ",
                   m->partition.transform == CL_PARTITION_NONE ? "" : m->partition.name);
}

static enum cl_code create(struct cl_catalog *catalog, const char *name,
                           const struct cl_schema *schema, enum cl_transform transform, int column,
                           struct cl_error *err)
{
    static const struct cl_property properties[] = {
        {"write.format.default", "parquet"},
        {"write.parquet.compression-codec", "zstd"},
        /* A commit every few seconds writes a metadata file each. */
        {"write.metadata.delete-after-commit.enabled", "true"},
        {"write.metadata.previous-versions-max", "100"}};
    char *location = NULL;
    struct cl_metadata *m = NULL;
    enum cl_code code = catalog->ops->location(catalog, name, &location, err);
    if (code == CL_OK)
        code = cl_metadata_create(location, schema, transform, column, properties,
                                  sizeof properties / sizeof *properties, &m, err);
    if (code == CL_OK) code = catalog->ops->create(catalog, name, m, err);
    /* Somebody else may have created it in between: that table is then loaded and checked like any
     * other. */
    if (code == CL_EEXIST) code = CL_OK;
    cl_metadata_free(m);
    free(location);
    return code;
}

static enum cl_code find_folder(struct cl_stream_table *t, struct cl_error *err)
{
    const struct cl_metadata *m = t->base->metadata;
    const char *folder = cl_store_relative(t->catalog->store, m->location);
    if (folder == NULL)
        return cl_fail(err, CL_EINVAL, "the table's location %s is outside of the lake %s",
                       m->location, t->catalog->store->root_uri);
    if (asprintf(&t->data_folder, "%s/data", folder) < 0) {
        t->data_folder = NULL;
        return cl_fail_nomem(err);
    }
    if (m->partition.transform != CL_PARTITION_NONE &&
        (t->partition_name = strdup(m->partition.name)) == NULL)
        return cl_fail_nomem(err);
    return CL_OK;
}

enum cl_code cl_stream_table_open(struct cl_catalog *catalog, const struct cl_feed *feed,
                                  struct cl_stream_table *ret, struct cl_error *err)
{
    const struct cl_schema *wanted = feed == NULL ? cl_dead_letters_schema() : &feed->schema;
    struct cl_stream_table t = {
        .name = feed == NULL ? CL_DEAD_LETTERS : feed->name,
        .feed = feed,
        .transform = feed == NULL ? CL_PARTITION_NONE : feed->partition,
        .partition_column = feed == NULL ? -1 : feed->partition_column,
        .catalog = catalog,
    };
    t.schema.fields = calloc(wanted->n, sizeof *t.schema.fields);
    t.schema.n = wanted->n;
    if (t.schema.fields == NULL) return cl_fail_nomem(err);
    enum cl_code code = catalog->ops->load(catalog, t.name, &t.base, err);
    if (code == CL_ENOTFOUND) {
        code = create(catalog, t.name, wanted, t.transform, t.partition_column, err);
        if (code == CL_OK) code = catalog->ops->load(catalog, t.name, &t.base, err);
    }
    if (code == CL_OK)
        code = match_columns(wanted, &t.base->metadata->schema, t.schema.fields, err);
    if (code == CL_OK) code = match_partition(&t, t.base->metadata, err);
    if (code == CL_OK) code = find_folder(&t, err);
    if (code != CL_OK) {
        code = cl_error_wrap(err, code, "table %s", t.name);
        cl_stream_table_fini(&t);
        return code;
    }
    *ret = t;
    return CL_OK;
}

void cl_stream_table_fini(struct cl_stream_table *t)
{
    free(t->schema.fields);
    free(t->partition_name);
    free(t->data_folder);
    cl_table_free(t->base);
    *t = (struct cl_stream_table){0};
}

enum cl_code cl_stream_table_reload(struct cl_stream_table *t, struct cl_error *err)
{
    struct cl_table *fresh = NULL;
    enum cl_code code = t->catalog->ops->load(t->catalog, t->name, &fresh, err);
    if (code != CL_OK) return code;
    cl_table_free(t->base);
    t->base = fresh;
    return CL_OK;
}
