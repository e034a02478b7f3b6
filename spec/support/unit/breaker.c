/* breaker.c - the functions of runtime/breaker.h for specs, as methods of a breaker. */
#include "breaker.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_breaker(lua_State *L);

static const char BREAKER[] = "unit.breaker";

/* new(limit) */
static int l_new(lua_State *L)
{
    struct breaker *breaker = lua_newuserdatauv(L, sizeof *breaker, 0);
    *breaker = (struct breaker){.limit = (int)luaL_checkinteger(L, 1)};
    luaL_setmetatable(L, BREAKER);
    return 1;
}

/* give_up(): whether the record may be given up, and whether the breaker is open now */
static int l_give_up(lua_State *L)
{
    struct breaker *breaker = luaL_checkudata(L, 1, BREAKER);
    lua_pushboolean(L, breaker_give_up(breaker));
    lua_pushboolean(L, breaker->is_open);
    return 2;
}

static int l_succeed(lua_State *L)
{
    breaker_succeed(luaL_checkudata(L, 1, BREAKER));
    return 0;
}

int unit_open_breaker(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"give_up", l_give_up}, {"succeed", l_succeed}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, BREAKER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
