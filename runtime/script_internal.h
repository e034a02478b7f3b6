/* script_internal.h - what the files of a script share: its state is made in script.c, its calls
 * run in script_call.c. */
#ifndef SCRIPT_INTERNAL_H
#define SCRIPT_INTERNAL_H

#include <lua.h>

#include "error.h"
#include "script.h"
#include "script_memory.h"

enum { MAX_POOLED = 256 }; /* coroutines kept for the next calls */

struct script {
    struct script_memory memory;
    lua_State *L;
    bool is_adopted; /* the state is somebody else's */
    struct generation *generation;
    struct bindings *bindings;
    const struct consumer_config *consumer;
    int handlers; /* reference of the table type -> function */
    int hooks;    /* adopted: reference of what it wants to do at its end */
    struct pooled {
        lua_State *thread;
        int reference;
    } pool[MAX_POOLED];
    size_t pooled;
};

/* That the state may use no more. */
void script_set_memory_error(const struct script *script, struct error *err);

#endif
