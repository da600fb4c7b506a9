/* gen.c - deterministic events for the benchmark, in the five reference shapes, as files or into
 * Kafka.
 *
 *   gen --events N [--seed N] --out DIR                            DIR/TOPIC.ndjson
 *   gen --events N [--seed N] --kafka HOST:PORT [--partitions N]   makes the topics; the key is the
 * event's id
 *
 * --topic-suffix TEXT is added to the topics' names.
 *
 * Equal numbers of events for each topic (N rounded down to a multiple of five), the same bytes for
 * the same seed whichever way they go.  Text as Python's json.dumps writes it: ", " and ": ",
 * doubles shortest that read back the same. */
#include <errno.h>
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { N_TOPICS = 5, N_VEHICLES = 1000, ID_LEN = 36, NUMBER_CAP = 32, EVENT_CAP = 1024 };

static const char *const topics[N_TOPICS] = {"vehicle_data", "gps_data", "traffic_data",
                                             "weather_data", "emergency_data"};

/* Where events go: exactly one of the two is set. */
struct sink {
    FILE *files[N_TOPICS];
    rd_kafka_t *producer;
    char topics[N_TOPICS][128];
    uint64_t failed; /* deliveries */
    uint64_t bytes;
};

struct vehicle {
    double latitude, longitude;
    int64_t time_us;
};

struct generator {
    uint64_t state;
    struct sink *sink;
    char number[6][NUMBER_CAP]; /* texts of one event's doubles */
};

static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("gen: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* --- random numbers: splitmix64 --- */

static uint64_t next_random(struct generator *g)
{
    uint64_t z = g->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double uniform(struct generator *g, double low, double high)
{
    return low + (high - low) * ((double)(next_random(g) >> 11) * 0x1p-53);
}

static const char *one_of(struct generator *g, const char *const *names, size_t n)
{
    return names[next_random(g) % n];
}

/* --- texts --- */

static void write_uuid(struct generator *g, char ret[ID_LEN + 1])
{
    uint64_t a = next_random(g), b = next_random(g);
    (void)snprintf(ret, ID_LEN + 1, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                   (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                   (unsigned)(b >> 48 & 0x3fff) | 0x8000u,
                   (unsigned long long)(b & 0xffffffffffffu));
}

/* The shortest text that reads back as `value`, in slot i, like Python's repr. */
static const char *write_double(struct generator *g, size_t i, double value)
{
    char *text = g->number[i];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, NUMBER_CAP, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    if (strpbrk(text, ".e") == NULL) strcat(text, ".0");
    return text;
}

static void write_time(int64_t time_us, char ret[NUMBER_CAP])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    (void)gmtime_r(&seconds, &parts);
    size_t n = strftime(ret, NUMBER_CAP, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(ret + n, NUMBER_CAP - n, ".%06d", (int)(time_us % 1000000));
}

/* --- sinks --- */

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    struct sink *sink = opaque;
    (void)producer;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) sink->failed++;
}

static void send_event(struct sink *sink, size_t topic, const char *key, const char *value,
                       size_t n)
{
    sink->bytes += n;
    if (sink->producer == NULL) {
        if (fwrite(value, 1, n, sink->files[topic]) != n || fputc('\n', sink->files[topic]) == EOF)
            die("cannot write: %s", strerror(errno));
        return;
    }
    for (;;) {
        rd_kafka_resp_err_t error =
            rd_kafka_producev(sink->producer, RD_KAFKA_V_TOPIC(sink->topics[topic]),
                              RD_KAFKA_V_KEY(key, ID_LEN), RD_KAFKA_V_VALUE((void *)value, n),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("cannot produce: %s", rd_kafka_err2str(error));
        (void)rd_kafka_poll(sink->producer, 50);
    }
    (void)rd_kafka_poll(sink->producer, 0);
}

__attribute__((format(printf, 4, 5))) static void emit(struct generator *g, size_t topic,
                                                       const char *key, const char *format, ...)
{
    char value[EVENT_CAP];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(value, sizeof value, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof value) die("an event is longer than %d bytes", EVENT_CAP);
    send_event(g->sink, topic, key, value, (size_t)n);
}

static void open_files(struct sink *sink, const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) die("%s: %s", folder, strerror(errno));
    for (size_t i = 0; i < N_TOPICS; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s.ndjson", folder, sink->topics[i]);
        sink->files[i] = fopen(path, "w");
        if (sink->files[i] == NULL) die("%s: %s", path, strerror(errno));
    }
}

static void create_topics(const struct sink *sink, rd_kafka_t *client, int partitions)
{
    char message[256];
    rd_kafka_NewTopic_t *wanted[N_TOPICS];
    for (size_t i = 0; i < N_TOPICS; i++) {
        wanted[i] = rd_kafka_NewTopic_new(sink->topics[i], partitions, 1, message, sizeof message);
        if (wanted[i] == NULL) die("%s: %s", sink->topics[i], message);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, wanted, N_TOPICS, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    const rd_kafka_CreateTopics_result_t *result =
        event != NULL ? rd_kafka_event_CreateTopics_result(event) : NULL;
    if (result == NULL) die("no answer from Kafka");
    size_t n = 0;
    const rd_kafka_topic_result_t **made = rd_kafka_CreateTopics_result_topics(result, &n);
    if (n == 0) die("cannot make topics: %s", rd_kafka_event_error_string(event));
    for (size_t i = 0; i < n; i++) {
        if (rd_kafka_topic_result_error(made[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            die("%s: %s", rd_kafka_topic_result_name(made[i]),
                rd_kafka_topic_result_error_string(made[i]));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(wanted, N_TOPICS);
}

static void open_kafka(struct sink *sink, const char *bootstrap, int partitions)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", bootstrap},
        {"enable.idempotence", "true"},
        {"linger.ms", "20"},
        {"batch.size", "1000000"},
        {"queue.buffering.max.messages", "200000"},
    };
    char message[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], message, sizeof message) !=
            RD_KAFKA_CONF_OK)
            die("%s", message);
    }
    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    sink->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, message, sizeof message);
    if (sink->producer == NULL) die("%s", message);
    create_topics(sink, sink->producer, partitions);
}

static void close_sink(struct sink *sink)
{
    for (size_t i = 0; sink->producer == NULL && i < N_TOPICS; i++) {
        if (fclose(sink->files[i]) != 0) die("%s: %s", sink->topics[i], strerror(errno));
    }
    if (sink->producer == NULL) return;
    if (rd_kafka_flush(sink->producer, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR || sink->failed != 0)
        die("%d events not sent, %llu failed", rd_kafka_outq_len(sink->producer),
            (unsigned long long)sink->failed);
    rd_kafka_destroy(sink->producer);
}

/* --- events --- */

/* A vehicle moves from London towards Birmingham and starts again when it is there. */
static void move(struct generator *g, struct vehicle *v)
{
    v->latitude += (52.4862 - 51.5074) / 100 + uniform(g, -0.0005, 0.0005);
    v->longitude += (-1.8904 + 0.1278) / 100 + uniform(g, -0.0005, 0.0005);
    if (v->latitude >= 52.4862) {
        v->latitude = 51.5074;
        v->longitude = -0.1278;
    }
    v->time_us += 30000000 + (int64_t)(next_random(g) % 30000000);
}

/* One event for each topic, all of one vehicle at one moment.  Each random value is drawn in a
 * statement of its own: the order in which C evaluates arguments is the compiler's. */
static void emit_events(struct generator *g, size_t number, const struct vehicle *v)
{
    static const char *const weathers[] = {"Sunny", "Cloudy", "Rain", "Snow"};
    static const char *const incidents[] = {"Accident", "Fire", "Medical", "Police", "None"};
    static const char *const states[] = {"Active", "Resolved"};
    char id[ID_LEN + 1], incident[ID_LEN + 1], vehicle[32], time[NUMBER_CAP],
        location[2 * NUMBER_CAP + 8];
    (void)snprintf(vehicle, sizeof vehicle, "Vehicle-%05zu", number);
    (void)snprintf(location, sizeof location, "[%s, %s]", write_double(g, 0, v->latitude),
                   write_double(g, 1, v->longitude));
    write_time(v->time_us, time);

    write_uuid(g, id);
    emit(g, 0, id,
         "{\"id\": \"%s\", \"vehicle_id\": \"%s\", \"timestamp\": \"%s\", \"location\": %s, "
         "\"speed\": %s, "
         "\"direction\": \"North-East\", \"make\": \"Mini Cooper\", \"model\": \"Countryman SE "
         "ALL4\", \"year\": 2024, "
         "\"fuelType\": \"Electric\"}",
         id, vehicle, time, location, write_double(g, 2, uniform(g, 10, 40)));
    write_uuid(g, id);
    emit(g, 1, id,
         "{\"id\": \"%s\", \"vehicle_id\": \"%s\", \"timestamp\": \"%s\", \"speed\": %s, "
         "\"direction\": \"North-East\", "
         "\"vehicleType\": \"private\"}",
         id, vehicle, time, write_double(g, 2, uniform(g, 0, 40)));
    write_uuid(g, id);
    emit(g, 2, id,
         "{\"id\": \"%s\", \"vehicle_id\": \"%s\", \"camera_id\": \"Nikon-Camera\", \"location\": "
         "%s, \"timestamp\": \"%s\", "
         "\"snapshot\": \"Base64EncodedString\"}",
         id, vehicle, location, time);

    write_uuid(g, id);
    const char *temperature = write_double(g, 2, uniform(g, -5, 26));
    const char *weather = one_of(g, weathers, 4);
    const char *precipitation = write_double(g, 3, uniform(g, 0, 25));
    const char *wind_speed = write_double(g, 4, uniform(g, 0, 100));
    int humidity = (int)(next_random(g) % 101);
    emit(
        g, 3, id,
        "{\"id\": \"%s\", \"vehicle_id\": \"%s\", \"location\": %s, \"timestamp\": \"%s\", "
        "\"temperature\": %s, "
        "\"weatherCondition\": \"%s\", \"precipitation\": %s, \"windSpeed\": %s, \"humidity\": %d, "
        "\"airQualityIndex\": %s}",
        id, vehicle, location, time, temperature, weather, precipitation, wind_speed, humidity,
        write_double(g, 5, uniform(g, 0, 500)));

    write_uuid(g, id);
    write_uuid(g, incident);
    const char *type = one_of(g, incidents, 5);
    emit(g, 4, id,
         "{\"id\": \"%s\", \"vehicle_id\": \"%s\", \"incidentId\": \"%s\", \"type\": \"%s\", "
         "\"timestamp\": \"%s\", "
         "\"location\": %s, \"status\": \"%s\", \"description\": \"Description of the incident\"}",
         id, vehicle, incident, type, time, location, one_of(g, states, 2));
}

static void generate(struct generator *g, uint64_t events)
{
    struct vehicle *vehicles = calloc(N_VEHICLES, sizeof *vehicles);
    if (vehicles == NULL) die("out of memory");
    for (size_t i = 0; i < N_VEHICLES; i++) {
        /* 2026-01-05 08:00:00 UTC, within a minute. */
        vehicles[i] = (struct vehicle){51.5074, -0.1278,
                                       1767600000000000 + (int64_t)(next_random(g) % 60000000)};
    }
    for (uint64_t i = 0; i < events / N_TOPICS; i++) {
        struct vehicle *v = &vehicles[i % N_VEHICLES];
        move(g, v);
        emit_events(g, i % N_VEHICLES, v);
    }
    free(vehicles);
}

static uint64_t parse_number(const char *option, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') die("--%s %s: not a number", option, text);
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"events", required_argument, NULL, 'e'},
        {"seed", required_argument, NULL, 's'},
        {"out", required_argument, NULL, 'o'},
        {"kafka", required_argument, NULL, 'k'},
        {"partitions", required_argument, NULL, 'p'},
        {"topic-suffix", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    uint64_t events = 0, seed = 42, partitions = 4;
    const char *out = NULL, *kafka = NULL, *suffix = "";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'e': events = parse_number("events", optarg); break;
        case 's': seed = parse_number("seed", optarg); break;
        case 'o': out = optarg; break;
        case 'k': kafka = optarg; break;
        case 'p': partitions = parse_number("partitions", optarg); break;
        case 't': suffix = optarg; break;
        default: return 2;
        }
    }
    if (events < N_TOPICS || (out == NULL) == (kafka == NULL))
        die("--events N and one of --out DIR, --kafka HOST:PORT");
    struct sink sink = {0};
    for (size_t i = 0; i < N_TOPICS; i++)
        (void)snprintf(sink.topics[i], sizeof sink.topics[i], "%s%s", topics[i], suffix);
    struct generator g = {.state = seed, .sink = &sink};
    if (out != NULL)
        open_files(&sink, out);
    else
        open_kafka(&sink, kafka, (int)partitions);
    events -= events % N_TOPICS;
    generate(&g, events);
    close_sink(&sink);
    printf("{\"events\": %llu, \"bytes\": %llu}\n", (unsigned long long)events,
           (unsigned long long)sink.bytes);
    return 0;
}
