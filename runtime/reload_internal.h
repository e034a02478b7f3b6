/* reload_internal.h - what the files of reload share: reload.c does it, reload_words.c says it.
 *
 * Threads: main. */
#ifndef RELOAD_INTERNAL_H
#define RELOAD_INTERNAL_H

#include "reload.h"

/* The reload's next generation serves in place of `before`. */
void reload_say_done(const struct generation *first, const struct generation *before,
                     const struct generation *now);

/* `reason` may have several lines, the first of which is the sentence. */
void reload_say_refused(const struct generation *serving, const char *reason);

#endif
