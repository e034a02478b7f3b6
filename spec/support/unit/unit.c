/* unit.c - require("unit"): the C modules of the runtime as tables of Lua functions.
 *
 * spec/support/unit/<module>.c defines unit_open_<module>, which pushes such a table; the Makefile
 * lists them in unit_modules.h. Functions and objects are in unit_modules.so, opened lazily, so
 * that the specs of one module run while another one does not link yet; Lua would insist on every
 * symbol at once. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

int luaopen_unit(lua_State *L);

static const char *const modules[] = {
#define UNIT(module) #module,
#include "unit_modules.h"
#undef UNIT
    NULL,
};

/* Beside this very library. */
static void *open_modules(lua_State *L)
{
    Dl_info here;
    if (dladdr((void *)luaopen_unit, &here) == 0)
        luaL_error(L, "unit.so does not know where it is");
    int folder = (int)(strrchr(here.dli_fname, '/') - here.dli_fname);
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.*s/unit_modules.so", folder, here.dli_fname);
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        luaL_error(L, "%s", dlerror());
    return library;
}

/* Opened when first asked for, so that one module's trouble is not the others'. */
static int open_module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    for (const char *const *module = modules; *module != NULL; module++) {
        if (strcmp(*module, name) != 0)
            continue;
        char symbol[128];
        snprintf(symbol, sizeof(symbol), "unit_open_%s", name);
        lua_CFunction open = (lua_CFunction)dlsym(open_modules(L), symbol);
        if (open == NULL)
            return luaL_error(L, "%s", dlerror());
        lua_settop(L, 2);
        lua_pushcfunction(L, open);
        lua_call(L, 0, 1);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_rawset(L, 1);
        return 1;
    }
    return luaL_error(L, "there is no spec/support/unit/%s.c", name);
}

int luaopen_unit(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushcfunction(L, open_module);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}
