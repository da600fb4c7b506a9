/* address.h - "HOST:PORT" or "PORT" as a socket that listens. */
#ifndef CITYLAKE_WEB_ADDRESS_H
#define CITYLAKE_WEB_ADDRESS_H

#include "base/error.h"

enum { CL_WEB_HOST = 256, CL_WEB_URL = CL_WEB_HOST + 32 };

struct cl_web_address {
    char
        host[CL_WEB_HOST]; /* 127.0.0.1 unless named: nobody else's network is served by accident */
    char port[8];          /* 0: any free one */
};

/* "9100", "127.0.0.1:9100", "[::1]:9100", "metrics.example:9100".  CL_EINVAL says what would be
 * right. */
CL_MUSTCHECK enum cl_code cl_web_address_parse(const char *text, struct cl_web_address *ret,
                                               struct cl_error *err);

/* Listens there.  *ret_url: "http://127.0.0.1:9100", with the port that it became.  *ret_loopback:
 * only this machine can reach it. CL_EINVAL: the port is in use or not ours to use, the host
 * unknown or not this machine's (said). */
CL_MUSTCHECK enum cl_code cl_web_listen(const struct cl_web_address *address, int *ret_fd,
                                        char ret_url[CL_WEB_URL], bool *ret_loopback,
                                        struct cl_error *err);

#endif
