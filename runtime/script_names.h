/* script_names.h - Lua code of the program's own in a script's state, and what a misspelt name may
 * have meant.
 *
 * Threads: the one that runs the state. All functions may raise. */
#ifndef SCRIPT_NAMES_H
#define SCRIPT_NAMES_H

#include <lua.h>

#include "bundle.h"

/* Runs a file of the program's library, lagoon.NAME, and pushes what it returns. The file may
 * require others of the library. */
void script_library_push(lua_State *L, const char *module);

/* Takes the list of candidates from the top and pushes ", did you mean 'NAME'?", or "". */
void script_names_push_hint(lua_State *L, const char *word);

/* Pushes such a hint for a module of the bundle. */
void script_names_push_module_hint(lua_State *L, const struct bundle *bundle, const char *module);

#endif
