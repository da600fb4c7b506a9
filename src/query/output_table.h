/* output_table.h - the aligned table of output.c.  Private to it. */
#ifndef CITYLAKE_QUERY_OUTPUT_TABLE_H
#define CITYLAKE_QUERY_OUTPUT_TABLE_H

#include "query/engine.h"
#include "query/text.h"

struct cl_table_writer;

CL_MUSTCHECK enum cl_code cl_table_writer_new(const struct cl_result_column *columns, size_t n,
                                              int max_width, struct cl_table_writer **ret,
                                              struct cl_error *err);
/* Puts into `out` what can be written by now: nothing while widths are still being found. */
void cl_table_writer_row(struct cl_table_writer *w, struct cl_text *out, const char *const *texts,
                         const size_t *lens);
void cl_table_writer_finish(struct cl_table_writer *w, struct cl_text *out);
void cl_table_writer_free(struct cl_table_writer *w);

#endif
