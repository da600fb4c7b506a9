/* vehicles.c - where a vehicle is: its trip's route, walked edge by edge.
 *
 * The speed on an edge is what traffic.c says for the moment of entering it, so the walk from the
 * beginning of the trip always gives the same times, and a cursor that remembers the edge of the
 * last event (struct cl_city_motion) only goes on from there. Within an edge the vehicle is slower
 * at both junctions: with f the share of the edge's time that has passed, it has covered (1 - a) f
 * + a (3f^2 - 2f^3) of the length, and its speed is the derivative of that; so places and speeds
 * agree. A trip ends before its slot does: a driver who would be late hurries, at the most. */
#include "city/model.h"

#include <math.h>

#define BRISK_EDGE_US 12e6 /* a block at about 50 km/h */

enum { PHASE_WAITING, PHASE_DRIVING, PHASE_PARKED };

static void park(struct cl_city_motion *m, struct cl_node at)
{
    m->phase = PHASE_PARKED;
    m->at = at;
    m->edges_left = m->stretch_left = 0;
    m->leave = UINT32_MAX;
}

static void begin(const struct cl_city *city, int64_t vehicle, int64_t slot,
                  struct cl_city_motion *m)
{
    struct cl_trip trip;
    cl_trip_plan(city, vehicle, slot, &trip);
    uint64_t h = cl_city_hash(city->key[CL_KEY_DRIVER], (uint64_t)vehicle, (uint64_t)slot);
    *m = (struct cl_city_motion){.slot = (int32_t)slot, .dir = (uint8_t)(h & 3)};
    if (trip.route.n < 2) {
        park(m, trip.route.corner[0]);
        return;
    }
    int edges;
    m->dir = (uint8_t)cl_stretch(trip.route.corner[0], trip.route.corner[1], &edges);
    m->phase = PHASE_WAITING;
    m->at = trip.route.corner[0];
    m->leave = trip.depart;
    m->edges_left = (uint16_t)trip.route.edges;
    m->stretch_left = (uint16_t)edges;
}

static double edge_length(const struct cl_roads *r, struct cl_node a, struct cl_node b)
{
    size_t from = cl_node_index(r, a), to = cl_node_index(r, b);
    double dx = (double)(r->x[to] - r->x[from]), dy = (double)(r->y[to] - r->y[from]);
    return sqrt(dx * dx + dy * dy);
}

/* Sets `leave` for the edge that begins at m->at at the moment m->enter. */
static enum cl_code time_edge(const struct cl_city *city, struct cl_incident_book *book,
                              int64_t vehicle, int64_t slot_start_us, struct cl_city_motion *m,
                              struct cl_error *err)
{
    double mps;
    enum cl_code code =
        cl_traffic_speed(city, book, m->at, m->dir, slot_start_us + m->enter, &mps, err);
    if (code != CL_OK) return code;
    uint64_t h = cl_city_hash(city->key[CL_KEY_DRIVER], (uint64_t)vehicle,
                              (uint64_t)m->at.i << 16 ^ (uint64_t)m->at.j);
    mps *= 0.88 + 0.24 * cl_unit(h);
    double length = edge_length(&city->roads, m->at, cl_node_step(m->at, m->dir, 1));
    double us = length / mps * 1e6;
    /* Time enough to drive the edges after this one briskly must be left. */
    double left_us = (double)(city->slot_us - CL_SECOND_US) - (double)m->enter;
    double most = left_us - (m->edges_left - 1) * BRISK_EDGE_US, even = left_us / m->edges_left;
    if (most < even) most = even;
    if (us > most) us = most;
    m->leave = m->enter + (uint32_t)us + 1;
    return CL_OK;
}

static enum cl_code step(const struct cl_city *city, struct cl_incident_book *book, int64_t vehicle,
                         int64_t slot_start_us, struct cl_city_motion *m, struct cl_error *err)
{
    m->enter = m->leave;
    if (m->phase == PHASE_WAITING) {
        m->phase = PHASE_DRIVING;
        return time_edge(city, book, vehicle, slot_start_us, m, err);
    }
    m->at = cl_node_step(m->at, m->dir, 1);
    m->edges_left--;
    m->stretch_left--;
    if (m->edges_left == 0) {
        park(m, m->at);
        return CL_OK;
    }
    if (m->stretch_left == 0) {
        struct cl_trip trip;
        cl_trip_plan(city, vehicle, m->slot, &trip);
        m->stretch++;
        int edges;
        m->dir = (uint8_t)cl_stretch(trip.route.corner[m->stretch],
                                     trip.route.corner[m->stretch + 1], &edges);
        m->stretch_left = (uint16_t)edges;
    }
    return time_edge(city, book, vehicle, slot_start_us, m, err);
}

static void look(const struct cl_city *city, uint32_t elapsed, const struct cl_city_motion *m,
                 struct cl_city_place *ret)
{
    const struct cl_roads *r = &city->roads;
    size_t from = cl_node_index(r, m->at);
    *ret = (struct cl_city_place){
        .at = m->at, .to = m->at, .dir = m->dir, .x = (double)r->x[from], .y = (double)r->y[from]};
    if (m->phase != PHASE_DRIVING) return;
    static const double ease[CL_ROAD_CLASSES] = {0.04, 0.25, 0.3, 0.4};
    ret->driving = true;
    ret->to = cl_node_step(m->at, m->dir, 1);
    size_t to = cl_node_index(r, ret->to);
    double dx = (double)r->x[to] - ret->x, dy = (double)r->y[to] - ret->y;
    double duration = (double)(m->leave - m->enter), f = (double)(elapsed - m->enter) / duration;
    double a = ease[cl_roads_class(r, m->at, m->dir)];
    ret->along = (1 - a) * f + a * f * f * (3 - 2 * f);
    ret->speed = sqrt(dx * dx + dy * dy) * 1e6 / duration * ((1 - a) + 6 * a * f * (1 - f));
    ret->x += dx * ret->along;
    ret->y += dy * ret->along;
}

enum cl_code cl_vehicle_move(const struct cl_city *city, struct cl_incident_book *book,
                             int64_t vehicle, int64_t time_us, struct cl_city_motion *m,
                             struct cl_city_place *ret, struct cl_error *err)
{
    uint32_t elapsed;
    int64_t slot = cl_trip_slot(city, vehicle, time_us, &elapsed);
    if (m->slot != slot || elapsed < m->enter) begin(city, vehicle, slot, m);
    while (elapsed >= m->leave) {
        enum cl_code code = step(city, book, vehicle, time_us - elapsed, m, err);
        if (code != CL_OK) {
            cl_city_motion_reset(m);
            return code;
        }
    }
    look(city, elapsed, m, ret);
    return CL_OK;
}

struct car {
    const char *make, *model, *fuel;
    int weight;
};

static const struct car private_cars[] = {
    {"Mini Cooper", "Countryman SE ALL4", "Electric", 6},
    {"Tesla", "Model 3", "Electric", 8},
    {"Nissan", "Leaf", "Electric", 5},
    {"Volkswagen", "ID.3", "Electric", 5},
    {"Volkswagen", "Golf", "Petrol", 12},
    {"Ford", "Fiesta", "Petrol", 12},
    {"Ford", "Focus", "Diesel", 8},
    {"Vauxhall", "Corsa", "Petrol", 9},
    {"Toyota", "Prius", "Hybrid", 7},
    {"Toyota", "Yaris", "Hybrid", 6},
    {"BMW", "320d", "Diesel", 6},
    {"BMW", "i4", "Electric", 3},
    {"Audi", "A3", "Petrol", 6},
    {"Skoda", "Octavia", "Diesel", 5},
    {"Kia", "Niro", "Hybrid", 5},
    {"Hyundai", "Kona Electric", "Electric", 4},
};
static const struct car taxis[] = {{"LEVC", "TX", "Hybrid", 6},
                                   {"Toyota", "Prius", "Hybrid", 5},
                                   {"Mercedes-Benz", "E 220 d", "Diesel", 4},
                                   {"Tesla", "Model Y", "Electric", 2}};
static const struct car buses[] = {{"Alexander Dennis", "Enviro400", "Diesel", 4},
                                   {"Wrightbus", "StreetDeck", "Hybrid", 3},
                                   {"BYD", "K9", "Electric", 2}};
static const struct car trucks[] = {{"Volvo", "FH16", "Diesel", 4},
                                    {"Scania", "R 450", "Diesel", 4},
                                    {"DAF", "XF", "Diesel", 3},
                                    {"Mercedes-Benz", "eActros", "Electric", 1}};

static const struct car *choose(const struct car *cars, size_t n, uint64_t hash)
{
    int total = 0;
    for (size_t i = 0; i < n; i++)
        total += cars[i].weight;
    int at = (int)cl_below(hash, total);
    size_t i = 0;
    while (at >= cars[i].weight)
        at -= cars[i++].weight;
    return &cars[i];
}

void cl_vehicle_profile(const struct cl_city *city, int64_t vehicle, struct cl_profile *ret)
{
    static const char *const types[] = {"private", "taxi", "bus", "truck"};
    static const struct {
        const struct car *cars;
        size_t n;
    } fleets[] = {{private_cars, sizeof private_cars / sizeof *private_cars},
                  {taxis, sizeof taxis / sizeof *taxis},
                  {buses, sizeof buses / sizeof *buses},
                  {trucks, sizeof trucks / sizeof *trucks}};
    enum cl_vehicle_type type = cl_vehicle_type_of(city, vehicle);
    uint64_t h = cl_city_hash(city->key[CL_KEY_PROFILE], (uint64_t)vehicle, 1);
    const struct car *car = choose(fleets[type].cars, fleets[type].n, h);
    /* Most vehicles are young; electric ones are younger still. */
    double age = cl_unit(cl_city_hash(city->key[CL_KEY_PROFILE], (uint64_t)vehicle, 2));
    int oldest = car->fuel[0] == 'E' ? 6 : 14;
    *ret = (struct cl_profile){.make = car->make,
                               .model = car->model,
                               .fuel = car->fuel,
                               .type = types[type],
                               .year = 2025 - (int)(age * age * oldest),
                               .colour = (int)(h & 7)};
}
