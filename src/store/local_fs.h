/* local_fs.h - the POSIX steps of the local store: each does one durable thing and names the path
 * and the remedy when it fails. */
#ifndef CITYLAKE_STORE_LOCAL_FS_H
#define CITYLAKE_STORE_LOCAL_FS_H

#include "base/error.h"

#include <stdatomic.h>
#include <stddef.h>

/* Begins the names of files that are not finished.  A crash may leave some behind; lists skip them
 * and they may be removed when the process whose id follows is gone. */
#define CL_LOCAL_TEMP_PREFIX ".tmp-"

/* cl_fail_errno plus what a person can do about it.  verb: "write", "read"... */
enum cl_code cl_fs_fail(struct cl_error *err, int errno_value, const char *verb, const char *path);

/* Makes the directory and its missing parents; each new entry is made durable in its parent. */
CL_MUSTCHECK enum cl_code cl_fs_make_dirs(const char *path, struct cl_error *err);

/* Makes the entries of the directory that holds `path` durable. */
CL_MUSTCHECK enum cl_code cl_fs_sync_parent(const char *path, struct cl_error *err);

/* Creates an empty file under a fresh temporary name in the folder of `path`, making the folder
 * when it is missing. counter: shared by the callers of one store, so that they rarely meet;
 * exclusive creation settles the rest. */
CL_MUSTCHECK enum cl_code cl_fs_create_temp(const char *path, atomic_uint *counter, char **ret_temp,
                                            int *ret_fd, struct cl_error *err);

/* Writes all bytes; `path` is for messages. */
CL_MUSTCHECK enum cl_code cl_fs_write_all(int fd, const char *path, const void *data, size_t len,
                                          struct cl_error *err);

/* fsync and close; fd is closed on failure too. */
CL_MUSTCHECK enum cl_code cl_fs_sync_close(int fd, const char *path, struct cl_error *err);

#endif
