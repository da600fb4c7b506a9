/* yaml_node.c - libfyaml events -> tree.
 *
 * struct builder holds the open container (`open`), and inside a mapping the key that waits for its
 * value.  Each event either opens a container, closes it, or adds a scalar; no recursion, so depth
 * costs nothing but the stated maximum. */
#include "spec/yaml_node.h"

#include "base/hash.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

struct builder {
    const char *path;
    struct cl_arena *arena;
    struct cl_yaml_node *root, *open;
    const char *key; /* waits for its value, or NULL */
    int key_line, key_column;
    size_t n_nodes;
    int depth;
    int documents;
};

static enum cl_code fail_at(const char *path, int line, int column, struct cl_error *err,
                            const char *message)
{
    char where[256];
    (void)snprintf(where, sizeof where, "%.200s:%d:%d", path, line, column);
    return cl_fail_at(err, CL_EINVAL, where, "%s", message);
}

const char *cl_yaml_kind_text(const struct cl_yaml_node *node)
{
    static const char *const texts[] = {"nothing", "text", "a mapping", "a list"};
    return texts[node->kind];
}

const char *cl_yaml_name(const struct cl_yaml_node *node, char *buf, size_t size)
{
    const struct cl_yaml_node *chain[CL_YAML_MAX_DEPTH + 2];
    size_t n = 0, used = 0;
    for (; node != NULL && node->parent != NULL && n < sizeof chain / sizeof *chain;
         node = node->parent)
        chain[n++] = node;
    buf[0] = '\0';
    while (n > 0 && used < size) {
        const struct cl_yaml_node *at = chain[--n];
        int len = at->key != NULL
                      ? snprintf(buf + used, size - used, "%s%s", used > 0 ? "." : "", at->key)
                      : snprintf(buf + used, size - used, "[%d]", at->index);
        if (len > 0) used += (size_t)len;
    }
    return buf;
}

static enum cl_code fail_named(const struct cl_yaml_node *node, int line, int column,
                               enum cl_code code, struct cl_error *err, const char *message)
{
    char where[256], name[300];
    if (err == NULL) return code;
    (void)snprintf(where, sizeof where, "%.200s:%d:%d", node->path, line, column);
    cl_yaml_name(node, name, sizeof name);
    if (name[0] == '\0') return cl_fail_at(err, code, where, "%s", message);
    return cl_fail_at(err, code, where, "%s: %s", name, message);
}

enum cl_code cl_yaml_fail(const struct cl_yaml_node *node, struct cl_error *err, const char *fmt,
                          ...)
{
    char message[sizeof err->message];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return fail_named(node, node->line, node->column, CL_EINVAL, err, message);
}

enum cl_code cl_yaml_fail_key(const struct cl_yaml_node *node, struct cl_error *err,
                              const char *fmt, ...)
{
    char message[sizeof err->message];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return fail_named(node, node->key_line, node->key_column, CL_EINVAL, err, message);
}

enum cl_code cl_yaml_place(const struct cl_yaml_node *node, enum cl_code code, struct cl_error *err)
{
    char message[sizeof err->message];
    if (code == CL_OK || code == CL_ENOMEM || err == NULL) return code;
    memcpy(message, err->message, sizeof message);
    return fail_named(node, node->line, node->column, code, err, message);
}

const struct cl_yaml_node *cl_yaml_get(const struct cl_yaml_node *map, const char *key)
{
    uint64_t hash = cl_hash_bytes(key, strlen(key), 0);
    if (map->kind != CL_YAML_MAP) return NULL;
    for (const struct cl_yaml_node *e = map->first; e != NULL; e = e->next)
        if (e->key_hash == hash && strcmp(e->key, key) == 0) return e;
    return NULL;
}

/* Checks the whole text before libfyaml sees it: UTF-8 (no surrogates, no overlong forms), no NUL.
 */
static enum cl_code check_utf8(const char *path, const char *text, size_t len, struct cl_error *err)
{
    int line = 1, column = 1;
    const uint8_t *p = (const uint8_t *)text, *end = p + len;
    while (p < end) {
        uint8_t c = *p;
        size_t more = c < 0x80                ? 0
                      : c >= 0xc2 && c < 0xe0 ? 1
                      : c >= 0xe0 && c < 0xf0 ? 2
                      : c >= 0xf0 && c < 0xf5 ? 3
                                              : 9;
        bool bad = c == 0 || more == 9 || (size_t)(end - p) <= more;
        for (size_t i = 1; !bad && i <= more; i++)
            bad = (p[i] & 0xc0) != 0x80;
        if (!bad && more >= 2) {
            bad = (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
                  (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f);
        }
        if (bad) {
            return fail_at(path, line, column, err,
                           c == 0 ? "a NUL byte; city.yaml is text: remove it"
                                  : "not UTF-8; save the file as UTF-8");
        }
        column++;
        if (c == '\n') {
            line++;
            column = 1;
        }
        p += more + 1;
    }
    return CL_OK;
}

static bool is_null(const char *text)
{
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
           strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0;
}

static enum cl_code add_node(struct builder *b, enum cl_yaml_kind kind, int line, int column,
                             struct cl_yaml_node **ret, struct cl_error *err)
{
    if (++b->n_nodes > CL_YAML_MAX_NODES)
        return fail_at(b->path, line, column, err, "more than 100000 values in one file; split it");
    struct cl_yaml_node *node = cl_arena_alloc(b->arena, sizeof *node);
    if (node == NULL) return cl_fail_nomem(err);
    *node = (struct cl_yaml_node){
        .kind = kind, .path = b->path, .line = line, .column = column, .parent = b->open};
    if (b->open == NULL) {
        b->root = node;
        *ret = node;
        return CL_OK;
    }
    if (b->open->n == CL_YAML_MAX_ENTRIES)
        return fail_at(b->path, line, column, err, "more than 4096 entries in one mapping or list");
    node->index = (int)b->open->n++;
    if (b->open->kind == CL_YAML_MAP) {
        node->key = b->key;
        node->key_hash = cl_hash_bytes(b->key, strlen(b->key), 0);
        node->key_line = b->key_line;
        node->key_column = b->key_column;
        b->key = NULL;
    } else {
        node->key_line = line;
        node->key_column = column;
    }
    if (b->open->last != NULL)
        b->open->last->next = node;
    else
        b->open->first = node;
    b->open->last = node;
    *ret = node;
    return CL_OK;
}

static enum cl_code take_key(struct builder *b, const char *text, int line, int column,
                             struct cl_error *err)
{
    const struct cl_yaml_node *twin = cl_yaml_get(b->open, text);
    if (twin != NULL) {
        char message[256];
        (void)snprintf(message, sizeof message,
                       "key \"%.64s\" stands here twice (first in line %d); remove one", text,
                       twin->key_line);
        return fail_at(b->path, line, column, err, message);
    }
    b->key = text;
    b->key_line = line;
    b->key_column = column;
    return CL_OK;
}

static enum cl_code on_scalar(struct builder *b, struct fy_token *token, int line, int column,
                              struct cl_error *err)
{
    size_t len = 0;
    enum fy_scalar_style style = token == NULL ? FYSS_PLAIN : fy_scalar_token_get_style(token);
    bool plain = style == FYSS_PLAIN;
    /* libfyaml's mark is behind the opening quote. */
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && column > 1) column--;
    const char *bytes = fy_token_get_text(token, &len);
    if (bytes == NULL) len = 0;
    if (len > 0 && memchr(bytes, '\0', len) != NULL)
        return fail_at(b->path, line, column, err,
                       "text with a NUL character (\\0) in it; remove it");
    char *text = cl_arena_strndup(b->arena, bytes == NULL ? "" : bytes, len);
    if (text == NULL) return cl_fail_nomem(err);
    if (b->open != NULL && b->open->kind == CL_YAML_MAP && b->key == NULL)
        return take_key(b, text, line, column, err);
    struct cl_yaml_node *node;
    enum cl_code code =
        add_node(b, plain && is_null(text) ? CL_YAML_NULL : CL_YAML_TEXT, line, column, &node, err);
    if (code == CL_OK) node->text = text;
    return code;
}

static enum cl_code on_open(struct builder *b, enum cl_yaml_kind kind, int line, int column,
                            struct cl_error *err)
{
    if (b->open != NULL && b->open->kind == CL_YAML_MAP && b->key == NULL)
        return fail_at(b->path, line, column, err,
                       "a key must be a plain word, not a mapping or a list");
    if (++b->depth > CL_YAML_MAX_DEPTH)
        return fail_at(b->path, line, column, err,
                       "nested deeper than 16 levels; city.yaml needs at most 6");
    struct cl_yaml_node *node;
    enum cl_code code = add_node(b, kind, line, column, &node, err);
    if (code == CL_OK) b->open = node;
    return code;
}

static enum cl_code on_event(struct builder *b, struct fy_event *event, struct cl_error *err)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    int line = mark != NULL ? mark->line + 1 : b->key_line,
        column = mark != NULL ? mark->column + 1 : b->key_column;
    if (event->type == FYET_ALIAS || fy_event_get_anchor_token(event) != NULL)
        return fail_at(b->path, line, column, err,
                       "anchors (&) and aliases (*) are not supported; write the value out");
    if (fy_event_get_tag_token(event) != NULL)
        return fail_at(b->path, line, column, err,
                       "tags (!) are not supported; remove the tag, quote text that needs it");
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (++b->documents > 1)
            return fail_at(b->path, line > 0 ? line : 1, column > 0 ? column : 1, err,
                           "a second YAML document (---); city.yaml is one document");
        return CL_OK;
    case FYET_SCALAR: return on_scalar(b, event->scalar.value, line, column, err);
    case FYET_MAPPING_START: return on_open(b, CL_YAML_MAP, line, column, err);
    case FYET_SEQUENCE_START: return on_open(b, CL_YAML_LIST, line, column, err);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        b->depth--;
        b->open = b->open->parent;
        return CL_OK;
    default: return CL_OK;
    }
}

/* What libfyaml found wrong, in our form. */
static enum cl_code syntax_error(const char *path, struct fy_diag *diag, struct cl_error *err)
{
    void *iterator = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);
    if (first == NULL) return cl_fail_at(err, CL_EINVAL, path, "not valid YAML");
    char message[512];
    /* The usual way to this message is `{from: location[0]}`. */
    bool flow = strstr(first->msg, "missing comma") != NULL;
    (void)snprintf(
        message, sizeof message, "not valid YAML: %.*s%s", (int)strcspn(first->msg, "\n"),
        first->msg,
        flow ? "; inside { } and [ ], text that holds one of []{}, needs quotes: \"location[0]\""
             : "");
    return fail_at(path, first->line, first->column, err, message);
}

static void discard(struct fy_diag *diag, void *user, const char *text, size_t len)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)len;
}

static enum cl_code build(struct builder *b, struct fy_parser *parser, struct fy_diag *diag,
                          struct cl_error *err)
{
    enum cl_code code = CL_OK;
    struct fy_event *event;
    while (code == CL_OK && (event = fy_parser_parse(parser)) != NULL) {
        code = on_event(b, event, err);
        fy_parser_event_free(parser, event);
    }
    if (code == CL_OK && (fy_parser_get_stream_error(parser) || b->open != NULL))
        code = syntax_error(b->path, diag, err);
    return code;
}

enum cl_code cl_yaml_parse(const char *path, const char *text, size_t len, struct cl_arena *arena,
                           struct cl_yaml_node **ret, struct cl_error *err)
{
    if (len > CL_YAML_MAX_BYTES)
        return cl_fail_at(err, CL_EINVAL, path, "larger than 1 MiB; city.yaml is a small file");
    enum cl_code code = check_utf8(path, text, len, err);
    if (code != CL_OK) return code;

    struct builder b = {.path = path, .arena = arena, .key_line = 1, .key_column = 1};
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = discard;
    diag_cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    if (diag == NULL) return cl_fail_nomem(err);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE,
                               .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (parser == NULL || fy_parser_set_string(parser, text, len) != 0)
        code = cl_fail_nomem(err);
    else
        code = build(&b, parser, diag, err);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (code == CL_OK) *ret = b.root;
    return code;
}
