/* error.h - why something failed, as one sentence for the person who has to mend it.
 *
 * The lowest caller that knows the fact writes the sentence; callers above may put context in
 * front; it is logged once, where it stops travelling.
 * Threads: any; an error belongs to the stack it stands on. */
#ifndef ERROR_H
#define ERROR_H

#include "util.h"

enum { ERROR_TEXT_BYTES = 4096 };

struct error {
    char text[ERROR_TEXT_BYTES]; /* longer sentences are cut */
};

/* Writes the sentence. `err` may be among the arguments. */
void error_set(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts context in front: error_prefix(err, "%s: ", path). */
void error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
