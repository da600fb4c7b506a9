/* verify.h - is the lake right?  The audit's checks, then every row and dead letter against the
 * truth, then what lies about. */
#ifndef CITYLAKE_TESTS_VERIFY_H
#define CITYLAKE_TESTS_VERIFY_H

#include "catalog/catalog.h"
#include "truth_source.h"

#include <stdio.h>

/* On a real catalog without faults, after a run that read everything.  *orphans: data files that no
 * table refers to. Returns how many things are wrong; each is a line on `out`. */
int verify_lake(struct cl_catalog *catalog, const struct truth_source *truth, size_t *orphans,
                FILE *out);

/* Temporary files below a folder of the file system. */
int verify_temp_files(const char *dir);
/* Open descriptors of this process. */
int verify_descriptors(void);

#endif
