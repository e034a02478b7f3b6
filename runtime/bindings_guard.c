/* What ends a script that runs too long, whatever it does to go on: an armed coroutine raises at
 * its next instruction, and at every one after it until its call has ended. */
#include "bindings.h"

#include <lauxlib.h>

#include "watchdog.h"

/* --- ending --- */

static const char *describe(lua_State *L, enum watch_reason reason)
{
    const struct consumer_config *consumer = bindings_of(L)->consumer;
    switch (reason) {
    case WATCH_CPU:
        return lua_pushfstring(L, "ended: it used %f s of CPU time without a wait (cpu_limit)",
                               (lua_Number)consumer->cpu_limit_ms / 1000);
    case WATCH_TIME:
        return bindings_push_timeout(L);
    default:
        return lua_pushliteral(L, "ended: the process stops");
    }
}

/* Where the script stands: C functions such as pcall have no lines. */
static void push_where(lua_State *L)
{
    lua_Debug where;
    for (int level = 0; lua_getstack(L, level, &where) == 1; level++) {
        lua_getinfo(L, "l", &where);
        if (where.currentline > 0) {
            luaL_where(L, level);
            return;
        }
    }
    lua_pushliteral(L, "");
}

/* A hook. A coroutine may keep it from a call that is over: then it takes it off. */
static void on_instruction(lua_State *L, lua_Debug *event)
{
    (void)event;
    const struct watch *watch = watch_mine();
    if (watch == NULL || watch_reason(watch) == WATCH_NONE) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    push_where(L);
    describe(L, watch_reason(watch));
    lua_concat(L, 2);
    lua_error(L);
}

void bindings_arm(void *thread)
{
    lua_sethook(thread, on_instruction, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
                1);
}

/* What is asked to end meanwhile is armed, before or after. */
void bindings_run(lua_State *L)
{
    struct watch *watch = watch_mine();
    if (watch == NULL)
        return;
    watch_run(watch, L);
    if (watch_reason(watch) != WATCH_NONE)
        bindings_arm(L);
}

/* --- xpcall --- */

/* In front of a message handler, where no hook can end it: upvalue 1. */
static int on_message(lua_State *L)
{
    const struct watch *watch = watch_mine();
    if (watch != NULL && watch_reason(watch) != WATCH_NONE)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int after_xpcall(lua_State *L, int status, lua_KContext below)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)below;
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* xpcall(f, message_handler, ...) */
static int on_xpcall(lua_State *L)
{
    enum { FUNCTION = 1, HANDLER = 2, BELOW = 2 };
    luaL_checktype(L, HANDLER, LUA_TFUNCTION);
    int argument_count = lua_gettop(L) - BELOW;
    lua_pushvalue(L, HANDLER);
    lua_pushcclosure(L, on_message, 1);
    lua_replace(L, HANDLER);
    lua_pushboolean(L, 1); /* the first result, when all goes well */
    lua_pushvalue(L, FUNCTION);
    lua_rotate(L, BELOW + 1, 2);
    int status = lua_pcallk(L, argument_count, LUA_MULTRET, HANDLER, BELOW, after_xpcall);
    return after_xpcall(L, status, BELOW);
}

void bindings_open_guard(lua_State *L)
{
    lua_pushcfunction(L, on_xpcall);
    lua_setglobal(L, "xpcall");
}
