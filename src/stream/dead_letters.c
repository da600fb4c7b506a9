#include "stream/dead_letters.h"

enum column {
    FEED,
    TOPIC,
    PARTITION,
    OFFSET,
    KEY,
    VALUE,
    REASON,
    COLUMN,
    DETAIL,
    TIMESTAMP,
    INGESTED_AT
};

const struct cl_schema *cl_dead_letters_schema(void)
{
    static const struct cl_field fields[] = {
        [FEED] = {.id = 1,
                  .name = "feed",
                  .type = CL_STRING,
                  .doc = "feed that refused the message; null: no feed has its topic"},
        [TOPIC] = {.id = 2, .name = "topic", .type = CL_STRING, .required = true},
        [PARTITION] = {.id = 3, .name = "partition", .type = CL_INT, .required = true},
        [OFFSET] = {.id = 4, .name = "offset", .type = CL_LONG, .required = true},
        [KEY] = {.id = 5, .name = "key", .type = CL_BINARY},
        [VALUE] = {.id = 6,
                   .name = "value",
                   .type = CL_BINARY,
                   .doc = "the message's bytes; null: it had none"},
        [REASON] = {.id = 7, .name = "reason", .type = CL_STRING, .required = true},
        [COLUMN] = {.id = 8,
                    .name = "column",
                    .type = CL_STRING,
                    .doc = "column whose rule was broken"},
        [DETAIL] = {.id = 9, .name = "detail", .type = CL_STRING, .required = true},
        [TIMESTAMP] = {.id = 10,
                       .name = "timestamp",
                       .type = CL_TIMESTAMP,
                       .doc = "time the broker or producer gave the message"},
        [INGESTED_AT] = {.id = 11, .name = "_ingested_at", .type = CL_TIMESTAMP, .required = true},
    };
    /* The fields are constant; cl_schema is not const-qualified because the spec fills its own. */
    static const struct cl_schema schema = {sizeof fields / sizeof *fields,
                                            (struct cl_field *)(uintptr_t)fields};
    return &schema;
}

static enum cl_code put_text(struct cl_batch *batch, enum column c, const char *text,
                             struct cl_error *err)
{
    if (text == NULL) {
        cl_column_set_null(&batch->columns[c], batch->rows);
        return CL_OK;
    }
    return cl_column_set_bytes(&batch->columns[c], batch->rows, text, strlen(text), err);
}

static enum cl_code put_bytes(struct cl_batch *batch, enum column c, const uint8_t *bytes,
                              int32_t len, struct cl_error *err)
{
    if (len < 0) {
        cl_column_set_null(&batch->columns[c], batch->rows);
        return CL_OK;
    }
    return cl_column_set_bytes(&batch->columns[c], batch->rows, bytes, (size_t)len, err);
}

/* A topic named in an envelope can be any bytes; the column is UTF-8. */
static enum cl_code put_topic(struct cl_batch *batch, const char *topic, struct cl_error *err)
{
    struct cl_column *col = &batch->columns[TOPIC];
    enum cl_code code = put_text(batch, TOPIC, topic == NULL ? "" : topic, err);
    if (code != CL_OK) return code;
    for (int32_t i = col->offsets[batch->rows]; i < col->offsets[batch->rows + 1]; i++)
        if (col->data[i] >= 0x80 || col->data[i] < 0x20) col->data[i] = '?';
    return CL_OK;
}

enum cl_code cl_dead_letters_add(struct cl_batch *batch, const struct cl_source_partition *part,
                                 const struct cl_message *m, const struct cl_reject *reject,
                                 int64_t ingested_at_us, struct cl_error *err)
{
    const struct cl_feed *feed = part->feed;
    int32_t row = batch->rows;
    const char *column =
        feed != NULL && reject->column >= 0 ? feed->columns[reject->column].field.name : NULL;
    enum cl_code code = put_text(batch, FEED, feed == NULL ? NULL : feed->name, err);
    if (code == CL_OK)
        code = put_topic(batch, feed == NULL && m->topic != NULL ? m->topic : part->topic, err);
    if (code == CL_OK) code = put_bytes(batch, KEY, m->key, m->key_len, err);
    if (code == CL_OK) code = put_bytes(batch, VALUE, m->value, m->value_len, err);
    if (code == CL_OK) code = put_text(batch, REASON, cl_reject_reason_text(reject->reason), err);
    if (code == CL_OK) code = put_text(batch, COLUMN, column, err);
    if (code == CL_OK) code = put_text(batch, DETAIL, reject->detail, err);
    if (code != CL_OK) return code;
    cl_column_set_int(&batch->columns[PARTITION], row, part->partition);
    cl_column_set_long(&batch->columns[OFFSET], row, m->offset);
    if (m->timestamp_us == INT64_MIN)
        cl_column_set_null(&batch->columns[TIMESTAMP], row);
    else
        cl_column_set_long(&batch->columns[TIMESTAMP], row, m->timestamp_us);
    cl_column_set_long(&batch->columns[INGESTED_AT], row, ingested_at_us);
    cl_batch_commit_row(batch);
    return CL_OK;
}
