/* json.c - the JSON codec for specs, and what happens to it when memory runs out. */
#include "json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "error.h"

int unit_open_json(lua_State *L);

/* decode(text, "drop"|"keep"): the value, or nil and why not. The text is copied into a block that
 * ends with it, so that a sanitizer sees who reads on. */
static int unit_decode(lua_State *L)
{
    static const char *const names[] = {"drop", "keep", NULL};
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    enum json_nulls nulls =
        luaL_checkoption(L, 2, NULL, names) == 0 ? JSON_NULLS_DROP : JSON_NULLS_KEEP;
    char *copy = lua_newuserdatauv(L, length, 0);
    memcpy(copy, text, length);
    struct error err;
    int top = lua_gettop(L);
    if (json_decode(L, copy, length, nulls, &err) == 0) {
        assert(lua_gettop(L) == top + 1);
        return 1;
    }
    assert(lua_gettop(L) == top);
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

/* encode(value, "sorted"|nil): the text, or nil and why not. There is something in the buffer
 * already, which has to stay. */
static int unit_encode(lua_State *L)
{
    static const char before[] = "before";
    bool is_sorted = lua_toboolean(L, 2);
    struct buffer out;
    buffer_init(&out);
    buffer_append_text(&out, before);
    struct error err;
    int top = lua_gettop(L);
    int rc = is_sorted ? json_encode_sorted(L, 1, &out, &err) : json_encode(L, 1, &out, &err);
    assert(lua_gettop(L) == top);
    assert(memcmp(out.bytes, before, strlen(before)) == 0);
    if (rc == 0) {
        lua_pushlstring(L, out.bytes + strlen(before), out.length - strlen(before));
        buffer_destroy(&out);
        return 1;
    }
    buffer_destroy(&out);
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

static int unit_mark(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    json_mark_array(L, 1);
    return 0;
}

static int unit_is_marked(lua_State *L)
{
    lua_pushboolean(L, json_is_array(L, 1));
    return 1;
}

struct allowance {
    size_t used_bytes;
    size_t limit_bytes;
};

static void *allocate_within(void *allowance, void *memory, size_t old_bytes, size_t new_bytes)
{
    struct allowance *mine = allowance;
    old_bytes = memory != NULL ? old_bytes : 0;
    if (new_bytes == 0) {
        free(memory);
        mine->used_bytes -= old_bytes;
        return NULL;
    }
    if (new_bytes > old_bytes && mine->used_bytes + new_bytes - old_bytes > mine->limit_bytes)
        return NULL;
    void *moved = realloc(memory, new_bytes);
    if (moved != NULL)
        mine->used_bytes += new_bytes - old_bytes;
    return moved;
}

/* With the text as an integer and its address: back and forth through all of lagoon.json. */
static int round_trip(lua_State *L)
{
    const char *text = lua_touserdata(L, 1);
    size_t length = (size_t)lua_tointeger(L, 2);
    struct error err;
    if (json_decode(L, text, length, JSON_NULLS_KEEP, &err) != 0)
        return luaL_error(L, "%s", err.text);
    json_open_library(L);
    lua_getfield(L, -1, "encode");
    lua_pushvalue(L, 3);
    lua_createtable(L, 0, 1);
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "sort_keys");
    lua_call(L, 2, 1);
    return 0;
}

static int open_state(lua_State *L)
{
    json_open(L);
    return 0;
}

/* exhaust(text): converts it in states that may use more and more memory until one may use enough.
 * The count of those that ran out of it, and of those that failed in any other way. */
static int unit_exhaust(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer ran_out = 0, other = 0;
    int status = LUA_ERRMEM;
    for (size_t more_bytes = 0; status != LUA_OK; more_bytes += 16) {
        struct allowance allowance = {0, SIZE_MAX};
        lua_State *limited = lua_newstate(allocate_within, &allowance);
        lua_pushcfunction(limited, open_state);
        status = lua_pcall(limited, 0, 0, 0);
        assert(status == LUA_OK);
        lua_pushcfunction(limited, round_trip);
        lua_pushlightuserdata(limited, (void *)text);
        lua_pushinteger(limited, (lua_Integer)length);
        lua_gc(limited, LUA_GCCOLLECT);
        allowance.limit_bytes = allowance.used_bytes + more_bytes;
        status = lua_pcall(limited, 2, 0, 0);
        ran_out += status == LUA_ERRMEM;
        other += status != LUA_ERRMEM && status != LUA_OK;
        lua_close(limited);
        assert(allowance.used_bytes == 0);
    }
    lua_pushinteger(L, ran_out);
    lua_pushinteger(L, other);
    return 2;
}

int unit_open_json(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"decode", unit_decode},       {"encode", unit_encode},   {"mark", unit_mark},
        {"is_marked", unit_is_marked}, {"exhaust", unit_exhaust}, {NULL, NULL},
    };
    json_open(L);
    luaL_newlib(L, functions);
    json_open_library(L);
    lua_setfield(L, -2, "library");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_pushlightuserdata(L, L);
    lua_setfield(L, -2, "pointer");
    return 1;
}
