/* bundle.c - the bundle of scripts for specs. */
#include "bundle.h"

#include <lauxlib.h>
#include <lua.h>

#include "error.h"

int unit_open_bundle(lua_State *L);

static const char bundle_type[] = "bundle";

static struct bundle *check_bundle(lua_State *L)
{
    return *(struct bundle **)luaL_checkudata(L, 1, bundle_type);
}

/* read(directory): a bundle, or nil and what is wrong. */
static int unit_read(lua_State *L)
{
    const char *directory = luaL_checkstring(L, 1);
    struct bundle **bundle = lua_newuserdata(L, sizeof *bundle);
    *bundle = NULL;
    luaL_setmetatable(L, bundle_type);
    struct error err;
    if (bundle_read(directory, bundle, &err) == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

static int unit_free(lua_State *L)
{
    bundle_free(luaL_checkudata(L, 1, bundle_type));
    return 0;
}

static void push_file(lua_State *L, const struct bundle_file *file)
{
    lua_newtable(L);
    lua_pushstring(L, file->module);
    lua_setfield(L, -2, "module");
    lua_pushstring(L, file->path);
    lua_setfield(L, -2, "path");
    lua_pushlstring(L, file->bytes, file->length);
    lua_setfield(L, -2, "bytes");
}

/* bundle:files(): all of them in their order. */
static int unit_files(lua_State *L)
{
    const struct bundle *bundle = check_bundle(L);
    lua_newtable(L);
    for (size_t i = 0; i < bundle->count; i++) {
        push_file(L, &bundle->files[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* bundle:find(module): the file, or nil. */
static int unit_find(lua_State *L)
{
    const struct bundle_file *file = bundle_find(check_bundle(L), luaL_checkstring(L, 2));
    if (file != NULL)
        push_file(L, file);
    else
        lua_pushnil(L);
    return 1;
}

int unit_open_bundle(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"files", unit_files}, {"find", unit_find}, {"__gc", unit_free}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"read", unit_read}, {NULL, NULL}};
    luaL_newmetatable(L, bundle_type);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
