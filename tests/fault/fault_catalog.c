#include "fault_catalog.h"

#include <stdlib.h>

struct fault_catalog {
    struct cl_catalog base;
    struct cl_catalog *inner, *calm;
    struct faults *faults;
    /* A commit that was reported as unknown and is still under way.  Only the committer's thread
     * commits. */
    struct cl_table *late_base;
    struct cl_metadata *late_next;
};

static struct fault_catalog *self_of(struct cl_catalog *c)
{
    return (struct fault_catalog *)c;
}

static enum fault_kind next(struct fault_catalog *c, enum fault_call call, int *ret_die)
{
    enum fault_kind kind = faults_next(c->faults, call, ret_die);
    if (*ret_die == 1) faults_die();
    return kind;
}

static enum cl_code end(struct fault_catalog *c, enum fault_call call, enum fault_kind kind,
                        int die, enum cl_code code, struct cl_error *err)
{
    if (die != 0) faults_die();
    return code == CL_OK && kind == FAULT_DONE ? faults_fail(c->faults, call, kind, err) : code;
}

static enum cl_code load(struct cl_catalog *base, const char *table, struct cl_table **ret,
                         struct cl_error *err)
{
    struct fault_catalog *c = self_of(base);
    int die;
    if (next(c, FAULT_LOAD, &die) != FAULT_NONE)
        return faults_fail(c->faults, FAULT_LOAD, FAULT_UNDONE, err);
    return end(c, FAULT_LOAD, FAULT_NONE, die, c->inner->ops->load(c->inner, table, ret, err), err);
}

static enum cl_code create(struct cl_catalog *base, const char *table, const struct cl_metadata *m,
                           struct cl_error *err)
{
    struct fault_catalog *c = self_of(base);
    int die;
    enum fault_kind kind = next(c, FAULT_CREATE_TABLE, &die);
    if (kind == FAULT_UNDONE) return faults_fail(c->faults, FAULT_CREATE_TABLE, kind, err);
    return end(c, FAULT_CREATE_TABLE, kind, die, c->inner->ops->create(c->inner, table, m, err),
               err);
}

/* ---- commits ---- */

/* A snapshot without citylake's keys, as somebody's compaction makes. */
static void commit_as_rival(struct fault_catalog *c, const char *table)
{
    struct cl_metadata *next_one = NULL;
    struct cl_written written = {0};
    struct cl_table *fresh = NULL;
    enum cl_code code = c->calm->ops->load(c->calm, table, &fresh, NULL);
    if (code == CL_OK)
        code = cl_metadata_append(fresh->metadata, c->calm->store, NULL, 0, NULL, 0, NULL,
                                  &next_one, &written, NULL);
    if (code == CL_OK) (void)!c->calm->ops->commit(c->calm, fresh, next_one, NULL);
    cl_table_free(fresh);
    cl_metadata_free(next_one);
    cl_written_fini(&written);
}

static void forget_late(struct fault_catalog *c)
{
    cl_table_free(c->late_base);
    cl_metadata_free(c->late_next);
    c->late_base = NULL;
    c->late_next = NULL;
}

static void keep_late(struct fault_catalog *c, const struct cl_table *base,
                      const struct cl_metadata *next_one)
{
    struct cl_buf bytes;
    cl_buf_init(&bytes, (size_t)1 << 28);
    forget_late(c);
    enum cl_code code = cl_metadata_serialize(next_one, &bytes, NULL);
    if (code == CL_OK) code = cl_metadata_parse("late", bytes.data, bytes.len, &c->late_next, NULL);
    if (code == CL_OK) code = c->calm->ops->load(c->calm, base->name, &c->late_base, NULL);
    if (code != CL_OK || c->late_base->version != base->version) forget_late(c);
    cl_buf_fini(&bytes);
}

static void land_late(struct fault_catalog *c)
{
    if (c->late_base != NULL)
        (void)!c->calm->ops->commit(c->calm, c->late_base, c->late_next, NULL);
    forget_late(c);
}

static enum cl_code commit(struct cl_catalog *base, const struct cl_table *table,
                           const struct cl_metadata *next_one, struct cl_error *err)
{
    struct fault_catalog *c = self_of(base);
    int die;
    enum fault_kind kind = next(c, FAULT_COMMIT, &die);
    land_late(c);
    if (kind == FAULT_LATE) keep_late(c, table, next_one);
    if (kind == FAULT_UNDONE || kind == FAULT_LATE)
        return faults_fail(c->faults, FAULT_COMMIT, kind, err);
    if (kind == FAULT_HALF) commit_as_rival(c, table->name);
    return end(c, FAULT_COMMIT, kind, die, c->inner->ops->commit(c->inner, table, next_one, err),
               err);
}

/* ---- the rest ---- */

static enum cl_code list(struct cl_catalog *base, char ***ret, size_t *ret_n, struct cl_error *err)
{
    struct fault_catalog *c = self_of(base);
    return c->inner->ops->list(c->inner, ret, ret_n, err);
}

static enum cl_code location(struct cl_catalog *base, const char *table, char **ret,
                             struct cl_error *err)
{
    struct fault_catalog *c = self_of(base);
    return c->inner->ops->location(c->inner, table, ret, err);
}

/* A commit that is still under way lands after all. */
static void free_catalog(struct cl_catalog *base)
{
    land_late(self_of(base));
    free(base);
}

struct cl_catalog *fault_catalog_new(struct cl_catalog *inner, struct cl_catalog *calm,
                                     struct faults *faults)
{
    static const struct cl_catalog_ops ops = {
        .name = "faulty",
        .load = load,
        .create = create,
        .commit = commit,
        .list = list,
        .location = location,
        .free = free_catalog,
    };
    struct fault_catalog *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->base = (struct cl_catalog){&ops, inner->store};
    c->inner = inner;
    c->calm = calm;
    c->faults = faults;
    return &c->base;
}
