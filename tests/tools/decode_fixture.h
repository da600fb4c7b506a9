/* decode_fixture.h - a decoder over feeds with every type and rule, for the unit tests, the fuzzer
 * and decode_driver.
 *
 * Feed "all" has a column of each kind, "strict" refuses unknown members and requires some. */
#ifndef CITYLAKE_TESTS_DECODE_FIXTURE_H
#define CITYLAKE_TESTS_DECODE_FIXTURE_H

#include "decode/decoder.h"

struct decode_fixture {
    struct cl_spec *spec;
    const struct cl_feed *feed;
    struct cl_decoder *decoder;
    struct cl_batch *batch;
    struct cl_reject reject; /* of the last decode that gave one */
};

/* yaml: NULL for the feeds above.  Prints and aborts on any failure: tests have nothing else to do
 * then. */
void decode_fixture_init(struct decode_fixture *f, const char *yaml, const char *feed_name);
void decode_fixture_fini(struct decode_fixture *f);

/* Decodes from a copy of exactly len bytes, so that ASan sees a read past the end, into row 0.
 * Checks what holds for every reject: its words are UTF-8, its place is in the message. */
enum cl_decoded decode_fixture_decode(struct decode_fixture *f, const void *text, size_t len);

/* Index of a column, by name; aborts if there is none. */
int decode_fixture_column(const struct decode_fixture *f, const char *name);

#endif
