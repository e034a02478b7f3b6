#include "bindings.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "units.h"
#include "watchdog.h"

struct bindings *bindings_new(lua_State *L, const struct bindings_host *host,
                              const struct consumer_config *consumer)
{
    struct bindings *bindings = xcalloc(1, sizeof *bindings);
    bindings->host = host;
    bindings->consumer = consumer;
    buffer_init(&bindings->text);
    buffer_init(&bindings->log_text);
    buffer_init(&bindings->shared_text);
    bindings_attach(L, bindings);
    return bindings;
}

void bindings_free(struct bindings **bindings_owned)
{
    struct bindings *bindings = *bindings_owned;
    *bindings_owned = NULL;
    if (bindings == NULL)
        return;
    buffer_destroy(&bindings->text);
    buffer_destroy(&bindings->log_text);
    buffer_destroy(&bindings->shared_text);
    free(bindings->headers);
    free(bindings);
}

bool bindings_can_yield(lua_State *L)
{
    return lua_isyieldable(L) && bindings_of(L)->barriers == 0;
}

const char *bindings_idle_place(const struct bindings *bindings)
{
    if (bindings->is_in_hook)
        return "in on_load or on_unload";
    return bindings->loading > 0 || bindings->current == NULL ? "at the top of a file" : NULL;
}

struct call *bindings_waitable_call(lua_State *L, const char *what)
{
    struct bindings *bindings = bindings_of(L);
    struct call *call = bindings->current;
    const char *place = bindings_idle_place(bindings);
    if (place != NULL)
        luaL_error(L, "%s: cannot wait %s, only in a handler", what, place);
    bindings_check_interrupt(L);
    if (call->deadline_ms < INT64_MAX && clock_monotonic_ms() >= call->deadline_ms)
        luaL_error(L, "%s", bindings_push_timeout(L));
    if (!bindings_can_yield(L))
        luaL_error(L, "%s: cannot wait here (inside table.sort, string.gsub, tostring or require)",
                   what);
    return call;
}

int64_t bindings_check_duration(lua_State *L, int index, const char *what)
{
    struct error err;
    int64_t duration_ms = 0;
    int rc;
    if (lua_type(L, index) == LUA_TSTRING)
        rc = duration_parse(lua_tostring(L, index), &duration_ms, &err);
    else if (lua_type(L, index) == LUA_TNUMBER)
        rc = duration_from_seconds(lua_tonumber(L, index), &duration_ms, &err);
    else
        return luaL_error(L, "%s: must be seconds or text such as \"250ms\", got %s", what,
                          luaL_typename(L, index));
    if (rc != 0)
        luaL_error(L, "%s: %s", what, err.text);
    return duration_ms;
}

void bindings_note_fault(lua_State *L, enum fault fault)
{
    struct call *call = bindings_of(L)->current;
    if (call != NULL)
        call->fault = fault;
}

const char *bindings_push_timeout(lua_State *L)
{
    bindings_note_fault(L, FAULT_TIMEOUT);
    return lua_pushfstring(L, "ended: it ran longer than %f s (handler_timeout)",
                           (lua_Number)bindings_of(L)->consumer->handler_timeout_ms / 1000);
}

void bindings_wait_for_broker(struct call *call)
{
    call->wait = CALL_WAITS_TICKET;
    call->wait_began_ms = clock_monotonic_ms();
}

void bindings_end_broker_wait(struct call *call)
{
    if (call->deadline_ms < INT64_MAX)
        call->deadline_ms += clock_monotonic_ms() - call->wait_began_ms;
}

/* Meanwhile no deadline ends the stretch. */
void bindings_block_for_broker(struct call *call)
{
    struct watch *watch = watch_mine();
    call->wait_began_ms = clock_monotonic_ms();
    if (watch != NULL)
        watch_put_off(watch, INT64_MAX);
}

void bindings_end_broker_block(struct call *call)
{
    struct watch *watch = watch_mine();
    bindings_end_broker_wait(call);
    if (watch != NULL)
        watch_put_off(watch, call->deadline_ms);
}

void bindings_push_path(lua_State *L, int index, const char *path)
{
    lua_pushvalue(L, index);
    while (*path != '\0') {
        size_t length = strcspn(path, ".");
        if (!lua_istable(L, -1)) {
            lua_pushnil(L);
        } else {
            lua_pushlstring(L, path, length);
            lua_rawget(L, -2);
        }
        lua_remove(L, -2);
        path += length + (path[length] == '.');
    }
}

int bindings_uuid(lua_State *L)
{
    char text[UUID_BYTES];
    uuid_make(text);
    lua_pushlstring(L, text, UUID_BYTES - 1);
    return 1;
}
