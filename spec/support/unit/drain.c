/* drain.c - the functions of runtime/drain.h for specs. Limits and what is seen are tables. */
#include "drain.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_drain(lua_State *L);

static const char DRAIN[] = "unit.drain";

static struct drain *check_drain(lua_State *L)
{
    return luaL_checkudata(L, 1, DRAIN);
}

static int push_limits(lua_State *L, struct drain_limits limits)
{
    const int64_t times[] = {limits.begin_ms, limits.handlers_ms, limits.deliveries_ms,
                             limits.commit_ms};
    static const char *const names[] = {"begin", "handlers", "deliveries", "commit"};
    lua_newtable(L);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        lua_pushinteger(L, times[i]);
        lua_setfield(L, -2, names[i]);
    }
    return 1;
}

static int64_t limit_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    int64_t time_ms = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return time_ms;
}

static struct drain_limits check_limits(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    return (struct drain_limits){
        .begin_ms = limit_field(L, index, "begin"),
        .handlers_ms = limit_field(L, index, "handlers"),
        .deliveries_ms = limit_field(L, index, "deliveries"),
        .commit_ms = limit_field(L, index, "commit"),
    };
}

/* of_revoke(now, drain_timeout, max_poll) */
static int l_of_revoke(lua_State *L)
{
    return push_limits(L, drain_limits_of_revoke(luaL_checkinteger(L, 1), luaL_checkinteger(L, 2),
                                                 luaL_checkinteger(L, 3)));
}

/* of_stop(now, interrupt, end) */
static int l_of_stop(lua_State *L)
{
    return push_limits(L, drain_limits_of_stop(luaL_checkinteger(L, 1), luaL_checkinteger(L, 2),
                                               luaL_checkinteger(L, 3)));
}

/* in_stop(limits, began, max_poll) */
static int l_in_stop(lua_State *L)
{
    const struct drain_limits stop = check_limits(L, 1);
    return push_limits(
        L, drain_limits_in_stop(&stop, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
}

/* new(limits) */
static int l_new(lua_State *L)
{
    const struct drain_limits limits = check_limits(L, 1);
    drain_begin(lua_newuserdatauv(L, sizeof(struct drain), 0), &limits);
    luaL_setmetatable(L, DRAIN);
    return 1;
}

/* limit(limits) */
static int l_limit(lua_State *L)
{
    const struct drain_limits limits = check_limits(L, 2);
    drain_limit(check_drain(L), &limits);
    return 0;
}

static bool flag_field(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    bool is_set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_set;
}

/* step({unstarted, running, awaited, at_stand, lost, in_flight}, now): what is to be done */
static int l_step(lua_State *L)
{
    static const char *const names[] = {
        [DRAIN_WAIT] = "wait",     [DRAIN_GIVE_BACK] = "give back", [DRAIN_COLLECT] = "collect",
        [DRAIN_LET_GO] = "let go", [DRAIN_COMMIT] = "commit",       [DRAIN_END] = "end",
    };
    struct drain *drain = check_drain(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    const struct drain_sight sight = {
        .has_unstarted = flag_field(L, "unstarted"),
        .has_running = flag_field(L, "running"),
        .has_awaited = flag_field(L, "awaited"),
        .is_at_stand = flag_field(L, "at_stand"),
        .is_lost = flag_field(L, "lost"),
        .is_commit_in_flight = flag_field(L, "in_flight"),
    };
    lua_pushstring(L, names[drain_step(drain, &sight, luaL_checkinteger(L, 3))]);
    return 1;
}

static int l_is_late(lua_State *L)
{
    lua_pushboolean(L, check_drain(L)->is_late);
    return 1;
}

static int l_is_settled(lua_State *L)
{
    lua_pushboolean(L, drain_is_settled(check_drain(L)));
    return 1;
}

int unit_open_drain(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"limit", l_limit},           {"step", l_step}, {"is_late", l_is_late},
        {"is_settled", l_is_settled}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"of_revoke", l_of_revoke},
        {"of_stop", l_of_stop},
        {"in_stop", l_in_stop},
        {"new", l_new},
        {NULL, NULL},
    };
    luaL_newmetatable(L, DRAIN);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
