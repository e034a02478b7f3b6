/* A chunk in place of a handler: how it is read, what it is given, where it stands. */
#include "script_main.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"

/* As `lua` does: a first line that begins with # is for the system. */
static int load_main(lua_State *L, const struct script_main *main)
{
    const char *bytes = main->bytes;
    size_t length = main->length;
    if (length > 0 && bytes[0] == '#') {
        const char *end = memchr(bytes, '\n', length);
        length = end != NULL ? length - (size_t)(end - bytes) : 0;
        bytes = end != NULL ? end : bytes;
    }
    return luaL_loadbufferx(L, bytes, length, main->chunkname, "t");
}

int script_check_main(const struct script_main *main, struct error *err)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        error_set(err, "no memory for a Lua state");
        return -1;
    }
    int rc = load_main(L, main);
    if (rc != LUA_OK)
        error_set(err, "%s", lua_tostring(L, -1));
    lua_close(L);
    return rc == LUA_OK ? 0 : -1;
}

/* The global `arg` of a command, as `lua` has it. */
static void set_arg(lua_State *L, const struct script_main *main)
{
    lua_createtable(L, (int)main->argument_count, 1);
    lua_pushstring(L, main->chunkname + 1);
    lua_rawseti(L, -2, 0);
    for (size_t i = 0; i < main->argument_count; i++) {
        lua_pushstring(L, main->arguments[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setglobal(L, "arg");
}

int script_main_run(lua_State *L)
{
    const struct script_main_start *start = lua_touserdata(L, 1);
    const struct script_main *main = start->main;
    struct call *call = start->call;
    lua_KFunction after = start->after;
    bindings_open_main(L, main->kind);
    if (load_main(L, main) != LUA_OK)
        return lua_error(L);
    int base = lua_gettop(L);
    luaL_checkstack(L, (int)main->argument_count + 5, "too many arguments");
    if (main->kind == MAIN_COMMAND)
        set_arg(L, main);
    if (main->kind == MAIN_OWN || main->kind == MAIN_EVENT)
        bindings_push_own(L);
    if (main->kind == MAIN_EVENT)
        lua_pushlstring(L, main->body->length > 0 ? main->body->bytes : "", main->body->length);
    for (size_t i = 0; i < main->argument_count; i++)
        lua_pushstring(L, main->arguments[i]);
    lua_callk(L, lua_gettop(L) - base, 2, (lua_KContext)call, after);
    return after(L, LUA_OK, (lua_KContext)call);
}

char *script_main_place(lua_State *thread)
{
    lua_Debug place;
    for (int level = 0; lua_getstack(thread, level, &place) == 1; level++) {
        lua_getinfo(thread, "Sl", &place);
        if (place.currentline > 0)
            return xasprintf("%s:%d", place.short_src, place.currentline);
    }
    return NULL;
}
