/* avro_writer.h - an Avro object container file in memory, field by field.
 *
 * Format: Apache Avro specification 1.11, "Binary Encoding" and "Object Container Files"; codec
 * deflate. Order: init -> (put* -> end_record)* -> finish -> fini.  The caller puts values in the
 * order of the schema it gave; nothing checks that here (the tests read everything back with other
 * people's readers). Errors stick: after a failed put every further one does nothing, and
 * end_record reports it. */
#ifndef CITYLAKE_ICEBERG_AVRO_WRITER_H
#define CITYLAKE_ICEBERG_AVRO_WRITER_H

#include "base/buf.h"

#include <stdbool.h>

struct cl_avro_meta {
    const char *key, *value;
};

struct cl_avro_writer {
    struct cl_buf out;   /* the file: header and finished blocks */
    struct cl_buf block; /* records of the open block */
    struct cl_buf packed;
    int64_t block_records;
    uint8_t sync[16];
    enum cl_code failed;
    struct cl_error error;
};

/* max_bytes: of the file.  meta: the file's own entries besides avro.schema and avro.codec. */
CL_MUSTCHECK enum cl_code cl_avro_writer_init(struct cl_avro_writer *w, const char *schema,
                                              const struct cl_avro_meta *meta, size_t n_meta,
                                              size_t max_bytes, struct cl_error *err);
void cl_avro_writer_fini(struct cl_avro_writer *w);

void cl_avro_put_long(struct cl_avro_writer *w, int64_t v); /* int and long */
void cl_avro_put_boolean(struct cl_avro_writer *w, bool v);
void cl_avro_put_bytes(struct cl_avro_writer *w, const void *data, size_t len);
void cl_avro_put_string(struct cl_avro_writer *w, const char *text);
/* Branch of a union ["null", T]: what follows is T when present, nothing otherwise. */
void cl_avro_put_present(struct cl_avro_writer *w, bool present);
/* An array is one block: count, then the items, then end.  An empty one is begin(0) alone. */
void cl_avro_put_array(struct cl_avro_writer *w, size_t count);
void cl_avro_put_array_end(struct cl_avro_writer *w, size_t count);

CL_MUSTCHECK enum cl_code cl_avro_writer_end_record(struct cl_avro_writer *w, struct cl_error *err);
/* Afterwards the whole file is w->out. */
CL_MUSTCHECK enum cl_code cl_avro_writer_finish(struct cl_avro_writer *w, struct cl_error *err);

#endif
