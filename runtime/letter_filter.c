#include "letter_filter.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "script_memory.h"

enum {
    SECONDS = 1, /* of CPU time, for one letter */
    INSTRUCTIONS_BETWEEN_LOOKS = 10000,
};

struct letter_filter {
    struct script_memory memory;
    lua_State *L;
    const struct consumer_config *consumer;
    int64_t deadline_ms; /* clock_thread_ms */
};

/* --- what it may use --- */

static void copy_function(lua_State *L, int environment, const char *name)
{
    lua_getglobal(L, name);
    lua_setfield(L, environment, name);
}

/* No pcall, so that nothing holds up its end; `error` is the letter's. */
static void open_environment(lua_State *L)
{
    static const char *const names[] = {"ipairs",   "next",   "pairs", "select", "tonumber",
                                        "tostring", "type",   "math",  "string", "table",
                                        "utf8",     "assert", NULL};
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},       {LUA_STRLIBNAME, luaopen_string},
        {LUA_TABLIBNAME, luaopen_table}, {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8}, {NULL, NULL}};
    for (const luaL_Reg *library = libraries; library->name != NULL; library++) {
        luaL_requiref(L, library->name, library->func, 1);
        lua_pop(L, 1);
    }
    json_open(L);
    lua_newtable(L);
    for (size_t i = 0; names[i] != NULL; i++)
        copy_function(L, lua_gettop(L), names[i]);
}

/* --- loading --- */

/* Protected. Argument: the expression. Leaves its function at 1 and its environment at 2. */
static int load(lua_State *L)
{
    lua_pushfstring(L, "return %s", lua_tostring(L, 1));
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    if (luaL_loadbufferx(L, text, length, "=--where", "t") != LUA_OK)
        return lua_error(L);
    open_environment(L);
    lua_pushvalue(L, -1);
    const char *name = lua_setupvalue(L, -3, 1);
    (void)name;
    return 2;
}

static void set_error(struct letter_filter *filter, int status, struct error *err)
{
    if (status == LUA_ERRMEM)
        error_set(err, "--where needs more than %zu MiB of memory (lua.memory_limit)",
                  filter->memory.limit_bytes >> 20);
    else
        error_set(err, "%s", luaL_tolstring(filter->L, -1, NULL));
}

struct letter_filter *letter_filter_new(const struct config *config,
                                        const struct consumer_config *consumer,
                                        const char *expression, struct error *err)
{
    struct letter_filter *filter = xcalloc(1, sizeof *filter);
    filter->consumer = consumer;
    filter->L = script_memory_open(&filter->memory, (size_t)config->lua_memory_limit_bytes);
    if (filter->L == NULL) {
        error_set(err, "no memory for a Lua state");
        free(filter);
        return NULL;
    }
    *(struct letter_filter **)lua_getextraspace(filter->L) = filter;
    lua_pushcfunction(filter->L, load);
    lua_pushstring(filter->L, expression);
    int status = lua_pcall(filter->L, 1, 2, 0);
    if (status == LUA_OK)
        return filter;
    set_error(filter, status, err);
    letter_filter_free(&filter);
    return NULL;
}

void letter_filter_free(struct letter_filter **filter)
{
    if (*filter == NULL)
        return;
    lua_close((*filter)->L);
    free(*filter);
    *filter = NULL;
}

/* --- a letter --- */

struct match {
    struct letter_filter *filter;
    const struct record *letter;
    const char *prefix;
    const struct letter_reason *reason;
};

enum { AT_FUNCTION = 1, AT_ENVIRONMENT, AT_MATCH };

/* As a handler gets it; a value that is no JSON is no event. */
static void push_event(lua_State *L, const struct match *match)
{
    const struct consumer_config *consumer = match->filter->consumer;
    const struct record *letter = match->letter;
    struct error err;
    if (letter->value == NULL)
        lua_pushnil(L);
    else if (consumer->codec.codec == CODEC_RAW)
        lua_pushlstring(L, letter->value, letter->value_length);
    else if (json_decode(L, letter->value, letter->value_length,
                         consumer->keeps_nulls ? JSON_NULLS_KEEP : JSON_NULLS_DROP, &err) != 0)
        lua_pushnil(L);
}

/* By name; of several the last one counts. */
static void push_headers(lua_State *L, const struct match *match)
{
    lua_newtable(L);
    for (size_t i = 0; i < match->letter->header_count; i++) {
        const struct record_header *header = &match->letter->headers[i];
        if (header->is_null || strncmp(header->name, match->prefix, strlen(match->prefix)) == 0)
            continue;
        lua_pushlstring(L, header->value, header->value_length);
        lua_setfield(L, -2, header->name);
    }
}

static void set_text(lua_State *L, const char *name, const char *text, size_t length)
{
    if (text == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, text, length);
    lua_setfield(L, AT_ENVIRONMENT, name);
}

static void set_number(lua_State *L, const char *name, const char *text)
{
    if (text == NULL || lua_stringtonumber(L, text) == 0)
        lua_pushnil(L);
    lua_setfield(L, AT_ENVIRONMENT, name);
}

static void set_fields(lua_State *L, const struct match *match)
{
    const struct letter_reason *reason = match->reason;
    push_event(L, match);
    lua_setfield(L, AT_ENVIRONMENT, "event");
    push_headers(L, match);
    lua_setfield(L, AT_ENVIRONMENT, "headers");
    set_text(L, "key", match->letter->key, match->letter->key_length);
    set_text(L, "error", reason->error, reason->error != NULL ? strlen(reason->error) : 0);
    set_text(L, "topic", reason->topic, reason->topic != NULL ? strlen(reason->topic) : 0);
    set_number(L, "attempts", reason->attempts);
    set_number(L, "partition", reason->partition);
    set_number(L, "offset", reason->offset);
    set_number(L, "timestamp", reason->timestamp);
}

/* Once it is late every instruction raises. */
static void on_hook(lua_State *L, lua_Debug *where)
{
    (void)where;
    const struct letter_filter *filter = *(struct letter_filter **)lua_getextraspace(L);
    if (clock_thread_ms() < filter->deadline_ms)
        return;
    lua_sethook(L, on_hook, LUA_MASKCOUNT, 1);
    luaL_where(L, 0); /* what runs, which no C function stands before */
    lua_pushfstring(L, "still runs after %d s", SECONDS);
    lua_concat(L, 2);
    lua_error(L);
}

/* Protected. Arguments: function, environment, match. */
static int evaluate(lua_State *L)
{
    const struct match *match = lua_touserdata(L, AT_MATCH);
    set_fields(L, match);
    match->filter->deadline_ms = clock_thread_ms() + SECONDS * 1000;
    lua_sethook(L, on_hook, LUA_MASKCOUNT, INSTRUCTIONS_BETWEEN_LOOKS);
    lua_pushvalue(L, AT_FUNCTION);
    lua_call(L, 0, 1);
    return 1;
}

enum letter_match letter_filter_match(struct letter_filter *filter, const struct record *letter,
                                      const char *prefix, const struct letter_reason *reason,
                                      struct error *err)
{
    lua_State *L = filter->L;
    const struct match match = {filter, letter, prefix, reason};
    lua_pushcfunction(L, evaluate);
    lua_pushvalue(L, AT_FUNCTION);
    lua_pushvalue(L, AT_ENVIRONMENT);
    lua_pushlightuserdata(L, (void *)&match);
    int status = lua_pcall(L, 3, 1, 0);
    lua_sethook(L, NULL, 0, 0);
    enum letter_match result = lua_toboolean(L, -1) ? LETTER_MATCHES : LETTER_STAYS;
    if (status != LUA_OK) {
        set_error(filter, status, err);
        result = LETTER_ERROR;
    }
    lua_settop(L, AT_ENVIRONMENT);
    if (status == LUA_ERRMEM)
        lua_gc(L, LUA_GCCOLLECT);
    return result;
}
