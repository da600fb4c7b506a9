/* weather.c - weather as a smooth field over the city and time.
 *
 * Fronts are value noise in coordinates that drift with the wind; a slower noise makes wet and dry
 * days.  Where their sum passes a threshold it rains, or snows when it is cold enough.  Temperature
 * has a season by date and latitude, a day cycle that clouds flatten, warm and cold spells of days,
 * and a city centre that is warmer than its edge. */
#include "city/model.h"

#include <math.h>

#define TWO_PI 6.283185307179586

#define FRONT_M 40000.0 /* size of a rain field */
#define DRIFT_M_PER_H 11000.0
#define WET_THRESHOLD 0.56

static double hours_of(int64_t time_us)
{
    return (double)time_us / (double)CL_HOUR_US;
}

static double wetness(const struct cl_city *city, double x, double y, double hours)
{
    double drifted = (x - DRIFT_M_PER_H * hours) / FRONT_M;
    double front = cl_noise3(city->key[CL_KEY_FRONT], drifted, y / FRONT_M, hours / 7);
    double regime = cl_noise1(city->key[CL_KEY_REGIME], hours / 31);
    return 0.6 * front + 0.4 * regime;
}

static double rain_of(double wet)
{
    double z = (wet - WET_THRESHOLD) / (1 - WET_THRESHOLD);
    return z <= 0 ? 0 : 24 * z * (0.35 + z);
}

static double cloud_of(double wet)
{
    return cl_clamp((wet - 0.32) / (WET_THRESHOLD - 0.32), 0, 1);
}

double cl_sun(const struct cl_city *city, int64_t time_us)
{
    double hour = hours_of(time_us + city->zone_us);
    return -cos(TWO_PI * (hour / 24));
}

static double temperature_at(const struct cl_city *city, double x, double y, double hours,
                             double cloud)
{
    double latitude = city->config.latitude;
    /* A year is 365.25 days; the warmest day is in the second half of July in the north, half a
     * year later in the south. */
    double season = cos(TWO_PI * (hours / 24 - 200) / 365.25) * (latitude >= 0 ? 1 : -1);
    double mean = 28 - 0.0063 * latitude * latitude, swing = 0.13 * fabs(latitude) + 1;
    double local_hours = hours + (double)city->zone_us / (double)CL_HOUR_US;
    double day = cos(TWO_PI * (local_hours - 15) / 24) * (4.5 - 3 * cloud);
    double spell = 12 * (cl_noise1(city->key[CL_KEY_WARMTH], hours / 60) - 0.5);
    double place = 2 * (cl_noise2(city->key[CL_KEY_WARMTH] + 1, x / 9000, y / 9000) - 0.5);
    double island = fmax(city->roads.radius_m, 8000);
    double off_centre = (x * x + y * y) / (island * island);
    return mean + season * swing + day + spell + place + 1.5 / (1 + 3 * off_centre);
}

void cl_weather_at(const struct cl_city *city, double x, double y, int64_t time_us,
                   struct cl_weather *ret)
{
    double hours = hours_of(time_us);
    double wet = wetness(city, x, y, hours), cloud = cloud_of(wet);
    double gust = cl_noise3(city->key[CL_KEY_WIND], x / 15000, y / 15000, hours / 5);
    ret->temperature = temperature_at(city, x, y, hours, cloud);
    ret->precipitation = rain_of(wet);
    ret->wind_speed = 3 + 38 * gust * gust + 14 * cloud * gust;
    ret->humidity = cl_clamp(
        38 + 52 * cl_clamp(wet / WET_THRESHOLD, 0, 1) - 0.5 * (ret->temperature - 10), 8, 100);
    if (ret->precipitation > 0)
        ret->sky = ret->temperature <= 0.5 ? CL_SKY_SNOW : CL_SKY_RAIN;
    else
        ret->sky = cloud > 0.6 ? CL_SKY_CLOUDY : CL_SKY_SUNNY;
}

double cl_weather_speed_factor(const struct cl_city *city, double x, double y, int64_t time_us)
{
    double hours = hours_of(time_us), wet = wetness(city, x, y, hours), rain = rain_of(wet);
    if (rain <= 0) return 1;
    double heavy = rain / (rain + 4);
    bool snow = temperature_at(city, x, y, hours, cloud_of(wet)) <= 0.5;
    return snow ? 0.8 - 0.25 * heavy : 0.95 - 0.25 * heavy;
}
