#include "flaky_catalog.h"

#include <stdlib.h>

struct flaky_catalog {
    struct cl_catalog base;
    struct cl_catalog *inner;
    const char *table;
    enum flaky_fault fault;
    int times;
    int commits;
};

static bool hit(struct flaky_catalog *c, const char *table, bool load)
{
    if (c->times == 0 || (c->table != NULL && strcmp(c->table, table) != 0)) return false;
    if ((c->fault == FLAKY_LOAD_FAILS) != load) return false;
    c->times--;
    return true;
}

static enum cl_code load(struct cl_catalog *base, const char *table, struct cl_table **ret,
                         struct cl_error *err)
{
    struct flaky_catalog *c = (struct flaky_catalog *)base;
    if (hit(c, table, true)) return cl_fail(err, CL_EIO, "the test broke this load");
    return c->inner->ops->load(c->inner, table, ret, err);
}

static enum cl_code create(struct cl_catalog *base, const char *table, const struct cl_metadata *m,
                           struct cl_error *err)
{
    struct flaky_catalog *c = (struct flaky_catalog *)base;
    return c->inner->ops->create(c->inner, table, m, err);
}

/* An unrelated snapshot without citylake's keys, as a compaction by somebody else would make. */
static enum cl_code append_foreign(struct flaky_catalog *c, const struct cl_table *table,
                                   struct cl_error *err)
{
    struct cl_metadata *next = NULL;
    struct cl_written written = {0};
    struct cl_table *fresh = NULL;
    enum cl_code code = c->inner->ops->load(c->inner, table->name, &fresh, err);
    if (code == CL_OK)
        code = cl_metadata_append(fresh->metadata, c->base.store, NULL, 0, NULL, 0, NULL, &next,
                                  &written, err);
    if (code == CL_OK) code = c->inner->ops->commit(c->inner, fresh, next, err);
    cl_table_free(fresh);
    cl_metadata_free(next);
    cl_written_fini(&written);
    return code;
}

static enum cl_code commit(struct cl_catalog *base, const struct cl_table *table,
                           const struct cl_metadata *next, struct cl_error *err)
{
    struct flaky_catalog *c = (struct flaky_catalog *)base;
    c->commits++;
    if (!hit(c, table->name, false)) return c->inner->ops->commit(c->inner, table, next, err);
    enum cl_code code;
    switch (c->fault) {
    case FLAKY_COMMIT_LOST: return cl_fail(err, CL_EIO, "the test lost this commit");
    case FLAKY_COMMIT_UNDONE: return cl_fail(err, CL_EUNKNOWN, "the test broke this commit");
    case FLAKY_COMMIT_REFUSED: return cl_fail(err, CL_EINVAL, "the test refused this commit");
    case FLAKY_COMMIT_UNKNOWN:
        code = c->inner->ops->commit(c->inner, table, next, err);
        return code != CL_OK ? code : cl_fail(err, CL_EUNKNOWN, "the test lost the answer");
    case FLAKY_COMMIT_CONFLICT:
        code = append_foreign(c, table, err);
        return code != CL_OK ? code : c->inner->ops->commit(c->inner, table, next, err);
    case FLAKY_NONE:
    case FLAKY_LOAD_FAILS: break;
    }
    return cl_fail(err, CL_EINVAL, "no such fault");
}

static enum cl_code list(struct cl_catalog *base, char ***ret, size_t *ret_n, struct cl_error *err)
{
    struct flaky_catalog *c = (struct flaky_catalog *)base;
    return c->inner->ops->list(c->inner, ret, ret_n, err);
}

static enum cl_code location(struct cl_catalog *base, const char *table, char **ret,
                             struct cl_error *err)
{
    struct flaky_catalog *c = (struct flaky_catalog *)base;
    return c->inner->ops->location(c->inner, table, ret, err);
}

static void free_catalog(struct cl_catalog *base)
{
    free(base);
}

struct flaky_catalog *flaky_catalog_new(struct cl_catalog *inner)
{
    static const struct cl_catalog_ops ops = {
        .name = "flaky",
        .load = load,
        .create = create,
        .commit = commit,
        .list = list,
        .location = location,
        .free = free_catalog,
    };
    struct flaky_catalog *c = calloc(1, sizeof *c);
    c->base = (struct cl_catalog){&ops, inner->store};
    c->inner = inner;
    return c;
}

struct cl_catalog *flaky_catalog_base(struct flaky_catalog *c)
{
    return &c->base;
}

void flaky_catalog_order(struct flaky_catalog *c, const char *name, enum flaky_fault fault,
                         int times)
{
    c->table = name;
    c->fault = fault;
    c->times = times;
}

int flaky_catalog_commits(const struct flaky_catalog *c)
{
    return c->commits;
}
