#include "script_event.h"

#include <lauxlib.h>
#include <string.h>

#include "bindings.h"
#include "error.h"
#include "json.h"
#include "script_load.h"

static bool end_as(struct call *call, enum outcome outcome, char *failure)
{
    call->outcome = outcome;
    call->failure = failure;
    return false;
}

/* --- the handler --- */

/* Pushes the last name of a type; false when the whole type is one. */
static bool push_last_name(lua_State *L, const char *type, size_t length)
{
    const char *name = type;
    if (!config_last_name(&name, &length))
        return false;
    lua_pushlstring(L, name, length);
    return true;
}

/* Pushes the function for the type, which is at AT_TYPE too; NULL: the record has none. False when
 * there is no function. */
static bool push_handler(lua_State *L, const char *type, size_t length)
{
    if (type != NULL) {
        lua_pushvalue(L, AT_TYPE);
        if (lua_rawget(L, AT_HANDLERS) != LUA_TNIL)
            return true;
        lua_pop(L, 1);
        if (push_last_name(L, type, length)) {
            if (lua_rawget(L, AT_HANDLERS) != LUA_TNIL)
                return true;
            lua_pop(L, 1);
        }
    }
    return lua_rawgeti(L, AT_HANDLERS, HANDLERS_ANY) != LUA_TNIL;
}

static bool end_without_handler(const struct consumer_config *consumer, struct call *call,
                                const char *type, size_t length)
{
    if (type != NULL)
        return end_as(call, OUTCOME_UNKNOWN_TYPE, xstrndup(type, length));
    const char *field = consumer->type_field;
    return end_as(call, OUTCOME_INVALID,
                  xasprintf("the record has no type: no header '%s'%s%s%s", consumer->type_header,
                            field != NULL ? " and no field '" : "", field != NULL ? field : "",
                            field != NULL ? "'" : ""));
}

/* --- the event --- */

/* By the codec's function: it raises, or returns nil and why, for what it cannot decode. */
static bool push_decoded(lua_State *L, const struct consumer_config *consumer, struct call *call)
{
    const struct record *record = call->record;
    int argument_count = consumer->codec.codec == CODEC_CJSON ? 1 : 2;
    lua_rawgeti(L, AT_HANDLERS, HANDLERS_DECODE);
    lua_pushlstring(L, record->value, record->value_length);
    if (argument_count == 2)
        lua_pushvalue(L, AT_CONTEXT);
    int rc = lua_pcall(L, argument_count, 2, 0);
    if (rc == LUA_ERRMEM)
        lua_error(L);
    if (rc == LUA_OK && (lua_toboolean(L, -2) || lua_isnil(L, -1))) {
        lua_pop(L, 1);
        return true;
    }
    return end_as(call, OUTCOME_INVALID,
                  xasprintf("the codec cannot decode the value: %s", luaL_tolstring(L, -1, NULL)));
}

/* False when the record has none that can be read. */
static bool push_event(lua_State *L, const struct consumer_config *consumer, struct call *call)
{
    const struct record *record = call->record;
    struct error err;
    if (record->value == NULL) {
        lua_pushnil(L);
        return true;
    }
    if ((int64_t)record->value_length > consumer->max_record_bytes)
        return end_as(call, OUTCOME_INVALID,
                      xasprintf("the value has %zu bytes, max_record is %lld", record->value_length,
                                (long long)consumer->max_record_bytes));
    switch (consumer->codec.codec) {
    case CODEC_JSON:
        if (json_decode(L, record->value, record->value_length,
                        consumer->keeps_nulls ? JSON_NULLS_KEEP : JSON_NULLS_DROP, &err) == 0)
            return true;
        return end_as(call, OUTCOME_INVALID, xasprintf("the value is not JSON: %s", err.text));
    case CODEC_RAW:
        lua_pushlstring(L, record->value, record->value_length);
        return true;
    case CODEC_CJSON:
    case CODEC_MODULE:
        break;
    }
    return push_decoded(L, consumer, call);
}

/* --- both --- */

/* A tombstone that the config does not want handled. */
static bool is_left_out(const struct consumer_config *consumer, struct call *call)
{
    return call->record->value == NULL && consumer->skips_tombstones &&
           !end_as(call, OUTCOME_SKIPPED, NULL);
}

/* The type stands in the header: a record that nobody handles is not decoded. */
static bool push_by_header(lua_State *L, const struct consumer_config *consumer, struct call *call,
                           const struct record_header *type)
{
    lua_pushlstring(L, type->value, type->value_length);
    if (!push_handler(L, type->value, type->value_length))
        return end_without_handler(consumer, call, type->value, type->value_length);
    if (is_left_out(consumer, call))
        return false;
    bindings_push_context(L, call);
    bindings_set_type(call, type->value, type->value_length);
    return push_event(L, consumer, call);
}

/* The type stands in the event, or nowhere. */
static bool push_by_field(lua_State *L, const struct consumer_config *consumer, struct call *call)
{
    const char *type = NULL;
    size_t length = 0;
    lua_settop(L, AT_HANDLER);
    bindings_push_context(L, call);
    if (!push_event(L, consumer, call))
        return false;
    if (consumer->type_field != NULL && lua_istable(L, AT_EVENT)) {
        bindings_push_path(L, AT_EVENT, consumer->type_field);
        if (lua_type(L, -1) == LUA_TSTRING) {
            lua_copy(L, -1, AT_TYPE);
            type = lua_tolstring(L, AT_TYPE, &length);
            bindings_set_type(call, type, length);
        }
        lua_pop(L, 1);
    }
    if (!push_handler(L, type, length))
        return end_without_handler(consumer, call, type, length);
    lua_replace(L, AT_HANDLER);
    return !is_left_out(consumer, call);
}

bool script_event_push(lua_State *L, const struct consumer_config *consumer, struct call *call)
{
    const struct record_header *type = record_header(call->record, consumer->type_header);
    if (type != NULL && !type->is_null)
        return push_by_header(L, consumer, call, type);
    return push_by_field(L, consumer, call);
}
