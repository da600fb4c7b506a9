/* output.h - rows of text on a stream as a table for people, as CSV or as JSON.
 *
 * Order: new -> row* -> finish -> free.  Memory is bounded at any number of rows: a table's widths
 * come from its first rows (up to 8 MiB of them), later rows keep those widths.
 *
 *   table  aligned columns, numbers to the right, NULL as "NULL", control characters as escapes,
 * "(12 rows)" below csv    RFC 4180 with a header line; NULL is empty, the empty text is "" json an
 * array with one object a line; numbers, booleans and nested values bare, nan and inf as strings;
 * without rows: []   */
#ifndef CITYLAKE_QUERY_OUTPUT_H
#define CITYLAKE_QUERY_OUTPUT_H

#include "query/engine.h"

#include <stdio.h>

enum cl_output_format { CL_OUTPUT_TABLE, CL_OUTPUT_CSV, CL_OUTPUT_JSON };

struct cl_output;

/* out and columns are borrowed until free.  max_width: screen columns a table's cell may take
 * before it is cut, 0 = any. */
CL_MUSTCHECK enum cl_code cl_output_new(FILE *out, enum cl_output_format format,
                                        const struct cl_result_column *columns, size_t n,
                                        int max_width, struct cl_output **ret,
                                        struct cl_error *err);

/* One text per column, NULL = SQL NULL; lens may be NULL (texts end with NUL).  CL_EIO: the stream
 * failed. */
CL_MUSTCHECK enum cl_code cl_output_row(struct cl_output *o, const char *const *texts,
                                        const size_t *lens, struct cl_error *err);

/* Writes what is left, and flushes the stream. */
CL_MUSTCHECK enum cl_code cl_output_finish(struct cl_output *o, struct cl_error *err);

void cl_output_free(struct cl_output *o); /* NULL allowed */

#endif
