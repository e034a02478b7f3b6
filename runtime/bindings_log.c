/* lagoon.log and print: what scripts say, with the record they say it about. */
#include "bindings.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"

/* More fields than this are left out, and the line says how many. */
enum { MAX_FIELDS = 32 };

struct field_list {
    struct log_field fields[MAX_FIELDS + 2]; /* the script's, how many are left out, the record */
    size_t count;
    size_t left_out;
};

static void add(struct field_list *list, struct log_field field)
{
    if (list->count < MAX_FIELDS)
        list->fields[list->count++] = field;
    else
        list->left_out++;
}

static int compare_fields(const void *a, const void *b)
{
    return strcmp(((const struct log_field *)a)->name, ((const struct log_field *)b)->name);
}

/* The value on top as text: a string as it is, a table as JSON, anything else as tostring shows it.
 * What it pushes stays on the stack. */
static struct log_field field_of_top(lua_State *L, const char *name)
{
    size_t length;
    const char *text;
    if (lua_isinteger(L, -1))
        return log_integer(name, lua_tointeger(L, -1));
    if (lua_islightuserdata(L, -1) && lua_touserdata(L, -1) == NULL)
        return log_json(name, "null", strlen("null"));
    if (lua_type(L, -1) == LUA_TTABLE) {
        struct buffer *json = &bindings_of(L)->log_text;
        struct error err;
        buffer_clear(json, 4096);
        if (json_encode(L, -1, json, &err) == 0) {
            text = lua_pushlstring(L, json->bytes, json->length);
            return log_json(name, text, json->length);
        }
    }
    text = luaL_tolstring(L, -1, &length);
    return log_bytes(name, text, length);
}

static void add_script_fields(lua_State *L, struct field_list *list, int fields)
{
    lua_pushnil(L);
    while (lua_next(L, fields) != 0) {
        luaL_checkstack(L, 6, "too many fields");
        int value = lua_gettop(L);
        if (lua_type(L, value - 1) == LUA_TSTRING)
            add(list, field_of_top(L, lua_tostring(L, value - 1)));
        /* Whatever the field points at stays below; the walk goes on with a copy of the name. */
        lua_pushvalue(L, value - 1);
    }
    /* A table has no order; the log's lines are read side by side. */
    qsort(list->fields, list->count, sizeof list->fields[0], compare_fields);
    if (list->left_out > 0)
        list->fields[list->count++] = log_integer("fields_left_out", (int64_t)list->left_out);
}

static void add_record_field(lua_State *L, struct field_list *list, char *name)
{
    const struct bindings *bindings = bindings_of(L);
    const struct call *call = bindings->current;
    /* Where there is one record only, its name says nothing. */
    if (call != NULL && call->record != NULL && bindings->host->recorder == NULL)
        list->fields[list->count++] = log_text("record", record_name(call->record, name));
}

/* lagoon.log.LEVEL(message [, fields]); upvalue 1 is the level. */
static int on_log(lua_State *L)
{
    enum log_level level = (enum log_level)lua_tointeger(L, lua_upvalueindex(1));
    if (!log_is_enabled(level))
        return 0;
    luaL_checkany(L, 1);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct field_list list = {.count = 0};
    char name[RECORD_NAME_BYTES];
    const char *message = luaL_tolstring(L, 1, NULL);
    if (lua_istable(L, 2))
        add_script_fields(L, &list, 2);
    add_record_field(L, &list, name);
    log_event(level, list.fields, list.count, "%s", message);
    return 0;
}

/* print(...): one line at level info, its values separated by spaces. */
static int on_print(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&line, ' ');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    struct field_list list = {.count = 0};
    char name[RECORD_NAME_BYTES];
    add_record_field(L, &list, name);
    log_event(LOG_INFO, list.fields, list.count, "%s", lua_tostring(L, -1));
    return 0;
}

void bindings_push_log(lua_State *L)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {
        {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}};
    lua_createtable(L, 0, ARRAY_LENGTH(levels));
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        lua_pushinteger(L, levels[i].level);
        lua_pushcclosure(L, on_log, 1);
        lua_setfield(L, -2, levels[i].name);
    }
}

void bindings_open_print(lua_State *L)
{
    lua_pushcfunction(L, on_print);
    lua_setglobal(L, "print");
}
