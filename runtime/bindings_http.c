/* lagoon.http.request: the handler waits for an answer of a server, its worker takes another record
 * meanwhile. In a test a function of the test answers. */
#include "bindings.h"

#include <assert.h>
#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "http.h"
#include "units.h"
#include "words.h"

enum { DEFAULT_TIMEOUT_MS = 30000 };

/* Of request's stack. */
enum { ARG_REQUEST = 1, ARG_EXCHANGE };

static const char EXCHANGE_CLASS[] = "lagoon.http.exchange";
static const char HEADERS_CLASS[] = "lagoon.http.headers";

/* In the registry: what answers in a test. */
static const char ANSWERER[] = "lagoon.http.answerer";

/* --- headers --- */

/* Replaces the name on top by itself in small letters. */
static void lower_top(lua_State *L)
{
    size_t length;
    const char *name = lua_tolstring(L, -1, &length);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (size_t i = 0; i < length; i++)
        luaL_addchar(&text, (char)tolower((unsigned char)name[i]));
    luaL_pushresult(&text);
    lua_remove(L, -2);
}

/* headers["Content-Type"] finds what is kept as content-type. */
static int on_headers_index(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    lower_top(L);
    lua_rawget(L, 1);
    return 1;
}

static void push_headers_table(lua_State *L)
{
    lua_newtable(L);
    if (luaL_newmetatable(L, HEADERS_CLASS)) {
        lua_pushcfunction(L, on_headers_index);
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
}

/* Takes name and value from the top, for the table below them. One that comes again is a list, by
 * commas, but for cookies, which may have commas of their own. */
static void add_header(lua_State *L)
{
    int headers = lua_gettop(L) - 2;
    lua_pushvalue(L, -2);
    if (lua_rawget(L, headers) != LUA_TNIL) {
        bool is_cookie = strcmp(lua_tostring(L, -3), "set-cookie") == 0;
        lua_pushstring(L, is_cookie ? "\n" : ", ");
        lua_pushvalue(L, -3);
        lua_concat(L, 3);
        lua_replace(L, -2);
    } else {
        lua_pop(L, 1);
    }
    lua_rawset(L, headers);
}

static void push_request_headers(lua_State *L, const struct http_request *request)
{
    push_headers_table(L);
    for (size_t i = 0; i < request->header_count; i++) {
        lua_pushlstring(L, request->headers[i].name, request->headers[i].name_length);
        lower_top(L);
        lua_pushlstring(L, request->headers[i].value, request->headers[i].value_length);
        add_header(L);
    }
}

static void push_answer_headers(lua_State *L, const struct http_exchange *exchange)
{
    size_t position = 0;
    struct http_header header;
    push_headers_table(L);
    while (http_next_header(exchange, &position, &header)) {
        lua_pushlstring(L, header.name, header.name_length);
        lua_pushlstring(L, header.value, header.value_length);
        add_header(L);
    }
}

/* --- the request --- */

static void check_options(lua_State *L)
{
    static const char *const options[] = {"method", "url",     "headers",
                                          "body",   "timeout", "max_body"};
    lua_pushnil(L);
    while (lua_next(L, ARG_REQUEST) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        const char *name = luaL_tolstring(L, -1, NULL);
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
            is_known = is_known || strcmp(name, options[i]) == 0;
        if (!is_known) {
            const char *meant = words_nearest(name, options, ARRAY_LENGTH(options));
            if (meant != NULL)
                luaL_error(L, "lagoon.http.request: unknown option '%s', did you mean '%s'?", name,
                           meant);
            luaL_error(L,
                       "lagoon.http.request: unknown option '%s': there are method, url, headers, "
                       "body, timeout, max_body",
                       name);
        }
        lua_pop(L, 2);
    }
}

/* A text of the request, which the stack keeps; NULL when it is nil. */
static const char *text_option(lua_State *L, const char *name, size_t *length)
{
    int kind = lua_getfield(L, ARG_REQUEST, name);
    if (kind != LUA_TNIL && kind != LUA_TSTRING)
        luaL_error(L, "lagoon.http.request: %s must be a string, got %s%s", name,
                   luaL_typename(L, -1),
                   strcmp(name, "body") == 0 && kind == LUA_TTABLE
                       ? "; lagoon.json.encode makes one of a table"
                       : "");
    return lua_tolstring(L, -1, length);
}

/* For libcurl text ends with a NUL. */
static const char *plain_option(lua_State *L, const char *name)
{
    size_t length = 0;
    const char *text = text_option(L, name, &length);
    if (text != NULL && strlen(text) != length)
        luaL_error(L, "lagoon.http.request: %s has a NUL in it", name);
    return text;
}

/* The name and the value on top of the stack, which keeps them. */
static void read_header(lua_State *L, struct http_header *header)
{
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "lagoon.http.request: headers is a map of names to values, or a list of "
                      "{name, value}");
    if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1))
        luaL_error(L, "lagoon.http.request: header '%s' must be a string or an integer, got %s",
                   lua_tostring(L, -2), luaL_typename(L, -1));
    header->name = lua_tolstring(L, -2, &header->name_length);
    header->value = lua_tolstring(L, -1, &header->value_length);
}

static size_t count_members(lua_State *L, int table)
{
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        count++;
    }
    return count;
}

/* {name, value}, each in its place; what they hold stays on the stack. */
static void read_header_list(lua_State *L, int headers, lua_Integer length,
                             struct http_header *list)
{
    for (lua_Integer i = 1; i <= length; i++) {
        if (lua_rawgeti(L, headers, i) != LUA_TTABLE)
            luaL_error(L, "lagoon.http.request: headers[%d] must be {name, value}", (int)i);
        int pair = lua_gettop(L);
        lua_rawgeti(L, pair, 1);
        lua_rawgeti(L, pair, 2);
        read_header(L, &list[i - 1]);
    }
}

/* The members that are none of the list. */
static size_t read_header_map(lua_State *L, int headers, lua_Integer length,
                              struct http_header *list)
{
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, headers) != 0) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= length) {
            lua_pop(L, 1);
            continue;
        }
        read_header(L, &list[count++]);
        /* Name and value stay below; the walk goes on with a copy of the name. */
        lua_pushvalue(L, -2);
    }
    return count;
}

/* A map, or a list of {name, value}. */
static void read_headers(lua_State *L, struct http_request *request)
{
    enum { MAX_HEADERS = 1000 };
    int kind = lua_getfield(L, ARG_REQUEST, "headers");
    int headers = lua_gettop(L);
    if (kind == LUA_TNIL)
        return;
    if (kind != LUA_TTABLE)
        luaL_error(L, "lagoon.http.request: headers must be a table, got %s",
                   luaL_typename(L, headers));
    size_t count = count_members(L, headers);
    if (count > MAX_HEADERS)
        luaL_error(L, "lagoon.http.request: more than %d headers", MAX_HEADERS);
    luaL_checkstack(L, 3 * (int)count + 8, "too many headers");
    struct http_header *list = lua_newuserdatauv(L, (count + 1) * sizeof list[0], 0);
    lua_Integer length = (lua_Integer)lua_rawlen(L, headers);
    if (length > (lua_Integer)count)
        luaL_error(L, "lagoon.http.request: headers is a list with holes");
    read_header_list(L, headers, length, list);
    request->headers = list;
    request->header_count = (size_t)length + read_header_map(L, headers, length, list + length);
}

static int64_t read_size(lua_State *L, const char *name, int64_t missing)
{
    struct error err;
    int64_t bytes = missing;
    int kind = lua_getfield(L, ARG_REQUEST, name);
    int rc = 0;
    if (kind == LUA_TSTRING)
        rc = size_parse(lua_tostring(L, -1), &bytes, &err);
    else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 0)
        bytes = lua_tointeger(L, -1);
    else if (kind != LUA_TNIL)
        luaL_error(L, "lagoon.http.request: %s must be a number of bytes or text such as \"4MiB\"",
                   name);
    if (rc != 0)
        luaL_error(L, "lagoon.http.request: %s: %s", name, err.text);
    lua_pop(L, 1);
    return bytes;
}

/* 0 when it is not given. */
static int64_t read_timeout(lua_State *L)
{
    if (lua_getfield(L, ARG_REQUEST, "timeout") == LUA_TNIL)
        return 0;
    int64_t timeout_ms = bindings_check_duration(L, -1, "lagoon.http.request: timeout");
    if (timeout_ms == 0)
        luaL_error(L, "lagoon.http.request: timeout must be longer than 0");
    return timeout_ms;
}

/* What the request points at stays on the stack. */
static void read_request(lua_State *L, struct http_request *request)
{
    struct error err;
    check_options(L);
    request->url = plain_option(L, "url");
    if (request->url == NULL)
        luaL_error(L, "lagoon.http.request: url is missing");
    request->body = text_option(L, "body", &request->body_length);
    request->method = plain_option(L, "method");
    if (request->method == NULL)
        request->method = request->body != NULL ? "POST" : "GET";
    request->max_body_bytes = read_size(L, "max_body", HTTP_MAX_BODY_BYTES);
    request->timeout_ms = read_timeout(L);
    read_headers(L, request);
    if (http_check(request, &err) != 0)
        luaL_error(L, "lagoon.http.request: %s", err.text);
}

/* --- a test's answer --- */

/* headers of the table at `answer`, of any spelling. */
static void push_test_headers(lua_State *L, int answer)
{
    push_headers_table(L);
    int headers = lua_gettop(L);
    if (lua_getfield(L, answer, "headers") == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, headers + 1) != 0) {
            if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
                luaL_error(L, "testing.http: the answer's headers must map names to text");
            lua_pushvalue(L, -2);
            lower_top(L);
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

static int ask_test(lua_State *L, const struct http_request *request)
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

/* --- the answer --- */

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
    read_request(L, &request);
    bool is_whole = limit_timeout(call, &request);
    if (bindings_of(L)->host->is_test)
        return ask_test(L, &request);
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
