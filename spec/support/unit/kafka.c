/* kafka.c - require("unit").kafka: what specs ask of a broker, without the code that they test.
 *
 * Every function opens a handle of its own and blocks until the answer is there. A broker that does
 * not answer, or refuses, is nil and a message. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <librdkafka/rdkafka.h>
#include <lua.h>

enum { TIMEOUT_MS = 10000 };

int unit_open_kafka(lua_State *L);

static void keep_quiet(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

static rd_kafka_t *open_handle(rd_kafka_type_t type, const char *brokers, const char *group)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, keep_quiet);
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    rd_kafka_conf_set(conf, "message.max.bytes", "10000000", text, sizeof(text));
    rd_kafka_conf_set(conf, "linger.ms", "0", text, sizeof(text));
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    if (group != NULL)
        rd_kafka_conf_set(conf, "group.id", group, text, sizeof(text));
    rd_kafka_t *handle = rd_kafka_new(type, conf, text, sizeof(text));
    if (handle == NULL) {
        fprintf(stderr, "rd_kafka_new: %s\n", text);
        abort();
    }
    return handle;
}

static int push_failure(lua_State *L, rd_kafka_resp_err_t code)
{
    lua_pushnil(L);
    lua_pushstring(L, rd_kafka_err2str(code));
    return 2;
}

/* brokers(bootstrap, timeout_ms): how many brokers the cluster has. */
static int kafka_brokers(lua_State *L)
{
    const char *brokers = luaL_checkstring(L, 1);
    int timeout_ms = (int)luaL_optinteger(L, 2, TIMEOUT_MS);
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, brokers, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, NULL, &metadata, timeout_ms);
    int count = code == RD_KAFKA_RESP_ERR_NO_ERROR ? metadata->broker_cnt : 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return push_failure(L, code);
    lua_pushinteger(L, count);
    return 1;
}

/* partitions(bootstrap, topic): how many have a leader; 0 when there is no such topic. */
static int kafka_partitions(lua_State *L)
{
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), NULL);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, luaL_checkstring(L, 2), NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, topic, &metadata, TIMEOUT_MS);
    int count = 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
            count += metadata->topics[0].partitions[i].leader >= 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return push_failure(L, code);
    lua_pushinteger(L, count);
    return 1;
}

static int count_lagging(const struct rd_kafka_metadata *metadata)
{
    int count = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        for (int j = 0; j < topic->partition_cnt; j++) {
            const rd_kafka_metadata_partition_t *partition = &topic->partitions[j];
            count += partition->leader < 0 || partition->isr_cnt < partition->replica_cnt;
        }
    }
    return count;
}

/* lagging(bootstrap, timeout_ms): how many partitions of all topics have no leader, or a replica
 * that is not in sync. */
static int kafka_lagging(lua_State *L)
{
    int timeout_ms = (int)luaL_optinteger(L, 2, TIMEOUT_MS);
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 1, NULL, &metadata, timeout_ms);
    int count = 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = count_lagging(metadata);
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return push_failure(L, code);
    lua_pushinteger(L, count);
    return 1;
}

/* Every partition on the nodes that are listed at 4. */
static void place(lua_State *L, rd_kafka_NewTopic_t *topic, int partitions)
{
    enum { MAX_NODES = 8 };
    int32_t nodes[MAX_NODES];
    size_t count = 0;
    char text[512];
    for (; count < MAX_NODES && lua_rawgeti(L, 4, (lua_Integer)count + 1) == LUA_TNUMBER; count++)
        nodes[count] = (int32_t)lua_tointeger(L, -1);
    for (int i = 0; i < partitions; i++)
        if (rd_kafka_NewTopic_set_replica_assignment(topic, i, nodes, count, text, sizeof(text)) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            luaL_error(L, "%s", text);
}

static rd_kafka_NewTopic_t *new_topic(lua_State *L)
{
    char text[512];
    int partitions = (int)luaL_checkinteger(L, 3);
    bool is_placed = lua_istable(L, 4);
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(luaL_checkstring(L, 2), partitions,
                              is_placed ? -1 : (int)luaL_optinteger(L, 4, -1), text, sizeof(text));
    if (topic == NULL)
        luaL_error(L, "%s", text);
    if (is_placed)
        place(L, topic, partitions);
    if (!lua_istable(L, 5))
        return topic;
    for (lua_pushnil(L); lua_next(L, 5) != 0; lua_pop(L, 2)) {
        const char *value = luaL_tolstring(L, -1, NULL);
        rd_kafka_NewTopic_set_config(topic, lua_tostring(L, -3), value);
    }
    return topic;
}

/* create_topic(bootstrap, name, partitions [, replicas or {node, ...} [, settings]]), as many
 * replicas as the cluster sets by default unless it is said: true once the controller has made it.
 */
static int kafka_create_topic(lua_State *L)
{
    const char *brokers = luaL_checkstring(L, 1);
    rd_kafka_NewTopic_t *topic = new_topic(L);
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, brokers, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * TIMEOUT_MS);

    const char *failure = "no answer";
    if (event != NULL && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        failure = rd_kafka_event_error_string(event);
    } else if (event != NULL) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        failure = rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR
                      ? NULL
                      : rd_kafka_topic_result_error_string(results[0]);
    }
    lua_pushboolean(L, failure == NULL);
    lua_pushstring(L, failure);

    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    rd_kafka_NewTopic_destroy(topic);
    return 2;
}

/* deny(bootstrap, "topic"|"group", name): from now on nobody may see or use it. */
static int kafka_deny(lua_State *L)
{
    static const char *const kinds[] = {"topic", "group", NULL};
    static const rd_kafka_ResourceType_t types[] = {RD_KAFKA_RESOURCE_TOPIC,
                                                    RD_KAFKA_RESOURCE_GROUP};
    char failure[256] = "no answer";
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), NULL);
    rd_kafka_AclBinding_t *acl = rd_kafka_AclBinding_new(
        types[luaL_checkoption(L, 2, NULL, kinds)], luaL_checkstring(L, 3),
        RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:ANONYMOUS", "*", RD_KAFKA_ACL_OPERATION_ALL,
        RD_KAFKA_ACL_PERMISSION_TYPE_DENY, failure, sizeof failure);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateAcls(handle, &acl, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * TIMEOUT_MS);
    rd_kafka_resp_err_t code =
        event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AclBinding_destroy(acl);
    rd_kafka_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return push_failure(L, code);
    lua_pushboolean(L, 1);
    return 1;
}

/* committed(bootstrap, group, topic, partitions): what the group has committed, by partition; a
 * partition without a commit is absent. */
static int kafka_committed(lua_State *L)
{
    const char *topic = luaL_checkstring(L, 3);
    int count = (int)luaL_checkinteger(L, 4);
    rd_kafka_t *handle =
        open_handle(RD_KAFKA_CONSUMER, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    rd_kafka_topic_partition_list_add_range(list, topic, 0, count - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(handle, list, TIMEOUT_MS);

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
    rd_kafka_destroy(handle);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : push_failure(L, code);
}

/* watermarks(bootstrap, topic, partition): the first offset, and the one after the last. */
static int kafka_watermarks(lua_State *L)
{
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), NULL);
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        handle, luaL_checkstring(L, 2), (int32_t)luaL_checkinteger(L, 3), &low, &high, TIMEOUT_MS);
    rd_kafka_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return push_failure(L, code);
    lua_pushinteger(L, low);
    lua_pushinteger(L, high);
    return 2;
}

static void push_group(lua_State *L, const struct rd_kafka_group_info *group)
{
    lua_newtable(L);
    lua_pushstring(L, group->state);
    lua_setfield(L, -2, "state");
    lua_pushstring(L, group->protocol);
    lua_setfield(L, -2, "protocol");
    lua_pushinteger(L, group->member_cnt);
    lua_setfield(L, -2, "members");
}

/* group(bootstrap, name): {state, protocol, members}. */
static int kafka_group(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), NULL);
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(handle, name, &list, TIMEOUT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list->group_cnt == 0)
        code = RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        push_group(L, &list->groups[0]);
    if (list != NULL)
        rd_kafka_group_list_destroy(list);
    rd_kafka_destroy(handle);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : push_failure(L, code);
}

/* Adds the list of {name, value or nil} on the top of the stack. */
static void read_headers(lua_State *L, rd_kafka_headers_t *headers)
{
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2);
        size_t length = 0;
        const char *value = lua_tolstring(L, -1, &length);
        rd_kafka_header_add(headers, lua_tostring(L, -2), -1, value, (ssize_t)length);
        lua_pop(L, 3);
    }
}

/* A field of the table at 3; NULL when absent. It stays on the stack. */
static const char *read_bytes(lua_State *L, const char *name, size_t *length)
{
    *length = 0;
    lua_getfield(L, 3, name);
    return lua_tolstring(L, -1, length);
}

static lua_Integer read_integer(lua_State *L, const char *name, lua_Integer missing)
{
    lua_getfield(L, 3, name);
    return luaL_optinteger(L, -1, missing);
}

static rd_kafka_resp_err_t produce_one(lua_State *L, rd_kafka_t *handle, const char *topic)
{
    size_t key_length;
    size_t value_length;
    const char *key = read_bytes(L, "key", &key_length);
    const char *value = read_bytes(L, "value", &value_length);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(0);
    lua_getfield(L, 3, "headers");
    if (lua_istable(L, -1))
        read_headers(L, headers);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        handle, RD_KAFKA_V_TOPIC(topic),
        RD_KAFKA_V_PARTITION((int32_t)read_integer(L, "partition", RD_KAFKA_PARTITION_UA)),
        RD_KAFKA_V_TIMESTAMP(read_integer(L, "timestamp", 0)), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers);
    return code;
}

/* The report of the one record that was produced. */
static rd_kafka_resp_err_t await_report(rd_kafka_t *handle)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(handle);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(queue, TIMEOUT_MS)) != NULL) {
        bool is_report = rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR;
        if (is_report)
            code = rd_kafka_event_message_next(event)->err;
        rd_kafka_event_destroy(event);
        if (is_report)
            break;
    }
    rd_kafka_queue_destroy(queue);
    return code;
}

/* produce(bootstrap, topic, {key, value, headers, partition, timestamp}): true once acknowledged.
 * Every byte may be given, and a key, value or header's value may be absent. */
static int kafka_produce(lua_State *L)
{
    const char *topic = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, luaL_checkstring(L, 1), NULL);
    rd_kafka_resp_err_t code = produce_one(L, handle, topic);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = await_report(handle);
    rd_kafka_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return push_failure(L, code);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    {"brokers", kafka_brokers},     {"partitions", kafka_partitions},
    {"lagging", kafka_lagging},     {"create_topic", kafka_create_topic},
    {"committed", kafka_committed}, {"watermarks", kafka_watermarks},
    {"group", kafka_group},         {"produce", kafka_produce},
    {"deny", kafka_deny},           {NULL, NULL},
};

int unit_open_kafka(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
