/* store.h - where bytes go: a local directory, later S3.  An interface (vtable).
 *
 * Paths are relative to the store's root, '/'-separated, without ".." parts.  Thread-safe: every
 * call may come from any thread; one cl_outfile is used by one thread at a time.  A file appears
 * whole at finish or not at all. */
#ifndef CITYLAKE_STORE_STORE_H
#define CITYLAKE_STORE_STORE_H

#include "base/buf.h"

struct cl_store;
struct cl_outfile;

struct cl_store_entry {
    char *path; /* owned by the list */
    int64_t size;
    int64_t modified_us;
};

struct cl_store_list {
    struct cl_store_entry *entries; /* sorted by path */
    size_t n;
};

struct cl_store_ops {
    const char *name;
    /* Begins a new file.  Its bytes are invisible (temporary name, multipart upload) until finish.
     */
    enum cl_code (*create)(struct cl_store *s, const char *path, struct cl_outfile **ret,
                           struct cl_error *err);
    enum cl_code (*write)(struct cl_outfile *f, const void *data, size_t len, struct cl_error *err);
    /* Makes it durable and visible (fsync, rename, fsync of the directory) and frees f, on failure
     * too.  An existing file is replaced. */
    enum cl_code (*finish)(struct cl_outfile *f, struct cl_error *err);
    void (*abort)(struct cl_outfile *f); /* throws the bytes away and frees f; NULL allowed */

    /* Whole file in one step, durable, only if the name is free.  CL_EEXIST: it is not. */
    enum cl_code (*put_if_absent)(struct cl_store *s, const char *path, const void *data,
                                  size_t len, struct cl_error *err);
    /* Whole file in one step, durable, atomically replacing what is there. */
    enum cl_code (*put)(struct cl_store *s, const char *path, const void *data, size_t len,
                        struct cl_error *err);
    /* Appends the file's bytes to buf; CL_ELIMIT when buf's maximum is too small.  CL_ENOTFOUND. */
    enum cl_code (*read)(struct cl_store *s, const char *path, struct cl_buf *buf,
                         struct cl_error *err);
    enum cl_code (*size)(struct cl_store *s, const char *path, int64_t *ret_bytes,
                         struct cl_error *err);
    enum cl_code (*remove)(struct cl_store *s, const char *path,
                           struct cl_error *err); /* CL_ENOTFOUND */
    /* Every file below the folder `prefix` ("" = all), recursively.  A folder that is not there is
     * an empty list. */
    enum cl_code (*list)(struct cl_store *s, const char *prefix, struct cl_store_list *ret,
                         struct cl_error *err);
    void (*free)(struct cl_store *s);
};

struct cl_store {
    const struct cl_store_ops *ops;
    char *root_uri; /* "file:///abs/lake", no trailing slash; owned by the implementation */
};

struct cl_outfile {
    struct cl_store *store;
    int64_t size; /* bytes written so far */
};

/* "file:///abs/lake" + "/" + path, to be freed; NULL: out of memory. */
char *cl_store_uri(const struct cl_store *s, const char *path);
/* The relative path inside a URI of this store, or NULL when it is not below its root.  Accepts
 * "file:/x", "file:///x" and "/x". */
const char *cl_store_relative(const struct cl_store *s, const char *uri);
void cl_store_list_fini(struct cl_store_list *list);

/* root: directory, made when missing (with its parents).  The root URI is absolute with symlinks
 * resolved. */
CL_MUSTCHECK enum cl_code cl_local_store_new(const char *root, struct cl_store **ret,
                                             struct cl_error *err);

#endif
