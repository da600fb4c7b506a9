/* mem_store.h - a store in memory that fails when it is told to: a fake of struct cl_store for
 * tests.
 *
 * It implements what writers of files use: create, write, finish, abort.  The other methods are
 * NULL. */
#ifndef CITYLAKE_TESTS_MEM_STORE_H
#define CITYLAKE_TESTS_MEM_STORE_H

#include "store/store.h"

struct mem_store {
    struct cl_store store; /* first: a struct cl_store * is a struct mem_store * */
    char path[256];        /* of the newest file that was finished or aborted */
    uint8_t *data;         /* bytes of the last file that was finished, owned */
    size_t len;
    int calls;   /* of create, write and finish so far */
    int fail_at; /* the call, counted from 1, that fails with CL_EIO; 0: none */
    int open;    /* files begun and neither finished nor aborted */
    int aborted;
};

void mem_store_init(struct mem_store *s);
void mem_store_fini(struct mem_store *s);

#endif
