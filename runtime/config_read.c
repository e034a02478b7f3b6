#include "config_internal.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

/* Each reads a field of the table on top of the stack and leaves the stack as it was. What
 * lagoon.config.check made has the right types; nil and false stand for what is not there. */

static char *read_text(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    const char *text = lua_tostring(L, -1);
    char *copy = text != NULL ? xstrdup(text) : NULL;
    lua_pop(L, 1);
    return copy;
}

static int64_t read_integer(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    int64_t integer = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return integer;
}

static bool read_boolean(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    bool boolean = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return boolean;
}

/* The place of the text among the words, which are in the order of an enum. */
static int read_word(lua_State *L, const char *key, const char *const *words)
{
    lua_getfield(L, -1, key);
    const char *text = lua_tostring(L, -1);
    int index = 0;
    while (words[index] != NULL && (text == NULL || strcmp(words[index], text) != 0))
        index++;
    if (words[index] == NULL)
        luaL_error(L, "%s is none of the words that the program knows", key);
    lua_pop(L, 1);
    return index;
}

/* Zeroed items for the list under `key`, which is left on the stack. */
static void *open_list(lua_State *L, const char *key, size_t item_size, size_t *length)
{
    lua_getfield(L, -1, key);
    *length = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    return *length > 0 ? xcalloc(*length, item_size) : NULL;
}

static void open_item(lua_State *L, size_t index)
{
    lua_rawgeti(L, -1, (lua_Integer)index + 1);
}

void config_read_strings(lua_State *L, const char *key, char ***strings, size_t *count)
{
    size_t length;
    *strings = open_list(L, key, sizeof **strings, &length);
    for (size_t i = 0; i < length; i++) {
        open_item(L, i);
        const char *text = lua_tostring(L, -1);
        (*strings)[(*count)++] = xstrdup(text != NULL ? text : "");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_properties(lua_State *L, const char *key, struct properties *properties)
{
    size_t length;
    properties->items = open_list(L, key, sizeof properties->items[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct property *property = &properties->items[properties->count++];
        open_item(L, i);
        property->name = read_text(L, "name");
        property->value = read_text(L, "value");
        property->place = read_text(L, "place");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_tls(lua_State *L, struct tls_config *tls)
{
    tls->is_on = lua_getfield(L, -1, "tls") == LUA_TTABLE;
    if (tls->is_on) {
        tls->ca_file = read_text(L, "ca_file");
        tls->cert_file = read_text(L, "cert_file");
        tls->key_file = read_text(L, "key_file");
        tls->key_password = read_text(L, "key_password");
        tls->verify = read_boolean(L, "verify");
        tls->place = read_text(L, "place");
    }
    lua_pop(L, 1);
}

static void read_sasl(lua_State *L, struct sasl_config *sasl)
{
    if (lua_getfield(L, -1, "sasl") == LUA_TTABLE) {
        sasl->mechanism = read_text(L, "mechanism");
        sasl->username = read_text(L, "username");
        sasl->password = read_text(L, "password");
    }
    lua_pop(L, 1);
}

static void read_clusters(lua_State *L, struct config *config)
{
    size_t length;
    config->clusters = open_list(L, "clusters", sizeof config->clusters[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct cluster_config *cluster = &config->clusters[config->cluster_count++];
        open_item(L, i);
        cluster->name = read_text(L, "name");
        cluster->path = read_text(L, "path");
        cluster->brokers = read_text(L, "brokers");
        cluster->place = read_text(L, "place");
        read_tls(L, &cluster->tls);
        read_sasl(L, &cluster->sasl);
        read_properties(L, "properties", &cluster->properties);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* "module" or "module:member". */
static void read_module(lua_State *L, const char *key, struct module_config *module)
{
    lua_getfield(L, -1, key);
    const char *text = lua_tostring(L, -1);
    const char *colon = text != NULL ? strchr(text, ':') : NULL;
    if (colon != NULL) {
        module->module = xstrndup(text, (size_t)(colon - text));
        module->member = xstrdup(colon + 1);
    } else if (text != NULL) {
        module->module = xstrdup(text);
    }
    lua_pop(L, 1);
    module->place = read_text(L, "place");
}

static void read_modules(lua_State *L, const char *key, struct module_list *list)
{
    size_t length;
    list->items = open_list(L, key, sizeof list->items[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct module_config *module = &list->items[list->count++];
        open_item(L, i);
        read_module(L, "value", module);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* One of the words, or the name of a module. */
static void read_codec(lua_State *L, struct codec_config *codec)
{
    static const char *const words[] = {"json", "raw", "cjson"};
    lua_getfield(L, -1, "codec");
    lua_getfield(L, -1, "value");
    const char *text = lua_tostring(L, -1);
    codec->codec = CODEC_MODULE;
    for (size_t i = 0; text != NULL && i < ARRAY_LENGTH(words); i++)
        if (strcmp(words[i], text) == 0)
            codec->codec = (enum codec)i;
    lua_pop(L, 1);
    if (codec->codec == CODEC_MODULE)
        read_module(L, "value", &codec->module);
    lua_pop(L, 1);
}

/* The cluster that is named under `cluster`; the checks have seen that there is one. */
static const struct cluster_config *read_cluster(lua_State *L, const struct config *config)
{
    lua_getfield(L, -1, "cluster");
    const char *name = lua_tostring(L, -1);
    const struct cluster_config *cluster = NULL;
    for (size_t i = 0; name != NULL && i < config->cluster_count; i++)
        if (strcmp(config->clusters[i].name, name) == 0)
            cluster = &config->clusters[i];
    if (cluster == NULL)
        luaL_error(L, "there is no cluster %s", name != NULL ? name : "without a name");
    lua_pop(L, 1);
    return cluster;
}

static void read_topics(lua_State *L, struct config *config)
{
    size_t length;
    config->topics = open_list(L, "topics", sizeof config->topics[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct topic_config *topic = &config->topics[config->topic_count++];
        open_item(L, i);
        topic->name = read_text(L, "name");
        topic->cluster = read_cluster(L, config);
        topic->partitions = (int)read_integer(L, "partitions");
        topic->replicas = (int)read_integer(L, "replicas");
        topic->create = read_boolean(L, "create");
        topic->place = read_text(L, "place");
        read_properties(L, "config", &topic->settings);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_producers(lua_State *L, struct config *config)
{
    static const char *const missing_words[] = {"uuid", "error", NULL};
    size_t length;
    config->producers = open_list(L, "producers", sizeof config->producers[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct producer_config *producer = &config->producers[config->producer_count++];
        open_item(L, i);
        producer->name = read_text(L, "name");
        producer->cluster = read_cluster(L, config);
        producer->topic = read_text(L, "topic");
        producer->key_field = read_text(L, "key_field");
        producer->key_missing = (enum key_missing)read_word(L, "key_missing", missing_words);
        producer->type_header = read_text(L, "type_header");
        producer->place = read_text(L, "place");
        read_codec(L, &producer->codec);
        read_properties(L, "headers", &producer->headers);
        read_modules(L, "middlewares", &producer->middlewares);
        read_properties(L, "properties", &producer->properties);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_handlers(lua_State *L, struct consumer_config *consumer)
{
    size_t length;
    consumer->handlers = open_list(L, "handlers", sizeof consumer->handlers[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct handler_config *handler = &consumer->handlers[consumer->handler_count++];
        open_item(L, i);
        handler->type = read_text(L, "name");
        read_module(L, "value", &handler->module);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_limits(lua_State *L, struct consumer_config *consumer)
{
    consumer->buffer_size = (int)read_integer(L, "buffer_size");
    static const char *const stuck_words[] = {"report", "abort", NULL};
    consumer->aborts_when_stuck = read_word(L, "on_stuck", stuck_words) == 1;
    consumer->handler_timeout_ms = read_integer(L, "handler_timeout");
    consumer->cpu_limit_ms = read_integer(L, "cpu_limit");
    consumer->stall_after_ms = read_integer(L, "stall_after");
    consumer->drain_timeout_ms = read_integer(L, "drain_timeout");
    consumer->commit_interval_ms = read_integer(L, "commit_interval");
    consumer->max_ahead = read_integer(L, "max_ahead");
    consumer->max_record_bytes = read_integer(L, "max_record");
    lua_getfield(L, -1, "workers");
    consumer->workers_min = (int)read_integer(L, "min");
    consumer->workers_max = (int)read_integer(L, "max");
    consumer->lag_threshold = read_integer(L, "lag_threshold");
    lua_pop(L, 1);
    lua_getfield(L, -1, "window");
    consumer->window_records = read_integer(L, "records");
    consumer->window_bytes = read_integer(L, "bytes");
    lua_pop(L, 1);
}

static const char *const policy_words[] = {"dead_letter", "skip", "stop", NULL};

static void read_policies(lua_State *L, struct consumer_config *consumer)
{
    static const char *const tombstone_words[] = {"handle", "skip", NULL};
    consumer->on_invalid = (enum policy)read_word(L, "on_invalid", policy_words);
    consumer->on_unknown_type = (enum policy)read_word(L, "on_unknown_type", policy_words);
    consumer->skips_tombstones = read_word(L, "on_tombstone", tombstone_words) == 1;
    consumer->dead_letter = read_text(L, "dead_letter");
    lua_getfield(L, -1, "dead_letter");
    consumer->has_dead_letters = lua_isnil(L, -1) || lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, -1, "on_error");
    consumer->on_error = (struct error_policy){
        .retries = (int)read_integer(L, "retries"),
        .backoff_ms = read_integer(L, "backoff"),
        .max_backoff_ms = read_integer(L, "max_backoff"),
        .has_jitter = read_boolean(L, "jitter"),
        .give_up = (enum policy)read_word(L, "give_up", policy_words),
        .breaker = (int)read_integer(L, "breaker"),
    };
    lua_pop(L, 1);
}

static void read_consumer(lua_State *L, struct consumer_config *consumer)
{
    static const char *const reset_words[] = {"earliest", "latest", "none", NULL};
    static const char *const distribution_words[] = {"key", "partition", "free_worker", NULL};
    static const char *const nulls_words[] = {"drop", "keep", NULL};
    consumer->name = read_text(L, "name");
    consumer->group = read_text(L, "group");
    consumer->instance_id = read_text(L, "instance_id");
    consumer->is_enabled = read_boolean(L, "enabled");
    consumer->type_header = read_text(L, "type_header");
    consumer->place = read_text(L, "place");
    consumer->offset_reset = (enum offset_reset)read_word(L, "offset_reset", reset_words);
    consumer->distribution = (enum distribution)read_word(L, "distribution", distribution_words);
    config_read_strings(L, "topics", &consumer->topics, &consumer->topic_count);
    read_handlers(L, consumer);
    lua_getfield(L, -1, "handler");
    if (lua_istable(L, -1))
        read_module(L, "value", &consumer->handler);
    lua_pop(L, 1);
    consumer->type_field = read_text(L, "type_field");
    read_codec(L, &consumer->codec);
    consumer->keeps_nulls = read_word(L, "nulls", nulls_words) == 1;
    read_modules(L, "middlewares", &consumer->middlewares);
    read_policies(L, consumer);
    read_limits(L, consumer);
    read_properties(L, "properties", &consumer->properties);
}

static void read_consumers(lua_State *L, struct config *config)
{
    size_t length;
    config->consumers = open_list(L, "consumers", sizeof config->consumers[0], &length);
    for (size_t i = 0; i < length; i++) {
        struct consumer_config *consumer = &config->consumers[config->consumer_count++];
        open_item(L, i);
        consumer->cluster = read_cluster(L, config);
        read_consumer(L, consumer);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void config_read(lua_State *L, struct config *config)
{
    static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};
    static const char *const format_words[] = {"auto", "text", "json", NULL};
    static const char *const gc_words[] = {"generational", "incremental", NULL};
    read_clusters(L, config);
    read_topics(L, config);
    read_producers(L, config);
    read_consumers(L, config);
    config->is_watched = read_boolean(L, "watch");
    config->stop_timeout_ms = read_integer(L, "stop_timeout");
    lua_getfield(L, -1, "admin");
    config->has_admin = lua_istable(L, -1);
    if (config->has_admin) {
        config->admin_listen = read_text(L, "listen");
        config->admin_token = read_text(L, "token");
    }
    lua_pop(L, 1);
    lua_getfield(L, -1, "log");
    config->log_level = (enum log_level)read_word(L, "level", level_words);
    config->log_format = (enum log_format)read_word(L, "format", format_words);
    lua_pop(L, 1);
    lua_getfield(L, -1, "lua");
    config->is_gc_incremental = read_word(L, "gc", gc_words) == 1;
    config->lua_memory_limit_bytes = read_integer(L, "memory_limit");
    lua_pop(L, 1);
    lua_getfield(L, -1, "shared");
    config->shared_memory_limit_bytes = read_integer(L, "memory_limit");
    lua_pop(L, 1);
}
