/* picture.c - draws a street scene of 64 x 48 pixels and encodes it with libjpeg.
 *
 * The scene depends on the light, the sky, the colour of the car and whether the road is crowded,
 * so there are few pictures and each is encoded once per album. */
#include "city/picture.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { WIDTH = 64, HEIGHT = 48, HORIZON = 20, QUALITY = 60 };
enum { SCENES = CL_LIGHTS * CL_SCENE_SKIES * CL_COLOURS * CL_CROWDS };

struct rgb {
    int r, g, b;
};

struct canvas {
    uint8_t pixel[HEIGHT][WIDTH][3];
};

struct cl_album {
    char *text[SCENES];
    size_t len[SCENES];
    struct canvas canvas;
};

static void fill(struct canvas *c, int x0, int y0, int x1, int y1, struct rgb colour)
{
    for (int y = y0 < 0 ? 0 : y0; y < y1 && y < HEIGHT; y++)
        for (int x = x0 < 0 ? 0 : x0; x < x1 && x < WIDTH; x++) {
            c->pixel[y][x][0] = (uint8_t)colour.r;
            c->pixel[y][x][1] = (uint8_t)colour.g;
            c->pixel[y][x][2] = (uint8_t)colour.b;
        }
}

static struct rgb dim(struct rgb c, int light)
{
    static const int percent[CL_LIGHTS] = {30, 65, 100};
    return (struct rgb){c.r * percent[light] / 100, c.g * percent[light] / 100,
                        c.b * percent[light] / 100};
}

static void draw_background(struct canvas *c, const struct cl_city_scene *s)
{
    static const struct rgb skies[CL_SCENE_SKIES] = {
        {90, 160, 240}, {165, 172, 180}, {110, 118, 130}, {205, 208, 214}};
    for (int y = 0; y < HORIZON; y++) {
        struct rgb sky = skies[s->sky];
        if (s->light == 1 && s->sky == 0) sky = (struct rgb){250, 150 + y * 3, 90}; /* a red dawn */
        sky.b = sky.b > 200 - y ? sky.b : sky.b + y;
        fill(c, 0, y, WIDTH, y + 1, dim(sky, s->light));
    }
    bool snow = s->sky == 3;
    fill(c, 0, HORIZON, WIDTH, HEIGHT,
         dim(snow ? (struct rgb){225, 228, 232} : (struct rgb){86, 120, 70}, s->light));
    for (int k = 0; k < 8; k++) { /* houses along the horizon, lit at night */
        int top = HORIZON - 4 - (k * 5 + 3) % 9;
        fill(c, k * 8, top, k * 8 + 7, HORIZON, dim((struct rgb){120 + k * 5, 104, 96}, s->light));
        struct rgb window = s->light == 0 ? (struct rgb){240, 214, 120} : (struct rgb){70, 80, 92};
        fill(c, k * 8 + 2, top + 2, k * 8 + 4, top + 3, window);
    }
    for (int y = HORIZON; y < HEIGHT; y++) {
        int half = 5 + (y - HORIZON);
        int shade = s->sky == 2 ? 70 : 92; /* wet asphalt is darker */
        fill(c, WIDTH / 2 - half, y, WIDTH / 2 + half, y + 1,
             dim((struct rgb){shade, shade, shade + 4}, s->light));
        if (y % 6 < 3)
            fill(c, WIDTH / 2 - 1, y, WIDTH / 2, y + 1, dim((struct rgb){235, 235, 225}, s->light));
    }
}

static void draw_car(struct canvas *c, int x, int y, int size, struct rgb colour, int light)
{
    fill(c, x, y, x + 2 * size, y + size, dim(colour, light ? light : 1));
    fill(c, x + size / 3, y - size / 2, x + 2 * size - size / 3, y,
         dim((struct rgb){60, 72, 86}, light ? light : 1));
    fill(c, x + size / 4, y + size - 1, x + size / 2 + 1, y + size + 1, (struct rgb){16, 16, 18});
    fill(c, x + 2 * size - size / 2 - 1, y + size - 1, x + 2 * size - size / 4, y + size + 1,
         (struct rgb){16, 16, 18});
    if (light < 2) {
        fill(c, x, y + size / 2, x + 2, y + size / 2 + 2, (struct rgb){255, 250, 205});
        fill(c, x + 2 * size - 2, y + size / 2, x + 2 * size, y + size / 2 + 2,
             (struct rgb){255, 250, 205});
    }
}

static void draw(struct canvas *c, const struct cl_city_scene *s)
{
    static const struct rgb colours[CL_COLOURS] = {{236, 236, 236}, {24, 26, 30},  {150, 154, 160},
                                                   {30, 70, 160},   {176, 28, 30}, {32, 110, 64},
                                                   {232, 190, 40},  {120, 84, 52}};
    draw_background(c, s);
    if (s->crowd) {
        draw_car(c, 22, 25, 4, colours[(s->colour + 3) % CL_COLOURS], s->light);
        draw_car(c, 34, 24, 3, colours[(s->colour + 5) % CL_COLOURS], s->light);
        draw_car(c, 14, 33, 7, colours[(s->colour + 2) % CL_COLOURS], s->light);
    }
    draw_car(c, 34, 34, 9, colours[s->colour], s->light);
    if (s->sky < 2) return;
    for (int k = 0; k < 70; k++) { /* drops or flakes */
        int x = (k * 37 + 11) % WIDTH, y = (k * 53 + 7) % HEIGHT;
        fill(c, x, y, x + 1, y + (s->sky == 2 ? 3 : 1),
             s->sky == 2 ? (struct rgb){150, 165, 185} : (struct rgb){250, 250, 252});
    }
}

/* libjpeg ends the program on errors unless told otherwise. */
struct guard {
    struct jpeg_error_mgr base;
    jmp_buf back;
};

static void on_error(j_common_ptr info)
{
    struct guard *guard = (struct guard *)info->err;
    longjmp(guard->back, 1);
}

static bool encode(const struct canvas *c, unsigned char **ret, unsigned long *ret_len)
{
    struct jpeg_compress_struct jpeg;
    struct guard guard;
    jpeg.err = jpeg_std_error(&guard.base);
    guard.base.error_exit = on_error;
    if (setjmp(guard.back) != 0) {
        jpeg_destroy_compress(&jpeg);
        return false;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, ret, ret_len);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (JSAMPROW)c->pixel[jpeg.next_scanline];
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return true;
}

static char *base64(const unsigned char *data, size_t len, size_t *ret_len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((len + 2) / 3 * 4);
    if (text == NULL) return NULL;
    char *p = text;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t word = (uint32_t)data[i] << 16;
        if (i + 1 < len) word |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < len) word |= data[i + 2];
        *p++ = digits[word >> 18];
        *p++ = digits[word >> 12 & 63];
        *p++ = i + 1 < len ? digits[word >> 6 & 63] : '=';
        *p++ = i + 2 < len ? digits[word & 63] : '=';
    }
    *ret_len = (size_t)(p - text);
    return text;
}

enum cl_code cl_album_new(struct cl_album **ret, struct cl_error *err)
{
    struct cl_album *album = calloc(1, sizeof *album);
    if (album == NULL) return cl_fail_nomem(err);
    *ret = album;
    return CL_OK;
}

void cl_album_free(struct cl_album *album)
{
    if (album == NULL) return;
    for (int k = 0; k < SCENES; k++)
        free(album->text[k]);
    free(album);
}

enum cl_code cl_album_picture(struct cl_album *album, const struct cl_city_scene *s,
                              struct cl_city_picture *ret, struct cl_error *err)
{
    int k = ((s->light * CL_SCENE_SKIES + s->sky) * CL_COLOURS + s->colour) * CL_CROWDS + s->crowd;
    if (album->text[k] == NULL) {
        unsigned char *jpeg = NULL;
        unsigned long len = 0;
        draw(&album->canvas, s);
        bool done = encode(&album->canvas, &jpeg, &len);
        if (done) album->text[k] = base64(jpeg, len, &album->len[k]);
        free(jpeg);
        if (album->text[k] == NULL) return cl_fail_nomem(err);
        assert(album->len[k] <= CL_PICTURE_MAX); /* about 1,400; the pictures are our own */
    }
    *ret = (struct cl_city_picture){.text = album->text[k], .len = album->len[k]};
    return CL_OK;
}
