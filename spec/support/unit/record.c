/* record.c - the functions of runtime/record.h for specs. A record is a light userdata. */
#include "record.h"

#include <assert.h>
#include <string.h>

#include <lauxlib.h>
#include <librdkafka/rdkafka.h>
#include <lua.h>

int unit_open_record(lua_State *L);

enum { FLUSH_MS = 5000 };

static const char *const state_names[] = {
    [RECORD_OUTSIDE] = "outside", [RECORD_RUNNABLE] = "runnable", [RECORD_HELD] = "held",
    [RECORD_BEHIND] = "behind",   [RECORD_TWIN] = "twin",         [RECORD_RUNNING] = "running",
    [RECORD_ENDED] = "ended",     [RECORD_KEPT] = "kept",
};

static struct record *check_record(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 1);
}

/* A record borrows its topic, so the string has to stay for as long as the interpreter. */
static const char *check_topic(lua_State *L, int index)
{
    const char *topic = luaL_checkstring(L, index);
    lua_pushvalue(L, index);
    lua_pushboolean(L, 1);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return topic;
}

/* make(topic, partition, offset, key, value) */
static int l_make(lua_State *L)
{
    const char *topic = check_topic(L, 1);
    int32_t partition = (int32_t)luaL_checkinteger(L, 2);
    int64_t offset = luaL_checkinteger(L, 3);
    size_t key_length = 0;
    size_t value_length = 0;
    const char *key = luaL_optlstring(L, 4, NULL, &key_length);
    const char *value = luaL_optlstring(L, 5, NULL, &value_length);
    lua_pushlightuserdata(
        L, record_make(topic, partition, offset, key, key_length, value, value_length));
    return 1;
}

/* deliver(record, epoch, slot): what main sets before the dispatcher gets it. */
static int l_deliver(lua_State *L)
{
    struct record *record = check_record(L);
    record->epoch = (uint64_t)luaL_checkinteger(L, 2);
    record->slot = (uint64_t)luaL_optinteger(L, 3, 0);
    return 0;
}

static int l_free(lua_State *L)
{
    struct record *record = check_record(L);
    record_free(&record);
    assert(record == NULL);
    return 0;
}

static int l_state(lua_State *L)
{
    lua_pushstring(L, state_names[check_record(L)->state]);
    return 1;
}

static int l_name(lua_State *L)
{
    char name[RECORD_NAME_BYTES];
    lua_pushstring(L, record_name(check_record(L), name));
    return 1;
}

/* fail(record, text, deliveries): as a worker and its deliveries leave it. */
static int l_fail(lua_State *L)
{
    struct record *record = check_record(L);
    record->outcome = OUTCOME_FAILED;
    record->failure = xstrdup(luaL_checkstring(L, 2));
    record->deliveries_open = (uint32_t)luaL_optinteger(L, 3, 0);
    return 0;
}

static void push_bytes(lua_State *L, const char *bytes, size_t length)
{
    if (bytes == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, bytes, length);
}

static void set_number(lua_State *L, const char *name, int64_t number)
{
    lua_pushinteger(L, number);
    lua_setfield(L, -2, name);
}

static void set_bytes(lua_State *L, const char *name, const char *bytes, size_t length)
{
    push_bytes(L, bytes, length);
    lua_setfield(L, -2, name);
}

/* A header as a table; the NUL behind its value is looked at too. */
static void push_header(lua_State *L, const struct record_header *header)
{
    lua_newtable(L);
    set_bytes(L, "name", header->name, strlen(header->name));
    set_bytes(L, "value", header->value, header->value_length);
    lua_pushboolean(L, header->is_null);
    lua_setfield(L, -2, "is_null");
    assert(header->value[header->value_length] == '\0');
}

/* header(record, name) */
static int l_header(lua_State *L)
{
    const struct record_header *header = record_header(check_record(L), luaL_checkstring(L, 2));
    if (header == NULL)
        return 0;
    push_header(L, header);
    return 1;
}

static int l_fields(lua_State *L)
{
    const struct record *record = check_record(L);
    lua_newtable(L);
    set_bytes(L, "topic", record->topic, strlen(record->topic));
    set_number(L, "partition", record->partition);
    set_number(L, "offset", record->offset);
    set_number(L, "timestamp_ms", record->timestamp_ms);
    set_bytes(L, "key", record->key, record->key_length);
    set_bytes(L, "value", record->value, record->value_length);
    set_number(L, "block_bytes", (int64_t)record->block_bytes);
    set_number(L, "attempt", record->attempt);
    lua_newtable(L);
    for (size_t i = 0; i < record->header_count; i++) {
        push_header(L, &record->headers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "headers");
    return 1;
}

/* --- a real message of librdkafka --- */

/* A delivery report is a whole message, with headers. */
static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *context)
{
    (void)kafka;
    (void)context;
    struct record **record = message->_private;
    *record = record_new(message, rd_kafka_topic_name(message->rkt));
    (*record)->topic = "copied";
}

static rd_kafka_t *producer_new(lua_State *L)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text);
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", text, sizeof text);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (kafka == NULL)
        luaL_error(L, "%s", text);
    return kafka;
}

/* The list of {name, value} at `index`; false as a value is Kafka's null. */
static rd_kafka_headers_t *check_headers(lua_State *L, int index)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    for (lua_Integer i = 1; lua_rawgeti(L, index, i) == LUA_TTABLE; i++) {
        size_t length = 0;
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        const char *value = lua_toboolean(L, -1) ? luaL_checklstring(L, -1, &length) : NULL;
        rd_kafka_header_add(headers, luaL_checkstring(L, -2), -1, value, (ssize_t)length);
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
    return headers;
}

/* copy(key, value, timestamp_ms, headers): the record that record_new makes of such a message. Only
 * one that was sent has a timestamp. */
static int l_copy(lua_State *L)
{
    size_t key_length = 0;
    size_t value_length = 0;
    const char *key = luaL_optlstring(L, 1, NULL, &key_length);
    const char *value = luaL_optlstring(L, 2, NULL, &value_length);
    struct record *record = NULL;
    bool is_sent = !lua_isnoneornil(L, 3);
    rd_kafka_t *kafka = producer_new(L);
    rd_kafka_headers_t *headers = lua_istable(L, 4) ? check_headers(L, 4) : NULL;
    rd_kafka_resp_err_t rc = rd_kafka_producev(
        kafka, RD_KAFKA_V_TOPIC("spec"), RD_KAFKA_V_PARTITION(3), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_TIMESTAMP(luaL_optinteger(L, 3, 0)), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(&record), RD_KAFKA_V_END);
    assert(rc == RD_KAFKA_RESP_ERR_NO_ERROR);
    if (!is_sent)
        rd_kafka_purge(kafka, RD_KAFKA_PURGE_F_QUEUE);
    rd_kafka_flush(kafka, FLUSH_MS);
    rd_kafka_destroy(kafka);
    assert(record != NULL);
    lua_pushlightuserdata(L, record);
    return 1;
}

int unit_open_record(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"make", l_make},     {"copy", l_copy}, {"deliver", l_deliver}, {"free", l_free},
        {"state", l_state},   {"name", l_name}, {"fail", l_fail},       {"header", l_header},
        {"fields", l_fields}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
