/* stall.c - the functions of runtime/stall.h for specs, as methods of a partition's watch. */
#include "stall.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_stall(lua_State *L);

static const char WATCH[] = "unit.stall";

static int64_t field(lua_State *L, const char *name, int64_t fallback)
{
    lua_getfield(L, 2, name);
    int64_t value = luaL_optinteger(L, -1, fallback);
    lua_pop(L, 1);
    return value;
}

static enum stall_hand hand_of(lua_State *L)
{
    static const char *const names[] = {"unread",   "waiting", "running", "awaited",
                                        "lettered", "planned", NULL};
    lua_getfield(L, 2, "hand");
    int hand = luaL_checkoption(L, -1, NULL, names);
    lua_pop(L, 1);
    return (enum stall_hand)hand;
}

/* look(sight, limit_ms, now_ms) -> nil, "begins" or "ends", and for how long it was so */
static int l_look(lua_State *L)
{
    static const char *const news[] = {
        [STALL_NO_NEWS] = NULL, [STALL_BEGINS] = "begins", [STALL_ENDS] = "ends"};
    struct stall *stall = luaL_checkudata(L, 1, WATCH);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "held");
    const struct stall_sight sight = {
        .hand = hand_of(L),
        .is_held = lua_toboolean(L, -1),
        .epoch = (uint64_t)field(L, "epoch", 1),
        .position = field(L, "position", 0),
        .run = (int)field(L, "run", 1),
        .end = field(L, "finish", -1),
        .ended = (uint64_t)field(L, "ended", 0),
    };
    enum stall_news what =
        stall_look(stall, &sight, luaL_checkinteger(L, 3), luaL_checkinteger(L, 4));
    lua_pushstring(L, news[what]);
    if (what != STALL_ENDS)
        return 1;
    lua_pushinteger(L, stall->lasted_ms);
    return 2;
}

static int l_new(lua_State *L)
{
    struct stall *stall = lua_newuserdatauv(L, sizeof *stall, 0);
    *stall = (struct stall){0};
    luaL_setmetatable(L, WATCH);
    return 1;
}

int unit_open_stall(lua_State *L)
{
    static const luaL_Reg methods[] = {{"look", l_look}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, WATCH);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
