/* testing.c - require("lagoon.testing"): handlers that run in the Lua state of a test.
 *
 * A library of its own, lagoon/testing.so, of the program's objects; lua/testing.lua is what a test
 * sees. The state is not ours: its libraries stay as they are, but for functions that mean
 * something else while a handler runs, such as print.
 *
 * Owns:    what is opened, until the process ends: the modules of a test may keep producers of it.
 * Threads: the one that runs the state. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "error.h"
#include "handle.h"
#include "library.h"
#include "script_modules.h"
#include "words.h"

int luaopen_lagoon_testing(lua_State *L);

struct session {
    struct application application;
    struct bindings_host host;
    struct recorder recorder;
    struct bindings *own;    /* for what a test requires itself */
    struct script **scripts; /* in the order of the config's consumers; NULL: not loaded */
};

static struct session *check_session(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 1);
}

/* --- what holds only while a handler runs --- */

/* The upvalues of a guard: what the runtime's function has for its first one, that function, and
 * what stands there in a test. */
enum { GUARD_UPVALUE = 1, GUARD_RUNTIME, GUARD_OWN };

static bool is_busy(const struct bindings *bindings)
{
    return bindings->current != NULL || bindings->loading > 0 || bindings->is_in_hook;
}

static int on_guarded(lua_State *L)
{
    const struct bindings *bindings = bindings_of(L);
    if (bindings != NULL && is_busy(bindings)) {
        lua_CFunction function = lua_tocfunction(L, lua_upvalueindex(GUARD_RUNTIME));
        return function(L);
    }
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(GUARD_OWN));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

/* What bindings_open replaces. */
static const struct {
    const char *library;
    const char *name;
    bool is_guarded; /* otherwise the test's stays: what it does matters to a worker only */
} replaced[] = {
    {"_G", "print", true},         {"os", "exit", true},        {"os", "setlocale", true},
    {"coroutine", "resume", true}, {"coroutine", "wrap", true}, {"_G", "xpcall", false},
};

static void push_library(lua_State *L, size_t index)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, replaced[index].library);
    lua_remove(L, -2);
}

/* Puts the test's own value, on top, back: under a guard, unless it is one, or a stub. */
static void put_back(lua_State *L, size_t index)
{
    int own = lua_gettop(L);
    push_library(L, index);
    if (replaced[index].is_guarded && lua_isfunction(L, own) &&
        lua_tocfunction(L, own) != on_guarded) {
        lua_getfield(L, -1, replaced[index].name);
        int runtime = lua_gettop(L);
        if (lua_getupvalue(L, runtime, 1) == NULL)
            lua_pushnil(L);
        lua_pushvalue(L, runtime);
        lua_pushvalue(L, own);
        lua_pushcclosure(L, on_guarded, GUARD_OWN);
        lua_remove(L, runtime);
    } else {
        lua_pushvalue(L, own);
    }
    lua_setfield(L, -2, replaced[index].name);
    lua_settop(L, own - 1);
}

static void open_bindings(lua_State *L)
{
    for (size_t i = 0; i < ARRAY_LENGTH(replaced); i++) {
        push_library(L, i);
        lua_getfield(L, -1, replaced[i].name);
        lua_remove(L, -2);
    }
    bindings_open(L);
    for (size_t i = ARRAY_LENGTH(replaced); i > 0; i--)
        put_back(L, i - 1);
}

/* --- sessions --- */

static int raise_problems(lua_State *L, struct config_problems *problems)
{
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (size_t i = 0; i < problems->count; i++) {
        luaL_addstring(&text, i > 0 ? "\n" : "");
        luaL_addstring(&text, problems->lines[i]);
    }
    luaL_pushresult(&text);
    config_problems_destroy(problems);
    return lua_error(L);
}

/* open(config, scripts or nil): a session, as in `lagoon dev`: no address of the config is asked,
 * and a missing env() gets a placeholder. */
static int on_open(lua_State *L)
{
    const struct command_line line = {.config = luaL_checkstring(L, 1),
                                      .scripts = luaL_optstring(L, 2, NULL)};
    struct session *session = xcalloc(1, sizeof *session);
    struct config_problems problems = {0};
    if (application_read(&session->application, &line, true, &problems) != 0) {
        application_destroy(&session->application);
        free(session);
        return raise_problems(L, &problems);
    }
    const struct config *config = session->application.config;
    recorder_init(&session->recorder, config);
    session->host = (struct bindings_host){
        .config = config,
        .generation = 1,
        .shared = shared_new(config->shared_memory_limit_bytes),
        .recorder = &session->recorder,
        .is_test = true,
    };
    session->scripts = xcalloc(config->consumer_count + 1, sizeof session->scripts[0]);
    session->own = bindings_new(L, &session->host, NULL);
    lua_pushlightuserdata(L, session);
    return 1;
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_codec(lua_State *L, const struct codec_config *codec)
{
    static const char *const names[] = {
        [CODEC_JSON] = "json", [CODEC_RAW] = "raw", [CODEC_CJSON] = "cjson", [CODEC_MODULE] = NULL};
    set_text(L, "codec", names[codec->codec]);
    set_text(L, "codec_module", codec->module.module);
    set_text(L, "codec_member", codec->module.member);
}

/* describe(session): {path, consumers = {{name, topic, type_header, codec, codec_module,
 * codec_member}, ...}} */
static int on_describe(lua_State *L)
{
    const struct session *session = check_session(L);
    const struct config *config = session->application.config;
    lua_newtable(L);
    set_text(L, "path", config->path);
    lua_createtable(L, (int)config->consumer_count, 0);
    for (size_t i = 0; i < config->consumer_count; i++) {
        lua_createtable(L, 0, 3);
        set_text(L, "name", config->consumers[i].name);
        set_text(L, "topic", config->consumers[i].topics[0]);
        set_text(L, "type_header", config->consumers[i].type_header);
        set_codec(L, &config->consumers[i].codec);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "consumers");
    return 1;
}

/* enter(session): what the state requires and asks of lagoon is this session's. */
static int on_enter(lua_State *L)
{
    struct session *session = check_session(L);
    bindings_attach(L, session->own);
    open_bindings(L);
    return 0;
}

/* handle(session, number of the consumer, record): as handle_record gives it. Loads the consumer's
 * scripts when it is the first. */
static int on_handle(lua_State *L)
{
    struct session *session = check_session(L);
    const struct config *config = session->application.config;
    size_t index = (size_t)luaL_checkinteger(L, 2) - 1;
    luaL_argcheck(L, index < config->consumer_count, 2, "no such consumer");
    struct error err;
    struct script **script = &session->scripts[index];
    const struct script_source source = {.host = &session->host,
                                         .bundle = session->application.bundle,
                                         .consumer = &config->consumers[index]};
    if (*script == NULL)
        *script = script_adopt(L, &source, &err);
    if (*script == NULL) {
        lua_pushstring(L, err.text);
        return lua_error(L);
    }
    script_enter(*script, L);
    struct handle handle = {*script, &session->recorder, &config->consumers[index]};
    lua_pushlightuserdata(L, &handle);
    lua_pushcclosure(L, handle_record, 1);
    lua_pushvalue(L, 3);
    lua_call(L, 1, 1);
    bindings_attach(L, session->own);
    return 1;
}

/* unload(session): the next records find their scripts loaded anew, and nothing shared. */
static int on_unload(lua_State *L)
{
    struct session *session = check_session(L);
    for (size_t i = 0; i < session->application.config->consumer_count; i++) {
        if (session->scripts[i] == NULL)
            continue;
        script_enter(session->scripts[i], L);
        script_free(&session->scripts[i]);
    }
    bindings_attach(L, session->own);
    shared_clear(session->host.shared);
    return 0;
}

/* search(session, module): a loader and its path, or why not, as a searcher of package.searchers.
 */
static int on_search(lua_State *L)
{
    const struct session *session = check_session(L);
    lua_remove(L, 1);
    return script_modules_search(L, session->application.bundle);
}

/* did_you_mean(word, list): text to put behind a sentence. */
static int on_did_you_mean(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = lua_rawlen(L, 2);
    const char **words = lua_newuserdatauv(L, (count + 1) * sizeof words[0], 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        words[i] = luaL_checkstring(L, -1);
        lua_pop(L, 1);
    }
    char *meant = words_did_you_mean(word, words, count, "");
    lua_pushstring(L, meant);
    free(meant);
    return 1;
}

/* http(function or nil): what answers the HTTP requests of handlers. */
static int on_http(lua_State *L)
{
    if (!lua_isnil(L, 1))
        luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    bindings_set_http_answerer(L);
    return 0;
}

/* state(): a table that stays when a test has the module loaded anew, as busted does for each
 * file. */
static int on_state(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "lagoon.testing");
    return 1;
}

int luaopen_lagoon_testing(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", on_open},     {"describe", on_describe},
        {"enter", on_enter},   {"handle", on_handle},
        {"unload", on_unload}, {"search", on_search},
        {"state", on_state},   {"did_you_mean", on_did_you_mean},
        {"http", on_http},     {NULL, NULL},
    };
    log_init(LOG_DEBUG, LOG_TEXT);
    const struct library_file *file = library_find("lagoon.testing");
    if (luaL_loadbuffer(L, file->bytes, file->length, file->chunkname) != LUA_OK)
        return lua_error(L);
    luaL_newlib(L, functions);
    lua_call(L, 1, 1);
    return 1;
}
