/* fault_catalog.h - a catalog in front of another one, whose answers are lost, late or wrong as
 * faults.h says. */
#ifndef CITYLAKE_TESTS_FAULT_CATALOG_H
#define CITYLAKE_TESTS_FAULT_CATALOG_H

#include "catalog/catalog.h"
#include "faults.h"

/* inner: the real catalog on the faulty store; calm: the real catalog on the real store, for what
 * rivals and late commits do. All borrowed.  NULL: out of memory. */
struct cl_catalog *fault_catalog_new(struct cl_catalog *inner, struct cl_catalog *calm,
                                     struct faults *faults);

#endif
