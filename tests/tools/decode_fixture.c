/* decode_fixture.c - see decode_fixture.h. */
#include "decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static const char default_yaml[] =
    "feeds:\n"
    "  all:\n"
    "    event_time: t\n"
    "    columns:\n"
    "      t:    {type: timestamp, required: true}\n"
    "      b:    boolean\n"
    "      i:    int\n"
    "      l:    long\n"
    "      f:    float\n"
    "      d:    double\n"
    "      dec:  {type: 'decimal(9, 2)'}\n"
    "      wide: {type: 'decimal(38, 10)'}\n"
    "      day:  date\n"
    "      ts:   {type: timestamp, format: epoch_s}\n"
    "      tm:   {type: timestamp, format: epoch_ms}\n"
    "      tu:   {type: timestamp, format: epoch_us}\n"
    "      dm:   {type: date, format: epoch_ms}\n"
    "      s:    string\n"
    "      u:    {type: string, format: uuid}\n"
    "      bin:  binary\n"
    "      b64:  {type: binary, encoding: base64}\n"
    "      kind: {type: string, values: [Fire, Accident, Police, \"\\u00e9t\\u00e9\"]}\n"
    "      lim:  {type: string, max_length: 5}\n"
    "      lim64: {type: binary, encoding: base64, max_length: 4}\n"
    "      speed: {type: double, range: [0, 400]}\n"
    "      kmh:  {type: double, unit: km/h, from_unit: m/s, range: [0, 400], from: ms}\n"
    "      count: {type: int, range: [1, 10]}\n"
    "      share: {type: float, range: [0, 0.1]}\n"
    "      cost: {type: 'decimal(5, 1)', range: [0, 99.9]}\n"
    "      lat:  {type: double, from: 'loc[0]'}\n"
    "      lon:  {type: double, from: 'loc[1]'}\n"
    "      far:  {type: string, from: 'loc[9]'}\n"
    "      deep: {type: long, from: 'a.b[2].c'}\n"
    "      near: {type: string, from: 'a.name'}\n"
    "      odd:  {type: string, from: '\"odd \\\"name\\\"\"'}\n"
    "      size: {type: int, from: \"gr\\u00f6\\u00dfe\"}\n"
    "      very_long_member_name_of_more_than_thirty_two_bytes: int\n"
    "      short_empty: {type: int, from: '\"\"'}\n"
    "  strict:\n"
    "    strict: true\n"
    "    event_time: t\n"
    "    columns:\n"
    "      t:    {type: timestamp, required: true}\n"
    "      id:   {type: string, required: true}\n"
    "      x:    {type: double, required: true, from: 'at.x'}\n"
    "      y:    {type: double, from: 'at.y'}\n";

static void check(enum cl_code code, const struct cl_error *err)
{
    char text[1400];
    if (code == CL_OK) return;
    fprintf(stderr, "fixture: %s\n", cl_error_text(err, text, sizeof text));
    abort();
}

void decode_fixture_init(struct decode_fixture *f, const char *yaml, const char *feed_name)
{
    struct cl_error err;
    if (yaml == NULL) yaml = default_yaml;
    *f = (struct decode_fixture){0};
    check(cl_spec_parse("fixture", yaml, strlen(yaml), &f->spec, &err), &err);
    f->feed = cl_spec_find_feed(f->spec, feed_name);
    if (f->feed == NULL) abort();
    check(cl_decoder_new(f->feed, &f->decoder, &err), &err);
    check(cl_batch_new(&f->feed->schema, 4, &f->batch, &err), &err);
}

void decode_fixture_fini(struct decode_fixture *f)
{
    cl_decoder_free(f->decoder);
    cl_batch_free(f->batch);
    cl_spec_free(f->spec);
}

static bool is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        int more = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc2 ? 1 : -1;
        if (more < 0 || *p > 0xf4) return false;
        for (p++; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80) return false;
    }
    return true;
}

static void check_reject(const struct decode_fixture *f, size_t len)
{
    const struct cl_reject *r = &f->reject;
    bool good = memchr(r->detail, 0, sizeof r->detail) != NULL && r->detail[0] != '\0' &&
                is_utf8(r->detail) && r->byte >= 0 && r->byte <= (int64_t)len && r->column >= -1 &&
                r->column < (int)f->feed->n_columns && (unsigned)r->reason < CL_REJECT_N;
    if (good) return;
    fprintf(stderr, "bad reject: reason %d column %d byte %lld detail '%s'\n", (int)r->reason,
            r->column, (long long)r->byte, r->detail);
    abort();
}

enum cl_decoded decode_fixture_decode(struct decode_fixture *f, const void *text, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) abort();
    if (len > 0) memcpy(copy, text, len);
    memset(&f->reject, 0xa5, sizeof f->reject);
    enum cl_decoded done = cl_decoder_decode(f->decoder, copy, len, f->batch, &f->reject);
    free(copy);
    if (done == CL_DECODED_REJECT) check_reject(f, len);
    return done;
}

int decode_fixture_column(const struct decode_fixture *f, const char *name)
{
    int column = cl_schema_find(&f->feed->schema, name);
    if (column < 0) abort();
    return column;
}
