/* avro_value.c - decodes values under the writer's schema.
 *
 * Format: Apache Avro specification 1.11, "Binary Encoding".  Invariant: the cursor never passes
 * its end, and every loop whose count comes from the file either consumes bytes or stops. */
#include "iceberg/avro_value.h"

/* Deeper values than any Iceberg writer makes; recursion on a self-containing record type stops
 * here. */
enum { MAX_DEPTH = 64, MAX_EMPTY_RECORDS = 64 };

static enum cl_code truncated(struct cl_error *err)
{
    return cl_fail(err, CL_EDATA, "Avro data ends inside a value");
}

enum cl_code cl_avro_read_long(struct cl_avro_cursor *c, int64_t *ret, struct cl_error *err)
{
    uint64_t z = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (c->p == c->end) return truncated(err);
        uint8_t byte = *c->p++;
        z |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
            return CL_OK;
        }
    }
    return cl_fail(err, CL_EDATA, "Avro number is longer than 64 bits");
}

static enum cl_code take(struct cl_avro_cursor *c, size_t len, const uint8_t **ret,
                         struct cl_error *err)
{
    if (len > (size_t)(c->end - c->p)) return truncated(err);
    *ret = c->p;
    c->p += len;
    return CL_OK;
}

enum cl_code cl_avro_read_bytes(struct cl_avro_cursor *c, const uint8_t **ret, size_t *ret_len,
                                struct cl_error *err)
{
    int64_t len;
    enum cl_code code = cl_avro_read_long(c, &len, err);
    if (code != CL_OK) return code;
    if (len < 0) return cl_fail(err, CL_EDATA, "Avro bytes have a negative length");
    *ret_len = (size_t)len;
    return take(c, (size_t)len, ret, err);
}

/* Follows a union to the branch that is there.  A null where none is allowed is an error. */
static enum cl_code resolve(struct cl_avro_cursor *c, const struct cl_avro_type **type,
                            bool *ret_present, struct cl_error *err)
{
    if ((*type)->kind == CL_AVRO_UNION) {
        int64_t branch;
        enum cl_code code = cl_avro_read_long(c, &branch, err);
        if (code != CL_OK) return code;
        if (branch < 0 || (uint64_t)branch >= (*type)->n)
            return cl_fail(err, CL_EDATA, "Avro union has no branch %lld", (long long)branch);
        *type = (*type)->types[branch];
    }
    bool present = (*type)->kind != CL_AVRO_NULL;
    if (ret_present != NULL)
        *ret_present = present;
    else if (!present)
        return cl_fail(err, CL_EDATA, "a required value is null");
    return CL_OK;
}

static enum cl_code wrong_type(const char *wanted, struct cl_error *err)
{
    return cl_fail(err, CL_EDATA, "the file's schema has another type where %s is needed", wanted);
}

enum cl_code cl_avro_get_long(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                              bool *ret_present, int64_t *ret, struct cl_error *err)
{
    enum cl_code code = resolve(c, &type, ret_present, err);
    if (code != CL_OK || type->kind == CL_AVRO_NULL) return code;
    if (type->kind != CL_AVRO_INT && type->kind != CL_AVRO_LONG)
        return wrong_type("a whole number", err);
    return cl_avro_read_long(c, ret, err);
}

enum cl_code cl_avro_get_boolean(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                                 bool *ret_present, bool *ret, struct cl_error *err)
{
    const uint8_t *byte = NULL;
    enum cl_code code = resolve(c, &type, ret_present, err);
    if (code != CL_OK || type->kind == CL_AVRO_NULL) return code;
    if (type->kind != CL_AVRO_BOOLEAN) return wrong_type("a boolean", err);
    code = take(c, 1, &byte, err);
    if (code == CL_OK) *ret = *byte != 0;
    return code;
}

enum cl_code cl_avro_get_bytes(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                               bool *ret_present, const uint8_t **ret, size_t *ret_len,
                               struct cl_error *err)
{
    enum cl_code code = resolve(c, &type, ret_present, err);
    if (code != CL_OK || type->kind == CL_AVRO_NULL) return code;
    if (type->kind == CL_AVRO_FIXED) {
        *ret_len = type->n;
        return take(c, type->n, ret, err);
    }
    if (type->kind != CL_AVRO_BYTES && type->kind != CL_AVRO_STRING)
        return wrong_type("text or bytes", err);
    return cl_avro_read_bytes(c, ret, ret_len, err);
}

enum cl_code cl_avro_get_record(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                                bool *ret_present, cl_avro_field_fn fn, void *ctx,
                                struct cl_error *err)
{
    enum cl_code code = resolve(c, &type, ret_present, err);
    if (code != CL_OK || type->kind == CL_AVRO_NULL) return code;
    if (type->kind != CL_AVRO_RECORD) return wrong_type("a record", err);
    if (++c->depth > MAX_DEPTH)
        return cl_fail(err, CL_EDATA, "Avro value is nested deeper than %d", MAX_DEPTH);
    const uint8_t *start = c->p;
    for (size_t i = 0; i < type->n && code == CL_OK; i++) {
        code = fn(ctx, &type->fields[i], c, err);
        if (code != CL_OK) return cl_error_wrap(err, code, "field \"%.64s\"", type->fields[i].name);
    }
    c->depth--;
    if (c->p == start && ++c->empty_records > MAX_EMPTY_RECORDS)
        return cl_fail(err, CL_EDATA, "Avro value holds more than %d empty records",
                       MAX_EMPTY_RECORDS);
    return code;
}

/* The blocks of an array or map.  A negative count is followed by the block's size in bytes, which
 * we do not need. */
static enum cl_code each_item(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                              cl_avro_item_fn fn, void *ctx, struct cl_error *err)
{
    for (;;) {
        int64_t count, bytes;
        enum cl_code code = cl_avro_read_long(c, &count, err);
        if (code == CL_OK && count < 0) {
            if (count == INT64_MIN) return cl_fail(err, CL_EDATA, "Avro array has a bad count");
            count = -count;
            code = cl_avro_read_long(c, &bytes, err);
        }
        if (code != CL_OK || count == 0) return code;
        for (; count > 0 && code == CL_OK; count--) {
            const uint8_t *before = c->p;
            code = fn(ctx, type, c, err);
            if (c->p == before)
                break; /* items without bytes: all others are the same, and there may be 2^63 of
                          them */
        }
        if (code != CL_OK) return code;
    }
}

enum cl_code cl_avro_get_array(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                               bool *ret_present, cl_avro_item_fn fn, void *ctx,
                               struct cl_error *err)
{
    enum cl_code code = resolve(c, &type, ret_present, err);
    if (code != CL_OK || type->kind == CL_AVRO_NULL) return code;
    if (type->kind != CL_AVRO_ARRAY) return wrong_type("an array", err);
    if (++c->depth > MAX_DEPTH)
        return cl_fail(err, CL_EDATA, "Avro value is nested deeper than %d", MAX_DEPTH);
    code = each_item(c, type->types[0], fn, ctx, err);
    c->depth--;
    return code;
}

/* ---- skipping ---- */

static enum cl_code skip_field(void *ctx, const struct cl_avro_field *field,
                               struct cl_avro_cursor *c, struct cl_error *err)
{
    (void)ctx;
    return cl_avro_skip(c, field->type, err);
}

static enum cl_code skip_item(void *ctx, const struct cl_avro_type *type, struct cl_avro_cursor *c,
                              struct cl_error *err)
{
    (void)ctx;
    return cl_avro_skip(c, type, err);
}

static enum cl_code skip_pair(void *ctx, const struct cl_avro_type *type, struct cl_avro_cursor *c,
                              struct cl_error *err)
{
    const uint8_t *key;
    size_t len;
    (void)ctx;
    enum cl_code code = cl_avro_read_bytes(c, &key, &len, err);
    return code == CL_OK ? cl_avro_skip(c, type, err) : code;
}

enum cl_code cl_avro_skip(struct cl_avro_cursor *c, const struct cl_avro_type *type,
                          struct cl_error *err)
{
    const uint8_t *bytes;
    size_t len;
    int64_t number;
    bool present;
    enum cl_code code = resolve(c, &type, &present, err);
    if (code != CL_OK) return code;
    switch (type->kind) {
    case CL_AVRO_NULL: return CL_OK;
    case CL_AVRO_BOOLEAN: return take(c, 1, &bytes, err);
    case CL_AVRO_INT:
    case CL_AVRO_LONG:
    case CL_AVRO_ENUM: return cl_avro_read_long(c, &number, err);
    case CL_AVRO_FLOAT: return take(c, 4, &bytes, err);
    case CL_AVRO_DOUBLE: return take(c, 8, &bytes, err);
    case CL_AVRO_BYTES:
    case CL_AVRO_STRING: return cl_avro_read_bytes(c, &bytes, &len, err);
    case CL_AVRO_FIXED: return take(c, type->n, &bytes, err);
    case CL_AVRO_RECORD: return cl_avro_get_record(c, type, NULL, skip_field, NULL, err);
    case CL_AVRO_ARRAY: return cl_avro_get_array(c, type, NULL, skip_item, NULL, err);
    case CL_AVRO_UNION: return cl_fail(err, CL_EDATA, "Avro union directly inside a union");
    case CL_AVRO_MAP: break;
    }
    if (++c->depth > MAX_DEPTH)
        return cl_fail(err, CL_EDATA, "Avro value is nested deeper than %d", MAX_DEPTH);
    code = each_item(c, type->types[0], skip_pair, NULL, err);
    c->depth--;
    return code;
}
