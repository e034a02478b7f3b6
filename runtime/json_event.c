#include "json_event.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "json.h"

struct search {
    const char *text;
    size_t length;
    const char *path;
    struct buffer *found;
    enum json_event_result result;
    struct error *err;
};

/* Replaces the value on top by what is at the path in it. */
static void walk(lua_State *L, const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, ".");
        if (lua_istable(L, -1)) {
            lua_pushlstring(L, path, length);
            lua_rawget(L, -2);
        } else {
            lua_pushnil(L);
        }
        lua_remove(L, -2);
        path += length + (path[length] == '.');
    }
}

static void take(lua_State *L, struct search *search)
{
    size_t length;
    if (lua_isnil(L, -1))
        return;
    if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1)) {
        error_set(search->err, "the event's '%s' is its key and must be a string or an integer",
                  search->path);
        search->result = JSON_EVENT_INVALID;
        return;
    }
    const char *bytes = lua_tolstring(L, -1, &length);
    buffer_append(search->found, bytes, length);
    search->result = JSON_EVENT_HAS;
}

/* Protected. */
static int look(lua_State *L)
{
    struct search *search = lua_touserdata(L, 1);
    json_open(L);
    if (json_decode(L, search->text, search->length, JSON_NULLS_DROP, search->err) != 0) {
        error_prefix(search->err, "the event is no JSON: ");
        search->result = JSON_EVENT_INVALID;
    } else if (search->path != NULL) {
        walk(L, search->path);
        take(L, search);
    }
    return 0;
}

enum json_event_result json_event_find(const char *text, size_t length, const char *path,
                                       struct buffer *found, struct error *err)
{
    struct search search = {text, length, path, found, JSON_EVENT_LACKS, err};
    lua_State *L = luaL_newstate();
    if (L != NULL) {
        lua_pushcfunction(L, look);
        lua_pushlightuserdata(L, &search);
    }
    if (L == NULL || lua_pcall(L, 1, 0, 0) != LUA_OK) {
        error_set(err, "no memory to look into the event");
        search.result = JSON_EVENT_INVALID;
    }
    if (L != NULL)
        lua_close(L);
    return search.result;
}
