/* check.c - `citylake check`: the first mistake of a city.yaml with its place, or what the file
 * declares. */
#include "app/options.h"

#include "base/clock.h"
#include "spec/path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { N_HEADS = 7, CELL_BYTES = 160 };

/* One feed as the texts of a table row. */
struct row {
    char cells[N_HEADS][CELL_BYTES];
};

static const char *const heads[N_HEADS] = {"FEED",      "TOPIC",  "COLUMNS",  "EVENT TIME",
                                           "WATERMARK", "UNIQUE", "PARTITION"};

struct unit {
    int64_t size;
    const char *name;
};

/* In the largest unit that divides it: "10 min", "1500 ms". */
static void amount_text(int64_t amount, const struct unit *units, char *buf, size_t size)
{
    while (units->size > 1 && (amount == 0 || amount % units->size != 0))
        units++;
    (void)snprintf(buf, size, "%lld %s", (long long)(amount / units->size), units->name);
}

static void duration_text(int64_t us, char *buf, size_t size)
{
    static const struct unit units[] = {{86400000000, "d"}, {3600000000, "h"}, {60000000, "min"},
                                        {1000000, "s"},     {1000, "ms"},      {1, "us"}};
    if (us == 0)
        (void)snprintf(buf, size, "0 s");
    else
        amount_text(us, units, buf, size);
}

static void size_text(int64_t bytes, char *buf, size_t size)
{
    static const struct unit units[] = {
        {1ll << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "bytes"}};
    amount_text(bytes, units, buf, size);
}

static void unique_text(const struct cl_feed *feed, char *buf, size_t size)
{
    char within[32];
    size_t used = 0;
    (void)snprintf(buf, size, "-");
    for (size_t i = 0; i < feed->n_unique && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 feed->columns[feed->unique_columns[i]].field.name);
    if (feed->n_unique == 0 || used >= size) return;
    duration_text(feed->unique_within_us, within, sizeof within);
    (void)snprintf(buf + used, size - used, " within %s", within);
}

static void partition_text(const struct cl_feed *feed, char *buf, size_t size)
{
    static const char *const names[] = {"none", "day", "hour", "month"};
    if (feed->partition == CL_PARTITION_NONE)
        (void)snprintf(buf, size, "none");
    else
        (void)snprintf(buf, size, "%s(%s)", names[feed->partition],
                       feed->columns[feed->partition_column].field.name);
}

static void fill_row(const struct cl_feed *feed, struct row *row)
{
    (void)snprintf(row->cells[0], CELL_BYTES, "%s", feed->name);
    (void)snprintf(row->cells[1], CELL_BYTES, "%s", feed->topic);
    (void)snprintf(row->cells[2], CELL_BYTES, "%zu", feed->n_columns);
    (void)snprintf(row->cells[3], CELL_BYTES, "%s",
                   feed->columns[feed->event_time_column].field.name);
    duration_text(feed->watermark_us, row->cells[4], CELL_BYTES);
    unique_text(feed, row->cells[5], CELL_BYTES);
    partition_text(feed, row->cells[6], CELL_BYTES);
}

static void print_cells(const int *widths, const struct row *row)
{
    for (int i = 0; i < N_HEADS; i++) {
        const char *text = row != NULL ? row->cells[i] : heads[i];
        if (i == N_HEADS - 1)
            printf("%s\n", text);
        else
            printf(i == 2 ? "%*s  " : "%-*s  ", widths[i],
                   text); /* COLUMNS is a number: to the right */
    }
}

/* What is on; where a secret comes from, never the secret. */
static void print_security(const struct cl_kafka_security *s)
{
    if (!s->given) return;
    printf("       security: %s", s->tls ? "TLS" : "no TLS");
    if (s->tls) printf(", authority %s", s->ca != NULL ? s->ca : "of the system");
    if (s->certificate != NULL) printf(", our certificate %s", s->certificate);
    if (s->tls && !s->verify_host_name) printf(", HOST NAMES ARE NOT VERIFIED");
    if (s->mechanism != NULL)
        printf("; SASL %s as %s, password %s%s", s->mechanism, s->username,
               s->password_file != NULL ? "from " : "given",
               s->password_file != NULL ? s->password_file : "");
    putchar('\n');
}

static void print_settings(const struct cl_spec *spec)
{
    const struct cl_lake_spec *lake = &spec->lake;
    const struct cl_city_spec *city = &spec->city;
    char every[32], file[32], group[32], memory[32], start[CL_TIME_TEXT], level[16] = "";
    duration_text(lake->commit_every_us, every, sizeof every);
    size_text(lake->target_file_bytes, file, sizeof file);
    size_text(lake->row_group_bytes, group, sizeof group);
    size_text(lake->memory_bytes, memory, sizeof memory);
    if (strcmp(lake->compression, "zstd") == 0)
        (void)snprintf(level, sizeof level, " %d", lake->compression_level);
    printf("\nlake   %s, namespace %s, catalog %s; commits every %s or %lld rows\n",
           lake->warehouse, lake->namespace_name, lake->catalog, every,
           (long long)lake->commit_rows);
    printf("       files of %s, row groups of %s, compression %s%s; memory %s\n", file, group,
           lake->compression, level, memory);
    printf("kafka  %s, group %s; new topics: %d partition%s, replication %d\n",
           spec->kafka.bootstrap_servers, spec->kafka.group, spec->kafka.partitions,
           spec->kafka.partitions == 1 ? "" : "s", spec->kafka.replication);
    for (size_t i = 0; i < spec->kafka.n_properties; i++) /* names only: values may be secrets */
        printf("%s%s", i == 0 ? "       properties: " : ", ", spec->kafka.properties[2 * i]);
    if (spec->kafka.n_properties > 0) putchar('\n');
    print_security(&spec->kafka.security);
    printf("city   %lld vehicles around %g, %g; seed %llu, from %s, speed-up %g\n",
           (long long)city->vehicles, city->latitude, city->longitude,
           (unsigned long long)city->seed, cl_time_text(city->start_us, start), city->speed_up);
    printf("       faults: duplicates %g, late %g, out of order %g, malformed %g\n",
           city->duplicates, city->late, city->out_of_order, city->malformed);
}

static void print_table(const struct cl_spec *spec, const struct row *rows)
{
    int widths[N_HEADS];
    for (int i = 0; i < N_HEADS; i++)
        widths[i] = (int)strlen(heads[i]);
    for (size_t r = 0; r < spec->n_feeds; r++)
        for (int i = 0; i < N_HEADS; i++)
            if ((int)strlen(rows[r].cells[i]) > widths[i])
                widths[i] = (int)strlen(rows[r].cells[i]);
    printf("%s is valid: %zu feed%s\n\n", spec->path, spec->n_feeds, spec->n_feeds == 1 ? "" : "s");
    print_cells(widths, NULL);
    for (size_t r = 0; r < spec->n_feeds; r++)
        print_cells(widths, &rows[r]);
    print_settings(spec);
}

/* RFC 4180; names hold no quotes, so a comma is the only reason to quote. */
static void print_csv(const struct cl_spec *spec, const struct row *rows)
{
    printf("feed,topic,columns,event_time,watermark,unique,partition\n");
    for (size_t r = 0; r < spec->n_feeds; r++) {
        for (int i = 0; i < N_HEADS; i++) {
            const char *text = rows[r].cells[i], *quote = strchr(text, ',') != NULL ? "\"" : "";
            printf("%s%s%s%s", i > 0 ? "," : "", quote, text, quote);
        }
        putchar('\n');
    }
}

static json_t *feed_json(const struct cl_feed *feed, const struct row *row)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < feed->schema.n; i++) {
        const struct cl_field *f = &feed->schema.fields[i];
        char type[32], path[256];
        json_t *c = json_pack("{s:i, s:s, s:s, s:b}", "id", f->id, "name", f->name, "type",
                              cl_type_text(f, type, sizeof type), "required", f->required);
        if (i < feed->n_columns && c != NULL)
            (void)json_object_set_new(
                c, "from", json_string(cl_path_text(&feed->columns[i], path, sizeof path)));
        (void)json_array_append_new(columns, c);
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "feed", feed->name, "topic",
                     feed->topic, "event_time", row->cells[3], "watermark", row->cells[4], "unique",
                     row->cells[5], "partition", row->cells[6], "columns", columns);
}

static int print_json(const struct cl_app *app, const struct cl_spec *spec, const struct row *rows)
{
    json_t *feeds = json_array();
    for (size_t r = 0; r < spec->n_feeds; r++)
        (void)json_array_append_new(feeds, feed_json(&spec->feeds[r], &rows[r]));
    json_t *root = json_pack("{s:s, s:b, s:o}", "file", spec->path, "valid", 1, "feeds", feeds);
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (text == NULL) {
        struct cl_error err;
        (void)cl_fail_nomem(&err);
        return cl_app_error(app, &err);
    }
    puts(text);
    free(text);
    return CL_EXIT_OK;
}

/* As compilers print errors, so that editors can jump to the place. */
static int print_mistake(const struct cl_app *app, const struct cl_error *err)
{
    char text[sizeof err->where + sizeof err->message + 4];
    if (err->where[0] == '\0') {
        int status = cl_app_error(app, err);
        return err->code == CL_ENOTFOUND ? CL_EXIT_USAGE : status;
    }
    fprintf(stderr, "%s\n", cl_error_text(err, text, sizeof text));
    return err->code == CL_EINVAL ? CL_EXIT_USAGE : CL_EXIT_FAILED;
}

int cl_cmd_check(struct cl_app *app)
{
    struct cl_spec *spec = NULL;
    struct cl_error err;
    const char *file = app->n_args > 0 ? app->args[0] : app->opt.config;
    if (cl_app_spec_load(file, &app->opt, &spec, &err) != CL_OK) return print_mistake(app, &err);
    int status = CL_EXIT_OK;
    struct row *rows = calloc(spec->n_feeds, sizeof *rows);
    if (rows == NULL) {
        (void)cl_fail_nomem(&err);
        status = cl_app_error(app, &err);
    } else {
        for (size_t i = 0; i < spec->n_feeds; i++)
            fill_row(&spec->feeds[i], &rows[i]);
        if (app->opt.format == CL_FORMAT_JSON)
            status = print_json(app, spec, rows);
        else if (app->opt.format == CL_FORMAT_CSV)
            print_csv(spec, rows);
        else
            print_table(spec, rows);
    }
    free(rows);
    cl_spec_free(spec);
    return status;
}
