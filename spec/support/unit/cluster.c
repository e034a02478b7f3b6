/* cluster.c - the functions of runtime/cluster.h for specs, on config files that they wrote, and
 * librdkafka's mock cluster to ask. */
#include "cluster.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <librdkafka/rdkafka_mock.h>
#include <lua.h>

#include "thread.h"

int unit_open_cluster(lua_State *L);

static const char MOCK[] = "unit.cluster.mock";
static const char QUERY[] = "unit.cluster.query";

enum { PAUSE_US = 1000, DEADLINE_MS = 10000 };

/* --- config files --- */

static struct config *load(lua_State *L, int index)
{
    struct config_options options = {.path = luaL_checkstring(L, index)};
    struct config *config = NULL;
    struct config_problems problems;
    if (config_load(&options, &config, &problems) != 0) {
        lua_pushstring(L, problems.lines[0]);
        config_problems_destroy(&problems);
        lua_error(L);
    }
    return config;
}

/* check(path): the list of problems. */
static int unit_check(lua_State *L)
{
    struct config *config = load(L, 1);
    struct config_problems problems = {0};
    cluster_check_config(config, false, &problems);
    lua_newtable(L);
    for (size_t i = 0; i < problems.count; i++) {
        lua_pushstring(L, problems.lines[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    config_problems_destroy(&problems);
    config_free(&config);
    return 1;
}

/* value(path, "producer"|"consumer"|"query", property [, is_embedded]): what a handle of the first
 * producer or consumer has for it; nil and a message when there can be none. */
static int unit_value(lua_State *L)
{
    static const char *const kinds[] = {"producer", "consumer", "query", NULL};
    struct config *config = load(L, 1);
    enum cluster_handle handle = (enum cluster_handle)luaL_checkoption(L, 2, NULL, kinds);
    struct cluster cluster = {.config = &config->clusters[0],
                              .brokers = config->clusters[0].brokers,
                              .is_embedded = lua_toboolean(L, 4)};
    const struct properties *inner = handle == CLUSTER_QUERY ? NULL
                                     : handle == CLUSTER_PRODUCER
                                         ? &config->producers[0].properties
                                         : &config->consumers[0].properties;
    struct error err;
    rd_kafka_conf_t *conf = cluster_conf_new(&cluster, handle, inner, "inner.properties", &err);
    char value[512];
    size_t size = sizeof value;
    if (conf == NULL) {
        lua_pushnil(L);
        lua_pushstring(L, err.text);
    } else if (rd_kafka_conf_get(conf, luaL_checkstring(L, 3), value, &size) != RD_KAFKA_CONF_OK) {
        lua_pushnil(L);
        lua_pushliteral(L, "no such property");
    } else {
        lua_pushstring(L, value);
        lua_pushnil(L);
    }
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    config_free(&config);
    return 2;
}

/* integer(path, property): of the first consumer, as a number. */
static int unit_integer(lua_State *L)
{
    struct config *config = load(L, 1);
    struct cluster cluster = {.config = &config->clusters[0]};
    struct error err;
    rd_kafka_conf_t *conf =
        cluster_conf_new(&cluster, CLUSTER_CONSUMER, &config->consumers[0].properties, "", &err);
    lua_pushinteger(L, cluster_conf_integer(conf, luaL_checkstring(L, 2)));
    rd_kafka_conf_destroy(conf);
    config_free(&config);
    return 1;
}

static int unit_is_security(lua_State *L)
{
    lua_pushboolean(L, cluster_property_is_security(luaL_checkstring(L, 1)));
    return 1;
}

static int unit_is_topic_name(lua_State *L)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    lua_pushboolean(L, cluster_is_topic_name(name, length));
    return 1;
}

/* --- troubles --- */

static const struct {
    const char *name;
    rd_kafka_resp_err_t code;
} codes[] = {
    {"not_leader", RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION},
    {"transport", RD_KAFKA_RESP_ERR__TRANSPORT},
    {"bad_message", RD_KAFKA_RESP_ERR__BAD_MSG},
    {"resolve", RD_KAFKA_RESP_ERR__RESOLVE},
    {"authentication", RD_KAFKA_RESP_ERR__AUTHENTICATION},
    {"ssl", RD_KAFKA_RESP_ERR__SSL},
    {"unknown_topic", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART},
    {"group_right", RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED},
    {"topic_right", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED},
    {"other", RD_KAFKA_RESP_ERR__FAIL},
    {"leader", RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE},
    {"policy", RD_KAFKA_RESP_ERR_POLICY_VIOLATION},
    {"login", RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED},
    {"cluster_right", RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED},
    {"mechanism", RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM},
    {"quota", RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED},
    {"too_large", RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE},
    {"not_acknowledged", RD_KAFKA_RESP_ERR__MSG_TIMED_OUT},
    {"invalid_record", RD_KAFKA_RESP_ERR_INVALID_RECORD},
    {"timestamp", RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP},
    {"replicas", RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS},
    {"producer_fenced", RD_KAFKA_RESP_ERR__FENCED},
    {"producer_epoch", RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH},
    {"producer_forgotten", RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID},
    {"member_fenced", RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID},
    {"group_full", RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED},
    {"protocol", RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL},
    {"session_timeout", RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT},
    {"poll", RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED},
    {"offset", RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE},
    {"unknown_member", RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID},
    {"coordinator", RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
    {"disk", RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR},
    {"all_down", RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN},
    {"version", RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION},
};

static rd_kafka_resp_err_t check_code(lua_State *L, int index)
{
    const char *name = luaL_checkstring(L, index);
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].code;
    }
    return (rd_kafka_resp_err_t)luaL_argerror(L, index, "is no code known here");
}

/* explain(code, detail): the sentence. */
static int unit_explain(lua_State *L)
{
    struct error err;
    cluster_explain(check_code(L, 1), luaL_checkstring(L, 2), &err);
    lua_pushstring(L, err.text);
    return 1;
}

/* cause(code): what it means, and what to look at. */
static int unit_cause(lua_State *L)
{
    lua_pushstring(L, cluster_cause(check_code(L, 1)));
    return 1;
}

/* hint(facility): what to look at, or nil. */
static int unit_hint(lua_State *L)
{
    lua_pushstring(L, cluster_hint(luaL_checkstring(L, 1)));
    return 1;
}

/* explain_fatal(detail): the sentence for an error that is fatal. */
static int unit_explain_fatal(lua_State *L)
{
    struct error err;
    cluster_explain_fatal(luaL_checkstring(L, 1), &err);
    lua_pushstring(L, err.text);
    return 1;
}

/* explain_code(code, topic, group): the sentence for what a consumer met. */
static int unit_explain_code(lua_State *L)
{
    struct error err;
    cluster_explain_code(check_code(L, 1), luaL_optstring(L, 2, NULL), luaL_optstring(L, 3, NULL),
                         &err);
    lua_pushstring(L, err.text);
    return 1;
}

/* Gives the handle's events to cluster_log_event until one of them is a trouble of a broker. */
static bool log_until_trouble(rd_kafka_t *handle, struct error *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(handle);
    int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    bool is_over = false, is_fatal = false;
    while (!is_over && clock_monotonic_ms() < deadline) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 100);
        if (event == NULL)
            continue;
        is_over = rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
                  rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
        is_fatal = cluster_log_event(event, "spec", err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return is_fatal;
}

static rd_kafka_t *new_producer(const char *brokers)
{
    struct cluster_config config = {.name = "default"};
    struct cluster cluster = {.config = &config, .brokers = brokers};
    struct error err;
    rd_kafka_conf_t *conf = cluster_conf_new(&cluster, CLUSTER_PRODUCER, NULL, "", &err);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    return cluster_handle_new(CLUSTER_PRODUCER, &conf, &err);
}

/* log_trouble(brokers, handles): that many handles, one after the other, find no broker. */
static int unit_log_trouble(lua_State *L)
{
    enum thread_role before = thread_role();
    thread_set_role(THREAD_MAIN, NULL);
    for (lua_Integer i = luaL_checkinteger(L, 2); i > 0; i--) {
        struct error err;
        rd_kafka_t *handle = new_producer(luaL_checkstring(L, 1));
        log_until_trouble(handle, &err);
        rd_kafka_destroy(handle);
    }
    thread_set_role(before, NULL);
    return 0;
}

/* log_fatal(reason): what cluster_log_event returns and says of a fatal error. */
static int unit_log_fatal(lua_State *L)
{
    enum thread_role before = thread_role();
    thread_set_role(THREAD_MAIN, NULL);
    struct error err = {""};
    rd_kafka_t *handle = new_producer(NULL);
    rd_kafka_test_fatal_error(handle, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              luaL_checkstring(L, 1));
    lua_pushboolean(L, log_until_trouble(handle, &err));
    lua_pushstring(L, err.text);
    rd_kafka_destroy(handle);
    thread_set_role(before, NULL);
    return 2;
}

/* --- topics --- */

struct query {
    struct config *config;
    struct cluster cluster;
    char *brokers;
    rd_kafka_t *handle;
};

static struct query *check_query(lua_State *L)
{
    return luaL_checkudata(L, 1, QUERY);
}

/* query(path, brokers): a handle for questions. */
static int unit_query(lua_State *L)
{
    struct query *query = lua_newuserdatauv(L, sizeof *query, 0);
    *query = (struct query){.config = load(L, 1)};
    luaL_setmetatable(L, QUERY);
    query->brokers = xstrdup(luaL_checkstring(L, 2));
    query->cluster =
        (struct cluster){.config = &query->config->clusters[0], .brokers = query->brokers};
    struct error err;
    query->handle = cluster_query_handle(&query->cluster, &err);
    return query->handle != NULL ? 1 : luaL_error(L, "%s", err.text);
}

/* query:ensure(timeout_ms): "ready", "unreachable" or "refused", and why. */
static int query_ensure(lua_State *L)
{
    static const char *const checks[] = {"ready", "unreachable", "refused"};
    struct query *query = check_query(L);
    struct error err = {""};
    enum topic_check check = cluster_ensure_topics(query->handle, &query->cluster, query->config,
                                                   (int)luaL_checkinteger(L, 2), &err);
    lua_pushstring(L, checks[check]);
    lua_pushstring(L, err.text);
    return 2;
}

static int query_is_embedded(lua_State *L)
{
    lua_pushboolean(L, cluster_is_embedded_broker(check_query(L)->handle));
    return 1;
}

static int query_close(lua_State *L)
{
    struct query *query = check_query(L);
    cluster_query_free(&query->handle);
    config_free(&query->config);
    free(query->brokers);
    query->brokers = NULL;
    return 0;
}

/* --- a broker to ask --- */

struct mock {
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *cluster;
};

/* A call that follows another one at once may take a second. */
static rd_kafka_mock_cluster_t *check_mock(lua_State *L)
{
    struct mock *mock = luaL_checkudata(L, 1, MOCK);
    luaL_argcheck(L, mock->cluster != NULL, 1, "is closed");
    usleep(PAUSE_US);
    return mock->cluster;
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

/* mock(): a cluster of one broker in this process. */
static int unit_mock(lua_State *L)
{
    struct mock *mock = lua_newuserdatauv(L, sizeof *mock, 0);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set(conf, "socket.nagle.disable", "true", NULL, 0);
    mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    mock->cluster = rd_kafka_mock_cluster_new(mock->handle, 1);
    luaL_setmetatable(L, MOCK);
    return 1;
}

static int mock_brokers(lua_State *L)
{
    lua_pushstring(L, rd_kafka_mock_cluster_bootstraps(check_mock(L)));
    return 1;
}

static int mock_create(lua_State *L)
{
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(check_mock(L), luaL_checkstring(L, 2),
                                                          (int)luaL_checkinteger(L, 3), 1);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : luaL_error(L, "%s", rd_kafka_err2str(code));
}

/* mock:topic_error(topic, code): what metadata says of it. */
static int mock_topic_error(lua_State *L)
{
    rd_kafka_mock_topic_set_error(check_mock(L), luaL_checkstring(L, 2), check_code(L, 3));
    return 0;
}

/* mock:refuse_produce(code [, ms]): the next produce request is answered by it, that much later. */
static int mock_refuse_produce(lua_State *L)
{
    enum { PRODUCE = 0, BROKER = 1 };
    rd_kafka_mock_broker_push_request_error_rtts(check_mock(L), BROKER, PRODUCE, 1,
                                                 check_code(L, 2), (int)luaL_optinteger(L, 3, 0));
    return 0;
}

/* mock:refuse_commits(code, count): as many requests to commit are answered by it. */
static int mock_refuse_commits(lua_State *L)
{
    enum { OFFSET_COMMIT = 8, BROKER = 1 };
    rd_kafka_resp_err_t code = check_code(L, 2);
    for (lua_Integer i = luaL_checkinteger(L, 3); i > 0; i--)
        rd_kafka_mock_broker_push_request_error_rtts(check_mock(L), BROKER, OFFSET_COMMIT, 1, code,
                                                     0);
    return 0;
}

/* mock:slow_produce(ms, count): as many produce requests are answered that much later; what they
 * bring is there at once. */
static int mock_slow_produce(lua_State *L)
{
    enum { PRODUCE = 0, BROKER = 1 };
    for (lua_Integer i = luaL_checkinteger(L, 3); i > 0; i--)
        rd_kafka_mock_broker_push_request_error_rtts(check_mock(L), BROKER, PRODUCE, 1,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR,
                                                     (int)luaL_checkinteger(L, 2));
    return 0;
}

static int mock_down(lua_State *L)
{
    rd_kafka_mock_broker_set_down(check_mock(L), 1);
    return 0;
}

static int mock_up(lua_State *L)
{
    rd_kafka_mock_broker_set_up(check_mock(L), 1);
    return 0;
}

static int mock_close(lua_State *L)
{
    struct mock *mock = luaL_checkudata(L, 1, MOCK);
    if (mock->cluster != NULL) {
        usleep(PAUSE_US);
        rd_kafka_mock_cluster_destroy(mock->cluster);
        rd_kafka_destroy(mock->handle);
    }
    mock->cluster = NULL;
    return 0;
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int unit_open_cluster(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"check", unit_check},
        {"value", unit_value},
        {"integer", unit_integer},
        {"is_security", unit_is_security},
        {"is_topic_name", unit_is_topic_name},
        {"explain", unit_explain},
        {"cause", unit_cause},
        {"hint", unit_hint},
        {"explain_code", unit_explain_code},
        {"explain_fatal", unit_explain_fatal},
        {"log_trouble", unit_log_trouble},
        {"log_fatal", unit_log_fatal},
        {"query", unit_query},
        {"mock", unit_mock},
        {NULL, NULL},
    };
    static const luaL_Reg query_methods[] = {
        {"ensure", query_ensure},
        {"is_embedded", query_is_embedded},
        {"close", query_close},
        {NULL, NULL},
    };
    static const luaL_Reg mock_methods[] = {
        {"brokers", mock_brokers},
        {"create", mock_create},
        {"topic_error", mock_topic_error},
        {"refuse_produce", mock_refuse_produce},
        {"refuse_commits", mock_refuse_commits},
        {"slow_produce", mock_slow_produce},
        {"down", mock_down},
        {"up", mock_up},
        {"close", mock_close},
        {NULL, NULL},
    };
    new_class(L, QUERY, query_methods);
    new_class(L, MOCK, mock_methods);
    luaL_newlib(L, functions);
    return 1;
}
