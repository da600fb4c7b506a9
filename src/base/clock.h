/* clock.h - wall and monotonic time, and text forms of timestamps and durations. */
#ifndef CITYLAKE_BASE_CLOCK_H
#define CITYLAKE_BASE_CLOCK_H

#include "base/error.h"

#include <stdint.h>

int64_t cl_clock_wall_us(void);      /* microseconds since 1970-01-01T00:00:00Z */
int64_t cl_clock_monotonic_us(void); /* for intervals; never goes back */
int64_t cl_clock_cpu_us(void);       /* CPU time of the process so far, user + system */
void cl_clock_sleep_us(int64_t us);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back.  Any int32 day. */
int64_t cl_days_from_civil(int64_t year, unsigned month, unsigned day);
void cl_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

enum { CL_TIME_TEXT = 40 };
/* 2026-01-05T08:00:00.123456Z; fraction omitted when zero.  buf holds CL_TIME_TEXT bytes.  Returns
 * buf. */
const char *cl_time_text(int64_t us, char *buf);

/* ISO 8601 date or date-time (T or blank, fraction up to 9 digits, Z or +hh:mm or none = UTC).
 * CL_EINVAL. */
CL_MUSTCHECK enum cl_code cl_time_parse(const char *text, size_t len, int64_t *ret_us,
                                        struct cl_error *err);

/* "2 minutes", "10s", "500 ms", "1h", "7 days"; a bare number is refused.  CL_EINVAL. */
CL_MUSTCHECK enum cl_code cl_duration_parse(const char *text, int64_t *ret_us,
                                            struct cl_error *err);

#endif
