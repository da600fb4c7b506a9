/* metrics_pages.h - what a running engine shows over HTTP:
 *
 *   /metrics   Prometheus text: docs/metrics.md lists every name
 *   /healthz   200: the engine's thread was seen alive in the last CL_WEB_ALIVE_S seconds, else 503
 *   /readyz    200: tables are open, every lane has read once, the last commit worked; else 503
 * with the reason */
#ifndef CITYLAKE_WEB_METRICS_PAGES_H
#define CITYLAKE_WEB_METRICS_PAGES_H

#include "stream/metrics.h"
#include "web/http_server.h"

/* The longest that the engine may be silent: one commit's tries (60 s), and a slow disk. */
enum { CL_WEB_ALIVE_S = 120 };

struct cl_metrics_pages {
    struct cl_metrics *metrics;
    const char *version; /* of this program */
};

/* CL_METRICS_PAGES_N pages; their context is a struct cl_metrics_pages. */
extern const struct cl_web_page cl_metrics_pages[];
enum { CL_METRICS_PAGES_N = 3 };

#endif
