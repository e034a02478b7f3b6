/* reload_internal.h - what the files of reload share: reload.c does it, reload_words.c says it.
 *
 * Threads: main. */
#ifndef RELOAD_INTERNAL_H
#define RELOAD_INTERNAL_H

#include "reload.h"

/* The outcome when `now` serves in place of `before`. What it holds is reload_outcome_destroy's. */
void reload_word_done(struct reload_outcome *outcome, const struct generation *first,
                      const struct generation *before, const struct generation *now);

/* `reason` may have several lines; NULL: nothing has changed. */
void reload_word_rest(struct reload_outcome *outcome, const struct generation *serving,
                      const char *reason);

/* In the log. */
void reload_say(const struct reload_outcome *outcome);

void reload_outcome_destroy(struct reload_outcome *outcome);

#endif
