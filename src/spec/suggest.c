/* suggest.c - edit distance with transpositions (optimal string alignment) over short words. */
#include "spec/suggest.h"

#include <string.h>
#include <strings.h>

enum { MAX_WORD = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Three rolling rows are enough: a transposition looks two rows back. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][MAX_WORD + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best =
                least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, before[j - 2] + 1);
            row[j] = best;
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_len];
}

const char *cl_suggest(const char *word, const char *const *candidates, size_t n)
{
    const char *found = NULL;
    size_t len = strlen(word), best = 4;
    if (len == 0 || len > MAX_WORD) return NULL;
    for (size_t i = 0; i < n; i++) {
        const char *c = candidates[i];
        if (c == NULL) continue;
        if (strcasecmp(word, c) == 0) return c;
        size_t c_len = strlen(c);
        if (c_len > MAX_WORD) continue;
        size_t edits = distance(word, len, c, c_len);
        size_t longest = len > c_len ? len : c_len;
        size_t allowed = longest / 3 < 1 ? 1 : longest / 3;
        /* A word of one or two letters is one edit from any other: only its own letters may be
         * guessed. */
        if (longest <= 2 && word[0] != c[0]) continue;
        if (edits <= allowed && edits < best) {
            best = edits;
            found = c;
        }
    }
    return found;
}
