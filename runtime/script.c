#include "script_internal.h"

#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "script_declared.h"
#include "script_globals.h"
#include "script_load.h"
#include "script_modules.h"

/* --- making a state --- */

/* Protected, in a state that has its libraries: loads all that is declared; leaves the table of
 * handlers. */
static int load_declared(lua_State *L)
{
    const struct script_source *source = lua_touserdata(L, 1);
    script_load_all(L, source);
    if (!source->is_check)
        script_load_begin(L);
    return 1;
}

/* Protected: opens the libraries and loads. */
static int load_all(lua_State *L)
{
    const struct script_source *source = lua_touserdata(L, 1);
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    luaL_openlibs(L);
    if (source->host->config->is_gc_incremental)
        lua_gc(L, LUA_GCINC, 0, 0, 0);
    else
        lua_gc(L, LUA_GCGEN, 0, 0);
    script_modules_open(L, source->bundle);
    bindings_open(L);
    script_globals_open(L, source->bundle);

    return load_declared(L);
}

struct script_source script_source_of(struct generation *generation, const char *consumer)
{
    return (struct script_source){
        .generation = generation,
        .host = &generation->host,
        .bundle = generation->bundle,
        .consumer = consumer != NULL ? config_consumer(generation->config, consumer) : NULL,
    };
}

void script_set_memory_error(const struct script *script, struct error *err)
{
    error_set(err, "not enough memory: a Lua state may use %zu bytes (lua.memory_limit)",
              script->memory.limit_bytes);
}

struct script *script_new(const struct script_source *source, struct error *err)
{
    struct script *script = xcalloc(1, sizeof *script);
    script->consumer = source->consumer;
    if (source->generation != NULL)
        script->generation = generation_reference(source->generation);
    script->L =
        script_memory_open(&script->memory, (size_t)source->host->config->lua_memory_limit_bytes);
    if (script->L == NULL) {
        error_set(err, "no memory for a Lua state");
        generation_release(&script->generation);
        free(script);
        return NULL;
    }
    script->bindings = bindings_new(script->L, source->host, source->consumer);
    lua_pushcfunction(script->L, script_load_on_error);
    lua_pushcfunction(script->L, load_all);
    lua_pushlightuserdata(script->L, (void *)source);
    int rc = lua_pcall(script->L, 1, 1, 1);
    if (rc != LUA_OK) {
        if (rc == LUA_ERRMEM)
            script_set_memory_error(script, err);
        else
            error_set(err, "%s", lua_tostring(script->L, -1));
        script_free(&script);
        return NULL;
    }
    bindings_end_load(script->L);
    script->bindings->spoil = SPOIL_NONE; /* what its files caught does not come by another start */
    script->handlers = luaL_ref(script->L, LUA_REGISTRYINDEX);
    lua_settop(script->L, 0);
    return script;
}

static int unload(lua_State *L)
{
    const struct script *script = lua_touserdata(L, 1);
    if (script->is_adopted) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, script->hooks);
        declared_set_hooks(L);
    }
    script_load_end(L);
    return 0;
}

/* Protected: with a list of hooks of its own, since other scripts may be loaded into the state. */
static int load_adopted(lua_State *L)
{
    lua_newtable(L);
    declared_set_hooks(L);
    load_declared(L);
    declared_push_hooks(L);
    return 2;
}

/* Leaves a state that goes on. */
static void abandon(struct script *script)
{
    luaL_unref(script->L, LUA_REGISTRYINDEX, script->handlers);
    luaL_unref(script->L, LUA_REGISTRYINDEX, script->hooks);
    for (size_t i = 0; i < script->pooled; i++)
        luaL_unref(script->L, LUA_REGISTRYINDEX, script->pool[i].reference);
}

void script_free(struct script **script_owned)
{
    struct script *script = *script_owned;
    *script_owned = NULL;
    if (script == NULL)
        return;
    if (!script->is_adopted)
        lua_settop(script->L, 0);
    lua_pushcfunction(script->L, unload);
    lua_pushlightuserdata(script->L, script);
    if (lua_pcall(script->L, 1, 0, 0) != LUA_OK) {
        log_error("on_unload: %s", lua_tostring(script->L, -1));
        lua_pop(script->L, 1);
    }
    if (script->is_adopted)
        abandon(script);
    else
        lua_close(script->L);
    bindings_free(&script->bindings);
    generation_release(&script->generation);
    free(script);
}

struct script *script_adopt(lua_State *L, const struct script_source *source, struct error *err)
{
    struct script *script = xcalloc(1, sizeof *script);
    script->consumer = source->consumer;
    script->is_adopted = true;
    script->L = L;
    struct bindings *before = bindings_of(L);
    script->bindings = bindings_new(L, source->host, source->consumer);
    script->handlers = LUA_NOREF;
    script->hooks = LUA_NOREF;
    int top = lua_gettop(L);
    lua_pushcfunction(L, load_adopted);
    lua_pushlightuserdata(L, (void *)source);
    bool is_loaded = lua_pcall(L, 1, 2, 0) == LUA_OK;
    bindings_end_load(L);
    if (is_loaded) {
        script->hooks = luaL_ref(L, LUA_REGISTRYINDEX);
        script->handlers = luaL_ref(L, LUA_REGISTRYINDEX);
    } else {
        error_set(err, "%s", luaL_tolstring(L, -1, NULL));
    }
    lua_settop(L, top);
    if (is_loaded)
        return script;
    script_free(&script);
    bindings_attach(L, before);
    return NULL;
}

void script_enter(struct script *script, lua_State *L)
{
    assert(script->is_adopted);
    script->L = L;
    bindings_attach(L, script->bindings);
}

enum spoil script_spoil(const struct script *script)
{
    return script->bindings->spoil;
}

const struct consumer_config *script_consumer(const struct script *script)
{
    return script->consumer;
}

uint64_t script_generation(const struct script *script)
{
    return script->generation != NULL ? script->generation->number : 0;
}

size_t script_bytes(const struct script *script)
{
    return script->memory.limit_bytes - script->memory.left_bytes;
}

lua_State *script_state(struct script *script)
{
    return script->L;
}
