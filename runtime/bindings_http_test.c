/* Requests of a test: they are not sent, a function of the test answers. */
#include "bindings_http_internal.h"

#include <lauxlib.h>

/* In the registry: what answers. */
static const char ANSWERER[] = "lagoon.http.answerer";

/* --- what the function gets --- */

static void push_request_headers(lua_State *L, const struct http_request *request)
{
    http_headers_push(L);
    for (size_t i = 0; i < request->header_count; i++) {
        lua_pushlstring(L, request->headers[i].name, request->headers[i].name_length);
        http_headers_lower_top(L);
        lua_pushlstring(L, request->headers[i].value, request->headers[i].value_length);
        http_headers_add(L);
    }
}

/* --- what it returns --- */

/* headers of the table at `answer`, of any spelling. */
static void push_test_headers(lua_State *L, int answer)
{
    http_headers_push(L);
    int headers = lua_gettop(L);
    if (lua_getfield(L, answer, "headers") == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, headers + 1) != 0) {
            if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
                luaL_error(L, "testing.http: the answer's headers must map names to text");
            lua_pushvalue(L, -2);
            http_headers_lower_top(L);
            lua_insert(L, -2);
            lua_tostring(L, -1);
            lua_rawset(L, headers);
        }
    }
    lua_settop(L, headers);
}

/* What the function returned becomes an answer as servers give it. */
static int push_test_answer(lua_State *L, int answer)
{
    lua_createtable(L, 0, 3);
    lua_getfield(L, answer, "status");
    if (!lua_isinteger(L, -1))
        luaL_error(L, "testing.http: the answer's status must be an integer, got %s",
                   luaL_tolstring(L, -1, NULL));
    lua_setfield(L, -2, "status");
    push_test_headers(L, answer);
    lua_setfield(L, -2, "headers");
    int kind = lua_getfield(L, answer, "body");
    if (kind != LUA_TNIL && kind != LUA_TSTRING)
        luaL_error(L, "testing.http: the answer's body must be a string, got %s",
                   luaL_typename(L, -1));
    if (kind == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushliteral(L, "");
    }
    lua_setfield(L, -2, "body");
    return 1;
}

static int after_answerer(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    int answer = lua_gettop(L) - 1;
    if (lua_isnil(L, answer) && lua_type(L, answer + 1) == LUA_TSTRING)
        return 2;
    if (lua_istable(L, answer))
        return push_test_answer(L, answer);
    return luaL_error(L,
                      "testing.http: the function must return {status = ...}, or nil and why there "
                      "is no answer, it returned %s",
                      luaL_typename(L, answer));
}

int http_ask_test(lua_State *L, const struct http_request *request)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, ANSWERER) != LUA_TFUNCTION)
        return luaL_error(L, "lagoon.http.request: a test sends nothing; give it an answer by "
                             "testing.http(function(request) return {status = 200} end)");
    lua_createtable(L, 0, 5);
    lua_pushstring(L, request->method);
    lua_setfield(L, -2, "method");
    lua_pushstring(L, request->url);
    lua_setfield(L, -2, "url");
    push_request_headers(L, request);
    lua_setfield(L, -2, "headers");
    lua_getfield(L, ARG_REQUEST, "body");
    lua_setfield(L, -2, "body");
    lua_pushnumber(L, (lua_Number)request->timeout_ms / 1000);
    lua_setfield(L, -2, "timeout");
    lua_callk(L, 1, 2, 0, after_answerer);
    return after_answerer(L, LUA_OK, 0);
}

void bindings_set_http_answerer(lua_State *L)
{
    lua_setfield(L, LUA_REGISTRYINDEX, ANSWERER);
}
