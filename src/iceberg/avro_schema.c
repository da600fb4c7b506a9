/* avro_schema.c - see avro_schema.h.  Source: Apache Avro specification 1.11, "Schema Declaration".
 *
 * Named types are registered before their fields are read, so a record may contain itself; whoever
 * walks values bounds its own depth.  Names are compared without their namespace: Iceberg's writers
 * use none that collide. */
#include "iceberg/avro_schema.h"

#include "iceberg/metadata.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_NAMED = 4096 };

struct named {
    const char *name;
    const struct cl_avro_type *type;
    struct named *next;
};

struct parser {
    struct cl_arena *arena;
    struct named *named;
    size_t n_named;
    int depth;
};

static enum cl_code parse_type(struct parser *p, const json_t *json,
                               const struct cl_avro_type **ret, struct cl_error *err);

static const char *local_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

static bool primitive_kind(const char *name, enum cl_avro_kind *ret)
{
    static const char *const names[] = {"null",  "boolean", "int",   "long",
                                        "float", "double",  "bytes", "string"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *ret = (enum cl_avro_kind)i;
            return true;
        }
    return false;
}

static enum cl_code new_type(struct parser *p, enum cl_avro_kind kind, struct cl_avro_type **ret,
                             struct cl_error *err)
{
    struct cl_avro_type *t = cl_arena_alloc(p->arena, sizeof *t);
    if (t == NULL) return cl_fail_nomem(err);
    t->kind = kind;
    *ret = t;
    return CL_OK;
}

static enum cl_code parse_name(struct parser *p, const char *name, const struct cl_avro_type **ret,
                               struct cl_error *err)
{
    enum cl_avro_kind kind;
    if (primitive_kind(name, &kind)) {
        struct cl_avro_type *t = NULL;
        enum cl_code code = new_type(p, kind, &t, err);
        if (code == CL_OK) *ret = t;
        return code;
    }
    for (const struct named *n = p->named; n != NULL; n = n->next)
        if (strcmp(n->name, local_name(name)) == 0) {
            *ret = n->type;
            return CL_OK;
        }
    return cl_fail(err, CL_EDATA, "Avro schema uses the unknown type \"%.100s\"", name);
}

static enum cl_code register_name(struct parser *p, const json_t *json,
                                  const struct cl_avro_type *type, struct cl_error *err)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    if (name == NULL)
        return cl_fail(err, CL_EDATA, "Avro schema has a record, enum or fixed without a name");
    if (++p->n_named > MAX_NAMED)
        return cl_fail(err, CL_EDATA, "Avro schema has more than %d named types", MAX_NAMED);
    struct named *n = cl_arena_alloc(p->arena, sizeof *n);
    char *copy = cl_arena_strdup(p->arena, local_name(name));
    if (n == NULL || copy == NULL) return cl_fail_nomem(err);
    *n = (struct named){.name = copy, .type = type, .next = p->named};
    p->named = n;
    return CL_OK;
}

static enum cl_code parse_field(struct parser *p, const json_t *json, struct cl_avro_field *ret,
                                struct cl_error *err)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *id = json_object_get(json, "field-id");
    if (name == NULL) return cl_fail(err, CL_EDATA, "Avro schema has a field without a name");
    ret->name = cl_arena_strdup(p->arena, name);
    if (ret->name == NULL) return cl_fail_nomem(err);
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    ret->id = value >= 0 && value <= INT32_MAX ? (int)value : -1;
    return parse_type(p, json_object_get(json, "type"), &ret->type, err);
}

static enum cl_code parse_record(struct parser *p, const json_t *json,
                                 const struct cl_avro_type **ret, struct cl_error *err)
{
    struct cl_avro_type *t = NULL;
    const json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields))
        return cl_fail(err, CL_EDATA, "Avro schema has a record without fields");
    enum cl_code code = new_type(p, CL_AVRO_RECORD, &t, err);
    if (code == CL_OK) code = register_name(p, json, t, err);
    if (code != CL_OK) return code;
    size_t n = json_array_size(fields);
    t->fields = cl_arena_array(p->arena, n, sizeof *t->fields);
    if (t->fields == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n && code == CL_OK; i++)
        code = parse_field(p, json_array_get(fields, i), &t->fields[i], err);
    t->n = n;
    *ret = t;
    return code;
}

/* Array, map: one child.  Union: as many as the JSON array has. */
static enum cl_code parse_children(struct parser *p, enum cl_avro_kind kind, const json_t *json,
                                   const struct cl_avro_type **ret, struct cl_error *err)
{
    struct cl_avro_type *t = NULL;
    enum cl_code code = new_type(p, kind, &t, err);
    if (code != CL_OK) return code;
    t->n = kind == CL_AVRO_UNION ? json_array_size(json) : 1;
    t->types = cl_arena_array(p->arena, t->n, sizeof *t->types);
    if (t->types == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < t->n && code == CL_OK; i++)
        code = parse_type(p, kind == CL_AVRO_UNION ? json_array_get(json, i) : json, &t->types[i],
                          err);
    *ret = t;
    return code;
}

static enum cl_code parse_fixed_or_enum(struct parser *p, enum cl_avro_kind kind,
                                        const json_t *json, const struct cl_avro_type **ret,
                                        struct cl_error *err)
{
    struct cl_avro_type *t = NULL;
    enum cl_code code = new_type(p, kind, &t, err);
    if (code == CL_OK) code = register_name(p, json, t, err);
    if (code != CL_OK) return code;
    if (kind == CL_AVRO_FIXED) {
        json_int_t size = json_integer_value(json_object_get(json, "size"));
        if (size < 0 || size > INT32_MAX)
            return cl_fail(err, CL_EDATA, "Avro schema has a fixed of a bad size");
        t->n = (size_t)size;
    }
    *ret = t;
    return CL_OK;
}

static enum cl_code parse_object(struct parser *p, const json_t *json,
                                 const struct cl_avro_type **ret, struct cl_error *err)
{
    const json_t *type = json_object_get(json, "type");
    if (!json_is_string(type)) return parse_type(p, type, ret, err); /* {"type": {"type": ...}} */
    const char *name = json_string_value(type);
    if (strcmp(name, "record") == 0) return parse_record(p, json, ret, err);
    if (strcmp(name, "array") == 0)
        return parse_children(p, CL_AVRO_ARRAY, json_object_get(json, "items"), ret, err);
    if (strcmp(name, "map") == 0)
        return parse_children(p, CL_AVRO_MAP, json_object_get(json, "values"), ret, err);
    if (strcmp(name, "fixed") == 0) return parse_fixed_or_enum(p, CL_AVRO_FIXED, json, ret, err);
    if (strcmp(name, "enum") == 0) return parse_fixed_or_enum(p, CL_AVRO_ENUM, json, ret, err);
    return parse_name(p, name, ret, err);
}

static enum cl_code parse_type(struct parser *p, const json_t *json,
                               const struct cl_avro_type **ret, struct cl_error *err)
{
    enum cl_code code;
    if (++p->depth > MAX_DEPTH)
        code = cl_fail(err, CL_EDATA, "Avro schema is nested deeper than %d", MAX_DEPTH);
    else if (json_is_string(json))
        code = parse_name(p, json_string_value(json), ret, err);
    else if (json_is_array(json))
        code = parse_children(p, CL_AVRO_UNION, json, ret, err);
    else if (json_is_object(json))
        code = parse_object(p, json, ret, err);
    else
        code = cl_fail(err, CL_EDATA,
                       "Avro schema has a type that is neither a name, a list nor an object");
    p->depth--;
    return code;
}

enum cl_code cl_avro_schema_parse(const char *json, size_t len, struct cl_arena *arena,
                                  const struct cl_avro_type **ret, struct cl_error *err)
{
    json_error_t at;
    errno = 0;
    json_t *root = json_loadb(json, len, JSON_DECODE_ANY, &at);
    if (root == NULL && cl_json_out_of_memory(&at)) return cl_fail_nomem(err);
    if (root == NULL)
        return cl_fail(err, CL_EDATA, "Avro schema is not JSON: byte %d: %s", at.position, at.text);
    struct parser p = {.arena = arena};
    enum cl_code code = parse_type(&p, root, ret, err);
    json_decref(root);
    return code;
}
