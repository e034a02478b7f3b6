/* oracle.c - require("unit").oracle: handles to a real Kafka that stay open during a spec.
 *
 * What is asked or written many times in a spec: committed offsets that are sampled while the
 * program runs, records at a steady rate, transactions, records that retention removes. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <librdkafka/rdkafka.h>
#include <lua.h>

enum { TIMEOUT_MS = 10000 };

static const char WATCH[] = "oracle.watch";
static const char WRITER[] = "oracle.writer";

struct watch {
    rd_kafka_t *handle;
    char *topic;
    int partitions;
};

struct writer {
    rd_kafka_t *handle;
    rd_kafka_queue_t *reports;
    size_t acknowledged;
    size_t refused;
};

int unit_open_oracle(lua_State *L);

static void keep_quiet(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

/* Properties are the table at the index, if there is one. */
static rd_kafka_t *open_handle(lua_State *L, rd_kafka_type_t type, const char *brokers, int index)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, keep_quiet);
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    rd_kafka_conf_set(conf, "socket.nagle.disable", "true", text, sizeof(text));
    /* Or what is retried may overtake what came before, or be taken for written. */
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof(text));
        rd_kafka_conf_set(conf, "max.in.flight", "1", text, sizeof(text));
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    if (lua_istable(L, index)) {
        for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 2)) {
            const char *value = luaL_tolstring(L, -1, NULL);
            if (rd_kafka_conf_set(conf, lua_tostring(L, -3), value, text, sizeof(text)) !=
                RD_KAFKA_CONF_OK)
                luaL_error(L, "%s", text);
        }
    }
    rd_kafka_t *handle = rd_kafka_new(type, conf, text, sizeof(text));
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        luaL_error(L, "%s", text);
    }
    return handle;
}

static int push_failure(lua_State *L, rd_kafka_resp_err_t code)
{
    lua_pushnil(L);
    lua_pushstring(L, rd_kafka_err2str(code));
    return 2;
}

/* --- committed offsets --- */

/* watch(brokers, group, topic, partitions) */
static int oracle_watch(lua_State *L)
{
    const char *brokers = luaL_checkstring(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "group.id");
    struct watch *watch = lua_newuserdatauv(L, sizeof *watch, 0);
    *watch = (struct watch){.partitions = (int)luaL_checkinteger(L, 4)};
    luaL_setmetatable(L, WATCH);
    watch->topic = strdup(luaL_checkstring(L, 3));
    watch->handle = open_handle(L, RD_KAFKA_CONSUMER, brokers, lua_absindex(L, -2));
    return 1;
}

/* watch:committed([timeout_ms]): by partition; one without a commit is absent. */
static int watch_committed(lua_State *L)
{
    struct watch *watch = luaL_checkudata(L, 1, WATCH);
    int timeout_ms = (int)luaL_optinteger(L, 2, TIMEOUT_MS);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(watch->partitions);
    rd_kafka_topic_partition_list_add_range(list, watch->topic, 0, watch->partitions - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(watch->handle, list, timeout_ms);

    lua_newtable(L);
    for (int i = 0; i < list->cnt; i++) {
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = list->elems[i].err;
        if (list->elems[i].offset < 0)
            continue;
        lua_pushinteger(L, list->elems[i].offset);
        lua_rawseti(L, -2, list->elems[i].partition);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : push_failure(L, code);
}

static int watch_close(lua_State *L)
{
    struct watch *watch = luaL_checkudata(L, 1, WATCH);
    if (watch->handle != NULL)
        rd_kafka_destroy(watch->handle);
    watch->handle = NULL;
    free(watch->topic);
    watch->topic = NULL;
    return 0;
}

/* --- records --- */

/* writer(brokers [, properties]) */
static int oracle_writer(lua_State *L)
{
    lua_settop(L, 2);
    struct writer *writer = lua_newuserdatauv(L, sizeof *writer, 0);
    *writer = (struct writer){0};
    luaL_setmetatable(L, WRITER);
    writer->handle = open_handle(L, RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), 2);
    writer->reports = rd_kafka_queue_get_main(writer->handle);
    return 1;
}

static void count_reports(struct writer *writer, rd_kafka_event_t *event)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
        const rd_kafka_message_t *message;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                writer->acknowledged++;
            else
                writer->refused++;
        }
    }
    rd_kafka_event_destroy(event);
}

static void collect_reports(struct writer *writer)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(writer->reports, 0)) != NULL)
        count_reports(writer, event);
}

/* writer:send(topic, type, key, value [, partition]): hands it over, with the time of this moment;
 * the answer is counted later. */
static int writer_send(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    size_t type_length, key_length, value_length;
    const char *topic = luaL_checkstring(L, 2);
    const char *type = luaL_checklstring(L, 3, &type_length);
    const char *key = luaL_optlstring(L, 4, NULL, &key_length);
    const char *value = luaL_optlstring(L, 5, NULL, &value_length);
    int32_t partition = (int32_t)luaL_optinteger(L, 6, RD_KAFKA_PARTITION_UA);

    collect_reports(writer);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, "Message-Type", -1, type, (ssize_t)type_length);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        writer->handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(key, key_length), RD_KAFKA_V_VALUE((void *)value, value_length),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        lua_pushboolean(L, 1);
        return 1;
    }
    rd_kafka_headers_destroy(headers);
    return push_failure(L, code);
}

/* writer:counts(): acknowledged, refused, without an answer so far. */
static int writer_counts(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    collect_reports(writer);
    lua_pushinteger(L, (lua_Integer)writer->acknowledged);
    lua_pushinteger(L, (lua_Integer)writer->refused);
    lua_pushinteger(L, rd_kafka_outq_len(writer->handle));
    return 3;
}

static int push_result(lua_State *L, rd_kafka_error_t *error)
{
    if (error == NULL) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return 2;
}

/* Those of a writer with a transactional.id, whose records are reported before they are called. */
static int writer_init_transactions(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    return push_result(L, rd_kafka_init_transactions(writer->handle, 3 * TIMEOUT_MS));
}

static int writer_begin(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    return push_result(L, rd_kafka_begin_transaction(writer->handle));
}

static int writer_commit(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    return push_result(L, rd_kafka_commit_transaction(writer->handle, TIMEOUT_MS));
}

static int writer_abort(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    return push_result(L, rd_kafka_abort_transaction(writer->handle, TIMEOUT_MS));
}

static int writer_close(lua_State *L)
{
    struct writer *writer = luaL_checkudata(L, 1, WRITER);
    if (writer->handle == NULL)
        return 0;
    rd_kafka_purge(writer->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    collect_reports(writer);
    rd_kafka_queue_destroy(writer->reports);
    rd_kafka_destroy(writer->handle);
    writer->handle = NULL;
    return 0;
}

/* --- what an operator or retention does --- */

/* The refusal of one answered admin request; NULL when all is well. */
static const char *refusal_of(rd_kafka_event_t *event)
{
    if (event == NULL)
        return "no answer";
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_kafka_event_error_string(event);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ALTERCONFIGS_RESULT) {
        size_t count;
        const rd_kafka_ConfigResource_t **topics = rd_kafka_AlterConfigs_result_resources(
            rd_kafka_event_AlterConfigs_result(event), &count);
        return rd_kafka_ConfigResource_error_string(topics[0]);
    }
    const rd_kafka_topic_partition_list_t *list =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    rd_kafka_resp_err_t code = list->elems[0].err;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? NULL : rd_kafka_err2str(code);
}

/* The answer to the one request that was sent: true, or false and why. Takes queue and handle. */
static int push_answer(lua_State *L, rd_kafka_t *handle, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * TIMEOUT_MS);
    const char *refusal = refusal_of(event);
    lua_pushboolean(L, refusal == NULL);
    lua_pushstring(L, refusal);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return 2;
}

/* delete_records(brokers, topic, partition, offset): everything before the offset goes. */
static int oracle_delete_records(lua_State *L)
{
    rd_kafka_t *handle = open_handle(L, RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), 5);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, luaL_checkstring(L, 2),
                                      (int32_t)luaL_checkinteger(L, 3))
        ->offset = luaL_checkinteger(L, 4);
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DeleteRecords(handle, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    return push_answer(L, handle, queue);
}

/* alter_topic(brokers, topic, {name = value}): these are its own settings now, and no others. */
static int oracle_alter_topic(lua_State *L)
{
    luaL_checktype(L, 3, LUA_TTABLE);
    rd_kafka_t *handle = open_handle(L, RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), 5);
    rd_kafka_ConfigResource_t *topic =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, luaL_checkstring(L, 2));
    for (lua_pushnil(L); lua_next(L, 3) != 0; lua_pop(L, 2)) {
        const char *value = luaL_tolstring(L, -1, NULL);
        rd_kafka_ConfigResource_set_config(topic, lua_tostring(L, -3), value);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_AlterConfigs(handle, &topic, 1, NULL, queue);
    rd_kafka_ConfigResource_destroy(topic);
    return push_answer(L, handle, queue);
}

static const luaL_Reg watch_methods[] = {
    {"committed", watch_committed},
    {"close", watch_close},
    {NULL, NULL},
};

static const luaL_Reg writer_methods[] = {
    {"send", writer_send},
    {"counts", writer_counts},
    {"init_transactions", writer_init_transactions},
    {"begin", writer_begin},
    {"commit", writer_commit},
    {"abort", writer_abort},
    {"close", writer_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"watch", oracle_watch},
    {"writer", oracle_writer},
    {"delete_records", oracle_delete_records},
    {"alter_topic", oracle_alter_topic},
    {NULL, NULL},
};

static void open_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

int unit_open_oracle(lua_State *L)
{
    open_class(L, WATCH, watch_methods, watch_close);
    open_class(L, WRITER, writer_methods, writer_close);
    luaL_newlib(L, functions);
    return 1;
}
