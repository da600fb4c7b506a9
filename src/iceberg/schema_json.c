/* schema_json.c - Iceberg schemas and transforms as JSON.
 *
 * Source: Iceberg spec, Appendix C "JSON serialization": Schemas, Partition Specs. */
#include "iceberg/metadata.h"

#include <stdio.h>
#include <string.h>

const char *cl_transform_text(enum cl_transform transform)
{
    switch (transform) {
    case CL_PARTITION_DAY: return "day";
    case CL_PARTITION_HOUR: return "hour";
    case CL_PARTITION_MONTH: return "month";
    case CL_PARTITION_NONE: break;
    }
    return NULL;
}

static json_t *field_to_json(const struct cl_field *f)
{
    char type[64];
    json_t *j = json_pack("{s:i, s:s, s:b, s:s}", "id", f->id, "name", f->name, "required",
                          f->required, "type", cl_type_text(f, type, sizeof type));
    if (j != NULL && f->doc != NULL && json_object_set_new(j, "doc", json_string(f->doc)) != 0) {
        json_decref(j);
        return NULL;
    }
    return j;
}

json_t *cl_schema_to_json(const struct cl_schema *schema)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < schema->n && fields != NULL; i++)
        if (json_array_append_new(fields, field_to_json(&schema->fields[i])) != 0) {
            json_decref(fields);
            return NULL;
        }
    /* "o" takes fields, a NULL of which makes json_pack fail. */
    return json_pack("{s:s, s:i, s:o}", "type", "struct", "schema-id", 0, "fields", fields);
}

static bool parse_type(const char *text, struct cl_field *ret)
{
    static const struct {
        const char *name;
        enum cl_type type;
    } types[] = {
        {"boolean", CL_BOOLEAN}, {"int", CL_INT},
        {"long", CL_LONG},       {"float", CL_FLOAT},
        {"double", CL_DOUBLE},   {"date", CL_DATE},
        {"string", CL_STRING},   {"timestamp", CL_TIMESTAMP},
        {"binary", CL_BINARY},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, text) == 0) {
            ret->type = types[i].type;
            return true;
        }
    int precision, scale, used = 0;
    if (sscanf(text, "decimal(%2d,%2d)%n", &precision, &scale, &used) != 2 || text[used] != '\0' ||
        used == 0)
        return false;
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return false;
    ret->type = CL_DECIMAL;
    ret->precision = precision;
    ret->scale = scale;
    return true;
}

static enum cl_code field_from_json(const char *name, const json_t *json, struct cl_field *ret,
                                    struct cl_error *err)
{
    int64_t id;
    enum cl_code code = cl_json_get_long(name, json, "id", &id, err);
    if (code == CL_OK) code = cl_json_get_text(name, json, "name", &ret->name, err);
    if (code != CL_OK) return code;
    if (id < 1 || id > INT32_MAX)
        return cl_fail(err, CL_EDATA, "%s: column \"%s\" has the field id %lld", name, ret->name,
                       (long long)id);
    ret->id = (int)id;
    ret->required = json_is_true(json_object_get(json, "required"));
    ret->doc = json_string_value(json_object_get(json, "doc"));
    const json_t *type = json_object_get(json, "type");
    const char *text =
        json_string_value(json_is_object(type) ? json_object_get(type, "type") : type);
    if (text == NULL)
        return cl_fail(err, CL_EDATA, "%s: column \"%s\" has no type", name, ret->name);
    if (!parse_type(text, ret))
        return cl_fail(err, CL_EUNSUPPORTED,
                       "%s: column \"%s\" has the type %s, which citylake does not read (it reads "
                       "boolean, int, long, float, "
                       "double, decimal, date, timestamp without zone, string and binary)",
                       name, ret->name, text);
    return CL_OK;
}

enum cl_code cl_schema_from_json(const char *name, const json_t *json, struct cl_arena *arena,
                                 struct cl_schema *ret, struct cl_error *err)
{
    json_t *fields;
    enum cl_code code = cl_json_get_array(name, json, "fields", &fields, err);
    if (code != CL_OK) return code;
    size_t n = json_array_size(fields);
    struct cl_field *out = cl_arena_array(arena, n, sizeof *out);
    if (out == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < n && code == CL_OK; i++)
        code = field_from_json(name, json_array_get(fields, i), &out[i], err);
    if (code == CL_OK) *ret = (struct cl_schema){.n = n, .fields = out};
    return code;
}
