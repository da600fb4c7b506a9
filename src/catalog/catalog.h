/* catalog.h - who holds the current metadata of each table.  An interface (vtable).
 *
 * A commit is a compare-and-swap: it names the version it was built on.  Thread-safe. */
#ifndef CITYLAKE_CATALOG_CATALOG_H
#define CITYLAKE_CATALOG_CATALOG_H

#include "iceberg/table.h"

struct cl_catalog;

/* A table as it was when loaded. */
struct cl_table {
    char *name;
    struct cl_metadata *metadata;
    char *metadata_location; /* URI of the metadata file */
    int64_t version;         /* local: N of vN.metadata.json */
};

struct cl_catalog_ops {
    const char *name;
    enum cl_code (*load)(struct cl_catalog *c, const char *table, struct cl_table **ret,
                         struct cl_error *err); /* CL_ENOTFOUND, CL_EDATA (file named) */
    /* metadata is borrowed.  CL_EEXIST. */
    enum cl_code (*create)(struct cl_catalog *c, const char *table,
                           const struct cl_metadata *metadata, struct cl_error *err);
    /* Makes `next` (borrowed) the current metadata of base's table.  CL_ECONFLICT: base is no
     * longer current, nothing was changed. CL_EUNKNOWN: load again and look for your snapshot
     * before deciding. */
    enum cl_code (*commit)(struct cl_catalog *c, const struct cl_table *base,
                           const struct cl_metadata *next, struct cl_error *err);
    /* Names of the tables in the namespace, sorted; caller frees each and the array. */
    enum cl_code (*list)(struct cl_catalog *c, char ***ret, size_t *ret_n, struct cl_error *err);
    /* Where a table of that name lives or would live: URI, to be freed. */
    enum cl_code (*location)(struct cl_catalog *c, const char *table, char **ret,
                             struct cl_error *err);
    void (*free)(struct cl_catalog *c);
};

struct cl_catalog {
    const struct cl_catalog_ops *ops;
    struct cl_store *store; /* borrowed: where the tables' files are */
};

void cl_table_free(struct cl_table *t);

/* Files next to the data, as Spark's hadoop catalog has them:
 * NAMESPACE/TABLE/metadata/vN.metadata.json and version-hint.text. */
CL_MUSTCHECK enum cl_code cl_local_catalog_new(struct cl_store *store, const char *namespace_name,
                                               struct cl_catalog **ret, struct cl_error *err);

#endif
