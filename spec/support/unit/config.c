/* config.c - config.lua as the program reads it, as Lua tables for specs. */
#include "config_compare.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "config_internal.h"

int unit_open_config(lua_State *L);

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, int64_t integer)
{
    lua_pushinteger(L, integer);
    lua_setfield(L, -2, key);
}

static void set_strings(lua_State *L, const char *key, char *const *strings, size_t count)
{
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, strings[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, key);
}

/* As a list of "name=value". */
static void set_properties(lua_State *L, const char *key, const struct properties *properties)
{
    lua_newtable(L);
    for (size_t i = 0; i < properties->count; i++) {
        lua_pushfstring(L, "%s=%s", properties->items[i].name, properties->items[i].value);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, key);
}

static void set_security(lua_State *L, const struct cluster_config *cluster)
{
    if (cluster->tls.is_on) {
        lua_newtable(L);
        set_text(L, "ca_file", cluster->tls.ca_file);
        set_text(L, "cert_file", cluster->tls.cert_file);
        set_text(L, "key_file", cluster->tls.key_file);
        set_text(L, "key_password", cluster->tls.key_password);
        lua_pushboolean(L, cluster->tls.verify);
        lua_setfield(L, -2, "verify");
        lua_setfield(L, -2, "tls");
    }
    if (cluster->sasl.mechanism != NULL) {
        lua_newtable(L);
        set_text(L, "mechanism", cluster->sasl.mechanism);
        set_text(L, "username", cluster->sasl.username);
        set_text(L, "password", cluster->sasl.password);
        lua_setfield(L, -2, "sasl");
    }
}

static void push_cluster(lua_State *L, const void *item)
{
    const struct cluster_config *cluster = item;
    lua_newtable(L);
    set_text(L, "name", cluster->name);
    set_text(L, "path", cluster->path);
    set_text(L, "brokers", cluster->brokers);
    set_security(L, cluster);
    set_properties(L, "properties", &cluster->properties);
    set_text(L, "place", cluster->place);
}

static void push_topic(lua_State *L, const void *item)
{
    const struct topic_config *topic = item;
    lua_newtable(L);
    set_text(L, "name", topic->name);
    set_text(L, "cluster", topic->cluster->name);
    set_integer(L, "partitions", topic->partitions);
    set_integer(L, "replicas", topic->replicas);
    lua_pushboolean(L, topic->create);
    lua_setfield(L, -2, "create");
    set_properties(L, "settings", &topic->settings);
    set_text(L, "place", topic->place);
}

static void push_producer(lua_State *L, const void *item)
{
    const struct producer_config *producer = item;
    lua_newtable(L);
    set_text(L, "name", producer->name);
    set_text(L, "cluster", producer->cluster->name);
    set_text(L, "topic", producer->topic);
    set_text(L, "key_field", producer->key_field);
    set_text(L, "key_missing", producer->key_missing == KEY_MISSING_UUID ? "uuid" : "error");
    set_text(L, "type_header", producer->type_header);
    set_properties(L, "properties", &producer->properties);
    set_text(L, "place", producer->place);
}

static void set_handlers(lua_State *L, const struct consumer_config *consumer)
{
    lua_newtable(L);
    for (size_t i = 0; i < consumer->handler_count; i++) {
        lua_newtable(L);
        set_text(L, "type", consumer->handlers[i].type);
        set_text(L, "module", consumer->handlers[i].module.module);
        set_text(L, "member", consumer->handlers[i].module.member);
        set_text(L, "place", consumer->handlers[i].module.place);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "handlers");
}

/* What a consumer does about failures. */
static void push_failures(lua_State *L, const void *item)
{
    const struct consumer_config *consumer = item;
    static const char *const policies[] = {"dead_letter", "skip", "stop"};
    const struct error_policy *on_error = &consumer->on_error;
    lua_newtable(L);
    set_text(L, "on_invalid", policies[consumer->on_invalid]);
    set_text(L, "on_unknown_type", policies[consumer->on_unknown_type]);
    set_text(L, "on_tombstone", consumer->skips_tombstones ? "skip" : "handle");
    lua_newtable(L);
    set_integer(L, "retries", on_error->retries);
    set_integer(L, "backoff_ms", on_error->backoff_ms);
    set_integer(L, "max_backoff_ms", on_error->max_backoff_ms);
    lua_pushboolean(L, on_error->has_jitter);
    lua_setfield(L, -2, "jitter");
    set_text(L, "give_up", policies[on_error->give_up]);
    set_integer(L, "breaker", on_error->breaker);
    lua_setfield(L, -2, "on_error");
    char *name = config_dead_letter_topic(consumer, consumer->topics[0]);
    set_text(L, "dead_letter", consumer->has_dead_letters ? name : NULL);
    free(name);
}

static void push_consumer(lua_State *L, const void *item)
{
    const struct consumer_config *consumer = item;
    static const char *const distributions[] = {"key", "partition", "free_worker"};
    static const char *const resets[] = {"earliest", "latest", "none"};
    lua_newtable(L);
    set_text(L, "name", consumer->name);
    set_text(L, "cluster", consumer->cluster->name);
    set_strings(L, "topics", consumer->topics, consumer->topic_count);
    set_text(L, "group", consumer->group);
    set_text(L, "instance_id", consumer->instance_id);
    lua_pushboolean(L, consumer->is_enabled);
    lua_setfield(L, -2, "enabled");
    set_text(L, "offset_reset", resets[consumer->offset_reset]);
    set_integer(L, "workers_min", consumer->workers_min);
    set_integer(L, "workers_max", consumer->workers_max);
    set_integer(L, "lag_threshold", consumer->lag_threshold);
    set_integer(L, "buffer_size", consumer->buffer_size);
    set_text(L, "distribution", distributions[consumer->distribution]);
    set_handlers(L, consumer);
    set_text(L, "type_header", consumer->type_header);
    set_integer(L, "stall_after_ms", consumer->stall_after_ms);
    set_integer(L, "drain_timeout_ms", consumer->drain_timeout_ms);
    set_integer(L, "commit_interval_ms", consumer->commit_interval_ms);
    set_integer(L, "window_records", consumer->window_records);
    set_integer(L, "window_bytes", consumer->window_bytes);
    set_integer(L, "max_ahead", consumer->max_ahead);
    set_integer(L, "max_record_bytes", consumer->max_record_bytes);
    set_properties(L, "properties", &consumer->properties);
    set_text(L, "place", consumer->place);
}

/* Sets the list `key` from an array of structs. */
static void set_list(lua_State *L, const char *key, const void *items, size_t item_size,
                     size_t count, void (*push)(lua_State *L, const void *item))
{
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        push(L, (const char *)items + i * item_size);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, key);
}

static void push_config(lua_State *L, const struct config *config)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"auto", "text", "json"};
    lua_newtable(L);
    set_text(L, "path", config->path);
    set_text(L, "directory", config->directory);
    set_list(L, "clusters", config->clusters, sizeof config->clusters[0], config->cluster_count,
             push_cluster);
    set_list(L, "topics", config->topics, sizeof config->topics[0], config->topic_count,
             push_topic);
    set_list(L, "producers", config->producers, sizeof config->producers[0], config->producer_count,
             push_producer);
    set_list(L, "consumers", config->consumers, sizeof config->consumers[0], config->consumer_count,
             push_consumer);
    set_list(L, "failures", config->consumers, sizeof config->consumers[0], config->consumer_count,
             push_failures);
    set_text(L, "log_level", levels[config->log_level]);
    set_text(L, "log_format", formats[config->log_format]);
    set_integer(L, "stop_timeout_ms", config->stop_timeout_ms);
    set_strings(L, "notices", config->notices, config->notice_count);
    set_strings(L, "secrets", config->secrets, config->secret_count);
    set_strings(L, "files", config->files, config->file_count);
    set_strings(L, "variables", config->variables, config->variable_count);
}

enum { MAX_SETS = 16 };

/* load(path [, is_dev [, sets]]): the config; or nil and the list of problems. */
static int unit_load(lua_State *L)
{
    const char *sets[MAX_SETS];
    struct config_options options = {.path = luaL_checkstring(L, 1),
                                     .is_dev = lua_toboolean(L, 2),
                                     .sets = sets,
                                     .set_count = lua_istable(L, 3) ? lua_rawlen(L, 3) : 0};
    luaL_argcheck(L, options.set_count <= MAX_SETS, 3, "too many");
    for (size_t i = 0; i < options.set_count; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        sets[i] = luaL_checkstring(L, -1); /* the list keeps it */
        lua_pop(L, 1);
    }
    struct config *config = NULL;
    struct config_problems problems;
    if (config_load(&options, &config, &problems) == 0) {
        push_config(L, config);
        config_free(&config);
        return 1;
    }
    lua_pushnil(L);
    lua_newtable(L);
    for (size_t i = 0; i < problems.count; i++) {
        lua_pushstring(L, problems.lines[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    config_problems_destroy(&problems);
    return 2;
}

static struct config *load_or_raise(lua_State *L)
{
    struct config_options options = {.path = luaL_checkstring(L, 1)};
    struct config *config = NULL;
    struct config_problems problems;
    if (config_load(&options, &config, &problems) != 0) {
        lua_pushstring(L, problems.lines[0]);
        config_problems_destroy(&problems);
        lua_error(L);
    }
    return config;
}

/* redact(path, text): the text without that config's secrets. */
static int unit_redact(lua_State *L)
{
    const char *text = luaL_checkstring(L, 2);
    struct config *config = load_or_raise(L);
    char *redacted = config_redact(config, text);
    lua_pushstring(L, redacted);
    free(redacted);
    config_free(&config);
    return 1;
}

/* places(path, name): where the topic, producer and consumer of that name stand, nil where there
 * is none. */
static int unit_places(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    struct config *config = load_or_raise(L);
    const struct topic_config *topic = config_topic(config, &config->clusters[0], name);
    const struct producer_config *producer = config_producer(config, name);
    const struct consumer_config *consumer = config_consumer(config, name);
    const char *places[] = {topic != NULL ? topic->place : NULL,
                            producer != NULL ? producer->place : NULL,
                            consumer != NULL ? consumer->place : NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        lua_pushstring(L, places[i]);
    config_free(&config);
    return 3;
}

/* property(path, name): of the cluster. */
static int unit_property(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    struct config *config = load_or_raise(L);
    lua_pushstring(L, properties_get(&config->clusters[0].properties, name));
    config_free(&config);
    return 1;
}

static void set_difference(lua_State *L, const char *key, const struct config *before,
                           const struct config *after, enum config_reach reach)
{
    struct config_difference difference;
    config_compare(before, after, reach, &difference);
    set_strings(L, key, difference.paths, difference.count);
    config_difference_destroy(&difference);
}

/* Leaves a table: consumer of both -> what it takes up by joining anew. */
static void push_changed(lua_State *L, const struct config *before, const struct config *after)
{
    lua_newtable(L);
    for (size_t i = 0; i < before->consumer_count; i++) {
        const char *name = before->consumers[i].name;
        if (config_consumer(after, name) == NULL)
            continue;
        char *keys = config_compare_consumer(before, after, name);
        lua_pushstring(L, keys);
        lua_setfield(L, -2, name);
        free(keys);
    }
}

/* compare(path, path): the paths in which they differ, {live = {...}, consumer = {...}, restart =
 * {...}}; whether the hashes of their texts are the same; what its consumers take up by joining
 * anew. */
static int unit_compare(lua_State *L)
{
    struct config *before = load_or_raise(L);
    lua_remove(L, 1);
    struct config *after = load_or_raise(L);
    lua_newtable(L);
    set_difference(L, "live", before, after, REACH_LIVE);
    set_difference(L, "consumer", before, after, REACH_CONSUMER);
    set_difference(L, "restart", before, after, REACH_RESTART);
    lua_pushboolean(L, before->content_hash == after->content_hash);
    push_changed(L, before, after);
    config_free(&before);
    config_free(&after);
    return 3;
}

/* reach(path): "live", "anew" or "" */
static int unit_reach(lua_State *L)
{
    static const char *const words[] = {
        [REACH_LIVE] = "live", [REACH_CONSUMER] = "anew", [REACH_RESTART] = ""};
    lua_pushstring(L, words[config_reach_of(luaL_checkstring(L, 1))]);
    return 1;
}

/* setenv(name [, value]): without a value it is unset. */
static int unit_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *value = luaL_optstring(L, 2, NULL);
    int rc = value != NULL ? setenv(name, value, 1) : unsetenv(name);
    return rc == 0 ? 0 : luaL_error(L, "cannot set %s", name);
}

static int unit_cpu_count(lua_State *L)
{
    lua_pushinteger(L, config_cpu_count());
    return 1;
}

/* cpu_quota(groups, mount): 0 when there is none. */
static int unit_cpu_quota(lua_State *L)
{
    lua_pushinteger(L, config_cpu_quota(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
    return 1;
}

int unit_open_config(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"load", unit_load},           {"redact", unit_redact},
        {"places", unit_places},       {"property", unit_property},
        {"setenv", unit_setenv},       {"cpu_count", unit_cpu_count},
        {"cpu_quota", unit_cpu_quota}, {"compare", unit_compare},
        {"reach", unit_reach},         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
