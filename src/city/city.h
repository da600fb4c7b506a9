/* city.h - the simulated city: a pure function from (seed, feed, partition, offset) to an event.
 *
 *   cl_city_new -> any number of readers -> cl_city_free, where a reader is one of
 *     cl_city_cursor_new -> (peek | next)* -> cl_city_cursor_free    one partition
 *     cl_city_merge_new -> (peek | next)* -> cl_city_merge_free      feeds in the order of time
 *     cl_city_view_new -> cl_city_view_vehicle* -> cl_city_view_free a vehicle at a moment
 *
 * A city is immutable: any number of cursors, merges and views may be used by as many threads, one
 * thread each.  Nothing is simulated step by step.  What a vehicle does at a moment follows from
 * the seed, its number and the time, so a cursor can begin at any offset for the price of walking
 * at most one trip, and two cursors at the same offset give the same bytes.
 *
 * Each feed has `partitions` partitions; partition p holds the vehicles with number % partitions ==
 * p.  Offsets of vehicle, gps, camera and weather are dense.  Those of emergency have gaps, since
 * incidents come at random: offset = hour * 2^20 + rank in that hour.  An offset inside a gap is a
 * valid position and means the next event there is.
 *
 * Messages are JSON objects in the reference pipeline's shapes, written as Python's json.dumps does
 * (", " and ": "), with times as datetime.isoformat gives them, in UTC and without a zone. */
#ifndef CITYLAKE_CITY_CITY_H
#define CITYLAKE_CITY_CITY_H

#include "base/error.h"

#include <stdint.h>

enum cl_city_feed {
    CL_CITY_VEHICLE,   /* every 10 s from each vehicle: place, speed, what car it is */
    CL_CITY_GPS,       /* at the same instants: speed as the receiver measures it */
    CL_CITY_CAMERA,    /* every minute a picture per camera, at most one per ten vehicles */
    CL_CITY_WEATHER,   /* every 60 s from every eighth vehicle */
    CL_CITY_EMERGENCY, /* incidents: Active, perhaps again Active, Resolved */
    CL_CITY_FEEDS,
};

/* A set of feeds, for the functions that look at several. */
#define CL_CITY_BIT(feed) (1u << (feed))
#define CL_CITY_ALL_FEEDS (CL_CITY_BIT(CL_CITY_FEEDS) - 1)

/* "vehicle", "gps", "camera", "weather", "emergency". */
const char *cl_city_feed_name(enum cl_city_feed feed);

/* Counts up when the same configuration gives other events than before. */
enum { CL_CITY_VERSION = 1 };

enum {
    CL_CITY_MAX_PARTITIONS = 1024,
    CL_CITY_MAX_MESSAGE = 8192, /* bytes of a value */
    CL_CITY_MAX_KEY = 24,       /* bytes of a key, its NUL included */
};

struct cl_city_config {
    int64_t vehicles; /* 1 to 10,000,000; the road network grows with it */
    uint64_t seed;
    int64_t start_us;           /* simulated time of the first event */
    double latitude, longitude; /* centre */
    int partitions;             /* of each feed, 1 to CL_CITY_MAX_PARTITIONS */
    /* Faults to order, each a rate from 0 to 1. */
    double duplicates;   /* copies per event: the same bytes again, later in the partition */
    double late;         /* events that describe a moment 2 to 10 minutes before they are sent */
    double out_of_order; /* events that fall back behind the next few; at most about 1 in 5 does */
    double malformed;    /* events that are broken, each in one way of enum cl_city_malformed */
};

/* How an event was spoiled on purpose. */
enum cl_city_malformed {
    CL_CITY_WELL_FORMED,
    CL_CITY_TRUNCATED,  /* the JSON text ends too early */
    CL_CITY_WRONG_TYPE, /* a column holds a value of another type */
    CL_CITY_MISSING,    /* no id */
    CL_CITY_RANGE,      /* a latitude of 123 degrees; for gps a speed of 99999.99 km/h */
    CL_CITY_BAD_UTF8,   /* a byte that no UTF-8 text has */
    CL_CITY_EMPTY,      /* no bytes at all */
    CL_CITY_MALFORMED_KINDS,
};
const char *cl_city_malformed_name(enum cl_city_malformed kind); /* "truncated", ... */

enum { CL_CITY_MEASURES = 5 };
/* Name of the i-th number that events of a feed carry in `measures`, or NULL past the last. */
const char *cl_city_measure_name(enum cl_city_feed feed, int i);

struct cl_city_event {
    enum cl_city_feed feed;
    int partition;
    int64_t offset;
    int64_t timestamp_us;  /* when it is sent: never goes back within a partition */
    int64_t event_time_us; /* what its "timestamp" member says */
    const char *key;       /* vehicle_id; NUL-terminated; borrowed until the cursor's next call */
    size_t key_len;
    const uint8_t *value; /* borrowed until the cursor's next call; never holds a newline */
    size_t value_len;
    char id[37];    /* its "id" member, also when a malformed message lacks it */
    bool duplicate; /* the same bytes were sent before */
    bool late;
    bool moved; /* out of order: sent after events that are younger */
    enum cl_city_malformed malformed;
    int64_t measures[CL_CITY_MEASURES]; /* numbers of the message in hundredths: sums are exact */
};

struct cl_city;

/* Builds the road network.  CL_EINVAL: a value of config is outside of what it may be (named).
 * CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_city_new(const struct cl_city_config *config, struct cl_city **ret,
                                      struct cl_error *err);
void cl_city_free(struct cl_city *city);

const struct cl_city_config *cl_city_config_of(const struct cl_city *city);

/* Events of `feeds` per simulated second, on average, duplicates included. */
double cl_city_events_per_second(const struct cl_city *city, unsigned feeds);

/* First offset of a partition whose event is sent at or after time_us. */
CL_MUSTCHECK enum cl_code cl_city_offset_at(const struct cl_city *city, enum cl_city_feed feed,
                                            int partition, int64_t time_us, int64_t *ret,
                                            struct cl_error *err);

/* Where every partition stands after the first `events` events of `feeds` together, in the order
 * that cl_city_merge_next gives: ret[feed * partitions + partition], 0 for feeds that are not
 * wanted.  CL_EINVAL: no feeds, or more than 200 simulated years. */
CL_MUSTCHECK enum cl_code cl_city_offsets_after(const struct cl_city *city, unsigned feeds,
                                                int64_t events, int64_t *ret, struct cl_error *err);

struct cl_city_cursor;

/* city is borrowed and outlives the cursor.  Memory: 32 bytes per vehicle of the partition for
 * vehicle and gps, an eighth of that for weather, plus at most about a megabyte for incidents and
 * pictures.  CL_EINVAL: offset < 0, or some thousand years away.  CL_ENOMEM. */
CL_MUSTCHECK enum cl_code cl_city_cursor_new(const struct cl_city *city, enum cl_city_feed feed,
                                             int partition, int64_t offset,
                                             struct cl_city_cursor **ret, struct cl_error *err);
void cl_city_cursor_free(struct cl_city_cursor *cursor);

/* When the next event is sent; INT64_MAX when the partition has none (there are more partitions
 * than vehicles). */
CL_MUSTCHECK enum cl_code cl_city_cursor_peek(struct cl_city_cursor *cursor, int64_t *ret_time_us,
                                              struct cl_error *err);

/* The event at the cursor's position, and steps past it.  CL_ENOTFOUND: there is none and never
 * will be. */
CL_MUSTCHECK enum cl_code cl_city_cursor_next(struct cl_city_cursor *cursor,
                                              struct cl_city_event *ret, struct cl_error *err);

/* Offset of the next event or of the gap before it: what to give cl_city_cursor_new to go on. */
int64_t cl_city_cursor_offset(const struct cl_city_cursor *cursor);

struct cl_city_merge;

/* The partitions of `feeds` in the order of sending; ties by feed, then partition.  Begins at the
 * first event. */
CL_MUSTCHECK enum cl_code cl_city_merge_new(const struct cl_city *city, unsigned feeds,
                                            struct cl_city_merge **ret, struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_city_merge_peek(struct cl_city_merge *merge, int64_t *ret_time_us,
                                             struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_city_merge_next(struct cl_city_merge *merge, struct cl_city_event *ret,
                                             struct cl_error *err);
void cl_city_merge_free(struct cl_city_merge *merge);

/* The road network, for maps.  Edges are straight lines between junctions, numbered from 0; each is
 * driven both ways. */
enum cl_road_class {
    CL_ROAD_MOTORWAY,
    CL_ROAD_ARTERIAL,
    CL_ROAD_COLLECTOR,
    CL_ROAD_LOCAL,
    CL_ROAD_CLASSES
};
const char *cl_road_class_name(enum cl_road_class road_class);

struct cl_city_edge {
    double from[2], to[2]; /* latitude, longitude */
    enum cl_road_class road_class;
    double length_m;
    double free_speed; /* km/h on an empty road */
};
int64_t cl_city_edge_count(const struct cl_city *city);
void cl_city_edge(const struct cl_city *city, int64_t edge, struct cl_city_edge *ret);

/* Junctions with a camera: number of them, and the place of the i-th. */
int64_t cl_city_camera_count(const struct cl_city *city);
void cl_city_camera(const struct cl_city *city, int64_t i, char id[24], double ret_location[2]);

/* What is true at one place and moment, without rounding and sensor noise; for maps and tests. */
struct cl_city_sight {
    double location[2];
    bool driving;
    int64_t edge;         /* the vehicle is on, or -1 when parked */
    double speed;         /* km/h */
    double free_speed;    /* km/h of that edge */
    double congestion;    /* 0 empty to 1 jammed, at the vehicle */
    double precipitation; /* mm/h */
    double temperature;   /* C */
    double wind_speed;    /* km/h */
    double air_quality_index;
    bool incident; /* one is active on this edge or on one that touches it */
};
struct cl_city_view;
CL_MUSTCHECK enum cl_code cl_city_view_new(const struct cl_city *city, struct cl_city_view **ret,
                                           struct cl_error *err);
CL_MUSTCHECK enum cl_code cl_city_view_vehicle(struct cl_city_view *view, int64_t vehicle,
                                               int64_t time_us, struct cl_city_sight *ret,
                                               struct cl_error *err);
void cl_city_view_free(struct cl_city_view *view);

#endif
