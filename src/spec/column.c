/* column.c - one entry of a feed's `columns:` -> struct cl_feed_column.
 *
 * The type comes first (every other key is judged by it), then the table of keys, then the rules
 * between keys. */
#include "spec/parts.h"

#include "spec/path.h"
#include "spec/suggest.h"
#include "spec/units.h"
#include "spec/yaml_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum cl_type type;
} types[] = {
    {"boolean", CL_BOOLEAN}, {"int", CL_INT},
    {"long", CL_LONG},       {"float", CL_FLOAT},
    {"double", CL_DOUBLE},   {"decimal", CL_DECIMAL},
    {"date", CL_DATE},       {"timestamp", CL_TIMESTAMP},
    {"string", CL_STRING},   {"binary", CL_BINARY},
};
enum { N_TYPES = sizeof types / sizeof *types };

/* Words of other systems for our types. */
static const char *const synonyms[][2] = {
    {"bool", "boolean"},   {"integer", "int"},
    {"int32", "int"},      {"bigint", "long"},
    {"int64", "long"},     {"real", "float"},
    {"float32", "float"},  {"float64", "double"},
    {"number", "double"},  {"numeric", "decimal(18, 2)"},
    {"varchar", "string"}, {"text", "string"},
    {"str", "string"},     {"datetime", "timestamp"},
    {"bytes", "binary"},   {"uuid", "string (with format: uuid)"},
};

bool cl_name_is_valid(const char *name, bool lower_case_only)
{
    size_t len = 0;
    for (; name[len] != '\0'; len++) {
        char c = name[len];
        bool letter =
            (c >= 'a' && c <= 'z') || (!lower_case_only && ((c >= 'A' && c <= 'Z') || c == '_'));
        bool inner = (c >= '0' && c <= '9') || c == '_';
        if (!letter && (len == 0 || !inner)) return false;
    }
    return len > 0 && len <= CL_SPEC_MAX_NAME;
}

static enum cl_code unknown_type(const struct cl_yaml_node *node, const char *text,
                                 struct cl_error *err)
{
    const char *names[N_TYPES + 1] = {NULL};
    char all[160];
    for (size_t i = 0; i < N_TYPES; i++)
        names[i] = types[i].type == CL_DECIMAL ? "decimal(p, s)" : types[i].name;
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(text, synonyms[i][0]) == 0)
            return cl_yaml_fail(node, err, "unknown type \"%.64s\"; did you mean %s?", text,
                                synonyms[i][1]);
    }
    const char *near = cl_suggest(text, names, N_TYPES);
    if (near != NULL)
        return cl_yaml_fail(node, err, "unknown type \"%.64s\"; did you mean \"%s\"?", text, near);
    return cl_yaml_fail(node, err, "unknown type \"%.64s\"; use %s", text,
                        cl_words_text(names, all, sizeof all));
}

/* "decimal(9, 2)"; Iceberg allows 38 digits. */
static enum cl_code read_decimal(const struct cl_yaml_node *node, const char *text,
                                 struct cl_field *field, struct cl_error *err)
{
    int used = 0;
    if (strchr(text, ')') == NULL && strchr(text, '(') != NULL)
        return cl_yaml_fail(
            node, err, "inside { } the comma of a decimal needs quotes: type: \"decimal(9, 2)\"");
    if (sscanf(text, "decimal ( %3d , %3d )%n", &field->precision, &field->scale, &used) != 2 ||
        used == 0 || text[used] != '\0')
        return cl_yaml_fail(
            node, err,
            "\"%.64s\" is not a decimal type; write \"decimal(9, 2)\": digits in all, digits "
            "after the point",
            text);
    if (field->precision < 1 || field->precision > 38)
        return cl_yaml_fail(node, err, "a decimal has from 1 to 38 digits, not %d",
                            field->precision);
    if (field->scale < 0 || field->scale > field->precision)
        return cl_yaml_fail(node, err, "the digits after the point must be from 0 to %d, not %d",
                            field->precision, field->scale);
    return CL_OK;
}

static enum cl_code read_type(const struct cl_yaml_node *node, struct cl_field *field,
                              struct cl_error *err)
{
    const char *text;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code != CL_OK) return code;
    if (strncmp(text, "decimal", 7) == 0 && (text[7] == '(' || text[7] == ' ' || text[7] == '\0')) {
        field->type = CL_DECIMAL;
        return read_decimal(node, text, field, err);
    }
    for (size_t i = 0; i < N_TYPES; i++) {
        if (strcmp(text, types[i].name) != 0) continue;
        field->type = types[i].type;
        return CL_OK;
    }
    return unknown_type(node, text, err);
}

static bool is_number(enum cl_type type)
{
    return type == CL_INT || type == CL_LONG || type == CL_FLOAT || type == CL_DOUBLE ||
           type == CL_DECIMAL;
}

static enum cl_code read_range(const struct cl_yaml_node *node, struct cl_feed_column *c,
                               struct cl_error *err)
{
    if (!is_number(c->field.type))
        return cl_yaml_fail_key(node, err, "only numbers have a range; remove it");
    if (node->kind != CL_YAML_LIST || node->n != 2)
        return cl_yaml_fail(node, err, "expected [lowest, highest]; null leaves a side open");
    c->has_range = true;
    c->min = -INFINITY;
    c->max = INFINITY;
    enum cl_code code = cl_yaml_real(node->first, true, &c->min, err);
    if (code == CL_OK) code = cl_yaml_real(node->last, true, &c->max, err);
    if (code != CL_OK) return code;
    if (c->min >= c->max)
        return cl_yaml_fail(node, err, "the lowest value (%g) must be below the highest (%g)",
                            c->min, c->max);
    if (isinf(c->min) && isinf(c->max))
        return cl_yaml_fail(node, err, "a range open on both sides says nothing; remove it");
    return CL_OK;
}

static enum cl_code read_values(const struct cl_yaml_node *node, struct cl_arena *arena,
                                struct cl_feed_column *c, struct cl_error *err)
{
    if (c->field.type != CL_STRING)
        return cl_yaml_fail_key(node, err, "only strings have a list of values; remove it");
    if (node->kind != CL_YAML_LIST || node->n == 0)
        return cl_yaml_fail(node, err,
                            "expected a list of the allowed strings, such as [Active, Resolved]");
    c->values = cl_arena_array(arena, node->n, sizeof *c->values);
    if (c->values == NULL) return cl_fail_nomem(err);
    for (const struct cl_yaml_node *v = node->first; v != NULL; v = v->next) {
        if (v->kind == CL_YAML_MAP || v->kind == CL_YAML_LIST)
            return cl_yaml_fail(v, err, "expected text, found %s", cl_yaml_kind_text(v));
        if (v->kind == CL_YAML_NULL)
            return cl_yaml_fail(v, err, "nothing is not text; quote it if you mean the text");
        for (size_t i = 0; i < c->n_values; i++)
            if (strcmp(c->values[i], v->text) == 0)
                return cl_yaml_fail(v, err, "\"%.64s\" stands here twice", v->text);
        c->values[c->n_values] = cl_arena_strdup(arena, v->text);
        if (c->values[c->n_values++] == NULL) return cl_fail_nomem(err);
    }
    return CL_OK;
}

static enum cl_code read_format(const struct cl_yaml_node *node, struct cl_feed_column *c,
                                struct cl_error *err)
{
    static const char *const times[] = {"iso8601", "epoch_s", "epoch_ms", "epoch_us"};
    const char *text;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code != CL_OK) return code;
    bool is_time = c->field.type == CL_TIMESTAMP || c->field.type == CL_DATE;
    for (size_t i = 0; is_time && i < 4; i++) {
        if (strcmp(text, times[i]) != 0) continue;
        c->time_format = (enum cl_time_format)i;
        return CL_OK;
    }
    if (is_time)
        return cl_yaml_fail(
            node, err,
            "\"%.64s\" is not a format of times; use iso8601, epoch_s, epoch_ms or epoch_us", text);
    if (c->field.type == CL_STRING && strcmp(text, "uuid") == 0) {
        c->format = CL_STRING_UUID;
        return CL_OK;
    }
    if (c->field.type == CL_STRING)
        return cl_yaml_fail(node, err, "\"%.64s\" is not a format of strings; use uuid", text);
    return cl_yaml_fail_key(node, err,
                            "only string, timestamp and date columns have a format; remove it");
}

static enum cl_code find_unit(const struct cl_yaml_node *node, const struct cl_unit **ret,
                              struct cl_error *err)
{
    const char *text;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code != CL_OK) return code;
    return cl_yaml_place(node, cl_unit_find(text, ret, err), err);
}

static enum cl_code read_units(const struct cl_yaml_node *unit_node,
                               const struct cl_yaml_node *from_node, struct cl_feed_column *c,
                               struct cl_error *err)
{
    const struct cl_unit *unit = NULL, *from = NULL;
    if (unit_node == NULL && from_node == NULL) return CL_OK;
    const struct cl_yaml_node *node = from_node != NULL ? from_node : unit_node;
    if (!is_number(c->field.type))
        return cl_yaml_fail_key(node, err, "only numbers have a unit; remove it");
    if (unit_node == NULL)
        return cl_yaml_fail_key(node, err, "needs `unit` as well: what to convert to");
    enum cl_code code = find_unit(unit_node, &unit, err);
    if (code == CL_OK && from_node != NULL) code = find_unit(from_node, &from, err);
    if (code != CL_OK) return code;
    c->unit = unit->name;
    if (from == NULL) return CL_OK;
    c->from_unit = from->name;
    code = cl_yaml_place(
        from_node, cl_unit_conversion(from, unit, &c->unit_factor, &c->unit_offset, err), err);
    if (code != CL_OK || from == unit) return code;
    if (c->field.type != CL_DOUBLE && c->field.type != CL_FLOAT)
        return cl_yaml_fail(from_node, err,
                            "a converted value has fractions; use type double or float");
    c->has_conversion = true;
    return CL_OK;
}

static enum cl_code read_path(const struct cl_yaml_node *node, const char *name,
                              struct cl_arena *arena, struct cl_feed_column *c,
                              struct cl_error *err)
{
    const char *text = name;
    enum cl_code code = node == NULL ? CL_OK : cl_yaml_text(node, &text, err);
    if (code == CL_OK) {
        code = cl_path_parse(text, arena, &c->path, &c->path_len, err);
        if (node != NULL) code = cl_yaml_place(node, code, err);
    }
    return code;
}

struct raw {
    bool required;
    const char *doc, *encoding;
    int64_t max_bytes;
};

static enum cl_code check_bytes(const struct cl_yaml_node *node, const struct raw *raw,
                                struct cl_feed_column *c, struct cl_error *err)
{
    bool is_bytes = c->field.type == CL_STRING || c->field.type == CL_BINARY;
    if (raw->max_bytes > 0 && !is_bytes)
        return cl_yaml_fail_key(cl_yaml_get(node, "max_length"), err,
                                "only strings and binaries have a length; remove it");
    if (raw->encoding != NULL && c->field.type != CL_BINARY)
        return cl_yaml_fail_key(cl_yaml_get(node, "encoding"), err,
                                "only binary columns are decoded; use type: binary");
    c->max_bytes = raw->max_bytes;
    c->base64 = raw->encoding != NULL;
    return CL_OK;
}

static enum cl_code read_keys(const struct cl_yaml_node *node, struct cl_arena *arena,
                              struct cl_feed_column *c, struct cl_error *err)
{
    static const char *const encodings[] = {"base64", NULL};
    static const struct cl_yaml_field keys[] = {
        {.key = "type"},
        {.key = "required", .type = CL_YAML_BOOL, .offset = offsetof(struct raw, required)},
        {.key = "from"},
        {.key = "format"},
        {.key = "unit"},
        {.key = "from_unit"},
        {.key = "range"},
        {.key = "values"},
        {"max_length", CL_YAML_SIZE, offsetof(struct raw, max_bytes), 1, 1 << 30,
         "from 1 byte to 1 GiB", NULL},
        {.key = "encoding",
         .type = CL_YAML_WORD,
         .offset = offsetof(struct raw, encoding),
         .words = encodings},
        {.key = "doc", .type = CL_YAML_STRING, .offset = offsetof(struct raw, doc)},
    };
    struct raw raw = {0};
    const struct cl_yaml_node *at;
    enum cl_code code = cl_yaml_read(node, keys, sizeof keys / sizeof *keys, &raw, arena, err);
    if (code == CL_OK) code = check_bytes(node, &raw, c, err);
    if (code == CL_OK && (at = cl_yaml_get(node, "format")) != NULL) code = read_format(at, c, err);
    if (code == CL_OK)
        code = read_units(cl_yaml_get(node, "unit"), cl_yaml_get(node, "from_unit"), c, err);
    if (code == CL_OK && (at = cl_yaml_get(node, "range")) != NULL) code = read_range(at, c, err);
    if (code == CL_OK && (at = cl_yaml_get(node, "values")) != NULL)
        code = read_values(at, arena, c, err);
    if (code == CL_OK) code = read_path(cl_yaml_get(node, "from"), node->key, arena, c, err);
    c->field.required = raw.required;
    c->field.doc = raw.doc;
    return code;
}

static enum cl_code check_name(const struct cl_yaml_node *node, struct cl_error *err)
{
    static const char *const reserved[] = {CL_COL_PARTITION, CL_COL_OFFSET, CL_COL_INGESTED_AT};
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(node->key, reserved[i]) == 0)
            return cl_yaml_fail_key(
                node, err,
                "every table has a column %s already; choose another name and read the "
                "field with `from: %.64s`",
                reserved[i], node->key);
    }
    if (!cl_name_is_valid(node->key, false))
        return cl_yaml_fail_key(
            node, err,
            "not a column name: letters, digits and _ only, no digit first, at most 127; "
            "give it another name and read the field with `from: '\"%.64s\"'`",
            node->key);
    return CL_OK;
}

enum cl_code cl_column_read(const struct cl_yaml_node *node, struct cl_arena *arena,
                            struct cl_feed_column *column, struct cl_error *err)
{
    *column = (struct cl_feed_column){.line = node->key_line, .unit_factor = 1};
    enum cl_code code = check_name(node, err);
    if (code != CL_OK) return code;
    column->field.name = cl_arena_strdup(arena, node->key);
    if (column->field.name == NULL) return cl_fail_nomem(err);
    if (node->kind == CL_YAML_TEXT) { /* name: type */
        code = read_type(node, &column->field, err);
        if (code == CL_OK) code = read_path(NULL, node->key, arena, column, err);
        return code;
    }
    if (node->kind != CL_YAML_MAP)
        return cl_yaml_fail(node, err,
                            "expected a type, or a mapping such as {type: string, required: true}");
    const struct cl_yaml_node *type = cl_yaml_get(node, "type");
    if (type == NULL)
        return cl_yaml_fail_key(node, err, "has no `type`; add one, such as type: string");
    code = read_type(type, &column->field, err);
    if (code == CL_OK) code = read_keys(node, arena, column, err);
    return code;
}
