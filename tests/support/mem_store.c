#include "mem_store.h"

#include <stdio.h>
#include <stdlib.h>

struct mem_file {
    struct cl_outfile file; /* first */
    struct cl_buf bytes;
};

static bool must_fail(struct cl_store *s)
{
    struct mem_store *m = (struct mem_store *)s;
    return ++m->calls == m->fail_at;
}

static void end_file(struct cl_outfile *f)
{
    struct mem_file *file = (struct mem_file *)f;
    ((struct mem_store *)f->store)->open--;
    cl_buf_fini(&file->bytes);
    free(file);
}

static enum cl_code mem_create(struct cl_store *s, const char *path, struct cl_outfile **ret,
                               struct cl_error *err)
{
    struct mem_store *m = (struct mem_store *)s;
    if (must_fail(s)) return cl_fail(err, CL_EIO, "create was told to fail");
    struct mem_file *file = calloc(1, sizeof *file);
    if (file == NULL) return cl_fail_nomem(err);
    file->file.store = s;
    cl_buf_init(&file->bytes, SIZE_MAX / 2);
    (void)snprintf(m->path, sizeof m->path, "%s", path);
    m->open++;
    *ret = &file->file;
    return CL_OK;
}

static enum cl_code mem_write(struct cl_outfile *f, const void *data, size_t len,
                              struct cl_error *err)
{
    if (must_fail(f->store)) return cl_fail(err, CL_EIO, "write was told to fail");
    enum cl_code code = cl_buf_append(&((struct mem_file *)f)->bytes, data, len, err);
    if (code == CL_OK) f->size += (int64_t)len;
    return code;
}

static enum cl_code mem_finish(struct cl_outfile *f, struct cl_error *err)
{
    struct mem_store *m = (struct mem_store *)f->store;
    struct mem_file *file = (struct mem_file *)f;
    enum cl_code code =
        must_fail(f->store) ? cl_fail(err, CL_EIO, "finish was told to fail") : CL_OK;
    if (code == CL_OK) {
        free(m->data);
        m->data = file->bytes.data;
        m->len = file->bytes.len;
        file->bytes.data = NULL;
    }
    end_file(f);
    return code;
}

static void mem_abort(struct cl_outfile *f)
{
    if (f == NULL) return;
    ((struct mem_store *)f->store)->aborted++;
    end_file(f);
}

static const struct cl_store_ops mem_ops = {.name = "memory",
                                            .create = mem_create,
                                            .write = mem_write,
                                            .finish = mem_finish,
                                            .abort = mem_abort};

void mem_store_init(struct mem_store *s)
{
    *s = (struct mem_store){.store.ops = &mem_ops};
}

void mem_store_fini(struct mem_store *s)
{
    free(s->data);
    s->data = NULL;
}
