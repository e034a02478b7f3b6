#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "config_internal.h"
#include "error.h"

enum { CONFIG_FILE_BYTES = 4 * 1024 * 1024 };

/* What one config_load works on. */
struct loading {
    const struct config_options *options;
    struct buffer source;
    struct config *config;
    struct config_problems *problems;
};

static int read_source(struct loading *loading, struct error *err);
static void run_checker(struct loading *loading);
static int load_protected(lua_State *L);
static void add_problem(struct config_problems *problems, const char *path, const char *what);

int config_load(const struct config_options *options, struct config **config,
                struct config_problems *problems)
{
    *problems = (struct config_problems){0};
    struct loading loading = {.options = options, .problems = problems};
    buffer_init(&loading.source);
    loading.config = xcalloc(1, sizeof *loading.config);
    loading.config->path = xstrdup(options->path);
    char *path = xstrdup(options->path);
    loading.config->directory = xstrdup(dirname(path));
    free(path);

    struct error err;
    if (read_source(&loading, &err) == 0)
        run_checker(&loading);
    else
        add_problem(problems, options->path, err.text);
    buffer_destroy(&loading.source);
    if (problems->count > 0) {
        config_free(&loading.config);
        return -1;
    }
    *config = loading.config;
    return 0;
}

static void add_problem(struct config_problems *problems, const char *path, const char *what)
{
    problems->lines = xrealloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    problems->lines[problems->count++] = xasprintf("%s: %s", path, what);
}

static int read_source(struct loading *loading, struct error *err)
{
    enum { CHUNK_BYTES = 16 * 1024 };
    int descriptor = open(loading->options->path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? -1 : 1;
    struct buffer *source = &loading->source;
    while (length > 0 && source->length <= CONFIG_FILE_BYTES) {
        length = read(descriptor, buffer_reserve(source, CHUNK_BYTES), CHUNK_BYTES);
        source->length += length > 0 ? (size_t)length : 0;
    }
    if (length < 0)
        error_set(err, "cannot be read: %s", strerror(errno));
    else if (length > 0)
        error_set(err, "is larger than %d MiB", CONFIG_FILE_BYTES >> 20);
    if (descriptor >= 0)
        close(descriptor);
    return length == 0 ? 0 : -1;
}

/* Leaves either a filled config or problems. */
static void run_checker(struct loading *loading)
{
    struct config_limits limits;
    struct error err;
    lua_State *L = config_state_new(&limits);
    if (L == NULL)
        abort();
    lua_pushcfunction(L, load_protected);
    lua_pushlightuserdata(L, loading);
    int rc = lua_pcall(L, 1, 0, 0);
    if (rc != LUA_OK) {
        const char *message = lua_tostring(L, -1);
        error_set(&err, "cannot be checked: %s", message != NULL ? message : "no message");
        if (rc == LUA_ERRMEM)
            error_set(&err, "needs more than %d MiB of memory", CONFIG_MEMORY_BYTES >> 20);
        config_problems_destroy(loading->problems);
        add_problem(loading->problems, loading->options->path, err.text);
    }
    lua_close(L);
}

static void push_options(lua_State *L, const struct loading *loading)
{
    lua_newtable(L);
    lua_pushstring(L, loading->config->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, loading->config->directory);
    lua_setfield(L, -2, "directory");
    lua_pushboolean(L, loading->options->is_dev);
    lua_setfield(L, -2, "is_dev");
    lua_createtable(L, (int)loading->options->set_count, 0);
    for (size_t i = 0; i < loading->options->set_count; i++) {
        lua_pushstring(L, loading->options->sets[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "sets");
}

/* Of the texts in `sources` of the table on top. */
static uint64_t hash_sources(lua_State *L)
{
    uint64_t hash = HASH_START;
    lua_getfield(L, -1, "sources");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
        size_t length;
        const char *source = lua_tolstring(L, -1, &length);
        hash = hash_bytes(hash, &length, sizeof length);
        hash = hash_bytes(hash, source, length);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return hash;
}

/* Calls lagoon.config's load and takes over what it returns. */
static int load_protected(lua_State *L)
{
    struct loading *loading = lua_touserdata(L, 1);
    config_state_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "lagoon.config");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "load");
    lua_pushlstring(L, loading->source.bytes != NULL ? loading->source.bytes : "",
                    loading->source.length);
    push_options(L, loading);
    config_push_natives(L);
    lua_call(L, 3, 1);

    struct config *config = loading->config;
    config_read_strings(L, "problems", &loading->problems->lines, &loading->problems->count);
    config_read_strings(L, "notices", &config->notices, &config->notice_count);
    config_read_strings(L, "secrets", &config->secrets, &config->secret_count);
    config_read_strings(L, "files", &config->files, &config->file_count);
    config_read_strings(L, "settings", &config->settings, &config->setting_count);
    config->content_hash = hash_sources(L);
    config_read_strings(L, "variables", &config->variables, &config->variable_count);
    if (lua_getfield(L, -1, "config") == LUA_TTABLE)
        config_read(L, config);
    return 0;
}

/* --- freeing --- */

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

static void free_cluster(struct cluster_config *cluster)
{
    properties_destroy(&cluster->properties);
    free(cluster->name);
    free(cluster->path);
    free(cluster->brokers);
    free(cluster->place);
    free(cluster->tls.place);
    free(cluster->tls.ca_file);
    free(cluster->tls.cert_file);
    free(cluster->tls.key_file);
    free(cluster->tls.key_password);
    free(cluster->sasl.mechanism);
    free(cluster->sasl.username);
    free(cluster->sasl.password);
}

static void free_module(struct module_config *module)
{
    free(module->module);
    free(module->member);
    free(module->place);
}

static void free_modules(struct module_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_module(&list->items[i]);
    free(list->items);
}

static void free_consumer(struct consumer_config *consumer)
{
    for (size_t i = 0; i < consumer->handler_count; i++) {
        free(consumer->handlers[i].type);
        free_module(&consumer->handlers[i].module);
    }
    free(consumer->handlers);
    free_strings(consumer->topics, consumer->topic_count);
    properties_destroy(&consumer->properties);
    free(consumer->name);
    free(consumer->place);
    free(consumer->group);
    free(consumer->instance_id);
    free(consumer->type_header);
    free(consumer->type_field);
    free_module(&consumer->handler);
    free_module(&consumer->codec.module);
    free_modules(&consumer->middlewares);
    free(consumer->dead_letter);
}

static void free_producer(struct producer_config *producer)
{
    properties_destroy(&producer->properties);
    free(producer->name);
    free(producer->place);
    free(producer->topic);
    free(producer->key_field);
    free(producer->type_header);
    free_module(&producer->codec.module);
    properties_destroy(&producer->headers);
    free_modules(&producer->middlewares);
}

void config_free(struct config **config_owned)
{
    struct config *config = *config_owned;
    *config_owned = NULL;
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->cluster_count; i++)
        free_cluster(&config->clusters[i]);
    for (size_t i = 0; i < config->topic_count; i++) {
        properties_destroy(&config->topics[i].settings);
        free(config->topics[i].name);
        free(config->topics[i].place);
    }
    for (size_t i = 0; i < config->producer_count; i++)
        free_producer(&config->producers[i]);
    for (size_t i = 0; i < config->consumer_count; i++)
        free_consumer(&config->consumers[i]);
    free(config->clusters);
    free(config->topics);
    free(config->producers);
    free(config->consumers);
    free_strings(config->notices, config->notice_count);
    free_strings(config->secrets, config->secret_count);
    free_strings(config->files, config->file_count);
    free_strings(config->settings, config->setting_count);
    free_strings(config->variables, config->variable_count);
    free(config->admin_listen);
    free(config->admin_token);
    free(config->path);
    free(config->directory);
    free(config);
}

void config_problems_destroy(struct config_problems *problems)
{
    free_strings(problems->lines, problems->count);
    *problems = (struct config_problems){0};
}

/* --- looking up --- */

bool config_is_cluster(const struct cluster_config *one, const struct cluster_config *other)
{
    return strcmp(one->name, other->name) == 0;
}

const struct topic_config *config_topic(const struct config *config,
                                        const struct cluster_config *cluster, const char *name)
{
    for (size_t i = 0; i < config->topic_count; i++)
        if (config_is_cluster(config->topics[i].cluster, cluster) &&
            strcmp(config->topics[i].name, name) == 0)
            return &config->topics[i];
    return NULL;
}

const struct producer_config *config_producer(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->producer_count; i++)
        if (strcmp(config->producers[i].name, name) == 0)
            return &config->producers[i];
    return NULL;
}

const struct consumer_config *config_consumer(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->consumer_count; i++)
        if (strcmp(config->consumers[i].name, name) == 0)
            return &config->consumers[i];
    return NULL;
}

bool config_is_pattern(const char *topic)
{
    return topic[0] == '^';
}

char *config_dead_letter_topic(const struct consumer_config *consumer, const char *topic)
{
    if (consumer->dead_letter != NULL)
        return xstrdup(consumer->dead_letter);
    return xasprintf("%s.%s.dead-letter", topic, consumer->group);
}

/* A secret so short that it is a part of common words is taken out only where it is a whole word,
 * or it could be guessed from the gaps. lua/config/words.lua has the same rule. */
enum { SHORT_SECRET_BYTES = 4 };

static bool is_whole(const char *text, const char *found, const char *secret, size_t length)
{
    if (length >= SHORT_SECRET_BYTES)
        return true;
    bool goes_on = isalnum((unsigned char)secret[length - 1]) != 0 &&
                   isalnum((unsigned char)found[length]) != 0;
    bool begins_before = found > text && isalnum((unsigned char)secret[0]) != 0 &&
                         isalnum((unsigned char)found[-1]) != 0;
    return !goes_on && !begins_before;
}

char *config_redact(const struct config *config, const char *text)
{
    char *redacted = xstrdup(text);
    for (size_t i = 0; i < config->secret_count; i++) {
        struct buffer next;
        buffer_init(&next);
        const char *rest = redacted;
        const char *found;
        while ((found = strstr(rest, config->secrets[i])) != NULL) {
            size_t length = strlen(config->secrets[i]);
            bool is_secret = is_whole(redacted, found, config->secrets[i], length);
            buffer_append(&next, rest, (size_t)(found - rest) + (is_secret ? 0 : 1));
            if (is_secret)
                buffer_append_text(&next, "<secret>");
            rest = found + (is_secret ? length : 1);
        }
        buffer_append(&next, rest, strlen(rest) + 1);
        free(redacted);
        redacted = next.bytes;
    }
    return redacted;
}
