/* offsets.c - the functions of runtime/offsets.h for specs, as methods of a tracker. */
#include "offsets.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_offsets(lua_State *L);

static const char TRACKER[] = "unit.offsets";

static struct offsets *check_offsets(lua_State *L)
{
    return luaL_checkudata(L, 1, TRACKER);
}

/* new(start, committed) */
static int l_new(lua_State *L)
{
    int64_t start = luaL_checkinteger(L, 1);
    int64_t committed = luaL_optinteger(L, 2, -1);
    struct offsets *offsets = lua_newuserdatauv(L, sizeof *offsets, 0);
    offsets_init(offsets, start, committed);
    luaL_setmetatable(L, TRACKER);
    return 1;
}

static int l_destroy(lua_State *L)
{
    offsets_destroy(check_offsets(L));
    return 0;
}

static int l_add(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)offsets_add(check_offsets(L), luaL_checkinteger(L, 2)));
    return 1;
}

static int l_settle(lua_State *L)
{
    offsets_settle(check_offsets(L), (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

/* give_back(slot, has_failed) */
static int l_give_back(lua_State *L)
{
    offsets_give_back(check_offsets(L), (uint64_t)luaL_checkinteger(L, 2),
                      lua_toboolean(L, 3) ? OFFSET_FAILED : OFFSET_GIVEN_BACK);
    return 0;
}

static int l_read_again(lua_State *L)
{
    lua_pushinteger(L, offsets_read_again(check_offsets(L)));
    return 1;
}

/* meet(offset) -> what it is, how many are gone, its slot when it is "again" */
static int l_meet(lua_State *L)
{
    static const char *const names[] = {"new", "again", "known", "went back"};
    uint64_t slot = 0;
    size_t gone = 0;
    enum offsets_meeting meeting =
        offsets_meet(check_offsets(L), luaL_checkinteger(L, 2), &slot, &gone);
    lua_pushstring(L, names[meeting]);
    lua_pushinteger(L, (lua_Integer)gone);
    if (meeting != OFFSETS_AGAIN)
        return 2;
    lua_pushinteger(L, (lua_Integer)slot);
    return 3;
}

static int l_settle_removed(lua_State *L)
{
    size_t gone = offsets_settle_removed(check_offsets(L), luaL_checkinteger(L, 2));
    lua_pushinteger(L, (lua_Integer)gone);
    return 1;
}

static int l_skip_failed(lua_State *L)
{
    lua_pushboolean(L, offsets_skip_failed(check_offsets(L), luaL_checkinteger(L, 2)));
    return 1;
}

static int l_is_reading_again(lua_State *L)
{
    lua_pushboolean(L, offsets_is_reading_again(check_offsets(L)));
    return 1;
}

static int l_given_back(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_offsets(L)->given_back);
    return 1;
}

static int l_skip_to(lua_State *L)
{
    offsets_skip_to(check_offsets(L), luaL_checkinteger(L, 2));
    return 0;
}

static int l_mark_committed(lua_State *L)
{
    offsets_mark_committed(check_offsets(L), luaL_checkinteger(L, 2));
    return 0;
}

static int l_is_commit_due(lua_State *L)
{
    lua_pushboolean(L, offsets_is_commit_due(check_offsets(L)));
    return 1;
}

static int l_unsettled(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)offsets_unsettled(check_offsets(L)));
    return 1;
}

static int l_ahead(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)offsets_ahead(check_offsets(L)));
    return 1;
}

static int l_oldest(lua_State *L)
{
    lua_pushinteger(L, offsets_oldest(check_offsets(L)));
    return 1;
}

static int l_position(lua_State *L)
{
    lua_pushinteger(L, check_offsets(L)->position);
    return 1;
}

static int l_committed(lua_State *L)
{
    lua_pushinteger(L, check_offsets(L)->committed);
    return 1;
}

static int l_delivered(lua_State *L)
{
    lua_pushinteger(L, check_offsets(L)->delivered);
    return 1;
}

/* The memory it holds for records. */
static int l_bytes(lua_State *L)
{
    struct offsets *offsets = check_offsets(L);
    lua_pushinteger(L, (lua_Integer)(offsets->capacity * sizeof offsets->ring[0]));
    return 1;
}

int unit_open_offsets(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add", l_add},
        {"settle", l_settle},
        {"give_back", l_give_back},
        {"read_again", l_read_again},
        {"meet", l_meet},
        {"settle_removed", l_settle_removed},
        {"skip_failed", l_skip_failed},
        {"is_reading_again", l_is_reading_again},
        {"given_back", l_given_back},
        {"skip_to", l_skip_to},
        {"mark_committed", l_mark_committed},
        {"is_commit_due", l_is_commit_due},
        {"unsettled", l_unsettled},
        {"ahead", l_ahead},
        {"oldest", l_oldest},
        {"position", l_position},
        {"committed", l_committed},
        {"delivered", l_delivered},
        {"bytes", l_bytes},
        {"__gc", l_destroy},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, TRACKER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
