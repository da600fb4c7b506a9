/* app.c - what every command shares: its errors and its progress line, both on standard error. */
#include "app/app.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

atomic_int cl_stop_requested;

enum { LINE_MAX_BYTES = 512, DEFAULT_WIDTH = 80 };

static void put_line(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n <= 0) return; /* standard error is gone: nobody to tell */
        text += n;
        len -= (size_t)n;
    }
}

int cl_app_error(const struct cl_app *app, const struct cl_error *err)
{
    char text[sizeof err->where + sizeof err->message + 4], out[sizeof text + 128];
    cl_error_text(err, text, sizeof text);
    /* Wipes what a progress line may have left there. */
    int len =
        snprintf(out, sizeof out, "%scitylake%s%s: %s\n", app->log.on_terminal ? "\r\033[K" : "",
                 app->command != NULL ? " " : "", app->command != NULL ? app->command : "", text);
    put_line(STDERR_FILENO, out, len < (int)sizeof out ? (size_t)len : sizeof out - 1);
    return err->code == CL_EINVAL ? CL_EXIT_USAGE : CL_EXIT_FAILED;
}

/* Bytes of the longest start of `text` that is at most `columns` characters. */
static size_t clip(const char *text, size_t len, size_t columns)
{
    size_t i = 0;
    for (; i < len; i++) {
        bool begins = ((unsigned char)text[i] & 0xc0) != 0x80;
        if (begins && columns-- == 0) break;
    }
    return i;
}

void cl_app_progress(const struct cl_app *app, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES], out[LINE_MAX_BYTES + 16];
    struct winsize size;
    if (app->opt.quiet || !app->log.on_terminal) return;
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len < 0) return;
    if (len >= (int)sizeof text) len = (int)sizeof text - 1;
    /* A line that wraps could not be rewritten in place. */
    size_t columns = DEFAULT_WIDTH;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) columns = size.ws_col;
    size_t shown = clip(text, (size_t)len, columns - 1);
    len = snprintf(out, sizeof out, "\r%.*s\033[K", (int)shown, text);
    put_line(STDERR_FILENO, out, (size_t)len);
}
