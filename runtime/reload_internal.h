/* reload_internal.h - what the files of reload share: reload.c does it, reload_words.c says it.
 *
 * Threads: main. */
#ifndef RELOAD_INTERNAL_H
#define RELOAD_INTERNAL_H

#include "reload.h"

/* A list of names in one line; of more than fit only the number is said. */
struct names {
    struct buffer text;
    size_t count;
};

/* What a commit did to consumers. */
struct crew_words {
    struct names names[CREW_CHANGES];
};

/* As crew_commit has it, with the crew_words. */
void reload_note_change(void *context, enum crew_change change, const char *name);

/* The outcome when `now` serves in place of `before`. Takes the words. What it holds is
 * reload_outcome_destroy's. */
void reload_word_done(struct reload_outcome *outcome, const struct config *first,
                      const struct generation *before, const struct generation *now,
                      struct crew_words *words);

/* `reason` may have several lines; NULL: nothing has changed. */
void reload_word_rest(struct reload_outcome *outcome, const struct generation *serving,
                      const char *reason);

/* In the log. */
void reload_say(const struct reload_outcome *outcome);

void reload_outcome_destroy(struct reload_outcome *outcome);

#endif
