/* sql_words.h - which words an SQL text has: a plain scan, not a parser.  It errs on the side of
 * finding a word: text inside literals and comments counts. */
#ifndef CITYLAKE_QUERY_SQL_WORDS_H
#define CITYLAKE_QUERY_SQL_WORDS_H

#include <stdbool.h>

/* Does `word` stand in sql, in any case, and not as part of a longer identifier? */
bool cl_sql_mentions(const char *sql, const char *word);

/* May the text ask which tables there are (SHOW, information_schema, duckdb_tables() ...)? */
bool cl_sql_lists_tables(const char *sql);

#endif
