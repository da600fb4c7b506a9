/* sql_words.c - see sql_words.h. */
#include "query/sql_words.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static bool is_word(unsigned char c)
{
    return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

bool cl_sql_mentions(const char *sql, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = sql; len > 0 && (p = strcasestr(p, word)) != NULL; p++) {
        bool begins = p == sql || !is_word((unsigned char)p[-1]);
        if (begins && !is_word((unsigned char)p[len])) return true;
    }
    return false;
}

bool cl_sql_lists_tables(const char *sql)
{
    static const char *const words[] = {"show", "pragma", "information_schema", "sqlite_master",
                                        "sqlite_schema"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (cl_sql_mentions(sql, words[i])) return true;
    return strcasestr(sql, "duckdb_") != NULL || strcasestr(sql, "pg_") != NULL;
}
