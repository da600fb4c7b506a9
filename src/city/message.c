/* message.c - an event as JSON text.
 *
 * Numbers are rounded first (coordinates to 6 decimals, the rest to 2) and printed as Python prints
 * such a float: no zeros at the end but at least one decimal.  Everything is written straight into
 * a buffer that is larger than any message: the longest parts are the picture (CL_PICTURE_MAX) and
 * the fixed texts below, far under CL_CITY_MAX_MESSAGE together. */
#include "city/plan.h"

#include "base/clock.h"
#include "city/picture.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

struct out {
    char *p;
    enum cl_city_malformed spoil;
};

static void put(struct out *o, const char *text, size_t len)
{
    memcpy(o->p, text, len);
    o->p += len;
}
#define PUT(o, literal) put((o), (literal), sizeof(literal) - 1)

static void put_str(struct out *o, const char *text)
{
    put(o, text, strlen(text));
}

static void put_uint(struct out *o, uint64_t value, int least_digits)
{
    char digits[24];
    int n = 0;
    while (value > 0 || n < least_digits) {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    }
    while (n > 0)
        *o->p++ = digits[--n];
}

/* value / 10^decimals */
static void put_decimal(struct out *o, int64_t value, int decimals)
{
    static const uint64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t v = value < 0 ? (uint64_t)-value : (uint64_t)value;
    if (value < 0) *o->p++ = '-';
    put_uint(o, v / power[decimals], 1);
    *o->p++ = '.';
    put_uint(o, v % power[decimals], decimals);
    for (int k = 1; k < decimals && o->p[-1] == '0'; k++)
        o->p--;
}

static int64_t rounded(double value, double scale)
{
    value *= scale;
    return (int64_t)(value < 0 ? value - 0.5 : value + 0.5);
}

/* A random UUID (version 4, RFC 9562) that belongs to (a, b). */
static void format_uuid(char *p, uint64_t key, uint64_t a, uint64_t b)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t high = cl_city_hash(key, a, b), low = cl_city_hash(key + 0x5bd1e995, b, a);
    high = (high & ~UINT64_C(0xf000)) | 0x4000;
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    for (int k = 0; k < 16; k++) {
        uint64_t word = k < 8 ? high : low;
        unsigned byte = (unsigned)(word >> (56 - 8 * (k & 7))) & 0xff;
        if (k == 4 || k == 6 || k == 8 || k == 10) *p++ = '-';
        *p++ = hex[byte >> 4];
        *p++ = hex[byte & 15];
    }
    *p = '\0';
}

static void put_head(struct out *o, const char *id, const char *key, size_t key_len)
{
    PUT(o, "{");
    if (o->spoil != CL_CITY_MISSING) {
        PUT(o, "\"id\": \"");
        put(o, id, 36);
        PUT(o, "\", ");
    }
    PUT(o, "\"vehicle_id\": \"");
    char *text = o->p;
    put(o, key, key_len);
    if (o->spoil == CL_CITY_BAD_UTF8) *text = (char)0xff;
    PUT(o, "\"");
}

static void put_time(struct cl_city_writer *w, struct out *o, int64_t time_us)
{
    int64_t day = cl_floor_div(time_us, CL_DAY_US), rest = time_us - day * CL_DAY_US;
    if (day != w->date_day) {
        int64_t year;
        unsigned month, dom;
        cl_civil_from_days(day, &year, &month, &dom);
        (void)snprintf(w->date, sizeof w->date, "%04d-%02u-%02uT", (int)(year % 10000), month % 100,
                       dom % 100);
        w->date_day = day;
    }
    PUT(o, ", \"timestamp\": \"");
    put(o, w->date, 11);
    uint64_t seconds = (uint64_t)(rest / CL_SECOND_US), us = (uint64_t)(rest % CL_SECOND_US);
    put_uint(o, seconds / 3600, 2);
    *o->p++ = ':';
    put_uint(o, seconds / 60 % 60, 2);
    *o->p++ = ':';
    put_uint(o, seconds % 60, 2);
    if (us != 0) { /* as isoformat: all six digits or none */
        *o->p++ = '.';
        put_uint(o, us, 6);
    }
    PUT(o, "\"");
}

static void put_location(const struct cl_city *city, struct out *o, double x, double y)
{
    const struct cl_roads *r = &city->roads;
    PUT(o, ", \"location\": [");
    if (o->spoil == CL_CITY_RANGE)
        PUT(o, "123.456789");
    else
        put_decimal(o, rounded(r->latitude + y * r->deg_per_m_lat, 1e6), 6);
    PUT(o, ", ");
    put_decimal(o, rounded(r->longitude + x * r->deg_per_m_lon, 1e6), 6);
    PUT(o, "]");
}

static void put_text(struct out *o, const char *name, const char *value)
{
    PUT(o, ", \"");
    put_str(o, name);
    PUT(o, "\": \"");
    put_str(o, value);
    PUT(o, "\"");
}

static void put_number(struct out *o, const char *name, int64_t hundredths)
{
    PUT(o, ", \"");
    put_str(o, name);
    PUT(o, "\": ");
    put_decimal(o, hundredths, 2);
}

static const char *direction(const struct cl_city *city, const struct cl_city_place *place)
{
    static const char *const names[] = {"East", "North-East", "North", "North-West",
                                        "West", "South-West", "South", "South-East"};
    const struct cl_roads *r = &city->roads;
    if (!place->driving) return names[place->dir * 2 + 1];
    size_t from = cl_node_index(r, place->at), to = cl_node_index(r, place->to);
    double dx = (double)(r->x[to] - r->x[from]), dy = (double)(r->y[to] - r->y[from]);
    double ax = fabs(dx), ay = fabs(dy);
    const double eighth = 0.41421356; /* tan 22.5 degrees */
    if (ay < ax * eighth) return names[dx > 0 ? 0 : 4];
    if (ax < ay * eighth) return names[dy > 0 ? 2 : 6];
    if (dy > 0) return names[dx > 0 ? 1 : 3];
    return names[dx > 0 ? 7 : 5];
}

static void put_speed(struct out *o, int64_t hundredths)
{
    if (o->spoil == CL_CITY_WRONG_TYPE)
        PUT(o, ", \"speed\": \"fast\"");
    else
        put_number(o, "speed", hundredths);
}

static void write_vehicle(struct cl_city_writer *w, struct out *o, int64_t vehicle,
                          const struct cl_city_place *place, struct cl_city_event *event)
{
    struct cl_profile profile;
    cl_vehicle_profile(w->city, vehicle, &profile);
    event->measures[0] = rounded(place->speed * 3.6, 100);
    put_location(w->city, o, place->x, place->y);
    put_speed(o, event->measures[0]);
    put_text(o, "direction", direction(w->city, place));
    put_text(o, "make", profile.make);
    put_text(o, "model", profile.model);
    PUT(o, ", \"year\": ");
    put_uint(o, (uint64_t)profile.year, 1);
    put_text(o, "fuelType", profile.fuel);
}

static void write_gps(struct cl_city_writer *w, struct out *o, int64_t vehicle,
                      const struct cl_city_place *place, struct cl_city_event *event)
{
    static const char *const types[] = {"private", "taxi", "bus", "truck"};
    uint64_t h = cl_city_hash(w->city->key[CL_KEY_SENSOR], (uint64_t)vehicle,
                              (uint64_t)event->event_time_us);
    /* Triangular, -1 to 1 km/h; a parked car seems to creep. */
    double noise = cl_unit(h) + cl_unit(cl_mix64(h)) - 1;
    double kmh = place->driving ? fmax(0, place->speed * 3.6 + noise) : fmax(0, noise - 0.5);
    event->measures[0] = rounded(kmh, 100);
    if (o->spoil == CL_CITY_RANGE)
        PUT(o, ", \"speed\": 99999.99");
    else
        put_speed(o, event->measures[0]);
    put_text(o, "direction", direction(w->city, place));
    put_text(o, "vehicleType", types[cl_vehicle_type_of(w->city, vehicle)]);
}

static void write_weather(struct cl_city_writer *w, struct out *o,
                          const struct cl_city_place *place, struct cl_city_event *event)
{
    static const char *const skies[] = {"Sunny", "Cloudy", "Rain", "Snow"};
    struct cl_weather weather;
    cl_weather_at(w->city, place->x, place->y, event->event_time_us, &weather);
    double aqi = cl_air_quality_index(w->city, place->x, place->y, event->event_time_us, &weather);
    int64_t *m = event->measures;
    m[0] = rounded(weather.temperature, 100);
    m[1] = rounded(weather.precipitation, 100);
    m[2] = rounded(weather.wind_speed, 100);
    m[3] = rounded(weather.humidity, 1) * 100;
    m[4] = rounded(aqi, 100);
    /* What rounds to no rain is no rain. */
    const char *sky = weather.precipitation > 0 && m[1] == 0 ? "Cloudy" : skies[weather.sky];
    if (o->spoil == CL_CITY_WRONG_TYPE)
        PUT(o, ", \"temperature\": \"cold\"");
    else
        put_number(o, "temperature", m[0]);
    put_text(o, "weatherCondition", sky);
    put_number(o, "precipitation", m[1]);
    put_number(o, "windSpeed", m[2]);
    PUT(o, ", \"humidity\": ");
    put_uint(o, (uint64_t)m[3] / 100, 1);
    put_number(o, "airQualityIndex", m[4]);
}

static enum cl_code write_camera(struct cl_city_writer *w, struct out *o,
                                 const struct cl_camera_shot *shot, struct cl_city_event *event,
                                 struct cl_error *err)
{
    const struct cl_city *city = w->city;
    size_t node = cl_node_index(&city->roads, shot->camera);
    double x = (double)city->roads.x[node], y = (double)city->roads.y[node];
    struct cl_weather weather;
    cl_weather_at(city, x, y, event->event_time_us, &weather);
    struct cl_profile profile;
    cl_vehicle_profile(city, shot->vehicle, &profile);
    double sun = cl_sun(city, event->event_time_us);
    struct cl_city_scene scene = {.light = sun < -0.1   ? 0
                                           : sun < 0.15 ? 1
                                                        : 2,
                                  .sky = (int)weather.sky,
                                  .colour = profile.colour,
                                  .crowd = cl_traffic_congestion(city, x, y, event->event_time_us) >
                                           0.35};
    struct cl_city_picture picture;
    enum cl_code code = cl_album_picture(w->album, &scene, &picture, err);
    if (code != CL_OK) return code;
    PUT(o, ", \"camera_id\": \"Camera-");
    put_uint(o, (uint64_t)cl_camera_number(city, shot->camera), 5);
    PUT(o, "\"");
    put_location(city, o, x, y);
    put_time(w, o, event->event_time_us);
    if (o->spoil == CL_CITY_WRONG_TYPE) {
        PUT(o, ", \"snapshot\": 17");
        return CL_OK;
    }
    PUT(o, ", \"snapshot\": \"");
    put(o, picture.text, picture.len);
    PUT(o, "\"");
    event->measures[0] = (int64_t)picture.len * 100;
    return CL_OK;
}

static void write_emergency(struct cl_city_writer *w, struct out *o, const struct cl_incident *inc,
                            int k, struct cl_city_event *event)
{
    static const char *const types[] = {"Accident", "Fire", "Medical", "Police"};
    static const char *const what[] = {
        "Collision, lanes blocked", "Fire, road closed by the fire brigade",
        "Medical emergency, ambulance on the road", "Police operation, traffic held"};
    const struct cl_roads *r = &w->city->roads;
    struct cl_node to = cl_node_step(inc->at, inc->dir, 1);
    size_t a = cl_node_index(r, inc->at), b = cl_node_index(r, to);
    bool resolved = k + 1 == inc->events;
    char id[37];
    format_uuid(id, w->city->key[CL_KEY_ID] + 99, (uint64_t)inc->hour, (uint64_t)inc->number);
    put_text(o, "incidentId", id);
    put_text(o, "type", types[inc->type]);
    put_time(w, o, event->event_time_us);
    put_location(w->city, o, (double)(r->x[a] + r->x[b]) / 2, (double)(r->y[a] + r->y[b]) / 2);
    if (o->spoil == CL_CITY_WRONG_TYPE)
        PUT(o, ", \"status\": {\"code\": 3}");
    else
        put_text(o, "status", resolved ? "Resolved" : "Active");
    PUT(o, ", \"description\": \"");
    put_str(o, what[inc->type]);
    put_str(o, ", ");
    put_str(o, cl_road_class_name(cl_roads_class(r, inc->at, inc->dir)));
    put_str(o, resolved ? " road: cleared\""
               : k == 0 ? " road: reported\""
                        : " road: still going on\"");
    event->measures[0] = resolved ? 100 : 0;
}

/* Spoils that are done to the finished text. */
static void spoil_text(struct out *o, char *begin, uint64_t hash)
{
    if (o->spoil == CL_CITY_EMPTY) o->p = begin;
    if (o->spoil == CL_CITY_TRUNCATED) o->p = begin + 1 + cl_below(hash, o->p - begin - 1);
}

static size_t format_key(char *key, int64_t vehicle)
{
    struct out o = {.p = key};
    PUT(&o, "Vehicle-");
    put_uint(&o, (uint64_t)vehicle, 5);
    *o.p = '\0';
    return (size_t)(o.p - key);
}

static enum cl_code write_moving(struct cl_city_writer *w, enum cl_city_feed feed, struct out *o,
                                 int64_t vehicle, struct cl_city_motion *motion,
                                 struct cl_city_event *event, struct cl_error *err)
{
    struct cl_city_motion aside;
    cl_city_motion_reset(&aside);
    struct cl_city_place place;
    enum cl_code code = cl_vehicle_move(w->city, w->book, vehicle, event->event_time_us,
                                        motion ? motion : &aside, &place, err);
    if (code != CL_OK) return code;
    if (feed == CL_CITY_WEATHER) put_location(w->city, o, place.x, place.y);
    put_time(w, o, event->event_time_us);
    if (feed == CL_CITY_VEHICLE) write_vehicle(w, o, vehicle, &place, event);
    if (feed == CL_CITY_GPS) write_gps(w, o, vehicle, &place, event);
    if (feed == CL_CITY_WEATHER) write_weather(w, o, &place, event);
    return CL_OK;
}

enum cl_code cl_city_message_write(struct cl_city_writer *w, enum cl_city_feed feed, int partition,
                                   const struct cl_city_plan *plan,
                                   const struct cl_city_entry *entry, int64_t entity,
                                   struct cl_city_motion *motion, struct cl_city_message *ret,
                                   struct cl_city_event *event, struct cl_error *err)
{
    struct out o = {.p = (char *)ret->value, .spoil = entry->malformed};
    const struct cl_incident *inc =
        feed == CL_CITY_EMERGENCY ? &plan->incidents[entry->n / 8] : NULL;
    struct cl_camera_shot shot;
    enum cl_code code = CL_OK;
    uint64_t a = (uint64_t)partition, b = (uint64_t)entry->n;
    int64_t vehicle = entity;
    if (inc != NULL) {
        vehicle = inc->vehicle;
        a = (uint64_t)inc->hour << 20 | (uint64_t)inc->number;
        b = (uint64_t)entry->n % 8;
    } else if (feed == CL_CITY_CAMERA) {
        code = cl_camera_shoot(w->city, w->book, partition, entry->n, entry->time_us, &shot, err);
        if (code != CL_OK) return code;
        vehicle = shot.vehicle;
    }
    memset(event->measures, 0, sizeof event->measures);
    event->event_time_us = entry->time_us;
    format_uuid(event->id, w->city->key[CL_KEY_ID] + (uint64_t)feed, a, b);
    ret->key_len = format_key(ret->key, vehicle);
    put_head(&o, event->id, ret->key, ret->key_len);
    if (inc != NULL)
        write_emergency(w, &o, inc, (int)b, event);
    else if (feed == CL_CITY_CAMERA)
        code = write_camera(w, &o, &shot, event, err);
    else
        code = write_moving(w, feed, &o, vehicle, motion, event, err);
    if (code != CL_OK) return code;
    PUT(&o, "}");
    spoil_text(&o, (char *)ret->value, cl_city_hash(w->city->key[CL_KEY_COPY] - 1, a, b));
    ret->len = (size_t)(o.p - (char *)ret->value);
    assert(ret->len <= CL_CITY_MAX_MESSAGE);
    return CL_OK;
}
