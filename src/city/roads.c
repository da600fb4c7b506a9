/* roads.c - a plausible road network, made from a seed, and routes on it.
 *
 * The plan is a grid whose lines have a class: every eighth line is an arterial, every fourth a
 * collector, the others are local streets; a motorway ring follows the lines at a fixed distance
 * from the centre.  Bending makes a city of it: squares around the centre become rounder the
 * farther out they are, the middle is denser than the edge, and two fields of noise move each
 * junction. Because the plan is a grid, a route is found without a search: a handful of ways to
 * leave by the nearest larger road and arrive by one are priced by their travel time on empty
 * roads, and the cheapest is taken. */
#include "city/roads.h"

#include "city/noise.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK_M 160.0 /* between neighbouring lines, before bending */

enum { ARTERIAL_EVERY = 8, COLLECTOR_EVERY = 4 };

static const double free_kmh[CL_ROAD_CLASSES] = {100, 60, 45, 30};

const char *cl_road_class_name(enum cl_road_class road_class)
{
    static const char *const names[] = {"motorway", "arterial", "collector", "local"};
    return names[road_class];
}

double cl_road_free_mps(enum cl_road_class road_class)
{
    return free_kmh[road_class] / 3.6;
}

static void place_node(struct cl_roads *r, uint64_t key, int i, int j)
{
    double gx = (double)i / r->half, gy = (double)j / r->half;
    double square = fmax(fabs(gx), fabs(gy)), round = hypot(gx, gy);
    double bend = 0.8 * square;
    double scale = round > 0 ? 1 - bend + bend * square / round : 1;
    scale *= r->half * BLOCK_M * (0.85 + 0.2 * square);
    uint64_t jitter = cl_city_hash(key, (uint64_t)i, (uint64_t)j);
    double wave_x = cl_noise2(key + 1, i / 6.0, j / 6.0) - 0.5,
           wave_y = cl_noise2(key + 2, i / 6.0, j / 6.0) - 0.5;
    size_t at = cl_node_index(r, (struct cl_node){(int16_t)i, (int16_t)j});
    r->x[at] = (float)(gx * scale + wave_x * 260 + ((double)(jitter & 0xffff) / 65535 - 0.5) * 50);
    r->y[at] =
        (float)(gy * scale + wave_y * 260 + ((double)(jitter >> 16 & 0xffff) / 65535 - 0.5) * 50);
}

enum cl_code cl_roads_init(struct cl_roads *r, uint64_t key, const struct cl_city_config *config,
                           struct cl_error *err)
{
    *r = (struct cl_roads){.latitude = config->latitude, .longitude = config->longitude};
    r->half = 8 + (int)(0.2 * sqrt((double)config->vehicles));
    r->side = 2 * r->half + 1;
    r->ring = ARTERIAL_EVERY * (int)fmax(1, round(0.6 * r->half / ARTERIAL_EVERY));
    r->radius_m = r->half * BLOCK_M;
    r->deg_per_m_lat = 1 / 111320.0;
    r->deg_per_m_lon = 1 / (111320.0 * cos(config->latitude * 3.14159265358979323846 / 180));
    size_t nodes = (size_t)r->side * (size_t)r->side;
    r->x = malloc(nodes * sizeof *r->x);
    r->y = malloc(nodes * sizeof *r->y);
    if (r->x == NULL || r->y == NULL) {
        cl_roads_fini(r);
        return cl_fail_nomem(err);
    }
    for (int j = -r->half; j <= r->half; j++)
        for (int i = -r->half; i <= r->half; i++)
            place_node(r, key, i, j);
    return CL_OK;
}

void cl_roads_fini(struct cl_roads *r)
{
    free(r->x);
    free(r->y);
    r->x = r->y = NULL;
}

/* Class of a line at distance `line` from the centre, where the other coordinate is between a and
 * b. */
static enum cl_road_class line_class(const struct cl_roads *r, int line, int a, int b)
{
    int d = abs(line);
    if (d == r->ring && abs(a) <= r->ring && abs(b) <= r->ring) return CL_ROAD_MOTORWAY;
    if (d % ARTERIAL_EVERY == 0) return CL_ROAD_ARTERIAL;
    return d % COLLECTOR_EVERY == 0 ? CL_ROAD_COLLECTOR : CL_ROAD_LOCAL;
}

enum cl_road_class cl_roads_class(const struct cl_roads *r, struct cl_node at, int dir)
{
    struct cl_node to = cl_node_step(at, dir, 1);
    if (at.j == to.j) return line_class(r, at.j, at.i, to.i);
    return line_class(r, at.i, at.j, to.j);
}

int64_t cl_roads_edge_id(const struct cl_roads *r, struct cl_node at, int dir)
{
    if (dir == CL_WEST || dir == CL_SOUTH) at = cl_node_step(at, dir, 1);
    int64_t i = at.i + r->half, j = at.j + r->half, across = r->side - 1;
    if (dir == CL_EAST || dir == CL_WEST) return j * across + i;
    return across * r->side + i * across + j;
}

struct cl_node cl_roads_edge_start(const struct cl_roads *r, int64_t edge, int *ret_dir)
{
    int64_t across = r->side - 1, rows = across * r->side;
    bool vertical = edge >= rows;
    if (vertical) edge -= rows;
    int16_t line = (int16_t)(edge / across - r->half), along = (int16_t)(edge % across - r->half);
    *ret_dir = vertical ? CL_NORTH : CL_EAST;
    return vertical ? (struct cl_node){line, along} : (struct cl_node){along, line};
}

static double stretch_seconds(const struct cl_roads *r, struct cl_node a, struct cl_node b,
                              int *edges)
{
    int count;
    (void)cl_stretch(a, b, &count);
    *edges += count;
    enum cl_road_class c = a.j == b.j ? line_class(r, a.j, a.i, b.i) : line_class(r, a.i, a.j, b.j);
    return count * BLOCK_M / cl_road_free_mps(c);
}

/* Prices a plan and keeps it when it is the best so far.  Corners that do not turn are left out. */
static void consider(const struct cl_roads *r, const struct cl_node *corner, int n,
                     struct cl_route *best)
{
    struct cl_route try = {.n = 1, .corner = {corner[0]}};
    for (int k = 1; k < n; k++) {
        struct cl_node last = try.corner[try.n - 1], next = corner[k];
        if (last.i == next.i && last.j == next.j) continue;
        try.free_s +=
            stretch_seconds(r, last, next, &try.edges) + 8; /* a turn costs some seconds */
        if (try.n >= 2) {
            struct cl_node before = try.corner[try.n - 2];
            bool straight = (before.i == last.i && last.i == next.i) ||
                            (before.j == last.j && last.j == next.j);
            if (straight) {
                /* A detour that comes back on its own line is never the best: refuse it, merge the
                 * others. */
                bool back = (last.i - before.i) * (next.i - last.i) < 0 ||
                            (last.j - before.j) * (next.j - last.j) < 0;
                if (back) return;
                try.corner[try.n - 1] = next;
                continue;
            }
        }
        try.corner[try.n++] = next;
    }
    if (best->n == 0 || try.free_s < best->free_s) *best = try;
}

static int16_t nearest_line(const struct cl_roads *r, int line, int every)
{
    int half = every / 2, at = (line + (line >= 0 ? half : -half)) / every * every;
    if (at > r->half) at -= every;
    if (at < -r->half) at += every;
    return (int16_t)at;
}

void cl_roads_route(const struct cl_roads *r, struct cl_node from, struct cl_node to,
                    struct cl_route *ret)
{
    *ret = (struct cl_route){0};
    if (from.i == to.i && from.j == to.j) {
        *ret = (struct cl_route){.n = 1, .corner = {from}};
        return;
    }
    const struct cl_node row_first[] = {from, {to.i, from.j}, to},
                         column_first[] = {from, {from.i, to.j}, to};
    consider(r, row_first, 3, ret);
    consider(r, column_first, 3, ret);
    int16_t ring_row = (int16_t)(from.j + to.j >= 0 ? r->ring : -r->ring);
    int16_t ring_column = (int16_t)(from.i + to.i >= 0 ? r->ring : -r->ring);
    int16_t rows[] = {nearest_line(r, from.j, ARTERIAL_EVERY),
                      nearest_line(r, to.j, ARTERIAL_EVERY),
                      nearest_line(r, from.j, COLLECTOR_EVERY), ring_row};
    int16_t columns[] = {nearest_line(r, from.i, ARTERIAL_EVERY),
                         nearest_line(r, to.i, ARTERIAL_EVERY),
                         nearest_line(r, from.i, COLLECTOR_EVERY), ring_column};
    for (int k = 0; k < 4; k++) {
        const struct cl_node by_row[] = {from, {from.i, rows[k]}, {to.i, rows[k]}, to};
        const struct cl_node by_column[] = {from, {columns[k], from.j}, {columns[k], to.j}, to};
        consider(r, by_row, 4, ret);
        consider(r, by_column, 4, ret);
    }
    /* A large road near the origin, then a large road near the destination. */
    const struct cl_node two[] = {
        from, {columns[0], from.j}, {columns[0], rows[1]}, {to.i, rows[1]}, to};
    const struct cl_node other_two[] = {
        from, {from.i, rows[0]}, {columns[1], rows[0]}, {columns[1], to.j}, to};
    consider(r, two, 5, ret);
    consider(r, other_two, 5, ret);
}
