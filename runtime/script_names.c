#include "script_names.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "library.h"
#include "words.h"

/* In place of require for the program's own files: scripts do not see them. */
static int on_require(lua_State *L)
{
    script_library_push(L, luaL_checkstring(L, 1));
    return 1;
}

void script_library_push(lua_State *L, const char *module)
{
    const struct library_file *file = library_find(module);
    if (file == NULL)
        luaL_error(L, "the program has no file %s", module);
    if (luaL_loadbufferx(L, file->bytes, file->length, file->chunkname, "t") != LUA_OK)
        lua_error(L);
    /* Its globals are those of the state but for require. */
    lua_newtable(L);
    lua_pushcfunction(L, on_require);
    lua_setfield(L, -2, "require");
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
}

/* Takes the C string, which words_did_you_mean made, into Lua. */
static void push_and_free(lua_State *L, char *text)
{
    lua_pushstring(L, text);
    free(text);
}

void script_names_push_hint(lua_State *L, const char *word)
{
    size_t count = lua_rawlen(L, -1);
    int list = lua_gettop(L);
    luaL_checkstack(L, (int)count + 2, "too many names");
    const char **names = lua_newuserdatauv(L, (count + 1) * sizeof names[0], 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        names[i] = lua_tostring(L, -1);
    }
    push_and_free(L, words_did_you_mean(word, names, count, ""));
    lua_replace(L, list);
    lua_settop(L, list);
}

void script_names_push_module_hint(lua_State *L, const struct bundle *bundle, const char *module)
{
    lua_createtable(L, (int)bundle->count, 0);
    for (size_t i = 0; i < bundle->count; i++) {
        lua_pushstring(L, bundle->files[i].module);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    script_names_push_hint(L, module);
}
