/* decode_driver.c - NDJSON on stdin -> what the decoder made of each line, for comparison by other
 * programs.
 *
 *   decode_driver [YAML-FILE FEED]      the default is feed "all" of decode_fixture.c
 *
 * A line of output is {"row": {COLUMN: VALUE, ...}} or {"reject": REASON, "column": NAME or null,
 * "byte": N, "detail": TEXT}. Values are strings that lose nothing: doubles and floats as %a,
 * decimals as unscaled integers, times as microseconds, dates as days, strings and binaries as hex;
 * booleans are true or false, absent values null. */
#include "decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void print_decimal(const struct cl_column *col)
{
    __int128 v;
    memcpy(&v, col->values, 16);
    unsigned __int128 rest = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    char digits[50], *p = digits + sizeof digits - 1;
    *p = '\0';
    do
        *--p = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) > 0);
    printf("\"%s%s\"", v < 0 ? "-" : "", p);
}

static void print_value(const struct cl_column *col)
{
    if (!cl_column_is_valid(col, 0)) {
        printf("null");
        return;
    }
    switch (col->type) {
    case CL_BOOLEAN: printf(cl_bit_get(col->values, 0) ? "true" : "false"); break;
    case CL_INT:
    case CL_DATE: printf("\"%d\"", *(const int32_t *)col->values); break;
    case CL_LONG:
    case CL_TIMESTAMP: printf("\"%lld\"", (long long)*(const int64_t *)col->values); break;
    case CL_FLOAT: printf("\"%a\"", (double)*(const float *)col->values); break;
    case CL_DOUBLE: printf("\"%a\"", *(const double *)col->values); break;
    case CL_DECIMAL: print_decimal(col); break;
    case CL_STRING:
    case CL_BINARY:
        putchar('"');
        for (int32_t i = 0; i < col->offsets[1]; i++)
            printf("%02x", col->data[i]);
        putchar('"');
        break;
    }
}

static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++)
        printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    putchar('"');
}

static void print_row(const struct decode_fixture *f)
{
    printf("{\"row\": {");
    for (size_t c = 0; c < f->feed->n_columns; c++) {
        printf("%s\"%s\": ", c > 0 ? ", " : "", f->feed->columns[c].field.name);
        print_value(&f->batch->columns[c]);
    }
    printf("}}\n");
}

static void print_reject(const struct decode_fixture *f)
{
    const struct cl_reject *r = &f->reject;
    printf("{\"reject\": \"%s\", \"column\": ", cl_reject_reason_text(r->reason));
    if (r->column < 0)
        printf("null");
    else
        print_quoted(f->feed->columns[r->column].field.name);
    printf(", \"byte\": %lld, \"detail\": ", (long long)r->byte);
    print_quoted(r->detail);
    printf("}\n");
}

static char *read_whole(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    struct decode_fixture f;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    decode_fixture_init(&f, argc > 2 ? read_whole(argv[1]) : NULL, argc > 2 ? argv[2] : "all");
    while ((len = getline(&line, &cap, stdin)) >= 0) {
        if (len > 0 && line[len - 1] == '\n') len--;
        switch (decode_fixture_decode(&f, line, (size_t)len)) {
        case CL_DECODED_ROW: print_row(&f); break;
        case CL_DECODED_REJECT: print_reject(&f); break;
        case CL_DECODED_NOMEM: fprintf(stderr, "out of memory\n"); return 1;
        }
    }
    free(line);
    decode_fixture_fini(&f);
    return 0;
}
