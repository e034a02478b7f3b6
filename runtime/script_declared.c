#include "script_declared.h"

#include <lauxlib.h>
#include <string.h>

#include "script_names.h"

/* The address is the list's key in the registry. */
static const char hooks_key;

void declared_push_hooks(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &hooks_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &hooks_key);
}

void declared_set_hooks(lua_State *L)
{
    lua_rawsetp(L, LUA_REGISTRYINDEX, &hooks_key);
}

/* With the text on top behind the place and path in the config. */
static int raise_at(lua_State *L, const struct declared *declared)
{
    return luaL_error(L, "%s: %s: %s", declared->module->place, declared->path,
                      lua_tostring(L, -1));
}

/* Of the scripts folder, or of the system's modules. */
static bool is_defined(lua_State *L, const struct bundle *bundle, const char *module)
{
    if (bundle_find(bundle, module) != NULL)
        return true;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchpath");
    lua_pushstring(L, module);
    lua_getfield(L, -3, "path");
    lua_call(L, 2, 1);
    bool is_found = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return is_found;
}

static void require_module(lua_State *L, const struct script_source *source,
                           const struct declared *declared)
{
    const char *module = declared->module->module;
    if (!is_defined(L, source->bundle, module)) {
        const char *file = luaL_gsub(L, module, ".", "/");
        script_names_push_module_hint(L, source->bundle, module);
        lua_pushfstring(L, "no file defines the module '%s': there is no %s/%s.lua%s", module,
                        source->bundle->directory, file, lua_tostring(L, -1));
        raise_at(L, declared);
    }
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

/* A list of the names of the functions in the table on top. */
static void push_function_names(lua_State *L)
{
    int table = lua_gettop(L);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        bool is_function = lua_isfunction(L, -1) && lua_type(L, -2) == LUA_TSTRING;
        lua_pop(L, 1);
        if (!is_function)
            continue;
        lua_pushvalue(L, -1);
        lua_rawseti(L, table + 1, (lua_Integer)lua_rawlen(L, table + 1) + 1);
    }
}

/* Replaces what the module returned by the member that the config names. */
static void take_member(lua_State *L, const struct declared *declared)
{
    const char *member = declared->module->member;
    if (!lua_istable(L, -1)) {
        lua_pushfstring(L, "module '%s' must return a table that has '%s', it returns %s",
                        declared->module->module, member,
                        lua_isboolean(L, -1) ? "nothing" : luaL_typename(L, -1));
        raise_at(L, declared);
    }
    if (lua_getfield(L, -1, member) == LUA_TNIL) {
        lua_pop(L, 1);
        push_function_names(L);
        script_names_push_hint(L, member);
        lua_pushfstring(L, "module '%s' has no '%s'%s", declared->module->module, member,
                        lua_tostring(L, -1));
        raise_at(L, declared);
    }
    lua_remove(L, -2);
}

/* Appends the table on top to the hooks, once, when it has one. */
static void note_hooks(lua_State *L, const struct declared *declared)
{
    static const char *const names[] = {"on_load", "on_unload"};
    bool has_hook = false;
    int table = lua_gettop(L);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        int kind = lua_getfield(L, table, names[i]);
        if (kind != LUA_TNIL && kind != LUA_TFUNCTION) {
            lua_pushfstring(L, "module '%s': its %s must be a function, it is a %s",
                            declared->module->module, names[i], lua_typename(L, kind));
            raise_at(L, declared);
        }
        has_hook = has_hook || kind == LUA_TFUNCTION;
    }
    declared_push_hooks(L);
    int hooks = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, hooks);
    for (lua_Integer i = 1; i <= count && has_hook; i++) {
        lua_rawgeti(L, hooks, i);
        has_hook = !lua_rawequal(L, -1, table);
        lua_pop(L, 1);
    }
    if (has_hook) {
        lua_pushvalue(L, table);
        lua_rawseti(L, hooks, count + 1);
    }
    lua_settop(L, table);
}

/* The value on top is none of what it may be. */
static int raise_wrong_kind(lua_State *L, const struct declared *declared)
{
    const char *may_be = declared->may_be_function ? "a function, or a table" : "a table";
    const char *returns = lua_isboolean(L, -1) ? "nothing" : luaL_typename(L, -1);
    const char *member = declared->module->member;
    if (member != NULL)
        lua_pushfstring(L, "'%s' of module '%s' must be %s with the function %s, it is a %s",
                        member, declared->module->module, may_be, declared->function,
                        luaL_typename(L, -1));
    else
        lua_pushfstring(L, "module '%s' must return %s with the function %s, it returns %s",
                        declared->module->module, may_be, declared->function, returns);
    return raise_at(L, declared);
}

/* The table on top has not the function that it must have. */
static int raise_without(lua_State *L, const struct declared *declared)
{
    const char *module = declared->module->module;
    if (lua_getfield(L, -1, declared->function) != LUA_TNIL) {
        lua_pushfstring(L, "module '%s': its %s must be a function, it is a %s", module,
                        declared->function, luaL_typename(L, -1));
        return raise_at(L, declared);
    }
    lua_pop(L, 1);
    push_function_names(L);
    bool has_functions = lua_rawlen(L, -1) > 0 && declared->may_be_function;
    script_names_push_hint(L, declared->function);
    const char *hint = lua_tostring(L, -1);
    if (*hint == '\0' && has_functions)
        hint =
            lua_pushfstring(L, "; to name another one of its functions write \"%s:NAME\"", module);
    lua_pushfstring(L, "module '%s' returns a table without the function %s%s", module,
                    declared->function, hint);
    return raise_at(L, declared);
}

void declared_push(lua_State *L, const struct script_source *source,
                   const struct declared *declared)
{
    luaL_checkstack(L, 20, "too much is declared");
    int base = lua_gettop(L);
    require_module(L, source, declared);
    if (declared->module->member != NULL) {
        if (lua_istable(L, -1))
            note_hooks(L, declared);
        take_member(L, declared);
    }
    if (lua_istable(L, -1)) {
        note_hooks(L, declared);
        if (lua_getfield(L, -1, declared->function) != LUA_TFUNCTION) {
            lua_pop(L, 1);
            raise_without(L, declared);
        }
    } else if (!lua_isfunction(L, -1) || !declared->may_be_function) {
        raise_wrong_kind(L, declared);
    }
    lua_copy(L, -1, base + 1);
    lua_settop(L, base + 1);
}
