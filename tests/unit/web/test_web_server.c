/* test_web_server.c - the HTTP server with the engine's pages, spoken to over a socket byte by
 * byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/metrics_pages.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct fixture {
    struct cl_metrics_pages pages;
    struct cl_web_server *server;
    uint16_t port;
    char reply[65536];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct cl_web_address address = {"127.0.0.1", "0"};
    struct cl_error err;
    f->pages.version = "1.2.3\"quoted";
    assert_int_equal(cl_metrics_new(&f->pages.metrics, &err), CL_OK);
    assert_int_equal(cl_web_server_start(&address, cl_metrics_pages, CL_METRICS_PAGES_N, &f->pages,
                                         &f->server, &err),
                     CL_OK);
    f->port = (uint16_t)atoi(strrchr(cl_web_server_url(f->server), ':') + 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cl_web_server_stop(f->server);
    cl_metrics_free(f->pages.metrics);
    free(f);
    return 0;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 30};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Sends the bytes, says that no more come, and reads the answer to its end. */
static const char *ask(struct fixture *f, const char *bytes, size_t len)
{
    int fd = connect_to(f->port);
    size_t got = 0;
    ssize_t n;
    (void)send(fd, bytes, len,
               MSG_NOSIGNAL); /* a server that hangs up early is what some tests are about */
    (void)shutdown(fd, SHUT_WR);
    while ((n = recv(fd, f->reply + got, sizeof f->reply - 1 - got, 0)) > 0)
        got += (size_t)n;
    f->reply[got] = '\0';
    (void)close(fd);
    return f->reply;
}

/* Sends the bytes and leaves. */
static void throw_at(const struct fixture *f, const char *bytes, size_t len)
{
    int fd = connect_to(f->port);
    (void)send(fd, bytes, len, MSG_NOSIGNAL);
    (void)close(fd);
}

static const char *get(struct fixture *f, const char *path)
{
    char request[256];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return ask(f, request, (size_t)len);
}

static void starts(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)) != 0) fail_msg("expected %s, got %.200s", with, text);
}

static void contains(const char *text, const char *what)
{
    if (strstr(text, what) == NULL) fail_msg("no \"%s\" in %s", what, text);
}

static void the_metrics_are_served(void **state)
{
    const char *reply = get(*state, "/metrics");
    starts(reply, "HTTP/1.1 200");
    contains(reply, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    contains(reply, "\ncitylake_build_info{version=\"1.2.3\\\"quoted\"} 1\n");
    contains(reply, "\ncitylake_commit_duration_seconds_bucket{le=\"+Inf\"} 0\n");
    contains(reply, "\ncitylake_ready 0\n");
    assert_null(strstr(reply, "citylake_queued_messages")); /* not known */
    starts(get(*state, "/metrics?name=x"), "HTTP/1.1 200");
}

static void ready_is_what_works(void **state)
{
    struct fixture *f = *state;
    contains(get(f, "/readyz"), "503");
    contains(f->reply, "starting");
    starts(get(f, "/healthz"), "HTTP/1.1 200");
    cl_metrics_phase(f->pages.metrics, CL_ENGINE_RUNNING);
    contains(get(f, "/readyz"), "nothing was read yet");
    cl_metrics_commit_retry(f->pages.metrics);
    contains(get(f, "/readyz"), "the last try to commit failed");
    contains(get(f, "/metrics"), "\ncitylake_commit_retries_total 1\n");
    cl_metrics_fence(f->pages.metrics);
    contains(get(f, "/readyz"), "restarting: another process committed");
    contains(get(f, "/metrics"), "\ncitylake_fences_total 1\n");
    cl_metrics_phase(f->pages.metrics, CL_ENGINE_STOPPED);
    contains(get(f, "/readyz"), "stopped");
}

static void only_reading_is_possible(void **state)
{
    struct fixture *f = *state;
    static const char post[] =
        "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    static const char head[] = "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    starts(ask(f, post, sizeof post - 1), "HTTP/1.1 405");
    contains(f->reply, "Allow: GET, HEAD\r\n");
    starts(ask(f, head, sizeof head - 1), "HTTP/1.1 200");
    assert_null(strstr(f->reply, "# HELP"));
    starts(get(f, "/nothing"), "HTTP/1.1 404");
    contains(f->reply, "/readyz");
    starts(get(f, "/metrics/"), "HTTP/1.1 404");
    starts(get(f, "/../etc/passwd"), "HTTP/1.1 404");
}

static void bytes_that_are_no_http_do_no_harm(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\n no fold\r\n:\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /* a TLS client */
        "GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        throw_at(f, bad[i], strlen(bad[i]));
    static char large[200000];
    memset(large, 'a', sizeof large);
    memcpy(large, "GET /", 5);
    throw_at(f, large, sizeof large);
    uint32_t seed = 7;
    for (int round = 0; round < 200; round++) {
        char bytes[512];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (char)(seed >> 24);
        }
        throw_at(f, bytes, sizeof bytes);
    }
    starts(get(f, "/healthz"), "HTTP/1.1 200");
}

static void clients_that_say_nothing_do_not_keep_others_out(void **state)
{
    struct fixture *f = *state;
    int silent[40];
    for (size_t i = 0; i < 40; i++)
        silent[i] = connect_to(f->port);
    starts(get(f, "/metrics"), "HTTP/1.1 200");
    for (size_t i = 0; i < 40; i++)
        (void)close(silent[i]);
    for (int i = 0; i < 500; i++)
        starts(get(f, "/metrics"), "HTTP/1.1 200");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_metrics_are_served, setup, teardown),
        cmocka_unit_test_setup_teardown(ready_is_what_works, setup, teardown),
        cmocka_unit_test_setup_teardown(only_reading_is_possible, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_http_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(clients_that_say_nothing_do_not_keep_others_out, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("web_server", tests, NULL, NULL);
}
