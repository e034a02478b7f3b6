/* lagoon.retry, skip and dead_letter: what a handler asks to become of its record. */
#include "bindings.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REASON_BYTES = 8 * 1024 };

/* The call of the handler that asks, from whichever coroutine. */
static struct call *asking_call(lua_State *L, const char *what)
{
    const struct bindings *bindings = bindings_of(L);
    if (bindings->loading > 0 || bindings->current == NULL || bindings->current->record == NULL)
        luaL_error(L, "%s: only in a handler", what);
    return bindings->current;
}

/* Notes the request, unless there is one already, and raises: the handler is over, and where it
 * catches that and goes on it makes no difference. */
static int ask(lua_State *L, struct call *call, struct call_request request)
{
    size_t length;
    const char *reason = luaL_tolstring(L, 1, &length);
    if (call->request.outcome == OUTCOME_NONE) {
        request.reason =
            xstrndup(reason, length < MAX_REASON_BYTES ? length : (size_t)MAX_REASON_BYTES);
        call->request = request;
    }
    return lua_error(L);
}

static void check_options(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        const char *name = luaL_tolstring(L, -1, NULL);
        if (strcmp(name, "after") != 0 && strcmp(name, "count") != 0)
            luaL_error(L, "lagoon.retry: unknown option '%s': there are after, count", name);
        lua_pop(L, 2);
    }
}

/* lagoon.retry(reason [, {after, count}]): the handler is to run again. */
static int on_retry(lua_State *L)
{
    struct call *call = asking_call(L, "lagoon.retry");
    struct call_request request = {.outcome = OUTCOME_FAILED, .retry_after_ms = -1};
    luaL_checkany(L, 1);
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        check_options(L);
        if (lua_getfield(L, 2, "after") != LUA_TNIL)
            request.retry_after_ms = bindings_check_duration(L, -1, "lagoon.retry: after");
        int kind = lua_getfield(L, 2, "count");
        if (kind != LUA_TNIL && kind != LUA_TBOOLEAN)
            return luaL_error(L, "lagoon.retry: count must be true or false");
        request.is_uncounted = kind == LUA_TBOOLEAN && !lua_toboolean(L, -1);
    }
    return ask(L, call, request);
}

/* lagoon.skip(reason): the record is done with, unhandled. */
static int on_skip(lua_State *L)
{
    struct call *call = asking_call(L, "lagoon.skip");
    luaL_checkany(L, 1);
    return ask(L, call, (struct call_request){.outcome = OUTCOME_SKIPPED, .retry_after_ms = -1});
}

/* lagoon.dead_letter(reason): the record is given up. */
static int on_dead_letter(lua_State *L)
{
    struct call *call = asking_call(L, "lagoon.dead_letter");
    luaL_checkany(L, 1);
    if (!bindings_of(L)->consumer->has_dead_letters)
        return luaL_error(L, "lagoon.dead_letter: `dead_letter` of consumer %s is false",
                          bindings_of(L)->consumer->name);
    return ask(L, call,
               (struct call_request){.outcome = OUTCOME_DEAD_LETTER, .retry_after_ms = -1});
}

void bindings_set_requests(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"retry", on_retry}, {"skip", on_skip}, {"dead_letter", on_dead_letter}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

void bindings_end_request(struct call *call)
{
    if (call->request.outcome == OUTCOME_NONE)
        return;
    free(call->failure);
    call->outcome = call->request.outcome;
    call->failure = call->request.reason;
    call->request.reason = NULL;
}
