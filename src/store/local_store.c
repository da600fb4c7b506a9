/* local_store.c - a directory as a store.
 *
 * Order of a file's life: create (temporary name beside its place) -> write* -> finish (fsync,
 * rename, fsync of the folder). put_if_absent uses link(2) instead of rename: link fails when the
 * name is taken, which makes it the compare-and-swap that the local catalog commits with.
 * Invariant: under its final name a file is always whole. */
#include "store/store.h"

#include "store/local_fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct local_store {
    struct cl_store base;
    char *root; /* absolute, resolved, no trailing slash; "" is the root directory */
    atomic_uint temp_counter;
};

struct local_outfile {
    struct cl_outfile base;
    int fd;
    char *path; /* absolute, where the file will appear */
    char *temp;
};

/* ---- paths ---- */

/* "" and "." parts would give one file two names, ".." would leave the store. */
static bool is_safe(const char *path)
{
    if (*path == '\0') return false;
    for (;;) {
        size_t len = strcspn(path, "/");
        if (len == 0 || (len == 1 && path[0] == '.') ||
            (len == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        if (path[len] == '\0') return true;
        path += len + 1;
    }
}

static enum cl_code absolute(struct cl_store *s, const char *path, char **ret, struct cl_error *err)
{
    const struct local_store *ls = (const struct local_store *)s;
    if (!is_safe(path))
        return cl_fail(
            err, CL_EINVAL,
            "\"%s\" is not a path inside the store %s: it must be relative, without \"..\"", path,
            s->root_uri);
    if (asprintf(ret, "%s/%s", ls->root, path) < 0) return cl_fail_nomem(err);
    return CL_OK;
}

/* ---- writing ---- */

static enum cl_code local_create(struct cl_store *s, const char *path, struct cl_outfile **ret,
                                 struct cl_error *err)
{
    struct local_outfile *f = calloc(1, sizeof *f);
    if (f == NULL) return cl_fail_nomem(err);
    f->base.store = s;
    enum cl_code code = absolute(s, path, &f->path, err);
    if (code == CL_OK)
        code = cl_fs_create_temp(f->path, &((struct local_store *)s)->temp_counter, &f->temp,
                                 &f->fd, err);
    if (code != CL_OK) {
        free(f->path);
        free(f);
        return code;
    }
    *ret = &f->base;
    return CL_OK;
}

static enum cl_code local_write(struct cl_outfile *file, const void *data, size_t len,
                                struct cl_error *err)
{
    struct local_outfile *f = (struct local_outfile *)file;
    enum cl_code code = cl_fs_write_all(f->fd, f->path, data, len, err);
    if (code == CL_OK) file->size += (int64_t)len;
    return code;
}

static void outfile_free(struct local_outfile *f)
{
    free(f->path);
    free(f->temp);
    free(f);
}

static void local_abort(struct cl_outfile *file)
{
    if (file == NULL) return;
    struct local_outfile *f = (struct local_outfile *)file;
    (void)close(f->fd);
    (void)unlink(f->temp);
    outfile_free(f);
}

static enum cl_code local_finish(struct cl_outfile *file, struct cl_error *err)
{
    struct local_outfile *f = (struct local_outfile *)file;
    enum cl_code code = cl_fs_sync_close(f->fd, f->path, err);
    if (code == CL_OK && rename(f->temp, f->path) != 0)
        code = cl_fs_fail(err, errno, "rename to", f->path);
    if (code != CL_OK) (void)unlink(f->temp);
    if (code == CL_OK) code = cl_fs_sync_parent(f->path, err);
    outfile_free(f);
    return code;
}

static enum cl_code local_put(struct cl_store *s, const char *path, const void *data, size_t len,
                              struct cl_error *err)
{
    struct cl_outfile *f = NULL;
    enum cl_code code = local_create(s, path, &f, err);
    if (code != CL_OK) return code;
    code = local_write(f, data, len, err);
    if (code == CL_OK) return local_finish(f, err);
    local_abort(f);
    return code;
}

static enum cl_code local_put_if_absent(struct cl_store *s, const char *path, const void *data,
                                        size_t len, struct cl_error *err)
{
    char *final = NULL, *temp = NULL;
    int fd = -1;
    enum cl_code code = absolute(s, path, &final, err);
    if (code != CL_OK) return code;
    code = cl_fs_create_temp(final, &((struct local_store *)s)->temp_counter, &temp, &fd, err);
    if (code != CL_OK) goto out;
    code = cl_fs_write_all(fd, final, data, len, err);
    if (code == CL_OK)
        code = cl_fs_sync_close(fd, final, err);
    else
        (void)close(fd);
    if (code == CL_OK && link(temp, final) != 0) code = cl_fs_fail(err, errno, "create", final);
    (void)unlink(temp);
    if (code != CL_OK) goto out;
    code = cl_fs_sync_parent(final, err);
    /* The name is there and others may have seen it; only its durability is open. */
    if (code != CL_OK)
        code =
            cl_fail(err, CL_EUNKNOWN, "%s was created, but its folder could not be synced", final);
out:
    free(temp);
    free(final);
    return code;
}

/* ---- reading ---- */

static enum cl_code read_fd(int fd, const char *path, struct cl_buf *buf, struct cl_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return cl_fs_fail(err, errno, "read", path);
    if (S_ISDIR(st.st_mode)) return cl_fs_fail(err, EISDIR, "read", path);
    size_t size = (size_t)st.st_size, start = buf->len;
    enum cl_code code = cl_buf_reserve(buf, size, err);
    if (code != CL_OK) return cl_error_wrap(err, code, "%s (%zu bytes)", path, size);
    while (buf->len - start < size) {
        ssize_t n = read(fd, buf->data + buf->len, size - (buf->len - start));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cl_fs_fail(err, errno, "read", path);
        if (n == 0) break; /* shortened meanwhile: the reader's format check will tell */
        buf->len += (size_t)n;
    }
    return CL_OK;
}

static enum cl_code local_read(struct cl_store *s, const char *path, struct cl_buf *buf,
                               struct cl_error *err)
{
    char *full = NULL;
    enum cl_code code = absolute(s, path, &full, err);
    if (code != CL_OK) return code;
    size_t start = buf->len;
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        code = cl_fs_fail(err, errno, "open", full);
    } else {
        code = read_fd(fd, full, buf, err);
        if (code != CL_OK) buf->len = start;
        (void)close(fd);
    }
    free(full);
    return code;
}

static enum cl_code local_size(struct cl_store *s, const char *path, int64_t *ret_bytes,
                               struct cl_error *err)
{
    char *full = NULL;
    struct stat st;
    enum cl_code code = absolute(s, path, &full, err);
    if (code != CL_OK) return code;
    if (stat(full, &st) != 0)
        code = cl_fs_fail(err, errno, "look at", full);
    else if (!S_ISREG(st.st_mode))
        code = cl_fail(err, CL_ENOTFOUND, "%s is not a file", full);
    else
        *ret_bytes = st.st_size;
    free(full);
    return code;
}

static enum cl_code local_remove(struct cl_store *s, const char *path, struct cl_error *err)
{
    char *full = NULL;
    enum cl_code code = absolute(s, path, &full, err);
    if (code != CL_OK) return code;
    /* No fsync: a removal that a power cut undoes leaves an orphan, which is harmless. */
    if (unlink(full) != 0) code = cl_fs_fail(err, errno, "remove", full);
    free(full);
    return code;
}

/* ---- listing ---- */

struct lister {
    const struct local_store *store;
    struct cl_store_list *list;
    size_t cap;
};

static enum cl_code add_entry(struct lister *l, const char *path, const struct stat *st,
                              struct cl_error *err)
{
    if (l->list->n == l->cap) {
        size_t cap = l->cap < 64 ? 64 : l->cap * 2;
        struct cl_store_entry *grown = reallocarray(l->list->entries, cap, sizeof *grown);
        if (grown == NULL) return cl_fail_nomem(err);
        l->list->entries = grown;
        l->cap = cap;
    }
    char *copy = strdup(path);
    if (copy == NULL) return cl_fail_nomem(err);
    l->list->entries[l->list->n++] = (struct cl_store_entry){
        .path = copy,
        .size = st->st_size,
        .modified_us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000,
    };
    return CL_OK;
}

static enum cl_code walk(struct lister *l, const char *folder, struct cl_error *err);

/* Symbolic links are not followed: a list would name files twice, or never end. */
static enum cl_code visit(struct lister *l, const char *folder, int dir_fd, const char *name,
                          struct cl_error *err)
{
    struct stat st;
    char *path = NULL;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? CL_OK
                               : cl_fs_fail(err, errno, "look at", name); /* removed meanwhile */
    if (asprintf(&path, "%s%s%s", folder, *folder == '\0' ? "" : "/", name) < 0)
        return cl_fail_nomem(err);
    enum cl_code code = CL_OK;
    if (S_ISDIR(st.st_mode))
        code = walk(l, path, err);
    else if (S_ISREG(st.st_mode))
        code = add_entry(l, path, &st, err);
    free(path);
    return code;
}

static enum cl_code walk(struct lister *l, const char *folder, struct cl_error *err)
{
    char *full = NULL;
    if (asprintf(&full, "%s/%s", l->store->root, folder) < 0) return cl_fail_nomem(err);
    enum cl_code code = CL_OK;
    DIR *dir = opendir(full);
    if (dir == NULL) {
        if (errno != ENOENT) code = cl_fs_fail(err, errno, "list", full);
        goto out;
    }
    while (code == CL_OK) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (e == NULL) {
            if (errno != 0) code = cl_fs_fail(err, errno, "list", full);
            break;
        }
        bool skip = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    strncmp(e->d_name, CL_LOCAL_TEMP_PREFIX, strlen(CL_LOCAL_TEMP_PREFIX)) == 0;
        if (!skip) code = visit(l, folder, dirfd(dir), e->d_name, err);
    }
    (void)closedir(dir);
out:
    free(full);
    return code;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct cl_store_entry *)a)->path,
                  ((const struct cl_store_entry *)b)->path);
}

static enum cl_code local_list(struct cl_store *s, const char *prefix, struct cl_store_list *ret,
                               struct cl_error *err)
{
    if (*prefix != '\0' && !is_safe(prefix))
        return cl_fail(err, CL_EINVAL, "\"%s\" is not a folder inside the store %s", prefix,
                       s->root_uri);
    struct cl_store_list list = {.n = 0};
    struct lister l = {.store = (const struct local_store *)s, .list = &list};
    enum cl_code code = walk(&l, prefix, err);
    if (code != CL_OK) {
        cl_store_list_fini(&list);
        return code;
    }
    if (list.n > 0) qsort(list.entries, list.n, sizeof *list.entries, by_path);
    *ret = list;
    return CL_OK;
}

/* ---- the store ---- */

static void local_free(struct cl_store *s)
{
    if (s == NULL) return;
    struct local_store *ls = (struct local_store *)s;
    free(ls->root);
    free(s->root_uri);
    free(ls);
}

static const struct cl_store_ops local_ops = {
    .name = "local",
    .create = local_create,
    .write = local_write,
    .finish = local_finish,
    .abort = local_abort,
    .put_if_absent = local_put_if_absent,
    .put = local_put,
    .read = local_read,
    .size = local_size,
    .remove = local_remove,
    .list = local_list,
    .free = local_free,
};

/* Makes the folder (a relative name counts from the working directory) and returns its resolved
 * name. */
static enum cl_code make_root(const char *root, char **ret, struct cl_error *err)
{
    char cwd[PATH_MAX];
    char *path = NULL;
    if (*root == '\0') return cl_fail(err, CL_EINVAL, "the lake's folder has an empty name");
    if (*root != '/' && getcwd(cwd, sizeof cwd) == NULL)
        return cl_fs_fail(err, errno, "find", "the working directory");
    int len = *root == '/' ? asprintf(&path, "%s", root) : asprintf(&path, "%s/%s", cwd, root);
    if (len < 0) return cl_fail_nomem(err);
    enum cl_code code = cl_fs_make_dirs(path, err);
    char *resolved = code == CL_OK ? realpath(path, NULL) : NULL;
    if (code == CL_OK && resolved == NULL) code = cl_fs_fail(err, errno, "resolve", path);
    free(path);
    if (code != CL_OK) return code;
    if (strcmp(resolved, "/") == 0) *resolved = '\0';
    *ret = resolved;
    return CL_OK;
}

enum cl_code cl_local_store_new(const char *root, struct cl_store **ret, struct cl_error *err)
{
    struct local_store *ls = calloc(1, sizeof *ls);
    if (ls == NULL) return cl_fail_nomem(err);
    ls->base.ops = &local_ops;
    enum cl_code code = make_root(root, &ls->root, err);
    if (code == CL_OK && asprintf(&ls->base.root_uri, "file://%s", ls->root) < 0) {
        ls->base.root_uri = NULL;
        code = cl_fail_nomem(err);
    }
    if (code != CL_OK) {
        local_free(&ls->base);
        return code;
    }
    *ret = &ls->base;
    return CL_OK;
}
