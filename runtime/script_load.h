/* script_load.h - what a config declares of scripts, brought into a state: handlers, middlewares,
 * codecs, and what they want to do when the state begins and ends.
 *
 * Threads: the one that runs the state. All functions may raise, unless they say otherwise. */
#ifndef SCRIPT_LOAD_H
#define SCRIPT_LOAD_H

#include <lua.h>

#include "script.h"

/* Beside the types, which are strings, in the table of handlers. */
enum {
    HANDLERS_ANY = 1,    /* the handler of what no other takes */
    HANDLERS_DECODE = 2, /* the codec's function, when it is one */
};

/* Pushes the error value at 1 as text: a table that does not say itself how shows its fields. */
void script_load_push_error_text(lua_State *L);

/* A message handler. Errors of scripts get their traceback, once, when it shows a line of Lua;
 * those about the config and those of syntax say all they know. */
int script_load_on_error(lua_State *L);

/* Pushes the table of the consumer's handlers, each with the middlewares around it, and loads what
 * producers have. A consumer of NULL has no handlers. */
void script_load_all(lua_State *L, const struct script_source *source);

/* Calls the on_load of every module that was loaded, in that order; then, at the end, the on_unload
 * of those whose on_load was called, the last first. What on_unload raises is logged. */
void script_load_begin(lua_State *L);
void script_load_end(lua_State *L);

#endif
