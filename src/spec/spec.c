/* spec.c - the whole of city.yaml: defaults, the sections lake, kafka and city, then the feeds
 * (feed.c). */
#include "spec/spec.h"

#include "base/clock.h"
#include "spec/parts.h"
#include "spec/yaml_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC_MAX_BYTES = 64 << 20, TREE_MAX_BYTES = 64 << 20 };
#define MIB (1048576.0)

static enum cl_code set_defaults(struct cl_spec *spec, struct cl_error *err)
{
    enum cl_code code = CL_OK;
    spec->lake = (struct cl_lake_spec){
        .warehouse = "./lake",
        .namespace_name = "city",
        .catalog = "local",
        .commit_every_us = 10 * 1000000ll,
        .commit_rows = 5000000,
        .target_file_bytes = 128ll << 20,
        .row_group_bytes = 32ll << 20,
        .compression = "zstd",
        .compression_level = 1,
        .memory_bytes = 384ll << 20,
    };
    spec->kafka = (struct cl_kafka_spec){.bootstrap_servers = "127.0.0.1:9092",
                                         .group = "citylake",
                                         .partitions = 4,
                                         .replication = 1};
    spec->city = (struct cl_city_spec){
        .vehicles = 1000, .seed = 42, .speed_up = 1, .latitude = 51.5074, .longitude = -0.1278};
    static const char start[] = "2026-01-05T06:00:00";
    code = cl_time_parse(start, strlen(start), &spec->city.start_us, err);
    return code;
}

static enum cl_code read_lake(const struct cl_yaml_node *node, struct cl_spec *spec,
                              struct cl_error *err)
{
#define AT(member) offsetof(struct cl_lake_spec, member)
    static const char *const catalogs[] = {"local", NULL}, *const codecs[] = {"zstd", "snappy",
                                                                              "none", NULL};
    static const struct cl_yaml_field keys[] = {
        {.key = "warehouse", .type = CL_YAML_STRING, .offset = AT(warehouse)},
        {.key = "namespace", .type = CL_YAML_STRING, .offset = AT(namespace_name)},
        {.key = "catalog", .type = CL_YAML_WORD, .offset = AT(catalog), .words = catalogs},
        {"commit_every", CL_YAML_DURATION, AT(commit_every_us), 100e3, 86400e6,
         "from 100 ms to 1 day", NULL},
        {"commit_rows", CL_YAML_COUNT, AT(commit_rows), 1, 1e12, "from 1 to 1e12", NULL},
        {"target_file_size", CL_YAML_SIZE, AT(target_file_bytes), MIB, MIB * MIB,
         "from 1 MiB to 1 TiB", NULL},
        {"row_group_size", CL_YAML_SIZE, AT(row_group_bytes), 65536, 128 * MIB,
         "from 64 KiB to 128 MiB", NULL},
        {"memory", CL_YAML_SIZE, AT(memory_bytes), 32 * MIB, MIB * MIB, "from 32 MiB to 1 TiB",
         NULL},
        {.key = "compression", .type = CL_YAML_WORD, .offset = AT(compression), .words = codecs},
        {"compression_level", CL_YAML_INT, AT(compression_level), 1, 22, "from 1 to 22", NULL},
    };
#undef AT
    struct cl_lake_spec *lake = &spec->lake;
    enum cl_code code =
        cl_yaml_read(node, keys, sizeof keys / sizeof *keys, lake, &spec->arena, err);
    if (code != CL_OK || node == NULL) return code;
    if (!cl_name_is_valid(lake->namespace_name, true))
        return cl_yaml_fail(cl_yaml_get(node, "namespace"), err,
                            "\"%.64s\" is not a namespace: a lower-case letter, then lower-case "
                            "letters, digits and _, at "
                            "most 127",
                            lake->namespace_name);
    const struct cl_yaml_node *level = cl_yaml_get(node, "compression_level");
    if (level != NULL && strcmp(lake->compression, "zstd") != 0)
        return cl_yaml_fail_key(level, err,
                                "only zstd has levels; remove it, or use compression: zstd");
    if (lake->row_group_bytes > lake->target_file_bytes) {
        const struct cl_yaml_node *at = cl_yaml_get(node, "target_file_size");
        return cl_yaml_fail(
            at != NULL ? at : cl_yaml_get(node, "row_group_size"), err,
            "row_group_size (%lld bytes) must not be larger than target_file_size (%lld bytes)",
            (long long)lake->row_group_bytes, (long long)lake->target_file_bytes);
    }
    return CL_OK;
}

/* Names that have a key of their own here, so that there is one place for each. */
static const char *own_key(const char *property)
{
    static const char *const own[][2] = {{"bootstrap.servers", "kafka.bootstrap_servers"},
                                         {"metadata.broker.list", "kafka.bootstrap_servers"},
                                         {"group.id", "kafka.group"}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(property, own[i][0]) == 0) return own[i][1];
    return NULL;
}

static enum cl_code read_properties(const struct cl_yaml_node *node, struct cl_spec *spec,
                                    struct cl_error *err)
{
    if (node == NULL || node->kind == CL_YAML_NULL) return CL_OK;
    if (node->kind != CL_YAML_MAP)
        return cl_yaml_fail(node, err,
                            "expected librdkafka names and values, such as security.protocol: ssl");
    char **out = cl_arena_array(&spec->arena, 2 * node->n + 1, sizeof *out);
    if (out == NULL) return cl_fail_nomem(err);
    spec->kafka.properties = out;
    for (const struct cl_yaml_node *p = node->first; p != NULL; p = p->next) {
        const char *text, *own = own_key(p->key);
        if (own != NULL) return cl_yaml_fail_key(p, err, "set %s instead", own);
        enum cl_code code = cl_yaml_text(p, &text, err);
        if (code == CL_OK) code = cl_environment_expand(p, &spec->arena, &out[1], err);
        if (code != CL_OK) return code;
        out[0] = cl_arena_strdup(&spec->arena, p->key);
        if (out[0] == NULL) return cl_fail_nomem(err);
        out += 2;
        spec->kafka.n_properties++;
    }
    return CL_OK;
}

static enum cl_code read_kafka(const struct cl_yaml_node *node, struct cl_spec *spec,
                               struct cl_error *err)
{
#define AT(member) offsetof(struct cl_kafka_spec, member)
    static const struct cl_yaml_field keys[] = {
        {.key = "bootstrap_servers", .type = CL_YAML_STRING, .offset = AT(bootstrap_servers)},
        {.key = "group", .type = CL_YAML_STRING, .offset = AT(group)},
        {"partitions", CL_YAML_INT, AT(partitions), 1, 100000, "from 1 to 100000", NULL},
        {"replication", CL_YAML_INT, AT(replication), 1, 1000, "from 1 to 1000", NULL},
        {.key = "properties"},
        {.key = "security"},
    };
#undef AT
    enum cl_code code =
        cl_yaml_read(node, keys, sizeof keys / sizeof *keys, &spec->kafka, &spec->arena, err);
    if (code != CL_OK || node == NULL) return code;
    code = read_properties(cl_yaml_get(node, "properties"), spec, err);
    return code == CL_OK ? cl_security_read(cl_yaml_get(node, "security"), spec, err) : code;
}

static enum cl_code read_center(const struct cl_yaml_node *node, struct cl_city_spec *city,
                                struct cl_error *err)
{
    if (node == NULL) return CL_OK;
    if (node->kind != CL_YAML_LIST || node->n != 2)
        return cl_yaml_fail(node, err,
                            "expected [latitude, longitude], such as [51.5074, -0.1278]");
    enum cl_code code = cl_yaml_real(node->first, false, &city->latitude, err);
    if (code == CL_OK) code = cl_yaml_real(node->last, false, &city->longitude, err);
    if (code != CL_OK) return code;
    /* Near the poles a degree of longitude is nothing, and the simulated roads would be needles. */
    if (city->latitude < -80 || city->latitude > 80)
        return cl_yaml_fail(
            node->first, err,
            "latitude %g is outside of -80 to 80; the order is [latitude, longitude]",
            city->latitude);
    if (city->longitude < -180 || city->longitude > 180)
        return cl_yaml_fail(node->last, err, "longitude %g is outside of -180 to 180",
                            city->longitude);
    return CL_OK;
}

static enum cl_code read_city(const struct cl_yaml_node *node, struct cl_spec *spec,
                              struct cl_error *err)
{
#define AT(member) offsetof(struct cl_city_spec, member)
    static const struct cl_yaml_field keys[] = {
        {"vehicles", CL_YAML_COUNT, AT(vehicles), 1, 1e6, "from 1 to 1M", NULL},
        {"seed", CL_YAML_COUNT, AT(seed), 0, 9.3e18, "from 0 to 9223372036854775807", NULL},
        {"start", CL_YAML_TIME, AT(start_us), 0, 4102444800e6, "from 1970 to 2100", NULL},
        {"speed_up", CL_YAML_REAL, AT(speed_up), 1e-3, 1e6, "from 0.001 to 1M", NULL},
        {.key = "center"},
        {.key = "faults"},
    };
    static const char rates[] = "a rate from 0 to 1";
    static const struct cl_yaml_field faults[] = {
        {"duplicates", CL_YAML_REAL, AT(duplicates), 0, 1, rates, NULL},
        {"late", CL_YAML_REAL, AT(late), 0, 1, rates, NULL},
        {"out_of_order", CL_YAML_REAL, AT(out_of_order), 0, 1, rates, NULL},
        {"malformed", CL_YAML_REAL, AT(malformed), 0, 1, rates, NULL},
    };
#undef AT
    _Static_assert(sizeof spec->city.seed == sizeof(int64_t), "a count is read into seed");
    enum cl_code code =
        cl_yaml_read(node, keys, sizeof keys / sizeof *keys, &spec->city, &spec->arena, err);
    if (code != CL_OK || node == NULL) return code;
    code = read_center(cl_yaml_get(node, "center"), &spec->city, err);
    if (code == CL_OK)
        code = cl_yaml_read(cl_yaml_get(node, "faults"), faults, 4, &spec->city, &spec->arena, err);
    return code;
}

/* A file without `feeds` has the built-in ones. */
static enum cl_code read_builtin_feeds(struct cl_spec *spec, struct cl_arena *tree,
                                       struct cl_error *err)
{
    const char *text = cl_spec_builtin_text();
    struct cl_yaml_node *root = NULL;
    enum cl_code code = cl_yaml_parse("(built-in)", text, strlen(text), tree, &root, err);
    if (code == CL_OK) code = cl_feeds_read(spec, cl_yaml_get(root, "feeds"), err);
    return code;
}

static enum cl_code read_root(struct cl_spec *spec, const struct cl_yaml_node *root,
                              struct cl_arena *tree, struct cl_error *err)
{
    static const struct cl_yaml_field keys[] = {
        {.key = "lake"}, {.key = "kafka"}, {.key = "city"}, {.key = "feeds"}};
    static const struct cl_yaml_node nothing = {.kind = CL_YAML_NULL};
    if (root == NULL) root = &nothing;
    enum cl_code code =
        cl_yaml_read(root, keys, sizeof keys / sizeof *keys, NULL, &spec->arena, err);
    if (code == CL_OK) code = read_lake(cl_yaml_get(root, "lake"), spec, err);
    if (code == CL_OK) code = read_kafka(cl_yaml_get(root, "kafka"), spec, err);
    if (code == CL_OK) code = read_city(cl_yaml_get(root, "city"), spec, err);
    if (code != CL_OK) return code;
    const struct cl_yaml_node *feeds = cl_yaml_get(root, "feeds");
    code = feeds != NULL ? cl_feeds_read(spec, feeds, err) : read_builtin_feeds(spec, tree, err);
    if (code == CL_OK) code = cl_environment_apply(spec, err);
    if (code == CL_OK) code = cl_feeds_check_topics(spec, err);
    return code;
}

enum cl_code cl_spec_parse(const char *path, const char *text, size_t len, struct cl_spec **ret,
                           struct cl_error *err)
{
    struct cl_arena tree; /* of this call; what the spec keeps is copied */
    struct cl_yaml_node *root = NULL;
    struct cl_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL) return cl_fail_nomem(err);
    cl_arena_init(&tree, TREE_MAX_BYTES);
    cl_arena_init(&spec->arena, SPEC_MAX_BYTES);
    spec->path = cl_arena_strdup(&spec->arena, path);
    enum cl_code code = spec->path == NULL ? cl_fail_nomem(err) : set_defaults(spec, err);
    if (code == CL_OK) code = cl_yaml_parse(path, text, len, &tree, &root, err);
    if (code == CL_OK) code = read_root(spec, root, &tree, err);
    cl_arena_fini(&tree);
    if (code != CL_OK)
        cl_spec_free(spec);
    else
        *ret = spec;
    return code;
}

enum cl_code cl_spec_load_builtin(struct cl_spec **ret, struct cl_error *err)
{
    const char *text = cl_spec_builtin_text();
    return cl_spec_parse("(built-in)", text, strlen(text), ret, err);
}

enum cl_code cl_spec_load(const char *path, struct cl_spec **ret, struct cl_error *err)
{
    enum cl_code code;
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        code = cl_fail_errno(err, errno, "cannot open the configuration file %.200s", path);
        return code == CL_ENOTFOUND && err != NULL
                   ? cl_fail(
                         err, code,
                         "no configuration file %.200s; leave out --config to use the built-in one",
                         path)
                   : code;
    }
    /* One byte more than allowed, so that a file that is too large is seen to be. */
    size_t cap = CL_YAML_MAX_BYTES + 1, len = 0;
    char *text = malloc(cap);
    if (text == NULL) {
        code = cl_fail_nomem(err);
    } else {
        len = fread(text, 1, cap, f);
        code = ferror(f)
                   ? cl_fail_errno(err, errno, "cannot read the configuration file %.200s", path)
                   : cl_spec_parse(path, text, len, ret, err);
    }
    free(text);
    (void)fclose(f);
    return code;
}

void cl_spec_free(struct cl_spec *spec)
{
    if (spec == NULL) return;
    cl_arena_fini(&spec->arena);
    free(spec);
}

const struct cl_feed *cl_spec_find_feed(const struct cl_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_feeds; i++)
        if (strcmp(spec->feeds[i].name, name) == 0) return &spec->feeds[i];
    return NULL;
}

const struct cl_feed *cl_spec_find_topic(const struct cl_spec *spec, const char *topic, size_t len)
{
    for (size_t i = 0; i < spec->n_feeds; i++) {
        const char *t = spec->feeds[i].topic;
        if (strlen(t) == len && memcmp(t, topic, len) == 0) return &spec->feeds[i];
    }
    return NULL;
}
