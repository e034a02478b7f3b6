#include "script_globals.h"

#include <lauxlib.h>
#include <string.h>

#include "script_names.h"

/* --- who asks --- */

/* Upvalues of the two metamethods. */
enum { BUNDLE = 1, DECLARED };

/* Fills in what calls the metamethod; false when it is none of the bundle's files. Level 1: level 0
 * is the metamethod. */
static bool is_strict(lua_State *L, lua_Debug *caller)
{
    const struct bundle *bundle = lua_touserdata(L, lua_upvalueindex(BUNDLE));
    if (lua_getstack(L, 1, caller) == 0 || lua_getinfo(L, "S", caller) == 0 ||
        caller->source[0] != '@')
        return false;
    size_t length = strlen(bundle->directory);
    return strncmp(caller->source + 1, bundle->directory, length) == 0 &&
           caller->source[1 + length] == '/';
}

/* --- reading --- */

/* What is noted of the name at 2: true, a file has set it; false, it may be asked for; nil. */
static void push_note(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(DECLARED));
}

/* The words are those of the look at the text. */
static int raise(lua_State *L, int is_set)
{
    script_library_push(L, "lagoon.globals");
    lua_getfield(L, -1, "describe");
    lua_pushvalue(L, 2);
    lua_pushboolean(L, is_set);
    lua_pushglobaltable(L);
    lua_call(L, 3, 1);
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

/* __index(globals, name) */
static int on_read(lua_State *L)
{
    lua_Debug caller;
    push_note(L);
    if (lua_type(L, 2) != LUA_TSTRING || !lua_isnil(L, -1) || !is_strict(L, &caller))
        return 0;
    return raise(L, false);
}

/* --- writing --- */

/* __newindex(globals, name, value) */
static int on_write(lua_State *L)
{
    lua_Debug caller;
    push_note(L);
    bool is_declared = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING && !is_declared && is_strict(L, &caller)) {
        if (strcmp(caller.what, "main") != 0)
            return raise(L, true);
        lua_pushvalue(L, 2);
        lua_pushboolean(L, true);
        lua_rawset(L, lua_upvalueindex(DECLARED));
    }
    lua_rawset(L, 1);
    return 0;
}

static void set_metamethod(lua_State *L, const char *name, lua_CFunction function,
                           const struct bundle *bundle, int declared)
{
    lua_pushlightuserdata(L, (void *)bundle);
    lua_pushvalue(L, declared);
    lua_pushcclosure(L, function, DECLARED);
    lua_setfield(L, -2, name);
}

void script_globals_push_probed(lua_State *L)
{
    static const char *const names[] = {"bit",        "bit32",  "getfenv", "jit",
                                        "loadstring", "module", "setfenv", "unpack"};
    lua_createtable(L, 0, ARRAY_LENGTH(names));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        lua_pushboolean(L, false);
        lua_setfield(L, -2, names[i]);
    }
}

static void be_strict(lua_State *L, const struct bundle *bundle)
{
    script_globals_push_probed(L);
    int declared = lua_gettop(L);
    lua_pushglobaltable(L);
    lua_newtable(L);
    set_metamethod(L, "__index", on_read, bundle, declared);
    set_metamethod(L, "__newindex", on_write, bundle, declared);
    lua_setmetatable(L, -2);
    lua_settop(L, declared - 1);
}

/* --- what takes the limits off --- */

/* A compiled chunk can do what no source can, down to a crash: all is loaded as text. */

/* load(chunk, name, mode, environment), loadfile(file, mode, environment). Upvalues: Lua's own, the
 * place of the mode. */
static int on_load(lua_State *L)
{
    int mode = (int)lua_tointeger(L, lua_upvalueindex(2));
    if (lua_gettop(L) < mode)
        lua_settop(L, mode);
    lua_pushliteral(L, "t");
    lua_replace(L, mode);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int after_dofile(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

/* dofile(file) */
static int on_dofile(lua_State *L)
{
    const char *file = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (luaL_loadfilex(L, file, "t") != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, after_dofile);
    return after_dofile(L, LUA_OK, 0);
}

static int on_sethook(lua_State *L)
{
    return luaL_error(L, "debug.sethook is not available: what limits handlers stands on it");
}

/* With the globals on top. */
static void load_text_only(lua_State *L, const char *name, int mode)
{
    lua_getfield(L, -1, name);
    lua_pushinteger(L, mode);
    lua_pushcclosure(L, on_load, 2);
    lua_setfield(L, -2, name);
}

static void take_away(lua_State *L)
{
    lua_pushglobaltable(L);
    load_text_only(L, "load", 3);
    load_text_only(L, "loadfile", 2);
    lua_pushcfunction(L, on_dofile);
    lua_setfield(L, -2, "dofile");
    lua_getfield(L, -1, "debug");
    lua_pushcfunction(L, on_sethook);
    lua_setfield(L, -2, "sethook");
    lua_pop(L, 2);
}

void script_globals_open(lua_State *L, const struct bundle *bundle)
{
    take_away(L);
    if (bundle != NULL)
        be_strict(L, bundle);
}
