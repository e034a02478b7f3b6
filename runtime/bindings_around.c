/* What a config puts around publish calls: the codec's function and the middlewares. */
#include "bindings_publication.h"

#include <lauxlib.h>
#include <string.h>

/* The address is the key, in the registry, of the list of these parts of all producers. */
static const char parts_key;

enum { PARTS = 2 };

static lua_Integer place_of(const struct bindings *bindings, const struct producer_config *producer,
                            enum producer_part part)
{
    return (producer - bindings->host->config->producers) * PARTS + part + 1;
}

void bindings_set_producer_part(lua_State *L, const struct producer_config *producer,
                                enum producer_part part)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "lagoon.producer parts");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parts_key);
    lua_insert(L, -2);
    lua_rawseti(L, -2, place_of(bindings_of(L), producer, part));
    lua_pop(L, 1);
}

void publication_push_part(lua_State *L, const struct producer_config *producer,
                           enum producer_part part)
{
    /* While the files are loaded not all parts are there. */
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &parts_key) != LUA_TTABLE)
        return;
    lua_rawgeti(L, -1, place_of(bindings_of(L), producer, part));
    lua_remove(L, -2);
}

/* A copy, so that a middleware changes nothing of the caller's. Pairs are not copied. */
static void push_copy(lua_State *L, int table)
{
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

/* The key as far as it is known before the middlewares have seen the event. */
static void set_key(lua_State *L, const struct producer_config *producer, int context)
{
    int kind = lua_getfield(L, context, "key");
    lua_pop(L, 1);
    if (kind != LUA_TNIL || producer->key_field == NULL || !lua_istable(L, ARG_EVENT))
        return;
    bindings_push_path(L, ARG_EVENT, producer->key_field);
    bool is_key = lua_type(L, -1) == LUA_TSTRING || lua_isinteger(L, -1);
    if (is_key)
        lua_setfield(L, context, "key");
    else
        lua_pop(L, 1);
}

void publication_push_context(lua_State *L, const struct producer_config *producer)
{
    push_copy(L, ARG_OPTIONS);
    int context = lua_gettop(L);
    lua_pushvalue(L, ARG_TYPE);
    lua_setfield(L, context, "type");
    if (lua_getfield(L, context, "topic") == LUA_TNIL) {
        lua_pushstring(L, producer->topic);
        lua_setfield(L, context, "topic");
    }
    int kind = lua_getfield(L, context, "headers");
    if (kind == LUA_TTABLE)
        push_copy(L, lua_gettop(L));
    else if (kind == LUA_TNIL)
        lua_newtable(L);
    lua_setfield(L, context, "headers");
    lua_settop(L, context);
    set_key(L, producer, context);
}
