/* faults.c - what goes wrong with an event, at the rates that were ordered.
 *
 * An event is malformed, or else late, or else out of order; each of these may be sent twice, but
 * no malformed one. */
#include "city/plan.h"

const char *cl_city_malformed_name(enum cl_city_malformed kind)
{
    static const char *const names[] = {"well-formed", "truncated", "wrong-type", "missing",
                                        "range",       "bad-utf8",  "empty"};
    return names[kind];
}

void cl_city_fault_of(const struct cl_city *city, uint64_t hash, struct cl_city_fault *ret)
{
    const struct cl_city_config *c = &city->config;
    *ret = (struct cl_city_fault){0};
    if (cl_unit(hash) < c->malformed) {
        ret->malformed =
            (enum cl_city_malformed)(1 + cl_below(cl_mix64(hash + 1), CL_CITY_MALFORMED_KINDS - 1));
        return;
    }
    ret->duplicate = cl_unit(cl_mix64(hash + 2)) < c->duplicates;
    uint64_t how = cl_mix64(hash + 3);
    if (cl_unit(how) < c->late) {
        ret->late_us = 120 * CL_SECOND_US + cl_below(cl_mix64(hash + 4), 480 * CL_SECOND_US);
        return;
    }
    how = cl_mix64(hash + 5);
    if (cl_unit(how) < c->out_of_order) ret->move = 1 + (int)(how & 7);
}
