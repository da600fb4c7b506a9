/* duckdb_engine.c - SQL by DuckDB, in process, over views of Iceberg tables.
 *
 * Order: open an in-memory database -> settings -> one view a table (duckdb_view.c) -> lock -> the
 * user's statements. The lock: DuckDB may then touch only the files of the given tables and its own
 * spill folder, load no extension and change no setting.  Those files it could still overwrite, so
 * only statements of kinds that can't write a file are run (see `allowed`).
 *
 * Errors come as JSON (errors_as_json), which has the byte position in the SQL text; err->where
 * becomes "line 2, column 9". */
#include "query/engine.h"

#include "query/duckdb_value.h"
#include "query/duckdb_view.h"
#include "query/sql_words.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* One value of a result, and the text of one row: DuckDB's own limit of a string is 4 GiB. */
#define MAX_ROW_BYTES ((size_t)1 << 33)

struct engine {
    struct cl_engine base;
    duckdb_database database;
    duckdb_connection connection;
};

/* What a struct cl_result of this engine is. */
struct rows {
    const char *sql;                     /* for places in errors; owned */
    duckdb_prepared_statement statement; /* streams live as long as their statement */
    duckdb_result result;
    duckdb_data_chunk chunk;
    uint64_t row, chunk_rows;
    size_t n;
    struct cl_duckdb_column *columns;
    struct cl_result_column *described;
    const char **texts;
    size_t *lens;
    struct cl_buf names; /* of columns and their types */
    struct cl_buf text;  /* of the current row, but strings, which stay in the chunk */
};

/* ---- errors ---- */

static void describe_place(struct cl_error *err, const char *sql, const char *position)
{
    if (err == NULL || sql == NULL || position == NULL) return;
    size_t at = strtoul(position, NULL, 10), line = 1, column = 1;
    for (size_t i = 0; i < at && sql[i] != '\0'; i++) {
        column = sql[i] == '\n' ? 1 : column + ((sql[i] & 0xC0) != 0x80);
        line += sql[i] == '\n';
    }
    (void)snprintf(err->where, sizeof err->where, "line %zu, column %zu", line, column);
}

/* DuckDB's "\n" between sentences becomes "; ". */
static void one_line(const char *message, char *buf, size_t size)
{
    size_t n = 0;
    for (const char *p = message; *p != '\0' && n + 3 < size; p++) {
        if (*p != '\n') {
            buf[n++] = *p;
            continue;
        }
        while (p[1] == '\n')
            p++;
        if (p[1] == '\0') break;
        if (n > 0 && strchr(".!:;?", buf[n - 1]) == NULL) buf[n++] = ';';
        buf[n++] = ' ';
    }
    while (n > 0 && (buf[n - 1] == '.' || buf[n - 1] == ' '))
        n--;
    buf[n] = '\0';
}

static enum cl_code code_of(const char *kind)
{
    if (strcasecmp(kind, "Interrupt") == 0) return CL_ECANCELED;
    if (strcasecmp(kind, "Out of Memory") == 0) return CL_ELIMIT;
    if (strcasecmp(kind, "IO") == 0) return CL_EIO;
    return CL_EINVAL;
}

/* message: DuckDB's, as JSON or, from places that ignore errors_as_json, plain.  sql NULL: our own
 * statement, no place. */
static enum cl_code fail_duckdb(struct cl_error *err, const char *message, const char *sql)
{
    char line[900];
    if (message == NULL) message = "DuckDB gave no reason";
    const char *brace = strchr(message, '{');
    json_t *object = brace == NULL ? NULL : json_loads(brace, JSON_DISABLE_EOF_CHECK, NULL);
    const char *kind = json_string_value(json_object_get(object, "exception_type"));
    const char *text = json_string_value(json_object_get(object, "exception_message"));
    enum cl_code code;
    if (kind == NULL || text == NULL) {
        one_line(message, line, sizeof line);
        code = cl_fail(err, strncasecmp(message, "interrupt", 9) == 0 ? CL_ECANCELED : CL_EINVAL,
                       "%s", line);
    } else {
        one_line(text, line, sizeof line);
        code = code_of(kind);
        if (code == CL_ECANCELED)
            (void)cl_fail(err, code, "interrupted");
        else
            (void)cl_fail(err, code, "%s Error: %s", kind, line);
        describe_place(err, sql, json_string_value(json_object_get(object, "position")));
    }
    json_decref(object);
    return code;
}

/* ---- opening ---- */

/* Runs one of our own statements. */
static enum cl_code run(struct engine *e, const char *sql, struct cl_error *err)
{
    duckdb_result result;
    enum cl_code code = CL_OK;
    if (duckdb_query(e->connection, sql, &result) != DuckDBSuccess)
        code = fail_duckdb(err, duckdb_result_error(&result), NULL);
    duckdb_destroy_result(&result);
    return code;
}

static enum cl_code open_database(struct engine *e, struct cl_error *err)
{
    char *message = NULL;
    if (duckdb_open_ext(NULL, &e->database, NULL, &message) != DuckDBSuccess) {
        enum cl_code code = cl_fail(err, CL_EIO, "DuckDB does not start: %s",
                                    message == NULL ? "no reason given" : message);
        duckdb_free(message);
        return code;
    }
    if (duckdb_connect(e->database, &e->connection) != DuckDBSuccess)
        return cl_fail(err, CL_EIO, "DuckDB gives no connection");
    return CL_OK;
}

static void settings_sql(struct cl_text *sql, const struct cl_duckdb_options *o)
{
    int64_t memory = o != NULL && o->memory_bytes > 0 ? o->memory_bytes : INT64_C(1) << 30;
    const char *temp_dir = o != NULL && o->temp_dir != NULL ? o->temp_dir : "";
    cl_text_printf(sql, "SET memory_limit = '%lld KiB'; ", (long long)(memory / 1024));
    if (o != NULL && o->threads > 0) cl_text_printf(sql, "SET threads = %d; ", o->threads);
    cl_text_str(sql, "SET temp_directory = ");
    cl_text_quoted(sql, '\'', temp_dir, strlen(temp_dir));
    cl_text_str(sql,
                "; SET TimeZone = 'UTC'; SET errors_as_json = true; SET "
                "autoinstall_known_extensions = false; "
                "SET autoload_known_extensions = false; SET allow_community_extensions = false; ");
}

static void lock_sql(struct cl_text *sql, const struct cl_engine_table *tables, size_t n)
{
    bool first = true;
    cl_text_str(sql, "; SET allowed_paths = [");
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < tables[i].scan->n; k++) {
            const char *path = cl_duckdb_local_path(tables[i].scan->files[k].path);
            if (!first) cl_text_byte(sql, ',');
            cl_text_quoted(sql, '\'', path, strlen(path));
            first = false;
        }
    }
    cl_text_str(sql, "]; SET enable_external_access = false; SET lock_configuration = true");
}

static enum cl_code set_up(struct engine *e, const struct cl_engine_table *tables, size_t n,
                           const struct cl_duckdb_options *options, struct cl_error *err)
{
    struct cl_buf buf;
    struct cl_text sql;
    for (size_t i = 0; i < n; i++) {
        enum cl_code code = cl_duckdb_check(&tables[i], err);
        if (code != CL_OK) return code;
    }
    cl_buf_init(&buf, CL_DUCKDB_MAX_SQL);
    cl_text_init(&sql, &buf, err);
    settings_sql(&sql, options);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) cl_text_str(&sql, "; ");
        cl_duckdb_view_sql(&sql, &tables[i]);
    }
    lock_sql(&sql, tables, n);
    cl_text_byte(&sql, '\0');
    enum cl_code code = sql.code;
    if (code == CL_OK) code = run(e, (const char *)buf.data, err);
    cl_buf_fini(&buf);
    return code;
}

/* ---- statements ---- */

/* Kinds that can't write a file or reach outside.  EXPLAIN ANALYZE runs what it explains, and the C
 * API doesn't tell what that is, so an EXPLAIN is refused when the text has the word COPY or EXPORT
 * anywhere. */
static bool allowed(duckdb_statement_type type, const char *sql)
{
    switch (type) {
    case DUCKDB_STATEMENT_TYPE_EXPLAIN:
        return !cl_sql_mentions(sql, "copy") && !cl_sql_mentions(sql, "export");
    case DUCKDB_STATEMENT_TYPE_SELECT:
    case DUCKDB_STATEMENT_TYPE_INSERT: /* the rest: into tables in memory, gone at the end */
    case DUCKDB_STATEMENT_TYPE_UPDATE:
    case DUCKDB_STATEMENT_TYPE_DELETE:
    case DUCKDB_STATEMENT_TYPE_CREATE:
    case DUCKDB_STATEMENT_TYPE_CREATE_FUNC:
    case DUCKDB_STATEMENT_TYPE_ALTER:
    case DUCKDB_STATEMENT_TYPE_DROP:
    case DUCKDB_STATEMENT_TYPE_TRANSACTION:
    case DUCKDB_STATEMENT_TYPE_ANALYZE:
    case DUCKDB_STATEMENT_TYPE_VARIABLE_SET:
    case DUCKDB_STATEMENT_TYPE_SET: /* SET VARIABLE, USE; settings are locked */
    case DUCKDB_STATEMENT_TYPE_PRAGMA:
    case DUCKDB_STATEMENT_TYPE_CALL: return true;
    default: return false;
    }
}

static void rows_free(struct cl_result *result)
{
    struct rows *r = (struct rows *)result;
    if (r == NULL) return;
    for (size_t i = 0; r->columns != NULL && i < r->n; i++)
        cl_duckdb_column_fini(&r->columns[i]);
    free(r->columns);
    free(r->described);
    free(r->texts);
    free(r->lens);
    cl_buf_fini(&r->names);
    cl_buf_fini(&r->text);
    duckdb_destroy_data_chunk(&r->chunk);
    duckdb_destroy_result(&r->result);
    duckdb_destroy_prepare(&r->statement);
    free((char *)r->sql);
    free(r);
}

static enum cl_code describe_column(struct rows *r, size_t i, struct cl_error *err)
{
    duckdb_logical_type type = duckdb_column_logical_type(&r->result, i);
    enum cl_code code = cl_duckdb_column_init(&r->columns[i], type, err);
    duckdb_destroy_logical_type(&type);
    const char *name = duckdb_column_name(&r->result, i);
    if (code != CL_OK) return cl_error_wrap(err, code, "column %s", name);
    const struct cl_duckdb_column *c = &r->columns[i];
    r->described[i] = (struct cl_result_column){
        .numeric = cl_duckdb_is_numeric(c),
        .boolean = c->type == DUCKDB_TYPE_BOOLEAN,
        .json = cl_duckdb_is_nested(c) || c->json_text,
    };
    struct cl_text t;
    cl_text_init(&t, &r->names, err);
    cl_text_bytes(&t, name, strlen(name) + 1);
    cl_duckdb_put_type(&t, c);
    cl_text_byte(&t, '\0');
    return t.code;
}

static enum cl_code describe(struct rows *r, struct cl_error *err)
{
    size_t n = duckdb_result_return_type(r->result) == DUCKDB_RESULT_TYPE_NOTHING
                   ? 0
                   : duckdb_column_count(&r->result);
    r->columns = calloc(n + 1, sizeof *r->columns);
    r->described = calloc(n + 1, sizeof *r->described);
    r->texts = calloc(n + 1, sizeof *r->texts);
    r->lens = calloc(n + 1, sizeof *r->lens);
    if (r->columns == NULL || r->described == NULL || r->texts == NULL || r->lens == NULL)
        return cl_fail_nomem(err);
    for (r->n = 0; r->n < n; r->n++) {
        enum cl_code code = describe_column(r, r->n, err);
        if (code != CL_OK) return code;
    }
    const char *text = (const char *)r->names.data; /* stands still from here on */
    for (size_t i = 0; i < n; i++) {
        r->described[i].name = text;
        text += strlen(text) + 1;
        r->described[i].type = text;
        text += strlen(text) + 1;
    }
    return CL_OK;
}

/* Runs statement i of `statements`; the last one's result streams. */
static enum cl_code run_statement(struct engine *e, struct rows *r,
                                  duckdb_extracted_statements statements, idx_t i, bool last,
                                  struct cl_error *err)
{
    duckdb_destroy_result(&r->result);
    duckdb_destroy_prepare(&r->statement);
    if (duckdb_prepare_extracted_statement(e->connection, statements, i, &r->statement) !=
        DuckDBSuccess)
        return fail_duckdb(err, duckdb_prepare_error(r->statement), r->sql);
    if (!allowed(duckdb_prepared_statement_type(r->statement), r->sql))
        return cl_fail(
            err, CL_EUNSUPPORTED,
            "statement %d of a kind that reads or writes files is not run here (COPY, EXPORT, "
            "ATTACH, INSTALL, LOAD, "
            "PREPARE ...); to keep a result, redirect the output of --format csv or json",
            (int)i + 1);
    duckdb_state state = last ? duckdb_execute_prepared_streaming(r->statement, &r->result)
                              : duckdb_execute_prepared(r->statement, &r->result);
    return state == DuckDBSuccess ? CL_OK
                                  : fail_duckdb(err, duckdb_result_error(&r->result), r->sql);
}

static enum cl_code run_all(struct engine *e, struct rows *r, struct cl_error *err)
{
    duckdb_extracted_statements statements = NULL;
    enum cl_code code = CL_OK;
    idx_t n = duckdb_extract_statements(e->connection, r->sql, &statements);
    if (n == 0) {
        const char *message = duckdb_extract_statements_error(statements);
        code = message == NULL ? cl_fail(err, CL_EINVAL, "there is no SQL statement")
                               : fail_duckdb(err, message, r->sql);
    }
    for (idx_t i = 0; i < n && code == CL_OK; i++)
        code = run_statement(e, r, statements, i, i + 1 == n, err);
    duckdb_destroy_extracted(&statements);
    return code;
}

static enum cl_code engine_execute(struct cl_engine *engine, const char *sql,
                                   struct cl_result **ret, struct cl_error *err)
{
    struct rows *r = calloc(1, sizeof *r);
    if (r == NULL) return cl_fail_nomem(err);
    cl_buf_init(&r->names, MAX_ROW_BYTES);
    cl_buf_init(&r->text, MAX_ROW_BYTES);
    r->sql = strdup(sql);
    enum cl_code code =
        r->sql == NULL ? cl_fail_nomem(err) : run_all((struct engine *)engine, r, err);
    if (code == CL_OK) code = describe(r, err);
    if (code == CL_OK)
        *ret = (struct cl_result *)r;
    else
        rows_free((struct cl_result *)r);
    return code;
}

static void rows_columns(struct cl_result *result, const struct cl_result_column **ret,
                         size_t *ret_n)
{
    struct rows *r = (struct rows *)result;
    *ret = r->described;
    *ret_n = r->n;
}

/* CL_ENOTFOUND: there are no more rows. */
static enum cl_code next_chunk(struct rows *r, struct cl_error *err)
{
    do {
        duckdb_destroy_data_chunk(&r->chunk);
        r->chunk = duckdb_fetch_chunk(r->result);
        if (r->chunk == NULL) {
            const char *message = duckdb_result_error(&r->result);
            return message == NULL || message[0] == '\0' ? CL_ENOTFOUND
                                                         : fail_duckdb(err, message, r->sql);
        }
        r->chunk_rows = duckdb_data_chunk_get_size(r->chunk);
    } while (r->chunk_rows == 0);
    for (size_t i = 0; i < r->n; i++)
        cl_duckdb_column_bind(&r->columns[i], duckdb_data_chunk_get_vector(r->chunk, i));
    r->row = 0;
    return CL_OK;
}

static bool in_place(const struct cl_duckdb_column *c)
{
    return c->type == DUCKDB_TYPE_VARCHAR;
}

static enum cl_code rows_next(struct cl_result *result, const char *const **ret_texts,
                              const size_t **ret_lens, struct cl_error *err)
{
    struct rows *r = (struct rows *)result;
    *ret_texts = NULL;
    *ret_lens = r->lens;
    if (r->n == 0) return CL_OK;
    if (r->row == r->chunk_rows) {
        enum cl_code code = next_chunk(r, err);
        if (code != CL_OK) return code == CL_ENOTFOUND ? CL_OK : code;
    }
    struct cl_text t;
    cl_buf_reset(&r->text);
    cl_text_init(&t, &r->text, err);
    for (size_t i = 0; i < r->n; i++) {
        const struct cl_duckdb_column *c = &r->columns[i];
        size_t start = r->text.len;
        if (in_place(c) || cl_duckdb_is_null(c, r->row)) continue;
        cl_duckdb_put(&t, c, r->row);
        r->lens[i] = r->text.len - start;
        cl_text_byte(&t, '\0');
    }
    if (t.code != CL_OK) return t.code;
    const char *text = (const char *)r->text.data; /* only now: the buffer moves while it grows */
    for (size_t i = 0; i < r->n; i++) {
        const struct cl_duckdb_column *c = &r->columns[i];
        r->texts[i] = NULL;
        if (cl_duckdb_is_null(c, r->row)) continue;
        r->texts[i] = in_place(c) ? cl_duckdb_string(c, r->row, &r->lens[i]) : text;
        if (!in_place(c)) text += r->lens[i] + 1;
    }
    r->row++;
    *ret_texts = r->texts;
    return CL_OK;
}

static void engine_cancel(struct cl_engine *engine)
{
    duckdb_interrupt(((struct engine *)engine)->connection);
}

static void engine_free(struct cl_engine *engine)
{
    struct engine *e = (struct engine *)engine;
    if (e == NULL) return;
    duckdb_disconnect(&e->connection);
    duckdb_close(&e->database);
    free(e);
}

static const struct cl_engine_ops OPS = {
    .name = "duckdb",
    .execute = engine_execute,
    .columns = rows_columns,
    .next_row = rows_next,
    .result_free = rows_free,
    .cancel = engine_cancel,
    .free = engine_free,
};

enum cl_code cl_duckdb_engine_new(const struct cl_engine_table *tables, size_t n,
                                  const struct cl_duckdb_options *options, struct cl_engine **ret,
                                  struct cl_error *err)
{
    struct engine *e = calloc(1, sizeof *e);
    if (e == NULL) return cl_fail_nomem(err);
    e->base.ops = &OPS;
    enum cl_code code = open_database(e, err);
    if (code == CL_OK) code = set_up(e, tables, n, options, err);
    if (code != CL_OK) {
        engine_free(&e->base);
        return code;
    }
    *ret = &e->base;
    return CL_OK;
}
