/* decoder.c - walks one message along the plan and hands each wanted value to its columns.
 *
 * Producers write the same members in the same order again and again.  So every member keeps a
 * guess of the wanted member that comes next, and the bytes `"name":` are compared with it as whole
 * words; only a wrong guess is looked up by hash, and corrects itself.  Members that no column
 * reads leave the guess as it is.
 *
 * A message is JSON or it is not: if the walk stops anywhere, the whole message is checked again by
 * cl_json_check, and what is wrong with it as JSON goes before what is wrong with a value.  That
 * second pass also finds the words for the reject, so the walk itself carries none. */
#include "decode/decoder.h"

#include "decode/run.h"

#include <stdlib.h>

/* Nodes, names and readers of one feed; a thousand columns need less than one MiB. */
enum { PLAN_MAX_BYTES = 64 << 20 };

struct cl_decoder {
    const struct cl_feed *feed;
    struct cl_arena arena;
    struct cl_decode_plan plan;
    uint8_t *name; /* a member name without its escapes; name_cap bytes */
    size_t name_cap;
    uint64_t *column_set;
    uint64_t messages;
};

static enum cl_code decoder_init(struct cl_decoder *d, struct cl_error *err)
{
    cl_arena_init(&d->arena, PLAN_MAX_BYTES);
    enum cl_code code = cl_decode_plan_build(d->feed, &d->arena, &d->plan, err);
    if (code != CL_OK) return code;
    d->name_cap = (d->plan.max_name_len + 1) * 6; /* a byte takes up to six as \u00xx */
    d->name = cl_arena_alloc(&d->arena, d->name_cap);
    d->column_set = cl_arena_array(&d->arena, d->feed->n_columns + 1, sizeof *d->column_set);
    return d->name == NULL || d->column_set == NULL ? cl_fail_nomem(err) : CL_OK;
}

enum cl_code cl_decoder_new(const struct cl_feed *feed, struct cl_decoder **ret,
                            struct cl_error *err)
{
    struct cl_decoder *d = calloc(1, sizeof *d);
    if (d == NULL) return cl_fail_nomem(err);
    d->feed = feed;
    enum cl_code code = decoder_init(d, err);
    if (code != CL_OK) {
        cl_decoder_free(d);
        return code;
    }
    *ret = d;
    return CL_OK;
}

void cl_decoder_free(struct cl_decoder *d)
{
    if (d == NULL) return;
    cl_arena_fini(&d->arena);
    free(d);
}

/* Does the member that begins at p carry the name of `node`, without escapes and white space? */
static inline bool begins_with(const uint8_t *p, const uint8_t *end, const struct cl_node *node)
{
    const struct cl_name_pattern *pattern = &node->pattern;
    size_t n = pattern->n_words;
    if (pattern->len == 0 || (size_t)(end - p) < 8 * (n + 1)) return false;
    for (size_t i = 0; i < n; i++)
        if (cl_load64(p + 8 * i) != pattern->words[i]) return false;
    return (cl_load64(p + 8 * n) & pattern->last_mask) == pattern->last;
}

/* The slow way from the quote that opens a member name to the byte after its colon.  *ret_member:
 * NULL if not wanted. */
static const uint8_t *find_member(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                  const struct cl_node *object, struct cl_node **ret_member)
{
    struct cl_json_text name;
    struct cl_json_fault fault;
    const uint8_t *quote = p;
    *ret_member = NULL;
    p = cl_json_string(p + 1, run->end, &name, &fault);
    if (p == NULL) return cl_run_fail_syntax(run);
    p = cl_json_space(p, run->end);
    if (p == run->end || *p != ':') return cl_run_fail_syntax(run);
    if (!name.escaped) {
        *ret_member = cl_node_find(object, name.raw, name.len);
    } else if (name.len <= d->name_cap) {
        size_t len = cl_json_unescape(name.raw, name.len, d->name);
        *ret_member = cl_node_find(object, d->name, len);
    }
    if (*ret_member == NULL && d->feed->strict)
        return cl_run_fail(run, CL_REJECT_UNKNOWN_FIELD, -1, quote,
                           "is a member that no column reads");
    return p + 1;
}

static const uint8_t *read_object(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                  struct cl_node *object, int open);
static const uint8_t *read_array(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                 struct cl_node *array, int open);

/* null where columns look for more inside: all of them stay unset. */
static const uint8_t *other_container(struct cl_run *run, const uint8_t *p,
                                      const struct cl_node *node)
{
    if (run->end - p >= 4 && memcmp(p, "null", 4) == 0) return p + 4;
    return cl_run_fail(run, CL_REJECT_TYPE, node->column, p,
                       node->kind == CL_NODE_OBJECT ? "expected an object" : "expected an array");
}

/* The value at p, which `node` wants.  open: containers around it. */
static inline const uint8_t *read_value(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                        struct cl_node *node, int open)
{
    if (node->kind == CL_NODE_OBJECT)
        return *p == '{' ? read_object(d, run, p + 1, node, open + 1)
                         : other_container(run, p, node);
    if (node->kind == CL_NODE_ARRAY)
        return *p == '[' ? read_array(d, run, p + 1, node, open + 1)
                         : other_container(run, p, node);
    const uint8_t *after = node->readers->read(run, node->readers, p);
    for (size_t i = 1; i < node->n_readers && after != NULL; i++)
        after = node->readers[i].read(run, &node->readers[i], p);
    return after;
}

static const uint8_t *skip_value(struct cl_run *run, const uint8_t *p, int open)
{
    struct cl_json_fault fault;
    p = cl_json_skip(p, run->end, open, &fault);
    return p != NULL ? p : cl_run_fail_syntax(run);
}

/* p: after the bracket.  Elements that no column reads are skipped; there may be fewer elements
 * than columns ask for. */
static const uint8_t *read_array(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                 struct cl_node *array, int open)
{
    const uint8_t *end = run->end;
    size_t child = 0;
    p = cl_json_space(p, end);
    if (p < end && *p == ']') return p + 1;
    for (int index = 0;; index++) {
        p = cl_json_space(p, end);
        if (p == end) return cl_run_fail_syntax(run);
        if (child < array->n_children && array->children[child]->index == index)
            p = read_value(d, run, p, array->children[child++], open);
        else
            p = skip_value(run, p, open);
        if (p == NULL) return NULL;
        p = cl_json_space(p, end);
        if (p == end) return cl_run_fail_syntax(run);
        if (*p == ']') return p + 1;
        if (*p++ != ',') return cl_run_fail_syntax(run);
    }
}

/* One member, from its opening quote to the byte after its value.  *guess is the member expected
 * here; on return guess points to the expectation for the next one. */
static inline const uint8_t *read_member(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                         struct cl_node *object, struct cl_node ***guess, int open)
{
    const uint8_t *name = p;
    struct cl_node *member = **guess;
    if (member != NULL && __builtin_expect(begins_with(p, run->end, member), 1)) {
        p += member->pattern.len;
    } else {
        p = find_member(d, run, p, object, &member);
        if (p == NULL) return NULL;
        if (member == NULL) return skip_value(run, p, open);
        **guess = member;
    }
    *guess = &member->next_guess;
    if (__builtin_expect(member->seen == run->message, 0))
        return cl_run_fail(run, CL_REJECT_DUPLICATE_KEY, member->column, name,
                           "stands twice in the same object");
    member->seen = run->message;
    p = cl_json_space(p, run->end);
    if (p == run->end) return cl_run_fail_syntax(run);
    return read_value(d, run, p, member, open);
}

/* p: after the brace. */
static const uint8_t *read_object(struct cl_decoder *d, struct cl_run *run, const uint8_t *p,
                                  struct cl_node *object, int open)
{
    const uint8_t *end = run->end;
    struct cl_node **guess = &object->first_guess;
    p = cl_json_space(p, end);
    if (p < end && *p == '}') return p + 1;
    for (;;) {
        if (p == end || *p != '"') return cl_run_fail_syntax(run);
        p = read_member(d, run, p, object, &guess, open);
        if (p == NULL) return NULL;
        if (p < end && *p != ',') p = cl_json_space(p, end);
        if (p == end) return cl_run_fail_syntax(run);
        if (*p == '}') return p + 1;
        if (*p != ',') return cl_run_fail_syntax(run);
        p = cl_json_space(p + 1, end);
    }
}

/* Columns that the message gave no value become null, if they may. */
static bool fill_unset(struct cl_decoder *d, struct cl_run *run)
{
    for (size_t i = 0; i < d->feed->n_columns; i++) {
        if (run->column_set[i] == run->message) continue;
        if (d->feed->columns[i].field.required) {
            (void)cl_run_fail(run, CL_REJECT_MISSING, (int)i, run->end,
                              "is required, but absent or null");
            return false;
        }
        cl_column_set_null(&run->columns[i], run->row);
    }
    return true;
}

static bool run_message(struct cl_decoder *d, struct cl_run *run)
{
    const uint8_t *p = cl_json_space(run->begin, run->end);
    if (p == run->end || *p != '{') {
        (void)cl_run_fail(run, CL_REJECT_NOT_OBJECT, -1, p, "expected an object");
        return false;
    }
    p = read_object(d, run, p + 1, d->plan.root, 1);
    if (p == NULL) return false;
    if (cl_json_space(p, run->end) != run->end) {
        (void)cl_run_fail_syntax(run);
        return false;
    }
    return run->n_set == d->feed->n_columns || fill_unset(d, run);
}

enum cl_decoded cl_decoder_decode(struct cl_decoder *d, const uint8_t *value, size_t len,
                                  struct cl_batch *batch, struct cl_reject *ret_reject)
{
    assert(batch->rows < batch->capacity);
    struct cl_run run = {
        .begin = value,
        .end = len > 0 ? value + len : value,
        .columns = batch->columns,
        .row = batch->rows,
        .message = ++d->messages,
        .column_set = d->column_set,
    };
    if (value != NULL && run_message(d, &run)) return CL_DECODED_ROW;
    if (value != NULL && run.failure.kind == CL_FAILED_NOMEM) return CL_DECODED_NOMEM;
    cl_reject_describe(&run, d->feed, ret_reject);
    return CL_DECODED_REJECT;
}
