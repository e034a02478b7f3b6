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
#include "script_check.h"

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

static struct script_source source_of(const struct loaded *loaded, const struct bindings_host *host,
                                      size_t consumer)
{
    return (struct script_source){
        .host = host, .bundle = loaded->bundle, .consumer = &loaded->config->consumers[consumer]};
}

static int push_failure(lua_State *L, const char *text)
{
    lua_pushnil(L);
    lua_pushstring(L, text);
    return 2;
}

static void push_lines(lua_State *L, const struct config_problems *problems)
{
    lua_createtable(L, (int)problems->count, 0);
    for (size_t i = 0; i < problems->count; i++) {
        lua_pushstring(L, problems->lines[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* problems(config_path, scripts_path): the lists of problems and of suspicions. */
static int unit_problems(lua_State *L)
{
    struct loaded loaded;
    struct error err;
    if (load(&loaded, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err) != 0)
        return push_failure(L, err.text);
    struct config_problems problems = {0};
    struct config_problems suspicions = {0};
    script_check(loaded.config, loaded.bundle, &problems, &suspicions);
    unload(&loaded);
    push_lines(L, &problems);
    push_lines(L, &suspicions);
    config_problems_destroy(&problems);
    config_problems_destroy(&suspicions);
    return 2;
}

/* check(config_path, scripts_path): true when nothing is wrong; or nil and what is. */
static int unit_check(lua_State *L)
{
    lua_settop(L, 2);
    if (unit_problems(L) != 2 || lua_isnil(L, -2))
        return 2;
    for (int i = 0; i < 2; i++) {
        if (lua_rawgeti(L, -1 - i, 1) == LUA_TSTRING)
            return push_failure(L, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* The field of the table at `index`, which keeps it alive; NULL when it is not there. */
static const char *text_field(lua_State *L, int index, const char *name, size_t *length)
{
    lua_getfield(L, index, name);
    const char *text = lua_tolstring(L, -1, length);
    lua_pop(L, 1);
    return text;
}

enum { MAX_HEADERS = 8 };

/* The headers of the table at `index`, a list of {name, value}; they keep the texts alive. */
static size_t read_headers(lua_State *L, int index, struct record_header *headers)
{
    int top = lua_gettop(L);
    size_t count = 0;
    size_t length = lua_getfield(L, index, "headers") == LUA_TTABLE ? lua_rawlen(L, -1) : 0;
    for (; count < length && count < MAX_HEADERS; count++) {
        lua_rawgeti(L, top + 1, (lua_Integer)count + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        headers[count] =
            (struct record_header){.name = lua_tostring(L, -2), .is_null = lua_isnil(L, -1)};
        headers[count].value = lua_tolstring(L, -1, &headers[count].value_length);
    }
    lua_settop(L, top);
    return count;
}

/* Runs the handler of the record at `index`, a table with value, key and headers, to its end, for
 * which it must not wait. Pushes its outcome and its failure. */
static int run(lua_State *L, struct script *script, int index)
{
    static const char *const outcomes[] = {[OUTCOME_DONE] = "done",
                                           [OUTCOME_FAILED] = "failed",
                                           [OUTCOME_SKIPPED] = "skipped",
                                           [OUTCOME_UNKNOWN_TYPE] = "unknown type",
                                           [OUTCOME_INVALID] = "invalid"};
    struct record_header headers[MAX_HEADERS];
    size_t key_length = 0;
    size_t value_length = 0;
    const char *key = text_field(L, index, "key", &key_length);
    const char *value = text_field(L, index, "value", &value_length);
    struct record *record = record_make("orders", 3, 42, key, key_length, value, value_length);
    record->headers = headers;
    record->header_count = read_headers(L, index, headers);
    record->attempt = 1;
    struct call call = {.record = record, .worker = 1};
    enum script_result result = script_begin(script, &call);
    lua_pushstring(L, result == SCRIPT_WAITING ? "waiting" : outcomes[call.outcome]);
    lua_pushstring(L, call.failure);
    free(call.failure);
    record_free(&record);
    return 2;
}

/* handle(config_path, scripts_path, record...): the outcome and the failure, or nil, of each record
 * with the first consumer's handlers, one after the other in one state. */
static int unit_handle(lua_State *L)
{
    int count = lua_gettop(L);
    struct loaded loaded;
    struct error err;
    if (load(&loaded, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err) != 0)
        return push_failure(L, err.text);
    struct shared *shared = shared_new(loaded.config->shared_memory_limit_bytes);
    const struct bindings_host host = {.config = loaded.config, .generation = 1, .shared = shared};
    const struct script_source source = source_of(&loaded, &host, 0);
    struct script *script = script_new(&source, &err);
    bool is_loaded = script != NULL;
    luaL_checkstack(L, 2 * count + 10, NULL);
    for (int i = 3; is_loaded && i <= count; i++)
        run(L, script, i);
    script_free(&script);
    shared_free(&shared);
    unload(&loaded);
    return is_loaded ? 2 * (count - 2) : push_failure(L, err.text);
}

int unit_open_bindings(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"check", unit_check}, {"problems", unit_problems}, {"handle", unit_handle}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
