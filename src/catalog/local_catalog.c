/* local_catalog.c - tables as folders: NAMESPACE/TABLE/metadata/vN.metadata.json and
 * version-hint.text.
 *
 * This is the layout of Iceberg's Hadoop catalog, which Spark and DuckDB read.  A commit is the
 * exclusive creation of the next version (the store's put_if_absent): of two writers that built on
 * vN exactly one makes vN+1, in one process or in many.
 *
 * Invariants:
 *  - The current metadata is the highest version.  The hint only says where to begin looking: it
 * may lag or be missing.
 *  - The name of a version is taken for ever.  Old versions
 * (write.metadata.delete-after-commit.enabled) are emptied, not removed: a writer that slept while
 * its base was passed by a hundred commits still finds vN+1 taken.  Were the name free again, it
 * would fork the table. */
#include "catalog/catalog.h"

#include "catalog/local_versions.h"
#include "iceberg/metadata.h"

#include <stdlib.h>

/* Larger than any real table's: 1,000,000 snapshots take about 700 MB, and a table is expired long
 * before. */
#define METADATA_MAX_BYTES ((size_t)1 << 30)

/* How often load starts again when a version is emptied between being found and being read. */
enum { LOAD_TRIES = 10 };

struct local_catalog {
    struct cl_catalog base;
    char *namespace_name;
};

void cl_table_free(struct cl_table *t)
{
    if (t == NULL) return;
    free(t->name);
    free(t->metadata_location);
    cl_metadata_free(t->metadata);
    free(t);
}

/* ---- names ---- */

/* A name becomes a folder: no separators, nothing hidden. */
static enum cl_code check_name(const char *what, const char *name, struct cl_error *err)
{
    size_t len = strlen(name);
    bool ok = len > 0 && len <= 200 && name[0] != '.';
    for (size_t i = 0; i < len && ok; i++)
        ok = (unsigned char)name[i] > ' ' && strchr("/\\:?#%*\"<>|", name[i]) == NULL;
    if (ok) return CL_OK;
    return cl_fail(err, CL_EINVAL,
                   "\"%.100s\" can't be the name of a %s: it is also the name of a folder", name,
                   what);
}

static enum cl_code folder_of(const struct cl_catalog *c, const char *table, char **ret,
                              struct cl_error *err)
{
    const struct local_catalog *lc = (const struct local_catalog *)c;
    enum cl_code code = check_name("table", table, err);
    if (code != CL_OK) return code;
    return asprintf(ret, "%s/%s", lc->namespace_name, table) < 0 ? cl_fail_nomem(err) : CL_OK;
}

static enum cl_code local_location(struct cl_catalog *c, const char *table, char **ret,
                                   struct cl_error *err)
{
    char *folder = NULL;
    enum cl_code code = folder_of(c, table, &folder, err);
    if (code != CL_OK) return code;
    char *uri = cl_store_uri(c->store, folder);
    free(folder);
    if (uri == NULL) return cl_fail_nomem(err);
    *ret = uri;
    return CL_OK;
}

/* ---- load ---- */

/* For the message about a broken version: the newest older one that can still be parsed, 0 when
 * there is none near. */
static int64_t last_good_version(struct cl_store *store, const char *folder, int64_t broken)
{
    for (int64_t v = broken - 1; v > 0 && v > broken - 10; v--) {
        struct cl_buf bytes;
        struct cl_metadata *m = NULL;
        char *path = NULL;
        cl_buf_init(&bytes, METADATA_MAX_BYTES);
        enum cl_code code = cl_version_path(folder, v, &path, NULL);
        if (code == CL_OK) code = store->ops->read(store, path, &bytes, NULL);
        if (code == CL_OK) code = cl_metadata_parse(path, bytes.data, bytes.len, &m, NULL);
        cl_metadata_free(m);
        free(path);
        cl_buf_fini(&bytes);
        if (code == CL_OK) return v;
    }
    return 0;
}

static enum cl_code explain_broken(struct cl_store *store, const char *folder, int64_t version,
                                   struct cl_error *err)
{
    int64_t good = last_good_version(store, folder, version);
    if (err == NULL) return CL_EDATA;
    size_t used = strlen(err->message);
    if (good > 0)
        (void)snprintf(err->message + used, sizeof err->message - used,
                       "; v%lld.metadata.json beside it can be read: move the broken file and "
                       "version-hint.text away to go back to it",
                       (long long)good);
    else
        (void)snprintf(err->message + used, sizeof err->message - used,
                       "; no earlier version can be read: restore the file from a copy");
    return CL_EDATA;
}

/* An empty file is an old version, if there is a later one; else it is broken metadata. */
static bool is_passed(struct cl_store *store, const char *folder, int64_t version)
{
    char *path = NULL;
    int64_t size;
    enum cl_code code = cl_version_path(folder, version + 1, &path, NULL);
    if (code == CL_OK) code = store->ops->size(store, path, &size, NULL);
    free(path);
    return code == CL_OK;
}

static enum cl_code read_version(struct cl_catalog *c, const char *folder, int64_t version,
                                 struct cl_table *t, struct cl_error *err)
{
    struct cl_buf bytes;
    char *path = NULL;
    cl_buf_init(&bytes, METADATA_MAX_BYTES);
    enum cl_code code = cl_version_path(folder, version, &path, err);
    if (code == CL_OK) code = c->store->ops->read(c->store, path, &bytes, err);
    if (code == CL_OK && bytes.len == 0 && is_passed(c->store, folder, version))
        code = cl_fail(err, CL_ENOTFOUND, "%s was emptied after later commits", path);
    if (code == CL_OK) {
        t->metadata_location = cl_store_uri(c->store, path);
        if (t->metadata_location == NULL) code = cl_fail_nomem(err);
    }
    if (code == CL_OK)
        code = cl_metadata_parse(t->metadata_location, bytes.data, bytes.len, &t->metadata, err);
    if (code == CL_EDATA) code = explain_broken(c->store, folder, version, err);
    free(path);
    cl_buf_fini(&bytes);
    return code;
}

static enum cl_code try_load(struct cl_catalog *c, const char *table, const char *folder,
                             struct cl_table **ret, struct cl_error *err)
{
    struct cl_table *t = calloc(1, sizeof *t);
    if (t == NULL) return cl_fail_nomem(err);
    t->name = strdup(table);
    enum cl_code code = t->name == NULL ? cl_fail_nomem(err) : CL_OK;
    if (code == CL_OK) code = cl_version_find(c->store, folder, &t->version, err);
    if (code == CL_OK && t->version == 0)
        code = cl_fail(err, CL_ENOTFOUND, "there is no table %s in %s", table, c->store->root_uri);
    else if (code == CL_OK)
        code = read_version(c, folder, t->version, t, err);
    if (code != CL_OK) {
        if (code == CL_ENOTFOUND && t->version != 0) code = CL_ECONFLICT; /* vanished: look again */
        cl_table_free(t);
        return code;
    }
    *ret = t;
    return CL_OK;
}

static enum cl_code local_load(struct cl_catalog *c, const char *table, struct cl_table **ret,
                               struct cl_error *err)
{
    char *folder = NULL;
    enum cl_code code = folder_of(c, table, &folder, err);
    if (code != CL_OK) return code;
    for (int i = 0; i < LOAD_TRIES; i++) {
        code = try_load(c, table, folder, ret, err);
        if (code != CL_ECONFLICT) break;
    }
    if (code == CL_ECONFLICT)
        code = cl_fail(err, CL_EIO,
                       "table %s: its metadata files vanish while they are read (%d tries)", table,
                       LOAD_TRIES);
    free(folder);
    return code;
}

/* ---- create and commit ---- */

static enum cl_code put_version(struct cl_catalog *c, const char *folder, int64_t version,
                                const struct cl_metadata *next, const struct cl_table *base,
                                struct cl_error *err)
{
    struct cl_buf bytes;
    char *path = NULL;
    cl_buf_init(&bytes, METADATA_MAX_BYTES);
    enum cl_code code = cl_version_path(folder, version, &path, err);
    if (code == CL_OK)
        code =
            cl_metadata_serialize_next(next, base == NULL ? NULL : base->metadata,
                                       base == NULL ? NULL : base->metadata_location, &bytes, err);
    if (code == CL_OK)
        code = c->store->ops->put_if_absent(c->store, path, bytes.data, bytes.len, err);
    free(path);
    cl_buf_fini(&bytes);
    return code;
}

static enum cl_code local_create(struct cl_catalog *c, const char *table,
                                 const struct cl_metadata *metadata, struct cl_error *err)
{
    char *folder = NULL;
    int64_t version = 0;
    enum cl_code code = folder_of(c, table, &folder, err);
    if (code != CL_OK) return code;
    code = cl_version_find(c->store, folder, &version,
                           err); /* v1 of an old table may have been removed */
    if (code == CL_OK)
        code = version != 0 ? CL_EEXIST : put_version(c, folder, 1, metadata, NULL, err);
    if (code == CL_EEXIST)
        code = cl_fail(err, CL_EEXIST, "table %s exists already in %s", table, c->store->root_uri);
    if (code == CL_OK) cl_version_hint(c->store, folder, 1);
    free(folder);
    return code;
}

static enum cl_code lost_race(const struct cl_table *base, struct cl_error *err)
{
    return cl_fail(err, CL_ECONFLICT,
                   "table %s: version %lld is no longer current, somebody else committed",
                   base->name, (long long)base->version);
}

static enum cl_code local_commit(struct cl_catalog *c, const struct cl_table *base,
                                 const struct cl_metadata *next, struct cl_error *err)
{
    char *folder = NULL;
    enum cl_code code = folder_of(c, base->name, &folder, err);
    if (code != CL_OK) return code;
    if (strcmp(base->metadata->uuid, next->uuid) != 0)
        code = cl_fail(err, CL_EINVAL,
                       "table %s: the new metadata is of another table (uuid %s, not %s)",
                       base->name, next->uuid, base->metadata->uuid);
    if (code == CL_OK) code = put_version(c, folder, base->version + 1, next, base, err);
    if (code == CL_EEXIST) code = lost_race(base, err);
    if (code == CL_OK) {
        /* Both are conveniences: a stale hint costs the next reader some look-ups, an old version
         * only space. */
        cl_version_hint(c->store, folder, base->version + 1);
        const char *remove =
            cl_metadata_property(next, "write.metadata.delete-after-commit.enabled");
        int64_t keep = cl_metadata_property_long(next, "write.metadata.previous-versions-max", 100);
        if (remove != NULL && strcmp(remove, "true") == 0)
            cl_version_expire(c->store, folder, base->version - keep);
    }
    free(folder);
    return code;
}

/* ---- list ---- */

/* The table in "NAMESPACE/TABLE/metadata/...json", as a length; 0: not a metadata file. */
static size_t table_in_path(const char *path, size_t skip, const char **ret)
{
    const char *name = path + skip, *slash = strchr(name, '/');
    int64_t version;
    if (slash == NULL || strncmp(slash, "/metadata/", 10) != 0) return 0;
    if (strcmp(slash + 10, "version-hint.text") != 0 && !cl_version_parse(slash + 10, &version))
        return 0;
    *ret = name;
    return (size_t)(slash - name);
}

static enum cl_code add_name(char ***names, size_t *n, const char *name, size_t len,
                             struct cl_error *err)
{
    if (*n > 0 && strlen((*names)[*n - 1]) == len && memcmp((*names)[*n - 1], name, len) == 0)
        return CL_OK;
    char **grown = reallocarray(*names, *n + 1, sizeof *grown);
    if (grown == NULL) return cl_fail_nomem(err);
    *names = grown;
    grown[*n] = strndup(name, len);
    if (grown[*n] == NULL) return cl_fail_nomem(err);
    (*n)++;
    return CL_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum cl_code local_list(struct cl_catalog *c, char ***ret, size_t *ret_n,
                               struct cl_error *err)
{
    const struct local_catalog *lc = (const struct local_catalog *)c;
    struct cl_store_list files = {.n = 0};
    char **names = NULL;
    size_t n = 0;
    enum cl_code code = c->store->ops->list(c->store, lc->namespace_name, &files, err);
    for (size_t i = 0; i < files.n && code == CL_OK;
         i++) { /* sorted by path, so a table's files are neighbours */
        const char *name;
        size_t len = table_in_path(files.entries[i].path, strlen(lc->namespace_name) + 1, &name);
        if (len > 0) code = add_name(&names, &n, name, len, err);
    }
    cl_store_list_fini(&files);
    if (code != CL_OK) {
        for (size_t i = 0; i < n; i++)
            free(names[i]);
        free(names);
        return code;
    }
    if (n > 0) qsort(names, n, sizeof *names, by_name);
    *ret = names;
    *ret_n = n;
    return CL_OK;
}

/* ---- the catalog ---- */

static void local_free(struct cl_catalog *c)
{
    if (c == NULL) return;
    free(((struct local_catalog *)c)->namespace_name);
    free(c);
}

static const struct cl_catalog_ops local_ops = {
    .name = "local",
    .load = local_load,
    .create = local_create,
    .commit = local_commit,
    .list = local_list,
    .location = local_location,
    .free = local_free,
};

enum cl_code cl_local_catalog_new(struct cl_store *store, const char *namespace_name,
                                  struct cl_catalog **ret, struct cl_error *err)
{
    enum cl_code code = check_name("namespace", namespace_name, err);
    if (code != CL_OK) return code;
    struct local_catalog *lc = calloc(1, sizeof *lc);
    if (lc == NULL) return cl_fail_nomem(err);
    lc->base = (struct cl_catalog){.ops = &local_ops, .store = store};
    lc->namespace_name = strdup(namespace_name);
    if (lc->namespace_name == NULL) {
        local_free(&lc->base);
        return cl_fail_nomem(err);
    }
    *ret = &lc->base;
    return CL_OK;
}
