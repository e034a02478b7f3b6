/* What a state has that runs a script of our own: standard input that a stop ends, for commands a
 * print that prints, and functions for the chunks that belong to the program. */
#include "bindings.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

#include "input.h"

static int on_close_input(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

/* io.stdin, and what io.read and io.lines read, becomes the stream of input.h. */
static void open_input(lua_State *L)
{
    lua_getglobal(L, "io");
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    stream->closef = NULL;
    luaL_setmetatable(L, LUA_FILEHANDLE);
    stream->f = input_open();
    stream->closef = on_close_input;
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "stdin");
    lua_getfield(L, -2, "input");
    lua_insert(L, -2);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

/* print(...) as Lua has it. */
static int on_print(lua_State *L)
{
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        size_t length;
        const char *text = luaL_tolstring(L, i, &length);
        if (i > 1)
            fputc('\t', stdout);
        fwrite(text, 1, length, stdout);
        lua_pop(L, 1);
    }
    fputc('\n', stdout);
    fflush(stdout);
    return 0;
}

void bindings_open_main(lua_State *L, enum main_kind kind)
{
    open_input(L);
    if (kind == MAIN_COMMAND)
        lua_register(L, "print", on_print);
}

void bindings_push_own(lua_State *L)
{
    static const luaL_Reg functions[] = {{"publish_text", bindings_publish_text}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
