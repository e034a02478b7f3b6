#include "script.h"

#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "script_declared.h"
#include "script_event.h"
#include "script_globals.h"
#include "script_load.h"
#include "script_main.h"
#include "script_memory.h"
#include "script_modules.h"
#include "watchdog.h"

enum {
    MAX_POOLED = 256,             /* coroutines kept for the next calls */
    MAX_FAILURE_BYTES = 8 * 1024, /* of a message with its traceback */
    CLOSING_MS = 500,             /* for what an interrupted call has to close */
};

struct script {
    struct script_memory memory;
    lua_State *L;
    bool is_adopted; /* the state is somebody else's */
    struct generation *generation;
    struct bindings *bindings;
    const struct consumer_config *consumer;
    int handlers; /* reference of the table type -> function */
    int hooks;    /* adopted: reference of what it wants to do at its end */
    struct pooled {
        lua_State *thread;
        int reference;
    } pool[MAX_POOLED];
    size_t pooled;
};

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

static void set_memory_error(const struct script *script, struct error *err)
{
    error_set(err, "not enough memory: a Lua state may use %zu bytes (lua.memory_limit)",
              script->memory.limit_bytes);
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
            set_memory_error(script, err);
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

/* --- the coroutine of a call --- */

static void thread_get(struct script *script, struct call *call)
{
    if (script->pooled > 0) {
        struct pooled *pooled = &script->pool[--script->pooled];
        call->thread = pooled->thread;
        call->thread_reference = pooled->reference;
        return;
    }
    call->thread = lua_newthread(script->L);
    call->thread_reference = luaL_ref(script->L, LUA_REGISTRYINDEX);
}

static void thread_put(struct script *script, struct call *call)
{
    bindings_end_context(call);
    lua_settop(call->thread, 0);
    if (script->pooled < MAX_POOLED)
        script->pool[script->pooled++] = (struct pooled){call->thread, call->thread_reference};
    else
        luaL_unref(script->L, LUA_REGISTRYINDEX, call->thread_reference);
    call->thread = NULL;
}

/* Of a call that failed: Lua 5.4.4 leaves a coroutine that a hook ended without hooks. What it has
 * to close is closed now, and is the call's yet, as the context is. */
static void thread_drop(struct script *script, struct call *call, int status)
{
    bindings_run(call->thread); /* what it closes may not end either */
    script->bindings->current = call;
    lua_resetthread(call->thread);
    script->bindings->current = NULL;
    bindings_end_context(call);
    bindings_run(script->L);
    luaL_unref(script->L, LUA_REGISTRYINDEX, call->thread_reference);
    call->thread = NULL;
    if (status == LUA_ERRMEM)
        lua_gc(script->L, LUA_GCCOLLECT);
}

/* Protected: the error value on top of the call's coroutine, as text with its traceback. */
static int describe_error(lua_State *L)
{
    lua_State *thread = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_xmove(thread, L, 1);
    script_load_push_error_text(L);
    luaL_traceback(L, thread, lua_tostring(L, -1), 0);
    return 1;
}

static char *failure_new(const char *text)
{
    return xstrndup(text, strnlen(text, MAX_FAILURE_BYTES));
}

/* How long what is left of a call may take. */
static int64_t closing_deadline(const struct call *call)
{
    return call->interrupt == INTERRUPT_NONE ? INT64_MAX : clock_monotonic_ms() + CLOSING_MS;
}

/* A new stretch in place of the one that runs, for what is left of the call. */
static void watch_again(lua_State *running, const struct call *call)
{
    struct watch *watch = watch_mine();
    if (watch == NULL)
        return;
    watch_end(watch);
    watch_begin_closing(watch, running, closing_deadline(call));
}

static void fail(struct script *script, struct call *call, int status)
{
    lua_State *L = script->L;
    watch_again(L, call); /* a __tostring may not end either */
    call->outcome = OUTCOME_FAILED;
    free(call->failure); /* of a handler that had returned and was ended behind that */
    if (status == LUA_ERRMEM) {
        struct error err;
        bindings_note_spoil(L, SPOIL_MEMORY);
        set_memory_error(script, &err);
        call->failure = xstrdup(err.text);
        return;
    }
    lua_pushcfunction(L, describe_error);
    lua_pushlightuserdata(L, call->thread);
    int rc = lua_pcall(L, 1, 1, 0);
    const char *text = lua_tostring(L, -1);
    call->failure = failure_new(rc == LUA_OK && text != NULL ? text : "(no error message)");
    lua_pop(L, 1);
}

/* However the call came to its end and whatever it asked for, it was not let finish. Where it stood
 * is all of interest. */
static void note_interrupt(struct call *call)
{
    call->outcome = OUTCOME_INTERRUPTED;
    free(call->request.reason);
    call->request.reason = NULL;
    if (call->failure != NULL)
        call->failure[strcspn(call->failure, "\n")] = '\0';
}

/* Runs the coroutine until it ends, fails or waits. */
static enum script_result run_stretch(struct script *script, struct call *call, int argument_count)
{
    int result_count;
    call->wait = CALL_RUNS;
    script->bindings->current = call;
    script->bindings->loading = 0;
    int status = lua_resume(call->thread, script->L, argument_count, &result_count);
    script->bindings->current = NULL;

    if (status == LUA_YIELD && call->wait != CALL_RUNS) {
        lua_pop(call->thread, result_count);
        return SCRIPT_WAITING;
    }
    if (status == LUA_YIELD) {
        call->outcome = OUTCOME_FAILED;
        call->failure = failure_new("the handler called coroutine.yield outside of a coroutine of "
                                    "its own");
    } else if (status != LUA_OK) {
        fail(script, call, status);
    }
    if (status == LUA_OK)
        thread_put(script, call);
    else
        thread_drop(script, call, status);
    if (call->interrupt != INTERRUPT_NONE)
        note_interrupt(call);
    else
        bindings_end_request(call);
    return SCRIPT_ENDED;
}

/* The same, watched where the thread is. */
static enum script_result run(struct script *script, struct call *call, int argument_count)
{
    struct watch *watch = watch_mine();
    if (watch != NULL && call->interrupt == INTERRUPT_NONE)
        watch_begin(watch, call->thread, call->deadline_ms);
    else if (watch != NULL)
        watch_begin_closing(watch, call->thread, closing_deadline(call));
    enum script_result result = run_stretch(script, call, argument_count);
    if (watch != NULL)
        watch_end(watch);
    return result;
}

/* --- a record's call --- */

/* A return is success, except nil or false with a second value. */
static int after_handler(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct call *call = (struct call *)context;
    call->outcome = OUTCOME_DONE;
    if (!lua_toboolean(L, -2) && !lua_isnil(L, -1)) {
        call->outcome = OUTCOME_FAILED;
        call->failure = failure_new(luaL_tolstring(L, -1, NULL));
    }
    return 0;
}

/* The body of a call's coroutine. Argument: the table of handlers. */
static int call_handler(lua_State *L)
{
    const struct bindings *bindings = bindings_of(L);
    struct call *call = bindings->current;
    if (!script_event_push(L, bindings->consumer, call))
        return 0;
    lua_pushvalue(L, AT_HANDLER);
    lua_pushvalue(L, AT_EVENT);
    lua_pushvalue(L, AT_CONTEXT);
    lua_callk(L, 2, 2, (lua_KContext)call, after_handler);
    return after_handler(L, LUA_OK, (lua_KContext)call);
}

/* Without protection a coroutine may be pushed upon, but nothing may be allocated: so the record's
 * own values are pushed by call_handler, inside. Getting the coroutine itself may allocate. */
struct begin {
    struct script *script;
    struct call *call;
};

static int prepare(lua_State *L)
{
    struct begin *begin = lua_touserdata(L, 1);
    thread_get(begin->script, begin->call);
    return 0;
}

/* When a call that begins now has to be over. To the clock's tick, some milliseconds, because every
 * record asks. */
static int64_t script_deadline(const struct script *script)
{
    const struct consumer_config *consumer = script->consumer;
    return consumer != NULL && consumer->handler_timeout_ms > 0
               ? clock_coarse_ms() + consumer->handler_timeout_ms
               : INT64_MAX;
}

/* Gives the call a coroutine; false when there is no memory for one. */
static bool prepare_thread(struct script *script, struct call *call)
{
    struct begin begin = {script, call};
    call->outcome = OUTCOME_NONE;
    call->failure = NULL;
    call->context = NULL;
    call->published = 0;
    call->interrupt = INTERRUPT_NONE;
    call->request = (struct call_request){.retry_after_ms = -1};
    call->deadline_ms = script_deadline(script);
    if (script->pooled > 0) {
        thread_get(script, call);
        return true;
    }
    lua_pushcfunction(script->L, prepare);
    lua_pushlightuserdata(script->L, &begin);
    if (lua_pcall(script->L, 1, 0, 0) == LUA_OK)
        return true;
    lua_pop(script->L, 1);
    bindings_note_spoil(script->L, SPOIL_MEMORY);
    call->outcome = OUTCOME_FAILED;
    call->failure = failure_new("not enough memory for a coroutine");
    return false;
}

enum script_result script_begin(struct script *script, struct call *call)
{
    if (!prepare_thread(script, call))
        return SCRIPT_ENDED;
    lua_pushcfunction(call->thread, call_handler);
    lua_rawgeti(call->thread, LUA_REGISTRYINDEX, script->handlers);
    return run(script, call, 1);
}

enum script_result script_resume(struct script *script, struct call *call)
{
    return run(script, call, 0);
}

enum spoil script_spoil(const struct script *script)
{
    return script->bindings->spoil;
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

/* --- a chunk in place of a handler --- */

enum script_result script_begin_main(struct script *script, struct call *call,
                                     const struct script_main *main)
{
    struct script_main_start start = {call, main, after_handler};
    if (!prepare_thread(script, call))
        return SCRIPT_ENDED;
    lua_pushcfunction(call->thread, script_main_run);
    lua_pushlightuserdata(call->thread, &start);
    return run(script, call, 1);
}

char *script_cut(struct script *script, struct call *call)
{
    char *place = script_main_place(call->thread);
    call->wait = CALL_RUNS;
    script->bindings->current = call;
    if (lua_resetthread(call->thread) != LUA_OK) {
        const char *text = lua_isstring(call->thread, -1) ? lua_tostring(call->thread, -1) : "?";
        log_warn("closing a script's variables failed: %s", text);
    }
    script->bindings->current = NULL;
    thread_put(script, call);
    return place;
}
