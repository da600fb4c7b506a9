#include "web/process.h"

#include "base/clock.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds since 1970 at which the machine started: line "btime" of /proc/stat. */
static int64_t boot_time_s(void)
{
    char line[256];
    int64_t seconds = -1;
    FILE *f = fopen("/proc/stat", "re");
    if (f == NULL) return -1;
    while (seconds < 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "btime %" SCNd64, &seconds) != 1) seconds = -1;
    (void)fclose(f);
    return seconds;
}

/* /proc/self/stat: "PID (NAME) STATE ...", the name may hold anything; num_threads is field 20,
 * starttime 22, rss 24. */
static void read_stat(struct cl_process_info *p)
{
    char text[2048];
    FILE *f = fopen("/proc/self/stat", "re");
    if (f == NULL) return;
    size_t len = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[len] = '\0';
    const char *rest = strrchr(text, ')');
    int64_t threads, started_ticks, rss_pages;
    if (rest == NULL ||
        sscanf(rest + 1,
               " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNd64
               " %*s %" SCNd64 " %*s %" SCNd64,
               &threads, &started_ticks, &rss_pages) != 3)
        return;
    p->threads = threads;
    p->rss_bytes = rss_pages * sysconf(_SC_PAGESIZE);
    int64_t boot_s = boot_time_s();
    if (boot_s >= 0)
        p->start_s = (double)boot_s + (double)started_ticks / (double)sysconf(_SC_CLK_TCK);
}

static int64_t count_fds(void)
{
    int64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) return -1;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    (void)closedir(dir);
    return n - 1; /* the one that was needed to look */
}

void cl_process_info(struct cl_process_info *ret)
{
    *ret = (struct cl_process_info){.start_s = -1, .rss_bytes = -1, .threads = -1};
    read_stat(ret);
    ret->cpu_s = (double)cl_clock_cpu_us() / 1e6;
    ret->open_fds = count_fds();
}
