/* duckdb_scalar.h - text of DuckDB's times, wide integers and blobs, as its own cast to VARCHAR
 * writes them.  Private to the duckdb engine. */
#ifndef CITYLAKE_QUERY_DUCKDB_SCALAR_H
#define CITYLAKE_QUERY_DUCKDB_SCALAR_H

#include "query/text.h"

/* Ticks since 1970-01-01T00:00:00, per_second of them a second (1, 10^3, 10^6, 10^9); the extremes
 * are "infinity". */
void cl_put_timestamp(struct cl_text *t, int64_t ticks, int64_t per_second, bool zone);
void cl_put_date(struct cl_text *t, int32_t days);
void cl_put_time(struct cl_text *t, int64_t ticks, int64_t per_second); /* of the day */
void cl_put_zone(struct cl_text *t, int32_t offset_s);                  /* "+02", "-03:30" */
void cl_put_interval(struct cl_text *t, int32_t months, int32_t days, int64_t us);
void cl_put_hugeint(struct cl_text *t, unsigned __int128 magnitude, bool negative);
void cl_put_decimal(struct cl_text *t, __int128 unscaled, unsigned scale);
void cl_put_uuid(struct cl_text *t, unsigned __int128 bits);
void cl_put_blob(struct cl_text *t, const uint8_t *bytes,
                 size_t len); /* printable ASCII, the rest as \xAB */
void cl_put_bits(struct cl_text *t, const uint8_t *bytes,
                 size_t len); /* DuckDB's BIT: first byte = unused leading bits */

#endif
