/* path.c - where a column's value stands in the JSON message.
 *
 *   path   = first { "." member | "[" digits "]" }
 *   first  = member | "[" digits "]"         (a message is an object, so a leading index is
 * refused)
 *   member = run of bytes other than . [ ] " and blank, or a quoted JSON-like string: "odd name",
 * with \" and \\ */
#include "spec/path.h"

#include <stdio.h>
#include <string.h>

static enum cl_code bad(const char *text, const char *at, const char *what, struct cl_error *err)
{
    return cl_fail(err, CL_EINVAL,
                   "bad path \"%.100s\": %s at character %zu; write it like location[0] or "
                   "a.b[2].\"odd name\"",
                   text, what, (size_t)(at - text) + 1);
}

static enum cl_code quoted(const char *text, const char **p, struct cl_arena *arena,
                           struct cl_path_step *step, struct cl_error *err)
{
    const char *start = *p, *at = start + 1;
    char *key = cl_arena_alloc(arena, strlen(at) + 1);
    if (key == NULL) return cl_fail_nomem(err);
    size_t len = 0;
    for (; *at != '"'; at++) {
        if (*at == '\0') return bad(text, start, "a quote that does not end", err);
        if (*at == '\\') {
            at++;
            if (*at != '"' && *at != '\\')
                return bad(text, at - 1, "an escape other than \\\" and \\\\", err);
        }
        key[len++] = *at;
    }
    *step = (struct cl_path_step){.key = key, .key_len = len, .index = -1};
    *p = at + 1;
    return CL_OK;
}

static enum cl_code member(const char *text, const char **p, struct cl_arena *arena,
                           struct cl_path_step *step, struct cl_error *err)
{
    if (**p == '"') return quoted(text, p, arena, step, err);
    size_t len = strcspn(*p, ".[]\" \t\r\n");
    if (len == 0)
        return bad(text, *p, **p == '\0' ? "a name is missing" : "an unexpected character", err);
    char *key = cl_arena_strndup(arena, *p, len);
    if (key == NULL) return cl_fail_nomem(err);
    *step = (struct cl_path_step){.key = key, .key_len = len, .index = -1};
    *p += len;
    return CL_OK;
}

static enum cl_code element(const char *text, const char **p, struct cl_path_step *step,
                            struct cl_error *err)
{
    const char *start = *p, *at = start + 1;
    int index = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        index = index * 10 + (*at - '0');
        if (index > CL_PATH_MAX_INDEX) return bad(text, start, "an index above 999999", err);
    }
    if (at == start + 1 || *at != ']')
        return bad(text, start, "an index that is not [digits]", err);
    *step = (struct cl_path_step){.index = index};
    *p = at + 1;
    return CL_OK;
}

enum cl_code cl_path_parse(const char *text, struct cl_arena *arena, struct cl_path_step **ret,
                           size_t *ret_len, struct cl_error *err)
{
    struct cl_path_step steps[CL_PATH_MAX_STEPS];
    size_t n = 0;
    const char *p = text;
    enum cl_code code = member(text, &p, arena, &steps[n++], err);
    while (code == CL_OK && *p != '\0') {
        if (n == CL_PATH_MAX_STEPS) return bad(text, p, "more than 32 steps", err);
        if (*p == '[') {
            code = element(text, &p, &steps[n++], err);
        } else if (*p == '.') {
            p++;
            code = member(text, &p, arena, &steps[n++], err);
        } else {
            return bad(text, p, "an unexpected character", err);
        }
    }
    if (code != CL_OK) return code;
    struct cl_path_step *copy = cl_arena_array(arena, n, sizeof *copy);
    if (copy == NULL) return cl_fail_nomem(err);
    memcpy(copy, steps, n * sizeof *copy);
    *ret = copy;
    *ret_len = n;
    return CL_OK;
}

static bool same_step(const struct cl_path_step *a, const struct cl_path_step *b)
{
    if (a->key == NULL || b->key == NULL) return a->key == b->key && a->index == b->index;
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

bool cl_paths_contradict(const struct cl_feed_column *a, const struct cl_feed_column *b)
{
    size_t shorter = a->path_len < b->path_len ? a->path_len : b->path_len;
    for (size_t i = 0; i < shorter; i++) {
        if (same_step(&a->path[i], &b->path[i])) continue;
        return (a->path[i].key == NULL) != (b->path[i].key == NULL);
    }
    return a->path_len != b->path_len;
}

const char *cl_path_text(const struct cl_feed_column *column, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < column->path_len && used < size; i++) {
        const struct cl_path_step *s = &column->path[i];
        int len;
        if (s->key == NULL)
            len = snprintf(buf + used, size - used, "[%d]", s->index);
        else if (s->key_len > 0 && strcspn(s->key, ".[]\" \t\r\n") == s->key_len)
            len = snprintf(buf + used, size - used, "%s%s", i > 0 ? "." : "", s->key);
        else
            len = snprintf(buf + used, size - used, "%s\"%s\"", i > 0 ? "." : "", s->key);
        if (len > 0) used += (size_t)len;
    }
    return buf;
}
