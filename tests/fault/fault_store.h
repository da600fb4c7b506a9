/* fault_store.h - a store in front of another one, whose calls fail as faults.h says. */
#ifndef CITYLAKE_TESTS_FAULT_STORE_H
#define CITYLAKE_TESTS_FAULT_STORE_H

#include "faults.h"
#include "store/store.h"

/* inner and faults are borrowed.  NULL: out of memory. */
struct cl_store *fault_store_new(struct cl_store *inner, struct faults *faults);

#endif
