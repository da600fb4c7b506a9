/* traffic.c - how busy the city is, and how fast one gets ahead on an edge. */
#include "city/model.h"

#include <math.h>

/* Demand at each full local hour; two rush hours on working days, a late and low hump at weekends.
 */
static const double working_day[24] = {0.06, 0.04, 0.03, 0.03, 0.06, 0.18, 0.5, 0.9,
                                       1.0,  0.75, 0.55, 0.52, 0.58, 0.58, 0.6, 0.72,
                                       0.92, 1.0,  0.85, 0.6,  0.4,  0.3,  0.2, 0.11};
static const double weekend[24] = {0.16, 0.12, 0.09, 0.06, 0.05, 0.06, 0.1,  0.16,
                                   0.26, 0.4,  0.5,  0.56, 0.6,  0.58, 0.55, 0.54,
                                   0.55, 0.55, 0.5,  0.44, 0.38, 0.32, 0.26, 0.2};

static double demand_of_hour(int64_t hour)
{
    int64_t day = cl_floor_div(hour, 24);
    int weekday = (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday; 0 is Monday */
    return (weekday >= 5 ? weekend : working_day)[hour - day * 24];
}

double cl_traffic_demand(const struct cl_city *city, int64_t time_us)
{
    int64_t local = time_us + city->zone_us, hour = cl_floor_div(local, CL_HOUR_US);
    double t = (double)(local - hour * CL_HOUR_US) / (double)CL_HOUR_US;
    return cl_mix(demand_of_hour(hour), demand_of_hour(hour + 1), t * t * (3 - 2 * t));
}

double cl_traffic_congestion(const struct cl_city *city, double x, double y, int64_t time_us)
{
    double radius = city->roads.radius_m;
    double off_centre = (x * x + y * y) / (radius * radius);
    double centre = 1 / (1 + 4 * off_centre);
    double quarter = cl_noise2(city->key[CL_KEY_DENSITY], x / 1500, y / 1500);
    double flow = cl_noise3(city->key[CL_KEY_FLOW], x / 2500, y / 2500,
                            (double)time_us / (0.5 * (double)CL_HOUR_US));
    double density = 0.55 * centre + 0.6 * quarter + 0.4 * (flow - 0.5);
    return cl_clamp(cl_traffic_demand(city, time_us) * density, 0, 1);
}

double cl_air_quality_index(const struct cl_city *city, double x, double y, int64_t time_us,
                            const struct cl_weather *w)
{
    double emitted = 18 + 260 * cl_traffic_congestion(city, x, y, time_us);
    double blown = 1 / (0.55 + w->wind_speed / 30);
    double washed = 1 / (1 + w->precipitation / 8);
    return cl_clamp(10 + emitted * blown * washed, 0, 500);
}

enum cl_code cl_traffic_speed(const struct cl_city *city, struct cl_incident_book *book,
                              struct cl_node at, int dir, int64_t time_us, double *ret_mps,
                              struct cl_error *err)
{
    /* What a jam takes from the free speed, by class: a motorway has the most to lose. */
    static const double jam[CL_ROAD_CLASSES] = {0.72, 0.68, 0.6, 0.45};
    const struct cl_roads *r = &city->roads;
    size_t node = cl_node_index(r, at);
    double x = (double)r->x[node], y = (double)r->y[node], incident;
    enum cl_code code = cl_incident_speed_factor(book, at, dir, time_us, &incident, err);
    if (code != CL_OK) return code;
    enum cl_road_class c = cl_roads_class(r, at, dir);
    double factor = 1 - jam[c] * cl_traffic_congestion(city, x, y, time_us);
    factor *= cl_weather_speed_factor(city, x, y, time_us) * incident;
    *ret_mps = cl_road_free_mps(c) * (factor < 0.08 ? 0.08 : factor);
    return CL_OK;
}
