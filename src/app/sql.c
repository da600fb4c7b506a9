/* sql.c - `citylake sql`: one SQL text over the lake's tables.
 *
 * Only tables that the text mentions are planned, so that a query's start does not grow with the
 * lake. */
#include "app/app.h"

#include "app/lake_tables.h"
#include "app/report.h"
#include "query/sql_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_SQL_BYTES = 16 << 20 };

/* ---- the SQL text ---- */

static enum cl_code read_stdin(struct cl_buf *sql, struct cl_error *err)
{
    for (;;) {
        enum cl_code code = cl_buf_reserve(sql, 65536, err);
        if (code != CL_OK) return cl_error_wrap(err, code, "SQL on standard input");
        ssize_t got = read(STDIN_FILENO, sql->data + sql->len, 65536);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cl_fail_errno(err, errno, "reading SQL from standard input");
        if (got == 0) return CL_OK;
        sql->len += (size_t)got;
    }
}

static enum cl_code sql_text(const struct cl_app *app, struct cl_buf *sql, struct cl_error *err)
{
    if (app->n_args > 1)
        return cl_fail(err, CL_EINVAL, "%d arguments where one is wanted: put the SQL in quotes",
                       app->n_args);
    if (app->n_args == 0 && isatty(STDIN_FILENO) == 1)
        return cl_fail(err, CL_EINVAL,
                       "no SQL: give it as an argument, in quotes, or on standard input");
    bool from_stdin = app->n_args == 0 || strcmp(app->args[0], "-") == 0;
    enum cl_code code =
        from_stdin ? read_stdin(sql, err) : cl_buf_append_str(sql, app->args[0], err);
    if (code == CL_OK && memchr(sql->data, '\0', sql->len) != NULL)
        return cl_fail(err, CL_EINVAL, "the SQL text has a NUL byte");
    return code == CL_OK ? cl_buf_append_byte(sql, '\0', err) : code;
}

/* ---- output ---- */

/* Screen columns for a cell when a person looks on: half of the terminal, all of it for a single
 * column; 0 = any. */
static int cell_width(size_t n_columns)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
        size.ws_col == 0)
        return 0;
    int width = n_columns == 1 ? size.ws_col - 2 : size.ws_col / 2;
    return width < 20 ? 20 : width;
}

static enum cl_code print_rows(const struct cl_app *app, struct cl_engine *e, struct cl_result *r,
                               struct cl_error *err)
{
    const struct cl_result_column *columns;
    size_t n;
    struct cl_output *out = NULL;
    e->ops->columns(r, &columns, &n);
    enum cl_code code = cl_output_new(stdout, (enum cl_output_format)app->opt.format, columns, n,
                                      cell_width(n), &out, err);
    while (code == CL_OK) {
        const char *const *texts = NULL;
        const size_t *lens = NULL;
        code = e->ops->next_row(r, &texts, &lens, err);
        if (code != CL_OK || texts == NULL) break;
        code = cl_output_row(out, texts, lens, err);
    }
    if (code == CL_OK) code = cl_output_finish(out, err);
    cl_output_free(out);
    return code;
}

/* The line of the SQL that the error points at, and a caret below. */
static void show_place(const char *sql, const struct cl_error *err)
{
    unsigned line = 0, column = 0;
    if (sscanf(err->where, "line %u, column %u", &line, &column) != 2) return;
    for (unsigned i = 1; i < line && sql != NULL; i++) {
        sql = strchr(sql, '\n');
        if (sql != NULL) sql++;
    }
    if (sql == NULL) return;
    int len = (int)strcspn(sql, "\n");
    int indent = fprintf(stderr, "%5u | ", line);
    fprintf(stderr, "%.*s\n%*s", len, sql, indent, "");
    const char *end = sql + len; /* a tab stays a tab, so that the caret stands where it should */
    for (const char *p = sql; p < end && column > 1; p++)
        if ((*p & 0xC0) != 0x80) {
            fputc(*p == '\t' ? '\t' : ' ', stderr);
            column--;
        }
    fputs("^\n", stderr);
}

static int fail(const struct cl_app *app, const char *sql, const struct cl_names *names,
                const struct cl_error *err)
{
    if (cl_report_reader_left(err)) return CL_EXIT_OK;
    int status = cl_app_error(app, err);
    if (sql == NULL) return status;
    status = CL_EXIT_FAILED; /* a query that failed is work that failed, not wrong usage of the
                                command */
    show_place(sql, err);
    if (strstr(err->message, "Table with name") != NULL) {
        fputs("Tables of this lake:", stderr);
        for (size_t i = 0; i < names->n; i++)
            fprintf(stderr, "%s %s", i > 0 ? "," : "", names->names[i]);
        fputs(names->n == 0 ? " none\n" : "\n", stderr);
    }
    return status;
}

/* ---- the command ---- */

static enum cl_code load_mentioned(const struct cl_app *app, const struct cl_lake *lake,
                                   const char *sql, const struct cl_names *names,
                                   struct cl_lake_tables *ret, struct cl_error *err)
{
    bool all = cl_sql_lists_tables(sql);
    char **wanted = calloc(names->n + 1, sizeof *wanted);
    size_t n = 0;
    if (wanted == NULL) return cl_fail_nomem(err);
    for (size_t i = 0; i < names->n; i++)
        if (all || cl_sql_mentions(sql, names->names[i])) wanted[n++] = names->names[i];
    enum cl_code code = cl_lake_tables_load(lake, names, wanted, n, app->opt.as_of, ret, err);
    free(wanted);
    return code;
}

int cl_cmd_sql(struct cl_app *app)
{
    struct cl_error err = {0};
    struct cl_buf text;
    struct cl_lake lake = {0};
    struct cl_names names = {0};
    struct cl_lake_tables tables = {0};
    struct cl_lake_sql sql = {0};
    struct cl_result *result = NULL;
    cl_buf_init(&text, MAX_SQL_BYTES);
    enum cl_code code = sql_text(app, &text, &err);
    const char *statement = NULL; /* from here on it may be shown in an error */
    if (code == CL_OK) code = cl_app_lake_open(app, false, &lake, &err);
    if (code == CL_OK) code = cl_lake_names(&lake, &names, &err);
    if (code == CL_OK)
        code = load_mentioned(app, &lake, (const char *)text.data, &names, &tables, &err);
    if (code == CL_OK) code = cl_lake_sql_open(&tables, &sql, &err);
    if (code == CL_OK) {
        statement = (const char *)text.data;
        code = sql.engine->ops->execute(sql.engine, statement, &result, &err);
    }
    if (code == CL_OK) code = print_rows(app, sql.engine, result, &err);
    int status = code == CL_OK ? CL_EXIT_OK : fail(app, statement, &names, &err);
    if (result != NULL) sql.engine->ops->result_free(result);
    cl_lake_sql_close(&sql);
    cl_lake_tables_fini(&tables);
    cl_names_fini(&names);
    cl_app_lake_close(&lake);
    cl_buf_fini(&text);
    return status;
}
