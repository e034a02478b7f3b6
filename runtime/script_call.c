/* The calls that run in a script's state. */
#include "script_internal.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "script_event.h"
#include "script_load.h"
#include "script_main.h"
#include "watchdog.h"

enum {
    MAX_FAILURE_BYTES = 8 * 1024, /* of a message with its traceback */
    CLOSING_MS = 500,             /* for what an interrupted call has to close */
};

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

/* The call's function is the first on the coroutine's stack, the last level from the top. */
static int first_level(lua_State *thread)
{
    lua_Debug frame;
    int there = 0, beyond = 1;
    while (lua_getstack(thread, beyond, &frame) == 1) {
        there = beyond;
        beyond *= 2;
    }
    while (beyond - there > 1) {
        int middle = there + (beyond - there) / 2;
        *(lua_getstack(thread, middle, &frame) == 1 ? &there : &beyond) = middle;
    }
    return there;
}

/* Pushes the context: the stack that it stands on is cleared, with a collection in between when
 * memory is short, before bindings_end_context writes to it. */
static void hold_context(struct script *script, const struct call *call)
{
    lua_Debug frame;
    if (call->context != NULL &&
        lua_getstack(call->thread, first_level(call->thread), &frame) == 1 &&
        lua_getlocal(call->thread, &frame, AT_CONTEXT) != NULL)
        lua_xmove(call->thread, script->L, 1);
    else
        lua_pushnil(script->L);
    assert(call->context == NULL || lua_touserdata(script->L, -1) == call->context);
}

/* Of a call that failed: Lua 5.4.4 leaves a coroutine that a hook ended without hooks. What it has
 * to close is closed now, and is the call's yet, as the context is. */
static void thread_drop(struct script *script, struct call *call, int status)
{
    enum fault fault = call->fault;
    hold_context(script, call);
    bindings_run(call->thread); /* what it closes may not end either */
    script->bindings->current = call;
    lua_resetthread(call->thread);
    script->bindings->current = NULL;
    call->fault = fault; /* it had failed before */
    bindings_end_context(call);
    lua_pop(script->L, 1);
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
        call->fault = FAULT_MEMORY;
        script_set_memory_error(script, &err);
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
    call->fault = FAULT_HANDLER;
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
    call->fault = FAULT_MEMORY;
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
