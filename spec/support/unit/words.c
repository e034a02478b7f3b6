/* words.c - the functions of runtime/words.h for specs. */
#include "words.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_words(lua_State *L);

enum { MAX_CANDIDATES = 16 };

/* nearest(word, candidates) -> candidate or nil */
static int l_nearest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    const char *candidates[MAX_CANDIDATES];
    size_t count = (size_t)luaL_len(L, 2);
    luaL_argcheck(L, count <= MAX_CANDIDATES, 2, "too many");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        candidates[i] = luaL_checkstring(L, -1);
    }
    lua_pushstring(L, words_nearest(word, candidates, count));
    return 1;
}

int unit_open_words(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, l_nearest);
    lua_setfield(L, -2, "nearest");
    return 1;
}
