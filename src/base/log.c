#include "base/log.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct line {
    char text[4096];
    size_t len;
};

static void put(struct line *l, const char *text, size_t len)
{
    size_t room = sizeof l->text - 1 - l->len; /* one byte stays for the newline */
    if (len > room) len = room;
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static void puts_(struct line *l, const char *text)
{
    put(l, text, strlen(text));
}

/* Quotes as JSON does; logfmt readers accept the same escapes. */
static void put_quoted(struct line *l, const char *text)
{
    put(l, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char esc[8];
        if (c == '"' || c == '\\')
            (void)snprintf(esc, sizeof esc, "\\%c", c);
        else if (c == '\n')
            (void)snprintf(esc, sizeof esc, "\\n");
        else if (c < 0x20)
            (void)snprintf(esc, sizeof esc, "\\u%04x", c);
        else
            (void)snprintf(esc, sizeof esc, "%c", c);
        puts_(l, esc);
    }
    put(l, "\"", 1);
}

static bool is_bare(const char *text)
{
    if (*text == '\0') return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == '"' || *text == '=' || *text == '\\')
            return false;
    return true;
}

static void put_field(struct line *l, bool json, const char *key, const struct cl_log_field *f)
{
    char number[64];
    if (json) {
        puts_(l, l->len > 1 ? ", " : "");
        put_quoted(l, key);
        puts_(l, ": ");
    } else {
        puts_(l, l->len > 0 ? " " : "");
        puts_(l, key);
        puts_(l, "=");
    }
    const char *text = f->text == NULL ? "" : f->text;
    switch (f->kind) {
    case CL_LOG_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)f->integer);
        puts_(l, number);
        break;
    case CL_LOG_DOUBLE:
        (void)snprintf(number, sizeof number, "%.6g", f->number);
        puts_(l, number);
        break;
    case CL_LOG_TEXT:
        if (!json && is_bare(text))
            puts_(l, text);
        else
            put_quoted(l, text);
        break;
    }
}

void cl_log_write(const struct cl_log *log, enum cl_log_level level, const char *event,
                  const struct cl_log_field *fields, size_t n)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (log == NULL || level < log->min_level) return;
    bool json = log->format == CL_LOG_JSON;
    struct line l = {.len = 0};
    char when[CL_TIME_TEXT];
    if (json) put(&l, "{", 1);
    put_field(&l, json, "time", &CL_STR("", cl_time_text(cl_clock_wall_us(), when)));
    put_field(&l, json, "level", &CL_STR("", names[level]));
    put_field(&l, json, "event", &CL_STR("", event));
    for (size_t i = 0; i < n; i++)
        put_field(&l, json, fields[i].key, &fields[i]);
    if (json) put(&l, "}", 1);
    l.text[l.len++] = '\n';
    if (log->on_terminal) (void)!write(log->fd, "\r\033[K", 4);
    (void)!write(log->fd, l.text, l.len);
}
