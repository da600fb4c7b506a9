/* reject.c - why a message is rejected, in words.
 *
 * The message is checked again as JSON first (see decoder.c), so what is quoted from it here is
 * valid UTF-8 and complete; still only printable ASCII is quoted as it is, the rest as \xNN, and
 * never more than QUOTE_BYTES of it. */
#include "decode/run.h"

#include <stdarg.h>
#include <stdio.h>

enum { QUOTE_BYTES = 40 };

const char *cl_reject_reason_text(enum cl_reject_reason reason)
{
    static const char *const texts[CL_REJECT_N] = {
        [CL_REJECT_EMPTY] = "empty",
        [CL_REJECT_TOMBSTONE] = "tombstone",
        [CL_REJECT_NOT_OBJECT] = "not-object",
        [CL_REJECT_SYNTAX] = "syntax",
        [CL_REJECT_UTF8] = "utf8",
        [CL_REJECT_DEPTH] = "depth",
        [CL_REJECT_DUPLICATE_KEY] = "duplicate-key",
        [CL_REJECT_UNKNOWN_FIELD] = "unknown-field",
        [CL_REJECT_MISSING] = "missing",
        [CL_REJECT_TYPE] = "type",
        [CL_REJECT_RANGE] = "range",
        [CL_REJECT_FORMAT] = "format",
        [CL_REJECT_TOO_LONG] = "too-long",
        [CL_REJECT_UNKNOWN_TOPIC] = "unknown-topic",
    };
    return (unsigned)reason < CL_REJECT_N ? texts[reason] : "?";
}

bool cl_json_check(const uint8_t *begin, const uint8_t *end, const uint8_t **ret_value,
                   struct cl_json_fault *fault)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (end - begin >= 3 && memcmp(begin, mark, 3) == 0)
        return cl_json_fault(fault, CL_REJECT_SYNTAX, begin,
                             "begins with a byte order mark: write JSON without one");
    *ret_value = cl_json_space(begin, end);
    const uint8_t *after = cl_json_skip(*ret_value, end, 0, fault);
    if (after == NULL) return false;
    after = cl_json_space(after, end);
    return after == end ||
           cl_json_fault(fault, CL_REJECT_SYNTAX, after, "more bytes after the end of the message");
}

/* Appends to detail and never cuts a UTF-8 sequence: continuation bytes at the cut are dropped with
 * their first byte. */
static void append(struct cl_reject *r, const char *fmt, ...) CL_PRINTF(2, 3);
static void append(struct cl_reject *r, const char *fmt, ...)
{
    size_t used = strlen(r->detail), room = sizeof r->detail - used;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(r->detail + used, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n < room) return;
    size_t cut = sizeof r->detail - 1, first = cut;
    while (first > 0 && ((uint8_t)r->detail[first - 1] & 0xc0) == 0x80)
        first--;
    if (first > 0 && (uint8_t)r->detail[first - 1] >= 0xc0) {
        uint8_t c = (uint8_t)r->detail[first - 1];
        size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
        if (cut - (first - 1) < whole) r->detail[first - 1] = '\0';
    }
}

static void append_bytes(struct cl_reject *r, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len && i < QUOTE_BYTES; i++) {
        if (p[i] >= ' ' && p[i] < 0x7f)
            append(r, "%c", p[i]);
        else
            append(r, "\\x%02x", p[i]);
    }
    if (len > QUOTE_BYTES) append(r, "...");
}

/* The value at p of a message that is JSON, as short as a person needs it. */
static void append_value(struct cl_reject *r, const uint8_t *p, const uint8_t *end)
{
    struct cl_json_fault fault;
    if (*p == '{')
        append(r, "an object");
    else if (*p == '[')
        append(r, "an array");
    else
        append_bytes(r, p, (size_t)(cl_json_skip(p, end, 0, &fault) - p));
}

static void describe_fault(struct cl_reject *r, const struct cl_run *run,
                           const struct cl_json_fault *fault)
{
    r->reason = fault->reason;
    r->byte = fault->at - run->begin;
    append(r, "%s at byte %lld", fault->what, (long long)r->byte);
    if (fault->at == run->end) return;
    append(r, ", found ");
    append_bytes(r, fault->at, 1);
}

static void describe_range(struct cl_reject *r, const struct cl_feed_column *col, double stored)
{
    const char *unit = col->unit == NULL ? "" : col->unit, *blank = col->unit == NULL ? "" : " ";
    if (col->has_conversion)
        append(r, "%s%s is %.9g%s%s, outside [%.15g, %.15g]", col->from_unit == NULL ? "" : " ",
               col->from_unit == NULL ? "" : col->from_unit, stored, blank, unit, col->min,
               col->max);
    else
        append(r, " is outside [%.15g, %.15g]%s%s", col->min, col->max, blank, unit);
}

static void describe_value(struct cl_reject *r, const struct cl_run *run,
                           const struct cl_feed *feed)
{
    const struct cl_failure *f = &run->failure;
    r->reason = f->reason;
    r->column = f->column;
    r->byte = f->at - run->begin;
    const struct cl_feed_column *col = f->column >= 0 ? &feed->columns[f->column] : NULL;
    if (col != NULL) append(r, "%s: ", col->field.name);
    switch (f->reason) {
    case CL_REJECT_MISSING: append(r, "%s", f->what); return;
    case CL_REJECT_TOO_LONG:
        append(r, "a value of %zu bytes is longer than its max_length of %lld", f->length,
               (long long)col->max_bytes);
        return;
    case CL_REJECT_NOT_OBJECT: break;
    case CL_REJECT_TYPE:
        if (f->what[0] == 'e') break; /* "expected ..." */
        append_value(r, f->at, run->end);
        append(r, " %s", f->what);
        return;
    default:
        append_value(r, f->at, run->end);
        if (f->what == NULL)
            describe_range(r, col, f->stored);
        else
            append(r, " %s", f->what);
        return;
    }
    append(r, "%s, found ", f->what);
    append_value(r, f->at, run->end);
}

void cl_reject_describe(const struct cl_run *run, const struct cl_feed *feed, struct cl_reject *ret)
{
    struct cl_json_fault fault;
    const uint8_t *value = NULL;
    ret->column = -1;
    ret->byte = 0;
    ret->detail[0] = '\0';
    if (run->begin == NULL) {
        ret->reason = CL_REJECT_TOMBSTONE;
        append(ret, "the message has no value");
    } else if (cl_json_space(run->begin, run->end) == run->end) {
        ret->reason = CL_REJECT_EMPTY;
        append(ret, run->begin == run->end ? "the message is empty"
                                           : "the message has only white space");
    } else if (!cl_json_check(run->begin, run->end, &value, &fault)) {
        describe_fault(ret, run, &fault);
    } else {
        assert(run->failure.kind ==
               CL_FAILED_VALUE); /* the walk and the check must agree on what JSON is */
        describe_value(ret, run, feed);
    }
}
