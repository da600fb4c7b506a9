/* fuzz_spec.c - any bytes as city.yaml: refused with a placed message, or a spec whose promises
 * hold. */
#include "spec/spec.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses a small array when it formats a quoted text with five or more escaped
 * quotes in a row ("": fy_atom_format_text never finishes its iterator).  Its frames cannot be
 * named more closely without frame pointers.  Our own use of libfyaml is leak-checked, without
 * this, by the unit tests. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so";
}

static void check_feed(const struct cl_feed *f)
{
    assert(f->name[0] != '\0' && f->topic[0] != '\0' && f->n_columns > 0);
    assert(f->event_time_column >= 0 && (size_t)f->event_time_column < f->n_columns);
    assert(f->columns[f->event_time_column].field.type == CL_TIMESTAMP);
    assert(f->columns[f->event_time_column].field.required);
    assert(f->key_column >= -1 && f->key_column < (int)f->n_columns);
    assert(f->partition == CL_PARTITION_NONE || (size_t)f->partition_column < f->n_columns);
    assert(f->schema.n == f->n_columns + 3);
    for (size_t i = 0; i < f->n_unique; i++)
        assert((size_t)f->unique_columns[i] < f->n_columns);
    for (size_t i = 0; i < f->n_columns; i++) {
        const struct cl_feed_column *c = &f->columns[i];
        assert(c->path_len >= 1 && c->path[0].key != NULL);
        assert(!c->has_range || c->min < c->max);
        assert(cl_schema_find(&f->schema, c->field.name) == (int)i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_spec *spec = NULL;
    struct cl_error err = {0};
    enum cl_code code = cl_spec_parse("f", (const char *)data, size, &spec, &err);
    if (code == CL_OK) {
        assert(spec->n_feeds > 0);
        for (size_t i = 0; i < spec->n_feeds; i++)
            check_feed(&spec->feeds[i]);
        cl_spec_free(spec);
    } else {
        assert(spec == NULL);
        assert(code == CL_EINVAL || code == CL_ENOMEM);
        assert(code == CL_ENOMEM || err.message[0] != '\0');
        assert(code == CL_ENOMEM || err.where[0] == 'f');
    }
    return 0;
}
