/* script_globals.h - the globals of a script's state: a misspelt one is an error, and what would
 * take the limits off is not there.
 *
 * Threads: the one that runs the state. */
#ifndef SCRIPT_GLOBALS_H
#define SCRIPT_GLOBALS_H

#include <lua.h>

#include "bundle.h"

/* Pushes the names that libraries which work with several versions of Lua ask for, as keys with
 * false: nobody minds that they are not there. */
void script_globals_push_probed(lua_State *L);

/* From now on functions of the bundle's files may neither read a global that nobody has set nor set
 * a new one, but at the top of a file; other code, such as the system's modules, may do both.
 * Compiled chunks are not loaded, and no hooks set. May raise. */
void script_globals_open(lua_State *L, const struct bundle *bundle);

#endif
