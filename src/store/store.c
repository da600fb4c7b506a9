/* store.c - what every store shares: paths to URIs and back, lists. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

char *cl_store_uri(const struct cl_store *s, const char *path)
{
    char *uri = NULL;
    if (asprintf(&uri, "%s/%s", s->root_uri, path) < 0) return NULL;
    return uri;
}

/* The part of a file URI that names the path: Hadoop writes "file:/x", most others "file:///x",
 * some a bare path. Anything else ("s3://...") is returned whole. */
static const char *without_file_scheme(const char *uri)
{
    if (strncmp(uri, "file:", 5) != 0) return uri;
    uri += 5;
    return strncmp(uri, "//", 2) == 0 ? uri + 2 : uri;
}

const char *cl_store_relative(const struct cl_store *s, const char *uri)
{
    const char *root = without_file_scheme(s->root_uri), *path = without_file_scheme(uri);
    size_t len = strlen(root);
    if (strncmp(path, root, len) != 0 || path[len] != '/') return NULL;
    path += len;
    while (*path == '/')
        path++;
    return *path == '\0' ? NULL : path;
}

void cl_store_list_fini(struct cl_store_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->entries[i].path);
    free(list->entries);
    *list = (struct cl_store_list){.n = 0};
}
