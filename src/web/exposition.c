#include "web/exposition.h"

#include <inttypes.h>
#include <math.h>

static void put(struct cl_expo *e, const char *text)
{
    if (e->code == CL_OK) e->code = cl_buf_append_str(e->out, text, &e->err);
}

static void put_bytes(struct cl_expo *e, const char *bytes, size_t len)
{
    if (e->code == CL_OK) e->code = cl_buf_append(e->out, bytes, len, &e->err);
}

/* In help texts a backslash and a line feed are escaped, in label values the double quote too. */
static void put_escaped(struct cl_expo *e, const char *text, bool is_label)
{
    for (const char *p = text; *p != '\0';) {
        size_t plain = strcspn(p, is_label ? "\\\n\"" : "\\\n");
        put_bytes(e, p, plain);
        p += plain;
        if (*p == '\0') break;
        put(e, *p == '\n' ? "\\n" : *p == '"' ? "\\\"" : "\\\\");
        p++;
    }
}

void cl_expo_family(struct cl_expo *e, const char *name, const char *type, const char *help)
{
    e->family = name;
    put(e, "# HELP ");
    put(e, name);
    put(e, " ");
    put_escaped(e, help, false);
    put(e, "\n# TYPE ");
    put(e, name);
    put(e, " ");
    put(e, type);
    put(e, "\n");
}

static void put_name(struct cl_expo *e, const char *suffix, const struct cl_expo_label *labels,
                     size_t n)
{
    put(e, e->family);
    put(e, suffix);
    for (size_t i = 0; i < n; i++) {
        put(e, i == 0 ? "{" : ",");
        put(e, labels[i].name);
        put(e, "=\"");
        put_escaped(e, labels[i].value, true);
        put(e, "\"");
    }
    put(e, n > 0 ? "} " : " ");
}

void cl_expo_count(struct cl_expo *e, const char *suffix, const struct cl_expo_label *labels,
                   size_t n, int64_t value)
{
    put_name(e, suffix, labels, n);
    if (e->code == CL_OK) e->code = cl_buf_printf(e->out, &e->err, "%" PRId64 "\n", value);
}

void cl_expo_sample(struct cl_expo *e, const char *suffix, const struct cl_expo_label *labels,
                    size_t n, double value)
{
    put_name(e, suffix, labels, n);
    if (isnan(value))
        put(e, "NaN\n");
    else if (isinf(value))
        put(e, value > 0 ? "+Inf\n" : "-Inf\n");
    else if (e->code == CL_OK)
        e->code = cl_buf_printf(e->out, &e->err, "%.15g\n", value);
}
