#include "web/http_server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONNECTIONS = 64,
    IDLE_SECONDS = 15,
    REQUEST_BYTES = 16 << 10, /* memory for one connection: request line and headers */
    PAGE_BYTES = 64 << 20,    /* 100,000 partitions are 40 MB */
};

struct cl_web_server {
    struct MHD_Daemon *daemon;
    const struct cl_web_page *pages;
    size_t n_pages;
    void *context;
    bool loopback;
    char url[CL_WEB_URL];
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *content_type, const char *allow, struct cl_buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO; /* closes the connection */
    enum MHD_Result done =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (done == MHD_YES)
        done = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (done == MHD_YES)
        done = MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (done == MHD_YES && allow != NULL)
        done = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    if (done == MHD_YES) done = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return done;
}

static enum cl_code make_page(const struct cl_web_server *s, const char *path, struct cl_buf *out,
                              unsigned *ret_status, const char **ret_type, struct cl_error *err)
{
    for (size_t i = 0; i < s->n_pages; i++)
        if (strcmp(s->pages[i].path, path) == 0)
            return s->pages[i].make(s->context, out, ret_status, ret_type, err);
    *ret_status = MHD_HTTP_NOT_FOUND;
    enum cl_code code = cl_buf_append_str(out, "no such page; there are:\n", err);
    for (size_t i = 0; code == CL_OK && i < s->n_pages; i++)
        code = cl_buf_printf(out, err, "%-10s %s\n", s->pages[i].path, s->pages[i].what);
    return code;
}

/* Called twice for each request: when its headers are there (*seen is NULL), and when its body,
 * which nobody reads, has passed. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *body, size_t *body_len, void **seen)
{
    static const char text[] = "text/plain; charset=utf-8";
    struct cl_web_server *s = context;
    struct cl_error err = {0};
    struct cl_buf page;
    (void)version;
    (void)body;
    if (*seen == NULL) {
        *seen = s;
        return MHD_YES;
    }
    if (*body_len > 0) {
        *body_len = 0;
        return MHD_YES;
    }
    unsigned status = MHD_HTTP_OK;
    const char *type = text, *allow = NULL;
    cl_buf_init(&page, PAGE_BYTES);
    enum cl_code code;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        allow = "GET, HEAD";
        code = cl_buf_append_str(&page, "only GET and HEAD\n", &err);
    } else {
        code = make_page(s, path, &page, &status, &type, &err);
    }
    if (code != CL_OK) {
        cl_buf_reset(&page);
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        type = text;
        if (cl_buf_printf(&page, NULL, "%s\n", err.message) != CL_OK)
            cl_buf_reset(&page); /* the status says it too */
    }
    enum MHD_Result done = answer(connection, status, type, allow, &page);
    cl_buf_fini(&page);
    return done;
}

enum cl_code cl_web_server_start(const struct cl_web_address *address,
                                 const struct cl_web_page *pages, size_t n_pages, void *context,
                                 struct cl_web_server **ret, struct cl_error *err)
{
    int fd = -1;
    struct cl_web_server *s = calloc(1, sizeof *s);
    if (s == NULL) return cl_fail_nomem(err);
    s->pages = pages;
    s->n_pages = n_pages;
    s->context = context;
    enum cl_code code = cl_web_listen(address, &fd, s->url, &s->loopback, err);
    if (code == CL_OK) {
        /* The port 0 is not used: the socket is ours. */
        s->daemon = MHD_start_daemon(
            MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request, s,
            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES, MHD_OPTION_END);
        if (s->daemon == NULL) {
            (void)close(fd);
            code = cl_fail(err, CL_EIO, "cannot start the HTTP server at %s", s->url);
        }
    }
    if (code != CL_OK) {
        free(s);
        return code;
    }
    *ret = s;
    return CL_OK;
}

const char *cl_web_server_url(const struct cl_web_server *s)
{
    return s->url;
}

bool cl_web_server_on_loopback(const struct cl_web_server *s)
{
    return s->loopback;
}

void cl_web_server_stop(struct cl_web_server *s)
{
    if (s == NULL) return;
    MHD_stop_daemon(s->daemon); /* closes the socket */
    free(s);
}
