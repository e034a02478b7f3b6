/* lagoon.shared: stores of values that all states of the process have in common. */
#include "bindings.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "recorder.h"
#include "shared.h"
#include "units.h"
#include "words.h"

static const char CLASS[] = "lagoon.shared";

enum { KEEP_BYTES = 8 * 1024 }; /* of the buffer that texts are read into */

/* What lagoon.shared gives: the values are with the process, here is only how to find them. */
struct store {
    bool may_evict;
    size_t length;
    char name[SHARED_MAX_NAME_BYTES + 1];
};

/* Where the arguments of all methods are. */
enum { ARG_STORE = 1, ARG_KEY, ARG_VALUE, ARG_OPTIONS };

/* --- arguments --- */

/* Raises "lagoon.shared 'counters': set: ...". */
static int refuse(lua_State *L, const struct store *store, const char *method, const char *text)
{
    return luaL_error(L, "lagoon.shared '%s': %s: %s", store->name, method, text);
}

static struct store *check_store(lua_State *L, const char *method)
{
    struct store *store = luaL_testudata(L, ARG_STORE, CLASS);
    if (store == NULL)
        luaL_error(L, "lagoon.shared: %s is called with a colon: store:%s(...)", method, method);
    return store;
}

static void check_key(lua_State *L, const struct store *store, const char *method,
                      struct shared_key *key)
{
    size_t length;
    if (lua_type(L, ARG_KEY) != LUA_TSTRING && !lua_isinteger(L, ARG_KEY)) {
        const char *got = lua_type(L, ARG_KEY) == LUA_TNUMBER ? luaL_tolstring(L, ARG_KEY, NULL)
                                                              : luaL_typename(L, ARG_KEY);
        refuse(L, store, method,
               lua_pushfstring(L, "the key must be a string or an integer, got %s", got));
    }
    const char *bytes = luaL_tolstring(L, ARG_KEY, &length);
    if (length > SHARED_MAX_KEY_BYTES)
        refuse(L, store, method,
               lua_pushfstring(L, "the key has %I bytes, at most %d are possible",
                               (lua_Integer)length, SHARED_MAX_KEY_BYTES));
    shared_key_set(key, store->name, store->length, bytes, length);
    lua_pop(L, 1);
}

/* The value at ARG_VALUE; a text is borrowed from there. */
static struct shared_value check_value(lua_State *L, const struct store *store, const char *method)
{
    struct shared_value value = {.kind = SHARED_NOTHING};
    switch (lua_type(L, ARG_VALUE)) {
    case LUA_TBOOLEAN:
        value.kind = SHARED_BOOLEAN;
        value.boolean = lua_toboolean(L, ARG_VALUE);
        return value;
    case LUA_TNUMBER:
        value.kind = lua_isinteger(L, ARG_VALUE) ? SHARED_INTEGER : SHARED_NUMBER;
        if (value.kind == SHARED_INTEGER)
            value.integer = lua_tointeger(L, ARG_VALUE);
        else
            value.number = lua_tonumber(L, ARG_VALUE);
        return value;
    case LUA_TSTRING:
        value.kind = SHARED_TEXT;
        value.text.bytes = lua_tolstring(L, ARG_VALUE, &value.text.length);
        if (value.text.length > SHARED_MAX_TEXT_BYTES)
            refuse(L, store, method,
                   lua_pushfstring(L, "the value has %I bytes, at most %d are possible",
                                   (lua_Integer)value.text.length, SHARED_MAX_TEXT_BYTES));
        return value;
    case LUA_TTABLE:
        refuse(L, store, method,
               "a table is no plain value: store its fields under keys of their own, or the text "
               "that lagoon.json.encode makes of it");
        break;
    default:
        refuse(L, store, method,
               lua_pushfstring(L, "the value must be a string, a number or a boolean, got %s",
                               luaL_typename(L, ARG_VALUE)));
    }
    return value;
}

/* A finite number at `index`. */
static struct shared_value check_number(lua_State *L, int index, const struct store *store,
                                        const char *what)
{
    struct shared_value value = {.kind = SHARED_NUMBER, .number = lua_tonumber(L, index)};
    if (lua_type(L, index) != LUA_TNUMBER)
        refuse(L, store, "incr",
               lua_pushfstring(L, "%s must be a number, got %s", what, luaL_typename(L, index)));
    if (!isfinite(value.number))
        refuse(L, store, "incr",
               lua_pushfstring(L, "%s must be a finite number, got %f", what, value.number));
    if (lua_isinteger(L, index)) {
        value.kind = SHARED_INTEGER;
        value.integer = lua_tointeger(L, index);
    }
    return value;
}

/* There is a table of options, and it has these only, which are separated by spaces. */
static bool check_options(lua_State *L, const struct store *store, const char *method,
                          const char *names)
{
    if (lua_isnoneornil(L, ARG_OPTIONS))
        return false;
    if (!lua_istable(L, ARG_OPTIONS))
        refuse(
            L, store, method,
            lua_pushfstring(L, "options must be a table, got %s", luaL_typename(L, ARG_OPTIONS)));
    lua_pushnil(L);
    while (lua_next(L, ARG_OPTIONS) != 0) {
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (!words_have(names, name))
            refuse(L, store, method,
                   lua_pushfstring(L, "unknown option '%s': there are: %s",
                                   luaL_tolstring(L, -1, NULL), names));
    }
    return true;
}

/* Where a test's handlers sleep without waiting, time has passed as if they had waited. */
static int64_t now_ms(lua_State *L)
{
    const struct recorder *recorder = bindings_of(L)->host->recorder;
    return clock_coarse_ms() + (recorder != NULL ? recorder->slept_ms : 0);
}

static struct shared_write check_write(lua_State *L, const struct store *store, const char *method,
                                       const char *names)
{
    struct shared_write write = {.now_ms = now_ms(L), .may_evict = store->may_evict};
    if (!check_options(L, store, method, names))
        return write;
    if (lua_getfield(L, ARG_OPTIONS, "ttl") != LUA_TNIL) {
        const char *what = lua_pushfstring(L, "lagoon.shared '%s': %s: ttl", store->name, method);
        write.ttl_ms = bindings_check_duration(L, -2, what);
        if (write.ttl_ms == 0)
            refuse(L, store, method, "ttl must be longer than nothing");
    }
    lua_settop(L, ARG_OPTIONS);
    return write;
}

/* --- what comes of it --- */

static struct shared *shared_of(lua_State *L)
{
    return bindings_of(L)->host->shared;
}

static void push_value(lua_State *L, const struct shared_value *value)
{
    switch (value->kind) {
    case SHARED_NOTHING:
        lua_pushnil(L);
        break;
    case SHARED_BOOLEAN:
        lua_pushboolean(L, value->boolean);
        break;
    case SHARED_INTEGER:
        lua_pushinteger(L, value->integer);
        break;
    case SHARED_NUMBER:
        lua_pushnumber(L, value->number);
        break;
    case SHARED_TEXT:
        lua_pushlstring(L, value->text.bytes, value->text.length);
        break;
    }
}

/* Raises for what is no success; false: there was a value already. */
static bool check_result(lua_State *L, const struct store *store, const char *method,
                         enum shared_result result)
{
    char size[SIZE_TEXT_BYTES];
    switch (result) {
    case SHARED_DONE:
        return true;
    case SHARED_PRESENT:
        return false;
    case SHARED_FULL:
        size_say(shared_counts(shared_of(L)).limit_bytes, size);
        refuse(L, store, method,
               lua_pushfstring(L,
                               "no room: what is shared takes %s (shared.memory_limit); write with "
                               "a ttl, delete what is done with, or open what may be lost with "
                               "{evict = true}",
                               size));
        break;
    case SHARED_NO_NUMBER:
        refuse(L, store, method, "what is stored under the key is no number");
        break;
    case SHARED_OVERFLOW:
        refuse(L, store, method, "the sum is larger than an integer can be");
        break;
    }
    return false;
}

/* --- methods --- */

/* store:get(key): the value, or nil. */
static int on_get(lua_State *L)
{
    struct shared_key key;
    const struct store *store = check_store(L, "get");
    struct buffer *text = &bindings_of(L)->shared_text;
    check_key(L, store, "get", &key);
    buffer_clear(text, KEEP_BYTES);
    struct shared_value value = shared_get(shared_of(L), &key, now_ms(L), text);
    push_value(L, &value);
    return 1;
}

/* store:set(key, value [, {ttl}]); nil deletes. */
static int on_set(lua_State *L)
{
    struct shared_key key;
    lua_settop(L, ARG_OPTIONS);
    const struct store *store = check_store(L, "set");
    check_key(L, store, "set", &key);
    const struct shared_write write = check_write(L, store, "set", "ttl");
    if (lua_isnil(L, ARG_VALUE)) {
        shared_delete(shared_of(L), &key, write.now_ms);
        return 0;
    }
    struct shared_value value = check_value(L, store, "set");
    check_result(L, store, "set", shared_set(shared_of(L), &key, &value, &write));
    return 0;
}

/* store:add(key, value [, {ttl}]): true; false where there is a value already, which stays. */
static int on_add(lua_State *L)
{
    struct shared_key key;
    lua_settop(L, ARG_OPTIONS);
    const struct store *store = check_store(L, "add");
    check_key(L, store, "add", &key);
    const struct shared_write write = check_write(L, store, "add", "ttl");
    struct shared_value value = check_value(L, store, "add");
    enum shared_result result = shared_add(shared_of(L), &key, &value, &write);
    lua_pushboolean(L, check_result(L, store, "add", result));
    return 1;
}

/* store:incr(key [, by [, {ttl, init}]]): the sum. */
static int on_incr(lua_State *L)
{
    struct shared_key key;
    lua_settop(L, ARG_OPTIONS);
    const struct store *store = check_store(L, "incr");
    check_key(L, store, "incr", &key);
    const struct shared_write write = check_write(L, store, "incr", "ttl init");
    struct shared_value by = {.kind = SHARED_INTEGER, .integer = 1};
    struct shared_value start = {.kind = SHARED_INTEGER};
    if (!lua_isnil(L, ARG_VALUE))
        by = check_number(L, ARG_VALUE, store, "what is added");
    if (lua_istable(L, ARG_OPTIONS) && lua_getfield(L, ARG_OPTIONS, "init") != LUA_TNIL)
        start = check_number(L, -1, store, "init");
    struct shared_value sum;
    enum shared_result result = shared_add_number(shared_of(L), &key, &by, &start, &write, &sum);
    check_result(L, store, "incr", result);
    push_value(L, &sum);
    return 1;
}

/* store:delete(key): whether there was a value. */
static int on_delete(lua_State *L)
{
    struct shared_key key;
    const struct store *store = check_store(L, "delete");
    check_key(L, store, "delete", &key);
    lua_pushboolean(L, shared_delete(shared_of(L), &key, now_ms(L)));
    return 1;
}

/* --- stores --- */

/* The text of `index`, a name. */
static void check_name(lua_State *L, struct store *store)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        luaL_error(L, "lagoon.shared: the name must be a string, got %s", luaL_typename(L, 1));
    const char *name = lua_tolstring(L, 1, &store->length);
    if (store->length == 0 || store->length > SHARED_MAX_NAME_BYTES)
        luaL_error(L, "lagoon.shared: a name has 1 to %d bytes", SHARED_MAX_NAME_BYTES);
    if (strlen(name) != store->length)
        luaL_error(L, "lagoon.shared: the name must not contain a zero byte");
    memcpy(store->name, name, store->length + 1);
}

static bool check_evict(lua_State *L)
{
    if (lua_isnoneornil(L, 2))
        return false;
    if (!lua_istable(L, 2))
        luaL_error(L, "lagoon.shared: options must be a table, got %s", luaL_typename(L, 2));
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        if (strcmp(luaL_tolstring(L, -1, NULL), "evict") != 0)
            luaL_error(L, "lagoon.shared: unknown option '%s': there is evict",
                       lua_tostring(L, -1));
        lua_pop(L, 2);
    }
    int kind = lua_getfield(L, 2, "evict");
    if (kind != LUA_TNIL && kind != LUA_TBOOLEAN)
        luaL_error(L, "lagoon.shared: evict must be true or false");
    return lua_toboolean(L, -1);
}

/* lagoon.shared(name [, {evict}]): legal everywhere, and the same values each time. */
static int on_shared(lua_State *L)
{
    struct store given;
    lua_settop(L, 2);
    check_name(L, &given);
    given.may_evict = check_evict(L);
    struct store *store = lua_newuserdatauv(L, sizeof *store, 0);
    *store = given;
    luaL_setmetatable(L, CLASS);
    return 1;
}

static int on_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TFUNCTION)
        return 1;
    return luaL_error(L, "lagoon.shared has no method '%s': there are get, set, add, incr, delete",
                      luaL_tolstring(L, 2, NULL));
}

void bindings_push_shared(lua_State *L)
{
    static const luaL_Reg methods[] = {{"get", on_get},   {"set", on_set},       {"add", on_add},
                                       {"incr", on_incr}, {"delete", on_delete}, {NULL, NULL}};
    if (luaL_newmetatable(L, CLASS)) {
        luaL_newlib(L, methods);
        lua_pushcclosure(L, on_index, 1);
        lua_setfield(L, -2, "__index");
        lua_pushstring(L, CLASS);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
    lua_pushcfunction(L, on_shared);
}
