/* Fuzzes source/envelope.c.  Invariants: what is found lies inside the line; topic ends with a NUL;
 * a line that is no envelope is left as it was; scanning is the same the second time. */
#include "source/envelope.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) abort();
}

static void check_inside(const uint8_t *line, size_t size, const void *part, size_t len)
{
    const uint8_t *p = part;
    check(p == NULL ? len == 0 : p >= line && len <= size && (size_t)(p - line) <= size - len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *line = malloc(size + 1), *again = malloc(size + 1);
    if (line == NULL || again == NULL) abort();
    if (size > 0) {
        memcpy(line, data, size);
        memcpy(again, data, size);
    }
    struct cl_envelope e, f;
    bool ok = cl_envelope_scan(line, size, &e);
    check(cl_envelope_scan(again, size, &f) == ok);
    check(memcmp(line, again, size) == 0);
    if (!ok) {
        check(size == 0 || memcmp(line, data, size) == 0);
    } else {
        check(e.topic[e.topic_len] == '\0');
        check_inside(line, size, e.topic, e.topic_len);
        check_inside(line, size, e.key, e.key_len);
        check_inside(line, size, e.value, e.value_len);
    }
    free(line);
    free(again);
    return 0;
}
