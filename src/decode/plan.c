/* plan.c - columns -> tree of nodes; see plan.h.
 *
 * Columns are added one by one along their paths; then every object gets its hash table and its
 * first guess: the order of the columns in city.yaml, which is the order of most producers. */
#include "decode/plan.h"

#include "base/hash.h"
#include "decode/run.h"

#include <stdio.h>
#include <stdlib.h>

struct builder {
    const struct cl_feed *feed;
    struct cl_arena *arena;
    struct cl_decode_plan *plan;
    struct cl_error *err;
};

/* "location[0].x", cut to what fits. */
static const char *path_text(const struct cl_feed_column *col, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < col->path_len && used < size; i++) {
        const struct cl_path_step *step = &col->path[i];
        int n = step->key == NULL ? snprintf(buf + used, size - used, "[%d]", step->index)
                                  : snprintf(buf + used, size - used, "%s%.*s", i > 0 ? "." : "",
                                             (int)step->key_len, step->key);
        if (n < 0) break;
        used += (size_t)n;
    }
    return buf;
}

static enum cl_code contradiction(struct builder *b, int one, int other)
{
    const struct cl_feed_column *a = &b->feed->columns[one], *c = &b->feed->columns[other];
    char path_a[128], path_c[128];
    return cl_fail_at(b->err, CL_EINVAL, b->feed->name,
                      "column \"%s\" reads %s, but column \"%s\" reads %s: the same value cannot "
                      "be two of object, array and "
                      "plain value; correct one of the two `from`",
                      a->field.name, path_text(a, path_a, sizeof path_a), c->field.name,
                      path_text(c, path_c, sizeof path_c));
}

/* Names with bytes that could stand escaped, or that need a UTF-8 check, go the slow way. */
static bool is_plain_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') return false;
    }
    return true;
}

static enum cl_code make_pattern(struct builder *b, struct cl_node *node)
{
    struct cl_name_pattern *p = &node->pattern;
    if (!is_plain_name(node->name, node->name_len)) return CL_OK;
    p->len = node->name_len + 3;
    p->n_words = (p->len - 1) / 8;
    p->words = cl_arena_array(b->arena, p->n_words + 1, 8);
    uint8_t *text = cl_arena_alloc(b->arena, (p->n_words + 1) * 8);
    if (p->words == NULL || text == NULL) return cl_fail_nomem(b->err);
    text[0] = '"';
    memcpy(text + 1, node->name, node->name_len);
    memcpy(text + 1 + node->name_len, "\":", 2);
    for (size_t i = 0; i < p->n_words; i++)
        p->words[i] = cl_load64(text + 8 * i);
    p->last = cl_load64(text + 8 * p->n_words);
    size_t last_bytes = p->len - 8 * p->n_words; /* 1 to 8 */
    p->last_mask = ~UINT64_C(0) >> (64 - 8 * last_bytes);
    return CL_OK;
}

/* Puts a new child at `at`.  The array doubles when its length is a power of two (or nothing). */
static enum cl_code insert_child(struct builder *b, struct cl_node *parent, size_t at,
                                 struct cl_node **ret)
{
    struct cl_node *child = cl_arena_alloc(b->arena, sizeof *child);
    if (child == NULL) return cl_fail_nomem(b->err);
    size_t n = parent->n_children;
    if ((n & (n - 1)) == 0) {
        size_t cap = n > 0 ? 2 * n : 1;
        struct cl_node **grown = cl_arena_array(b->arena, cap, sizeof(struct cl_node *));
        if (grown == NULL) return cl_fail_nomem(b->err);
        if (n > 0) memcpy(grown, parent->children, n * sizeof *grown);
        parent->children = grown;
    }
    memmove(parent->children + at + 1, parent->children + at, (n - at) * sizeof *parent->children);
    parent->children[at] = child;
    parent->n_children++;
    *ret = child;
    return CL_OK;
}

/* The child that `step` leads to, made if there is none. */
static enum cl_code step_down(struct builder *b, struct cl_node *parent,
                              const struct cl_path_step *step, int column, struct cl_node **ret)
{
    size_t at = 0;
    for (; at < parent->n_children; at++) {
        struct cl_node *child = parent->children[at];
        if (step->key == NULL && child->index > step->index) break;
        bool same = step->key == NULL ? child->index == step->index
                                      : child->name_len == step->key_len &&
                                            memcmp(child->name, step->key, step->key_len) == 0;
        if (same) {
            *ret = child;
            return CL_OK;
        }
    }
    struct cl_node *child = NULL;
    enum cl_code code = insert_child(b, parent, at, &child);
    if (code != CL_OK) return code;
    *ret = child;
    child->column = column;
    child->index = step->index;
    if (step->key == NULL) return CL_OK;
    child->name = step->key;
    child->name_len = step->key_len;
    if (step->key_len > b->plan->max_name_len) b->plan->max_name_len = step->key_len;
    return make_pattern(b, child);
}

static int compare_allowed(const void *x, const void *y)
{
    const struct cl_allowed *a = x, *b = y;
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    return memcmp(a->text, b->text, a->len);
}

static enum cl_code init_reader(struct builder *b, int column, struct cl_reader *r)
{
    const struct cl_feed_column *col = &b->feed->columns[column];
    *r = (struct cl_reader){.read = cl_reader_function(col), .column = column, .spec = col};
    r->max_bytes = col->max_bytes > 0 ? (size_t)col->max_bytes : SIZE_MAX;
    r->epoch_scale = col->time_format == CL_TIME_EPOCH_S    ? 6
                     : col->time_format == CL_TIME_EPOCH_MS ? 3
                                                            : 0;
    if (col->n_values == 0) return CL_OK;
    r->allowed = cl_arena_array(b->arena, col->n_values, sizeof *r->allowed);
    if (r->allowed == NULL) return cl_fail_nomem(b->err);
    for (size_t i = 0; i < col->n_values; i++)
        r->allowed[i] = (struct cl_allowed){col->values[i], strlen(col->values[i])};
    qsort(r->allowed, col->n_values, sizeof *r->allowed, compare_allowed);
    return CL_OK;
}

static enum cl_code add_reader(struct builder *b, struct cl_node *leaf, int column)
{
    struct cl_reader *grown = cl_arena_array(b->arena, leaf->n_readers + 1, sizeof *grown);
    if (grown == NULL) return cl_fail_nomem(b->err);
    if (leaf->n_readers > 0) memcpy(grown, leaf->readers, leaf->n_readers * sizeof *grown);
    leaf->readers = grown;
    return init_reader(b, column, &leaf->readers[leaf->n_readers++]);
}

static enum cl_code add_column(struct builder *b, int column)
{
    const struct cl_feed_column *col = &b->feed->columns[column];
    if (col->path_len > CL_JSON_MAX_DEPTH)
        return cl_fail_at(b->err, CL_EINVAL, b->feed->name,
                          "column \"%s\" reads a path of %zu steps; at most %d are read",
                          col->field.name, col->path_len, (int)CL_JSON_MAX_DEPTH);
    if (col->has_conversion && col->field.type != CL_DOUBLE && col->field.type != CL_FLOAT)
        return cl_fail_at(b->err, CL_EINVAL, b->feed->name,
                          "column \"%s\": only float and double columns convert units",
                          col->field.name);
    struct cl_node *node = b->plan->root;
    for (size_t i = 0; i < col->path_len; i++) {
        enum cl_node_kind kind = col->path[i].key != NULL ? CL_NODE_OBJECT : CL_NODE_ARRAY;
        bool fresh = node->n_children == 0 && node->n_readers == 0;
        if (node == b->plan->root && kind == CL_NODE_ARRAY)
            return cl_fail_at(b->err, CL_EINVAL, b->feed->name,
                              "column \"%s\" reads an element of the message itself, but a message "
                              "is an object: begin its "
                              "`from` with a member's name",
                              col->field.name);
        if (!fresh && node->kind != kind) return contradiction(b, node->column, column);
        node->kind = kind;
        enum cl_code code = step_down(b, node, &col->path[i], column, &node);
        if (code != CL_OK) return code;
    }
    if (node->n_children > 0) return contradiction(b, node->column, column);
    return add_reader(b, node, column);
}

static uint64_t hash_name(const void *name, size_t len)
{
    return cl_hash_bytes(name, len, 0);
}

static enum cl_code index_members(struct builder *b, struct cl_node *node)
{
    for (size_t i = 0; i < node->n_children; i++) {
        enum cl_code code = index_members(b, node->children[i]);
        if (code != CL_OK) return code;
    }
    if (node->kind != CL_NODE_OBJECT) return CL_OK;
    size_t size = 4;
    while (size < node->n_children * 2)
        size *= 2;
    node->table = cl_arena_array(b->arena, size, sizeof(struct cl_node *));
    if (node->table == NULL) return cl_fail_nomem(b->err);
    node->table_mask = size - 1;
    for (size_t i = 0; i < node->n_children; i++) {
        struct cl_node *child = node->children[i];
        size_t slot = hash_name(child->name, child->name_len) & node->table_mask;
        while (node->table[slot] != NULL)
            slot = (slot + 1) & node->table_mask;
        node->table[slot] = child;
        if (i == 0)
            node->first_guess = child;
        else
            node->children[i - 1]->next_guess = child;
    }
    return CL_OK;
}

enum cl_code cl_decode_plan_build(const struct cl_feed *feed, struct cl_arena *arena,
                                  struct cl_decode_plan *ret, struct cl_error *err)
{
    struct builder b = {feed, arena, ret, err};
    *ret = (struct cl_decode_plan){.root = cl_arena_alloc(arena, sizeof *ret->root)};
    if (ret->root == NULL) return cl_fail_nomem(err);
    ret->root->kind = CL_NODE_OBJECT;
    ret->root->column = -1;
    for (size_t i = 0; i < feed->n_columns; i++) {
        enum cl_code code = add_column(&b, (int)i);
        if (code != CL_OK) return code;
    }
    return index_members(&b, ret->root);
}

struct cl_node *cl_node_find(const struct cl_node *object, const uint8_t *name, size_t len)
{
    size_t slot = hash_name(name, len) & object->table_mask;
    for (struct cl_node *n; (n = object->table[slot]) != NULL;
         slot = (slot + 1) & object->table_mask)
        if (n->name_len == len && memcmp(n->name, name, len) == 0) return n;
    return NULL;
}

bool cl_reader_allows(const struct cl_reader *r, const uint8_t *text, size_t len)
{
    struct cl_allowed key = {(const char *)text, len};
    return bsearch(&key, r->allowed, r->spec->n_values, sizeof *r->allowed, compare_allowed) !=
           NULL;
}
