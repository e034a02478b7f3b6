/* producer.c - the functions of runtime/producer.h for specs. */
#include "producer_play.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

int unit_open_producer(lua_State *L);

static const char DELIVERY[] = "unit.producer.delivery";

enum thread_role play_enter_main(void)
{
    enum thread_role before = thread_role();
    thread_set_role(THREAD_MAIN, NULL);
    return before;
}

static void on_report(void *context, struct record *record, int attempt, const char *reason)
{
    struct play *play = context;
    if (play->report_count == REPORTS_MAX)
        return;
    play->reports[play->report_count++] =
        (struct report){record, attempt, reason != NULL ? xstrdup(reason) : NULL};
}

static void on_fatal(void *context, const char *producer, const char *reason)
{
    struct play *play = context;
    free(play->fatal);
    play->fatal = xasprintf("%s: %s", producer, reason);
}

static void on_closed(void *context)
{
    ((struct play *)context)->is_closed = true;
}

struct play *play_check(lua_State *L)
{
    struct play *play = luaL_checkudata(L, 1, PLAY_CLASS);
    luaL_argcheck(L, play->producer != NULL, 1, "is closed");
    return play;
}

/* --- life --- */

static void read_properties(lua_State *L, int index, struct properties *properties)
{
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        size_t count = properties->count++;
        properties->items =
            xrealloc(properties->items, properties->count * sizeof properties->items[0]);
        properties->items[count].name = xstrdup(luaL_checkstring(L, -2));
        properties->items[count].value = xstrdup(luaL_tolstring(L, -1, NULL));
        lua_pop(L, 1);
    }
}

/* new(brokers, topic, properties): connects nothing. */
static int unit_new(lua_State *L)
{
    struct play *play = lua_newuserdatauv(L, sizeof *play, 0);
    memset(play, 0, sizeof *play);
    play->cluster_config.name = "default";
    play->cluster = (struct cluster){.config = &play->cluster_config,
                                     .brokers = xstrdup(luaL_checkstring(L, 1)),
                                     .is_embedded = true};
    play->config = (struct producer_config){
        .name = "p", .cluster = &play->cluster_config, .topic = xstrdup(luaL_checkstring(L, 2))};
    luaL_checktype(L, 3, LUA_TTABLE);
    read_properties(L, 3, &play->config.properties);
    uv_loop_init(&play->loop);
    play->inbox = inbox_new();
    struct producer_callbacks callbacks = {play, on_report, NULL, on_fatal};
    play->producer = producer_new(&play->loop, &play->config, &play->cluster, &callbacks);
    luaL_setmetatable(L, PLAY_CLASS);
    return 1;
}

/* connect(): true, or nil and why not. */
static int play_connect(lua_State *L)
{
    struct error err;
    if (producer_connect(play_check(L)->producer, &err) == 0) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

/* turn(): one turn of the loop, which waits for nothing. */
static int play_turn(lua_State *L)
{
    struct play *play = play_check(L);
    enum thread_role before = play_enter_main();
    uv_run(&play->loop, UV_RUN_NOWAIT);
    thread_set_role(before, NULL);
    return 0;
}

static int play_purge(lua_State *L)
{
    struct play *play = play_check(L);
    enum thread_role before = play_enter_main();
    producer_purge(play->producer);
    thread_set_role(before, NULL);
    return 0;
}

/* close(): runs the loop until it is closed and empty. */
static int play_close(lua_State *L)
{
    struct play *play = luaL_checkudata(L, 1, PLAY_CLASS);
    if (play->producer == NULL)
        return 0;
    enum thread_role before = play_enter_main();
    producer_close(&play->producer, on_closed, play);
    uv_run(&play->loop, UV_RUN_DEFAULT);
    thread_set_role(before, NULL);
    if (!play->is_closed || uv_loop_close(&play->loop) != 0)
        return luaL_error(L, "the producer left the loop before it was closed");
    inbox_release(&play->inbox);
    for (size_t i = 0; i < play->config.properties.count; i++) {
        free(play->config.properties.items[i].name);
        free(play->config.properties.items[i].value);
    }
    for (size_t i = 0; i < play->report_count; i++)
        free(play->reports[i].reason);
    free(play->config.properties.items);
    free(play->fatal);
    free(play->config.topic);
    free((char *)play->cluster.brokers);
    return 0;
}

/* --- publishing --- */

static const char *field_text(lua_State *L, const char *name, size_t *length)
{
    lua_getfield(L, 2, name);
    const char *text = luaL_optlstring(L, -1, NULL, length);
    lua_pop(L, 1); /* the table keeps it */
    return text;
}

static lua_Integer field_integer(lua_State *L, const char *name, lua_Integer otherwise)
{
    lua_getfield(L, 2, name);
    lua_Integer integer = luaL_optinteger(L, -1, otherwise);
    lua_pop(L, 1);
    return integer;
}

/* The list `headers` of {name, value}; without a value it is null. */
static struct record_header *read_headers(lua_State *L, size_t *count)
{
    lua_getfield(L, 2, "headers");
    *count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    struct record_header *headers = xcalloc(*count, sizeof headers[0]);
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        headers[i].name = lua_tostring(L, -2);
        headers[i].value = lua_tolstring(L, -1, &headers[i].value_length);
        headers[i].is_null = headers[i].value == NULL;
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
    return headers;
}

static int push_delivery(lua_State *L, struct delivery *delivery)
{
    struct delivery **owned = lua_newuserdatauv(L, sizeof *owned, 0);
    *owned = delivery;
    luaL_setmetatable(L, DELIVERY);
    return 1;
}

/* The fields of the table at 2; `headers` and `value` are the caller's to free. */
static struct publication read_publication(lua_State *L, struct record_header **headers,
                                           char **bytes)
{
    struct publication publication = {
        .topic = field_text(L, "topic", NULL),
        .partition = (int32_t)field_integer(L, "partition", -1),
        .timestamp_ms = field_integer(L, "timestamp", 0),
        .record = (struct record *)(intptr_t)field_integer(L, "record", 0), /* never looked into */
        .attempt = (int)field_integer(L, "attempt", 1),
    };
    publication.key = field_text(L, "key", &publication.key_length);
    const char *value = field_text(L, "value", &publication.value_length);
    *bytes = value != NULL ? xstrndup(value, publication.value_length) : NULL;
    publication.value = *bytes;
    *headers = read_headers(L, &publication.header_count);
    publication.headers = *headers;
    return publication;
}

/* refusal{...}: what producer_check says of it without a handle; nil when nothing. */
static int play_refusal(lua_State *L)
{
    struct play *play = play_check(L);
    char *bytes;
    struct record_header *headers;
    struct publication publication = read_publication(L, &headers, &bytes);
    struct producer_limits limits;
    struct error err;
    bool is_refused = producer_limits_read(&limits, &play->config, &err) != 0 ||
                      producer_check(&play->config, &limits, &publication, &err) != 0;
    free(headers);
    free(bytes);
    lua_pushstring(L, is_refused ? err.text : NULL);
    return 1;
}

/* publish{topic, partition, timestamp, key, value, headers, record, attempt}: a delivery; or
 * "full"; or "invalid" and why. `record` is a number that stands for a record. */
static int play_publish(lua_State *L)
{
    struct play *play = play_check(L);
    char *bytes;
    struct record_header *headers;
    struct publication publication = read_publication(L, &headers, &bytes);
    struct delivery *delivery = NULL;
    struct error err;
    enum publish_result result = producer_publish(play->producer, &publication, &delivery, &err);
    free(headers);
    /* It was only borrowed. */
    if (bytes != NULL)
        memset(bytes, '!', publication.value_length);
    free(bytes);
    if (result == PUBLISH_QUEUED)
        return push_delivery(L, delivery);
    lua_pushstring(L, result == PUBLISH_FULL ? "full" : "invalid");
    lua_pushstring(L, result == PUBLISH_FULL ? NULL : err.text);
    return 2;
}

static int play_wait_for_room(lua_State *L)
{
    struct play *play = play_check(L);
    producer_wait_for_room(play->producer, play->inbox, (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

/* posts(): tickets posted since the last call. */
static int play_posts(lua_State *L)
{
    uint64_t tickets[POSTS_MAX];
    size_t count = inbox_drain(play_check(L)->inbox, tickets, POSTS_MAX);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushinteger(L, (lua_Integer)tickets[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* reports(): a list of {record, attempt, reason}, of publications with a record. */
static int play_reports(lua_State *L)
{
    struct play *play = play_check(L);
    lua_newtable(L);
    for (size_t i = 0; i < play->report_count; i++) {
        lua_newtable(L);
        lua_pushinteger(L, (lua_Integer)(intptr_t)play->reports[i].record);
        lua_setfield(L, -2, "record");
        lua_pushinteger(L, play->reports[i].attempt);
        lua_setfield(L, -2, "attempt");
        lua_pushstring(L, play->reports[i].reason);
        lua_setfield(L, -2, "reason");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* lose(reason): the library's handle fails for good. */
static int play_lose(lua_State *L)
{
    rd_kafka_t *handle = atomic_load(&play_check(L)->producer->handle);
    rd_kafka_test_fatal_error(handle, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              luaL_checkstring(L, 2));
    return 0;
}

static int play_fatal(lua_State *L)
{
    lua_pushstring(L, play_check(L)->fatal);
    return 1;
}

static int play_outstanding(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)producer_outstanding(play_check(L)->producer));
    return 1;
}

/* counts(): published, acknowledged, refused. */
static int play_counts(lua_State *L)
{
    struct producer_counts counts = producer_counts(play_check(L)->producer);
    lua_pushinteger(L, (lua_Integer)counts.published);
    lua_pushinteger(L, (lua_Integer)counts.acknowledged);
    lua_pushinteger(L, (lua_Integer)counts.refused);
    return 3;
}

/* --- deliveries --- */

static struct delivery *check_delivery(lua_State *L)
{
    struct delivery *delivery = *(struct delivery **)luaL_checkudata(L, 1, DELIVERY);
    luaL_argcheck(L, delivery != NULL, 1, "is released");
    return delivery;
}

/* wait(producer, ticket): false when it is over already. */
static int delivery_l_wait(lua_State *L)
{
    struct play *play = luaL_checkudata(L, 2, PLAY_CLASS);
    uint64_t ticket = (uint64_t)luaL_checkinteger(L, 3);
    lua_pushboolean(L, delivery_wait(check_delivery(L), play->inbox, ticket));
    return 1;
}

/* state(): "pending"; "acknowledged", partition, offset; "refused", reason. */
static int delivery_l_state(lua_State *L)
{
    struct delivery *delivery = check_delivery(L);
    switch (delivery_state(delivery)) {
    case DELIVERY_PENDING:
        lua_pushliteral(L, "pending");
        return 1;
    case DELIVERY_REFUSED:
        lua_pushliteral(L, "refused");
        lua_pushstring(L, delivery_reason(delivery));
        return 2;
    default:
        lua_pushliteral(L, "acknowledged");
        lua_pushinteger(L, delivery_partition(delivery));
        lua_pushinteger(L, delivery_offset(delivery));
        return 3;
    }
}

static int delivery_l_release(lua_State *L)
{
    delivery_release(luaL_checkudata(L, 1, DELIVERY));
    return 0;
}

/* --- the module --- */

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int unit_open_producer(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", unit_new}, {NULL, NULL}};
    static const luaL_Reg play_methods[] = {
        {"connect", play_connect},
        {"turn", play_turn},
        {"purge", play_purge},
        {"close", play_close},
        {"publish", play_publish},
        {"refusal", play_refusal},
        {"wait_for_room", play_wait_for_room},
        {"posts", play_posts},
        {"reports", play_reports},
        {"lose", play_lose},
        {"fatal", play_fatal},
        {"outstanding", play_outstanding},
        {"counts", play_counts},
        {"block_for_room", play_block_for_room},
        {"publish_from_threads", play_publish_from_threads},
        {NULL, NULL},
    };
    static const luaL_Reg delivery_methods[] = {
        {"wait", delivery_l_wait},
        {"state", delivery_l_state},
        {"release", delivery_l_release},
        {NULL, NULL},
    };
    new_class(L, PLAY_CLASS, play_methods);
    new_class(L, DELIVERY, delivery_methods);
    luaL_newlib(L, functions);
    return 1;
}
