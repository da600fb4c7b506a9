/* decoder.h - one JSON message -> one row of a batch, or a reason why not.
 *
 * Schema-directed: one pass over the bytes, no tree, no allocation per message.  The whole message
 * is checked as JSON (RFC 8259) even where no column looks: escapes, surrogate pairs, UTF-8,
 * numbers, depth.  new -> decode* -> free; one thread. */
#ifndef CITYLAKE_DECODE_DECODER_H
#define CITYLAKE_DECODE_DECODER_H

#include "record/batch.h"
#include "spec/spec.h"

enum cl_reject_reason {
    CL_REJECT_EMPTY,         /* no bytes, or only white space */
    CL_REJECT_TOMBSTONE,     /* Kafka message without a value */
    CL_REJECT_NOT_OBJECT,    /* valid JSON, but not an object */
    CL_REJECT_SYNTAX,        /* not JSON: bad token, truncated, trailing bytes */
    CL_REJECT_UTF8,          /* a string is not UTF-8, or has a lone surrogate escape */
    CL_REJECT_DEPTH,         /* nested deeper than CL_JSON_MAX_DEPTH */
    CL_REJECT_DUPLICATE_KEY, /* a member that a column reads stands twice */
    CL_REJECT_UNKNOWN_FIELD, /* strict feeds only */
    CL_REJECT_MISSING,       /* a required column is absent or null */
    CL_REJECT_TYPE,          /* a value of the wrong JSON type, or a fraction for an integer */
    CL_REJECT_RANGE,         /* outside the declared range or the column type's own */
    CL_REJECT_FORMAT,   /* not a uuid, not a time, not base64, not one of the declared values */
    CL_REJECT_TOO_LONG, /* longer than max_bytes */
    CL_REJECT_UNKNOWN_TOPIC, /* not the decoder's: an envelope or topic that no feed declares */
    CL_REJECT_N
};

enum { CL_JSON_MAX_DEPTH = 64 };

/* "syntax", "missing": the word that stands in dead_letters.reason. */
const char *cl_reject_reason_text(enum cl_reject_reason reason);

struct cl_reject {
    enum cl_reject_reason reason;
    int column;       /* index into feed->columns, or -1 */
    int64_t byte;     /* offset in the message where it was noticed */
    char detail[160]; /* one line for a person, UTF-8; quotes at most a few dozen bytes of the
                         message */
};

enum cl_decoded { CL_DECODED_ROW, CL_DECODED_REJECT, CL_DECODED_NOMEM };

struct cl_decoder;

/* feed is borrowed and outlives the decoder.  CL_ENOMEM; CL_EINVAL: the columns' paths contradict
 * each other (named). */
CL_MUSTCHECK enum cl_code cl_decoder_new(const struct cl_feed *feed, struct cl_decoder **ret,
                                         struct cl_error *err);
void cl_decoder_free(struct cl_decoder *d);

/* Fills slot batch->rows of the feed's declared columns (batch has feed->schema; the three system
 * columns are the caller's) and does NOT commit the row.  On CL_DECODED_REJECT *ret_reject says why
 * and the slot is garbage.  On CL_DECODED_ROW, *ret_reject is untouched.  batch->rows <
 * batch->capacity.  value is not padded: nothing past len is read. */
CL_MUSTCHECK enum cl_decoded cl_decoder_decode(struct cl_decoder *d, const uint8_t *value,
                                               size_t len, struct cl_batch *batch,
                                               struct cl_reject *ret_reject);

#endif
