/* duckdb_value.c - DuckDB's vectors as text.
 *
 * Layouts are those of duckdb.h ("Vector Interface"): fixed-width values in an array, strings as
 * duckdb_string_t, lists and maps as (offset, length) into a child vector, arrays as array_size
 * elements a row, unions as a tag vector and one vector a member. */
#include "query/duckdb_value.h"

#include "query/duckdb_scalar.h"

#include <stdlib.h>

static const struct {
    const char *name;
    bool numeric;
} TYPES[] = {
    [DUCKDB_TYPE_BOOLEAN] = {"BOOLEAN", false},
    [DUCKDB_TYPE_TINYINT] = {"TINYINT", true},
    [DUCKDB_TYPE_SMALLINT] = {"SMALLINT", true},
    [DUCKDB_TYPE_INTEGER] = {"INTEGER", true},
    [DUCKDB_TYPE_BIGINT] = {"BIGINT", true},
    [DUCKDB_TYPE_UTINYINT] = {"UTINYINT", true},
    [DUCKDB_TYPE_USMALLINT] = {"USMALLINT", true},
    [DUCKDB_TYPE_UINTEGER] = {"UINTEGER", true},
    [DUCKDB_TYPE_UBIGINT] = {"UBIGINT", true},
    [DUCKDB_TYPE_FLOAT] = {"FLOAT", true},
    [DUCKDB_TYPE_DOUBLE] = {"DOUBLE", true},
    [DUCKDB_TYPE_TIMESTAMP] = {"TIMESTAMP", false},
    [DUCKDB_TYPE_DATE] = {"DATE", false},
    [DUCKDB_TYPE_TIME] = {"TIME", false},
    [DUCKDB_TYPE_INTERVAL] = {"INTERVAL", false},
    [DUCKDB_TYPE_HUGEINT] = {"HUGEINT", true},
    [DUCKDB_TYPE_VARCHAR] = {"VARCHAR", false},
    [DUCKDB_TYPE_BLOB] = {"BLOB", false},
    [DUCKDB_TYPE_DECIMAL] = {"DECIMAL", true},
    [DUCKDB_TYPE_TIMESTAMP_S] = {"TIMESTAMP_S", false},
    [DUCKDB_TYPE_TIMESTAMP_MS] = {"TIMESTAMP_MS", false},
    [DUCKDB_TYPE_TIMESTAMP_NS] = {"TIMESTAMP_NS", false},
    [DUCKDB_TYPE_ENUM] = {"ENUM", false},
    [DUCKDB_TYPE_LIST] = {"LIST", false},
    [DUCKDB_TYPE_STRUCT] = {"STRUCT", false},
    [DUCKDB_TYPE_MAP] = {"MAP", false},
    [DUCKDB_TYPE_UUID] = {"UUID", false},
    [DUCKDB_TYPE_UNION] = {"UNION", false},
    [DUCKDB_TYPE_BIT] = {"BIT", false},
    [DUCKDB_TYPE_TIME_TZ] = {"TIME WITH TIME ZONE", false},
    [DUCKDB_TYPE_TIMESTAMP_TZ] = {"TIMESTAMP WITH TIME ZONE", false},
    [DUCKDB_TYPE_UHUGEINT] = {"UHUGEINT", true},
    [DUCKDB_TYPE_ARRAY] = {"ARRAY", false},
    [DUCKDB_TYPE_SQLNULL] = {"NULL", false},
    [DUCKDB_TYPE_TIME_NS] = {"TIME_NS", false},
};
enum { N_TYPES = sizeof TYPES / sizeof TYPES[0] };

bool cl_duckdb_is_numeric(const struct cl_duckdb_column *c)
{
    return TYPES[c->type].numeric;
}

bool cl_duckdb_is_nested(const struct cl_duckdb_column *c)
{
    return c->n_children > 0;
}

void cl_duckdb_put_type(struct cl_text *t, const struct cl_duckdb_column *c)
{
    if (c->type == DUCKDB_TYPE_DECIMAL)
        cl_text_printf(t, "DECIMAL(%d,%d)", c->width, c->scale);
    else
        cl_text_str(t, c->json_text ? "JSON" : TYPES[c->type].name);
}

/* ---- the type tree ---- */

/* DuckDB's strings are freed by duckdb_free: ours are copies. */
static char *take_string(char *theirs)
{
    char *copy = theirs == NULL ? NULL : strdup(theirs);
    duckdb_free(theirs);
    return copy;
}

static enum cl_code init_enum(struct cl_duckdb_column *c, duckdb_logical_type type,
                              struct cl_error *err)
{
    c->storage = duckdb_enum_internal_type(type);
    size_t n = duckdb_enum_dictionary_size(type);
    c->labels = calloc(n > 0 ? n : 1, sizeof *c->labels);
    if (c->labels == NULL) return cl_fail_nomem(err);
    for (; c->n_labels < n; c->n_labels++) {
        c->labels[c->n_labels] = take_string(duckdb_enum_dictionary_value(type, c->n_labels));
        if (c->labels[c->n_labels] == NULL) return cl_fail_nomem(err);
    }
    return CL_OK;
}

static size_t count_children(duckdb_type id, duckdb_logical_type type)
{
    switch (id) {
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY: return 1;
    case DUCKDB_TYPE_MAP: return 2;
    case DUCKDB_TYPE_STRUCT: return duckdb_struct_type_child_count(type);
    case DUCKDB_TYPE_UNION: return duckdb_union_type_member_count(type);
    default: return 0;
    }
}

static duckdb_logical_type child_type(duckdb_type id, duckdb_logical_type type, size_t i)
{
    switch (id) {
    case DUCKDB_TYPE_LIST: return duckdb_list_type_child_type(type);
    case DUCKDB_TYPE_ARRAY: return duckdb_array_type_child_type(type);
    case DUCKDB_TYPE_MAP:
        return i == 0 ? duckdb_map_type_key_type(type) : duckdb_map_type_value_type(type);
    case DUCKDB_TYPE_STRUCT: return duckdb_struct_type_child_type(type, i);
    default: return duckdb_union_type_member_type(type, i);
    }
}

static enum cl_code init_child(struct cl_duckdb_column *c, duckdb_logical_type type, size_t i,
                               struct cl_error *err)
{
    struct cl_duckdb_column *child = &c->children[i];
    duckdb_logical_type t = child_type(c->type, type, i);
    enum cl_code code = cl_duckdb_column_init(child, t, err);
    duckdb_destroy_logical_type(&t);
    if (code != CL_OK) return code;
    if (c->type == DUCKDB_TYPE_STRUCT)
        child->name = take_string(duckdb_struct_type_child_name(type, i));
    if (c->type == DUCKDB_TYPE_STRUCT && child->name == NULL) return cl_fail_nomem(err);
    return CL_OK;
}

enum cl_code cl_duckdb_column_init(struct cl_duckdb_column *c, duckdb_logical_type type,
                                   struct cl_error *err)
{
    *c = (struct cl_duckdb_column){.type = duckdb_get_type_id(type)};
    if ((unsigned)c->type >= N_TYPES || TYPES[c->type].name == NULL)
        return cl_fail(
            err, CL_EUNSUPPORTED,
            "a result column has a type without a text form here (number %d); cast it to VARCHAR",
            (int)c->type);
    if (c->type == DUCKDB_TYPE_DECIMAL) {
        c->width = duckdb_decimal_width(type);
        c->scale = duckdb_decimal_scale(type);
        c->storage = duckdb_decimal_internal_type(type);
    } else if (c->type == DUCKDB_TYPE_VARCHAR) {
        char *alias = duckdb_logical_type_get_alias(type);
        c->json_text = alias != NULL && strcmp(alias, "JSON") == 0;
        duckdb_free(alias);
    } else if (c->type == DUCKDB_TYPE_ARRAY) {
        c->array_size = duckdb_array_type_array_size(type);
    } else if (c->type == DUCKDB_TYPE_ENUM) {
        return init_enum(c, type, err);
    }
    size_t n = count_children(c->type, type);
    if (n == 0) return CL_OK;
    c->children = calloc(n, sizeof *c->children);
    if (c->children == NULL) return cl_fail_nomem(err);
    enum cl_code code = CL_OK;
    while (code == CL_OK && c->n_children < n)
        code = init_child(c, type, c->n_children++, err);
    return code;
}

void cl_duckdb_column_fini(struct cl_duckdb_column *c)
{
    for (size_t i = 0; i < c->n_children; i++)
        cl_duckdb_column_fini(&c->children[i]);
    for (size_t i = 0; i < c->n_labels; i++)
        free(c->labels[i]);
    free(c->children);
    free(c->labels);
    free(c->name);
    *c = (struct cl_duckdb_column){0};
}

void cl_duckdb_column_bind(struct cl_duckdb_column *c, duckdb_vector vector)
{
    c->data = duckdb_vector_get_data(vector);
    c->validity = duckdb_vector_get_validity(vector);
    if (c->type == DUCKDB_TYPE_LIST) {
        cl_duckdb_column_bind(&c->children[0], duckdb_list_vector_get_child(vector));
    } else if (c->type == DUCKDB_TYPE_ARRAY) {
        cl_duckdb_column_bind(&c->children[0], duckdb_array_vector_get_child(vector));
    } else if (c->type == DUCKDB_TYPE_MAP) { /* a list of (key, value) */
        duckdb_vector pairs = duckdb_list_vector_get_child(vector);
        for (size_t i = 0; i < 2; i++)
            cl_duckdb_column_bind(&c->children[i], duckdb_struct_vector_get_child(pairs, i));
    } else if (c->type == DUCKDB_TYPE_STRUCT) {
        for (size_t i = 0; i < c->n_children; i++)
            cl_duckdb_column_bind(&c->children[i], duckdb_struct_vector_get_child(vector, i));
    } else if (c->type == DUCKDB_TYPE_UNION) { /* a struct whose first member is the tag */
        c->data = duckdb_vector_get_data(duckdb_struct_vector_get_child(vector, 0));
        for (size_t i = 0; i < c->n_children; i++)
            cl_duckdb_column_bind(&c->children[i], duckdb_struct_vector_get_child(vector, i + 1));
    }
}

/* ---- values ---- */

bool cl_duckdb_is_null(const struct cl_duckdb_column *c, uint64_t row)
{
    if (c->type == DUCKDB_TYPE_SQLNULL) return true;
    return c->validity != NULL && !(c->validity[row / 64] >> (row % 64) & 1);
}

const char *cl_duckdb_string(const struct cl_duckdb_column *c, uint64_t row, size_t *ret_len)
{
    const duckdb_string_t *s = (const duckdb_string_t *)c->data + row;
    *ret_len = s->value.inlined.length;
    return *ret_len <= sizeof s->value.inlined.inlined ? s->value.inlined.inlined
                                                       : s->value.pointer.ptr;
}

#define AT(type) (((const type *)c->data)[row])

static __int128 wide(const struct cl_duckdb_column *c, duckdb_type storage, uint64_t row)
{
    switch (storage) {
    case DUCKDB_TYPE_TINYINT: return AT(int8_t);
    case DUCKDB_TYPE_SMALLINT: return AT(int16_t);
    case DUCKDB_TYPE_INTEGER: return AT(int32_t);
    case DUCKDB_TYPE_BIGINT: return AT(int64_t);
    case DUCKDB_TYPE_UTINYINT: return AT(uint8_t);
    case DUCKDB_TYPE_USMALLINT: return AT(uint16_t);
    case DUCKDB_TYPE_UINTEGER: return AT(uint32_t);
    default:
        return (__int128)((unsigned __int128)(uint64_t)AT(duckdb_hugeint).upper << 64 |
                          AT(duckdb_hugeint).lower);
    }
}

static void put_wide(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    unsigned __int128 v = (unsigned __int128)wide(c, DUCKDB_TYPE_HUGEINT, row);
    bool negative = c->type == DUCKDB_TYPE_HUGEINT && AT(duckdb_hugeint).upper < 0;
    if (c->type == DUCKDB_TYPE_UUID)
        cl_put_uuid(t, v ^ (unsigned __int128)1
                               << 127); /* stored with the first bit flipped, to sort */
    else
        cl_put_hugeint(t, negative ? 0 - v : v, negative);
}

static void put_time_tz(struct cl_text *t, duckdb_time_tz bits)
{
    duckdb_time_tz_struct s = duckdb_from_time_tz(bits);
    cl_put_time(
        t, ((s.time.hour * 60 + s.time.min) * 60 + s.time.sec) * INT64_C(1000000) + s.time.micros,
        1000000);
    cl_put_zone(t, s.offset);
}

static void put_scalar(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    size_t len;
    const char *bytes;
    switch (c->type) {
    case DUCKDB_TYPE_BOOLEAN: cl_text_str(t, AT(bool) ? "true" : "false"); break;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER: cl_text_int(t, (int64_t)wide(c, c->type, row)); break;
    case DUCKDB_TYPE_UBIGINT: cl_put_hugeint(t, AT(uint64_t), false); break;
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_UUID: put_wide(t, c, row); break;
    case DUCKDB_TYPE_DECIMAL: cl_put_decimal(t, wide(c, c->storage, row), c->scale); break;
    case DUCKDB_TYPE_FLOAT: cl_text_float(t, AT(float)); break;
    case DUCKDB_TYPE_DOUBLE: cl_text_double(t, AT(double)); break;
    case DUCKDB_TYPE_DATE: cl_put_date(t, AT(int32_t)); break;
    case DUCKDB_TYPE_TIME: cl_put_time(t, AT(int64_t), 1000000); break;
    case DUCKDB_TYPE_TIME_NS: cl_put_time(t, AT(int64_t), 1000000000); break;
    case DUCKDB_TYPE_TIME_TZ: put_time_tz(t, AT(duckdb_time_tz)); break;
    case DUCKDB_TYPE_TIMESTAMP: cl_put_timestamp(t, AT(int64_t), 1000000, false); break;
    case DUCKDB_TYPE_TIMESTAMP_S: cl_put_timestamp(t, AT(int64_t), 1, false); break;
    case DUCKDB_TYPE_TIMESTAMP_MS: cl_put_timestamp(t, AT(int64_t), 1000, false); break;
    case DUCKDB_TYPE_TIMESTAMP_NS: cl_put_timestamp(t, AT(int64_t), 1000000000, false); break;
    case DUCKDB_TYPE_TIMESTAMP_TZ: cl_put_timestamp(t, AT(int64_t), 1000000, true); break;
    case DUCKDB_TYPE_INTERVAL:
        cl_put_interval(t, AT(duckdb_interval).months, AT(duckdb_interval).days,
                        AT(duckdb_interval).micros);
        break;
    case DUCKDB_TYPE_ENUM: cl_text_str(t, c->labels[(size_t)wide(c, c->storage, row)]); break;
    default: /* VARCHAR, BLOB, BIT */
        bytes = cl_duckdb_string(c, row, &len);
        if (c->type == DUCKDB_TYPE_BLOB)
            cl_put_blob(t, (const uint8_t *)bytes, len);
        else if (c->type == DUCKDB_TYPE_BIT)
            cl_put_bits(t, (const uint8_t *)bytes, len);
        else
            cl_text_bytes(t, bytes, len);
    }
}

static void put_json(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row);

/* A scalar as a JSON value: numbers and booleans bare, JSON as it is, all else as strings.  JSON
 * has no nan and inf: strings too. */
static void put_json_scalar(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    struct cl_buf scratch;
    struct cl_text plain;
    cl_buf_init(&scratch, t->buf->max);
    cl_text_init(&plain, &scratch, t->err);
    put_scalar(&plain, c, row);
    if (t->code == CL_OK) t->code = plain.code;
    const char *text = scratch.len > 0 ? (const char *)scratch.data : "";
    bool finite = scratch.len > 0 && (text[scratch.len - 1] >= '0' && text[scratch.len - 1] <= '9');
    bool bare =
        c->json_text || c->type == DUCKDB_TYPE_BOOLEAN || (cl_duckdb_is_numeric(c) && finite);
    if (bare)
        cl_text_bytes(t, text, scratch.len);
    else
        cl_text_json(t, text, scratch.len);
    cl_buf_fini(&scratch);
}

static void put_json_list(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t offset,
                          uint64_t length)
{
    cl_text_byte(t, '[');
    for (uint64_t i = 0; i < length; i++) {
        if (i > 0) cl_text_byte(t, ',');
        put_json(t, &c->children[0], offset + i);
    }
    cl_text_byte(t, ']');
}

/* Keys of JSON objects are strings: a key that is a number, or itself nested, is its text as a
 * string. */
static void put_json_key(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    struct cl_buf scratch;
    struct cl_text key;
    cl_buf_init(&scratch, t->buf->max);
    cl_text_init(&key, &scratch, t->err);
    cl_duckdb_put(&key, c, row);
    if (t->code == CL_OK) t->code = key.code;
    cl_text_json(t, scratch.len > 0 ? (const char *)scratch.data : "", scratch.len);
    cl_buf_fini(&scratch);
}

static void put_json_map(struct cl_text *t, const struct cl_duckdb_column *c,
                         duckdb_list_entry entry)
{
    cl_text_byte(t, '{');
    for (uint64_t i = entry.offset; i < entry.offset + entry.length; i++) {
        if (i > entry.offset) cl_text_byte(t, ',');
        put_json_key(t, &c->children[0], i);
        cl_text_byte(t, ':');
        put_json(t, &c->children[1], i);
    }
    cl_text_byte(t, '}');
}

/* An object, or a list where the members have no names: row(1, 2). */
static void put_json_struct(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    bool named = c->children[0].name[0] != '\0';
    cl_text_byte(t, named ? '{' : '[');
    for (size_t i = 0; i < c->n_children; i++) {
        if (i > 0) cl_text_byte(t, ',');
        if (named) {
            cl_text_json(t, c->children[i].name, strlen(c->children[i].name));
            cl_text_byte(t, ':');
        }
        put_json(t, &c->children[i], row);
    }
    cl_text_byte(t, named ? '}' : ']');
}

/* Recursion is as deep as the type, which the SQL text spells out. */
static void put_json(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    if (cl_duckdb_is_null(c, row)) {
        cl_text_str(t, "null");
        return;
    }
    switch (c->type) {
    case DUCKDB_TYPE_LIST:
        put_json_list(t, c, AT(duckdb_list_entry).offset, AT(duckdb_list_entry).length);
        break;
    case DUCKDB_TYPE_ARRAY: put_json_list(t, c, row * c->array_size, c->array_size); break;
    case DUCKDB_TYPE_MAP: put_json_map(t, c, AT(duckdb_list_entry)); break;
    case DUCKDB_TYPE_STRUCT: put_json_struct(t, c, row); break;
    case DUCKDB_TYPE_UNION: put_json(t, &c->children[AT(uint8_t)], row); break;
    default: put_json_scalar(t, c, row);
    }
}

void cl_duckdb_put(struct cl_text *t, const struct cl_duckdb_column *c, uint64_t row)
{
    if (cl_duckdb_is_nested(c))
        put_json(t, c, row);
    else
        put_scalar(t, c, row);
}
