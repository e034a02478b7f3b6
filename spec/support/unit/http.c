/* http.c - whose turn an HTTP request is, for specs: requests are numbers, and none is sent. */
#include <lauxlib.h>
#include <stdlib.h>

#include "error.h"
#include "http_internal.h"

int unit_open_http(lua_State *L);

enum { MAX_EXCHANGES = 2000 };

struct game {
    struct http_turns turns;
    struct http_exchange *exchanges[MAX_EXCHANGES];
    lua_Integer count;
};

static struct game *check_game(lua_State *L)
{
    return luaL_checkudata(L, 1, "unit.http.game");
}

/* game:add(url): its number. */
static int game_add(lua_State *L)
{
    struct game *game = check_game(L);
    const struct http_request request = {
        .method = "GET", .url = luaL_checkstring(L, 2), .timeout_ms = 1000};
    luaL_argcheck(L, game->count < MAX_EXCHANGES, 2, "too many");
    struct http_exchange *exchange = http_exchange_new(&request);
    game->exchanges[game->count++] = exchange;
    http_turns_add(&game->turns, exchange);
    lua_pushinteger(L, game->count);
    return 1;
}

/* game:next(): the number of the one that runs from now on, or nil. */
static int game_next(lua_State *L)
{
    struct game *game = check_game(L);
    const struct http_exchange *exchange = http_turns_next(&game->turns);
    for (lua_Integer i = 0; exchange != NULL && i < game->count; i++) {
        if (game->exchanges[i] == exchange) {
            lua_pushinteger(L, i + 1);
            return 1;
        }
    }
    return 0;
}

/* game:remove(number) */
static int game_remove(lua_State *L)
{
    struct game *game = check_game(L);
    lua_Integer number = luaL_checkinteger(L, 2);
    luaL_argcheck(L, number >= 1 && number <= game->count, 2, "no such request");
    luaL_argcheck(L, game->exchanges[number - 1] != NULL, 2, "removed before");
    http_turns_remove(&game->turns, game->exchanges[number - 1]);
    http_exchange_free(&game->exchanges[number - 1]);
    return 0;
}

/* game:counts(): running, and hosts known. */
static int game_counts(lua_State *L)
{
    const struct game *game = check_game(L);
    lua_pushinteger(L, (lua_Integer)game->turns.running);
    lua_Integer hosts = 0;
    for (struct link *link = game->turns.hosts.next; link != &game->turns.hosts; link = link->next)
        hosts++;
    lua_pushinteger(L, hosts);
    return 2;
}

static int game_gc(lua_State *L)
{
    struct game *game = check_game(L);
    for (lua_Integer i = 0; i < game->count; i++) {
        if (game->exchanges[i] == NULL)
            continue;
        http_turns_remove(&game->turns, game->exchanges[i]);
        http_exchange_free(&game->exchanges[i]);
    }
    return 0;
}

static int unit_game(lua_State *L)
{
    struct game *game = lua_newuserdatauv(L, sizeof *game, 0);
    *game = (struct game){0};
    http_turns_init(&game->turns);
    luaL_setmetatable(L, "unit.http.game");
    return 1;
}

int unit_open_http(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add", game_add},       {"next", game_next}, {"remove", game_remove},
        {"counts", game_counts}, {"__gc", game_gc},   {NULL, NULL},
    };
    luaL_newmetatable(L, "unit.http.game");
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushcfunction(L, unit_game);
    lua_setfield(L, -2, "game");
    return 1;
}
