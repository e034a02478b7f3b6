/* retries.c - the functions of runtime/retries.h for specs, as methods of a schedule. A record is a
 * light userdata. */
#include "retries.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_retries(lua_State *L);

static const char SCHEDULE[] = "unit.retries";

static struct retries *check_retries(lua_State *L)
{
    return luaL_checkudata(L, 1, SCHEDULE);
}

static struct record *check_record(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 2);
}

/* delay(backoff_ms, max_backoff_ms, failures, random): without a random number there is no jitter.
 */
static int l_delay(lua_State *L)
{
    const struct error_policy policy = {
        .backoff_ms = luaL_checkinteger(L, 1),
        .max_backoff_ms = luaL_checkinteger(L, 2),
        .has_jitter = !lua_isnoneornil(L, 4),
    };
    lua_pushinteger(
        L, retries_delay_ms(&policy, (int)luaL_checkinteger(L, 3), luaL_optnumber(L, 4, 0)));
    return 1;
}

static int l_new(lua_State *L)
{
    struct retries *retries = lua_newuserdatauv(L, sizeof *retries, 0);
    retries_init(retries);
    luaL_setmetatable(L, SCHEDULE);
    return 1;
}

static int l_destroy(lua_State *L)
{
    retries_destroy(check_retries(L));
    return 0;
}

/* add(record, due_ms) */
static int l_add(lua_State *L)
{
    retries_add(check_retries(L), check_record(L), luaL_checkinteger(L, 3));
    return 0;
}

static int l_remove(lua_State *L)
{
    retries_remove(check_retries(L), check_record(L));
    return 0;
}

/* pop(now_ms): a record or nil */
static int l_pop(lua_State *L)
{
    struct record *record = retries_pop(check_retries(L), luaL_checkinteger(L, 2));
    if (record == NULL)
        lua_pushnil(L);
    else
        lua_pushlightuserdata(L, record);
    return 1;
}

/* next(): when the earliest is due, or nil */
static int l_next(lua_State *L)
{
    int64_t next_ms = retries_next_ms(check_retries(L));
    if (next_ms == INT64_MAX)
        lua_pushnil(L);
    else
        lua_pushinteger(L, next_ms);
    return 1;
}

int unit_open_retries(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"destroy", l_destroy}, {"add", l_add},   {"remove", l_remove},
        {"pop", l_pop},         {"next", l_next}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {"delay", l_delay}, {NULL, NULL}};
    luaL_newmetatable(L, SCHEDULE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
