#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t cl_clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t cl_clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cl_clock_cpu_us(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void cl_clock_sleep_us(int64_t us)
{
    if (us <= 0) return;
    struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&ts, &ts) != 0 && errno == EINTR) {
    }
}

/* Both conversions count in 400-year eras that begin on 1 March, so that the leap day is the last
 * of its year. */
int64_t cl_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void cl_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = yoe + era * 400 + (*ret_month <= 2);
}

const char *cl_time_text(int64_t us, char *buf)
{
    int64_t days = us / 86400000000;
    int64_t rest = us % 86400000000;
    if (rest < 0) {
        rest += 86400000000;
        days--;
    }
    int64_t year;
    unsigned month, day;
    cl_civil_from_days(days, &year, &month, &day);
    int64_t sec = rest / 1000000;
    int used =
        snprintf(buf, CL_TIME_TEXT, "%04lld-%02u-%02uT%02lld:%02lld:%02lld", (long long)year, month,
                 day, (long long)(sec / 3600), (long long)(sec / 60 % 60), (long long)(sec % 60));
    if (used > 0 && rest % 1000000 != 0)
        used += snprintf(buf + used, CL_TIME_TEXT - (size_t)used, ".%06lld",
                         (long long)(rest % 1000000));
    (void)snprintf(buf + used, CL_TIME_TEXT - (size_t)used, "Z");
    return buf;
}

struct scan {
    const char *p, *end;
};

/* Reads exactly `digits` digits. */
static bool scan_int(struct scan *s, int digits, int64_t *ret)
{
    int64_t value = 0;
    for (int i = 0; i < digits; i++) {
        if (s->p >= s->end || *s->p < '0' || *s->p > '9') return false;
        value = value * 10 + (*s->p++ - '0');
    }
    *ret = value;
    return true;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->p >= s->end || *s->p != c) return false;
    s->p++;
    return true;
}

static bool scan_time(struct scan *s, int64_t *ret_us)
{
    int64_t hour, minute, second = 0, fraction = 0;
    if (!scan_int(s, 2, &hour) || !scan_char(s, ':') || !scan_int(s, 2, &minute)) return false;
    if (scan_char(s, ':')) {
        if (!scan_int(s, 2, &second)) return false;
        if (scan_char(s, '.')) {
            int digits = 0;
            for (; s->p < s->end && *s->p >= '0' && *s->p <= '9' && digits < 9; s->p++, digits++)
                if (digits < 6) fraction = fraction * 10 + (*s->p - '0');
            if (digits == 0) return false;
            for (; digits < 6; digits++)
                fraction *= 10;
        }
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    int64_t shift = 0;
    if (!scan_char(s, 'Z') && s->p < s->end) {
        int64_t sign = *s->p == '-' ? -1 : 1, oh, om;
        if (!scan_char(s, '+') && !scan_char(s, '-')) return false;
        if (!scan_int(s, 2, &oh)) return false;
        (void)scan_char(s, ':');
        if (!scan_int(s, 2, &om) || oh > 18 || om > 59) return false;
        shift = sign * (oh * 60 + om) * 60000000;
    }
    *ret_us = ((hour * 60 + minute) * 60 + second) * 1000000 + fraction - shift;
    return true;
}

enum cl_code cl_time_parse(const char *text, size_t len, int64_t *ret_us, struct cl_error *err)
{
    static const unsigned char month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct scan s = {text, text + len};
    int64_t year, month, day, time_us = 0;
    if (!scan_int(&s, 4, &year) || !scan_char(&s, '-') || !scan_int(&s, 2, &month) ||
        !scan_char(&s, '-') || !scan_int(&s, 2, &day))
        goto bad;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1]) goto bad;
    if (month == 2 && day == 29 && !leap) goto bad;
    if (s.p < s.end) {
        if (!scan_char(&s, 'T') && !scan_char(&s, ' ')) goto bad;
        if (!scan_time(&s, &time_us) || s.p != s.end) goto bad;
    }
    *ret_us = cl_days_from_civil(year, (unsigned)month, (unsigned)day) * 86400000000 + time_us;
    return CL_OK;
bad:
    return cl_fail(err, CL_EINVAL,
                   "\"%.*s\" is not an ISO 8601 date or time such as 2026-01-05T08:00:00",
                   len > 64 ? 64 : (int)len, text);
}

enum cl_code cl_duration_parse(const char *text, int64_t *ret_us, struct cl_error *err)
{
    static const struct {
        const char *name;
        double us;
    } units[] = {
        {"us", 1},         {"ms", 1e3},        {"s", 1e6},          {"sec", 1e6},
        {"second", 1e6},   {"seconds", 1e6},   {"m", 60e6},         {"min", 60e6},
        {"minute", 60e6},  {"minutes", 60e6},  {"h", 3600e6},       {"hour", 3600e6},
        {"hours", 3600e6}, {"d", 86400e6},     {"day", 86400e6},    {"days", 86400e6},
        {"w", 604800e6},   {"week", 604800e6}, {"weeks", 604800e6},
    };
    char *unit = NULL;
    double number = strtod(text, &unit);
    if (unit == text || !isfinite(number) || number < 0) goto bad;
    unit += strspn(unit, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0) continue;
        double us = number * units[i].us;
        if (us > 9e15) goto bad;
        *ret_us = llround(us);
        return CL_OK;
    }
bad:
    return cl_fail(err, CL_EINVAL,
                   "\"%s\" is not a duration such as \"500 ms\", \"10s\", \"2 minutes\" or \"1h\"",
                   text);
}
