/* Where a state of our own keeps its bindings. The library for tests has another place, see
 * testing_place.c. */
#include "bindings.h"

#include <lauxlib.h>

/* Lua copies the main thread's extra space into every new coroutine. */
void bindings_attach(lua_State *L, struct bindings *bindings)
{
    *(struct bindings **)lua_getextraspace(L) = bindings;
}

struct bindings *bindings_of(lua_State *L)
{
    return *(struct bindings **)lua_getextraspace(L);
}
