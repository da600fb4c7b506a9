/* http_server.h - a small HTTP server for pages that are made when they are asked for.
 *
 * One thread of its own (libmicrohttpd's), GET and HEAD, at most CONNECTIONS clients at a time,
 * idle ones are closed.  A page function runs on that thread.  Requests that are no HTTP are
 * answered or dropped by libmicrohttpd; nothing of a request reaches the pages but which of them it
 * names.
 *
 *   start -> stop; by one thread. */
#ifndef CITYLAKE_WEB_HTTP_SERVER_H
#define CITYLAKE_WEB_HTTP_SERVER_H

#include "base/buf.h"
#include "web/address.h"

struct cl_web_page {
    const char *path; /* "/metrics" */
    const char *what; /* one line for the list of pages */
    /* Writes the body into out (empty) and says the HTTP status and content type.  An error answers
     * 500. */
    enum cl_code (*make)(void *context, struct cl_buf *out, unsigned *ret_status,
                         const char **ret_content_type, struct cl_error *err);
};

struct cl_web_server; /* opaque */

/* pages and context are borrowed until stop.  CL_EINVAL: cannot listen there (cl_web_listen). */
CL_MUSTCHECK enum cl_code cl_web_server_start(const struct cl_web_address *address,
                                              const struct cl_web_page *pages, size_t n_pages,
                                              void *context, struct cl_web_server **ret,
                                              struct cl_error *err);
const char *cl_web_server_url(const struct cl_web_server *s); /* http://127.0.0.1:9100 */
bool cl_web_server_on_loopback(const struct cl_web_server *s);
void cl_web_server_stop(struct cl_web_server *s); /* waits for the page being made; NULL allowed */

#endif
