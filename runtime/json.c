#include "json.h"

#include <string.h>

#include <lauxlib.h>

#include "error.h"
#include "json_number.h"
#include "json_state.h"

/* Its address is the mark's key in the registry. */
static const char array_mark;

/* What the buffer of lagoon.json.encode keeps between calls. */
enum { KEEP_BYTES = 64 * 1024 };

void json_open(lua_State *L)
{
    json_number_open();
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "lagoon.array");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &array_mark);
}

void json_push_array_mark(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark);
}

/* A stack that cannot grow is a shortage of memory like any other. lua_error knows the text and
 * raises the same error that a failed allocation does; Lua always has room for one more value. */
void json_need_slots(lua_State *L, int count)
{
    if (lua_checkstack(L, count))
        return;
    lua_pushliteral(L, "not enough memory");
    lua_error(L);
}

void json_mark_array(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    json_push_array_mark(L);
    lua_setmetatable(L, index);
}

bool json_is_array(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    json_push_array_mark(L);
    bool is_array = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_array;
}

/* The buffer is a value of Lua's, so that an error raised halfway leaks nothing. */
static int on_buffer_collected(lua_State *L)
{
    buffer_destroy(lua_touserdata(L, 1));
    return 0;
}

static void push_buffer(lua_State *L)
{
    struct buffer *buffer = lua_newuserdatauv(L, sizeof(*buffer), 0);
    buffer_init(buffer);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, on_buffer_collected);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
}

/* The options are a table as {sort_keys = true}. */
static bool read_sort_keys(lua_State *L, int options)
{
    if (lua_isnoneornil(L, options))
        return false;
    luaL_checktype(L, options, LUA_TTABLE);
    bool sort_keys = false;
    lua_pushnil(L);
    while (lua_next(L, options) != 0) {
        bool is_known =
            lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "sort_keys") == 0;
        luaL_argcheck(L, is_known, options, "the only option is sort_keys");
        luaL_argcheck(L, lua_isboolean(L, -1), options, "sort_keys is true or false");
        sort_keys = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    return sort_keys;
}

/* encode(value [, options]) */
static int library_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    bool sort_keys = read_sort_keys(L, 2);
    struct buffer *buffer = lua_touserdata(L, lua_upvalueindex(1));
    struct error err;
    buffer_clear(buffer, KEEP_BYTES);
    int rc = sort_keys ? json_encode_sorted(L, 1, buffer, &err) : json_encode(L, 1, buffer, &err);
    if (rc != 0)
        return luaL_error(L, "json.encode: %s", err.text);
    lua_pushlstring(L, buffer->bytes, buffer->length);
    buffer_clear(buffer, KEEP_BYTES);
    return 1;
}

/* decode(text) */
static int library_decode(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    struct error err;
    if (json_decode(L, text, length, JSON_NULLS_KEEP, &err) != 0)
        return luaL_error(L, "json.decode: %s", err.text);
    return 1;
}

/* array([table]): a table has one metatable, so one that has another cannot take the mark. */
static int library_array(lua_State *L)
{
    if (lua_isnone(L, 1))
        lua_createtable(L, 0, 0);
    luaL_checktype(L, 1, LUA_TTABLE);
    bool is_free = json_is_array(L, 1) || !lua_getmetatable(L, 1);
    luaL_argcheck(L, is_free, 1, "this table has a metatable already");
    json_mark_array(L, 1);
    lua_settop(L, 1);
    return 1;
}

int json_open_library(lua_State *L)
{
    lua_createtable(L, 0, 3);
    push_buffer(L);
    lua_pushcclosure(L, library_encode, 1);
    lua_setfield(L, -2, "encode");
    lua_pushcfunction(L, library_decode);
    lua_setfield(L, -2, "decode");
    lua_pushcfunction(L, library_array);
    lua_setfield(L, -2, "array");
    return 1;
}
