/* units.h - the units that a column may have, and how to get from one to another of the same
 * dimension. */
#ifndef CITYLAKE_SPEC_UNITS_H
#define CITYLAKE_SPEC_UNITS_H

#include "base/error.h"

struct cl_unit {
    const char *name;      /* "km/h" */
    const char *dimension; /* "speed" */
    /* value in the dimension's base unit = (value + shift) * numerator / denominator; kept as a
     * fraction so that m/s -> km/h is 3.6 to the last bit. */
    double shift, numerator, denominator;
};

/* CL_EINVAL: unknown, with the nearest known name. */
CL_MUSTCHECK enum cl_code cl_unit_find(const char *name, const struct cl_unit **ret,
                                       struct cl_error *err);

/* to = from * *ret_factor + *ret_offset.  CL_EINVAL: different dimensions. */
CL_MUSTCHECK enum cl_code cl_unit_conversion(const struct cl_unit *from, const struct cl_unit *to,
                                             double *ret_factor, double *ret_offset,
                                             struct cl_error *err);

#endif
