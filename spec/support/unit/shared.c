/* shared.c - the functions of runtime/shared.h for specs, and a play with real threads. The store's
 * name is a part of each key: "name/key". */
#include "shared.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

int unit_open_shared(lua_State *L);

static const char SHARED[] = "unit.shared";

enum { MAX_THREADS = 16 };

static struct shared *check_shared(lua_State *L)
{
    struct shared **shared = luaL_checkudata(L, 1, SHARED);
    luaL_argcheck(L, *shared != NULL, 1, "is freed");
    return *shared;
}

static struct shared_key check_key(lua_State *L)
{
    struct shared_key key;
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    const char *slash = memchr(text, '/', length);
    luaL_argcheck(L, slash != NULL, 2, "is no name/key");
    size_t name = (size_t)(slash - text);
    shared_key_set(&key, text, name, slash + 1, length - name - 1);
    return key;
}

static struct shared_value read_value(lua_State *L, int index)
{
    struct shared_value value = {.kind = SHARED_NOTHING};
    if (lua_isboolean(L, index)) {
        value.kind = SHARED_BOOLEAN;
        value.boolean = lua_toboolean(L, index);
    } else if (lua_isinteger(L, index)) {
        value.kind = SHARED_INTEGER;
        value.integer = lua_tointeger(L, index);
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        value.kind = SHARED_NUMBER;
        value.number = lua_tonumber(L, index);
    } else {
        value.kind = SHARED_TEXT;
        value.text.bytes = luaL_checklstring(L, index, &value.text.length);
    }
    return value;
}

static int push_value(lua_State *L, const struct shared_value *value)
{
    if (value->kind == SHARED_NOTHING)
        lua_pushnil(L);
    else if (value->kind == SHARED_BOOLEAN)
        lua_pushboolean(L, value->boolean);
    else if (value->kind == SHARED_INTEGER)
        lua_pushinteger(L, value->integer);
    else if (value->kind == SHARED_NUMBER)
        lua_pushnumber(L, value->number);
    else
        lua_pushlstring(L, value->text.bytes, value->text.length);
    return 1;
}

static int64_t integer_field(lua_State *L, int index, const char *name)
{
    if (!lua_istable(L, index))
        return 0;
    lua_getfield(L, index, name);
    int64_t integer = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return integer;
}

/* {now, ttl, evict} */
static struct shared_write read_write(lua_State *L, int index)
{
    return (struct shared_write){.now_ms = integer_field(L, index, "now"),
                                 .ttl_ms = integer_field(L, index, "ttl"),
                                 .may_evict = integer_field(L, index, "evict") != 0};
}

static int push_result(lua_State *L, enum shared_result result)
{
    static const char *const names[] = {[SHARED_DONE] = "done",
                                        [SHARED_PRESENT] = "present",
                                        [SHARED_FULL] = "full",
                                        [SHARED_NO_NUMBER] = "no number",
                                        [SHARED_OVERFLOW] = "overflow"};
    lua_pushstring(L, names[result]);
    return 1;
}

/* new(limit_bytes) */
static int l_new(lua_State *L)
{
    struct shared **shared = lua_newuserdatauv(L, sizeof *shared, 0);
    *shared = shared_new(luaL_checkinteger(L, 1));
    luaL_setmetatable(L, SHARED);
    return 1;
}

static int l_free(lua_State *L)
{
    shared_free(luaL_checkudata(L, 1, SHARED));
    return 0;
}

static int l_set_limit(lua_State *L)
{
    shared_set_limit(check_shared(L), luaL_checkinteger(L, 2));
    return 0;
}

/* get(key [, now]) */
static int l_get(lua_State *L)
{
    struct shared_key key = check_key(L);
    struct buffer text;
    buffer_init(&text);
    struct shared_value value = shared_get(check_shared(L), &key, luaL_optinteger(L, 3, 0), &text);
    push_value(L, &value);
    buffer_destroy(&text);
    return 1;
}

/* set(key, value [, write]) */
static int l_set(lua_State *L)
{
    struct shared_key key = check_key(L);
    struct shared_value value = read_value(L, 3);
    struct shared_write write = read_write(L, 4);
    return push_result(L, shared_set(check_shared(L), &key, &value, &write));
}

static int l_add(lua_State *L)
{
    struct shared_key key = check_key(L);
    struct shared_value value = read_value(L, 3);
    struct shared_write write = read_write(L, 4);
    return push_result(L, shared_add(check_shared(L), &key, &value, &write));
}

/* incr(key, by, start [, write]): the sum, or nil and why */
static int l_incr(lua_State *L)
{
    struct shared_key key = check_key(L);
    struct shared_value by = read_value(L, 3);
    struct shared_value start = read_value(L, 4);
    struct shared_write write = read_write(L, 5);
    struct shared_value sum;
    enum shared_result result = shared_add_number(check_shared(L), &key, &by, &start, &write, &sum);
    if (result == SHARED_DONE)
        return push_value(L, &sum);
    lua_pushnil(L);
    return 1 + push_result(L, result);
}

static int l_delete(lua_State *L)
{
    struct shared_key key = check_key(L);
    lua_pushboolean(L, shared_delete(check_shared(L), &key, luaL_optinteger(L, 3, 0)));
    return 1;
}

static int l_clear(lua_State *L)
{
    shared_clear(check_shared(L));
    return 0;
}

static int l_counts(lua_State *L)
{
    const struct shared_counts counts = shared_counts(check_shared(L));
    lua_newtable(L);
    lua_pushinteger(L, counts.keys);
    lua_setfield(L, -2, "keys");
    lua_pushinteger(L, counts.bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, counts.limit_bytes);
    lua_setfield(L, -2, "limit");
    lua_pushinteger(L, counts.evicted);
    lua_setfield(L, -2, "evicted");
    lua_pushinteger(L, counts.refused);
    lua_setfield(L, -2, "refused");
    return 1;
}

/* --- a play with threads --- */

struct player {
    struct shared *shared;
    pthread_t thread;
    int number;
    int rounds;
    int broken; /* texts that were not whole */
};

/* Everybody counts in the same few keys, and everybody writes and reads the same texts, of which
 * not all have room. */
static void play_round(struct player *player, int round, struct buffer *text)
{
    const struct shared_value one = {.kind = SHARED_INTEGER, .integer = 1};
    const struct shared_value zero = {.kind = SHARED_INTEGER};
    const struct shared_write write = {.now_ms = round};
    const struct shared_write cached = {
        .now_ms = round, .ttl_ms = round % 3 * 500, .may_evict = true};
    struct shared_key key;
    struct shared_value sum;
    char name[32];
    snprintf(name, sizeof name, "%d", round % 5);
    shared_key_set(&key, "sum", 3, name, strlen(name));
    if (shared_add_number(player->shared, &key, &one, &zero, &write, &sum) != SHARED_DONE)
        player->broken++;

    char bytes[200];
    size_t length = 20 + (size_t)((round * 31 + player->number * 17) % 180);
    memset(bytes, 'a' + (round + player->number) % 26, length);
    const struct shared_value value = {.kind = SHARED_TEXT, .text = {bytes, length}};
    snprintf(name, sizeof name, "%d", (round * 7 + player->number) % 300);
    shared_key_set(&key, "text", 4, name, strlen(name));
    if (shared_set(player->shared, &key, &value, &cached) != SHARED_DONE)
        player->broken++;
    struct shared_value read = shared_get(player->shared, &key, round, text);
    for (size_t i = 1; read.kind == SHARED_TEXT && i < read.text.length; i++)
        player->broken += read.text.bytes[i] != read.text.bytes[0];
    if (round % 11 == 0)
        shared_delete(player->shared, &key, round);
}

static void *play(void *context)
{
    struct player *player = context;
    struct buffer text;
    buffer_init(&text);
    for (int i = 0; i < player->rounds; i++)
        play_round(player, i, &text);
    buffer_destroy(&text);
    return NULL;
}

/* play(threads, rounds): how many texts or writes were not as they should be */
static int l_play(lua_State *L)
{
    struct player players[MAX_THREADS];
    lua_Integer count = luaL_checkinteger(L, 2);
    luaL_argcheck(L, count <= MAX_THREADS, 2, "too many");
    for (int i = 0; i < (int)count; i++) {
        players[i] = (struct player){
            .shared = check_shared(L), .number = i, .rounds = (int)luaL_checkinteger(L, 3)};
        pthread_create(&players[i].thread, NULL, play, &players[i]);
    }
    lua_Integer broken = 0;
    for (int i = 0; i < (int)count; i++) {
        pthread_join(players[i].thread, NULL);
        broken += players[i].broken;
    }
    lua_pushinteger(L, broken);
    return 1;
}

int unit_open_shared(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"free", l_free},     {"set_limit", l_set_limit}, {"get", l_get},       {"set", l_set},
        {"add", l_add},       {"incr", l_incr},           {"delete", l_delete}, {"clear", l_clear},
        {"counts", l_counts}, {"play", l_play},           {NULL, NULL}};
    luaL_newmetatable(L, SHARED);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_free);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushcfunction(L, l_new);
    lua_setfield(L, -2, "new");
    return 1;
}
