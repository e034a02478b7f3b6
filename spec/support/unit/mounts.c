/* mounts.c - the functions of runtime/mounts.h for specs. */
#include "mounts.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_mounts(lua_State *L);

static void on_fault(void *context, enum mount_fault fault, const char *path)
{
    lua_State *L = context;
    lua_pushstring(L, fault == MOUNT_IS_FILE ? "file" : "subpath");
    lua_setfield(L, -2, path);
}

/* look(list, config, scripts) -> {path = "file" or "subpath"} */
static int l_look(lua_State *L)
{
    const char *list = luaL_checkstring(L, 1), *config = luaL_checkstring(L, 2),
               *scripts = luaL_checkstring(L, 3);
    lua_newtable(L);
    mounts_look(list, config, scripts, on_fault, L);
    return 1;
}

int unit_open_mounts(lua_State *L)
{
    static const luaL_Reg functions[] = {{"look", l_look}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
