/* coroutine.resume and coroutine.wrap for scripts: what a handler waits for inside a coroutine of
 * its own passes through to its worker, and goes on there when it has come. */
#include "bindings.h"

#include <lauxlib.h>

#include "call.h"

/* In the registry: the coroutines that wait inside one of the runtime's functions, as keys. */
static const char WAITING[] = "lagoon.waiting";

enum way { RESUME, WRAP };

/* A coroutine that waits goes on when what it waits for is there, and not before. */
static void set_waiting(lua_State *L, lua_State *co, bool is_waiting)
{
    bindings_of(L)->waiting_coroutines += is_waiting ? 1 : -1;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, WAITING);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    lua_pushboolean(L, is_waiting);
    if (!is_waiting) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool is_waiting(lua_State *L, lua_State *co)
{
    if (bindings_of(L)->waiting_coroutines == 0)
        return false;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, WAITING);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    bool is_there = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return is_there;
}

/* Runs the coroutine until it ends, yields or waits; its results are on top of its stack. */
static int run(lua_State *L, lua_State *co, int argument_count, int *result_count)
{
    struct bindings *bindings = bindings_of(L);
    int is_barrier = !lua_isyieldable(L);
    bindings->barriers += is_barrier;
    bindings_run(co);
    int status = lua_resume(co, L, argument_count, result_count);
    bindings_run(L);
    bindings->barriers -= is_barrier;
    return status;
}

/* The error value on top of the coroutine's stack, where coroutine.wrap says it came from. */
static int raise_from_wrap(lua_State *L, lua_State *co, int status)
{
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD)
        status = lua_resetthread(co);
    lua_xmove(co, L, 1);
    if (status != LUA_ERRMEM && !bindings_is_interrupted(L) && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int give_results(lua_State *L, lua_State *co, int count, enum way way)
{
    if (!lua_checkstack(L, count + 1)) {
        lua_pop(co, count);
        if (way == WRAP)
            return luaL_error(L, "too many results to resume");
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "too many results to resume");
        return 2;
    }
    if (way == RESUME)
        lua_pushboolean(L, 1);
    lua_xmove(co, L, count);
    return way == RESUME ? count + 1 : count;
}

static lua_State *coroutine_of(lua_State *L, enum way way)
{
    return lua_tothread(L, way == WRAP ? lua_upvalueindex(1) : 1);
}

static int after_wait(lua_State *L, int status, lua_KContext way);

static int go_on(lua_State *L, enum way way, int argument_count)
{
    lua_State *co = coroutine_of(L, way);
    const struct call *call = bindings_of(L)->current;
    int count;
    int status = run(L, co, argument_count, &count);
    if (status == LUA_YIELD && call != NULL && call->wait != CALL_RUNS) {
        lua_pop(co, count);
        set_waiting(L, co, true);
        return lua_yieldk(L, 0, (lua_KContext)way, after_wait);
    }
    if (status == LUA_OK || status == LUA_YIELD)
        return give_results(L, co, count, way);
    if (status == LUA_ERRMEM)
        bindings_note_spoil(L, SPOIL_MEMORY);
    if (way == WRAP || bindings_is_interrupted(L))
        return raise_from_wrap(L, co, status);
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

static int after_wait(lua_State *L, int status, lua_KContext way)
{
    (void)status;
    set_waiting(L, coroutine_of(L, (enum way)way), false);
    return go_on(L, (enum way)way, 0);
}

/* Moves the arguments over; false, with the reason on the stack, when the coroutine cannot go on
 * now. */
static bool begin(lua_State *L, lua_State *co, int argument_count)
{
    if (is_waiting(L, co)) {
        lua_pushliteral(L, "cannot resume a coroutine that waits for the runtime");
        return false;
    }
    if (!lua_checkstack(co, argument_count)) {
        lua_pushliteral(L, "too many arguments to resume");
        return false;
    }
    lua_xmove(L, co, argument_count);
    return true;
}

static int on_resume(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_State *co = coroutine_of(L, RESUME);
    int count = lua_gettop(L) - 1;
    if (begin(L, co, count))
        return go_on(L, RESUME, count);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int on_wrapped(lua_State *L)
{
    lua_State *co = coroutine_of(L, WRAP);
    int count = lua_gettop(L);
    if (begin(L, co, count))
        return go_on(L, WRAP, count);
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

static int on_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, on_wrapped, 1);
    return 1;
}

void bindings_open_coroutine(lua_State *L)
{
    static const luaL_Reg functions[] = {{"resume", on_resume}, {"wrap", on_wrap}, {NULL, NULL}};
    lua_getglobal(L, "coroutine");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
