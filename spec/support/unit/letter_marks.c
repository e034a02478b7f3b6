/* letter_marks.c - the functions of runtime/letter_marks.h for specs, as methods of marks. */
#include "letter_marks.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_letter_marks(lua_State *L);

static const char MARKS[] = "unit.letter_marks";

static struct letter_marks *check_marks(lua_State *L)
{
    return luaL_checkudata(L, 1, MARKS);
}

/* new(base [, text]) */
static int l_new(lua_State *L)
{
    int64_t base = luaL_checkinteger(L, 1);
    const char *text = luaL_optstring(L, 2, NULL);
    struct letter_marks *marks = lua_newuserdatauv(L, sizeof *marks, 0);
    letter_marks_init(marks, base, text);
    luaL_setmetatable(L, MARKS);
    return 1;
}

static int l_destroy(lua_State *L)
{
    letter_marks_destroy(check_marks(L));
    return 0;
}

static int l_raise(lua_State *L)
{
    letter_marks_raise(check_marks(L), luaL_checkinteger(L, 2));
    return 0;
}

static int l_is_taken(lua_State *L)
{
    lua_pushboolean(L, letter_marks_is_taken(check_marks(L), luaL_checkinteger(L, 2)));
    return 1;
}

static int l_see(lua_State *L)
{
    letter_marks_see(check_marks(L), luaL_checkinteger(L, 2));
    return 0;
}

static int l_take(lua_State *L)
{
    letter_marks_take(check_marks(L));
    return 0;
}

static int l_pass(lua_State *L)
{
    letter_marks_pass(check_marks(L), luaL_checkinteger(L, 2));
    return 0;
}

static int l_has_room(lua_State *L)
{
    lua_pushboolean(L, letter_marks_have_room(check_marks(L)));
    return 1;
}

/* write(): the offset and the text */
static int l_write(lua_State *L)
{
    struct buffer text;
    buffer_init(&text);
    lua_pushinteger(L, letter_marks_write(check_marks(L), &text));
    lua_pushlstring(L, text.length > 0 ? text.bytes : "", text.length);
    buffer_destroy(&text);
    return 2;
}

int unit_open_letter_marks(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"raise", l_raise}, {"is_taken", l_is_taken}, {"see", l_see},     {"take", l_take},
        {"pass", l_pass},   {"has_room", l_has_room}, {"write", l_write}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, MARKS);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_destroy);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
