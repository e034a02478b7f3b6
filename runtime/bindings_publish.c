/* lagoon.producer, its publish calls, and the deliveries they return. */
#include "bindings.h"

#include <lauxlib.h>
#include <string.h>
#include <sys/random.h>

#include "error.h"
#include "json.h"

static const char PRODUCER_CLASS[] = "lagoon.producer";
static const char DELIVERY_CLASS[] = "lagoon.delivery";

/* How long a script that cannot yield blocks at a time for room in a full queue. */
enum { ROOM_BLOCK_MS = 100 };

/* Arguments of publish on the Lua stack, the same for publish and for the command line's. */
enum { ARG_PRODUCER = 1, ARG_TYPE, ARG_EVENT, ARG_OPTIONS, ARG_TEXT, ARG_LAST = ARG_TEXT };

struct producer_value {
    const struct producer_config *config;
    struct producer *producer; /* NULL where nothing is published, as in a check */
    bool has_warned;           /* of a missing key */
};

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
    call->wait = CALL_WAITS_TICKET;
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

/* --- what is published --- */

/* Pushes the value at a path such as payment.id of the table at `index`; nil when there is none. */
static void push_path(lua_State *L, int index, const char *path)
{
    lua_pushvalue(L, index);
    while (*path != '\0') {
        size_t length = strcspn(path, ".");
        if (!lua_istable(L, -1)) {
            lua_pushnil(L);
        } else {
            lua_pushlstring(L, path, length);
            lua_rawget(L, -2);
        }
        lua_remove(L, -2);
        path += length + (path[length] == '.');
    }
}

static void push_uuid(lua_State *L)
{
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        luaL_error(L, "no random bytes from the system");
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char text[37];
    snprintf(text, sizeof text,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    lua_pushlstring(L, text, 36);
}

/* lagoon.uuid(): a random one (version 4). */
int bindings_uuid(lua_State *L)
{
    push_uuid(L);
    return 1;
}

static bool is_null(lua_State *L, int index)
{
    return lua_islightuserdata(L, index) && lua_touserdata(L, index) == NULL;
}

/* Turns the value on top, a string or an integer, into bytes that stay on the stack. */
static const char *text_of_top(lua_State *L, size_t *length)
{
    if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1))
        return NULL;
    return lua_tolstring(L, -1, length);
}

static void use_missing_key(lua_State *L, struct producer_value *value,
                            struct publication *publication)
{
    const char *path = value->config->key_field;
    if (path != NULL && value->config->key_missing == KEY_MISSING_ERROR)
        luaL_error(L, "publish: the event has no '%s', which is the key of producer '%s'", path,
                   value->config->name);
    if (path != NULL && !value->has_warned) {
        value->has_warned = true;
        log_warn("producer %s: an event has no '%s'; its key is a fresh UUID (said once)",
                 value->config->name, path);
    }
    push_uuid(L);
    publication->key = lua_tolstring(L, -1, &publication->key_length);
}

/* options.key, else the event's key field, else a fresh UUID. Leaves the key's bytes on the stack.
 */
static void find_key(lua_State *L, struct producer_value *value, struct publication *publication)
{
    lua_getfield(L, ARG_OPTIONS, "key");
    if (is_null(L, -1))
        return;
    if (!lua_isnil(L, -1)) {
        publication->key = text_of_top(L, &publication->key_length);
        if (publication->key == NULL)
            luaL_error(L, "publish: key must be a string or an integer, got %s",
                       luaL_typename(L, -1));
        return;
    }
    if (lua_isnil(L, ARG_EVENT))
        luaL_error(L, "publish: a nil event is a tombstone and needs a key: "
                      "publish(type, nil, {key = ...})");
    if (value->config->key_field != NULL) {
        push_path(L, ARG_EVENT, value->config->key_field);
        if (!lua_isnil(L, -1) && !is_null(L, -1)) {
            publication->key = text_of_top(L, &publication->key_length);
            if (publication->key == NULL)
                luaL_error(L,
                           "publish: the event's '%s' is its key and must be a string or an "
                           "integer, got %s",
                           value->config->key_field, luaL_typename(L, -1));
            return;
        }
    }
    use_missing_key(L, value, publication);
}

static void add_header(lua_State *L, struct publication *publication, const char *name)
{
    struct bindings *bindings = bindings_of(L);
    if (publication->header_count == bindings->header_capacity) {
        bindings->header_capacity = bindings->header_capacity * 2 + 8;
        bindings->headers =
            xrealloc(bindings->headers, bindings->header_capacity * sizeof bindings->headers[0]);
    }
    struct record_header header = {.name = name, .is_null = is_null(L, -1)};
    if (!header.is_null) {
        header.value = text_of_top(L, &header.value_length);
        if (header.value == NULL)
            luaL_error(L, "publish: header '%s' must be a string or an integer, got %s", name,
                       luaL_typename(L, -1));
    }
    bindings->headers[publication->header_count++] = header;
    publication->headers = bindings->headers;
}

/* options.headers as a list of {name, value}. Every string stays on the stack until publish. */
static void add_header_list(lua_State *L, struct publication *publication, int headers)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, headers);
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_checkstack(L, 4, "too many headers");
        lua_rawgeti(L, headers, i);
        if (!lua_istable(L, -1))
            luaL_error(L, "publish: headers[%d] must be {name, value}", (int)i);
        int pair = lua_gettop(L);
        lua_rawgeti(L, pair, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "publish: headers[%d] must be {name, value}", (int)i);
        lua_rawgeti(L, pair, 2);
        add_header(L, publication, lua_tostring(L, -2));
    }
}

static void add_header_map(lua_State *L, struct publication *publication, int headers)
{
    lua_pushnil(L);
    while (lua_next(L, headers) != 0) {
        luaL_checkstack(L, 4, "too many headers");
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "publish: headers is a map of names to values, or a list of "
                          "{name, value}");
        add_header(L, publication, lua_tostring(L, -2));
        /* Name and value stay below; the walk goes on with a copy of the name. */
        lua_pushvalue(L, -2);
    }
}

static void find_headers(lua_State *L, const struct producer_value *value,
                         struct publication *publication)
{
    if (value->config->type_header != NULL) {
        lua_pushvalue(L, ARG_TYPE);
        add_header(L, publication, value->config->type_header);
    }
    int kind = lua_getfield(L, ARG_OPTIONS, "headers");
    int headers = lua_gettop(L);
    if (kind == LUA_TNIL)
        return;
    if (kind != LUA_TTABLE)
        luaL_error(L, "publish: headers must be a table, got %s", luaL_typename(L, headers));
    if (lua_rawlen(L, headers) > 0)
        add_header_list(L, publication, headers);
    else
        add_header_map(L, publication, headers);
}

static void find_value(lua_State *L, struct publication *publication)
{
    if (!lua_isnil(L, ARG_TEXT)) {
        publication->value = lua_tolstring(L, ARG_TEXT, &publication->value_length);
        return;
    }
    if (lua_isnil(L, ARG_EVENT))
        return;
    enum { KEEP_BYTES = 64 * 1024 };
    struct buffer *text = &bindings_of(L)->text;
    struct error err;
    buffer_clear(text, KEEP_BYTES);
    if (json_encode(L, ARG_EVENT, text, &err) != 0)
        luaL_error(L, "publish: the event cannot be written as JSON: %s", err.text);
    publication->value = text->bytes;
    publication->value_length = text->length;
}

static lua_Integer integer_option(lua_State *L, const char *name, lua_Integer missing)
{
    if (lua_getfield(L, ARG_OPTIONS, name) == LUA_TNIL)
        return missing;
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0)
        luaL_error(L, "publish: %s must be an integer, not negative, got %s", name,
                   luaL_tolstring(L, -1, NULL));
    return lua_tointeger(L, -1);
}

static void find_place(lua_State *L, struct publication *publication)
{
    lua_Integer partition = integer_option(L, "partition", -1);
    if (partition > INT32_MAX)
        luaL_error(L, "publish: partition %I is too large", (LUAI_UACINT)partition);
    publication->partition = (int32_t)partition;
    publication->timestamp_ms = integer_option(L, "timestamp", 0);
    int kind = lua_getfield(L, ARG_OPTIONS, "topic");
    if (kind != LUA_TNIL && kind != LUA_TSTRING)
        luaL_error(L, "publish: topic must be a string, got %s", luaL_typename(L, -1));
    publication->topic = lua_tostring(L, -1);
}

static void check_options(lua_State *L)
{
    static const char *const known[] = {"key", "headers", "topic", "partition", "timestamp"};
    lua_pushnil(L);
    while (lua_next(L, ARG_OPTIONS) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
            is_known = is_known || strcmp(name, known[i]) == 0;
        if (!is_known)
            luaL_error(L,
                       "publish: unknown option '%s': there are key, headers, topic, partition, "
                       "timestamp",
                       name);
        lua_pop(L, 1);
    }
}

/* --- publishing --- */

static bool can_yield(lua_State *L)
{
    return lua_isyieldable(L) && bindings_of(L)->current->thread == L;
}

static int publish_now(lua_State *L);

static int publish_when_room(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return publish_now(L);
}

/* The queue is full: the handler waits, so that memory stays bounded and nothing fails. */
static int wait_for_room(lua_State *L, struct producer *producer)
{
    struct call *call = bindings_of(L)->current;
    lua_settop(L, ARG_LAST);
    call->wait = CALL_WAITS_TICKET;
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
           !can_yield(L))
        producer_block_for_room(producer, ROOM_BLOCK_MS);
    return result;
}

static int publish_now(lua_State *L)
{
    struct producer_value *value = lua_touserdata(L, ARG_PRODUCER);
    struct call *call = bindings_of(L)->current;
    struct publication publication = {
        .record = call->record,
        .attempt = call->record != NULL ? call->record->attempt : 0,
    };
    find_place(L, &publication);
    find_key(L, value, &publication);
    find_headers(L, value, &publication);
    find_value(L, &publication);

    /* The Lua value stands before the record is on its way, so that running out of memory cannot
     * leave a delivery without an owner. */
    struct delivery **delivery = lua_newuserdatauv(L, sizeof *delivery, 0);
    *delivery = NULL;
    luaL_setmetatable(L, DELIVERY_CLASS);

    struct error err;
    if (producer_connect(value->producer, &err) != 0)
        return luaL_error(L, "publish: %s", err.text);
    switch (publish_or_block(L, value->producer, &publication, delivery, &err)) {
    case PUBLISH_QUEUED:
        break;
    case PUBLISH_FULL:
        return wait_for_room(L, value->producer);
    case PUBLISH_INVALID:
        return luaL_error(L, "publish: %s", err.text);
    }
    call->published++;
    return 1;
}

static void check_may_publish(lua_State *L, const struct producer_value *value)
{
    const struct bindings *bindings = bindings_of(L);
    if (bindings->loading > 0 || bindings->current == NULL)
        luaL_error(L, "publish: not at the top of a file, only in a handler");
    if (value->producer == NULL)
        luaL_error(L, "publish: nothing is published here");
}

static void check_arguments(lua_State *L)
{
    struct producer_value *value = luaL_checkudata(L, ARG_PRODUCER, PRODUCER_CLASS);
    size_t length;
    if (lua_type(L, ARG_TYPE) != LUA_TSTRING)
        luaL_error(L, "publish: the type must be a string, got %s: producer:publish(type, event)",
                   luaL_typename(L, ARG_TYPE));
    lua_tolstring(L, ARG_TYPE, &length);
    if (length == 0)
        luaL_error(L, "publish: the type must not be empty");
    if (lua_isnoneornil(L, ARG_OPTIONS)) {
        lua_settop(L, ARG_EVENT);
        lua_newtable(L);
    } else if (!lua_istable(L, ARG_OPTIONS)) {
        luaL_error(L, "publish: options must be a table, got %s", luaL_typename(L, ARG_OPTIONS));
    } else {
        check_options(L);
    }
    check_may_publish(L, value);
}

/* producer:publish(type, event [, {key, headers, topic, partition, timestamp}]) -> delivery */
static int on_publish(lua_State *L)
{
    lua_settop(L, ARG_OPTIONS);
    check_arguments(L);
    lua_settop(L, ARG_LAST);
    return publish_now(L);
}

/* The same with the value's text as fifth argument, which is sent as it is. */
int bindings_publish_text(lua_State *L)
{
    lua_settop(L, ARG_LAST);
    luaL_checktype(L, ARG_OPTIONS, LUA_TTABLE);
    luaL_checktype(L, ARG_TEXT, LUA_TSTRING);
    check_arguments(L);
    return publish_now(L);
}

/* --- producers --- */

/* lagoon.producer(name): legal everywhere, connects nothing. */
static int on_producer(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct bindings_host *host = bindings_of(L)->host;
    const struct config *config = host->config;
    for (size_t i = 0; i < config->producer_count; i++) {
        if (strcmp(config->producers[i].name, name) != 0)
            continue;
        struct producer_value *value = lua_newuserdatauv(L, sizeof *value, 0);
        *value = (struct producer_value){
            .config = &config->producers[i],
            .producer = host->producers != NULL ? host->producers[i] : NULL,
        };
        luaL_setmetatable(L, PRODUCER_CLASS);
        return 1;
    }
    return luaL_error(L, "lagoon.producer: no producer '%s' is declared in %s", name, config->path);
}

static void make_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction on_gc)
{
    luaL_newmetatable(L, name);
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

void bindings_push_producer(lua_State *L)
{
    static const luaL_Reg producer_methods[] = {{"publish", on_publish}, {NULL, NULL}};
    static const luaL_Reg delivery_methods[] = {{"await", on_await}, {NULL, NULL}};
    make_class(L, PRODUCER_CLASS, producer_methods, NULL);
    make_class(L, DELIVERY_CLASS, delivery_methods, on_delivery_gc);
    lua_pushcfunction(L, on_producer);
}
