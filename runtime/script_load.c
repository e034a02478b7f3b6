#include "script_load.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "error.h"
#include "json.h"
#include "script_around.h"
#include "script_declared.h"

enum {
    LOAD_LIMIT_MS = 5000,  /* of the thread's own time, for what one declaration loads */
    HOOK_LIMIT_MS = 30000, /* of the thread's own time, for all on_load or on_unload */
};

/* --- errors --- */

void script_load_push_error_text(lua_State *L)
{
    enum { KEEP_BYTES = 8 * 1024 };
    struct buffer *text = &bindings_of(L)->text;
    struct error err;
    buffer_clear(text, KEEP_BYTES);
    if (lua_istable(L, 1) && luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL &&
        json_encode(L, 1, text, &err) == 0)
        lua_pushlstring(L, text->bytes, text->length);
    else
        luaL_tolstring(L, 1, NULL);
}

int script_load_on_error(lua_State *L)
{
    script_load_push_error_text(L);
    const char *message = lua_tostring(L, -1);
    if (strstr(message, "\nstack traceback:\n") != NULL)
        return 1;
    luaL_traceback(L, L, NULL, 1);
    if (strstr(lua_tostring(L, -1), ".lua:") == NULL)
        lua_pop(L, 1);
    else
        lua_pushfstring(L, "%s\n%s", message, lua_tostring(L, -1));
    return 1;
}

struct loading {
    const struct script_source *source;
    const struct declared *declared;
};

static int call_declared(lua_State *L)
{
    const struct loading *loading = lua_touserdata(L, 1);
    declared_push(L, loading->source, loading->declared);
    return 1;
}

static int do_nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/* Once by its first line: two handlers that need the same broken file fail alike. */
static void add_problem(struct config_problems *problems, const char *text)
{
    size_t length = strcspn(text, "\n");
    for (size_t i = 0; i < problems->count; i++)
        if (strcspn(problems->lines[i], "\n") == length &&
            strncmp(problems->lines[i], text, length) == 0)
            return;
    problems->lines = xrealloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    problems->lines[problems->count++] = xstrdup(text);
}

/* Pushes the declared function. In a check one that is broken is noted, and something stands in for
 * it; but one that has used up its time ends the check, since what else needs the same file would
 * take as long again. */
static void push_declared(lua_State *L, const struct script_source *source,
                          const struct declared *declared)
{
    struct loading loading = {source, declared};
    bindings_limit_load(L, "the top of a file", LOAD_LIMIT_MS);
    errand_say("module '%s' (%s)", declared->module->module, declared->path);
    if (source->problems == NULL) {
        declared_push(L, source, declared);
        return;
    }
    lua_pushcfunction(L, script_load_on_error);
    lua_pushcfunction(L, call_declared);
    lua_pushlightuserdata(L, &loading);
    if (lua_pcall(L, 1, 1, -3) != LUA_OK) {
        if (bindings_of(L)->is_load_late)
            lua_error(L);
        const char *text = lua_tostring(L, -1);
        add_problem(source->problems, text != NULL ? text : "(no error message)");
        lua_pop(L, 1);
        lua_pushcfunction(L, do_nothing);
    }
    lua_remove(L, -2);
}

/* --- what is declared --- */

/* Pushes the functions of a list of middlewares, as a list. */
static void push_middlewares(lua_State *L, const struct script_source *source,
                             const struct module_list *list, const char *path)
{
    lua_createtable(L, (int)list->count, 0);
    for (size_t i = 0; i < list->count; i++) {
        struct declared declared = {&list->items[i], "handle", true, ""};
        snprintf(declared.path, sizeof declared.path, "%s.middlewares[%zu]", path, i + 1);
        push_declared(L, source, &declared);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Pushes a function of the codec; false when the codec is not made of functions. */
static bool push_codec(lua_State *L, const struct script_source *source,
                       const struct codec_config *codec, const char *function, const char *path)
{
    if (codec->codec == CODEC_CJSON) {
        lua_getglobal(L, "require");
        lua_pushliteral(L, "cjson");
        lua_call(L, 1, 1);
        lua_getfield(L, -1, function);
        lua_remove(L, -2);
        return true;
    }
    if (codec->codec != CODEC_MODULE)
        return false;
    struct declared declared = {&codec->module, function, false, ""};
    snprintf(declared.path, sizeof declared.path, "%s.codec", path);
    push_declared(L, source, &declared);
    return true;
}

static void push_handler(lua_State *L, const struct script_source *source, int middlewares,
                         const struct module_config *module, const char *path, const char *type)
{
    struct declared declared = {module, "handle", true, ""};
    snprintf(declared.path, sizeof declared.path, "%s.handler%s%s", path, type != NULL ? "s." : "",
             type != NULL ? type : "");
    push_declared(L, source, &declared);
    script_put_around(L, middlewares);
}

static void load_consumer(lua_State *L, const struct script_source *source, int handlers)
{
    const struct consumer_config *consumer = source->consumer;
    char path[300];
    snprintf(path, sizeof path, "consumers.%s", consumer->name);
    push_middlewares(L, source, &consumer->middlewares, path);
    int middlewares = lua_gettop(L);
    for (size_t i = 0; i < consumer->handler_count; i++) {
        const struct handler_config *handler = &consumer->handlers[i];
        push_handler(L, source, middlewares, &handler->module, path, handler->type);
        lua_setfield(L, handlers, handler->type);
    }
    if (consumer->handler.module != NULL) {
        push_handler(L, source, middlewares, &consumer->handler, path, NULL);
        lua_rawseti(L, handlers, HANDLERS_ANY);
    }
    if (push_codec(L, source, &consumer->codec, "decode", path))
        lua_rawseti(L, handlers, HANDLERS_DECODE);
    lua_settop(L, handlers);
}

static void load_producer(lua_State *L, const struct script_source *source,
                          const struct producer_config *producer)
{
    char path[300];
    snprintf(path, sizeof path, "producers.%s", producer->name);
    if (push_codec(L, source, &producer->codec, "encode", path))
        bindings_set_producer_part(L, producer, PRODUCER_ENCODE);
    if (producer->middlewares.count == 0)
        return;
    push_middlewares(L, source, &producer->middlewares, path);
    bindings_push_publish_end(L, producer);
    script_put_around(L, lua_gettop(L) - 1);
    bindings_set_producer_part(L, producer, PRODUCER_CHAIN);
    lua_pop(L, 1);
}

void script_load_all(lua_State *L, const struct script_source *source)
{
    const struct config *config = source->host->config;
    for (size_t i = 0; i < config->producer_count; i++)
        load_producer(L, source, &config->producers[i]);
    lua_newtable(L);
    if (source->consumer != NULL)
        load_consumer(L, source, lua_gettop(L));
}

/* --- hooks --- */

/* The function is on top. */
static void say_hook(lua_State *L, const char *name)
{
    lua_Debug function;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &function);
    errand_say("%s (%s:%d)", name, function.short_src, function.linedefined);
}

void script_load_begin(lua_State *L)
{
    declared_push_hooks(L);
    int hooks = lua_gettop(L);
    bindings_of(L)->is_in_hook = true;
    bindings_limit_load(L, "on_load", HOOK_LIMIT_MS);
    lua_Integer count = (lua_Integer)lua_rawlen(L, hooks);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, hooks, i);
        if (lua_getfield(L, -1, "on_load") == LUA_TFUNCTION) {
            say_hook(L, "on_load");
            lua_call(L, 0, 2);
            if (!lua_toboolean(L, -2) && !lua_isnil(L, -1))
                luaL_error(L, "on_load: %s", luaL_tolstring(L, -1, NULL));
        }
        lua_pushinteger(L, i);
        lua_setfield(L, hooks, "loaded");
        lua_settop(L, hooks);
    }
    bindings_end_load(L);
    bindings_of(L)->is_in_hook = false;
    lua_pop(L, 1);
}

static int on_unload_error(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

void script_load_end(lua_State *L)
{
    declared_push_hooks(L);
    int hooks = lua_gettop(L);
    lua_getfield(L, hooks, "loaded");
    bindings_of(L)->is_in_hook = true;
    bindings_limit_load(L, "on_unload", HOOK_LIMIT_MS);
    for (lua_Integer i = lua_tointeger(L, -1); i >= 1; i--) {
        lua_settop(L, hooks);
        lua_pushcfunction(L, on_unload_error);
        lua_rawgeti(L, hooks, i);
        if (lua_getfield(L, -1, "on_unload") == LUA_TFUNCTION &&
            lua_pcall(L, 0, 0, hooks + 1) != LUA_OK)
            log_error("on_unload: %s", lua_tostring(L, -1));
    }
    bindings_end_load(L);
    lua_settop(L, hooks - 1);
}
