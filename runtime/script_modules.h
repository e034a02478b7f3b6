/* script_modules.h - what `require` finds: the bundle first, then the system's Lua 5.4 modules.
 *
 * Threads: the one that runs the state. */
#ifndef SCRIPT_MODULES_H
#define SCRIPT_MODULES_H

#include <lua.h>

#include "bundle.h"

/* Puts the searchers in place, and cjson and cjson.safe, which are built in. The bundle outlives
 * the state. May raise. */
void script_modules_open(lua_State *L, const struct bundle *bundle);

/* The searcher of the bundle, for package.searchers: the module's name is at 1. */
int script_modules_search(lua_State *L, const struct bundle *bundle);

#endif
