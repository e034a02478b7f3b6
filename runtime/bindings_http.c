/* lagoon.http.request: the handler waits for an answer of a server, its worker takes another record
 * meanwhile. */
#include "bindings_http_internal.h"

#include <assert.h>
#include <lauxlib.h>

#include "error.h"

enum { DEFAULT_TIMEOUT_MS = 30000 };

static const char EXCHANGE_CLASS[] = "lagoon.http.exchange";

/* Also where the handler ends before there is one. */
static int on_release(lua_State *L)
{
    struct http_exchange **exchange = luaL_checkudata(L, 1, EXCHANGE_CLASS);
    http_release(exchange);
    return 0;
}

static void push_exchange_class(lua_State *L)
{
    if (!luaL_newmetatable(L, EXCHANGE_CLASS))
        return;
    lua_pushcfunction(L, on_release);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, on_release);
    lua_setfield(L, -2, "__close");
}

static void push_answer_headers(lua_State *L, const struct http_exchange *exchange)
{
    size_t position = 0;
    struct http_header header;
    http_headers_push(L);
    while (http_next_header(exchange, &position, &header)) {
        lua_pushlstring(L, header.name, header.name_length);
        lua_pushlstring(L, header.value, header.value_length);
        http_headers_add(L);
    }
}

/* is_whole: the handler has no time left behind the request's. */
static int after_request(lua_State *L, int status, lua_KContext is_whole)
{
    (void)status;
    const struct call *call = bindings_of(L)->current;
    const struct http_exchange *exchange =
        *(struct http_exchange **)lua_touserdata(L, ARG_EXCHANGE);
    bindings_check_interrupt(L);
    assert(http_is_over(exchange)); /* only a stop wakes it before */
    const char *reason = http_reason(exchange);
    if (reason != NULL && is_whole && clock_monotonic_ms() >= call->deadline_ms)
        return luaL_error(L, "%s", bindings_push_timeout(L));
    if (reason != NULL) {
        lua_pushnil(L);
        lua_pushstring(L, reason);
        return 2;
    }
    size_t length;
    const char *body = http_body(exchange, &length);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, http_status(exchange));
    lua_setfield(L, -2, "status");
    push_answer_headers(L, exchange);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, body, length);
    lua_setfield(L, -2, "body");
    return 1;
}

/* Never past the end of the handler's time; true when that is what ends it. */
static bool limit_timeout(const struct call *call, struct http_request *request)
{
    int64_t left_ms = call->deadline_ms;
    if (left_ms < INT64_MAX)
        left_ms -= clock_monotonic_ms();
    bool is_whole =
        left_ms < INT64_MAX && (request->timeout_ms == 0 || request->timeout_ms > left_ms);
    if (is_whole)
        request->timeout_ms = left_ms > 0 ? left_ms : 1;
    else if (request->timeout_ms == 0)
        request->timeout_ms = DEFAULT_TIMEOUT_MS;
    return is_whole;
}

/* lagoon.http.request{method, url, headers, body, timeout, max_body}: {status, headers, body}, or
 * nil and why there is no answer. */
static int on_request(lua_State *L)
{
    struct http_request request = {0};
    struct error err;
    if (!lua_istable(L, ARG_REQUEST))
        return luaL_error(L, "lagoon.http.request: takes a table such as {url = ...}, got %s",
                          luaL_typename(L, ARG_REQUEST));
    lua_settop(L, ARG_REQUEST);
    struct call *call = bindings_waitable_call(L, "lagoon.http.request");
    struct http_exchange **exchange = lua_newuserdatauv(L, sizeof *exchange, 0);
    *exchange = NULL;
    push_exchange_class(L);
    lua_setmetatable(L, ARG_EXCHANGE);
    http_read_request(L, &request);
    bool is_whole = limit_timeout(call, &request);
    if (bindings_of(L)->host->is_test)
        return http_ask_test(L, &request);
    *exchange = http_begin(&request, call->inbox, call_next_ticket(call), &err);
    if (*exchange == NULL) {
        lua_pushnil(L);
        lua_pushstring(L, err.text);
        return 2;
    }
    lua_settop(L, ARG_EXCHANGE);
    lua_toclose(L, ARG_EXCHANGE);
    call->wait = CALL_WAITS_TICKET;
    return lua_yieldk(L, 0, is_whole, after_request);
}

void bindings_push_http(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, on_request);
    lua_setfield(L, -2, "request");
}
