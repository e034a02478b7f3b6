/* script_main.h - what runs in the coroutine of a chunk that stands in place of a handler.
 *
 * Threads: the one that runs the state. */
#ifndef SCRIPT_MAIN_H
#define SCRIPT_MAIN_H

#include <lua.h>

#include "script.h"

struct script_main_start {
    struct call *call;
    const struct script_main *main;
    lua_KFunction after; /* makes the call's outcome of the two values that the chunk returned */
};

/* The coroutine's body; its argument is a light userdata, a struct script_main_start, which is read
 * before the chunk runs and not again. */
int script_main_run(lua_State *L);

/* Where the coroutine stands: "scripts/dev.lua:12"; NULL: in no Lua. The caller frees it. */
char *script_main_place(lua_State *thread);

#endif
