#include "web/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static enum cl_code fail_form(const char *text, struct cl_error *err)
{
    return cl_fail(
        err, CL_EINVAL,
        "\"%.64s\" is not an address; write PORT or HOST:PORT, such as 9100 or [::1]:9100", text);
}

static enum cl_code set_port(const char *text, const char *port, struct cl_web_address *a,
                             struct cl_error *err)
{
    size_t len = strlen(port);
    if (len == 0 || len > 5 || strspn(port, "0123456789") != len || strtol(port, NULL, 10) > 65535)
        return cl_fail(
            err, CL_EINVAL,
            "\"%.64s\" has no port from 0 to 65535; write PORT or HOST:PORT, such as 9100", text);
    (void)snprintf(a->port, sizeof a->port, "%s", port);
    return CL_OK;
}

enum cl_code cl_web_address_parse(const char *text, struct cl_web_address *ret,
                                  struct cl_error *err)
{
    struct cl_web_address a = {.host = "127.0.0.1"};
    const char *colon = strrchr(text, ':');
    enum cl_code code = set_port(text, colon != NULL ? colon + 1 : text, &a, err);
    if (code != CL_OK) return code;
    if (colon != NULL) {
        const char *host = text;
        size_t len = (size_t)(colon - text);
        bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
        if (bracketed) {
            host++;
            len -= 2;
        }
        /* A colon in a host without brackets: an IPv6 address whose end was taken for a port. */
        if (len == 0 || len >= sizeof a.host || (!bracketed && strcspn(host, ":[]") < len))
            return fail_form(text, err);
        memcpy(a.host, host, len);
        a.host[len] = '\0';
    }
    *ret = a;
    return CL_OK;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
               127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static enum cl_code fail_listen(const struct cl_web_address *a, int why, struct cl_error *err)
{
    const char *remedy = why == EADDRINUSE
                             ? "; another program has this port: stop it or take another port"
                         : why == EACCES ? "; ports below 1024 need privileges: take a higher one"
                         : why == EADDRNOTAVAIL ? "; this machine does not have that address"
                                                : "";
    (void)cl_fail(err, CL_EINVAL, "cannot listen on %s port %s: %s%s", a->host, a->port,
                  strerror(why), remedy);
    if (err != NULL) {
        err->origin = CL_ORIGIN_ERRNO;
        err->origin_code = why;
    }
    return CL_EINVAL;
}

static int listen_on(const struct addrinfo *where)
{
    int on = 1, fd = socket(where->ai_family, where->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                            where->ai_protocol);
    if (fd < 0) return -1;
    /* Without it a restart would have to wait for the last run's connections to be forgotten. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

static void write_url(const struct cl_web_address *a, int fd, char ret[CL_WEB_URL])
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char port[16];
    bool v6 = strchr(a->host, ':') != NULL;
    (void)snprintf(port, sizeof port, "%s", a->port);
    if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0)
        (void)getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof port,
                          NI_NUMERICSERV);
    (void)snprintf(ret, CL_WEB_URL, "http://%s%s%s:%s", v6 ? "[" : "", a->host, v6 ? "]" : "",
                   port);
}

enum cl_code cl_web_listen(const struct cl_web_address *address, int *ret_fd,
                           char ret_url[CL_WEB_URL], bool *ret_loopback, struct cl_error *err)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    int status = getaddrinfo(address->host, address->port, &hints, &list);
    if (status != 0)
        return cl_fail(err, CL_EINVAL, "cannot listen on host \"%.64s\": %s", address->host,
                       gai_strerror(status));
    int fd = listen_on(list), why = errno;
    if (fd >= 0) {
        *ret_loopback = is_loopback(list->ai_addr);
        write_url(address, fd, ret_url);
        *ret_fd = fd;
    }
    freeaddrinfo(list);
    return fd >= 0 ? CL_OK : fail_listen(address, why, err);
}
