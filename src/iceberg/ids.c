/* ids.c - see ids.h.  The kernel's generator, so that two processes that start at the same instant
 * never agree. */
#include "iceberg/ids.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum cl_code cl_random_bytes(void *ret, size_t len, struct cl_error *err)
{
    uint8_t *p = ret;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cl_fail_errno(err, errno, "cannot get random bytes from the system");
        p += n;
        len -= (size_t)n;
    }
    return CL_OK;
}

enum cl_code cl_uuid_random(char ret[CL_UUID_TEXT], struct cl_error *err)
{
    uint8_t b[16];
    enum cl_code code = cl_random_bytes(b, sizeof b, err);
    if (code != CL_OK) return code;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562: version 4, variant 10 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(ret, CL_UUID_TEXT,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
    return CL_OK;
}

enum cl_code cl_snapshot_id_random(int64_t *ret, struct cl_error *err)
{
    uint64_t bits;
    enum cl_code code = cl_random_bytes(&bits, sizeof bits, err);
    if (code != CL_OK) return code;
    bits &= INT64_MAX;
    *ret = bits == 0 ? 1 : (int64_t)bits;
    return CL_OK;
}
