/* cameras.c - cameras at junctions of larger roads, and what passes them.
 *
 * Cameras stand where an arterial meets an arterial or a collector.  A picture is triggered by
 * traffic: for the n-th picture of a partition a few vehicles are drawn, and the first one that is
 * driving on an edge that ends at a camera's junction is photographed there.  When none of them is
 * (at night), the last drawn is shown at the camera nearest to it.  Cameras on busy roads therefore
 * send more pictures. */
#include "city/model.h"

#include <stdio.h>
#include <stdlib.h>

enum { LATTICE = 4, ARTERIAL = 8, CANDIDATES = 12 };

bool cl_camera_at(const struct cl_city *city, struct cl_node at)
{
    (void)city;
    return at.i % LATTICE == 0 && at.j % LATTICE == 0 &&
           (at.i % ARTERIAL == 0 || at.j % ARTERIAL == 0);
}

static int16_t to_lattice(int value, int every, int half)
{
    int at = (value + (value >= 0 ? every / 2 : -(every / 2))) / every * every;
    if (at > half) at -= every;
    if (at < -half) at += every;
    return (int16_t)at;
}

struct cl_node cl_camera_nearest(const struct cl_city *city, struct cl_node at)
{
    int half = city->roads.half;
    struct cl_node near = {to_lattice(at.i, LATTICE, half), to_lattice(at.j, LATTICE, half)};
    if (!cl_camera_at(city, near)) near.i = to_lattice(at.i, ARTERIAL, half);
    return near;
}

int64_t cl_camera_number(const struct cl_city *city, struct cl_node camera)
{
    int centre = city->camera_lines / 2;
    return (int64_t)(camera.j / LATTICE + centre) * city->camera_lines +
           (camera.i / LATTICE + centre);
}

int64_t cl_city_camera_count(const struct cl_city *city)
{
    return city->cameras;
}

void cl_city_camera(const struct cl_city *city, int64_t i, char id[24], double ret_location[2])
{
    int64_t lines = city->camera_lines, number = -1;
    struct cl_node at = {0, 0};
    /* Every second place of every second line has none. */
    for (int64_t seen = -1; seen < i; number++) {
        at.i = (int16_t)(((number + 1) % lines - lines / 2) * LATTICE);
        at.j = (int16_t)(((number + 1) / lines - lines / 2) * LATTICE);
        if (cl_camera_at(city, at)) seen++;
    }
    (void)snprintf(id, 24, "Camera-%05lld", (long long)number);
    size_t node = cl_node_index(&city->roads, at);
    ret_location[0] =
        city->roads.latitude + (double)city->roads.y[node] * city->roads.deg_per_m_lat;
    ret_location[1] =
        city->roads.longitude + (double)city->roads.x[node] * city->roads.deg_per_m_lon;
}

/* A look at the timetable, which costs less than finding the vehicle. */
static bool may_drive(const struct cl_city *city, int64_t vehicle, int64_t time_us)
{
    struct cl_trip trip;
    uint32_t elapsed;
    cl_trip_plan(city, vehicle, cl_trip_slot(city, vehicle, time_us, &elapsed), &trip);
    return trip.route.n > 1 && elapsed >= trip.depart &&
           (double)(elapsed - trip.depart) < 4e6 * trip.route.free_s;
}

enum cl_code cl_camera_shoot(const struct cl_city *city, struct cl_incident_book *book,
                             int partition, int64_t n, int64_t time_us, struct cl_camera_shot *ret,
                             struct cl_error *err)
{
    int64_t partitions = city->config.partitions;
    int64_t vehicles = (city->config.vehicles - partition + partitions - 1) / partitions;
    uint64_t key = city->key[CL_KEY_CAMERA] + (uint64_t)partition * (CANDIDATES + 1);
    for (uint64_t k = 0; k < CANDIDATES; k++) {
        ret->vehicle =
            partition + partitions * cl_below(cl_city_hash(key, (uint64_t)n, k), vehicles);
        if (k + 1 < CANDIDATES && !may_drive(city, ret->vehicle, time_us)) continue;
        struct cl_city_motion motion;
        cl_city_motion_reset(&motion);
        enum cl_code code =
            cl_vehicle_move(city, book, ret->vehicle, time_us, &motion, &ret->place, err);
        if (code != CL_OK) return code;
        if (!ret->place.driving) continue;
        bool from = cl_camera_at(city, ret->place.at), to = cl_camera_at(city, ret->place.to);
        if (!from && !to) continue;
        ret->camera = from && (!to || ret->place.along < 0.5) ? ret->place.at : ret->place.to;
        return CL_OK;
    }
    ret->camera = cl_camera_nearest(city, ret->place.at);
    return CL_OK;
}
