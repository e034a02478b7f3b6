/* What a state has that runs a script of our own: standard input that a stop ends, for commands a
 * print that prints, and functions for the chunks that belong to the program. */
#include "bindings.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "json.h"
#include "json_member.h"
#include "output.h"

enum { LOG_PRINT_MS = 100 };

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

/* print(...) as Lua has it. On a terminal it stands behind what the script has logged before. */
static int on_print(lua_State *L)
{
    log_flush(LOG_PRINT_MS);
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
    if (kind != MAIN_EVENT)
        open_input(L);
    if (kind == MAIN_COMMAND)
        lua_register(L, "print", on_print);
}

/* --- for chunks of the program itself --- */

static FILE *check_stream(lua_State *L)
{
    return ((luaL_Stream *)luaL_checkudata(L, 1, LUA_FILEHANDLE))->f;
}

/* read_line(stream): the next line without its end; false and its length when it is too long; nil
 * at the end; nil and a message when it cannot be read. */
static int on_read_line(lua_State *L)
{
    FILE *stream = check_stream(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    size_t length = 0;
    int c;
    errno = 0;
    while ((c = getc_unlocked(stream)) != EOF && c != '\n')
        if (++length <= JSON_MAX_BYTES)
            luaL_addchar(&line, (char)c);
    if (c == EOF && ferror(stream)) {
        lua_pushnil(L);
        lua_pushstring(L, errno == ECANCELED ? "cut off by a signal" : strerror(errno));
        return 2;
    }
    if (c == EOF && length == 0)
        return 0;
    if (length > JSON_MAX_BYTES) {
        lua_pushboolean(L, 0);
        lua_pushinteger(L, (lua_Integer)length);
        return 2;
    }
    luaL_pushresult(&line);
    return 1;
}

/* value_text(text): of a JSON object that is known to be right, the text of its member "value". */
static int on_value_text(lua_State *L)
{
    struct json_span span;
    if (!json_find_member(luaL_checkstring(L, 1), "value", &span))
        return 0;
    lua_pushlstring(L, span.text, span.length);
    return 1;
}

/* number(n): what is published from now on belongs to line n. */
static int on_number(lua_State *L)
{
    bindings_of(L)->current->tag = (uint64_t)luaL_checkinteger(L, 1);
    return 0;
}

/* say(text): a line on standard error. */
static int on_say(lua_State *L)
{
    log_say(luaL_checkstring(L, 1));
    return 0;
}

/* answer(text): for who asked what became of each line. */
static int on_answer(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct output *output = bindings_of(L)->host->output;
    if (output != NULL)
        output_add(output, text, length);
    return 0;
}

/* may_go_on(): whether what was published has been told to whom it may concern; true, or false
 * while it has to wait for that, or nil when nobody listens any more. */
static int on_may_go_on(lua_State *L)
{
    struct output *output = bindings_of(L)->host->output;
    if (output != NULL && output_has_failed(output))
        return 0;
    lua_pushboolean(L, output == NULL || output_has_room(output));
    return 1;
}

void bindings_push_own(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"publish_text", bindings_publish_text},
        {"read_line", on_read_line},
        {"value_text", on_value_text},
        {"number", on_number},
        {"say", on_say},
        {"answer", on_answer},
        {"may_go_on", on_may_go_on},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
}
