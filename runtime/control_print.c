#include "control_print.h"

#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "library.h"

/* A searcher of package.searchers: what words an answer may share with others. */
static int search(lua_State *L)
{
    const char *module = luaL_checkstring(L, 1);
    const struct library_file *file = library_find(module);
    if (file == NULL) {
        lua_pushfstring(L, "there is no %s", module);
        return 1;
    }
    if (luaL_loadbuffer(L, file->bytes, file->length, file->chunkname) != LUA_OK)
        return lua_error(L);
    return 1;
}

void control_open(lua_State *L)
{
    luaL_openlibs(L);
    json_open(L);
    lua_getglobal(L, "package");
    lua_createtable(L, 1, 0);
    lua_pushcfunction(L, search);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "searchers");
    lua_pop(L, 1);
}

/* Puts what words the answer below it on the stack. */
static void push_wording(lua_State *L, const char *wording)
{
    lua_pushfstring(L, "lagoon.answers.%s", wording);
    const struct library_file *file = library_find(lua_tostring(L, -1));
    assert(file != NULL);
    if (luaL_loadbuffer(L, file->bytes, file->length, file->chunkname) != LUA_OK)
        lua_error(L);
}

/* Protected. Arguments: the wording's name or NULL, the answer. Results: a text, an exit code. */
static int word(lua_State *L)
{
    const char *wording = lua_touserdata(L, 1);
    const struct buffer *answer = lua_touserdata(L, 2);
    struct error err;
    control_open(L);
    if (json_decode(L, answer->bytes, answer->length, JSON_NULLS_DROP, &err) != 0)
        return luaL_error(L, "the answer is not understood: %s", err.text);
    luaL_checktype(L, 3, LUA_TTABLE);
    if (lua_getfield(L, 3, "error") == LUA_TSTRING)
        return lua_error(L);
    if (wording == NULL) {
        lua_pushlstring(L, answer->bytes, answer->length);
        lua_pushliteral(L, "\n");
        lua_concat(L, 2);
        lua_pushinteger(L, 0);
        return 2;
    }
    push_wording(L, wording);
    lua_pushvalue(L, 3);
    lua_call(L, 1, 2);
    return 2;
}

int control_word(const char *wording, const struct buffer *answer, struct buffer *text,
                 int *exit_code, struct error *err)
{
    lua_State *L = luaL_newstate();
    lua_pushcfunction(L, word);
    lua_pushlightuserdata(L, (void *)wording);
    lua_pushlightuserdata(L, (void *)answer);
    int rc = lua_pcall(L, 2, 2, 0) == LUA_OK ? 0 : -1;
    if (rc == 0) {
        buffer_append_text(text, lua_tostring(L, -2));
        *exit_code = (int)lua_tointeger(L, -1);
    } else {
        error_set(err, "%s", lua_tostring(L, -1));
    }
    lua_close(L);
    return rc;
}

int control_print(const char *wording, const struct buffer *answer, int *exit_code,
                  struct error *err)
{
    struct buffer text;
    buffer_init(&text);
    int rc = control_word(wording, answer, &text, exit_code, err);
    if (rc == 0)
        fwrite(text.bytes, 1, text.length, stdout);
    buffer_destroy(&text);
    return rc;
}
