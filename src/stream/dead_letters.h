/* dead_letters.h - the table that keeps every rejected message whole, and how a row of it is made.
 */
#ifndef CITYLAKE_STREAM_DEAD_LETTERS_H
#define CITYLAKE_STREAM_DEAD_LETTERS_H

#include "decode/decoder.h"
#include "record/batch.h"
#include "source/source.h"

/* Columns in this order: feed (null: no feed declares the topic), topic, partition, offset, key,
 * value, reason, column, detail, timestamp (the message's own), _ingested_at.  Field ids are 1, 2,
 * ... */
const struct cl_schema *cl_dead_letters_schema(void);

/* Adds one row for message m.  CL_ENOMEM, CL_ELIMIT (batch full of bytes). */
CL_MUSTCHECK enum cl_code cl_dead_letters_add(struct cl_batch *batch,
                                              const struct cl_source_partition *part,
                                              const struct cl_message *m,
                                              const struct cl_reject *reject,
                                              int64_t ingested_at_us, struct cl_error *err);

#endif
