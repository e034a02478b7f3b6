/* The context of a handler: where its record comes from. */
#include "bindings.h"

#include <lauxlib.h>
#include <string.h>

static const char CLASS[] = "lagoon.context";

/* Points at the call while it runs, so that nothing is copied for a field nobody reads. */
struct context {
    struct call *call; /* NULL: the call is over */
    const char *type;  /* the record's, or on the coroutine's stack; NULL: it has none */
    size_t type_length;
};

/* The upvalues of the functions below: all have the first one. */
enum {
    UPVALUE_CLASS = 1,
    UPVALUE_NAMES, /* on_index: name -> field number, or the method itself */
};

/* The context at 1, of a call that still runs. As luaL_checkudata, which looks the class up by its
 * name each time. */
static struct context *check_context(lua_State *L)
{
    struct context *context = lua_touserdata(L, 1);
    if (context == NULL || !lua_getmetatable(L, 1) ||
        !lua_rawequal(L, -1, lua_upvalueindex(UPVALUE_CLASS)))
        context = luaL_checkudata(L, 1, CLASS);
    else
        lua_pop(L, 1);
    if (context->call == NULL)
        luaL_error(L, "this context is over: its handler has returned");
    return context;
}

static const struct record *context_record(lua_State *L)
{
    return check_context(L)->call->record;
}

static void push_header_value(lua_State *L, const struct record_header *header)
{
    if (header->is_null)
        lua_pushlightuserdata(L, NULL);
    else
        lua_pushlstring(L, header->value, header->value_length);
}

/* context:header(name): the last value of that name, nil when there is none. */
static int on_header(lua_State *L)
{
    const struct record *record = context_record(L);
    const struct record_header *header = record_header(record, luaL_checkstring(L, 2));
    if (header == NULL)
        lua_pushnil(L);
    else
        push_header_value(L, header);
    return 1;
}

/* context:headers(): a list of {name, value} in the record's order. */
static int on_headers(lua_State *L)
{
    const struct record *record = context_record(L);
    lua_createtable(L, (int)record->header_count, 0);
    for (size_t i = 0; i < record->header_count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, record->headers[i].name);
        lua_rawseti(L, -2, 1);
        push_header_value(L, &record->headers[i]);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* context:id(): what tells the record from every other one of its cluster, the same for each of its
 * attempts. */
static int on_id(lua_State *L)
{
    const struct record *record = context_record(L);
    lua_pushfstring(L, "%s-%d-%I", record->topic, (int)record->partition,
                    (LUAI_UACINT)record->offset);
    return 1;
}

/* context:raw(): the value's bytes, nil for a tombstone. */
static int on_raw(lua_State *L)
{
    const struct record *record = context_record(L);
    if (record->value == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, record->value, record->value_length);
    return 1;
}

enum field {
    FIELD_TOPIC = 1,
    FIELD_PARTITION,
    FIELD_OFFSET,
    FIELD_TIMESTAMP,
    FIELD_KEY,
    FIELD_TYPE,
    FIELD_ATTEMPT,
    FIELD_CONSUMER,
    FIELD_GROUP,
    FIELD_WORKER,
    FIELD_GENERATION,
};

static const struct {
    const char *name;
    enum field field;
} fields[] = {
    {"topic", FIELD_TOPIC},
    {"partition", FIELD_PARTITION},
    {"offset", FIELD_OFFSET},
    {"timestamp", FIELD_TIMESTAMP},
    {"key", FIELD_KEY},
    {"type", FIELD_TYPE},
    {"attempt", FIELD_ATTEMPT},
    {"consumer", FIELD_CONSUMER},
    {"group", FIELD_GROUP},
    {"worker", FIELD_WORKER},
    {"generation", FIELD_GENERATION},
};

static const luaL_Reg methods[] = {
    {"header", on_header}, {"headers", on_headers}, {"raw", on_raw}, {"id", on_id}, {NULL, NULL},
};

static void push_field(lua_State *L, const struct context *context, enum field field)
{
    const struct record *record = context->call->record;
    const struct bindings *bindings = bindings_of(L);
    switch (field) {
    case FIELD_TOPIC:
        lua_pushstring(L, record->topic);
        break;
    case FIELD_PARTITION:
        lua_pushinteger(L, record->partition);
        break;
    case FIELD_OFFSET:
        lua_pushinteger(L, record->offset);
        break;
    case FIELD_TIMESTAMP:
        if (record->timestamp_ms < 0)
            lua_pushnil(L);
        else
            lua_pushinteger(L, record->timestamp_ms);
        break;
    case FIELD_KEY:
        if (record->key == NULL)
            lua_pushnil(L);
        else
            lua_pushlstring(L, record->key, record->key_length);
        break;
    case FIELD_TYPE:
        if (context->type == NULL)
            lua_pushnil(L);
        else
            lua_pushlstring(L, context->type, context->type_length);
        break;
    case FIELD_ATTEMPT:
        lua_pushinteger(L, record->attempt);
        break;
    case FIELD_CONSUMER:
        lua_pushstring(L, bindings->consumer->name);
        break;
    case FIELD_GROUP:
        lua_pushstring(L, bindings->consumer->group);
        break;
    case FIELD_WORKER:
        lua_pushinteger(L, context->call->worker);
        break;
    case FIELD_GENERATION:
        lua_pushinteger(L, (lua_Integer)bindings->host->generation);
        break;
    }
}

static int on_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    int kind = lua_rawget(L, lua_upvalueindex(UPVALUE_NAMES));
    if (kind == LUA_TFUNCTION)
        return 1;
    if (kind != LUA_TNUMBER)
        return luaL_error(L, "context has no field '%s'", luaL_tolstring(L, 2, NULL));
    enum field field = (enum field)lua_tointeger(L, -1);
    push_field(L, check_context(L), field);
    return 1;
}

/* Kept by its address too: every record asks for it. */
static void push_class(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, CLASS) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    luaL_newmetatable(L, CLASS);
    lua_pushvalue(L, -1); /* the first upvalue of on_index */
    luaL_newlibtable(L, methods);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, methods, UPVALUE_CLASS);
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        lua_pushinteger(L, fields[i].field);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushcclosure(L, on_index, UPVALUE_NAMES);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "lagoon.context");
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, CLASS);
}

void bindings_push_context(lua_State *L, struct call *call)
{
    struct context *context = lua_newuserdatauv(L, sizeof *context, 0);
    *context = (struct context){.call = call};
    call->context = context;
    push_class(L);
    lua_setmetatable(L, -2);
}

void bindings_set_type(struct call *call, const char *type, size_t length)
{
    struct context *context = call->context;
    context->type = type;
    context->type_length = length;
}

void bindings_end_context(struct call *call)
{
    struct context *context = call->context;
    if (context != NULL)
        context->call = NULL;
    call->context = NULL;
}
