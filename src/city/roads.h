/* roads.h - the road network (private to src/city). */
#ifndef CITYLAKE_CITY_ROADS_H
#define CITYLAKE_CITY_ROADS_H

#include "city/city.h"

/* Junctions stand on a bent grid of side 2 * half + 1; (0, 0) is the centre, so i and j are in
 * [-half, half]. */
struct cl_node {
    int16_t i, j;
};

enum { CL_EAST, CL_NORTH, CL_WEST, CL_SOUTH };

struct cl_roads {
    int half, side;
    int ring;        /* the motorway runs where max(|i|, |j|) == ring */
    float *x, *y;    /* metres east and north of the centre, by node index; owned */
    double radius_m; /* of the whole city */
    double latitude, longitude;
    double deg_per_m_lat, deg_per_m_lon;
};

enum cl_code cl_roads_init(struct cl_roads *r, uint64_t key, const struct cl_city_config *config,
                           struct cl_error *err);
void cl_roads_fini(struct cl_roads *r);

static inline size_t cl_node_index(const struct cl_roads *r, struct cl_node at)
{
    return (size_t)(at.j + r->half) * (size_t)r->side + (size_t)(at.i + r->half);
}

static inline struct cl_node cl_node_step(struct cl_node at, int dir, int count)
{
    static const int8_t di[] = {1, 0, -1, 0}, dj[] = {0, 1, 0, -1};
    return (struct cl_node){(int16_t)(at.i + di[dir] * count), (int16_t)(at.j + dj[dir] * count)};
}

/* Class of the edge that leaves `at` in direction `dir`. */
enum cl_road_class cl_roads_class(const struct cl_roads *r, struct cl_node at, int dir);

/* Number of that edge; the same from both of its ends. */
int64_t cl_roads_edge_id(const struct cl_roads *r, struct cl_node at, int dir);

/* One end of an edge and the direction to the other. */
struct cl_node cl_roads_edge_start(const struct cl_roads *r, int64_t edge, int *ret_dir);

/* metres per second on an empty road */
double cl_road_free_mps(enum cl_road_class road_class);

/* Route along at most four straight stretches: the corners, first and last included. */
enum { CL_ROUTE_CORNERS = 5 };
struct cl_route {
    struct cl_node corner[CL_ROUTE_CORNERS];
    int n;         /* corners; 1: origin and destination are the same */
    int edges;     /* in total */
    double free_s; /* time on empty roads, roughly */
};
void cl_roads_route(const struct cl_roads *r, struct cl_node from, struct cl_node to,
                    struct cl_route *ret);

/* The direction from a corner to the next one, and how many edges. */
static inline int cl_stretch(struct cl_node a, struct cl_node b, int *ret_edges)
{
    int di = b.i - a.i, dj = b.j - a.j;
    *ret_edges = di > 0 ? di : di < 0 ? -di : dj > 0 ? dj : -dj;
    return di > 0 ? CL_EAST : di < 0 ? CL_WEST : dj >= 0 ? CL_NORTH : CL_SOUTH;
}

#endif
