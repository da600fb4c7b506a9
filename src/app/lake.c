/* lake.c - opens what the options and city.yaml name: the lake (store and catalog) and the source.
 */
#include "app/app.h"

#include "spec/suggest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The directory of a warehouse that is a path or a file: URI. */
static enum cl_code warehouse_directory(const char *warehouse, const char **ret,
                                        struct cl_error *err)
{
    const char *colon = strstr(warehouse, "://");
    if (strncmp(warehouse, "file://", 7) == 0 && warehouse[7] == '/')
        *ret = warehouse + 7;
    else if (strncmp(warehouse, "file:/", 6) == 0 && warehouse[6] != '/')
        *ret = warehouse + 5;
    else if (colon != NULL)
        return cl_fail(
            err, CL_EUNSUPPORTED,
            "a lake at %.100s: this version keeps lakes in local directories; use a path or "
            "file:///PATH",
            warehouse);
    else
        *ret = warehouse;
    return CL_OK;
}

static enum cl_code must_exist(const char *directory, struct cl_error *err)
{
    struct stat st;
    if (stat(directory, &st) != 0) {
        if (errno == ENOENT)
            return cl_fail(
                err, CL_ENOTFOUND,
                "there is no lake at %.200s; `citylake up` or `citylake stream` makes one, --lake "
                "names another",
                directory);
        return cl_fail_errno(err, errno, "cannot look at the lake %.200s", directory);
    }
    if (!S_ISDIR(st.st_mode))
        return cl_fail(err, CL_EINVAL, "the lake %.200s is not a directory; --lake names another",
                       directory);
    return CL_OK;
}

enum cl_code cl_app_lake_open(const struct cl_app *app, bool create, struct cl_lake *ret,
                              struct cl_error *err)
{
    const struct cl_lake_spec *spec = &app->spec->lake;
    struct cl_lake lake = {0};
    const char *directory = NULL;
    enum cl_code code = warehouse_directory(spec->warehouse, &directory, err);
    if (code == CL_OK && !create) code = must_exist(directory, err);
    if (code == CL_OK) code = cl_local_store_new(directory, &lake.store, err);
    if (code == CL_OK)
        code = cl_local_catalog_new(lake.store, spec->namespace_name, &lake.catalog, err);
    if (code != CL_OK)
        cl_app_lake_close(&lake);
    else
        *ret = lake;
    return code;
}

void cl_app_lake_close(struct cl_lake *lake)
{
    if (lake->catalog != NULL) lake->catalog->ops->free(lake->catalog);
    if (lake->store != NULL) lake->store->ops->free(lake->store);
    *lake = (struct cl_lake){0};
}

static enum cl_code find_feed(const struct cl_spec *spec, const char *name,
                              const struct cl_feed **ret, struct cl_error *err)
{
    const char *near = NULL;
    *ret = cl_spec_find_feed(spec, name);
    if (*ret != NULL) return CL_OK;
    for (size_t i = 0; near == NULL && i < spec->n_feeds; i++)
        near = cl_suggest(name, &spec->feeds[i].name, 1);
    if (near != NULL)
        return cl_fail(err, CL_EINVAL, "--feed: %s has no feed \"%.64s\"; did you mean \"%s\"?",
                       spec->path, name, near);
    return cl_fail(err, CL_EINVAL, "--feed: %s has no feed \"%.64s\"; `citylake check` lists them",
                   spec->path, name);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum cl_code cl_app_source_open(const struct cl_app *app, struct cl_source_options *options,
                                struct cl_source **ret, struct cl_error *err)
{
    const struct cl_options *opt = &app->opt;
    const char *name = opt->source != NULL ? opt->source : "kafka";
    bool ndjson = strncmp(name, "ndjson:", 7) == 0;
    *options = (struct cl_source_options){
        .until_end = opt->until_end,
        .max_events = opt->events > 0 ? opt->events : 0,
        .duration_us = opt->duration_us,
        .rate = opt->rate,
        .paced = opt->speed_up > 0 || strcmp(app->command, "up") == 0,
        .path = ndjson ? name + 7 : NULL,
    };
    if (opt->feed != NULL) {
        const struct cl_feed *feed;
        enum cl_code code = find_feed(app->spec, opt->feed, &feed, err);
        if (code != CL_OK) return code;
        /* One file with --feed holds plain lines of that feed; anything else is narrowed to it. */
        if (ndjson && !is_directory(options->path))
            options->feed = feed->name;
        else
            options->only = feed;
    }
    if (ndjson && options->path[0] != '\0')
        return cl_ndjson_source_new(app->spec, options, ret, err);
    if (strcmp(name, "kafka") == 0) return cl_kafka_source_new(app->spec, options, ret, err);
    if (strcmp(name, "city") == 0) return cl_city_source_new(app->spec, options, ret, err);
    return cl_fail(err, CL_EINVAL,
                   "--source: \"%.64s\" is not kafka, city, ndjson:DIR, ndjson:FILE or ndjson:-",
                   name);
}
