/* run.h - the state of one message on its way through the decoder, shared by decoder.c, column.c
 * and reject.c.
 *
 * The readers say only that something failed and where; the sentence for a person is made
 * afterwards by cl_reject_describe, off the hot path. */
#ifndef CITYLAKE_DECODE_RUN_H
#define CITYLAKE_DECODE_RUN_H

#include "decode/decoder.h"
#include "decode/json_scan.h"
#include "decode/plan.h"

enum cl_failure_kind {
    CL_FAILED_SYNTAX, /* not JSON; where and why is found by checking the message again */
    CL_FAILED_VALUE,  /* a reject that `reason` names, if the message turns out to be JSON otherwise
                       */
    CL_FAILED_NOMEM,
};

struct cl_failure {
    enum cl_failure_kind kind;
    enum cl_reject_reason reason;
    int column;
    const uint8_t *at; /* the value, or the member name */
    const char
        *what; /* ends the sentence "speed: 512.3 ..." or, for another type, is what was expected */
    size_t length; /* CL_REJECT_TOO_LONG: of the value */
    double stored; /* CL_REJECT_RANGE of a converted value: after the conversion */
};

struct cl_run {
    const uint8_t *begin, *end;
    struct cl_column *columns;
    int32_t row;
    uint64_t message;          /* its number, never 0 */
    uint64_t *column_set;      /* per column: number of the last message that gave it a value */
    size_t n_set;              /* columns given a value by this message */
    struct cl_failure failure; /* valid once something returned NULL or false */
};

/* The reader that fits a column's type and format. */
cl_read_fn *cl_reader_function(const struct cl_feed_column *column);

const uint8_t *cl_run_fail(struct cl_run *run, enum cl_reject_reason reason, int column,
                           const uint8_t *at, const char *what);
const uint8_t *cl_run_fail_syntax(struct cl_run *run);
const uint8_t *cl_run_fail_nomem(struct cl_run *run);

/* Checks [begin, end) as one JSON text, white space around it allowed.  *ret_value: where the value
 * begins. */
bool cl_json_check(const uint8_t *begin, const uint8_t *end, const uint8_t **ret_value,
                   struct cl_json_fault *fault);

/* Turns run->failure (not NOMEM) into a reject. */
void cl_reject_describe(const struct cl_run *run, const struct cl_feed *feed,
                        struct cl_reject *ret);

#endif
