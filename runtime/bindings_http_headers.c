/* Headers as scripts see them. */
#include "bindings_http_internal.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

static const char HEADERS_CLASS[] = "lagoon.http.headers";

void http_headers_lower_top(lua_State *L)
{
    size_t length;
    const char *name = lua_tolstring(L, -1, &length);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (size_t i = 0; i < length; i++)
        luaL_addchar(&text, (char)tolower((unsigned char)name[i]));
    luaL_pushresult(&text);
    lua_remove(L, -2);
}

/* headers["Content-Type"] finds what is kept as content-type. */
static int on_headers_index(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    http_headers_lower_top(L);
    lua_rawget(L, 1);
    return 1;
}

void http_headers_push(lua_State *L)
{
    lua_newtable(L);
    if (luaL_newmetatable(L, HEADERS_CLASS)) {
        lua_pushcfunction(L, on_headers_index);
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
}

void http_headers_add(lua_State *L)
{
    int headers = lua_gettop(L) - 2;
    lua_pushvalue(L, -2);
    if (lua_rawget(L, headers) != LUA_TNIL) {
        bool is_cookie = strcmp(lua_tostring(L, -3), "set-cookie") == 0;
        lua_pushstring(L, is_cookie ? "\n" : ", ");
        lua_pushvalue(L, -3);
        lua_concat(L, 3);
        lua_replace(L, -2);
    } else {
        lua_pop(L, 1);
    }
    lua_rawset(L, headers);
}
