/* security.c - kafka.security of city.yaml: TLS and SASL.
 *
 * Secrets come from the environment (${NAME}) or from files that are read when a client is made; no
 * message of this file quotes a value. */
#include "spec/parts.h"
#include "spec/yaml_fields.h"

#include <string.h>

/* Property names that this section stands for. */
static bool owns(const char *property)
{
    return strcmp(property, "security.protocol") == 0 || strncmp(property, "ssl.", 4) == 0 ||
           strncmp(property, "sasl.", 5) == 0 || strncmp(property, "enable.sasl.", 12) == 0 ||
           strncmp(property, "enable.ssl.", 11) == 0;
}

/* The text at `key` with its variables filled in; NULL when the key is absent. */
static enum cl_code read_expanded(const struct cl_yaml_node *map, const char *key,
                                  struct cl_arena *arena, const char **ret, struct cl_error *err)
{
    const struct cl_yaml_node *node = cl_yaml_get(map, key);
    const char *text;
    char *value = NULL;
    if (node == NULL) return CL_OK;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code == CL_OK) code = cl_environment_expand(node, arena, &value, err);
    if (code == CL_OK && value[0] == '\0')
        return cl_yaml_fail(node, err, "is empty once its variables are filled in");
    if (code == CL_OK) *ret = value;
    return code;
}

static enum cl_code one_of_two(const struct cl_yaml_node *map, const char *a, const char *b,
                               struct cl_error *err)
{
    const struct cl_yaml_node *second = cl_yaml_get(map, b);
    if (second == NULL || cl_yaml_get(map, a) == NULL) return CL_OK;
    return cl_yaml_fail_key(second, err, "%s is set too; keep one of the two", a);
}

static enum cl_code read_tls(const struct cl_yaml_node *node, struct cl_kafka_security *s,
                             struct cl_arena *arena, struct cl_error *err)
{
#define AT(member) offsetof(struct cl_kafka_security, member)
    static const struct cl_yaml_field keys[] = {
        {.key = "ca", .type = CL_YAML_STRING, .offset = AT(ca)},
        {.key = "certificate", .type = CL_YAML_STRING, .offset = AT(certificate)},
        {.key = "key", .type = CL_YAML_STRING, .offset = AT(key)},
        {.key = "key_password"},
        {.key = "key_password_file", .type = CL_YAML_STRING, .offset = AT(key_password_file)},
        {.key = "verify_host_name", .type = CL_YAML_BOOL, .offset = AT(verify_host_name)},
    };
    /* `tls: true` is the whole of it when the system knows who signed the brokers' certificates. */
    static const struct cl_yaml_field switch_key[] = {
        {.key = "tls", .type = CL_YAML_BOOL, .offset = AT(tls)}, {.key = "sasl"}};
#undef AT
    if (node->kind != CL_YAML_MAP) return cl_yaml_read(node->parent, switch_key, 2, s, arena, err);
    s->tls = true;
    enum cl_code code = cl_yaml_read(node, keys, sizeof keys / sizeof *keys, s, arena, err);
    if (code == CL_OK) code = read_expanded(node, "key_password", arena, &s->key_password, err);
    if (code == CL_OK) code = one_of_two(node, "key_password", "key_password_file", err);
    if (code != CL_OK) return code;
    if ((s->certificate == NULL) != (s->key == NULL))
        return cl_yaml_fail(node, err,
                            "a client's certificate needs its key and the other way round; set "
                            "both, or neither");
    return CL_OK;
}

static enum cl_code read_sasl(const struct cl_yaml_node *node, struct cl_kafka_security *s,
                              struct cl_arena *arena, struct cl_error *err)
{
    static const char *const mechanisms[] = {"plain", "scram-sha-256", "scram-sha-512", NULL};
#define AT(member) offsetof(struct cl_kafka_security, member)
    static const struct cl_yaml_field keys[] = {
        {.key = "mechanism", .type = CL_YAML_WORD, .offset = AT(mechanism), .words = mechanisms},
        {.key = "username"},
        {.key = "password"},
        {.key = "password_file", .type = CL_YAML_STRING, .offset = AT(password_file)},
    };
#undef AT
    enum cl_code code = cl_yaml_read(node, keys, sizeof keys / sizeof *keys, s, arena, err);
    if (code == CL_OK) code = read_expanded(node, "username", arena, &s->username, err);
    if (code == CL_OK) code = read_expanded(node, "password", arena, &s->password, err);
    if (code == CL_OK) code = one_of_two(node, "password", "password_file", err);
    if (code != CL_OK) return code;
    if (s->mechanism == NULL)
        return cl_yaml_fail(node, err, "needs mechanism: plain, scram-sha-256 or scram-sha-512");
    if (s->username == NULL) return cl_yaml_fail(node, err, "needs username");
    if (s->password == NULL && s->password_file == NULL)
        return cl_yaml_fail(node, err, "needs password_file, or password: ${NAME}");
    return CL_OK;
}

enum cl_code cl_security_read(const struct cl_yaml_node *node, struct cl_spec *spec,
                              struct cl_error *err)
{
    static const struct cl_yaml_field keys[] = {{.key = "tls"}, {.key = "sasl"}};
    struct cl_kafka_security *s = &spec->kafka.security;
    s->verify_host_name = true;
    if (node == NULL || node->kind == CL_YAML_NULL) return CL_OK;
    enum cl_code code = cl_yaml_read(node, keys, 2, NULL, &spec->arena, err);
    if (code != CL_OK) return code;
    const struct cl_yaml_node *tls = cl_yaml_get(node, "tls"), *sasl = cl_yaml_get(node, "sasl");
    if (tls != NULL) code = read_tls(tls, s, &spec->arena, err);
    if (code == CL_OK && sasl != NULL) code = read_sasl(sasl, s, &spec->arena, err);
    if (code != CL_OK) return code;
    if (sasl != NULL && tls == NULL)
        return cl_yaml_fail(sasl, err,
                            "without tls everybody on the way can read what is sent; add tls: true "
                            "(or tls: false where that is meant)");
    s->given = tls != NULL || sasl != NULL;
    for (size_t i = 0; s->given && i < spec->kafka.n_properties; i++)
        if (owns(spec->kafka.properties[2 * i]))
            return cl_yaml_fail(node, err,
                                "kafka.properties sets %s too; keep it there without this section, "
                                "or remove it",
                                spec->kafka.properties[2 * i]);
    return CL_OK;
}
