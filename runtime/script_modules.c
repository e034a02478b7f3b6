#include "script_modules.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include <lua-cjson.h>

#include "bindings.h"
#include "script_load.h"
#include "script_names.h"

/* In the library, not in its header. */
int luaopen_cjson_safe(lua_State *L);

/* A handler that loads a file may want the error as it is. */
static int on_error(lua_State *L)
{
    return bindings_of(L)->current == NULL ? script_load_on_error(L) : 1;
}

/* Loads a file of the bundle: its top level must neither wait nor publish. Upvalue 1: the chunk. */
static int run_file(lua_State *L)
{
    struct bindings *bindings = bindings_of(L);
    int count = lua_gettop(L);
    lua_pushcfunction(L, on_error);
    lua_insert(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 2);
    bindings->loading++;
    int status = lua_pcall(L, count, 1, 1);
    bindings->loading--;
    return status == LUA_OK ? 1 : lua_error(L);
}

int script_modules_search(lua_State *L, const struct bundle *bundle)
{
    const char *module = luaL_checkstring(L, 1);
    const struct bundle_file *file = bundle_find(bundle, module);
    if (file == NULL) {
        lua_pushfstring(L, "no file for '%s' under %s", module, bundle->directory);
        return 1;
    }
    const char *chunkname = lua_pushfstring(L, "@%s", file->path);
    if (file->length > 0 && file->bytes[0] == LUA_SIGNATURE[0])
        return luaL_error(L, "%s: is compiled; lagoon reads Lua's source only", file->path);
    if (luaL_loadbufferx(L, file->bytes, file->length, chunkname, "t") != LUA_OK)
        return lua_error(L);
    lua_pushcclosure(L, run_file, 1);
    lua_pushstring(L, file->path);
    return 2;
}

/* Upvalue 1: the bundle. */
static int search_bundle(lua_State *L)
{
    return script_modules_search(L, lua_touserdata(L, lua_upvalueindex(1)));
}

/* The last searcher: in place of a list of all files that are not there. Upvalue 1: the bundle. */
static int search_nowhere(lua_State *L)
{
    const struct bundle *bundle = lua_touserdata(L, lua_upvalueindex(1));
    const char *module = luaL_checkstring(L, 1);
    luaL_where(L, 2); /* who called require */
    const char *place = lua_tostring(L, -1);
    const char *file = luaL_gsub(L, module, ".", "/");
    const char *folder = bundle->directory;
    script_names_push_module_hint(L, bundle, module);
    lua_pushfstring(L,
                    "%smodule '%s' not found: there is no %s/%s.lua, no %s/%s/init.lua, and no "
                    "such module among the system's for Lua 5.4%s",
                    place, module, folder, file, folder, file, lua_tostring(L, -1));
    return lua_error(L);
}

/* Takes the entries that depend on the working directory out of package.path or cpath. */
static void drop_relative_entries(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    const char *entry = lua_tostring(L, -1);
    luaL_Buffer kept;
    luaL_buffinit(L, &kept);
    bool is_first = true;
    while (*entry != '\0') {
        size_t length = strcspn(entry, ";");
        if (*entry == '/') {
            if (!is_first)
                luaL_addchar(&kept, ';');
            luaL_addlstring(&kept, entry, length);
            is_first = false;
        }
        entry += length + (entry[length] == ';');
    }
    luaL_pushresult(&kept);
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
}

static void preload(lua_State *L, const char *module, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, module);
    lua_pop(L, 1);
}

void script_modules_open(lua_State *L, const struct bundle *bundle)
{
    preload(L, "cjson", luaopen_cjson);
    preload(L, "cjson.safe", luaopen_cjson_safe);
    lua_getglobal(L, "package");
    drop_relative_entries(L, "path");
    drop_relative_entries(L, "cpath");
    lua_getfield(L, -1, "searchers");
    if (bundle != NULL) {
        /* Behind preload, so that nothing of the scripts shadows lagoon or cjson; before the paths
         * of the system. */
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = count; i >= 2; i--) {
            lua_rawgeti(L, -1, i);
            lua_rawseti(L, -2, i + 1);
        }
        lua_pushlightuserdata(L, (void *)bundle);
        lua_pushcclosure(L, search_bundle, 1);
        lua_rawseti(L, -2, 2);
        lua_pushlightuserdata(L, (void *)bundle);
        lua_pushcclosure(L, search_nowhere, 1);
        lua_rawseti(L, -2, count + 2);
    }
    lua_pop(L, 2);
}
