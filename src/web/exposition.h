/* exposition.h - the Prometheus text format, version 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats).
 *
 *   cl_expo_family, then a cl_expo_sample for each of its labels' values.  The caller keeps a
 * family's samples together.
 *
 * The first failure stays in the writer and later calls do nothing, so that only the end has to
 * look. */
#ifndef CITYLAKE_WEB_EXPOSITION_H
#define CITYLAKE_WEB_EXPOSITION_H

#include "base/buf.h"

#define CL_EXPO_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct cl_expo {
    struct cl_buf *out; /* borrowed */
    const char *family; /* name of the current one */
    enum cl_code code;
    struct cl_error err;
};

struct cl_expo_label {
    const char *name, *value; /* the value may be any UTF-8 */
};

/* name: with its unit, counters with _total; type: counter, gauge or histogram; help: one sentence
 * without a full stop. */
void cl_expo_family(struct cl_expo *e, const char *name, const char *type, const char *help);

/* suffix: "" or, in histograms, "_bucket", "_sum", "_count". */
void cl_expo_sample(struct cl_expo *e, const char *suffix, const struct cl_expo_label *labels,
                    size_t n, double value);
void cl_expo_count(struct cl_expo *e, const char *suffix, const struct cl_expo_label *labels,
                   size_t n, int64_t value);

#endif
