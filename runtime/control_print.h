/* control_print.h - shows an answer of a running lagoon.
 *
 * Threads: any; it makes a Lua state of its own. */
#ifndef CONTROL_PRINT_H
#define CONTROL_PRINT_H

#include "error.h"

struct buffer;
struct lua_State;

/* In a new state that words answers: the libraries, and of modules those that are built in. Raises
 * for lack of memory. */
void control_open(struct lua_State *L);

/* Prints the answer, a JSON object, to standard output: as lua/answers/WORDING.lua words it for a
 * person, which also says the exit code; or with wording NULL as it is, and *exit_code is 0. -1 and
 * err when the answer is an error, or cannot be worded. */
MUST_USE int control_print(const char *wording, const struct buffer *answer, int *exit_code,
                           struct error *err);

/* The same, but appended to a text. */
MUST_USE int control_word(const char *wording, const struct buffer *answer, struct buffer *text,
                          int *exit_code, struct error *err);

#endif
