#include "spec/yaml_fields.h"

#include "base/clock.h"
#include "spec/scalars.h"
#include "spec/suggest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { MAX_KEYS = 32 };

const char *cl_words_text(const char *const *words, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; words[i] != NULL && used < size; i++) {
        const char *before = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int len = snprintf(buf + used, size - used, "%s%s", before, words[i]);
        if (len > 0) used += (size_t)len;
    }
    return buf;
}

enum cl_code cl_yaml_text(const struct cl_yaml_node *node, const char **ret, struct cl_error *err)
{
    if (node->kind == CL_YAML_NULL || (node->kind == CL_YAML_TEXT && node->text[0] == '\0'))
        return cl_yaml_fail(node, err, "has no value; give one or remove the key");
    if (node->kind != CL_YAML_TEXT)
        return cl_yaml_fail(node, err, "expected a single value, found %s",
                            cl_yaml_kind_text(node));
    *ret = node->text;
    return CL_OK;
}

enum cl_code cl_yaml_real(const struct cl_yaml_node *node, bool open_ended, double *ret,
                          struct cl_error *err)
{
    const char *text;
    if (open_ended && node->kind == CL_YAML_NULL) return CL_OK;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code != CL_OK) return code;
    if (open_ended &&
        (strcmp(text, ".inf") == 0 || strcmp(text, "-.inf") == 0 || strcmp(text, "+.inf") == 0))
        return CL_OK;
    return cl_yaml_place(node, cl_scalar_real(text, ret, err), err);
}

static enum cl_code read_word(const struct cl_yaml_node *node, const char *text,
                              const char *const *words, const char **ret, struct cl_error *err)
{
    size_t n = 0;
    for (; words[n] != NULL; n++) {
        if (strcmp(text, words[n]) != 0) continue;
        *ret = words[n];
        return CL_OK;
    }
    char all[256];
    const char *near = cl_suggest(text, words, n);
    cl_words_text(words, all, sizeof all);
    if (near != NULL && n > 1)
        return cl_yaml_fail(node, err, "\"%.64s\" is not %s; did you mean \"%s\"?", text, all,
                            near);
    return cl_yaml_fail(node, err, "\"%.64s\" is not known here; use %s", text, all);
}

static enum cl_code in_limits(const struct cl_yaml_node *node, const struct cl_yaml_field *f,
                              double value, struct cl_error *err)
{
    if (f->min == f->max || (value >= f->min && value <= f->max)) return CL_OK;
    return cl_yaml_fail(node, err, "%.64s is out of bounds; allowed is %s", node->text, f->limits);
}

static enum cl_code read_integer(const struct cl_yaml_node *node, const struct cl_yaml_field *f,
                                 const char *text, void *member, struct cl_error *err)
{
    int64_t value = 0;
    enum cl_code code = CL_OK;
    switch (f->type) {
    case CL_YAML_SIZE: code = cl_scalar_size(text, &value, err); break;
    case CL_YAML_DURATION: code = cl_duration_parse(text, &value, err); break;
    case CL_YAML_TIME: code = cl_time_parse(text, strlen(text), &value, err); break;
    default: code = cl_scalar_count(text, &value, err); break;
    }
    code = cl_yaml_place(node, code, err);
    if (code == CL_OK) code = in_limits(node, f, (double)value, err);
    if (code != CL_OK) return code;
    if (f->type == CL_YAML_INT)
        *(int *)member = (int)value;
    else
        *(int64_t *)member = value;
    return CL_OK;
}

static enum cl_code read_field(const struct cl_yaml_node *node, const struct cl_yaml_field *f,
                               void *member, struct cl_arena *arena, struct cl_error *err)
{
    const char *text;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code != CL_OK) return code;
    switch (f->type) {
    case CL_YAML_STRING:
        text = cl_arena_strdup(arena, text);
        if (text == NULL) return cl_fail_nomem(err);
        *(const char **)member = text;
        return CL_OK;
    case CL_YAML_WORD: return read_word(node, text, f->words, member, err);
    case CL_YAML_BOOL: return cl_yaml_place(node, cl_scalar_bool(text, member, err), err);
    case CL_YAML_REAL: {
        double value;
        code = cl_yaml_real(node, false, &value, err);
        if (code == CL_OK) code = in_limits(node, f, value, err);
        if (code == CL_OK) *(double *)member = value;
        return code;
    }
    default: return read_integer(node, f, text, member, err);
    }
}

static enum cl_code unknown_key(const struct cl_yaml_node *node, const struct cl_yaml_field *fields,
                                size_t n, struct cl_error *err)
{
    const char *keys[MAX_KEYS + 1];
    char all[512];
    for (size_t i = 0; i < n; i++)
        keys[i] = fields[i].key;
    keys[n] = NULL;
    const char *near = cl_suggest(node->key, keys, n);
    if (near != NULL) return cl_yaml_fail_key(node, err, "unknown key; did you mean \"%s\"?", near);
    return cl_yaml_fail_key(node, err, "unknown key; known here are %s",
                            cl_words_text(keys, all, sizeof all));
}

enum cl_code cl_yaml_read(const struct cl_yaml_node *node, const struct cl_yaml_field *fields,
                          size_t n, void *target, struct cl_arena *arena, struct cl_error *err)
{
    assert(n <= MAX_KEYS);
    if (node == NULL || node->kind == CL_YAML_NULL) return CL_OK;
    if (node->kind != CL_YAML_MAP)
        return cl_yaml_fail(node, err, "expected a mapping (key: value), found %s",
                            cl_yaml_kind_text(node));
    for (const struct cl_yaml_node *entry = node->first; entry != NULL; entry = entry->next) {
        size_t i = 0;
        while (i < n && strcmp(fields[i].key, entry->key) != 0)
            i++;
        if (i == n) return unknown_key(entry, fields, n, err);
        if (fields[i].type == CL_YAML_OTHER) continue;
        enum cl_code code =
            read_field(entry, &fields[i], (char *)target + fields[i].offset, arena, err);
        if (code != CL_OK) return code;
    }
    return CL_OK;
}
