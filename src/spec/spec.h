/* spec.h - city.yaml as C structs: what the user declared, checked, with defaults filled in.
 *
 * Order: cl_spec_load | cl_spec_load_builtin -> (overrides by options) -> use, read-only from any
 * thread -> cl_spec_free. Every string and array below belongs to the spec's arena.  Errors carry
 * "file:line:column" in err->where and name the key, what is wrong and what would be right. */
#ifndef CITYLAKE_SPEC_SPEC_H
#define CITYLAKE_SPEC_SPEC_H

#include "base/arena.h"
#include "record/schema.h"

/* Every feed table ends with these three columns, after the declared ones. */
#define CL_COL_PARTITION "_partition" /* int, required: source partition */
#define CL_COL_OFFSET "_offset"       /* long, required: offset in that partition */
#define CL_COL_INGESTED_AT                                                                         \
    "_ingested_at" /* timestamp, required: wall clock when the row was decoded */

/* One step of `from: location[0].x`: a member name, or an element index when key is NULL. */
struct cl_path_step {
    const char *key;
    size_t key_len;
    int index;
};

enum cl_string_format { CL_STRING_ANY, CL_STRING_UUID /* 8-4-4-4-12 hex digits, any case */ };

/* How a timestamp or date stands on the wire. */
enum cl_time_format {
    CL_TIME_ISO8601,  /* string, with or without zone (none = UTC); the default */
    CL_TIME_EPOCH_S,  /* number of seconds since 1970, fraction allowed */
    CL_TIME_EPOCH_MS, /* number, milliseconds */
    CL_TIME_EPOCH_US, /* number, microseconds */
};

struct cl_feed_column {
    struct cl_field field; /* also stands in feed->schema */
    struct cl_path_step
        *path;       /* where the value is in the JSON message; the column's own name by default */
    size_t path_len; /* >= 1 */
    enum cl_string_format format;
    enum cl_time_format time_format;
    bool base64; /* CL_BINARY from `encoding: base64` text (default for binary: the string's UTF-8
                    bytes) */
    bool has_range; /* numbers: stored value must be in [min, max]; NaN never is */
    double min, max;
    const char *unit; /* NULL or the unit of the stored value */
    const char
        *from_unit; /* NULL or the unit on the wire; stored = wire * unit_factor + unit_offset */
    double unit_factor, unit_offset;
    bool has_conversion;
    char **values; /* NULL or the strings allowed (`values: [Accident, Fire]`) */
    size_t n_values;
    int64_t
        max_bytes; /* strings and binaries: longer ones are rejected; 0 = no limit of their own */
    int line;      /* in city.yaml */
};

enum cl_transform { CL_PARTITION_NONE, CL_PARTITION_DAY, CL_PARTITION_HOUR, CL_PARTITION_MONTH };

struct cl_feed {
    const char *name; /* table name: [a-z][a-z0-9_]* */
    const char *topic;
    const char *doc;
    int key_column;        /* index into columns of the message key, or -1 */
    int event_time_column; /* index of a CL_TIMESTAMP column */
    int64_t watermark_us;  /* how late a row may be */
    int *unique_columns;   /* `unique: {by: [id], within: 10 minutes}`; n_unique 0 = none */
    size_t n_unique;
    int64_t unique_within_us;
    struct cl_feed_column *columns;
    size_t n_columns;
    enum cl_transform partition; /* of partition_column, or NONE */
    int partition_column;
    bool strict; /* unknown members reject the message */
    struct cl_schema
        schema; /* columns, then the three system columns: what the table has; ids 1..n */
    int line;
};

struct cl_lake_spec {
    const char *warehouse;      /* directory or URI; default ./lake */
    const char *namespace_name; /* default "city" */
    const char *catalog;        /* "local" */
    int64_t commit_every_us;    /* default 10 s */
    int64_t commit_rows;        /* default 5,000,000: commit early when this many rows wait */
    int64_t target_file_bytes;  /* default 128 MiB */
    int64_t row_group_bytes;    /* default 32 MiB: encoded bytes */
    const char *compression;    /* zstd | snappy | none */
    int compression_level;      /* zstd, default 1 */
    int64_t memory_bytes; /* default 384 MiB: what the engine may hold in batches and row groups */
};

/* kafka.security.  Strings are NULL where absent; secrets stand in `password` and `key_password` or
 * in the files named beside them, never in a message. */
struct cl_kafka_security {
    bool given; /* false: kafka.properties may say it */
    bool tls;
    const char *ca, *certificate, *key; /* PEM files */
    const char *key_password, *key_password_file;
    bool verify_host_name;
    const char *mechanism; /* plain, scram-sha-256, scram-sha-512; NULL: no SASL */
    const char *username, *password, *password_file;
};

struct cl_kafka_spec {
    const char *bootstrap_servers; /* KAFKA_BOOTSTRAP_SERVERS, else 127.0.0.1:9092 */
    const char *group;             /* default "citylake" */
    int partitions;                /* for topics that `simulate` creates, default 4 */
    int replication;               /* default 1 */
    char **properties;   /* name, value, name, value...: passed to librdkafka as they are */
    size_t n_properties; /* pairs */
    struct cl_kafka_security security;
};

struct cl_city_spec {
    int64_t vehicles;           /* default 1000 */
    uint64_t seed;              /* default 42 */
    int64_t start_us;           /* simulated time at the beginning, default 2026-01-05T06:00:00 */
    double speed_up;            /* simulated seconds per real second when paced; default 1 */
    double latitude, longitude; /* centre; default 51.5074, -0.1278 */
    double duplicates, late, out_of_order,
        malformed; /* faults to order, each a rate in [0, 1]; default 0 */
};

struct cl_spec {
    const char *path; /* file name as given, or "(built-in)" */
    struct cl_lake_spec lake;
    struct cl_kafka_spec kafka;
    struct cl_city_spec city;
    struct cl_feed *feeds;
    size_t n_feeds;
    struct cl_arena arena;
};

/* path is read whole (at most 1 MiB).  Environment variables of the reference are applied:
 * KAFKA_BOOTSTRAP_SERVERS, and VEHICLE_TOPIC, GPS_TOPIC, TRAFFIC_TOPIC, WEATHER_TOPIC,
 * EMERGENCY_TOPIC to feeds vehicle, gps, camera, weather, emergency. CL_ENOTFOUND, CL_EIO,
 * CL_EINVAL (where = file:line:column). */
CL_MUSTCHECK enum cl_code cl_spec_load(const char *path, struct cl_spec **ret,
                                       struct cl_error *err);

/* The built-in city.yaml: the five feeds of the reference pipeline. */
CL_MUSTCHECK enum cl_code cl_spec_load_builtin(struct cl_spec **ret, struct cl_error *err);

/* The same from memory; `path` only names it in messages.  This is what is fuzzed. */
CL_MUSTCHECK enum cl_code cl_spec_parse(const char *path, const char *text, size_t len,
                                        struct cl_spec **ret, struct cl_error *err);
void cl_spec_free(struct cl_spec *spec);

/* The text of the built-in city.yaml, NUL-terminated. */
const char *cl_spec_builtin_text(void);

const struct cl_feed *cl_spec_find_feed(const struct cl_spec *spec, const char *name); /* or NULL */
const struct cl_feed *cl_spec_find_topic(const struct cl_spec *spec, const char *topic,
                                         size_t len); /* or NULL */

#endif
