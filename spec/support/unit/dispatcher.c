/* dispatcher.c - the functions of runtime/dispatcher.h for specs, as methods of a dispatcher with a
 * fixed number of workers. Workers are numbered from 1; lanes and records are light userdata.
 *
 * Nobody sleeps here: what a real worker or main would be woken for is noted and asked for by
 * woken(). */
#include "dispatcher.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "unit_dispatcher.h"

int unit_open_dispatcher(lua_State *L);

static const char BENCH[] = "unit.dispatcher";

enum { MAX_WORKERS = 64 };

struct bench {
    struct dispatcher dispatcher;
    struct taker takers[MAX_WORKERS];
    int worker_count;
    int woken[MAX_WORKERS]; /* since last asked */
    int woken_count;
    int main_wakes;
    bool is_open;
};

static struct bench *check_bench(lua_State *L)
{
    struct bench *bench = luaL_checkudata(L, 1, BENCH);
    luaL_argcheck(L, bench->is_open, 1, "is destroyed");
    return bench;
}

struct dispatcher *unit_check_dispatcher(lua_State *L, int index)
{
    struct bench *bench = luaL_checkudata(L, index, BENCH);
    return &bench->dispatcher;
}

static struct lane *check_lane(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 2);
}

static struct record *check_record(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 2);
}

static struct taker *check_taker(lua_State *L, int index)
{
    struct bench *bench = check_bench(L);
    lua_Integer worker = luaL_checkinteger(L, index);
    luaL_argcheck(L, worker >= 1 && worker <= bench->worker_count, index, "no such worker");
    return &bench->takers[worker - 1];
}

static int push_record(lua_State *L, struct record *record)
{
    if (record == NULL)
        lua_pushnil(L);
    else
        lua_pushlightuserdata(L, record);
    return 1;
}

static int push_count(lua_State *L, size_t count)
{
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

/* A list of the records that are on `head`, which is emptied: they are main's. */
static int push_list(lua_State *L, struct link *head)
{
    lua_newtable(L);
    lua_Integer count = 0;
    for (struct link *link; (link = list_pop(head)) != NULL;) {
        push_record(L, CONTAINER_OF(link, struct record, queue_link));
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

static void on_wake_worker(void *context, struct taker *taker)
{
    struct bench *bench = context;
    if (bench->woken_count < MAX_WORKERS)
        bench->woken[bench->woken_count++] = (int)(taker - bench->takers) + 1;
}

static void on_wake_main(void *context)
{
    struct bench *bench = context;
    bench->main_wakes++;
}

/* new(distribution, worker_count [, cpus, pace]): without these nobody is spared */
static int l_new(lua_State *L)
{
    static const char *const names[] = {"key", "partition", "free_worker", NULL};
    static const enum distribution values[] = {DISTRIBUTION_KEY, DISTRIBUTION_PARTITION,
                                               DISTRIBUTION_FREE_WORKER};
    int distribution = luaL_checkoption(L, 1, NULL, names);
    lua_Integer worker_count = luaL_checkinteger(L, 2);
    luaL_argcheck(L, worker_count >= 1 && worker_count <= MAX_WORKERS, 2, "too many workers");

    const struct sparing sparing = {(size_t)luaL_optinteger(L, 3, MAX_WORKERS),
                                    (size_t)luaL_optinteger(L, 4, 1)};
    struct bench *bench = lua_newuserdatauv(L, sizeof *bench, 0);
    memset(bench, 0, sizeof *bench);
    struct dispatcher_callbacks callbacks = {bench, on_wake_worker, on_wake_main};
    dispatcher_init(&bench->dispatcher, values[distribution], &sparing, &callbacks);
    bench->worker_count = (int)worker_count;
    for (int i = 0; i < bench->worker_count; i++)
        taker_init(&bench->takers[i]);
    bench->is_open = true;
    luaL_setmetatable(L, BENCH);
    return 1;
}

static int l_destroy(lua_State *L)
{
    struct bench *bench = check_bench(L);
    dispatcher_destroy(&bench->dispatcher);
    bench->is_open = false;
    return 0;
}

/* lane(topic, partition) */
static int l_lane(lua_State *L)
{
    struct bench *bench = check_bench(L);
    lua_pushlightuserdata(L, dispatcher_lane(&bench->dispatcher, luaL_checkstring(L, 2),
                                             (int32_t)luaL_checkinteger(L, 3)));
    return 1;
}

static int l_assign(lua_State *L)
{
    uint64_t epoch = (uint64_t)luaL_checkinteger(L, 3);
    dispatcher_assign(&check_bench(L)->dispatcher, check_lane(L), epoch);
    return 0;
}

/* push(lane, {record, ...}) */
static int l_push(lua_State *L)
{
    struct bench *bench = check_bench(L);
    luaL_checktype(L, 3, LUA_TTABLE);
    size_t count = lua_rawlen(L, 3);
    struct record **records = xmalloc(count * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        records[i] = lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    dispatcher_push(&bench->dispatcher, check_lane(L), records, count);
    free(records);
    return 0;
}

static int l_collect(lua_State *L)
{
    struct link ended;
    dispatcher_collect(&check_bench(L)->dispatcher, &ended);
    return push_list(L, &ended);
}

static int l_rerun(lua_State *L)
{
    dispatcher_rerun(&check_bench(L)->dispatcher, check_record(L));
    return 0;
}

static int l_release(lua_State *L)
{
    dispatcher_release(&check_bench(L)->dispatcher, check_record(L));
    return 0;
}

static int l_hold(lua_State *L)
{
    dispatcher_hold(&check_bench(L)->dispatcher, check_lane(L));
    return 0;
}

static int l_resume(lua_State *L)
{
    dispatcher_resume(&check_bench(L)->dispatcher, check_lane(L));
    return 0;
}

/* revoke(lane, from): all of it without `from`, with math.huge what stands behind all that has
 * begun */
static int l_revoke(lua_State *L)
{
    struct link unstarted;
    int64_t from = lua_isinteger(L, 3) ? lua_tointeger(L, 3) : INT64_MAX;
    if (lua_isnoneornil(L, 3))
        from = REVOKE_ALL;
    dispatcher_revoke(&check_bench(L)->dispatcher, check_lane(L), from, &unstarted);
    return push_list(L, &unstarted);
}

static int l_has_unstarted(lua_State *L)
{
    lua_pushboolean(L, dispatcher_has_unstarted(&check_bench(L)->dispatcher, check_lane(L)));
    return 1;
}

static int l_forget(lua_State *L)
{
    dispatcher_forget(&check_bench(L)->dispatcher, check_lane(L));
    return 0;
}

static int l_running(lua_State *L)
{
    return push_count(L, dispatcher_running(&check_bench(L)->dispatcher, check_lane(L)));
}

static int l_running_all(lua_State *L)
{
    return push_count(L, dispatcher_running_all(&check_bench(L)->dispatcher));
}

/* ration(starts): without a number there is no limit */
static int l_ration(lua_State *L)
{
    dispatcher_ration(&check_bench(L)->dispatcher,
                      lua_isnoneornil(L, 2) ? RATION_UNLIMITED : (size_t)luaL_checkinteger(L, 2));
    return 0;
}

/* set_need(need, low_water): whether main has to collect at once */
static int l_set_need(lua_State *L)
{
    static const char *const names[] = {"nothing", "room", "every", NULL};
    static const enum dispatcher_need values[] = {NEED_NOTHING, NEED_ROOM, NEED_EVERY};
    int need = luaL_checkoption(L, 2, NULL, names);
    lua_pushboolean(L, dispatcher_set_need(&check_bench(L)->dispatcher, values[need],
                                           (size_t)luaL_optinteger(L, 3, 0)));
    return 1;
}

static int l_tick(lua_State *L)
{
    dispatcher_tick(&check_bench(L)->dispatcher);
    return 0;
}

/* take(worker) */
static int l_take(lua_State *L)
{
    return push_record(L, dispatcher_take(&check_bench(L)->dispatcher, check_taker(L, 2)));
}

/* finish(record, verdict, worker or nil) */
static int l_finish(lua_State *L)
{
    static const char *const names[] = {"release", "keep", "hold", NULL};
    static const enum verdict values[] = {VERDICT_RELEASE, VERDICT_KEEP, VERDICT_HOLD};
    int verdict = luaL_checkoption(L, 3, NULL, names);
    struct taker *taker = lua_isnoneornil(L, 4) ? NULL : check_taker(L, 4);
    return push_record(
        L, dispatcher_finish(&check_bench(L)->dispatcher, check_record(L), values[verdict], taker));
}

static int l_leave(lua_State *L)
{
    dispatcher_leave(&check_bench(L)->dispatcher, check_taker(L, 2));
    return 0;
}

/* wait(worker): a handler of its waits */
static int l_wait(lua_State *L)
{
    taker_wait(check_taker(L, 2));
    return 0;
}

/* woken(): how often main was woken since last asked, then the workers that were. */
static int l_woken(lua_State *L)
{
    struct bench *bench = check_bench(L);
    lua_pushinteger(L, bench->main_wakes);
    for (int i = 0; i < bench->woken_count; i++)
        lua_pushinteger(L, bench->woken[i]);
    int count = bench->woken_count;
    bench->main_wakes = 0;
    bench->woken_count = 0;
    return 1 + count;
}

/* lose_wake(): as if the wake under way had vanished; nothing in the dispatcher does that. */
static int l_lose_wake(lua_State *L)
{
    struct bench *bench = check_bench(L);
    for (int i = 0; i < bench->worker_count; i++)
        bench->takers[i].is_woken = false;
    bench->dispatcher.idle.is_waking = false;
    return 0;
}

static void set_count(lua_State *L, const char *name, size_t count)
{
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, name);
}

static size_t list_length(const struct link *head)
{
    size_t length = 0;
    for (const struct link *link = head->next; link != head; link = link->next)
        length++;
    return length;
}

/* counts(): how much there is of everything, counted one by one. */
static int l_counts(lua_State *L)
{
    struct dispatcher *dispatcher = &check_bench(L)->dispatcher;
    size_t records = 0;
    size_t held = 0;
    size_t leftovers = 0;
    for (struct lane *lane = dispatcher->lanes; lane != NULL; lane = lane->next) {
        records += list_length(&lane->records);
        held += list_length(&lane->held);
        leftovers += lane->leftovers;
    }
    lua_newtable(L);
    set_count(L, "runnable", dispatcher->run_queue.length);
    set_count(L, "idle", list_length(&dispatcher->idle.stack));
    set_count(L, "ended", dispatcher->ended.count);
    set_count(L, "running", dispatcher->running);
    set_count(L, "strands", dispatcher->strands.count);
    set_count(L, "records", records);
    set_count(L, "held", held);
    set_count(L, "leftovers", leftovers);
    return 1;
}

int unit_open_dispatcher(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"destroy", l_destroy},
        {"lane", l_lane},
        {"assign", l_assign},
        {"push", l_push},
        {"collect", l_collect},
        {"rerun", l_rerun},
        {"release", l_release},
        {"hold", l_hold},
        {"resume", l_resume},
        {"revoke", l_revoke},
        {"has_unstarted", l_has_unstarted},
        {"forget", l_forget},
        {"running", l_running},
        {"running_all", l_running_all},
        {"ration", l_ration},
        {"set_need", l_set_need},
        {"tick", l_tick},
        {"take", l_take},
        {"finish", l_finish},
        {"leave", l_leave},
        {"wait", l_wait},
        {"woken", l_woken},
        {"lose_wake", l_lose_wake},
        {"counts", l_counts},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, BENCH);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
