/* model.h - the city's state as functions of time (private to src/city).
 *
 * What depends on what, so that nothing goes in circles:
 *   roads <- routes of trips <- incidents (they lie on a route)        no speeds needed up to here
 *   weather (place, time), congestion (place, time)
 *   speed on an edge <- road class, congestion, weather, incidents
 *   position of a vehicle <- its route and the speeds on it
 *   air quality <- congestion, weather */
#ifndef CITYLAKE_CITY_MODEL_H
#define CITYLAKE_CITY_MODEL_H

#include "city/noise.h"
#include "city/roads.h"

#define CL_SECOND_US INT64_C(1000000)
#define CL_HOUR_US (3600 * CL_SECOND_US)
#define CL_DAY_US (24 * CL_HOUR_US)

/* One key for each purpose of random numbers. */
enum cl_key {
    CL_KEY_ROADS,
    CL_KEY_DENSITY,
    CL_KEY_FLOW,
    CL_KEY_FRONT,
    CL_KEY_REGIME,
    CL_KEY_WIND,
    CL_KEY_WARMTH,
    CL_KEY_HOME,
    CL_KEY_TRIP,
    CL_KEY_DRIVER,
    CL_KEY_PROFILE,
    CL_KEY_SENSOR,
    CL_KEY_INCIDENT,
    CL_KEY_CAMERA,
    CL_KEY_ID,
    CL_KEY_FAULT,
    CL_KEY_COPY,
    CL_KEYS,
};

struct cl_city {
    struct cl_city_config config;
    struct cl_roads roads;
    uint64_t key[CL_KEYS];
    int64_t zone_us; /* local (solar) time - UTC */
    int64_t slot_us; /* each vehicle makes at most one trip in a slot */
    int reach;       /* edges between a vehicle's two anchors */
    int64_t cameras;
    int camera_lines;          /* cameras stand on a lattice of this many lines each way */
    double incidents_per_hour; /* at the busiest time */
    uint64_t duplicates_20;    /* rate of duplicates in 2^-20 */
};

/* floor(a / b), also for times before 1970 */
static inline int64_t cl_floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}

/* --- weather.c --- */
enum cl_sky { CL_SKY_SUNNY, CL_SKY_CLOUDY, CL_SKY_RAIN, CL_SKY_SNOW, CL_SKIES };
struct cl_weather {
    enum cl_sky sky;
    double temperature, precipitation, wind_speed, humidity; /* C, mm/h, km/h, % */
};
void cl_weather_at(const struct cl_city *city, double x, double y, int64_t time_us,
                   struct cl_weather *ret);
/* What rain and snow leave of the speed, 0.55 to 1. */
double cl_weather_speed_factor(const struct cl_city *city, double x, double y, int64_t time_us);
/* Height of the sun over the horizon: -1 midnight to 1 noon, roughly. */
double cl_sun(const struct cl_city *city, int64_t time_us);

/* --- traffic.c --- */
/* How busy this hour is on the whole, 0 to 1: two rush hours on working days. */
double cl_traffic_demand(const struct cl_city *city, int64_t time_us);
double cl_traffic_congestion(const struct cl_city *city, double x, double y, int64_t time_us);
double cl_air_quality_index(const struct cl_city *city, double x, double y, int64_t time_us,
                            const struct cl_weather *w);

struct cl_incident_book;
/* Speed in m/s of an average driver on the edge that leaves `at` in direction `dir`. */
enum cl_code cl_traffic_speed(const struct cl_city *city, struct cl_incident_book *book,
                              struct cl_node at, int dir, int64_t time_us, double *ret_mps,
                              struct cl_error *err);

/* --- trips.c --- */
enum cl_vehicle_type { CL_TYPE_PRIVATE, CL_TYPE_TAXI, CL_TYPE_BUS, CL_TYPE_TRUCK };
enum cl_vehicle_type cl_vehicle_type_of(const struct cl_city *city, int64_t vehicle);

struct cl_trip {
    int64_t slot;
    uint32_t depart; /* us after the slot began */
    struct cl_route route;
};
/* The slot of this moment and how far it is gone. */
int64_t cl_trip_slot(const struct cl_city *city, int64_t vehicle, int64_t time_us,
                     uint32_t *ret_elapsed);
/* What the vehicle does in a slot: a trip, or a route of one corner where it stays. */
void cl_trip_plan(const struct cl_city *city, int64_t vehicle, int64_t slot, struct cl_trip *ret);

/* --- vehicles.c --- */
/* How far a vehicle is on its trip.  All zero is a valid beginning except for `slot`: see
 * cl_city_motion_reset.  32 bytes. */
struct cl_city_motion {
    int32_t slot;
    uint32_t enter, leave; /* us after the slot began: of the edge, or of the stay */
    struct cl_node at;     /* where the edge begins, or where it is parked */
    uint16_t edges_left;   /* of the route, this edge included; 0 when parked */
    uint16_t stretch_left; /* edges of this stretch, this one included */
    uint8_t dir, stretch, phase;
};
static inline void cl_city_motion_reset(struct cl_city_motion *m)
{
    *m = (struct cl_city_motion){.slot = INT32_MIN};
}

struct cl_city_place {
    bool driving;
    struct cl_node at, to; /* the same when parked */
    int dir;
    double along; /* 0 to 1 between them */
    double x, y;  /* metres */
    double speed; /* m/s */
};
/* Moves `m` to time_us.  Cheap when it stood shortly before; otherwise walks the slot's trip from
 * its beginning. */
enum cl_code cl_vehicle_move(const struct cl_city *city, struct cl_incident_book *book,
                             int64_t vehicle, int64_t time_us, struct cl_city_motion *m,
                             struct cl_city_place *ret, struct cl_error *err);

struct cl_profile {
    const char *make, *model, *fuel, *type;
    int year;
    int colour; /* of the car in pictures */
};
void cl_vehicle_profile(const struct cl_city *city, int64_t vehicle, struct cl_profile *ret);

/* --- incidents.c --- */
enum cl_incident_type { CL_ACCIDENT, CL_FIRE, CL_MEDICAL, CL_POLICE, CL_INCIDENT_TYPES };
struct cl_incident {
    int64_t start_us, end_us;
    int64_t hour; /* bucket it belongs to */
    int64_t vehicle;
    struct cl_node at;
    uint8_t dir;
    uint8_t type;
    uint8_t events; /* messages about it: the first Active, the last Resolved */
    int32_t number; /* in its hour */
};
/* An incident ends, late messages included, at most so many hours after its bucket. */
enum { CL_INCIDENT_HOURS = 2 };

/* Incidents of a few recent hours, looked up by junction.  A cache: the answers never depend on
 * what it holds. */
enum cl_code cl_incident_book_new(const struct cl_city *city, struct cl_incident_book **ret,
                                  struct cl_error *err);
void cl_incident_book_free(struct cl_incident_book *book);
enum cl_code cl_incident_book_hour(struct cl_incident_book *book, int64_t hour,
                                   const struct cl_incident **ret, size_t *ret_n,
                                   struct cl_error *err);
/* What incidents leave of the speed on an edge: 1 for none. */
enum cl_code cl_incident_speed_factor(struct cl_incident_book *book, struct cl_node at, int dir,
                                      int64_t time_us, double *ret, struct cl_error *err);

/* --- cameras.c --- */
bool cl_camera_at(const struct cl_city *city, struct cl_node at);
struct cl_node cl_camera_nearest(const struct cl_city *city, struct cl_node at);
int64_t cl_camera_number(const struct cl_city *city, struct cl_node camera);
struct cl_camera_shot {
    int64_t vehicle;
    struct cl_node camera;
    struct cl_city_place place; /* of the vehicle */
};
/* Finds a vehicle of `partition` for the n-th picture of that partition. */
enum cl_code cl_camera_shoot(const struct cl_city *city, struct cl_incident_book *book,
                             int partition, int64_t n, int64_t time_us, struct cl_camera_shot *ret,
                             struct cl_error *err);

#endif
