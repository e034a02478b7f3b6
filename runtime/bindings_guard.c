/* What ends a script that runs too long, whatever it does to go on: an armed coroutine raises at
 * its next instruction, and at every one after it until its call, or what is loaded, has ended.
 *
 * The stop of the process is gentler, since nothing is wrong with what it ends: the error is raised
 * once, where the call stands or waits, and no pcall, xpcall or coroutine keeps it from going up to
 * the call's end; what is to be closed on its way runs undisturbed. Only when that takes too long
 * every instruction raises. */
#include "bindings.h"

#include <lauxlib.h>

#include "watchdog.h"

enum { LOOK_INSTRUCTIONS = 100000 }; /* between two looks at the clock while files are loaded */

static const char STOPS[] = "ended: the process stops";

/* --- interrupting a call --- */

bool bindings_is_interrupted(lua_State *L)
{
    const struct call *call = bindings_of(L)->current;
    return call != NULL && call->interrupt != INTERRUPT_NONE;
}

void bindings_check_interrupt(lua_State *L)
{
    if (bindings_is_interrupted(L))
        luaL_error(L, "%s", STOPS);
}

/* The stretch was asked to end. True: by a stop, and this is the first that the call hears of it,
 * or the error of that is still on its way up. */
static bool is_gentle(lua_State *L, const struct watch *watch)
{
    const struct call *call = bindings_of(L)->current;
    return watch_reason(watch) == WATCH_STOP && call != NULL &&
           call->interrupt != INTERRUPT_INSISTED;
}

/* --- ending a call --- */

static const char *describe(lua_State *L, enum watch_reason reason)
{
    const struct consumer_config *consumer = bindings_of(L)->consumer;
    if (bindings_is_interrupted(L))
        reason = WATCH_STOP;
    switch (reason) {
    case WATCH_CPU:
        bindings_note_fault(L, FAULT_CPU);
        return lua_pushfstring(L, "ended: it used %f s of CPU time without a wait (cpu_limit)",
                               (lua_Number)consumer->cpu_limit_ms / 1000);
    case WATCH_TIME:
        return bindings_push_timeout(L);
    default:
        return lua_pushstring(L, STOPS);
    }
}

/* Where the script stands: C functions such as pcall have no lines. */
static void push_where(lua_State *L)
{
    lua_Debug where;
    for (int level = 0; lua_getstack(L, level, &where) == 1; level++) {
        lua_getinfo(L, "l", &where);
        if (where.currentline > 0) {
            luaL_where(L, level);
            return;
        }
    }
    lua_pushliteral(L, "");
}

/* Says where it ended, and why. */
static int raise_end(lua_State *L, const struct watch *watch)
{
    push_where(L);
    describe(L, watch_reason(watch));
    lua_concat(L, 2);
    return lua_error(L);
}

/* The hook that was armed would raise as soon as the function returns. */
void bindings_check_end(lua_State *L)
{
    const struct watch *watch = watch_mine();
    if (watch != NULL && watch_reason(watch) != WATCH_NONE)
        raise_end(L, watch);
}

void bindings_note_spoil(lua_State *L, enum spoil spoil)
{
    struct bindings *bindings = bindings_of(L);
    if (bindings->spoil < spoil)
        bindings->spoil = spoil;
}

/* Armed once more, the call has not come to its end. */
static void note_stop(lua_State *L)
{
    struct call *call = bindings_of(L)->current;
    if (call->interrupt == INTERRUPT_NONE) {
        call->interrupt = INTERRUPT_RAISED;
        lua_sethook(L, NULL, 0, 0);
    } else {
        call->interrupt = INTERRUPT_INSISTED;
    }
}

/* A hook. A coroutine may keep it from a call that is over: then it takes it off. */
static void on_instruction(lua_State *L, lua_Debug *event)
{
    (void)event;
    const struct watch *watch = watch_mine();
    if (watch == NULL || watch_reason(watch) == WATCH_NONE) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    if (is_gentle(L, watch))
        note_stop(L);
    else if (watch_reason(watch) != WATCH_STOP)
        bindings_note_spoil(L, watch_reason(watch) == WATCH_CPU ? SPOIL_CPU : SPOIL_TIME);
    raise_end(L, watch);
}

void bindings_arm(void *thread)
{
    lua_sethook(thread, on_instruction, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
                1);
}

/* --- ending what is loaded --- */

static void on_load_instruction(lua_State *L, lua_Debug *event);

static void look_at_load(lua_State *L)
{
    lua_sethook(L, on_load_instruction, LUA_MASKCOUNT, LOOK_INSTRUCTIONS);
}

/* Not in C functions: what carries the error up through them is to keep its words. */
static void arm_load(lua_State *L)
{
    lua_sethook(L, on_load_instruction, LUA_MASKCOUNT, 1);
}

/* A hook. A coroutine that was made at the top of a file keeps it when that is long over: then it
 * takes it off. */
static void on_load_instruction(lua_State *L, lua_Debug *event)
{
    (void)event;
    struct bindings *bindings = bindings_of(L);
    if (bindings->load_what == NULL) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    if (clock_thread_ms() <= bindings->load_deadline_ms) {
        if (lua_gethookcount(L) == 1)
            look_at_load(L);
        return;
    }
    bindings->is_load_late = true;
    arm_load(L);
    push_where(L);
    lua_pushfstring(L, "%s still runs after %d s", bindings->load_what,
                    bindings->load_limit_ms / 1000);
    lua_concat(L, 2);
    lua_error(L);
}

void bindings_limit_load(lua_State *L, const char *what, int limit_ms)
{
    struct bindings *bindings = bindings_of(L);
    bindings->load_what = what;
    bindings->load_limit_ms = limit_ms;
    bindings->load_deadline_ms = clock_thread_ms() + limit_ms;
    bindings->is_load_late = false;
    /* A debugger, or what measures coverage, is not pushed aside. */
    if (lua_gethook(L) == NULL || lua_gethook(L) == on_load_instruction)
        look_at_load(L);
}

void bindings_end_load(lua_State *L)
{
    bindings_of(L)->load_what = NULL;
    bindings_of(L)->is_load_late = false;
    if (lua_gethook(L) == on_load_instruction)
        lua_sethook(L, NULL, 0, 0);
}

/* --- coroutines --- */

/* What is asked to end meanwhile is armed, before or after. */
void bindings_run(lua_State *L)
{
    struct watch *watch = watch_mine();
    if (bindings_of(L)->is_load_late)
        arm_load(L);
    if (watch == NULL)
        return;
    watch_run(watch, L);
    bool is_raised = is_gentle(L, watch) && bindings_is_interrupted(L);
    if (is_raised && lua_gethook(L) == on_instruction)
        lua_sethook(L, NULL, 0, 0);
    else if (watch_reason(watch) != WATCH_NONE && !is_raised)
        bindings_arm(L);
}

/* --- pcall and xpcall --- */

/* In front of a message handler, where no hook can end it: upvalue 1. */
static int on_message(lua_State *L)
{
    const struct watch *watch = watch_mine();
    bool is_asked = watch != NULL && watch_reason(watch) != WATCH_NONE;
    if (bindings_of(L)->is_load_late || is_asked || bindings_is_interrupted(L))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* The results stand above `below` values; or the error is on top. */
static int after_call(lua_State *L, int status, lua_KContext below)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)below;
    if (status == LUA_ERRMEM)
        bindings_note_spoil(L, SPOIL_MEMORY);
    if (bindings_is_interrupted(L))
        return lua_error(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* pcall(f, ...) */
static int on_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1); /* the first result, when all goes well */
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, after_call);
    return after_call(L, status, 0);
}

/* xpcall(f, message_handler, ...) */
static int on_xpcall(lua_State *L)
{
    enum { FUNCTION = 1, HANDLER = 2, BELOW = 2 };
    luaL_checktype(L, HANDLER, LUA_TFUNCTION);
    int argument_count = lua_gettop(L) - BELOW;
    lua_pushvalue(L, HANDLER);
    lua_pushcclosure(L, on_message, 1);
    lua_replace(L, HANDLER);
    lua_pushboolean(L, 1); /* the first result, when all goes well */
    lua_pushvalue(L, FUNCTION);
    lua_rotate(L, BELOW + 1, 2);
    int status = lua_pcallk(L, argument_count, LUA_MULTRET, HANDLER, BELOW, after_call);
    return after_call(L, status, BELOW);
}

void bindings_open_guard(lua_State *L)
{
    lua_pushcfunction(L, on_pcall);
    lua_setglobal(L, "pcall");
    lua_pushcfunction(L, on_xpcall);
    lua_setglobal(L, "xpcall");
}
