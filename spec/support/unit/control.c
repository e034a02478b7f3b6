/* control.c - the functions of runtime/control_request.h and control_name.h for specs, and a peer
 * that sends whatever it likes. */
#include "control_request.h"

#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "control_name.h"

int unit_open_control(lua_State *L);

enum { ANSWER_BYTES = 64 * 1024 };

static void push_member(lua_State *L, const struct control_member *member)
{
    if (member->text != NULL)
        lua_pushstring(L, member->text);
    else
        lua_pushinteger(L, member->integer);
    lua_setfield(L, -2, member->name);
}

/* request(line, known) -> its members; or nil and why not */
static int l_request(lua_State *L)
{
    struct control_request request;
    struct error err;
    int rc = control_request_parse(&request, luaL_checkstring(L, 1), &err);
    if (rc == 0) {
        lua_newtable(L);
        for (size_t i = 0; i < request.count; i++)
            push_member(L, &request.members[i]);
        rc = control_request_check(&request, luaL_checkstring(L, 2), &err);
        control_request_destroy(&request);
    }
    if (rc == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

static int check_member(lua_State *L, const struct control_request *request, const char *name,
                        struct error *err)
{
    const char *text;
    int64_t integer;
    if (lua_toboolean(L, 3)) {
        int rc = control_request_text(request, name, &text, err);
        lua_pushstring(L, rc == 0 ? text : NULL);
        return rc;
    }
    int rc = control_request_integer(request, name, -1, &integer, err);
    lua_pushinteger(L, integer);
    return rc;
}

/* member(line, name, is_text) -> its value, -1 for a number that is not there; or nil and why not
 */
static int l_member(lua_State *L)
{
    struct control_request request;
    struct error err;
    if (control_request_parse(&request, luaL_checkstring(L, 1), &err) != 0)
        return luaL_error(L, "%s", err.text);
    int rc = check_member(L, &request, luaL_checkstring(L, 2), &err);
    control_request_destroy(&request);
    if (rc == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

/* connect(config, instance) -> file; or nil */
static int l_connect(lua_State *L)
{
    struct control_name name;
    struct error err;
    if (control_name_make(&name, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err) != 0)
        return luaL_error(L, "%s", err.text);
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = 20};
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(file, (struct sockaddr *)&name.address, name.length) == 0) {
        lua_pushinteger(L, file);
        return 1;
    }
    close(file);
    return 0;
}

/* send(file, bytes) -> whether all went out */
static int l_send(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    ssize_t sent = send((int)luaL_checkinteger(L, 1), bytes, length, MSG_NOSIGNAL);
    lua_pushboolean(L, sent == (ssize_t)length);
    return 1;
}

/* receive(file) -> all up to the end of the connection, which is closed then; nil when that is
 * late */
static int l_receive(lua_State *L)
{
    static char answer[ANSWER_BYTES];
    int file = (int)luaL_checkinteger(L, 1);
    size_t length = 0;
    ssize_t rc = 1;
    while (rc > 0 && length < sizeof answer) {
        rc = recv(file, answer + length, sizeof answer - length, 0);
        length += rc > 0 ? (size_t)rc : 0;
    }
    close(file);
    if (rc != 0 && length == 0)
        return 0;
    lua_pushlstring(L, answer, length);
    return 1;
}

int unit_open_control(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"request", l_request}, {"member", l_member},   {"connect", l_connect},
        {"send", l_send},       {"receive", l_receive}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
