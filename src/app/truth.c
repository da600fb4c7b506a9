/* truth.c - what was really sent, for tests that compare it with what arrived.  Format: truth.h. */
#include "app/truth.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    int64_t sent, distinct, duplicates, late, out_of_order, bytes;
    int64_t malformed[CL_CITY_MALFORMED_KINDS];
    int64_t first_us, last_us;
    __int128 sum[CL_CITY_MEASURES]; /* hundredths */
};

struct cl_truth {
    FILE *file;
    const char *path; /* borrowed */
    const struct cl_feed *feeds[CL_CITY_FEEDS];
    struct totals totals[CL_CITY_FEEDS];
};

enum cl_code cl_truth_open(const char *path, const struct cl_feed *const feeds[CL_CITY_FEEDS],
                           struct cl_truth **ret, struct cl_error *err)
{
    struct cl_truth *truth = calloc(1, sizeof *truth);
    if (truth == NULL) return cl_fail_nomem(err);
    truth->path = path;
    memcpy(truth->feeds, feeds, sizeof truth->feeds);
    truth->file = fopen(path, "we");
    if (truth->file == NULL) {
        free(truth);
        return cl_fail_errno(err, errno, "cannot write the ground truth to %s", path);
    }
    *ret = truth;
    return CL_OK;
}

static const char *fault_of(const struct cl_city_event *e)
{
    if (e->malformed != CL_CITY_WELL_FORMED) return "malformed";
    if (e->duplicate) return "duplicate";
    if (e->late) return "late";
    return e->moved ? "out_of_order" : NULL;
}

static void add(struct totals *t, const struct cl_city_event *e)
{
    t->sent++;
    t->bytes += (int64_t)e->value_len;
    if (e->malformed != CL_CITY_WELL_FORMED) {
        t->malformed[e->malformed]++;
        return;
    }
    if (e->duplicate) {
        t->duplicates++;
        return;
    }
    if (t->distinct == 0 || e->event_time_us < t->first_us) t->first_us = e->event_time_us;
    if (t->distinct == 0 || e->event_time_us > t->last_us) t->last_us = e->event_time_us;
    t->distinct++;
    t->late += e->late;
    t->out_of_order += e->moved;
    for (int k = 0; k < CL_CITY_MEASURES; k++)
        t->sum[k] += e->measures[k];
}

enum cl_code cl_truth_count(struct cl_truth *truth, const struct cl_city_event *e,
                            struct cl_error *err)
{
    add(&truth->totals[e->feed], e);
    const char *fault = fault_of(e);
    if (fault == NULL) return CL_OK;
    const char *feed = truth->feeds[e->feed]->name;
    int n;
    if (e->malformed != CL_CITY_WELL_FORMED)
        n = fprintf(truth->file,
                    "{\"fault\": \"%s\", \"kind\": \"%s\", \"feed\": \"%s\", \"id\": \"%s\"}\n",
                    fault, cl_city_malformed_name(e->malformed), feed, e->id);
    else
        n = fprintf(truth->file, "{\"fault\": \"%s\", \"feed\": \"%s\", \"id\": \"%s\"}\n", fault,
                    feed, e->id);
    if (n < 0) return cl_fail_errno(err, errno, "cannot write the ground truth to %s", truth->path);
    return CL_OK;
}

static void print_sum(FILE *file, const char *separator, const char *name, __int128 hundredths)
{
    unsigned __int128 v =
        hundredths < 0 ? -(unsigned __int128)hundredths : (unsigned __int128)hundredths;
    fprintf(file, "%s\"%s\": %s%llu.%02u", separator, name, hundredths < 0 ? "-" : "",
            (unsigned long long)(v / 100), (unsigned)(v % 100));
}

static void print_totals(struct cl_truth *truth, int k)
{
    const struct totals *t = &truth->totals[k];
    FILE *file = truth->file;
    int64_t malformed = 0;
    for (int kind = 1; kind < CL_CITY_MALFORMED_KINDS; kind++)
        malformed += t->malformed[kind];
    fprintf(file,
            "{\"feed\": \"%s\", \"topic\": \"%s\", \"sent\": %lld, \"distinct\": %lld, "
            "\"duplicates\": %lld, \"late\": %lld, "
            "\"out_of_order\": %lld, \"malformed\": %lld, \"malformed_kinds\": {",
            truth->feeds[k]->name, truth->feeds[k]->topic, (long long)t->sent,
            (long long)t->distinct, (long long)t->duplicates, (long long)t->late,
            (long long)t->out_of_order, (long long)malformed);
    for (int kind = 1; kind < CL_CITY_MALFORMED_KINDS; kind++)
        fprintf(file, "%s\"%s\": %lld", kind > 1 ? ", " : "",
                cl_city_malformed_name((enum cl_city_malformed)kind),
                (long long)t->malformed[kind]);
    fprintf(file, "}, \"bytes\": %lld", (long long)t->bytes);
    char first[CL_TIME_TEXT], last[CL_TIME_TEXT];
    if (t->distinct > 0)
        fprintf(file, ", \"first\": \"%s\", \"last\": \"%s\"", cl_time_text(t->first_us, first),
                cl_time_text(t->last_us, last));
    fputs(", \"sum\": {", file);
    for (int i = 0; cl_city_measure_name((enum cl_city_feed)k, i) != NULL; i++)
        print_sum(file, i > 0 ? ", " : "", cl_city_measure_name((enum cl_city_feed)k, i),
                  t->sum[i]);
    fputs("}}\n", file);
}

enum cl_code cl_truth_close(struct cl_truth *truth, struct cl_error *err)
{
    if (truth == NULL) return CL_OK;
    for (int k = 0; k < CL_CITY_FEEDS; k++)
        if (truth->feeds[k] != NULL) print_totals(truth, k);
    enum cl_code code = CL_OK;
    bool failed = ferror(truth->file) != 0;
    if (fclose(truth->file) != 0 || failed)
        code = cl_fail_errno(err, errno, "cannot write the ground truth to %s", truth->path);
    free(truth);
    return code;
}
