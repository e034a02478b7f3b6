/* scaler.c - the functions of runtime/scaler.h for specs, as a method of a scaler. */
#include "scaler.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_scaler(lua_State *L);

static const char SCALER[] = "unit.scaler";

static int64_t field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    int64_t number = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return number;
}

static bool is_set(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool is_set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_set;
}

static struct scaler_limits read_limits(lua_State *L, int index)
{
    return (struct scaler_limits){
        .min = (size_t)field(L, index, "min"),
        .max = (size_t)field(L, index, "max"),
        .lag_threshold = field(L, index, "lag_threshold"),
        .is_by_partition = is_set(L, index, "is_by_partition"),
    };
}

/* new{min, max, lag_threshold, is_by_partition} */
static int l_new(lua_State *L)
{
    const struct scaler_limits limits = read_limits(L, 1);
    struct scaler *scaler = lua_newuserdatauv(L, sizeof *scaler, 0);
    scaler_init(scaler, &limits);
    luaL_setmetatable(L, SCALER);
    return 1;
}

/* wanted({lag, is_unknown, partitions}, now_ms) -> workers, reason */
static int l_wanted(lua_State *L)
{
    struct scaler *scaler = luaL_checkudata(L, 1, SCALER);
    const struct scaler_sight sight = {
        .lag = field(L, 2, "lag"),
        .is_lag_known = !is_set(L, 2, "is_unknown"),
        .partitions = (size_t)field(L, 2, "partitions"),
    };
    char reason[160];
    size_t wanted = scaler_wanted(scaler, &sight, luaL_checkinteger(L, 3), reason, sizeof reason);
    lua_pushinteger(L, (lua_Integer)wanted);
    lua_pushstring(L, reason);
    return 2;
}

/* limit(limits as of new) -> workers */
static int l_limit(lua_State *L)
{
    struct scaler *scaler = luaL_checkudata(L, 1, SCALER);
    const struct scaler_limits limits = read_limits(L, 2);
    lua_pushinteger(L, (lua_Integer)scaler_limit(scaler, &limits));
    return 1;
}

int unit_open_scaler(lua_State *L)
{
    static const luaL_Reg methods[] = {{"wanted", l_wanted}, {"limit", l_limit}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, SCALER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
