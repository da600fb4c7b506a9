/* process.h - what the operating system says of this process (proc(5)). */
#ifndef CITYLAKE_WEB_PROCESS_H
#define CITYLAKE_WEB_PROCESS_H

#include <stdint.h>

/* What could not be found out is negative. */
struct cl_process_info {
    double start_s; /* seconds since 1970 */
    double cpu_s;   /* user and system */
    int64_t rss_bytes;
    int64_t open_fds;
    int64_t threads;
};

void cl_process_info(struct cl_process_info *ret);

#endif
