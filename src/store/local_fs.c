/* local_fs.c - see local_fs.h.
 *
 * Durability on POSIX needs two fsyncs: one of the file (its bytes) and one of the directory (its
 * name).  Rename and link are atomic for other processes but not durable before the second. */
#include "store/local_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum cl_code cl_fs_fail(struct cl_error *err, int errno_value, const char *verb, const char *path)
{
    const char *remedy = "";
    bool retriable = true;
    switch (errno_value) {
    case ENOSPC:
    case EDQUOT: remedy = " (free space on this disk or quota; nothing was changed)"; break;
    case EACCES:
    case EPERM:
        remedy = " (check the owner and mode of the folder)";
        retriable = false;
        break;
    case EROFS:
        remedy = " (the file system is mounted read-only)";
        retriable = false;
        break;
    case ENOTDIR:
        remedy = " (a file stands where a folder is needed)";
        retriable = false;
        break;
    case ENAMETOOLONG:
    case EISDIR:
    case ELOOP: retriable = false; break;
    case EMFILE:
    case ENFILE: remedy = " (raise the limit of open files)"; break;
    default: break;
    }
    enum cl_code code = cl_fail_errno(err, errno_value, "cannot %s %s", verb, path);
    if (err != NULL) {
        size_t used = strlen(err->message);
        (void)snprintf(err->message + used, sizeof err->message - used, "%s", remedy);
        err->retriable = code == CL_EIO && retriable;
    }
    return code;
}

static enum cl_code sync_dir(const char *dir, struct cl_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return cl_fs_fail(err, errno, "open folder", dir);
    /* Some file systems cannot fsync a directory and say EINVAL: they promise no more. */
    enum cl_code code = CL_OK;
    if (fsync(fd) != 0 && errno != EINVAL) code = cl_fs_fail(err, errno, "sync folder", dir);
    (void)close(fd);
    return code;
}

/* Length of the directory part of an absolute path; 1 for "/x". */
static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? 1 : (size_t)(slash - path);
}

enum cl_code cl_fs_sync_parent(const char *path, struct cl_error *err)
{
    char *dir = strndup(path, parent_length(path));
    if (dir == NULL) return cl_fail_nomem(err);
    enum cl_code code = sync_dir(dir, err);
    free(dir);
    return code;
}

enum cl_code cl_fs_make_dirs(const char *path, struct cl_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? CL_OK : cl_fs_fail(err, ENOTDIR, "make folder", path);
    char *dir = strdup(path);
    if (dir == NULL) return cl_fail_nomem(err);
    enum cl_code code = CL_OK;
    for (char *p = dir + 1; code == CL_OK; p++) {
        if (*p != '/' && *p != '\0') continue;
        bool last = *p == '\0';
        *p = '\0';
        if (mkdir(dir, 0777) == 0)
            code = cl_fs_sync_parent(dir, err);
        else if (errno != EEXIST)
            code = cl_fs_fail(err, errno, "make folder", dir);
        if (last) break;
        *p = '/';
    }
    free(dir);
    return code;
}

static enum cl_code make_parent(const char *path, struct cl_error *err)
{
    char *dir = strndup(path, parent_length(path));
    if (dir == NULL) return cl_fail_nomem(err);
    enum cl_code code = cl_fs_make_dirs(dir, err);
    /* ENOENT here means a parent vanished between two steps: a failure of the disk's user, not a
     * missing file. */
    if (code == CL_ENOTFOUND)
        code = cl_fail(err, CL_EIO, "folder %s was removed while it was being made", dir);
    free(dir);
    return code;
}

enum cl_code cl_fs_create_temp(const char *path, atomic_uint *counter, char **ret_temp, int *ret_fd,
                               struct cl_error *err)
{
    bool made = false;
    for (;;) {
        char *temp = NULL;
        unsigned n = atomic_fetch_add(counter, 1);
        if (asprintf(&temp, "%.*s/" CL_LOCAL_TEMP_PREFIX "%ld-%u", (int)parent_length(path), path,
                     (long)getpid(), n) < 0)
            return cl_fail_nomem(err);
        int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            *ret_temp = temp;
            *ret_fd = fd;
            return CL_OK;
        }
        int failure = errno;
        free(temp);
        if (failure == EEXIST || failure == EINTR)
            continue; /* left by a crashed process that had our id */
        if (failure != ENOENT || made) return cl_fs_fail(err, failure, "create", path);
        enum cl_code code = make_parent(path, err);
        if (code != CL_OK) return code;
        made = true;
    }
}

enum cl_code cl_fs_write_all(int fd, const char *path, const void *data, size_t len,
                             struct cl_error *err)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cl_fs_fail(err, errno, "write", path);
        p += n;
        len -= (size_t)n;
    }
    return CL_OK;
}

enum cl_code cl_fs_sync_close(int fd, const char *path, struct cl_error *err)
{
    enum cl_code code = CL_OK;
    /* After a failed fsync the kernel may have dropped the dirty pages: a second fsync that
     * succeeds would prove nothing, so the caller throws the whole file away. */
    if (fsync(fd) != 0) code = cl_fs_fail(err, errno, "sync", path);
    if (close(fd) != 0 && code == CL_OK) code = cl_fs_fail(err, errno, "close", path);
    return code;
}
