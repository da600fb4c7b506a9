/* environment.c - what the environment says: the reference pipeline's variables, and ${NAME} in
 * Kafka properties. */
#include "spec/parts.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static enum cl_code apply_topic(struct cl_spec *spec, const char *name, const char *feed_name,
                                struct cl_error *err)
{
    const char *value = variable(name);
    if (value == NULL) return CL_OK;
    for (size_t i = 0; i < spec->n_feeds; i++) {
        if (strcmp(spec->feeds[i].name, feed_name) != 0) continue;
        enum cl_code code = cl_topic_check(value, err);
        if (code != CL_OK) return cl_error_wrap(err, code, "environment variable %s", name);
        char *topic = cl_arena_strdup(&spec->arena, value);
        if (topic == NULL) return cl_fail_nomem(err);
        spec->feeds[i].topic = topic;
    }
    return CL_OK;
}

enum cl_code cl_environment_apply(struct cl_spec *spec, struct cl_error *err)
{
    static const char *const topics[][2] = {
        {"VEHICLE_TOPIC", "vehicle"},     {"GPS_TOPIC", "gps"},
        {"TRAFFIC_TOPIC", "camera"},      {"WEATHER_TOPIC", "weather"},
        {"EMERGENCY_TOPIC", "emergency"},
    };
    const char *servers = variable("KAFKA_BOOTSTRAP_SERVERS");
    if (servers != NULL) {
        spec->kafka.bootstrap_servers = cl_arena_strdup(&spec->arena, servers);
        if (spec->kafka.bootstrap_servers == NULL) return cl_fail_nomem(err);
    }
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        enum cl_code code = apply_topic(spec, topics[i][0], topics[i][1], err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}

enum { MAX_EXPANDED = 64 * 1024, MAX_VARIABLE = 128 };

/* *p stands at "${": puts the variable's value into *ret and *p behind the brace. */
static enum cl_code reference(const struct cl_yaml_node *node, const char **p, const char **ret,
                              struct cl_error *err)
{
    char name[MAX_VARIABLE];
    const char *start = *p + 2;
    size_t len = strcspn(start, "}");
    if (start[len] == '\0')
        return cl_yaml_fail(node, err,
                            "\"${\" without \"}\"; write ${NAME}, or $${ for the text itself");
    if (len == 0 || len >= sizeof name)
        return cl_yaml_fail(
            node, err, "${...} holds no usable name; write ${NAME}, or $${ for the text itself");
    memcpy(name, start, len);
    name[len] = '\0';
    *ret = getenv(name);
    if (*ret == NULL)
        return cl_yaml_fail(node, err, "environment variable %s is not set; set it or remove ${%s}",
                            name, name);
    *p = start + len + 1;
    return CL_OK;
}

static enum cl_code expand(const struct cl_yaml_node *node, struct cl_buf *out,
                           struct cl_error *err)
{
    enum cl_code code = CL_OK;
    for (const char *p = node->text; code == CL_OK && *p != '\0';) {
        const char *piece = p;
        if (strncmp(p, "$${", 3) == 0) {
            p += 3;
            code = cl_buf_append_str(out, "${", err);
        } else if (strncmp(p, "${", 2) == 0) {
            code = reference(node, &p, &piece, err);
            if (code == CL_OK) code = cl_buf_append_str(out, piece, err);
        } else {
            code = cl_buf_append(out, p++, 1, err);
        }
    }
    if (code == CL_ELIMIT)
        return cl_yaml_fail(node, err, "longer than 64 KiB with its variables filled in");
    return code;
}

enum cl_code cl_environment_expand(const struct cl_yaml_node *node, struct cl_arena *arena,
                                   char **ret, struct cl_error *err)
{
    struct cl_buf out;
    cl_buf_init(&out, MAX_EXPANDED);
    enum cl_code code = expand(node, &out, err);
    if (code == CL_OK) {
        char *copy = cl_arena_strndup(arena, (const char *)out.data, out.len);
        if (copy == NULL)
            code = cl_fail_nomem(err);
        else
            *ret = copy;
    }
    cl_buf_fini(&out);
    return code;
}
