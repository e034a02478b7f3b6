#include "script_around.h"

#include <lauxlib.h>

/* The upvalues of a link, and of the `next` that it makes for each call. */
enum { LINK_MIDDLEWARE = 1, LINK_FOLLOWING };
enum { NEXT_FOLLOWING = 1, NEXT_MIDDLEWARE, NEXT_RESULTS };

/* Keeps a copy of the results, which are all that is on the stack. */
static int after_next(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    int count = lua_gettop(L);
    luaL_checkstack(L, count + 3, "too many results");
    lua_createtable(L, count, 1);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, i);
        lua_rawseti(L, -2, i);
    }
    lua_pushinteger(L, count);
    lua_setfield(L, -2, "n");
    lua_replace(L, lua_upvalueindex(NEXT_RESULTS));
    return count;
}

/* next(event, context). Where it stands is lost when it is a tail call, as it usually is: so the
 * middleware is named by where it begins. */
static int on_next(lua_State *L)
{
    if (lua_isnoneornil(L, 2)) {
        lua_Debug place;
        lua_pushvalue(L, lua_upvalueindex(NEXT_MIDDLEWARE));
        lua_getinfo(L, ">S", &place);
        lua_pushfstring(L,
                        "%s:%d: this middleware gives next no context: "
                        "return next(event, context)",
                        place.short_src, place.linedefined);
        return lua_error(L);
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(NEXT_FOLLOWING));
    lua_insert(L, 1);
    lua_callk(L, 2, LUA_MULTRET, 0, after_next);
    return after_next(L, LUA_OK, 0);
}

/* Above the link's own `next`, which is at 1. */
static int after_middleware(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    int count = lua_gettop(L) - 1;
    if (count > 0)
        return count;
    lua_getupvalue(L, 1, NEXT_RESULTS);
    if (lua_isnil(L, -1))
        return 0;
    lua_getfield(L, -1, "n");
    count = (int)lua_tointeger(L, -1);
    luaL_checkstack(L, count, "too many results");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, 2, i);
    return count;
}

/* fun(event, context) */
static int on_link(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(LINK_FOLLOWING));
    lua_pushvalue(L, lua_upvalueindex(LINK_MIDDLEWARE));
    lua_pushnil(L);
    lua_pushcclosure(L, on_next, NEXT_RESULTS);
    lua_insert(L, 1); /* next, event, context */
    lua_pushvalue(L, lua_upvalueindex(LINK_MIDDLEWARE));
    lua_insert(L, 2);
    lua_pushvalue(L, 1);
    lua_callk(L, 3, LUA_MULTRET, 0, after_middleware);
    return after_middleware(L, LUA_OK, 0);
}

void script_put_around(lua_State *L, int list)
{
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, list); i >= 1; i--) {
        lua_rawgeti(L, list, i);
        lua_insert(L, -2);
        lua_pushcclosure(L, on_link, LINK_FOLLOWING);
    }
}
