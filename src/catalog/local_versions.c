/* local_versions.c - see local_versions.h. */
#include "catalog/local_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".metadata.json"

enum { HINT_MAX_BYTES = 4096 };

enum cl_code cl_version_path(const char *folder, int64_t version, char **ret, struct cl_error *err)
{
    return asprintf(ret, "%s/metadata/v%lld" SUFFIX, folder, (long long)version) < 0
               ? cl_fail_nomem(err)
               : CL_OK;
}

bool cl_version_parse(const char *file_name, int64_t *ret)
{
    char *end;
    if (file_name[0] != 'v' || file_name[1] < '1' || file_name[1] > '9') return false;
    long long v = strtoll(file_name + 1, &end, 10);
    if (strcmp(end, SUFFIX) != 0 || v > INT32_MAX)
        return false; /* other readers count versions in 32 bits */
    *ret = v;
    return true;
}

static enum cl_code exists(struct cl_store *store, const char *folder, int64_t version, bool *ret,
                           struct cl_error *err)
{
    char *path = NULL;
    int64_t size;
    enum cl_code code = cl_version_path(folder, version, &path, err);
    if (code == CL_OK) code = store->ops->size(store, path, &size, err);
    free(path);
    *ret = code == CL_OK;
    return code == CL_ENOTFOUND ? CL_OK : code;
}

/* The number in version-hint.text; 0: missing, empty, garbage or unreadable. */
static int64_t read_hint(struct cl_store *store, const char *folder)
{
    struct cl_buf bytes;
    char *path = NULL;
    int64_t version = 0;
    cl_buf_init(&bytes, HINT_MAX_BYTES);
    if (asprintf(&path, "%s/metadata/version-hint.text", folder) < 0) return 0;
    if (store->ops->read(store, path, &bytes, NULL) == CL_OK &&
        cl_buf_append_byte(&bytes, 0, NULL) == CL_OK) {
        char *end;
        long long v = strtoll((const char *)bytes.data, &end, 10);
        if (end != (const char *)bytes.data && strspn(end, " \r\n\t") == strlen(end) && v > 0 &&
            v < INT32_MAX)
            version = v;
    }
    free(path);
    cl_buf_fini(&bytes);
    return version;
}

static enum cl_code highest_listed(struct cl_store *store, const char *folder, int64_t *ret,
                                   struct cl_error *err)
{
    struct cl_store_list files = {.n = 0};
    char *prefix = NULL;
    if (asprintf(&prefix, "%s/metadata", folder) < 0) return cl_fail_nomem(err);
    enum cl_code code = store->ops->list(store, prefix, &files, err);
    int64_t best = 0, version;
    for (size_t i = 0; i < files.n; i++)
        if (cl_version_parse(files.entries[i].path + strlen(prefix) + 1, &version) &&
            version > best)
            best = version;
    cl_store_list_fini(&files);
    free(prefix);
    if (code == CL_OK) *ret = best;
    return code;
}

/* Another writer may have gone on with compressed metadata: taking the last plain version for the
 * current one would fork the table. */
static enum cl_code refuse_gzip(struct cl_store *store, const char *folder, int64_t version,
                                struct cl_error *err)
{
    for (int old = 0; old < 2; old++) { /* Spark's new and old name for it */
        char *path = NULL;
        int64_t size;
        int len =
            old == 0
                ? asprintf(&path, "%s/metadata/v%lld.gz.metadata.json", folder, (long long)version)
                : asprintf(&path, "%s/metadata/v%lld.metadata.json.gz", folder, (long long)version);
        if (len < 0) return cl_fail_nomem(err);
        enum cl_code code = store->ops->size(store, path, &size, err);
        if (code == CL_OK)
            code = cl_fail(err, CL_EUNSUPPORTED,
                           "%s is compressed: set the table property "
                           "write.metadata.compression-codec to none in the program that writes it",
                           path);
        free(path);
        if (code != CL_ENOTFOUND) return code;
    }
    return CL_OK;
}

enum cl_code cl_version_find(struct cl_store *store, const char *folder, int64_t *ret,
                             struct cl_error *err)
{
    int64_t version = read_hint(store, folder);
    bool there = false;
    enum cl_code code = version > 0 ? exists(store, folder, version, &there, err) : CL_OK;
    if (code == CL_OK && !there) {
        code = highest_listed(store, folder, &version, err);
        there = version > 0;
    }
    while (code == CL_OK && there) {
        code = exists(store, folder, version + 1, &there, err);
        if (code == CL_OK && there) version++;
    }
    if (code == CL_OK) code = refuse_gzip(store, folder, version + 1, err);
    if (code == CL_OK) *ret = version;
    return code;
}

void cl_version_hint(struct cl_store *store, const char *folder, int64_t version)
{
    char *path = NULL;
    char text[24];
    if (read_hint(store, folder) >= version) return; /* a slower writer must not move it back */
    int len = snprintf(text, sizeof text, "%lld", (long long)version);
    if (len < 0 || asprintf(&path, "%s/metadata/version-hint.text", folder) < 0) return;
    (void)!store->ops->put(store, path, text, (size_t)len, NULL);
    free(path);
}

/* Is the version there, and not emptied? */
static bool has_content(struct cl_store *store, const char *folder, int64_t version)
{
    char *path = NULL;
    int64_t size = 0;
    enum cl_code code = cl_version_path(folder, version, &path, NULL);
    if (code == CL_OK) code = store->ops->size(store, path, &size, NULL);
    free(path);
    return code == CL_OK && size > 0;
}

void cl_version_expire(struct cl_store *store, const char *folder, int64_t last)
{
    int64_t first = last + 1;
    while (first > 1 && has_content(store, folder, first - 1))
        first--;
    for (int64_t v = first; v <= last; v++) {
        char *path = NULL;
        enum cl_code code = cl_version_path(folder, v, &path, NULL);
        if (code == CL_OK) code = store->ops->put(store, path, "", 0, NULL);
        free(path);
        if (code != CL_OK) return;
    }
}
