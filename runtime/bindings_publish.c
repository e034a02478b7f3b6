/* lagoon.producer, its publish calls, and the deliveries they return. */
#include "bindings_publication.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "words.h"

static const char PRODUCER_CLASS[] = "lagoon.producer";
static const char DELIVERY_CLASS[] = "lagoon.delivery";

/* How long a script that cannot yield blocks at a time for room in a full queue. */
enum { ROOM_BLOCK_MS = 100 };

/* --- deliveries --- */

static struct delivery **check_delivery(lua_State *L)
{
    return luaL_checkudata(L, 1, DELIVERY_CLASS);
}

static int push_delivery_result(lua_State *L)
{
    struct delivery *delivery = *check_delivery(L);
    if (delivery_state(delivery) == DELIVERY_REFUSED)
        return luaL_error(L, "delivery refused: %s", delivery_reason(delivery));
    lua_pushinteger(L, delivery_partition(delivery));
    lua_pushinteger(L, delivery_offset(delivery));
    return 2;
}

static int after_delivery(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    bindings_check_interrupt(L);
    bindings_end_broker_wait(bindings_of(L)->current);
    return push_delivery_result(L);
}

/* delivery:await(): partition and offset, or an error when Kafka refused the record for good. */
static int on_await(lua_State *L)
{
    struct delivery *delivery = *check_delivery(L);
    if (delivery_state(delivery) != DELIVERY_PENDING)
        return push_delivery_result(L);
    struct call *call = bindings_waitable_call(L, "delivery:await");
    if (!delivery_wait(delivery, call->inbox, call_next_ticket(call)))
        return push_delivery_result(L);
    bindings_wait_for_broker(call);
    lua_settop(L, 1);
    return lua_yieldk(L, 0, 0, after_delivery);
}

static int on_delivery_gc(lua_State *L)
{
    struct delivery **delivery = check_delivery(L);
    if (*delivery != NULL)
        delivery_release(delivery);
    return 0;
}

/* --- publishing --- */

static int publish_now(lua_State *L);

static int publish_when_room(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    bindings_check_interrupt(L);
    bindings_end_broker_wait(bindings_of(L)->current);
    return publish_now(L);
}

/* The queue is full: the handler waits, so that memory stays bounded and nothing fails. */
static int wait_for_room(lua_State *L, struct producer *producer)
{
    struct call *call = bindings_of(L)->current;
    bindings_check_interrupt(L);
    lua_settop(L, ARG_LAST);
    bindings_wait_for_broker(call);
    producer_wait_for_room(producer, call->inbox, call_next_ticket(call));
    return lua_yieldk(L, 0, 0, publish_when_room);
}

/* Where the handler cannot yield, inside table.sort say, its thread blocks for room instead. */
static enum publish_result publish_or_block(lua_State *L, struct producer *producer,
                                            const struct publication *publication,
                                            struct delivery **delivery, struct error *err)
{
    enum publish_result result;
    while ((result = producer_publish(producer, publication, delivery, err)) == PUBLISH_FULL &&
           !bindings_can_yield(L)) {
        bindings_check_end(L);
        bindings_block_for_broker(bindings_of(L)->current);
        producer_block_for_room(producer, ROOM_BLOCK_MS);
        bindings_end_broker_block(bindings_of(L)->current);
    }
    return result;
}

static int publish_now(lua_State *L)
{
    struct producer_value *value = lua_touserdata(L, ARG_PRODUCER);
    struct call *call = bindings_of(L)->current;
    struct publication publication = {
        .record = call->record,
        .attempt = call->record != NULL ? call->record->run : 0,
        .tag = call->tag,
    };
    /* The Lua value stands before the record is on its way, so that running out of memory cannot
     * leave a delivery without an owner; and before the record is read, for making it may run
     * finalizers, which may use the same buffers. */
    enum { DELIVERY = ARG_LAST + 1 };
    assert(lua_gettop(L) == ARG_LAST);
    struct delivery **delivery = lua_newuserdatauv(L, sizeof *delivery, 0);
    *delivery = NULL;
    luaL_setmetatable(L, DELIVERY_CLASS);
    publication_read(L, value, &publication);

    struct error err;
    enum publish_result result = PUBLISH_INVALID;
    struct recorder *recorder = bindings_of(L)->host->recorder;
    if (recorder != NULL)
        result = recorder_publish(recorder, value->config, lua_tostring(L, ARG_TYPE), &publication,
                                  delivery, &err);
    else if (producer_connect(value->producer, &err) == 0)
        result = publish_or_block(L, value->producer, &publication, delivery, &err);
    switch (result) {
    case PUBLISH_QUEUED:
        break;
    case PUBLISH_FULL:
        return wait_for_room(L, value->producer);
    case PUBLISH_INVALID:
        return luaL_error(L, "publish: %s", err.text);
    }
    call->published++;
    lua_settop(L, DELIVERY);
    return 1;
}

static void check_may_publish(lua_State *L, const struct producer_value *value)
{
    const struct bindings *bindings = bindings_of(L);
    const char *place = bindings_idle_place(bindings);
    if (place != NULL)
        luaL_error(L, "publish: not %s, only in a handler", place);
    if (value->producer == NULL && bindings->host->recorder == NULL)
        luaL_error(L, "publish: nothing is published here");
}

static void check_type(lua_State *L)
{
    size_t length;
    if (lua_type(L, ARG_TYPE) != LUA_TSTRING)
        luaL_error(L, "publish: the type must be a string, got %s: producer:publish(type, event)",
                   luaL_typename(L, ARG_TYPE));
    lua_tolstring(L, ARG_TYPE, &length);
    if (length == 0)
        luaL_error(L, "publish: the type must not be empty");
}

static void check_arguments(lua_State *L)
{
    struct producer_value *value = luaL_checkudata(L, ARG_PRODUCER, PRODUCER_CLASS);
    check_type(L);
    if (lua_isnoneornil(L, ARG_OPTIONS)) {
        lua_settop(L, ARG_EVENT);
        lua_newtable(L);
    } else if (!lua_istable(L, ARG_OPTIONS)) {
        luaL_error(L, "publish: options must be a table, got %s", luaL_typename(L, ARG_OPTIONS));
    } else {
        publication_check_options(L);
    }
    check_may_publish(L, value);
}

static int after_chain(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - ARG_LAST;
}

/* Through the producer's middlewares, if it has any; they end in on_publish_end. */
static int publish(lua_State *L, const struct producer_value *value)
{
    if (value->config->middlewares.count == 0)
        return publish_now(L);
    publication_push_part(L, value->config, PRODUCER_CHAIN);
    lua_pushvalue(L, ARG_EVENT);
    publication_push_context(L, value->config);
    lua_callk(L, 2, LUA_MULTRET, 0, after_chain);
    return after_chain(L, LUA_OK, 0);
}

/* producer:publish(type, event [, {key, headers, topic, partition, timestamp}]) -> delivery */
static int on_publish(lua_State *L)
{
    lua_settop(L, ARG_OPTIONS);
    check_arguments(L);
    lua_settop(L, ARG_LAST);
    return publish(L, lua_touserdata(L, ARG_PRODUCER));
}

/* The same with the value's text as fifth argument, which is sent as it is unless the producer has
 * other ideas of what is sent. */
int bindings_publish_text(lua_State *L)
{
    lua_settop(L, ARG_LAST);
    luaL_checktype(L, ARG_OPTIONS, LUA_TTABLE);
    luaL_checktype(L, ARG_TEXT, LUA_TSTRING);
    check_arguments(L);
    const struct producer_value *value = lua_touserdata(L, ARG_PRODUCER);
    if (value->config->codec.codec != CODEC_JSON || value->config->middlewares.count > 0)
        lua_settop(L, ARG_OPTIONS);
    lua_settop(L, ARG_LAST);
    return publish(L, value);
}

/* The end of the middlewares: fun(event, context). Upvalue 1 is the producer. */
static int on_publish_end(lua_State *L)
{
    lua_settop(L, 2);
    if (!lua_istable(L, 2))
        luaL_error(L, "publish: a middleware must give next the context that it got, not a %s",
                   luaL_typename(L, 2));
    lua_getfield(L, 2, "type");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, ARG_PRODUCER); /* producer, event, context, type */
    lua_insert(L, ARG_TYPE);     /* producer, type, event, context */
    check_type(L);
    publication_check_context(L);
    lua_settop(L, ARG_LAST);
    return publish_now(L);
}

/* --- producers --- */

static void make_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction on_gc)
{
    if (!luaL_newmetatable(L, name)) {
        lua_pop(L, 1);
        return;
    }
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    if (on_gc != NULL) {
        lua_pushcfunction(L, on_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
}

static void make_classes(lua_State *L)
{
    static const luaL_Reg producer_methods[] = {{"publish", on_publish}, {NULL, NULL}};
    static const luaL_Reg delivery_methods[] = {{"await", on_await}, {NULL, NULL}};
    make_class(L, PRODUCER_CLASS, producer_methods, NULL);
    make_class(L, DELIVERY_CLASS, delivery_methods, on_delivery_gc);
}

static void push_producer(lua_State *L, size_t index)
{
    const struct bindings_host *host = bindings_of(L)->host;
    struct producer_value *value = lua_newuserdatauv(L, sizeof *value, 0);
    *value = (struct producer_value){
        .config = &host->config->producers[index],
        .producer = host->producers != NULL ? host->producers[index] : NULL,
    };
    luaL_setmetatable(L, PRODUCER_CLASS);
}

static int raise_unknown_producer(lua_State *L, const struct config *config, const char *name)
{
    const char **names = lua_newuserdatauv(L, (config->producer_count + 1) * sizeof names[0], 0);
    for (size_t i = 0; i < config->producer_count; i++)
        names[i] = config->producers[i].name;
    const char *meant = words_nearest(name, names, config->producer_count);
    const char *hint = meant != NULL ? lua_pushfstring(L, ", did you mean '%s'?", meant) : "";
    return luaL_error(L, "lagoon.producer: no producer '%s' is declared in %s%s", name,
                      config->path, hint);
}

/* lagoon.producer(name): legal everywhere, connects nothing. */
static int on_producer(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct config *config = bindings_of(L)->host->config;
    for (size_t i = 0; i < config->producer_count; i++) {
        if (strcmp(config->producers[i].name, name) != 0)
            continue;
        push_producer(L, i);
        return 1;
    }
    return raise_unknown_producer(L, config, name);
}

void bindings_push_publish_end(lua_State *L, const struct producer_config *producer)
{
    make_classes(L);
    push_producer(L, (size_t)(producer - bindings_of(L)->host->config->producers));
    lua_pushcclosure(L, on_publish_end, 1);
}

void bindings_push_producer(lua_State *L)
{
    make_classes(L);
    lua_pushcfunction(L, on_producer);
}
