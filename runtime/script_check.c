#include "script_check.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "bindings.h"
#include "error.h"
#include "script.h"
#include "script_globals.h"
#include "script_names.h"

static void add(struct config_problems *problems, const char *text)
{
    problems->lines = xrealloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    problems->lines[problems->count++] = xstrdup(text);
}

/* Whether it is there already, with a traceback or without. */
static bool has(const struct config_problems *problems, const char *text)
{
    size_t length = strcspn(text, "\n");
    for (size_t i = 0; i < problems->count; i++)
        if (strcspn(problems->lines[i], "\n") == length &&
            strncmp(problems->lines[i], text, length) == 0)
            return true;
    return false;
}

/* --- what is declared --- */

/* In a state of its own, as a worker has; without a consumer only what producers have. false: it
 * came to no end, and another would fare no better. */
static bool check_declared(const struct bindings_host *host, const struct bundle *bundle,
                           const struct consumer_config *consumer, struct config_problems *problems)
{
    const struct script_source source = {.host = host,
                                         .bundle = bundle,
                                         .consumer = consumer,
                                         .is_check = true,
                                         .problems = problems};
    struct error err;
    struct script *script = script_new(&source, &err);
    bool is_through = script != NULL;
    if (!is_through)
        add(problems, err.text);
    script_free(&script);
    return is_through;
}

/* --- the look at the text --- */

struct look {
    const struct bindings_host *host;
    const struct bundle *bundle;
    const struct config_problems *problems;
    struct config_problems *suspicions;
};

static void push_files(lua_State *L, const struct bundle *bundle)
{
    lua_createtable(L, (int)bundle->count, 0);
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        lua_createtable(L, 0, 2);
        lua_pushstring(L, file->path);
        lua_setfield(L, -2, "path");
        lua_pushlstring(L, file->bytes, file->length);
        lua_setfield(L, -2, "bytes");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Protected. */
static int look_at_files(lua_State *L)
{
    struct look *look = lua_touserdata(L, 1);
    luaL_openlibs(L);
    bindings_open(L);
    script_library_push(L, "lagoon.globals");
    lua_getfield(L, -1, "check");
    push_files(L, look->bundle);
    lua_pushglobaltable(L);
    script_globals_push_probed(L);
    lua_call(L, 3, 1);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        const char *text = lua_tostring(L, -1);
        if (!has(look->problems, text))
            add(look->suspicions, text);
        lua_pop(L, 1);
    }
    return 0;
}

static void check_text(struct look *look)
{
    lua_State *L = luaL_newstate();
    if (L == NULL)
        abort();
    struct bindings *bindings = bindings_new(L, look->host, NULL);
    lua_pushcfunction(L, look_at_files);
    lua_pushlightuserdata(L, look);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        add(look->suspicions, lua_tostring(L, -1));
    lua_close(L);
    bindings_free(&bindings);
}

void script_check(const struct config *config, const struct bundle *bundle,
                  struct config_problems *problems, struct config_problems *suspicions)
{
    struct shared *shared = shared_new(config->shared_memory_limit_bytes);
    const struct bindings_host host = {.config = config, .generation = 1, .shared = shared};
    bool goes_on = check_declared(&host, bundle, NULL, problems);
    for (size_t i = 0; i < config->consumer_count && goes_on; i++)
        goes_on = check_declared(&host, bundle, &config->consumers[i], problems);
    struct look look = {&host, bundle, problems, suspicions};
    check_text(&look);
    shared_free(&shared);
}
