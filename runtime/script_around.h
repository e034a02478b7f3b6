/* script_around.h - middlewares put around a function of event and context.
 *
 * Threads: the one that runs the state. */
#ifndef SCRIPT_AROUND_H
#define SCRIPT_AROUND_H

#include <lua.h>

/* Replaces the function on top by one that calls the middlewares of the list at `list`, the first
 * outermost, each with event, context and next. A middleware that returns nothing leaves what next
 * gave as it is, so that a forgotten `return` cannot turn a failure into a success. May raise. */
void script_put_around(lua_State *L, int list);

#endif
