#include "bindings_publication.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "json.h"

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
    if (path != NULL && !lua_istable(L, ARG_EVENT))
        luaL_error(L,
                   "publish: the event is a %s and has no '%s', which is the key of producer '%s'; "
                   "give a key",
                   is_null(L, ARG_EVENT) ? "null" : luaL_typename(L, ARG_EVENT), path,
                   value->config->name);
    if (path != NULL && value->config->key_missing == KEY_MISSING_ERROR)
        luaL_error(L, "publish: the event has no '%s', which is the key of producer '%s'", path,
                   value->config->name);
    if (path != NULL && value->producer != NULL && producer_is_first_missing_key(value->producer)) {
        log_warn("producer %s: an event has no '%s'; its key is a fresh UUID (said once)",
                 value->config->name, path);
    }
    bindings_uuid(L);
    publication->key = lua_tolstring(L, -1, &publication->key_length);
}

/* options.key, else the event's key field, else a fresh UUID. Leaves the key's bytes on the stack.
 */
static void find_key(lua_State *L, struct producer_value *value, struct publication *publication)
{
    lua_getfield(L, ARG_OPTIONS, "key");
    bool is_tombstone = lua_isnil(L, ARG_EVENT) && lua_isnil(L, ARG_TEXT);
    if (is_tombstone && (lua_isnil(L, -1) || is_null(L, -1)))
        luaL_error(L, "publish: a nil event is a tombstone and needs a key: "
                      "publish(type, nil, {key = ...})");
    if (is_null(L, -1))
        return;
    if (!lua_isnil(L, -1)) {
        publication->key = text_of_top(L, &publication->key_length);
        if (publication->key == NULL)
            luaL_error(L, "publish: key must be a string or an integer, got %s",
                       luaL_typename(L, -1));
        return;
    }
    if (value->config->key_field != NULL) {
        bindings_push_path(L, ARG_EVENT, value->config->key_field);
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
    lua_Integer count = (lua_Integer)lua_rawlen(L, headers);
    lua_pushnil(L);
    while (lua_next(L, headers) != 0) {
        luaL_checkstack(L, 4, "too many headers");
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= count) {
            lua_pop(L, 1);
            continue;
        }
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
    add_header_list(L, publication, headers);
    add_header_map(L, publication, headers);
}

/* Those of the config, but for what the call has set itself. */
static void add_declared_headers(lua_State *L, const struct properties *declared,
                                 struct publication *publication)
{
    size_t count = publication->header_count;
    for (size_t i = 0; i < declared->count; i++) {
        const char *name = declared->items[i].name;
        bool is_set = false;
        for (size_t j = 0; j < count; j++)
            is_set = is_set || strcmp(publication->headers[j].name, name) == 0;
        if (is_set)
            continue;
        luaL_checkstack(L, 4, "too many headers");
        lua_pushstring(L, declared->items[i].value);
        add_header(L, publication, name);
    }
}

/* What a module needs to know to encode an event. */
static void push_encode_context(lua_State *L, const struct producer_config *config)
{
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, ARG_TYPE);
    lua_setfield(L, -2, "type");
    if (lua_getfield(L, ARG_OPTIONS, "topic") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushstring(L, config->topic);
    }
    lua_setfield(L, -2, "topic");
}

/* By the codec's function. The text stays on the stack. */
static void encode(lua_State *L, const struct producer_config *config,
                   struct publication *publication)
{
    publication_push_part(L, config, PRODUCER_ENCODE);
    lua_pushvalue(L, ARG_EVENT);
    bool is_module = config->codec.codec == CODEC_MODULE;
    if (is_module)
        push_encode_context(L, config);
    lua_call(L, is_module ? 2 : 1, 2);
    if (lua_type(L, -2) != LUA_TSTRING && !lua_isnil(L, -1))
        luaL_error(L, "publish: the codec cannot encode the event: %s",
                   luaL_tolstring(L, -1, NULL));
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "publish: the codec of producer '%s' must return a string, it returns %s",
                   config->name, luaL_typename(L, -2));
    lua_pop(L, 1);
    publication->value = lua_tolstring(L, -1, &publication->value_length);
}

static void encode_json(lua_State *L, struct publication *publication)
{
    enum { KEEP_BYTES = 64 * 1024 };
    struct buffer *text = &bindings_of(L)->text;
    struct error err;
    buffer_clear(text, KEEP_BYTES);
    if (json_encode(L, ARG_EVENT, text, &err) != 0)
        luaL_error(L, "publish: the event cannot be written as JSON: %s", err.text);
    publication->value = text->bytes;
    publication->value_length = text->length;
}

static bool is_json(lua_State *L, const struct producer_config *config)
{
    return lua_isnil(L, ARG_TEXT) && !lua_isnil(L, ARG_EVENT) && config->codec.codec == CODEC_JSON;
}

/* What is none of our JSON. */
static void find_value(lua_State *L, const struct producer_config *config,
                       struct publication *publication)
{
    if (!lua_isnil(L, ARG_TEXT)) {
        publication->value = lua_tolstring(L, ARG_TEXT, &publication->value_length);
        return;
    }
    if (lua_isnil(L, ARG_EVENT))
        return;
    switch (config->codec.codec) {
    case CODEC_JSON:
        return;
    case CODEC_RAW:
        if (lua_type(L, ARG_EVENT) != LUA_TSTRING)
            luaL_error(L,
                       "publish: producer '%s' has the codec raw: the event must be a string, "
                       "got %s",
                       config->name, luaL_typename(L, ARG_EVENT));
        publication->value = lua_tolstring(L, ARG_EVENT, &publication->value_length);
        return;
    case CODEC_CJSON:
    case CODEC_MODULE:
        break;
    }
    encode(L, config, publication);
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

static const char *const options[] = {"key", "headers", "topic", "partition", "timestamp"};

static bool is_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        if (strcmp(name, options[i]) == 0)
            return true;
    return false;
}

void publication_check_options(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, ARG_OPTIONS) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        if (!is_option(name))
            luaL_error(L,
                       "publish: unknown option '%s': there are key, headers, topic, partition, "
                       "timestamp",
                       name);
        lua_pop(L, 1);
    }
}

void publication_check_context(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, ARG_OPTIONS) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        if (!is_option(name) && strcmp(name, "type") != 0)
            luaL_error(L,
                       "publish: a middleware set context.%s: there are type, key, headers, topic, "
                       "partition, timestamp",
                       name);
        lua_pop(L, 1);
    }
}

void publication_read(lua_State *L, struct producer_value *value, struct publication *publication)
{
    find_place(L, publication);
    find_key(L, value, publication);
    /* Before the headers, whose buffer a codec that publishes itself would use again. */
    find_value(L, value->config, publication);
    find_headers(L, value, publication);
    add_declared_headers(L, &value->config->headers, publication);
    /* Last: while it is in its buffer nothing of Lua's is made, whose collector runs finalizers. */
    if (is_json(L, value->config))
        encode_json(L, publication);
}
