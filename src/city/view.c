/* view.c - looks at one vehicle and its surroundings at one moment, unrounded. */
#include "city/model.h"

#include <stdlib.h>

struct cl_city_view {
    const struct cl_city *city;
    struct cl_incident_book *book;
};

enum cl_code cl_city_view_new(const struct cl_city *city, struct cl_city_view **ret,
                              struct cl_error *err)
{
    struct cl_city_view *view = calloc(1, sizeof *view);
    if (view == NULL) return cl_fail_nomem(err);
    view->city = city;
    enum cl_code code = cl_incident_book_new(city, &view->book, err);
    if (code != CL_OK) {
        free(view);
        return code;
    }
    *ret = view;
    return CL_OK;
}

void cl_city_view_free(struct cl_city_view *view)
{
    if (view == NULL) return;
    cl_incident_book_free(view->book);
    free(view);
}

enum cl_code cl_city_view_vehicle(struct cl_city_view *view, int64_t vehicle, int64_t time_us,
                                  struct cl_city_sight *ret, struct cl_error *err)
{
    const struct cl_city *city = view->city;
    if (vehicle < 0 || vehicle >= city->config.vehicles)
        return cl_fail(err, CL_EINVAL, "city: there is no vehicle %lld", (long long)vehicle);
    struct cl_city_motion motion;
    cl_city_motion_reset(&motion);
    struct cl_city_place place;
    enum cl_code code = cl_vehicle_move(city, view->book, vehicle, time_us, &motion, &place, err);
    if (code != CL_OK) return code;
    double incident = 1;
    if (place.driving)
        code = cl_incident_speed_factor(view->book, place.at, place.dir, time_us, &incident, err);
    if (code != CL_OK) return code;
    struct cl_weather weather;
    cl_weather_at(city, place.x, place.y, time_us, &weather);
    *ret = (struct cl_city_sight){
        .location = {city->roads.latitude + place.y * city->roads.deg_per_m_lat,
                     city->roads.longitude + place.x * city->roads.deg_per_m_lon},
        .driving = place.driving,
        .edge = place.driving ? cl_roads_edge_id(&city->roads, place.at, place.dir) : -1,
        .speed = place.speed * 3.6,
        .congestion = cl_traffic_congestion(city, place.x, place.y, time_us),
        .precipitation = weather.precipitation,
        .temperature = weather.temperature,
        .wind_speed = weather.wind_speed,
        .air_quality_index = cl_air_quality_index(city, place.x, place.y, time_us, &weather),
        .incident = incident < 1,
    };
    if (place.driving)
        ret->free_speed = cl_road_free_mps(cl_roads_class(&city->roads, place.at, place.dir)) * 3.6;
    return CL_OK;
}
