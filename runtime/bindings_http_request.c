/* What a script asks for by lagoon.http.request. */
#include "bindings_http_internal.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "units.h"
#include "words.h"

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

void http_read_request(lua_State *L, struct http_request *request)
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
