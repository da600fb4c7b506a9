/* trips.c - who drives where, and when.
 *
 * Time is cut into slots, shifted for each vehicle so that they do not all start at once.  In a
 * slot a vehicle stays or makes one trip.  Each has two anchors a city-wide distance apart (home
 * and work, depot and customer, the ends of a bus line).  An active slot with an even number leads
 * to the neighbourhood of one anchor, with an odd number to the other.  So where a vehicle stands
 * follows from its last active slot, which is found by looking back; one slot in each SURE_EVERY is
 * active in any case, which bounds that look. */
#include "city/model.h"

#include <math.h>
#include <stdlib.h>

enum { SURE_EVERY = 16 };

enum cl_vehicle_type cl_vehicle_type_of(const struct cl_city *city, int64_t vehicle)
{
    double u = cl_unit(cl_city_hash(city->key[CL_KEY_PROFILE], (uint64_t)vehicle, 0));
    return u < 0.74   ? CL_TYPE_PRIVATE
           : u < 0.86 ? CL_TYPE_TAXI
           : u < 0.91 ? CL_TYPE_BUS
                      : CL_TYPE_TRUCK;
}

int64_t cl_trip_slot(const struct cl_city *city, int64_t vehicle, int64_t time_us,
                     uint32_t *ret_elapsed)
{
    uint64_t hash = cl_city_hash(city->key[CL_KEY_TRIP], (uint64_t)vehicle, UINT64_MAX);
    int64_t shifted = time_us + cl_below(hash, city->slot_us);
    int64_t slot = cl_floor_div(shifted, city->slot_us);
    *ret_elapsed = (uint32_t)(shifted - slot * city->slot_us);
    return slot;
}

/* Keeps a coordinate inside of the network by folding it at the border. */
static int16_t fold(int value, int half)
{
    if (value > half) value = 2 * half - value;
    if (value < -half) value = -2 * half - value;
    return (int16_t)cl_clamp(value, -half, half);
}

/* Anchor 0 is anywhere, rather towards the centre; anchor 1 is `reach` edges away. */
static struct cl_node anchor(const struct cl_city *city, int64_t vehicle, int which)
{
    int half = city->roads.half;
    uint64_t h = cl_city_hash(city->key[CL_KEY_HOME], (uint64_t)vehicle, 0);
    int i = (int)(cl_below(h << 32, half + 1) + cl_below(h << 48, half + 1)) - half;
    uint64_t g = cl_city_hash(city->key[CL_KEY_HOME], (uint64_t)vehicle, 1);
    int j = (int)(cl_below(g << 32, half + 1) + cl_below(g << 48, half + 1)) - half;
    if (which == 0) return (struct cl_node){(int16_t)i, (int16_t)j};
    int di = (int)cl_below(g, city->reach + 1), dj = city->reach - di;
    /* Most work lies towards the centre; some go out. */
    bool inwards = (h >> 60) < 11;
    int to_i = i > 0 ? -di : di, to_j = j > 0 ? -dj : dj;
    if (!inwards) {
        to_i = (h >> 59 & 1) != 0 ? to_i : -to_i;
        to_j = -to_j;
    }
    return (struct cl_node){fold(i + to_i, half), fold(j + to_j, half)};
}

static bool is_active(const struct cl_city *city, int64_t vehicle, enum cl_vehicle_type type,
                      int64_t slot)
{
    if (((uint64_t)slot + (uint64_t)vehicle * 7) % SURE_EVERY == 0) return true;
    static const double least[] = {0.06, 0.4, 0.45, 0.3}, most[] = {0.9, 0.98, 1, 0.95};
    double demand = cl_traffic_demand(city, slot * city->slot_us);
    double share = cl_mix(least[type], most[type], sqrt(demand));
    return cl_unit(cl_city_hash(city->key[CL_KEY_TRIP], (uint64_t)vehicle, (uint64_t)slot)) < share;
}

static struct cl_node destination(const struct cl_city *city, int64_t vehicle,
                                  enum cl_vehicle_type type, int64_t slot)
{
    int half = city->roads.half;
    struct cl_node at = anchor(city, vehicle, (int)(slot & 1));
    if (type == CL_TYPE_BUS) return at;
    uint64_t h = cl_city_hash(city->key[CL_KEY_TRIP] + 1, (uint64_t)vehicle, (uint64_t)slot);
    int di = (int)cl_below(h << 32, 7) - 3, dj = (int)cl_below(h, 7) - 3;
    return (struct cl_node){fold(at.i + di, half), fold(at.j + dj, half)};
}

void cl_trip_plan(const struct cl_city *city, int64_t vehicle, int64_t slot, struct cl_trip *ret)
{
    enum cl_vehicle_type type = cl_vehicle_type_of(city, vehicle);
    int64_t before = slot - 1;
    while (!is_active(city, vehicle, type, before))
        before--;
    struct cl_node from = destination(city, vehicle, type, before);
    ret->slot = slot;
    if (!is_active(city, vehicle, type, slot)) {
        ret->depart = 0;
        ret->route = (struct cl_route){.n = 1, .corner = {from}};
        return;
    }
    uint64_t h = cl_city_hash(city->key[CL_KEY_TRIP] + 2, (uint64_t)vehicle, (uint64_t)slot);
    ret->depart = (uint32_t)cl_below(h, city->slot_us / 8);
    cl_roads_route(&city->roads, from, destination(city, vehicle, type, slot), &ret->route);
}
