#include "temp_lake.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void temp_lake_open(struct temp_lake *l)
{
    const char *tmp = getenv("TMPDIR");
    struct cl_error err;
    (void)snprintf(l->dir, sizeof l->dir, "%s/citylake-test-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(l->dir) == NULL || cl_local_store_new(l->dir, &l->store, &err) != CL_OK) {
        perror(l->dir);
        abort();
    }
}

void temp_lake_close(struct temp_lake *l)
{
    l->store->ops->free(l->store);
    (void)nftw(l->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

const char *temp_lake_path(struct temp_lake *l, const char *path)
{
    static char joined[1024];
    (void)snprintf(joined, sizeof joined, "%s/%s", l->dir, path);
    return joined;
}
