/* suggest.h - "did you mean": the nearest known word. */
#ifndef CITYLAKE_SPEC_SUGGEST_H
#define CITYLAKE_SPEC_SUGGEST_H

#include <stddef.h>

/* The candidate within a third of the word's length (at least 1 edit, at most 3), or NULL.  Case
 * counts as half nothing: words that differ only in case are always suggested.  NULL entries are
 * skipped. */
const char *cl_suggest(const char *word, const char *const *candidates, size_t n);

#endif
