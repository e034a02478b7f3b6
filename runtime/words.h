/* words.h - what somebody may have meant. The same rule as lua/config/words.lua.
 *
 * Threads: any. */
#ifndef WORDS_H
#define WORDS_H

#include "util.h"

/* The candidate nearest to the word, the first of equals; NULL when none is near enough. */
const char *words_nearest(const char *word, const char *const *candidates, size_t count);

/* To put behind a sentence: ", did you mean 'NAME'?", or nothing. The caller frees it. `dashes`
 * stands before the name: "--" or "". */
char *words_did_you_mean(const char *word, const char *const *candidates, size_t count,
                         const char *dashes);

/* Whether the word is one of `words`, which are separated by spaces. */
bool words_have(const char *words, const char *word);

#endif
