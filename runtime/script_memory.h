/* script_memory.h - the memory of one Lua state, with a limit.
 *
 * At the limit Lua collects what it can and then raises "not enough memory": one record fails, the
 * process goes on. What C libraries allocate for themselves is not counted.
 *
 * Owns:    the count, which outlives the state.
 * Threads: the one that runs the state. */
#ifndef SCRIPT_MEMORY_H
#define SCRIPT_MEMORY_H

#include <lua.h>

#include "util.h"

struct script_memory {
    size_t limit_bytes;
    size_t left_bytes; /* of the limit */
};

/* A new state without libraries; NULL when there is no memory for one. *memory is the caller's. */
lua_State *script_memory_open(struct script_memory *memory, size_t limit_bytes);

#endif
