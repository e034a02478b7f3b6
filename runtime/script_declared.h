/* script_declared.h - one module that a config declares, found, loaded and seen to be what it must
 * be.
 *
 * Threads: the one that runs the state. */
#ifndef SCRIPT_DECLARED_H
#define SCRIPT_DECLARED_H

#include <lua.h>

#include "script.h"

struct declared {
    const struct module_config *module;
    const char *function; /* of the table that the module returns: handle, decode, encode */
    bool may_be_function; /* the module may return the function itself */
    char path[512];       /* consumers.c.handlers.OrderPaid, for messages */
};

/* Requires the module and pushes its function. Raises, with the config's line, when no file defines
 * it or it is something else; and whatever the module raises. Tables with on_load or on_unload are
 * appended to the list of hooks in the registry. */
void declared_push(lua_State *L, const struct script_source *source,
                   const struct declared *declared);

/* Pushes the list of tables with on_load or on_unload. */
void declared_push_hooks(lua_State *L);
/* Puts the one on top, or nil for a new one, in its place. */
void declared_set_hooks(lua_State *L);

#endif
