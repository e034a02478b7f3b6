/* bindings.c - handlers of a config and its scripts, for specs: checked, or run with one record. No
 * broker is needed, and nothing can be published. */
#include "bindings.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bundle.h"
#include "cluster.h"
#include "error.h"
#include "script.h"

int unit_open_bindings(lua_State *L);

struct loaded {
    struct config *config;
    struct bundle *bundle;
};

/* Takes the first problem. */
static int take_problem(struct config_problems *problems, struct error *err)
{
    error_set(err, "%s", problems->lines[0]);
    config_problems_destroy(problems);
    return -1;
}

static int load(struct loaded *loaded, const char *config_path, const char *scripts_path,
                struct error *err)
{
    const struct config_options options = {.path = config_path};
    struct config_problems problems;
    *loaded = (struct loaded){0};
    if (config_load(&options, &loaded->config, &problems) != 0)
        return take_problem(&problems, err);
    cluster_check_config(loaded->config, false, &problems);
    int rc = problems.count > 0 ? take_problem(&problems, err)
                                : bundle_read(scripts_path, &loaded->bundle, err);
    if (rc != 0)
        config_free(&loaded->config);
    return rc;
}

static void unload(struct loaded *loaded)
{
    bundle_free(&loaded->bundle);
    config_free(&loaded->config);
}

static struct script *new_script(const struct loaded *loaded, const struct bindings_host *host,
                                 size_t consumer, struct error *err)
{
    const struct script_source source = {host, loaded->bundle,
                                         &loaded->config->consumers[consumer]};
    return script_new(&source, err);
}

static int push_failure(lua_State *L, const char *text)
{
    lua_pushnil(L);
    lua_pushstring(L, text);
    return 2;
}

/* check(config_path, scripts_path): true when every handler of every consumer loads; or nil and
 * what is wrong. */
static int unit_check(lua_State *L)
{
    struct loaded loaded;
    struct error err;
    if (load(&loaded, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err) != 0)
        return push_failure(L, err.text);
    const struct bindings_host host = {.config = loaded.config, .generation = 1};
    bool is_good = true;
    for (size_t i = 0; is_good && i < loaded.config->consumer_count; i++) {
        struct script *script = new_script(&loaded, &host, i, &err);
        is_good = script != NULL;
        script_free(&script);
    }
    unload(&loaded);
    if (!is_good)
        return push_failure(L, err.text);
    lua_pushboolean(L, true);
    return 1;
}

/* Runs the handler to its end, for which it must not wait. Takes *script. */
static void run(lua_State *L, struct script **script, const char *type, const char *value)
{
    struct record *record = record_make("orders", 3, 42, NULL, 0, value, strlen(value));
    const struct record_header header = {
        .name = "Message-Type", .value = type, .value_length = strlen(type)};
    record->headers = &header;
    record->header_count = 1;
    record->attempt = 1;
    struct call call = {.record = record, .worker = 1};
    enum script_result result = script_begin(*script, &call);
    lua_pushboolean(L, result == SCRIPT_ENDED && call.outcome == OUTCOME_DONE);
    lua_pushstring(L, result == SCRIPT_WAITING ? "the handler waits" : call.failure);
    free(call.failure);
    script_free(script);
    record_free(&record);
}

/* handle(config_path, scripts_path, type, value): whether the first consumer's handler succeeds
 * with such a record, and its failure. */
static int unit_handle(lua_State *L)
{
    const char *type = luaL_checkstring(L, 3), *value = luaL_checkstring(L, 4);
    struct loaded loaded;
    struct error err;
    if (load(&loaded, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err) != 0)
        return luaL_error(L, "%s", err.text);
    const struct bindings_host host = {.config = loaded.config, .generation = 1};
    struct script *script = new_script(&loaded, &host, 0, &err);
    bool is_loaded = script != NULL;
    if (is_loaded)
        run(L, &script, type, value);
    unload(&loaded);
    return is_loaded ? 2 : luaL_error(L, "%s", err.text);
}

int unit_open_bindings(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"check", unit_check}, {"handle", unit_handle}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
