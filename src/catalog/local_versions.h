/* local_versions.h - the numbered metadata files of one table of the local catalog.  folder:
 * NAMESPACE/TABLE. */
#ifndef CITYLAKE_CATALOG_LOCAL_VERSIONS_H
#define CITYLAKE_CATALOG_LOCAL_VERSIONS_H

#include "store/store.h"

/* "FOLDER/metadata/vN.metadata.json", to be freed. */
CL_MUSTCHECK enum cl_code cl_version_path(const char *folder, int64_t version, char **ret,
                                          struct cl_error *err);

/* "v12.metadata.json" -> 12.  False for any other name. */
bool cl_version_parse(const char *file_name, int64_t *ret);

/* The highest version, 0: no table.  Begins at the hint and goes up; lists the folder when the hint
 * is useless. CL_EUNSUPPORTED: compressed metadata of another writer. */
CL_MUSTCHECK enum cl_code cl_version_find(struct cl_store *store, const char *folder, int64_t *ret,
                                          struct cl_error *err);

/* Moves the hint up to the version; a failure is harmless, see local_catalog.c. */
void cl_version_hint(struct cl_store *store, const char *folder, int64_t version);

/* Empties the versions up to and including `last`, lowest first; stops at the first failure.  Their
 * names stay taken: see local_catalog.c. */
void cl_version_expire(struct cl_store *store, const char *folder, int64_t last);

#endif
