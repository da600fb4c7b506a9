/* drain.c - librdkafka alone: reads topics from their beginning to the end they had at the start,
 * and throws it away. What this costs is the part of Kafka -> lake that is not ours.
 *
 *   drain HOST:PORT TOPIC...        prints {"messages": N, "bytes": N} */
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 10000, TIMEOUT_MS = 30000 };

static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("drain: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static rd_kafka_t *open_consumer(const char *bootstrap)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", bootstrap},       {"group.id", "bench-drain"},
        {"enable.auto.commit", "false"},        {"enable.auto.offset.store", "false"},
        {"fetch.message.max.bytes", "4194304"}, {"queued.max.messages.kbytes", "131072"},
    };
    char message[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], message, sizeof message) !=
            RD_KAFKA_CONF_OK)
            die("%s", message);
    }
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, message, sizeof message);
    if (consumer == NULL) die("%s", message);
    (void)rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

/* Adds all partitions of a topic, from their beginning; returns how many messages they hold. */
static int64_t add_topic(rd_kafka_t *consumer, const char *name,
                         rd_kafka_topic_partition_list_t *list)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, name, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(consumer, 0, topic, &metadata, TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) die("%s: %s", name, rd_kafka_err2str(error));
    int64_t messages = 0;
    for (int32_t p = 0; p < metadata->topics[0].partition_cnt; p++) {
        int64_t low = 0, high = 0;
        error = rd_kafka_query_watermark_offsets(consumer, name, p, &low, &high, TIMEOUT_MS);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) die("%s/%d: %s", name, p, rd_kafka_err2str(error));
        rd_kafka_topic_partition_list_add(list, name, p)->offset = low;
        messages += high - low;
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return messages;
}

int main(int argc, char **argv)
{
    if (argc < 3) die("usage: drain HOST:PORT TOPIC...");
    rd_kafka_t *consumer = open_consumer(argv[1]);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    int64_t wanted = 0, messages = 0;
    uint64_t bytes = 0;
    for (int i = 2; i < argc; i++)
        wanted += add_topic(consumer, argv[i], list);
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer, list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) die("cannot assign: %s", rd_kafka_err2str(error));

    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    static rd_kafka_message_t *batch[BATCH];
    while (messages < wanted) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 1000, batch, BATCH);
        if (n < 0) die("cannot read: %s", rd_kafka_err2str(rd_kafka_last_error()));
        for (ssize_t i = 0; i < n; i++) {
            if (batch[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR)
                die("cannot read: %s", rd_kafka_message_errstr(batch[i]));
            bytes += batch[i]->len;
            messages++;
            rd_kafka_message_destroy(batch[i]);
        }
    }
    printf("{\"messages\": %lld, \"bytes\": %llu}\n", (long long)messages,
           (unsigned long long)bytes);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return 0;
}
