/* feed.c - `feeds:` -> struct cl_feed[]: columns, the roles that columns play, the table's schema.
 */
#include "spec/parts.h"

#include "spec/path.h"
#include "spec/suggest.h"
#include "spec/yaml_fields.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const int64_t default_watermark_us = 60 * 1000000ll,
                     default_unique_within_us = 600 * 1000000ll;
#define MAX_DURATION_US (366 * 86400e6)

enum cl_code cl_topic_check(const char *topic, struct cl_error *err)
{
    size_t len = strlen(topic);
    size_t good =
        strspn(topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (good == len && len > 0 && len <= 249 && strcmp(topic, ".") != 0 && strcmp(topic, "..") != 0)
        return CL_OK;
    return cl_fail(err, CL_EINVAL,
                   "\"%.64s\" is not a topic name: letters, digits, . _ and - only, from 1 to 249",
                   topic);
}

/* The column that a role names.  Every role needs a value in each row. */
static enum cl_code find_column(const struct cl_yaml_node *node, const struct cl_feed *feed,
                                int *ret, struct cl_error *err)
{
    const char *name, *names[CL_SPEC_MAX_COLUMNS];
    enum cl_code code = cl_yaml_text(node, &name, err);
    if (code != CL_OK) return code;
    for (size_t i = 0; i < feed->n_columns; i++) {
        names[i] = feed->columns[i].field.name;
        if (strcmp(name, names[i]) != 0) continue;
        if (!feed->columns[i].field.required)
            return cl_yaml_fail(node, err,
                                "column \"%.127s\" (line %d) must have required: true for this",
                                name, feed->columns[i].line);
        *ret = (int)i;
        return CL_OK;
    }
    const char *near = cl_suggest(name, names, feed->n_columns);
    if (near != NULL)
        return cl_yaml_fail(node, err, "the feed has no column \"%.127s\"; did you mean \"%s\"?",
                            name, near);
    return cl_yaml_fail(node, err, "the feed has no column \"%.127s\"; add it to `columns`", name);
}

static enum cl_code read_columns(const struct cl_yaml_node *feed_node, struct cl_arena *arena,
                                 struct cl_feed *feed, struct cl_error *err)
{
    const struct cl_yaml_node *node = cl_yaml_get(feed_node, "columns");
    if (node == NULL)
        return cl_yaml_fail_key(feed_node, err,
                                "has no `columns`; add at least a required timestamp");
    if (node->kind != CL_YAML_MAP || node->n == 0)
        return cl_yaml_fail(node, err,
                            "expected column names and types, such as id: string, found %s",
                            node->kind == CL_YAML_MAP ? "none" : cl_yaml_kind_text(node));
    if (node->n > CL_SPEC_MAX_COLUMNS)
        return cl_yaml_fail(node, err, "%zu columns; a feed has at most %d", node->n,
                            CL_SPEC_MAX_COLUMNS);
    feed->columns = cl_arena_array(arena, node->n, sizeof *feed->columns);
    if (feed->columns == NULL) return cl_fail_nomem(err);
    for (const struct cl_yaml_node *c = node->first; c != NULL; c = c->next) {
        struct cl_feed_column *column = &feed->columns[feed->n_columns];
        enum cl_code code = cl_column_read(c, arena, column, err);
        if (code != CL_OK) return code;
        for (size_t i = 0; i < feed->n_columns; i++) {
            const struct cl_feed_column *other = &feed->columns[i];
            char a[160], b[160];
            if (strcasecmp(other->field.name, column->field.name) == 0)
                return cl_yaml_fail_key(
                    c, err,
                    "differs from column \"%s\" (line %d) only in case, which Athena and "
                    "Redshift do not see; rename one",
                    other->field.name, other->line);
            if (cl_paths_contradict(other, column))
                return cl_yaml_fail_key(
                    c, err,
                    "reads %s, but column \"%s\" (line %d) reads %s: one value cannot be both",
                    cl_path_text(column, a, sizeof a), other->field.name, other->line,
                    cl_path_text(other, b, sizeof b));
        }
        feed->n_columns++;
    }
    return CL_OK;
}

static enum cl_code read_event_time(const struct cl_yaml_node *feed_node, struct cl_feed *feed,
                                    struct cl_error *err)
{
    const struct cl_yaml_node *node = cl_yaml_get(feed_node, "event_time");
    if (node == NULL) {
        for (size_t i = 0; i < feed->n_columns; i++) {
            const struct cl_field *f = &feed->columns[i].field;
            if (f->type == CL_TIMESTAMP && f->required)
                return cl_yaml_fail_key(feed_node, err, "has no `event_time`; add event_time: %s",
                                        f->name);
        }
        return cl_yaml_fail_key(
            feed_node, err,
            "has no `event_time`; it names a column with {type: timestamp, required: true}");
    }
    enum cl_code code = find_column(node, feed, &feed->event_time_column, err);
    if (code != CL_OK) return code;
    const struct cl_feed_column *c = &feed->columns[feed->event_time_column];
    if (c->field.type == CL_TIMESTAMP) return CL_OK;
    char type[32];
    return cl_yaml_fail(node, err, "column \"%s\" is %s; event time needs type: timestamp",
                        c->field.name, cl_type_text(&c->field, type, sizeof type));
}

static enum cl_code read_key(const struct cl_yaml_node *node, struct cl_feed *feed,
                             struct cl_error *err)
{
    feed->key_column = -1;
    if (node == NULL) return CL_OK;
    enum cl_code code = find_column(node, feed, &feed->key_column, err);
    if (code != CL_OK) return code;
    enum cl_type type = feed->columns[feed->key_column].field.type;
    if (type == CL_STRING || type == CL_INT || type == CL_LONG) return CL_OK;
    return cl_yaml_fail(node, err, "a message key is a string, int or long column");
}

static enum cl_code read_unique(const struct cl_yaml_node *node, struct cl_arena *arena,
                                struct cl_feed *feed, struct cl_error *err)
{
    static const struct cl_yaml_field keys[] = {
        {.key = "by"},
        {"within", CL_YAML_DURATION, offsetof(struct cl_feed, unique_within_us), 1, MAX_DURATION_US,
         "up to 366 days", NULL},
    };
    if (node == NULL) return CL_OK;
    if (node->kind != CL_YAML_MAP)
        return cl_yaml_fail(
            node, err,
            "expected {by: COLUMN, within: DURATION}, such as {by: id, within: 10 minutes}");
    feed->unique_within_us = default_unique_within_us;
    enum cl_code code = cl_yaml_read(node, keys, 2, feed, arena, err);
    if (code != CL_OK) return code;
    const struct cl_yaml_node *by = cl_yaml_get(node, "by");
    if (by == NULL || (by->kind == CL_YAML_LIST && by->n == 0))
        return cl_yaml_fail(node, err, "`by` must name a column, or a list of them");
    size_t n = by->kind == CL_YAML_LIST ? by->n : 1;
    feed->unique_columns = cl_arena_array(arena, n, sizeof *feed->unique_columns);
    if (feed->unique_columns == NULL) return cl_fail_nomem(err);
    for (const struct cl_yaml_node *c = by->kind == CL_YAML_LIST ? by->first : by;
         feed->n_unique < n; c = c->next) {
        int column;
        code = find_column(c, feed, &column, err);
        if (code != CL_OK) return code;
        for (size_t i = 0; i < feed->n_unique; i++)
            if (feed->unique_columns[i] == column)
                return cl_yaml_fail(c, err, "column \"%s\" stands here twice", c->text);
        feed->unique_columns[feed->n_unique++] = column;
    }
    return CL_OK;
}

/* day(timestamp); without the key: by day of the event time. */
static enum cl_code read_partition(const struct cl_yaml_node *node, struct cl_arena *arena,
                                   struct cl_feed *feed, struct cl_error *err)
{
    static const char *const names[] = {"none", "day", "hour", "month"};
    const char *text;
    feed->partition = CL_PARTITION_DAY;
    feed->partition_column = feed->event_time_column;
    if (node == NULL) return CL_OK;
    enum cl_code code = cl_yaml_text(node, &text, err);
    if (code != CL_OK) return code;
    feed->partition = CL_PARTITION_NONE;
    feed->partition_column = -1;
    if (strcmp(text, "none") == 0) return CL_OK;
    size_t word = strcspn(text, "("), len = strlen(text);
    for (size_t i = 1; i < 4; i++)
        if (strlen(names[i]) == word && strncmp(text, names[i], word) == 0)
            feed->partition = (enum cl_transform)i;
    if (feed->partition == CL_PARTITION_NONE || len < word + 3 || text[len - 1] != ')')
        return cl_yaml_fail(
            node, err,
            "\"%.64s\" is not a partition; use day(COLUMN), hour(COLUMN), month(COLUMN) or none",
            text);
    struct cl_yaml_node column = *node;
    column.text = cl_arena_strndup(arena, text + word + 1, len - word - 2);
    if (column.text == NULL) return cl_fail_nomem(err);
    code = find_column(&column, feed, &feed->partition_column, err);
    if (code != CL_OK) return code;
    const struct cl_feed_column *c = &feed->columns[feed->partition_column];
    if (c->field.type == CL_TIMESTAMP ||
        (c->field.type == CL_DATE && feed->partition != CL_PARTITION_HOUR))
        return CL_OK;
    return cl_yaml_fail(node, err, "%s needs a timestamp%s column, which \"%s\" is not",
                        names[feed->partition],
                        feed->partition == CL_PARTITION_HOUR ? "" : " or date", c->field.name);
}

/* The table: declared columns, then the three of our own; Iceberg field ids are 1..n in that order.
 */
static enum cl_code make_schema(struct cl_arena *arena, struct cl_feed *feed, struct cl_error *err)
{
    static const struct cl_field system_fields[] = {
        {.name = CL_COL_PARTITION, .type = CL_INT, .required = true, .doc = "source partition"},
        {.name = CL_COL_OFFSET,
         .type = CL_LONG,
         .required = true,
         .doc = "offset in the source partition"},
        {.name = CL_COL_INGESTED_AT,
         .type = CL_TIMESTAMP,
         .required = true,
         .doc = "when the row was decoded, UTC"},
    };
    size_t n = feed->n_columns + 3;
    feed->schema.fields = cl_arena_array(arena, n, sizeof *feed->schema.fields);
    if (feed->schema.fields == NULL) return cl_fail_nomem(err);
    feed->schema.n = n;
    for (size_t i = 0; i < n; i++) {
        struct cl_field *f = &feed->schema.fields[i];
        *f = i < feed->n_columns ? feed->columns[i].field : system_fields[i - feed->n_columns];
        f->id = (int)i + 1;
        if (i < feed->n_columns) feed->columns[i].field.id = f->id;
    }
    return CL_OK;
}

static enum cl_code check_feed_name(const struct cl_yaml_node *node, struct cl_error *err)
{
    if (strcmp(node->key, "dead_letters") == 0)
        return cl_yaml_fail_key(node, err,
                                "the table of rejected messages has this name; choose another");
    if (!cl_name_is_valid(node->key, true))
        return cl_yaml_fail_key(
            node, err,
            "not a feed name: a lower-case letter, then lower-case letters, digits and _, at "
            "most 127 (it becomes the table's name)");
    return CL_OK;
}

static enum cl_code read_feed(const struct cl_yaml_node *node, struct cl_arena *arena,
                              struct cl_feed *feed, struct cl_error *err)
{
    static const struct cl_yaml_field keys[] = {
        {.key = "topic", .type = CL_YAML_STRING, .offset = offsetof(struct cl_feed, topic)},
        {.key = "doc", .type = CL_YAML_STRING, .offset = offsetof(struct cl_feed, doc)},
        {.key = "key"},
        {.key = "event_time"},
        {"watermark", CL_YAML_DURATION, offsetof(struct cl_feed, watermark_us), 0, MAX_DURATION_US,
         "up to 366 days", NULL},
        {.key = "unique"},
        {.key = "strict", .type = CL_YAML_BOOL, .offset = offsetof(struct cl_feed, strict)},
        {.key = "columns"},
        {.key = "partition"},
    };
    enum cl_code code = check_feed_name(node, err);
    if (code != CL_OK) return code;
    *feed = (struct cl_feed){.line = node->key_line, .watermark_us = default_watermark_us};
    feed->name = cl_arena_strdup(arena, node->key);
    feed->topic = feed->name;
    if (feed->name == NULL) return cl_fail_nomem(err);
    if (node->kind != CL_YAML_MAP)
        return cl_yaml_fail(node, err, "expected topic, event_time and columns, found %s",
                            cl_yaml_kind_text(node));
    code = cl_yaml_read(node, keys, sizeof keys / sizeof *keys, feed, arena, err);
    if (code != CL_OK) return code;
    const struct cl_yaml_node *topic = cl_yaml_get(node, "topic");
    if (topic != NULL) code = cl_yaml_place(topic, cl_topic_check(feed->topic, err), err);
    if (code == CL_OK) code = read_columns(node, arena, feed, err);
    if (code == CL_OK) code = read_event_time(node, feed, err);
    if (code == CL_OK) code = read_key(cl_yaml_get(node, "key"), feed, err);
    if (code == CL_OK) code = read_unique(cl_yaml_get(node, "unique"), arena, feed, err);
    if (code == CL_OK) code = read_partition(cl_yaml_get(node, "partition"), arena, feed, err);
    if (code == CL_OK) code = make_schema(arena, feed, err);
    return code;
}

/* The feed before `n` that reads the same topic as feed `n`, or NULL. */
static const struct cl_feed *same_topic(const struct cl_spec *spec, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(spec->feeds[i].topic, spec->feeds[n].topic) == 0) return &spec->feeds[i];
    return NULL;
}

enum cl_code cl_feeds_read(struct cl_spec *spec, const struct cl_yaml_node *node,
                           struct cl_error *err)
{
    if (node->kind != CL_YAML_MAP || node->n == 0)
        return cl_yaml_fail_key(
            node, err,
            "declares no feed; add one, or remove the key to have the five built-in feeds");
    if (node->n > CL_SPEC_MAX_FEEDS)
        return cl_yaml_fail(node, err, "%zu feeds; a city has at most %d", node->n,
                            CL_SPEC_MAX_FEEDS);
    spec->feeds = cl_arena_array(&spec->arena, node->n, sizeof *spec->feeds);
    if (spec->feeds == NULL) return cl_fail_nomem(err);
    for (const struct cl_yaml_node *f = node->first; f != NULL; f = f->next) {
        enum cl_code code = read_feed(f, &spec->arena, &spec->feeds[spec->n_feeds], err);
        if (code != CL_OK) return code;
        const struct cl_feed *other = same_topic(spec, spec->n_feeds);
        const struct cl_yaml_node *topic = cl_yaml_get(f, "topic");
        if (other != NULL)
            return cl_yaml_fail(
                topic != NULL ? topic : f, err,
                "feed \"%s\" (line %d) reads topic \"%s\" already; give each feed its own",
                other->name, other->line, other->topic);
        spec->n_feeds++;
    }
    return CL_OK;
}

enum cl_code cl_feeds_check_topics(const struct cl_spec *spec, struct cl_error *err)
{
    for (size_t i = 0; i < spec->n_feeds; i++) {
        const struct cl_feed *other = same_topic(spec, i);
        if (other != NULL)
            return cl_fail_at(err, CL_EINVAL, spec->path,
                              "with the topics that environment variables set, feeds \"%s\" and "
                              "\"%s\" both read topic "
                              "\"%s\"; give each feed its own",
                              other->name, spec->feeds[i].name, other->topic);
    }
    return CL_OK;
}
