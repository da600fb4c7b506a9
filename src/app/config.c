/* config.c - which city.yaml is read, and the command line's word over it. */
#include "app/options.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

enum cl_code cl_options_apply(const struct cl_options *opt, struct cl_spec *spec,
                              struct cl_error *err)
{
    struct cl_city_spec *city = &spec->city;
    if (opt->lake != NULL) {
        spec->lake.warehouse = cl_arena_strdup(&spec->arena, opt->lake);
        if (spec->lake.warehouse == NULL) return cl_fail_nomem(err);
    }
    if (opt->kafka != NULL) {
        spec->kafka.bootstrap_servers = cl_arena_strdup(&spec->arena, opt->kafka);
        if (spec->kafka.bootstrap_servers == NULL) return cl_fail_nomem(err);
    }
    if (opt->commit_every_us > 0) spec->lake.commit_every_us = opt->commit_every_us;
    if (opt->partitions > 0) spec->kafka.partitions = (int)opt->partitions;
    if (opt->vehicles >= 0) city->vehicles = opt->vehicles;
    if (opt->seed >= 0) city->seed = (uint64_t)opt->seed;
    if (opt->speed_up > 0) city->speed_up = opt->speed_up;
    if (opt->duplicates >= 0) city->duplicates = opt->duplicates;
    if (opt->late >= 0) city->late = opt->late;
    if (opt->out_of_order >= 0) city->out_of_order = opt->out_of_order;
    if (opt->malformed >= 0) city->malformed = opt->malformed;
    if (opt->start != NULL)
        return cl_time_parse(opt->start, strlen(opt->start), &city->start_us, err);
    return CL_OK;
}

enum cl_code cl_app_spec_load(const char *config, const struct cl_options *opt,
                              struct cl_spec **ret, struct cl_error *err)
{
    struct cl_spec *spec = NULL;
    enum cl_code code;
    if (config == NULL && access("city.yaml", F_OK) == 0) config = "city.yaml";
    code = config != NULL ? cl_spec_load(config, &spec, err) : cl_spec_load_builtin(&spec, err);
    if (code == CL_OK) code = cl_options_apply(opt, spec, err);
    if (code != CL_OK)
        cl_spec_free(spec);
    else
        *ret = spec;
    return code;
}
