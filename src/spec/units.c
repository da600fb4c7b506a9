/* units.c - the table.  Factors are the exact definitions: international yard and pound, nautical
 * mile, BIPM SI brochure. */
#include "spec/units.h"

#include "spec/suggest.h"

#include <math.h>
#include <string.h>

static const struct cl_unit units[] = {
    {"m/s", "speed", 0, 1, 1},
    {"km/h", "speed", 0, 1000, 3600},
    {"mph", "speed", 0, 1609.344, 3600},
    {"kn", "speed", 0, 1852, 3600},
    {"C", "temperature", 0, 1, 1},
    {"F", "temperature", -32, 5, 9},
    {"K", "temperature", -273.15, 1, 1},
    {"m", "length", 0, 1, 1},
    {"mm", "length", 0, 1, 1000},
    {"cm", "length", 0, 1, 100},
    {"km", "length", 0, 1000, 1},
    {"in", "length", 0, 254, 10000},
    {"ft", "length", 0, 3048, 10000},
    {"mi", "length", 0, 1609344, 1000},
    {"Pa", "pressure", 0, 1, 1},
    {"hPa", "pressure", 0, 100, 1},
    {"kPa", "pressure", 0, 1000, 1},
    {"bar", "pressure", 0, 100000, 1},
    {"1", "ratio", 0, 1, 1},
    {"%", "ratio", 0, 1, 100},
    {"ppm", "ratio", 0, 1, 1000000},
    {"s", "time", 0, 1, 1},
    {"ms", "time", 0, 1, 1000},
    {"min", "time", 0, 60, 1},
    {"h", "time", 0, 3600, 1},
    {"rad", "angle", 0, 1, 1},
    {"deg", "angle", 0, M_PI, 180},
    {"ug/m3", "concentration", 0, 1, 1},
    {"mg/m3", "concentration", 0, 1000, 1},
    {"g", "mass", 0, 1, 1},
    {"kg", "mass", 0, 1000, 1},
    {"t", "mass", 0, 1000000, 1},
    {"l", "volume", 0, 1, 1},
    {"m3", "volume", 0, 1000, 1},
    {"W", "power", 0, 1, 1},
    {"kW", "power", 0, 1000, 1},
    {"Wh", "energy", 0, 1, 1},
    {"kWh", "energy", 0, 1000, 1},
    {"V", "voltage", 0, 1, 1},
    {"A", "current", 0, 1, 1},
};
enum { N_UNITS = sizeof units / sizeof *units };

enum cl_code cl_unit_find(const char *name, const struct cl_unit **ret, struct cl_error *err)
{
    const char *names[N_UNITS];
    for (size_t i = 0; i < N_UNITS; i++) {
        names[i] = units[i].name;
        if (strcmp(name, units[i].name) != 0) continue;
        *ret = &units[i];
        return CL_OK;
    }
    const char *near = cl_suggest(name, names, N_UNITS);
    if (near != NULL)
        return cl_fail(err, CL_EINVAL, "unknown unit \"%.64s\"; did you mean \"%s\"?", name, near);
    char all[512] = "";
    for (size_t i = 0, used = 0; i < N_UNITS; i++) {
        size_t len = strlen(names[i]);
        memcpy(all + used, names[i], len);
        memcpy(all + used + len, i + 1 < N_UNITS ? ", " : "", i + 1 < N_UNITS ? 3 : 1);
        used += len + 2;
    }
    return cl_fail(err, CL_EINVAL,
                   "unknown unit \"%.64s\"; known are %s (any other belongs in `doc`)", name, all);
}

enum cl_code cl_unit_conversion(const struct cl_unit *from, const struct cl_unit *to,
                                double *ret_factor, double *ret_offset, struct cl_error *err)
{
    if (strcmp(from->dimension, to->dimension) != 0)
        return cl_fail(
            err, CL_EINVAL,
            "cannot convert from \"%s\" (%s) to \"%s\" (%s): they measure different things",
            from->name, from->dimension, to->name, to->dimension);
    double numerator = from->numerator * to->denominator,
           denominator = from->denominator * to->numerator;
    *ret_factor = numerator / denominator;
    *ret_offset = from->shift * numerator / denominator - to->shift;
    return CL_OK;
}
