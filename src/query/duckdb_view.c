/* duckdb_view.c - a table's files as a FROM item of DuckDB.
 *
 * Files are found by Iceberg, columns by field id: read_parquet's `schema` parameter maps an id to
 * a name, a type and a default, so a file written before a column existed, or before it was
 * renamed, reads as Iceberg says ("Column Projection" in the table spec). A path with glob
 * characters is safe: DuckDB takes a path that exists as it is before it tries it as a pattern. */
#include "query/duckdb_view.h"

#include <stdio.h>

const char *cl_duckdb_local_path(const char *uri)
{
    if (uri[0] == '/') return uri;
    if (strncmp(uri, "file:/", 6) != 0) return NULL;
    const char *path = uri + 5;
    if (path[1] != '/') return path;
    return path[2] == '/' ? path + 2 : NULL; /* file://host/x is another machine's */
}

enum cl_code cl_duckdb_check(const struct cl_engine_table *t, struct cl_error *err)
{
    for (size_t i = 0; i < t->scan->n; i++) {
        const struct cl_scan_file *f = &t->scan->files[i];
        if (f->has_deletes)
            return cl_fail(err, CL_EUNSUPPORTED,
                           "table %s has row-level deletes (another program wrote them), which "
                           "this reader cannot "
                           "apply; compact the table with that program first",
                           t->name);
        if (cl_duckdb_local_path(f->path) == NULL)
            return cl_fail(err, CL_EUNSUPPORTED, "table %s: %s is not on a local disk", t->name,
                           f->path);
    }
    return CL_OK;
}

static const char *type_sql(const struct cl_field *f, char buf[32])
{
    switch (f->type) {
    case CL_BOOLEAN: return "BOOLEAN";
    case CL_INT: return "INTEGER";
    case CL_LONG: return "BIGINT";
    case CL_FLOAT: return "FLOAT";
    case CL_DOUBLE: return "DOUBLE";
    case CL_DECIMAL: (void)snprintf(buf, 32, "DECIMAL(%d,%d)", f->precision, f->scale); return buf;
    case CL_DATE: return "DATE";
    case CL_TIMESTAMP: return "TIMESTAMP";
    case CL_STRING: return "VARCHAR";
    case CL_BINARY: return "BLOB";
    }
    return "VARCHAR";
}

static void empty_sql(struct cl_text *sql, const struct cl_schema *schema)
{
    char type[32];
    cl_text_str(sql, "(SELECT ");
    for (size_t i = 0; i < schema->n; i++) {
        const struct cl_field *f = &schema->fields[i];
        cl_text_printf(sql, "%sCAST(NULL AS %s) AS ", i > 0 ? ", " : "", type_sql(f, type));
        cl_text_quoted(sql, '"', f->name, strlen(f->name));
    }
    cl_text_str(sql, " WHERE false)");
}

void cl_duckdb_scan_sql(struct cl_text *sql, const struct cl_engine_table *t)
{
    char type[32];
    if (t->scan->n == 0) {
        empty_sql(sql, t->schema);
        return;
    }
    cl_text_str(sql, "read_parquet([");
    for (size_t i = 0; i < t->scan->n; i++) {
        const char *path = cl_duckdb_local_path(t->scan->files[i].path);
        if (i > 0) cl_text_byte(sql, ',');
        cl_text_quoted(sql, '\'', path, strlen(path));
    }
    cl_text_str(sql, "], schema = MAP {");
    for (size_t i = 0; i < t->schema->n; i++) {
        const struct cl_field *f = &t->schema->fields[i];
        cl_text_printf(sql, "%s%d: {name: ", i > 0 ? ", " : "", f->id);
        cl_text_quoted(sql, '\'', f->name, strlen(f->name));
        cl_text_printf(sql, ", type: '%s', default_value: NULL}", type_sql(f, type));
    }
    cl_text_str(sql, "})");
}

void cl_duckdb_view_sql(struct cl_text *sql, const struct cl_engine_table *t)
{
    cl_text_str(sql, "CREATE VIEW ");
    cl_text_quoted(sql, '"', t->name, strlen(t->name));
    cl_text_str(sql, " AS SELECT * FROM ");
    cl_duckdb_scan_sql(sql, t);
}
