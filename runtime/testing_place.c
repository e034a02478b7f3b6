/* Where the state of a test keeps its bindings: in the registry, which its coroutines share that
 * are older than the bindings, and where nobody else looks. In place of bindings_place.c. */
#include "bindings.h"

/* The address is the key. */
static const char place;

void bindings_attach(lua_State *L, struct bindings *bindings)
{
    lua_pushlightuserdata(L, bindings);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &place);
}

struct bindings *bindings_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &place);
    struct bindings *bindings = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return bindings;
}
