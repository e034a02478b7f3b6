/* admin.c - the functions of runtime/admin_address.h and runtime/admin_guard.h for specs. */
#include "admin_address.h"
#include "admin_guard.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_admin(lua_State *L);

static const char *field(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    return lua_tostring(L, -1); /* stays on the stack as long as the call */
}

/* check({token, is_local}, {host, origin, site, authorization}) -> 0, or a status and why */
static int l_check(lua_State *L)
{
    struct error err;
    lua_settop(L, 2);
    lua_getfield(L, 1, "is_local");
    const struct admin_guard guard = {field(L, 1, "token"), lua_toboolean(L, 3)};
    const struct admin_visit visit = {field(L, 2, "host"), field(L, 2, "origin"),
                                      field(L, 2, "site"), field(L, 2, "authorization")};
    int status = admin_guard_check(&guard, &visit, &err);
    lua_pushinteger(L, status);
    if (status == 0)
        return 1;
    lua_pushstring(L, err.text);
    return 2;
}

/* address(text) -> whether only this machine reaches it; or nil and why it is no address */
static int l_address(lua_State *L)
{
    struct admin_address address;
    struct error err;
    if (admin_address_parse(&address, luaL_checkstring(L, 1), &err) == 0) {
        lua_pushboolean(L, address.is_local);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

int unit_open_admin(lua_State *L)
{
    static const luaL_Reg functions[] = {{"check", l_check}, {"address", l_address}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
