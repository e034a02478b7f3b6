/* leaves.h - a walk over a JSON text by its leaves, for one that is large and of which
 * little matters: nothing is copied, nothing allocated.
 *
 * Threads: any. */
#ifndef LEAVES_H
#define LEAVES_H

#include "util.h"

enum { LEAVES_MAX_DEPTH = 8 };

/* Not NUL-terminated; a text is without its quotes, with its escapes as they stand. */
struct span {
    const char *text;
    size_t length;
};

bool span_is(const struct span *span, const char *text);

/* Calls on_leaf for each number, text, true, false and null: `keys` are those of the objects around
 * it, from the outermost. What stands in an array or deeper than LEAVES_MAX_DEPTH is passed
 * over. Ends where the text is no JSON. */
void leaves_walk(const char *json, size_t length,
                 void (*on_leaf)(void *context, const struct span *keys, size_t depth,
                                 const struct span *value),
                 void *context);

#endif
