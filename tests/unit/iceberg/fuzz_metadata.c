/* fuzz_metadata.c - metadata JSON from anybody; what parses must serialize and parse again to the
 * same. */
#include "iceberg/metadata.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_metadata *m = NULL, *again = NULL;
    struct cl_error err;
    struct cl_buf bytes;
    if (cl_metadata_parse("input", data, size, &m, &err) != CL_OK) return 0;
    (void)cl_metadata_as_of(m, m->last_updated_ms);
    cl_buf_init(&bytes, (size_t)1 << 26);
    assert(cl_metadata_serialize(m, &bytes, &err) == CL_OK);
    assert(cl_metadata_parse("again", bytes.data, bytes.len, &again, &err) == CL_OK);
    assert(again->n_snapshots == m->n_snapshots && again->schema.n == m->schema.n);
    cl_buf_fini(&bytes);
    cl_metadata_free(again);
    cl_metadata_free(m);
    return 0;
}
