/* flaky_catalog.h - a catalog in front of another that fails on order: the fault injector is one
 * more implementation of the vtable. */
#ifndef CITYLAKE_TESTS_FLAKY_CATALOG_H
#define CITYLAKE_TESTS_FLAKY_CATALOG_H

#include "catalog/catalog.h"

enum flaky_fault {
    FLAKY_NONE,
    FLAKY_COMMIT_LOST,     /* the commit is not done; answer CL_EIO */
    FLAKY_COMMIT_UNKNOWN,  /* the commit IS done; answer CL_EUNKNOWN */
    FLAKY_COMMIT_UNDONE,   /* the commit is not done; answer CL_EUNKNOWN */
    FLAKY_COMMIT_CONFLICT, /* somebody else appends an unrelated snapshot first; then the real
                              answer */
    FLAKY_COMMIT_REFUSED,  /* the commit is not done; answer CL_EINVAL: no retry helps */
    FLAKY_LOAD_FAILS,      /* load answers CL_EIO */
};

struct flaky_catalog;
struct flaky_catalog *flaky_catalog_new(struct cl_catalog *inner); /* inner is borrowed */
struct cl_catalog *flaky_catalog_base(struct flaky_catalog *c);
/* The next `times` commits (or loads) of table `name` (NULL: any) have this fault. */
void flaky_catalog_order(struct flaky_catalog *c, const char *name, enum flaky_fault fault,
                         int times);
int flaky_catalog_commits(const struct flaky_catalog *c); /* calls of commit so far */

#endif
