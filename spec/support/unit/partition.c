/* partition.c - what main decides about partitions and their records, for specs: everything of
 * partition.h that needs no broker, as methods of an intake. Partitions and records are light
 * userdata.
 *
 * Time stands still unless it is set. A letter is on its way when send_letter says so, and its
 * answer is given by end_letter. */
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

#include "log.h"
#include "partition_internal.h"
#include "policy.h"
#include "unit_dispatcher.h"

int unit_open_partition(lua_State *L);

static const char INTAKE[] = "unit.partition";

enum { MAX_PARTITIONS = 8, MAX_READ = 64 };

struct bench {
    struct intake intake;
    struct consumer_config config;
    struct partition *partitions[MAX_PARTITIONS];
    size_t partition_count;
    struct link letters; /* by letter_link: not on their way */
};

/* The intake has no place for more than a function, so there is one of each at a time. */
static int64_t now_ms;
static struct bench *open_bench;

static int64_t clock_ms(void)
{
    return now_ms;
}

static void send_letter(struct dead_letters *letters, struct record *record)
{
    (void)letters;
    list_append(&open_bench->letters, &record->letter_link);
}

static void ignore_event(void *context, enum log_level level, const char *message,
                         const struct log_field *fields, size_t field_count)
{
    (void)context;
    (void)level;
    (void)message;
    (void)fields;
    (void)field_count;
}

static struct bench *check_bench(lua_State *L)
{
    return luaL_checkudata(L, 1, INTAKE);
}

static void *check_pointer(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, index);
}

/* --- new --- */

static int64_t number_field(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    int64_t number = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return number;
}

static enum policy policy_field(lua_State *L, const char *name)
{
    static const char *const names[] = {"dead_letter", "skip", "stop", NULL};
    static const enum policy values[] = {POLICY_DEAD_LETTER, POLICY_SKIP, POLICY_STOP};
    lua_getfield(L, 2, name);
    enum policy policy = values[luaL_checkoption(L, -1, NULL, names)];
    lua_pop(L, 1);
    return policy;
}

static struct consumer_config check_config(lua_State *L)
{
    return (struct consumer_config){
        .name = "c",
        .on_error =
            {
                .retries = (int)number_field(L, "retries"),
                .backoff_ms = number_field(L, "backoff_ms"),
                .max_backoff_ms = number_field(L, "max_backoff_ms"),
                .has_jitter = true,
                .give_up = policy_field(L, "give_up"),
                .breaker = (int)number_field(L, "breaker"),
            },
        .on_invalid = policy_field(L, "on_invalid"),
        .on_unknown_type = policy_field(L, "on_unknown_type"),
        .window_records = number_field(L, "window_records"),
        .window_bytes = number_field(L, "window_bytes"),
        .max_ahead = number_field(L, "max_ahead"),
    };
}

/* new(dispatcher, config): there is one at a time. Nothing is logged from here on. */
static int l_new(lua_State *L)
{
    static const struct log_sink silence = {.on_event = ignore_event};
    struct dispatcher *dispatcher = unit_check_dispatcher(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct bench *bench = lua_newuserdatauv(L, sizeof *bench, 0);
    *bench = (struct bench){.config = check_config(L)};
    intake_init(&bench->intake, &bench->config, dispatcher, NULL, NULL);
    bench->intake.clock_ms = clock_ms;
    bench->intake.send_letter = send_letter;
    bench->intake.random = (uint64_t)number_field(L, "seed") | 1;
    list_init(&bench->letters);
    luaL_setmetatable(L, INTAKE);
    log_set_sink(&silence);
    now_ms = 0;
    open_bench = bench;
    return 1;
}

/* configure(config): policies that hold for what ends from now on */
static int l_configure(lua_State *L)
{
    struct bench *bench = check_bench(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    bench->config = check_config(L);
    return 0;
}

static int l_destroy(lua_State *L)
{
    struct bench *bench = check_bench(L);
    for (size_t i = 0; i < bench->partition_count; i++)
        partition_free(&bench->partitions[i]);
    intake_destroy(&bench->intake);
    log_set_sink(NULL);
    open_bench = NULL;
    return 0;
}

/* partition(number): it, and its lane in the dispatcher. */
static int l_partition(lua_State *L)
{
    struct bench *bench = check_bench(L);
    luaL_argcheck(L, bench->partition_count < MAX_PARTITIONS, 2, "is one too many");
    struct partition *partition =
        partition_new(&bench->intake, "orders", (int32_t)luaL_checkinteger(L, 2));
    bench->partitions[bench->partition_count++] = partition;
    /* There is always something to read. */
    atomic_store(&partition->is_ready, true);
    lua_pushlightuserdata(L, partition);
    lua_pushlightuserdata(L, partition->lane);
    return 2;
}

/* --- epochs --- */

/* begin(partition, start, "committed"|"resolved"|"missing"): the epoch */
static int l_begin(lua_State *L)
{
    static const char *const names[] = {"committed", "resolved", "missing", NULL};
    struct partition *partition = check_pointer(L, 2);
    int how = luaL_checkoption(L, 4, NULL, names);
    const struct partition_start start = {luaL_checkinteger(L, 3), how == 0, how == 2};
    partition_begin(partition, &start);
    lua_pushinteger(L, (lua_Integer)partition->epoch);
    return 1;
}

/* restart(partition, offset): where it is read again from, and the epoch */
static int l_restart(lua_State *L)
{
    struct partition *partition = check_pointer(L, 2);
    lua_pushinteger(L, partition_restart(partition, luaL_checkinteger(L, 3)));
    lua_pushinteger(L, (lua_Integer)partition->epoch);
    return 2;
}

static int l_drain(lua_State *L)
{
    partition_drain(check_pointer(L, 2));
    return 0;
}

static int l_revoke(lua_State *L)
{
    partition_revoke(check_pointer(L, 2));
    return 0;
}

/* finish(partition): the epoch ends */
static int l_finish(lua_State *L)
{
    partition_end_epoch(check_pointer(L, 2));
    return 0;
}

static int l_give_back(lua_State *L)
{
    partition_give_back(check_pointer(L, 2));
    return 0;
}

/* --- reading --- */

static void count_partitions(struct bench *bench)
{
    bench->intake.assigned_partitions = 0;
    bench->intake.active_partitions = 0;
    for (size_t i = 0; i < bench->partition_count; i++) {
        bench->intake.assigned_partitions += bench->partitions[i]->epoch != 0;
        bench->intake.active_partitions += partition_is_active(bench->partitions[i]);
    }
}

/* room(partition): how many records may be read; nil when none may */
static int l_room(lua_State *L)
{
    struct bench *bench = check_bench(L);
    struct partition *partition = check_pointer(L, 2);
    count_partitions(bench);
    if (!partition_may_read(partition))
        return 0;
    lua_pushinteger(L, (lua_Integer)intake_room(&bench->intake, &partition->share));
    return 1;
}

/* take_in(partition, offset, key): what the record is to the epoch, and if it is not known there,
 * the record, which push gives to the dispatcher */
static int l_take_in(lua_State *L)
{
    static const char *const meetings[] = {[OFFSETS_NEW] = "new",
                                           [OFFSETS_AGAIN] = "again",
                                           [OFFSETS_KNOWN] = "known",
                                           [OFFSETS_WENT_BACK] = "went back"};
    struct partition *partition = check_pointer(L, 2);
    int64_t offset = luaL_checkinteger(L, 3);
    size_t length = 0;
    const char *key = luaL_optlstring(L, 4, NULL, &length);
    uint64_t slot;
    size_t gone = 0;
    enum offsets_meeting meeting = offsets_meet(&partition->offsets, offset, &slot, &gone);
    lua_pushstring(L, meetings[meeting]);
    if (meeting == OFFSETS_KNOWN || meeting == OFFSETS_WENT_BACK)
        return 1;
    if (meeting == OFFSETS_NEW)
        slot = offsets_add(&partition->offsets, offset);
    struct record *record =
        record_make(partition->lane->topic, partition->number, offset, key, length, NULL, 0);
    partition_take_in(partition, record, slot);
    lua_pushlightuserdata(L, record);
    return 2;
}

/* --- stopped partitions --- */

static int push_begun_again(lua_State *L, struct partition *partition)
{
    lua_pushinteger(L, partition_begin_again(partition));
    return 1;
}

/* resume(partition): where reading goes on; nil: it waits, or nil and why it cannot */
static int l_resume(lua_State *L)
{
    struct partition *partition = check_pointer(L, 2);
    struct error err;
    if (partition_check_resume(partition, &err) != 0) {
        lua_pushnil(L);
        lua_pushstring(L, err.text);
        return 2;
    }
    partition->stop.is_resuming = true;
    return partition_has_to_wait(partition) ? 0 : push_begun_again(L, partition);
}

static int l_note_quiet(lua_State *L)
{
    partition_note_quiet(check_pointer(L, 2));
    return 0;
}

/* go_on(partition): where reading goes on, if it has waited for that */
static int l_go_on(lua_State *L)
{
    struct partition *partition = check_pointer(L, 2);
    return partition_is_to_go_on(partition) ? push_begun_again(L, partition) : 0;
}

/* skip(partition, offset): nil, or why it cannot */
static int l_skip(lua_State *L)
{
    struct error err;
    if (partition_skip_stopper(check_pointer(L, 2), luaL_checkinteger(L, 3), &err) == 0)
        return 0;
    lua_pushstring(L, err.text);
    return 1;
}

/* --- ends --- */

/* outcome(record, outcome, published, uncounted, retry_after_ms): as a worker leaves it; the
 * verdict. */
static int l_outcome(lua_State *L)
{
    static const char *const names[] = {"done",    "skipped", "dead_letter", "unknown_type",
                                        "invalid", "failed",  NULL};
    static const enum outcome values[] = {OUTCOME_DONE,        OUTCOME_SKIPPED,
                                          OUTCOME_DEAD_LETTER, OUTCOME_UNKNOWN_TYPE,
                                          OUTCOME_INVALID,     OUTCOME_FAILED};
    static const char *const verdicts[] = {
        [VERDICT_RELEASE] = "release", [VERDICT_KEEP] = "keep", [VERDICT_HOLD] = "hold"};
    struct bench *bench = check_bench(L);
    struct record *record = check_pointer(L, 2);
    record->outcome = values[luaL_checkoption(L, 3, NULL, names)];
    record->published = (uint32_t)luaL_checkinteger(L, 4);
    record->is_uncounted = lua_toboolean(L, 5);
    record->retry_after_ms = luaL_optinteger(L, 6, -1);
    if (record->outcome != OUTCOME_DONE)
        record->failure = xstrdup("why");
    record->decision = policy_decide(&bench->config, record);
    lua_pushstring(L, verdicts[policy_verdict(record)]);
    return 1;
}

static int l_end_record(lua_State *L)
{
    partition_end_record(check_pointer(L, 2));
    return 0;
}

/* report(record, run, reason) */
static int l_report(lua_State *L)
{
    partition_report(check_pointer(L, 2), (int)luaL_checkinteger(L, 3), luaL_optstring(L, 4, NULL));
    return 0;
}

/* send_letter(record): its letter is on the way */
static int l_send_letter(lua_State *L)
{
    struct record *record = check_pointer(L, 2);
    luaL_argcheck(L, !list_is_empty(&record->letter_link), 2, "has no letter that waits");
    list_remove(&record->letter_link);
    record->deliveries_open++;
    return 0;
}

/* end_letter(record, reason): of a letter on its way, or refused before */
static int l_end_letter(lua_State *L)
{
    struct record *record = check_pointer(L, 2);
    bool was_sent = list_is_empty(&record->letter_link);
    list_remove(&record->letter_link);
    if (was_sent)
        record->deliveries_open--;
    partition_end_letter(record, luaL_optstring(L, 3, NULL));
    return 0;
}

/* --- retries --- */

static int l_set_clock(lua_State *L)
{
    now_ms = luaL_checkinteger(L, 2);
    return 0;
}

/* due(record): when it runs again; nil when it does not wait for that */
static int l_due(lua_State *L)
{
    const struct record *record = check_pointer(L, 2);
    if (record->retry_place == 0)
        return 0;
    lua_pushinteger(L, check_bench(L)->intake.retries.heap[record->retry_place - 1].due_ms);
    return 1;
}

/* rerun(): the next record that is due, which runs again; or nil */
static int l_rerun(lua_State *L)
{
    struct record *record = retries_pop(&check_bench(L)->intake.retries, now_ms);
    if (record == NULL)
        return 0;
    partition_rerun(record);
    lua_pushlightuserdata(L, record);
    return 1;
}

/* --- commits, and what there is to see --- */

/* skip_to(partition, position) */
static int l_skip_to(lua_State *L)
{
    struct partition *partition = check_pointer(L, 2);
    offsets_skip_to(&partition->offsets, luaL_checkinteger(L, 3));
    return 0;
}

/* mark_committed(partition, epoch, position) */
static int l_mark_committed(lua_State *L)
{
    partition_mark_committed(check_pointer(L, 2), (uint64_t)luaL_checkinteger(L, 3),
                             luaL_checkinteger(L, 4));
    return 0;
}

/* offsets(partition): position, oldest, committed, delivered, unsettled, ahead */
static int l_offsets(lua_State *L)
{
    const struct offsets *offsets = &((struct partition *)check_pointer(L, 2))->offsets;
    lua_pushinteger(L, offsets->position);
    lua_pushinteger(L, offsets_oldest(offsets));
    lua_pushinteger(L, offsets->committed);
    lua_pushinteger(L, offsets->delivered);
    lua_pushinteger(L, (lua_Integer)offsets_unsettled(offsets));
    lua_pushinteger(L, (lua_Integer)offsets_ahead(offsets));
    return 6;
}

/* look(partition): records in the window, awaited, running, stopped, gated */
static int l_look(lua_State *L)
{
    const struct partition *partition = check_pointer(L, 2);
    lua_pushinteger(L, (lua_Integer)partition->share.records);
    lua_pushinteger(L, (lua_Integer)partition->awaited_count);
    lua_pushinteger(L, (lua_Integer)partition_running(partition));
    lua_pushboolean(L, partition->is_stopped);
    lua_pushboolean(L, partition->is_gated);
    return 5;
}

/* sight(partition): what a drain sees of it */
static int l_sight(lua_State *L)
{
    struct drain_sight sight = {0};
    partition_look(check_pointer(L, 2), &sight);
    const bool flags[] = {sight.has_unstarted, sight.has_running, sight.has_awaited,
                          sight.is_at_stand};
    static const char *const names[] = {"unstarted", "running", "awaited", "at_stand"};
    lua_newtable(L);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        lua_pushboolean(L, flags[i]);
        lua_setfield(L, -2, names[i]);
    }
    return 1;
}

/* window(): records, bytes; then whether the breaker is open */
static int l_window(lua_State *L)
{
    const struct intake *intake = &check_bench(L)->intake;
    lua_pushinteger(L, (lua_Integer)intake->window.records);
    lua_pushinteger(L, (lua_Integer)intake->window.bytes);
    lua_pushboolean(L, intake->breaker.is_open);
    return 3;
}

int unit_open_partition(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"configure", l_configure},
        {"destroy", l_destroy},
        {"partition", l_partition},
        {"begin", l_begin},
        {"restart", l_restart},
        {"drain", l_drain},
        {"revoke", l_revoke},
        {"finish", l_finish},
        {"give_back", l_give_back},
        {"room", l_room},
        {"take_in", l_take_in},
        {"resume", l_resume},
        {"note_quiet", l_note_quiet},
        {"go_on", l_go_on},
        {"skip", l_skip},
        {"outcome", l_outcome},
        {"end_record", l_end_record},
        {"report", l_report},
        {"send_letter", l_send_letter},
        {"end_letter", l_end_letter},
        {"set_clock", l_set_clock},
        {"due", l_due},
        {"rerun", l_rerun},
        {"skip_to", l_skip_to},
        {"mark_committed", l_mark_committed},
        {"offsets", l_offsets},
        {"look", l_look},
        {"sight", l_sight},
        {"window", l_window},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, INTAKE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
