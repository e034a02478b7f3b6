/* The module `lagoon` put together, with the functions that need nothing but the clock and the
 * environment. */
#include "bindings.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { MAX_SECRET_BYTES = 64 * 1024 };

static int after_sleep(lua_State *L, int status, lua_KContext is_in_time)
{
    (void)status;
    bindings_check_interrupt(L);
    if (is_in_time)
        return 0;
    return luaL_error(L, "%s", bindings_push_timeout(L));
}

/* lagoon.sleep(duration): the handler waits, its worker takes another record meanwhile. */
static int on_sleep(lua_State *L)
{
    int64_t duration_ms = bindings_check_duration(L, 1, "lagoon.sleep");
    struct call *call = bindings_waitable_call(L, "lagoon.sleep");
    int64_t wake_at_ms = clock_monotonic_ms() + duration_ms;
    bool is_in_time = wake_at_ms <= call->deadline_ms;
    call->wait = CALL_WAITS_TIME;
    call->wake_at_ms = is_in_time ? wake_at_ms : call->deadline_ms;
    return lua_yieldk(L, 0, is_in_time, after_sleep);
}

/* lagoon.now(): milliseconds since 1970. */
static int on_now(lua_State *L)
{
    const struct recorder *recorder = bindings_of(L)->host->recorder;
    lua_pushinteger(L, clock_wall_ms() + (recorder != NULL ? recorder->slept_ms : 0));
    return 1;
}

/* lagoon.env(name [, default]): the default's type decides what the text is turned into. */
static int on_env(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *value = getenv(name);
    bool has_value = value != NULL && *value != '\0';
    if (lua_isnoneornil(L, 2)) {
        if (!has_value)
            return luaL_error(L, "lagoon.env: the environment variable %s is not set", name);
        lua_pushstring(L, value);
        return 1;
    }
    lua_settop(L, 2);
    if (!has_value || lua_type(L, 2) == LUA_TSTRING) {
        if (has_value)
            lua_pushstring(L, value);
        return 1;
    }
    if (lua_type(L, 2) == LUA_TNUMBER && lua_stringtonumber(L, value) != 0)
        return 1;
    if (lua_type(L, 2) == LUA_TBOOLEAN &&
        (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
        lua_pushboolean(L, strcmp(value, "true") == 0);
        return 1;
    }
    return luaL_error(L, "lagoon.env: %s must be a %s, like its default", name,
                      luaL_typename(L, 2));
}

/* Pushes the file's content without one trailing newline. */
static int push_secret_file(lua_State *L, const char *name, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return luaL_error(L, "lagoon.secret: %s_FILE names %s, which cannot be read", name, path);
    char text[MAX_SECRET_BYTES + 1];
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (length > MAX_SECRET_BYTES)
        return luaL_error(L, "lagoon.secret: %s, which %s_FILE names, is longer than %d bytes",
                          path, name, MAX_SECRET_BYTES);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    lua_pushlstring(L, text, length);
    return 1;
}

/* lagoon.secret(name): the variable, or the content of the file that NAME_FILE names. */
static int on_secret(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *value = getenv(name);
    lua_pushfstring(L, "%s_FILE", name);
    const char *path = getenv(lua_tostring(L, -1));
    bool has_value = value != NULL && *value != '\0';
    bool has_path = path != NULL && *path != '\0';
    if (has_value && has_path)
        return luaL_error(L, "lagoon.secret: both %s and %s_FILE are set, only one may be", name,
                          name);
    if (has_value) {
        lua_pushstring(L, value);
        return 1;
    }
    if (!has_path)
        return luaL_error(L, "lagoon.secret: neither %s nor %s_FILE is set", name, name);
    return push_secret_file(L, name, path);
}

static int open_lagoon(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"sleep", on_sleep},   {"now", on_now},         {"env", on_env},
        {"secret", on_secret}, {"uuid", bindings_uuid}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    bindings_push_producer(L);
    lua_setfield(L, -2, "producer");
    bindings_push_shared(L);
    lua_setfield(L, -2, "shared");
    bindings_set_requests(L);
    bindings_push_log(L);
    lua_setfield(L, -2, "log");
    json_open_library(L);
    lua_setfield(L, -2, "json");
    bindings_push_http(L);
    lua_setfield(L, -2, "http");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}

/* What would end the process or change it for all threads. */
static int on_forbidden(lua_State *L)
{
    return luaL_error(L, "%s is not available: it would affect the whole process",
                      lua_tostring(L, lua_upvalueindex(1)));
}

static void forbid(lua_State *L, const char *name)
{
    lua_getglobal(L, "os");
    lua_pushfstring(L, "os.%s", name);
    lua_pushcclosure(L, on_forbidden, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void bindings_open(lua_State *L)
{
    json_open(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_lagoon);
    lua_setfield(L, -2, "lagoon");
    lua_pop(L, 1);
    bindings_open_print(L);
    bindings_open_coroutine(L);
    bindings_open_guard(L);
    forbid(L, "exit");
    forbid(L, "setlocale");
}
