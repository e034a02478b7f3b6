/* json_writer.c - the functions of runtime/json_writer.h for specs. */
#include "json_writer.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_json_writer(lua_State *L);

static void write_text(struct json_writer *writer, lua_State *L)
{
    json_begin_array(writer, NULL);
    json_end_array(writer);
    json_begin_object(writer, NULL);
    json_write_text(writer, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    json_begin_array(writer, "more");
    json_write_integer(writer, NULL, INT64_MIN);
    json_write_bool(writer, NULL, true);
    json_write_null(writer, NULL);
    json_begin_object(writer, NULL);
    json_end_object(writer);
    json_write_text(writer, NULL, NULL);
    json_end_array(writer);
    json_write_bool(writer, "last", false);
    json_end_object(writer);
}

/* everything(name, text) -> JSON that has a member of that name and text, and one of each kind */
static int l_everything(lua_State *L)
{
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out);
    json_writer_init(&writer, &out);
    json_begin_array(&writer, NULL);
    write_text(&writer, L);
    json_end_array(&writer);
    lua_pushlstring(L, out.bytes, out.length);
    buffer_destroy(&out);
    return 1;
}

int unit_open_json_writer(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, l_everything);
    lua_setfield(L, -2, "everything");
    return 1;
}
