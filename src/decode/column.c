/* column.c - one JSON value -> one slot of one column.
 *
 * What each type takes:
 *   boolean          true, false
 *   int, long        a number that is integral, however written (5, 5.0, 5e0)
 *   float, double    any number; the nearest value to the decimal text
 *   decimal          a number without more non-zero fraction digits than the scale
 *   timestamp, date  an ISO 8601 string, or a number since 1970; finer than a microsecond is cut
 * off, downwards; a date is the UTC day of what is given string, binary   a string, never a number
 * Ranges are checked after a unit conversion (float and double only: stored = wire * factor +
 * offset, as double).  null is no value in every type. */
#include "decode/run.h"

#include "base/clock.h"
#include "decode/number.h"
#include "decode/values.h"

#include <math.h>

#define DAY_US INT64_C(86400000000)
/* The years 0000 to 9999: what ISO 8601 text can say.  Numbers are held to the same. */
#define TIME_MIN_US (INT64_C(-719528) * DAY_US)
#define TIME_MAX_US (INT64_C(2932897) * DAY_US - 1)

__attribute__((cold, noinline)) const uint8_t *cl_run_fail(struct cl_run *run,
                                                           enum cl_reject_reason reason, int column,
                                                           const uint8_t *at, const char *what)
{
    run->failure = (struct cl_failure){
        .kind = CL_FAILED_VALUE, .reason = reason, .column = column, .at = at, .what = what};
    return NULL;
}

__attribute__((cold, noinline)) const uint8_t *cl_run_fail_syntax(struct cl_run *run)
{
    run->failure = (struct cl_failure){.kind = CL_FAILED_SYNTAX, .column = -1};
    return NULL;
}

__attribute__((cold, noinline)) const uint8_t *cl_run_fail_nomem(struct cl_run *run)
{
    run->failure = (struct cl_failure){.kind = CL_FAILED_NOMEM, .column = -1};
    return NULL;
}

/* A value that does not begin as the column wants: null, another type, or nothing that JSON has. */
static __attribute__((cold, noinline)) const uint8_t *
other_value(struct cl_run *run, const struct cl_reader *r, const uint8_t *p, const char *expected)
{
    if (run->end - p >= 4 && memcmp(p, "null", 4) == 0) return p + 4;
    return cl_run_fail(run, CL_REJECT_TYPE, r->column, p, expected);
}

static void mark_set(struct cl_run *run, const struct cl_reader *r)
{
    run->column_set[r->column] = run->message;
    run->n_set++;
}

/* Copies whole 16-byte blocks where source and destination (16 bytes longer than len) allow: no
 * call for short strings. */
static inline void copy_text(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t *src_end)
{
    if (len > 64 || (size_t)(src_end - src) < len + 16) {
        memcpy(dst, src, len);
        return;
    }
    size_t done = 0;
    do {
        memcpy(dst + done, src + done, 16);
        done += 16;
    } while (done < len);
}

/* The text without its escapes, written at the column's slot.  It counts once text_done is called.
 */
static inline uint8_t *text_to_slot(struct cl_run *run, struct cl_column *col,
                                    const struct cl_json_text *text, size_t *ret_len)
{
    if (cl_column_reserve(col, run->row, text->len + 16, NULL) != CL_OK) return NULL;
    uint8_t *dst = col->data + col->offsets[run->row];
    if (text->escaped) {
        *ret_len = cl_json_unescape(text->raw, text->len, dst);
    } else {
        copy_text(dst, text->raw, text->len, run->end);
        *ret_len = text->len;
    }
    return dst;
}

static inline void text_done(struct cl_run *run, const struct cl_reader *r, struct cl_column *col,
                             size_t len)
{
    col->offsets[run->row + 1] = col->offsets[run->row] + (int32_t)len;
    cl_bit_set(col->validity, run->row);
    mark_set(run, r);
}

static __attribute__((cold, noinline)) const uint8_t *
too_long(struct cl_run *run, const struct cl_reader *r, const uint8_t *at, size_t len)
{
    (void)cl_run_fail(run, CL_REJECT_TOO_LONG, r->column, at, "");
    run->failure.length = len;
    return NULL;
}

/* A string is not copied first if it can be seen to be too long: an escape takes six bytes for one
 * at most. */
static size_t least_length(const struct cl_json_text *text)
{
    return text->escaped ? text->len / 6 : text->len;
}

/* What is left to check of a text at its slot.  at: the value in the message; after: behind it. */
static const uint8_t *finish_text(struct cl_run *run, const struct cl_reader *r, const uint8_t *at,
                                  const uint8_t *slot, size_t len, const uint8_t *after)
{
    if (len > r->max_bytes) return too_long(run, r, at, len);
    if (r->allowed != NULL && !cl_reader_allows(r, slot, len))
        return cl_run_fail(run, CL_REJECT_FORMAT, r->column, at,
                           "is not one of the allowed values");
    text_done(run, r, &run->columns[r->column], len);
    return after;
}

/* Strings and binaries of any bytes. */
static const uint8_t *read_text(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_json_text text;
    struct cl_json_fault fault;
    size_t len;
    if (*p != '"') return other_value(run, r, p, "expected a string");
    const uint8_t *after = cl_json_string(p + 1, run->end, &text, &fault);
    if (after == NULL) return cl_run_fail_syntax(run);
    if (least_length(&text) > r->max_bytes) return too_long(run, r, p, text.len);
    uint8_t *slot = text_to_slot(run, &run->columns[r->column], &text, &len);
    if (slot == NULL) return cl_run_fail_nomem(run);
    return finish_text(run, r, p, slot, len, after);
}

static const uint8_t *read_base64(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_json_text text;
    struct cl_json_fault fault;
    size_t len;
    if (*p != '"') return other_value(run, r, p, "expected a string");
    const uint8_t *after = cl_json_string(p + 1, run->end, &text, &fault);
    if (after == NULL) return cl_run_fail_syntax(run);
    size_t least = least_length(&text) / 4 * 3; /* less the padding */
    if (least > 2 && least - 2 > r->max_bytes) return too_long(run, r, p, least - 2);
    uint8_t *slot = text_to_slot(run, &run->columns[r->column], &text, &len);
    if (slot == NULL) return cl_run_fail_nomem(run);
    if (!cl_base64_decode(slot, len, slot, &len))
        return cl_run_fail(run, CL_REJECT_FORMAT, r->column, p, "is not base64 with padding");
    return finish_text(run, r, p, slot, len, after);
}

/* Strings of plain ASCII that keep the rules; the others go the general way, which also finds the
 * words for a reject. */
static const uint8_t *read_string(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    if (*p != '"') return other_value(run, r, p, "expected a string");
    const uint8_t *quote = cl_json_plain(p + 1, run->end);
    if (quote == run->end || *quote != '"') return read_text(run, r, p);
    struct cl_column *col = &run->columns[r->column];
    struct cl_json_text text = {p + 1, (size_t)(quote - p - 1), false};
    size_t len;
    if (text.len > r->max_bytes || (r->allowed != NULL && !cl_reader_allows(r, text.raw, text.len)))
        return read_text(run, r, p);
    if (text_to_slot(run, col, &text, &len) == NULL) return cl_run_fail_nomem(run);
    text_done(run, r, col, len);
    return quote + 1;
}

/* A uuid that is written with escapes, or is none. */
static const uint8_t *read_odd_uuid(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    const uint8_t *after = read_text(run, r, p);
    if (after == NULL || run->column_set[r->column] != run->message) return after;
    const struct cl_column *col = &run->columns[r->column];
    int32_t first = col->offsets[run->row], len = col->offsets[run->row + 1] - first;
    if (len == CL_UUID_LEN && cl_uuid_check(col->data + first)) return after;
    return cl_run_fail(run, CL_REJECT_FORMAT, r->column, p, "is not a uuid");
}

/* A uuid that checks has no byte that could end or bend a string, so it need not be scanned for
 * those. */
static const uint8_t *read_uuid(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    if (run->end - p < CL_UUID_LEN + 2 || *p != '"' || p[CL_UUID_LEN + 1] != '"' ||
        r->allowed != NULL || r->max_bytes < CL_UUID_LEN || !cl_uuid_check(p + 1))
        return read_odd_uuid(run, r, p);
    struct cl_column *col = &run->columns[r->column];
    if (cl_column_reserve(col, run->row, CL_UUID_LEN, NULL) != CL_OK) return cl_run_fail_nomem(run);
    memcpy(col->data + col->offsets[run->row], p + 1, CL_UUID_LEN);
    text_done(run, r, col, CL_UUID_LEN);
    return p + CL_UUID_LEN + 2;
}

static const uint8_t *read_boolean(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    size_t room = (size_t)(run->end - p);
    bool is_true = room >= 4 && memcmp(p, "true", 4) == 0;
    if (!is_true && (room < 5 || memcmp(p, "false", 5) != 0))
        return other_value(run, r, p, "expected true or false");
    cl_column_set_boolean(&run->columns[r->column], run->row, is_true);
    mark_set(run, r);
    return p + (is_true ? 4 : 5);
}

static int64_t floor_days(int64_t us)
{
    return us >= 0 ? us / DAY_US : -((DAY_US - 1 - us) / DAY_US);
}

static inline void store_time(struct cl_run *run, const struct cl_reader *r, int64_t us)
{
    if (r->spec->field.type == CL_TIMESTAMP)
        cl_column_set_long(&run->columns[r->column], run->row, us);
    else
        cl_column_set_int(&run->columns[r->column], run->row, (int32_t)floor_days(us));
    mark_set(run, r);
}

/* Every form but the common ones. */
static __attribute__((noinline)) const uint8_t *
read_any_time(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    enum { LONGEST = 40 }; /* 2026-01-05T08:00:00.123456789+00:00 has 35 */
    struct cl_json_text text;
    struct cl_json_fault fault;
    uint8_t plain[LONGEST * 6]; /* each byte may be written as \u00xx */
    int64_t us;
    if (*p != '"') return other_value(run, r, p, "expected a time as a string");
    const uint8_t *after = cl_json_string(p + 1, run->end, &text, &fault);
    if (after == NULL) return cl_run_fail_syntax(run);
    if (text.len <= sizeof plain) {
        size_t len = cl_json_unescape(text.raw, text.len, plain);
        if (cl_time_parse((const char *)plain, len, &us, NULL) == CL_OK) {
            store_time(run, r, us);
            return after;
        }
    }
    return cl_run_fail(run, CL_REJECT_FORMAT, r->column, p, "is not an ISO 8601 date or time");
}

static const uint8_t *read_time_text(struct cl_run *run, const struct cl_reader *r,
                                     const uint8_t *p)
{
    int64_t us;
    if (*p != '"') return read_any_time(run, r, p);
    const uint8_t *quote = cl_time_scan(p + 1, run->end, &us);
    if (quote == NULL || quote == run->end || *quote != '"') return read_any_time(run, r, p);
    store_time(run, r, us);
    return quote + 1;
}

/* Returns NULL with the failure filled, or p itself when the value is no number but null. */
static inline const uint8_t *scan_number(struct cl_run *run, const struct cl_reader *r,
                                         const uint8_t *p, struct cl_number *ret, bool *ret_null)
{
    *ret_null = false;
    if (!cl_is_digit(*p) && *p != '-') {
        *ret_null = true;
        return other_value(run, r, p, "expected a number");
    }
    const uint8_t *after = cl_number_scan(p, run->end, ret);
    return after != NULL ? after : cl_run_fail_syntax(run);
}

static __attribute__((cold, noinline)) const uint8_t *
out_of_range(struct cl_run *run, const struct cl_reader *r, const uint8_t *at, double stored)
{
    (void)cl_run_fail(run, CL_REJECT_RANGE, r->column, at, NULL);
    run->failure.stored = stored;
    return NULL;
}

static inline bool in_range(const struct cl_feed_column *spec, double v)
{
    return !spec->has_range || (v >= spec->min && v <= spec->max);
}

static const uint8_t *not_fitting(struct cl_run *run, const struct cl_reader *r, const uint8_t *at,
                                  enum cl_number_fit fit)
{
    if (fit == CL_NUMBER_FRACTION)
        return cl_run_fail(run, CL_REJECT_TYPE, r->column, at,
                           "has more fraction digits than the column keeps");
    return cl_run_fail(run, CL_REJECT_RANGE, r->column, at,
                       "is outside the range of the column's type");
}

static const uint8_t *read_integer(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_number n;
    bool null;
    const uint8_t *after = scan_number(run, r, p, &n, &null);
    if (after == NULL || null) return after;
    int64_t v = 0;
    enum cl_number_fit fit = cl_number_to_long(&n, &v);
    bool is_int = r->spec->field.type == CL_INT;
    if (fit == CL_NUMBER_OK && is_int && (v < INT32_MIN || v > INT32_MAX)) fit = CL_NUMBER_RANGE;
    if (fit != CL_NUMBER_OK) return not_fitting(run, r, p, fit);
    if (!in_range(r->spec, (double)v)) return out_of_range(run, r, p, (double)v);
    if (is_int)
        cl_column_set_int(&run->columns[r->column], run->row, (int32_t)v);
    else
        cl_column_set_long(&run->columns[r->column], run->row, v);
    mark_set(run, r);
    return after;
}

static const uint8_t *read_double(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_number n;
    bool null;
    const uint8_t *after = scan_number(run, r, p, &n, &null);
    if (after == NULL || null) return after;
    double v;
    if (!cl_number_to_double(&n, &v)) return not_fitting(run, r, p, CL_NUMBER_RANGE);
    if (r->spec->has_conversion) {
        v = v * r->spec->unit_factor + r->spec->unit_offset;
        if (isinf(v)) return not_fitting(run, r, p, CL_NUMBER_RANGE);
    }
    if (!in_range(r->spec, v)) return out_of_range(run, r, p, v);
    cl_column_set_double(&run->columns[r->column], run->row, v);
    mark_set(run, r);
    return after;
}

/* The range is compared with the number as written, so that 0.1 is inside [0, 0.1] although the
 * float of it is larger. */
static const uint8_t *read_float(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_number n;
    bool null;
    const uint8_t *after = scan_number(run, r, p, &n, &null);
    if (after == NULL || null) return after;
    double wide;
    float v;
    if (!cl_number_to_double(&n, &wide)) return not_fitting(run, r, p, CL_NUMBER_RANGE);
    if (r->spec->has_conversion) {
        wide = wide * r->spec->unit_factor + r->spec->unit_offset;
        v = (float)wide;
        if (isinf(v)) return not_fitting(run, r, p, CL_NUMBER_RANGE);
    } else if (!cl_number_to_float(&n, &v)) {
        return not_fitting(run, r, p, CL_NUMBER_RANGE);
    }
    if (!in_range(r->spec, wide)) return out_of_range(run, r, p, wide);
    cl_column_set_float(&run->columns[r->column], run->row, v);
    mark_set(run, r);
    return after;
}

static const uint8_t *read_decimal(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_number n;
    bool null;
    const uint8_t *after = scan_number(run, r, p, &n, &null);
    if (after == NULL || null) return after;
    const struct cl_field *field = &r->spec->field;
    __int128 v = 0, limit = cl_power_of_ten(field->precision);
    enum cl_number_fit fit = cl_number_to_scaled(&n, field->scale, false, &v);
    if (fit == CL_NUMBER_OK && (v <= -limit || v >= limit)) fit = CL_NUMBER_RANGE;
    if (fit != CL_NUMBER_OK) return not_fitting(run, r, p, fit);
    double stored; /* compared as a double, like the range; no decimal is too large for one */
    if (!cl_number_to_double(&n, &stored)) return not_fitting(run, r, p, CL_NUMBER_RANGE);
    if (!in_range(r->spec, stored)) return out_of_range(run, r, p, stored);
    cl_column_set_decimal(&run->columns[r->column], run->row, v);
    mark_set(run, r);
    return after;
}

static const uint8_t *read_epoch(struct cl_run *run, const struct cl_reader *r, const uint8_t *p)
{
    struct cl_number n;
    bool null;
    const uint8_t *after = scan_number(run, r, p, &n, &null);
    if (after == NULL || null) return after;
    __int128 us;
    enum cl_number_fit fit = cl_number_to_scaled(&n, r->epoch_scale, true, &us);
    if (fit != CL_NUMBER_OK || us < TIME_MIN_US || us > TIME_MAX_US)
        return cl_run_fail(run, CL_REJECT_RANGE, r->column, p,
                           "is a time outside the years 0000 to 9999");
    store_time(run, r, (int64_t)us);
    return after;
}

static cl_read_fn *string_function(const struct cl_feed_column *column)
{
    if (column->field.type == CL_BINARY) return column->base64 ? read_base64 : read_text;
    return column->format == CL_STRING_UUID ? read_uuid : read_string;
}

cl_read_fn *cl_reader_function(const struct cl_feed_column *column)
{
    switch (column->field.type) {
    case CL_BOOLEAN: return read_boolean;
    case CL_INT:
    case CL_LONG: return read_integer;
    case CL_FLOAT: return read_float;
    case CL_DOUBLE: return read_double;
    case CL_DECIMAL: return read_decimal;
    case CL_DATE:
    case CL_TIMESTAMP: return column->time_format == CL_TIME_ISO8601 ? read_time_text : read_epoch;
    case CL_STRING:
    case CL_BINARY: break;
    }
    return string_function(column);
}
