/* picture.h - what a camera sees, as base64 text of a small JPEG (private to src/city). */
#ifndef CITYLAKE_CITY_PICTURE_H
#define CITYLAKE_CITY_PICTURE_H

#include "base/error.h"

#include <stdint.h>

enum { CL_LIGHTS = 3, CL_SCENE_SKIES = 4, CL_COLOURS = 8, CL_CROWDS = 2 };

struct cl_city_scene {
    int light;  /* 0 night, 1 dawn or dusk, 2 day */
    int sky;    /* enum cl_sky */
    int colour; /* of the car */
    int crowd;  /* 1: more cars behind it */
};

struct cl_city_picture {
    const char *text; /* base64; belongs to the album */
    size_t len;       /* at most CL_PICTURE_MAX */
};
enum { CL_PICTURE_MAX = 6000 };

/* Keeps the pictures it has encoded: one for each kind of scene, at most CL_LIGHTS * CL_SCENE_SKIES
 * * CL_COLOURS * CL_CROWDS. */
struct cl_album;
enum cl_code cl_album_new(struct cl_album **ret, struct cl_error *err);
void cl_album_free(struct cl_album *album);
enum cl_code cl_album_picture(struct cl_album *album, const struct cl_city_scene *scene,
                              struct cl_city_picture *ret, struct cl_error *err);

#endif
