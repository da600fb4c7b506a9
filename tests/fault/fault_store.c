#include "fault_store.h"

#include <stdlib.h>

struct fault_store {
    struct cl_store base;
    struct cl_store *inner;
    struct faults *faults;
};

struct fault_outfile {
    struct cl_outfile base;
    struct cl_outfile *inner;
};

static struct fault_store *self_of(struct cl_store *s)
{
    return (struct fault_store *)s;
}

/* What is to become of the call, and the death before it. */
static enum fault_kind next(struct fault_store *s, enum fault_call call, int *ret_die)
{
    enum fault_kind kind = faults_next(s->faults, call, ret_die);
    if (*ret_die == 1) faults_die();
    return kind;
}

/* After the inner call: the death after it, and a success that is reported as a failure. */
static enum cl_code end(struct fault_store *s, enum fault_call call, enum fault_kind kind, int die,
                        enum cl_code code, struct cl_error *err)
{
    if (die != 0) faults_die();
    return code == CL_OK && kind == FAULT_DONE ? faults_fail(s->faults, call, kind, err) : code;
}

/* ---- files ---- */

static enum cl_code create(struct cl_store *base, const char *path, struct cl_outfile **ret,
                           struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    if (next(s, FAULT_CREATE, &die) != FAULT_NONE)
        return faults_fail(s->faults, FAULT_CREATE, FAULT_UNDONE, err);
    struct fault_outfile *f = calloc(1, sizeof *f);
    if (f == NULL) return cl_fail_nomem(err);
    f->base.store = base;
    enum cl_code code = s->inner->ops->create(s->inner, path, &f->inner, err);
    if (code == CL_OK)
        *ret = &f->base;
    else
        free(f);
    return end(s, FAULT_CREATE, FAULT_NONE, die, code, err);
}

static enum cl_code write_part(struct fault_outfile *f, const void *data, size_t len,
                               struct cl_error *err)
{
    enum cl_code code = f->inner->store->ops->write(f->inner, data, len, err);
    f->base.size = f->inner->size;
    return code;
}

static enum cl_code write(struct cl_outfile *file, const void *data, size_t len,
                          struct cl_error *err)
{
    struct fault_outfile *f = (struct fault_outfile *)file;
    struct fault_store *s = self_of(file->store);
    int die;
    enum fault_kind kind = next(s, FAULT_WRITE, &die);
    bool half = kind == FAULT_HALF || die == 2;
    if (kind == FAULT_UNDONE) return faults_fail(s->faults, FAULT_WRITE, kind, err);
    enum cl_code code = write_part(f, data, half ? len / 2 : len, err);
    if (code == CL_OK && kind == FAULT_HALF) code = faults_fail(s->faults, FAULT_WRITE, kind, err);
    return end(s, FAULT_WRITE, FAULT_NONE, die, code, err);
}

static void abort_file(struct cl_outfile *file)
{
    if (file == NULL) return;
    struct fault_outfile *f = (struct fault_outfile *)file;
    f->inner->store->ops->abort(f->inner);
    free(f);
}

static enum cl_code finish(struct cl_outfile *file, struct cl_error *err)
{
    struct fault_outfile *f = (struct fault_outfile *)file;
    struct fault_store *s = self_of(file->store);
    int die;
    enum fault_kind kind = next(s, FAULT_FINISH, &die);
    if (kind == FAULT_UNDONE) {
        abort_file(file);
        return faults_fail(s->faults, FAULT_FINISH, kind, err);
    }
    enum cl_code code = f->inner->store->ops->finish(f->inner, err);
    free(f);
    return end(s, FAULT_FINISH, kind, die, code, err);
}

/* ---- whole files ---- */

static enum cl_code put_if_absent(struct cl_store *base, const char *path, const void *data,
                                  size_t len, struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    enum fault_kind kind = next(s, FAULT_PUT_IF_ABSENT, &die);
    if (kind == FAULT_UNDONE) return faults_fail(s->faults, FAULT_PUT_IF_ABSENT, kind, err);
    enum cl_code code = s->inner->ops->put_if_absent(s->inner, path, data, len, err);
    return end(s, FAULT_PUT_IF_ABSENT, kind, die, code, err);
}

static enum cl_code put(struct cl_store *base, const char *path, const void *data, size_t len,
                        struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    enum fault_kind kind = next(s, FAULT_PUT, &die);
    if (kind == FAULT_UNDONE) return faults_fail(s->faults, FAULT_PUT, kind, err);
    enum cl_code code = s->inner->ops->put(s->inner, path, data, len, err);
    return end(s, FAULT_PUT, kind, die, code, err);
}

static enum cl_code read(struct cl_store *base, const char *path, struct cl_buf *buf,
                         struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    if (next(s, FAULT_READ, &die) != FAULT_NONE)
        return faults_fail(s->faults, FAULT_READ, FAULT_UNDONE, err);
    return end(s, FAULT_READ, FAULT_NONE, die, s->inner->ops->read(s->inner, path, buf, err), err);
}

static enum cl_code size(struct cl_store *base, const char *path, int64_t *ret_bytes,
                         struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    if (next(s, FAULT_SIZE, &die) != FAULT_NONE)
        return faults_fail(s->faults, FAULT_SIZE, FAULT_UNDONE, err);
    return end(s, FAULT_SIZE, FAULT_NONE, die, s->inner->ops->size(s->inner, path, ret_bytes, err),
               err);
}

static enum cl_code remove_file(struct cl_store *base, const char *path, struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    enum fault_kind kind = next(s, FAULT_REMOVE, &die);
    if (kind == FAULT_UNDONE) return faults_fail(s->faults, FAULT_REMOVE, kind, err);
    return end(s, FAULT_REMOVE, kind, die, s->inner->ops->remove(s->inner, path, err), err);
}

static enum cl_code list(struct cl_store *base, const char *prefix, struct cl_store_list *ret,
                         struct cl_error *err)
{
    struct fault_store *s = self_of(base);
    int die;
    if (next(s, FAULT_LIST, &die) != FAULT_NONE)
        return faults_fail(s->faults, FAULT_LIST, FAULT_UNDONE, err);
    return end(s, FAULT_LIST, FAULT_NONE, die, s->inner->ops->list(s->inner, prefix, ret, err),
               err);
}

static void free_store(struct cl_store *base)
{
    free(base);
}

struct cl_store *fault_store_new(struct cl_store *inner, struct faults *faults)
{
    static const struct cl_store_ops ops = {
        .name = "faulty",
        .create = create,
        .write = write,
        .finish = finish,
        .abort = abort_file,
        .put_if_absent = put_if_absent,
        .put = put,
        .read = read,
        .size = size,
        .remove = remove_file,
        .list = list,
        .free = free_store,
    };
    struct fault_store *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    s->base = (struct cl_store){&ops, inner->root_uri};
    s->inner = inner;
    s->faults = faults;
    return &s->base;
}
