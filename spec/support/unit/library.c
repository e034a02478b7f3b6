/* library.c - require("unit").library: the Lua files that are built into the program. */
#include <lauxlib.h>
#include <lua.h>

#include "library.h"

int unit_open_library(lua_State *L);

/* find(module): its chunkname and its bytes; nothing when there is no such module. */
static int find(lua_State *L)
{
    const struct library_file *file = library_find(luaL_checkstring(L, 1));
    if (file == NULL)
        return 0;
    lua_pushstring(L, file->chunkname);
    lua_pushlstring(L, file->bytes, file->length);
    return 2;
}

int unit_open_library(lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", find}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
