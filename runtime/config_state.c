#include "config_internal.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <lualib.h>

#include "library.h"
#include "units.h"

enum { INSTRUCTIONS_BETWEEN_LOOKS = 1000 };

/* As lagoon.config.chunks names the chunks: =(config), =(config 1). */
static const char config_source[] = "=(config";

static void *allocate(void *context, void *memory, size_t old_size, size_t new_size);
static int find_library(lua_State *L);

lua_State *config_state_new(struct config_limits *limits)
{
    *limits = (struct config_limits){0};
    return lua_newstate(allocate, limits);
}

static struct config_limits *limits_of(lua_State *L)
{
    void *limits;
    lua_getallocf(L, &limits);
    return limits;
}

static void *allocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    struct config_limits *limits = context;
    size_t before = memory != NULL ? old_size : 0; /* else old_size is a kind of object */
    if (new_size > before && limits->used_bytes + (new_size - before) > CONFIG_MEMORY_BYTES)
        return NULL;
    if (new_size == 0) {
        free(memory);
        limits->used_bytes -= before;
        return NULL;
    }
    void *result = realloc(memory, new_size);
    if (result != NULL)
        limits->used_bytes += new_size - before;
    return result;
}

/* --- the functions lagoon.config calls --- */

static int64_t cpu_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_in_config(lua_State *L, lua_Debug *where)
{
    return lua_getinfo(L, "Sl", where) != 0 &&
           strncmp(where->source, config_source, strlen(config_source)) == 0;
}

static void keep_line(struct config_limits *limits, const lua_Debug *where)
{
    limits->line = where->currentline;
    snprintf(limits->chunk, sizeof limits->chunk, "%s", where->short_src);
}

/* Once it is late every instruction raises, so that no pcall in the config can go on. */
static void on_hook(lua_State *L, lua_Debug *where)
{
    struct config_limits *limits = limits_of(L);
    if (where->event == LUA_HOOKLINE && is_in_config(L, where))
        keep_line(limits, where);
    if (where->event != LUA_HOOKCOUNT || cpu_clock_ns() < limits->deadline_ns)
        return;
    lua_sethook(L, on_hook, LUA_MASKLINE | LUA_MASKCOUNT, 1);
    lua_pushfstring(L, "is still running after %d s", CONFIG_SECONDS);
    lua_error(L);
}

/* Keeps the line of the config that raised; the error stays as it is. */
static int on_error(lua_State *L)
{
    lua_Debug where;
    for (int level = 1; lua_getstack(L, level, &where) == 1; level++) {
        if (is_in_config(L, &where)) {
            keep_line(limits_of(L), &where);
            break;
        }
    }
    return 1;
}

/* run(chunk): true and its result; or false, the error, the line and the name of its chunk. */
static int native_run(lua_State *L)
{
    struct config_limits *limits = limits_of(L);
    lua_settop(L, 1);
    lua_pushcfunction(L, on_error);
    lua_insert(L, 1);
    limits->line = 0;
    limits->deadline_ns = cpu_clock_ns() + (int64_t)CONFIG_SECONDS * 1000000000;
    lua_sethook(L, on_hook, LUA_MASKLINE | LUA_MASKCOUNT, INSTRUCTIONS_BETWEEN_LOOKS);
    int rc = lua_pcall(L, 0, 1, 1);
    lua_sethook(L, NULL, 0, 0);
    if (rc == LUA_ERRMEM) {
        lua_pop(L, 1);
        lua_gc(L, LUA_GCCOLLECT);
        lua_pushfstring(L, "needs more than %d MiB of memory", CONFIG_MEMORY_BYTES >> 20);
    }
    lua_pushboolean(L, rc == LUA_OK);
    lua_insert(L, 2);
    if (limits->line == 0)
        return 2;
    lua_pushinteger(L, limits->line);
    lua_pushstring(L, limits->chunk);
    return 4;
}

/* duration(value): milliseconds, or nil. */
static int native_duration(lua_State *L)
{
    int64_t milliseconds;
    struct error err;
    int rc = lua_type(L, 1) == LUA_TNUMBER
                 ? duration_from_seconds(lua_tonumber(L, 1), &milliseconds, &err)
                 : duration_parse(luaL_checkstring(L, 1), &milliseconds, &err);
    if (rc == 0)
        lua_pushinteger(L, milliseconds);
    else
        lua_pushnil(L);
    return 1;
}

/* pattern_problem(pattern): what is wrong with it as librdkafka compiles it, or nil. */
static int native_pattern_problem(lua_State *L)
{
    regex_t pattern;
    char problem[256];
    int rc = regcomp(&pattern, luaL_checkstring(L, 1), REG_EXTENDED | REG_NOSUB);
    if (rc == 0) {
        regfree(&pattern);
        lua_pushnil(L);
        return 1;
    }
    regerror(rc, &pattern, problem, sizeof problem);
    lua_pushstring(L, problem);
    return 1;
}

/* line(): of the config, that ran last. */
static int native_line(lua_State *L)
{
    lua_pushinteger(L, limits_of(L)->line);
    return 1;
}

/* real_path(path): without links, "." and ".."; nil when there is no such file. */
static int native_real_path(lua_State *L)
{
    char *real = realpath(luaL_checkstring(L, 1), NULL);
    lua_pushstring(L, real);
    free(real);
    return 1;
}

void config_push_natives(lua_State *L)
{
    static const luaL_Reg natives[] = {{"run", native_run},
                                       {"duration", native_duration},
                                       {"real_path", native_real_path},
                                       {"line", native_line},
                                       {"pattern_problem", native_pattern_problem},
                                       {NULL, NULL}};
    luaL_newlib(L, natives);
    lua_pushinteger(L, config_cpu_count());
    lua_setfield(L, -2, "cpus");
}

/* --- opening --- */

void config_state_open(lua_State *L)
{
    /* LUA_PATH and its like concern other programs. */
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_createtable(L, 1, 0);
    lua_pushcfunction(L, find_library);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "searchers");
    lua_pop(L, 1);
}

/* A searcher of package.searchers. */
static int find_library(lua_State *L)
{
    const char *module = luaL_checkstring(L, 1);
    const struct library_file *file = library_find(module);
    if (file == NULL) {
        lua_pushfstring(L, "no module '%s' in the program", module);
        return 1;
    }
    if (luaL_loadbufferx(L, file->bytes, file->length, file->chunkname, "t") != LUA_OK)
        return lua_error(L);
    lua_pushstring(L, file->chunkname);
    return 2;
}
