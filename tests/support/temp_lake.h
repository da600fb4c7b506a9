/* temp_lake.h - a local store in a fresh folder below TMPDIR that goes away with it. */
#ifndef CITYLAKE_TESTS_TEMP_LAKE_H
#define CITYLAKE_TESTS_TEMP_LAKE_H

#include "store/store.h"

struct temp_lake {
    char dir[256];
    struct cl_store *store;
};

void temp_lake_open(struct temp_lake *l);
void temp_lake_close(struct temp_lake *l);
/* Joins dir and path; the result lives until the next call. */
const char *temp_lake_path(struct temp_lake *l, const char *path);

#endif
