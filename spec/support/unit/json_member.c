/* json_member.c - the function of runtime/json_member.h for specs. */
#include "json_member.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_json_member(lua_State *L);

/* find(text, name): the text of the member's value; nil when there is none. */
static int l_find(lua_State *L)
{
    struct json_span span;
    if (!json_find_member(luaL_checkstring(L, 1), luaL_checkstring(L, 2), &span))
        return 0;
    lua_pushlstring(L, span.text, span.length);
    return 1;
}

int unit_open_json_member(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, l_find);
    lua_setfield(L, -2, "find");
    return 1;
}
