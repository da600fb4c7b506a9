/* decode_bench.c - how fast one core turns messages into columns: the five reference feeds, then
 * all of them mixed.
 *
 *   decode_bench [ROUNDS]
 *
 * Each feed's messages (different ones, as Python's json.dumps writes them) lie one after the other
 * in memory and are decoded in batches.  Time is CPU time; the best of ROUNDS (default 9) passes
 * counts, since whatever else runs can only slow one down. */
#include "base/clock.h"
#include "decode/decoder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_FEEDS = 5, MESSAGES = 20000, BATCH_ROWS = 4096 };

/* Messages of one feed, end to end; message i is text[start[i]] to text[start[i + 1]]. */
struct stock {
    const char *feed;
    char *text;
    size_t used, cap;
    size_t start[MESSAGES + 1];
};

static uint64_t random_state = 42;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double uniform(double low, double high)
{
    return low + (high - low) * (double)(next_random() >> 11) * 0x1p-53;
}

static void put(struct stock *s, const char *fmt, ...) CL_PRINTF(2, 3);
static void put(struct stock *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(s->text + s->used, s->cap - s->used, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= s->cap - s->used) abort();
    s->used += (size_t)n;
}

/* The shortest digits that read back the same, as Python prints a float. */
static void put_double(struct stock *s, const char *before, double v)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, v);
        if (strtod(digits, NULL) == v) break;
    }
    put(s, "%s%s", before, digits);
}

static void put_uuid(struct stock *s, const char *before)
{
    uint64_t a = next_random(), b = next_random();
    put(s, "%s\"%08x-%04x-4%03x-%04x-%012llx\"", before, (unsigned)(a >> 32),
        (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0x3fff) | 0x8000,
        (unsigned long long)(b & 0xffffffffffff));
}

static void put_head(struct stock *s)
{
    put_uuid(s, "{\"id\": ");
    put(s, ", \"vehicle_id\": \"Vehicle-%05u\"", (unsigned)(next_random() % 100000));
}

static void put_time(struct stock *s)
{
    uint64_t r = next_random();
    put(s, ", \"timestamp\": \"2026-01-%02uT%02u:%02u:%02u\"", (unsigned)(r % 28) + 1,
        (unsigned)(r >> 8) % 24, (unsigned)(r >> 16) % 60, (unsigned)(r >> 32) % 60);
}

static void put_location(struct stock *s)
{
    put_double(s, ", \"location\": [", uniform(51.5, 52.5));
    put_double(s, ", ", uniform(-1.9, -0.1));
    put(s, "]");
}

static void put_vehicle(struct stock *s)
{
    put_head(s);
    put_time(s);
    put_location(s);
    put_double(s, ", \"speed\": ", uniform(10, 40));
    put(s, ", \"direction\": \"North-East\", \"make\": \"Mini Cooper\", \"model\": \"Countryman SE "
           "ALL4\", \"year\": 2024, "
           "\"fuelType\": \"Electric\"}");
}

static void put_gps(struct stock *s)
{
    put_head(s);
    put_time(s);
    put_double(s, ", \"speed\": ", uniform(0, 40));
    put(s, ", \"direction\": \"North-East\", \"vehicleType\": \"private\"}");
}

static void put_camera(struct stock *s)
{
    put_head(s);
    put(s, ", \"camera_id\": \"Nikon-Camera\"");
    put_location(s);
    put_time(s);
    put(s, ", \"snapshot\": \"QmFzZTY0RW5jb2RlZFN0cmluZw==\"}");
}

static void put_weather(struct stock *s)
{
    static const char *const skies[] = {"Sunny", "Cloudy", "Rain", "Snow"};
    put_head(s);
    put_location(s);
    put_time(s);
    put_double(s, ", \"temperature\": ", uniform(-5, 26));
    put(s, ", \"weatherCondition\": \"%s\"", skies[next_random() % 4]);
    put_double(s, ", \"precipitation\": ", uniform(0, 25));
    put_double(s, ", \"windSpeed\": ", uniform(0, 100));
    put(s, ", \"humidity\": %u", (unsigned)(next_random() % 101));
    put_double(s, ", \"airQualityIndex\": ", uniform(0, 500));
    put(s, "}");
}

static void put_emergency(struct stock *s)
{
    static const char *const types[] = {"Accident", "Fire", "Medical", "Police", "None"};
    put_head(s);
    put_uuid(s, ", \"incidentId\": ");
    put(s, ", \"type\": \"%s\"", types[next_random() % 5]);
    put_time(s);
    put_location(s);
    put(s, ", \"status\": \"%s\", \"description\": \"Description of the incident\"}",
        next_random() % 2 == 0 ? "Active" : "Resolved");
}

static void fill(struct stock *s, const char *feed, void (*put_message)(struct stock *))
{
    s->feed = feed;
    s->cap = (size_t)MESSAGES * 600;
    s->text = malloc(s->cap);
    if (s->text == NULL) abort();
    for (int i = 0; i < MESSAGES; i++) {
        s->start[i] = s->used;
        put_message(s);
    }
    s->start[MESSAGES] = s->used;
}

struct lane {
    struct cl_decoder *decoder;
    struct cl_batch *batch;
};

static void decode_one(struct lane *lane, const struct stock *s, int i)
{
    struct cl_reject reject;
    const uint8_t *value = (const uint8_t *)s->text + s->start[i];
    enum cl_decoded done = cl_decoder_decode(lane->decoder, value, s->start[i + 1] - s->start[i],
                                             lane->batch, &reject);
    if (done != CL_DECODED_ROW) {
        fprintf(stderr, "%s: %.*s: %s\n", s->feed, (int)(s->start[i + 1] - s->start[i]), value,
                done == CL_DECODED_REJECT ? reject.detail : "out of memory");
        exit(1);
    }
    cl_batch_commit_row(lane->batch);
    if (lane->batch->rows == BATCH_ROWS) cl_batch_reset(lane->batch);
}

static void report(const char *name, double seconds, size_t events, size_t bytes)
{
    printf("%-10s %6.0f bytes  %6.2f M events/s  %5.2f GB/s  %6.1f ns\n", name,
           (double)bytes / (double)events, (double)events / seconds / 1e6,
           (double)bytes / seconds / 1e9, seconds / (double)events * 1e9);
}

static double seconds_since(int64_t start_us)
{
    return (double)(cl_clock_cpu_us() - start_us) / 1e6;
}

static void run_feed(struct lane *lane, const struct stock *s, int rounds)
{
    double best = 1e9;
    for (int round = 0; round < rounds; round++) {
        int64_t start_us = cl_clock_cpu_us();
        for (int i = 0; i < MESSAGES; i++)
            decode_one(lane, s, i);
        double seconds = seconds_since(start_us);
        if (seconds < best) best = seconds;
    }
    report(s->feed, best, MESSAGES, s->used);
}

static void run_mixed(struct lane lanes[N_FEEDS], const struct stock stocks[N_FEEDS], int rounds)
{
    double best = 1e9;
    size_t bytes = 0;
    for (int f = 0; f < N_FEEDS; f++)
        bytes += stocks[f].used;
    for (int round = 0; round < rounds; round++) {
        int64_t start_us = cl_clock_cpu_us();
        for (int i = 0; i < MESSAGES; i++)
            for (int f = 0; f < N_FEEDS; f++)
                decode_one(&lanes[f], &stocks[f], i);
        double seconds = seconds_since(start_us);
        if (seconds < best) best = seconds;
    }
    report("mixed", best, (size_t)MESSAGES * N_FEEDS, bytes);
}

int main(int argc, char **argv)
{
    static struct stock stocks[N_FEEDS];
    static const struct {
        const char *feed;
        void (*put_message)(struct stock *);
    } makers[N_FEEDS] = {{"vehicle", put_vehicle},
                         {"gps", put_gps},
                         {"camera", put_camera},
                         {"weather", put_weather},
                         {"emergency", put_emergency}};
    struct lane lanes[N_FEEDS];
    struct cl_spec *spec;
    struct cl_error err;
    char text[1400];
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    if (cl_spec_load_builtin(&spec, &err) != CL_OK) goto failed;
    for (int f = 0; f < N_FEEDS; f++) {
        const struct cl_feed *feed = cl_spec_find_feed(spec, makers[f].feed);
        if (feed == NULL) abort();
        fill(&stocks[f], makers[f].feed, makers[f].put_message);
        if (cl_decoder_new(feed, &lanes[f].decoder, &err) != CL_OK) goto failed;
        if (cl_batch_new(&feed->schema, BATCH_ROWS, &lanes[f].batch, &err) != CL_OK) goto failed;
        /* The system columns are the caller's; here they stay empty. */
        for (int32_t row = 0; row < BATCH_ROWS; row++)
            for (size_t c = feed->n_columns; c < feed->schema.n; c++)
                cl_column_set_null(&lanes[f].batch->columns[c], row);
    }
    for (int f = 0; f < N_FEEDS; f++)
        run_feed(&lanes[f], &stocks[f], rounds);
    run_mixed(lanes, stocks, rounds);
    for (int f = 0; f < N_FEEDS; f++) {
        cl_decoder_free(lanes[f].decoder);
        cl_batch_free(lanes[f].batch);
        free(stocks[f].text);
    }
    cl_spec_free(spec);
    return 0;
failed:
    fprintf(stderr, "decode_bench: %s\n", cl_error_text(&err, text, sizeof text));
    return 1;
}
