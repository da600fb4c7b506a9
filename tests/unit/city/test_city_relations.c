/* The events tell one story: places are on roads and change as the speed says, feeds agree with
 * each other, and what traffic, weather, incidents and air have to do with each other can be found
 * in the data. */
#include "fixture.h"

#include <jansson.h>

static struct cl_city_sight look(struct cl_city_view *view, int64_t vehicle, int64_t time_us)
{
    struct cl_city_sight sight;
    struct cl_error err;
    must(cl_city_view_vehicle(view, vehicle, time_us, &sight, &err), &err);
    return sight;
}

static struct cl_city_view *a_view(const struct cl_city *city)
{
    struct cl_city_view *view = NULL;
    struct cl_error err;
    must(cl_city_view_new(city, &view, &err), &err);
    return view;
}

/* Metres east and north between two places. */
static void between(const double a[2], const double b[2], double ret[2])
{
    ret[0] = (b[1] - a[1]) * 111320 * cos(51.5074 * 3.14159265358979 / 180);
    ret[1] = (b[0] - a[0]) * 111320;
}

static double distance(const double a[2], const double b[2])
{
    double d[2];
    between(a, b, d);
    return hypot(d[0], d[1]);
}

static void roads_are_a_plausible_network(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(10000, 1);
    struct cl_city *city = a_city(&config);
    double length[CL_ROAD_CLASSES] = {0};
    double longest = 0, shortest = 1e9;
    for (int64_t k = 0; k < cl_city_edge_count(city); k++) {
        struct cl_city_edge edge;
        cl_city_edge(city, k, &edge);
        assert_true(fabs(edge.length_m - distance(edge.from, edge.to)) < 0.01 * edge.length_m);
        length[edge.road_class] += edge.length_m;
        longest = fmax(longest, edge.length_m);
        shortest = fmin(shortest, edge.length_m);
    }
    assert_true(shortest > 30 && longest < 500);
    assert_true(length[CL_ROAD_MOTORWAY] > 10000);
    assert_true(length[CL_ROAD_MOTORWAY] < length[CL_ROAD_ARTERIAL]);
    assert_true(length[CL_ROAD_ARTERIAL] + length[CL_ROAD_COLLECTOR] < length[CL_ROAD_LOCAL]);
    cl_city_free(city);
}

static void driving_vehicles_are_on_their_edge(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(3000, 1);
    struct cl_city *city = a_city(&config);
    struct cl_city_view *view = a_view(city);
    int driving = 0;
    for (int64_t k = 0; k < 5000; k++) {
        struct cl_city_sight s =
            look(view, scatter(k, 3000), config.start_us + scatter(k + 1, 24 * HOUR_US));
        assert_int_equal(s.driving, s.edge >= 0);
        if (!s.driving) {
            assert_true(s.speed == 0);
            continue;
        }
        driving++;
        struct cl_city_edge edge;
        cl_city_edge(city, s.edge, &edge);
        double detour =
            distance(edge.from, s.location) + distance(s.location, edge.to) - edge.length_m;
        assert_true(detour < 1);
        assert_true(fabs(edge.free_speed - s.free_speed) < 1e-9);
    }
    assert_true(driving > 500);
    cl_city_view_free(view);
    cl_city_free(city);
}

static void vehicles_move_as_fast_as_they_say(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(2000, 1);
    struct cl_city *city = a_city(&config);
    struct cl_city_view *view = a_view(city);
    double worst = 0;
    for (int64_t vehicle = 0; vehicle < 60; vehicle++) {
        struct cl_city_sight last = look(view, vehicle, config.start_us + HOUR_US);
        for (int second = 1; second <= 7200; second++) {
            struct cl_city_sight now =
                look(view, vehicle, config.start_us + HOUR_US + second * SECOND_US);
            double moved = distance(last.location, now.location),
                   said = (last.speed + now.speed) / 2 / 3.6;
            /* Within a second the speed may jump at a junction, but never by more than the faster
             * of both. */
            assert_true(moved <= fmax(last.speed, now.speed) / 3.6 * 1.2 + 0.5);
            if (last.edge == now.edge) worst = fmax(worst, fabs(moved - said));
            last = now;
        }
    }
    assert_true(worst < 0.5);
    cl_city_view_free(view);
    cl_city_free(city);
}

static void gps_agrees_with_vehicle(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(500, 3);
    struct cl_city *city = a_city(&config);
    for (int p = 0; p < 3; p++) {
        struct cl_city_cursor *vehicles = a_cursor(city, CL_CITY_VEHICLE, p, 0),
                              *gps = a_cursor(city, CL_CITY_GPS, p, 0);
        double noise = 0;
        for (int k = 0; k < 20000; k++) {
            struct cl_city_event a = next_event(vehicles), b = next_event(gps);
            assert_string_equal(a.key, b.key);
            assert_int_equal(a.event_time_us, b.event_time_us);
            int64_t difference = llabs(a.measures[0] - b.measures[0]);
            assert_true(difference <= 101);
            noise += (double)difference;
            const char *x = strstr((const char *)a.value, "\"direction\": "),
                       *y = strstr((const char *)b.value, "\"direction\": ");
            assert_true(x != NULL && y != NULL);
            assert_memory_equal(x, y, strcspn(x, ","));
        }
        assert_true(noise > 0);
        cl_city_cursor_free(vehicles);
        cl_city_cursor_free(gps);
    }
    cl_city_free(city);
}

static double mean(const double *x, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += x[k];
    return sum / n;
}

static double correlation(const double *x, const double *y, int n)
{
    double mx = mean(x, n), my = mean(y, n), xy = 0, xx = 0, yy = 0;
    for (int k = 0; k < n; k++) {
        xy += (x[k] - mx) * (y[k] - my);
        xx += (x[k] - mx) * (x[k] - mx);
        yy += (y[k] - my) * (y[k] - my);
    }
    return xy / sqrt(xx * yy);
}

struct average {
    double sum;
    int n;
};

static void add(struct average *a, double value)
{
    a->sum += value;
    a->n++;
}

static double of(const struct average *a)
{
    assert_true(a->n > 30);
    return a->sum / a->n;
}

enum { SIGHTS = 60000 };

struct sights {
    int n;
    double ratio[SIGHTS], congestion[SIGHTS], rain[SIGHTS], air[SIGHTS], wind[SIGHTS];
    int hour[SIGHTS];
    bool incident[SIGHTS], cold[SIGHTS];
};

/* Four weeks of driving vehicles, at random. */
static void collect(struct sights *s, const struct cl_city *city, int64_t vehicles,
                    int64_t start_us)
{
    struct cl_city_view *view = a_view(city);
    s->n = 0;
    for (int64_t k = 0; k < 250000 && s->n < SIGHTS; k++) {
        int64_t passed = 28 * 24 * HOUR_US / 250000 * k;
        struct cl_city_sight sight = look(view, scatter(k, vehicles), start_us + passed);
        if (!sight.driving) continue;
        int at = s->n++;
        s->ratio[at] = sight.speed / sight.free_speed;
        s->congestion[at] = sight.congestion;
        s->rain[at] = sight.precipitation;
        s->air[at] = sight.air_quality_index;
        s->wind[at] = sight.wind_speed;
        s->cold[at] = sight.temperature <= 0.5;
        s->incident[at] = sight.incident;
        s->hour[at] = (int)((passed / HOUR_US + 6) % 24);
    }
    cl_city_view_free(view);
}

static void relations_can_be_found(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(20000, 1);
    struct cl_city *city = a_city(&config);
    struct sights *s = calloc(1, sizeof *s);
    assert_non_null(s);
    collect(s, city, config.vehicles, config.start_us);
    struct average night = {0}, rush = {0}, dry = {0}, wet = {0}, free_road = {0}, incident = {0},
                   calm = {0}, windy = {0}, clean = {0}, washed = {0};
    for (int k = 0; k < s->n; k++) {
        if (s->hour[k] == 3) add(&night, s->ratio[k]);
        if (s->hour[k] == 8) add(&rush, s->ratio[k]);
        bool alike = s->congestion[k] > 0.2 &&
                     s->congestion[k] < 0.5; /* compare what differs in one thing only */
        if (alike && !s->incident[k]) add(s->rain[k] > 2 ? &wet : &dry, s->ratio[k]);
        if (alike) add(s->incident[k] ? &incident : &free_road, s->ratio[k]);
        if (alike && s->rain[k] <= 0) add(s->wind[k] > 25 ? &windy : &calm, s->air[k]);
        if (alike && s->wind[k] < 20) add(s->rain[k] > 3 ? &washed : &clean, s->air[k]);
    }
    print_message(
        "speed/free: night %.2f rush %.2f, dry %.2f wet %.2f, no incident %.2f incident %.2f; air: "
        "calm %.0f windy %.0f, "
        "dry %.0f rain %.0f; r(congestion, speed) %.2f, r(congestion, air) %.2f, wet %.0f%%\n",
        of(&night), of(&rush), of(&dry), of(&wet), of(&free_road), of(&incident), of(&calm),
        of(&windy), of(&clean), of(&washed), correlation(s->congestion, s->ratio, s->n),
        correlation(s->congestion, s->air, s->n), 100.0 * wet.n / (wet.n + dry.n));
    assert_true(of(&rush) < 0.75 * of(&night));
    assert_true(of(&wet) < 0.93 * of(&dry));
    assert_true(of(&incident) < 0.85 * of(&free_road));
    assert_true(of(&windy) < 0.8 * of(&calm));
    assert_true(of(&washed) < 0.9 * of(&clean));
    assert_true(correlation(s->congestion, s->ratio, s->n) < -0.5);
    assert_true(correlation(s->congestion, s->air, s->n) > 0.5);
    double share = (double)wet.n / (wet.n + dry.n);
    assert_true(share > 0.02 && share < 0.5);
    free(s);
    cl_city_free(city);
}

static void weather_is_smooth(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(10, 1);
    struct cl_city *city = a_city(&config);
    struct cl_city_view *view = a_view(city);
    struct cl_city_sight last = look(view, 0, config.start_us);
    double coldest = 100, warmest = -100;
    for (int64_t minute = 1; minute < 365 * 24 * 60; minute += 5) {
        int64_t time_us = config.start_us + minute * 60 * SECOND_US;
        struct cl_city_sight before = look(view, 0, time_us - 60 * SECOND_US),
                             now = look(view, 0, time_us);
        assert_true(fabs(now.temperature - before.temperature) < 0.3);
        assert_true(fabs(now.precipitation - before.precipitation) < 1.5);
        assert_true(fabs(now.wind_speed - before.wind_speed) < 3);
        coldest = fmin(coldest, now.temperature);
        warmest = fmax(warmest, now.temperature);
        last = now;
    }
    (void)last;
    print_message("temperatures of a year: %.1f to %.1f C\n", coldest, warmest);
    assert_true(coldest < 1 && coldest > -20);
    assert_true(warmest > 20 && warmest < 42);
    cl_city_view_free(view);
    cl_city_free(city);
}

struct incident {
    char id[37], type[16], vehicle[24];
    double place[2];
    int messages;
    bool resolved;
    int64_t first_us;
};

static void incidents_begin_and_end(void **state)
{
    (void)state;
    enum { MOST = 20000 };
    struct cl_city_config config = a_config(20000, 2);
    struct cl_city *city = a_city(&config);
    struct incident *all = calloc(MOST, sizeof *all);
    assert_non_null(all);
    int n = 0, in_rush = 0, at_night = 0;
    int64_t until = config.start_us + 48 * HOUR_US;
    struct cl_city_merge *merge = a_merge(city, CL_CITY_BIT(CL_CITY_EMERGENCY));
    for (struct cl_city_event e = next_merged(merge); e.event_time_us < until;
         e = next_merged(merge)) {
        json_t *json = json_loadb((const char *)e.value, e.value_len, 0, NULL);
        assert_non_null(json);
        const char *id = json_string_value(json_object_get(json, "incidentId"));
        const char *type = json_string_value(json_object_get(json, "type"));
        bool resolved = strcmp(json_string_value(json_object_get(json, "status")), "Resolved") == 0;
        json_t *place = json_object_get(json, "location");
        double at[2] = {json_number_value(json_array_get(place, 0)),
                        json_number_value(json_array_get(place, 1))};
        struct incident *inc = NULL;
        for (int k = n; k-- > 0 && k > n - 400 && inc == NULL;)
            if (strcmp(all[k].id, id) == 0) inc = &all[k];
        if (inc == NULL) {
            assert_true(n < MOST);
            assert_false(resolved);
            inc = &all[n++];
            (void)snprintf(inc->id, sizeof inc->id, "%s", id);
            (void)snprintf(inc->type, sizeof inc->type, "%s", type);
            (void)snprintf(inc->vehicle, sizeof inc->vehicle, "%s", e.key);
            memcpy(inc->place, at, sizeof at);
            inc->first_us = e.event_time_us;
            int hour = (int)((e.event_time_us - config.start_us) / HOUR_US + 6) % 24;
            in_rush += hour == 8 || hour == 17;
            at_night += hour == 2 || hour == 3;
        }
        assert_string_equal(inc->type, type);
        assert_string_equal(inc->vehicle, e.key);
        assert_true(distance(inc->place, at) < 0.01);
        assert_false(inc->resolved);
        inc->resolved = resolved;
        inc->messages++;
        json_decref(json);
    }
    int open = 0;
    for (int k = 0; k < n; k++) {
        if (!all[k].resolved) {
            open++;
            assert_true(until - all[k].first_us < 90 * 60 * SECOND_US);
        } else {
            assert_true(all[k].messages >= 2 && all[k].messages <= 5);
        }
    }
    print_message("%d incidents in two days, %d in 4 rush hours, %d in 4 hours at night, %d open\n",
                  n, in_rush, at_night, open);
    assert_true(n > 500 && in_rush > 2 * at_night && open < 100);
    cl_city_merge_free(merge);
    free(all);
    cl_city_free(city);
}

static void cameras_see_vehicles_that_are_there(void **state)
{
    (void)state;
    struct cl_city_config config = a_config(5000, 2);
    config.start_us += 2 * HOUR_US;
    struct cl_city *city = a_city(&config);
    struct cl_city_view *view = a_view(city);
    struct cl_city_merge *merge = a_merge(city, CL_CITY_BIT(CL_CITY_CAMERA));
    int near = 0, n = 3000;
    for (int k = 0; k < n; k++) {
        struct cl_city_event e = next_merged(merge);
        json_t *json = json_loadb((const char *)e.value, e.value_len, 0, NULL);
        const char *name = json_string_value(json_object_get(json, "camera_id"));
        json_t *place = json_object_get(json, "location");
        double at[2] = {json_number_value(json_array_get(place, 0)),
                        json_number_value(json_array_get(place, 1))};
        struct cl_city_sight s =
            look(view, strtoll(e.key + strlen("Vehicle-"), NULL, 10), e.event_time_us);
        near += s.driving && distance(s.location, at) < 350;
        bool known = false;
        for (int64_t c = 0; c < cl_city_camera_count(city) && k < 300 && !known; c++) {
            char id[24];
            double location[2];
            cl_city_camera(city, c, id, location);
            known = strcmp(id, name) == 0 && distance(location, at) < 0.2;
        }
        assert_true(known || k >= 300);
        json_decref(json);
    }
    print_message("%d of %d pictures show a vehicle that drives by\n", near, n);
    assert_true(near > n * 6 / 10);
    cl_city_merge_free(merge);
    cl_city_view_free(view);
    cl_city_free(city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roads_are_a_plausible_network),
        cmocka_unit_test(driving_vehicles_are_on_their_edge),
        cmocka_unit_test(vehicles_move_as_fast_as_they_say),
        cmocka_unit_test(gps_agrees_with_vehicle),
        cmocka_unit_test(relations_can_be_found),
        cmocka_unit_test(weather_is_smooth),
        cmocka_unit_test(incidents_begin_and_end),
        cmocka_unit_test(cameras_see_vehicles_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
