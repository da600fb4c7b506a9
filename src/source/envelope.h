/* envelope.h - finds topic, key and value in one line {"topic": T, "key": K, "value": V}.
 *
 * This is the form in which `citylake simulate` writes the events of all feeds to one stream:
 *
 *   topic  string, required
 *   key    string, or null; may be missing
 *   value  any JSON value, handed on as the very bytes that stand in the line; null is a message
 * without a value raw    instead of value: base64 of bytes that are not JSON, or that a line cannot
 * carry
 *
 * Members come in any order, with white space; other members are skipped; one of these twice is an
 * error.  The scanner is strict about the envelope and blind to the inside of the value: judging
 * that is the decoder's work.
 *
 * No allocation: escapes of topic and key and the base64 are decoded in place, over the bytes of
 * the line, and only when the line is a whole envelope; a line that is none is left as it was. */
#ifndef CITYLAKE_SOURCE_ENVELOPE_H
#define CITYLAKE_SOURCE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cl_envelope {
    const char
        *topic; /* like key and value a part of the line; ends with a NUL (it may hold others) */
    size_t topic_len;
    const uint8_t *key; /* NULL: no key */
    size_t key_len;
    const uint8_t *value; /* NULL: no value */
    size_t value_len;
};

/* False: the line is not an envelope; then neither *ret nor the line is touched. */
bool cl_envelope_scan(uint8_t *line, size_t len, struct cl_envelope *ret);

#endif
