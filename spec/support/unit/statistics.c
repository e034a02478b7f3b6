/* statistics.c - what runtime/statistics.h reads of librdkafka's text, and runtime/faults.h, for
 * specs. */
#include "statistics.h"

#include <lauxlib.h>
#include <lua.h>

#include "faults.h"

int unit_open_statistics(lua_State *L);

static void set_integer(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void push_broker(lua_State *L, const struct broker_figures *broker)
{
    lua_newtable(L);
    lua_pushstring(L, broker->name);
    lua_setfield(L, -2, "name");
    lua_pushboolean(L, broker->is_known);
    lua_setfield(L, -2, "is_known");
    lua_pushboolean(L, broker->is_connected);
    lua_setfield(L, -2, "is_connected");
    set_integer(L, "rtt_average_us", broker->rtt_average_us);
    set_integer(L, "rtt_p99_us", broker->rtt_p99_us);
    set_integer(L, "waiting", broker->waiting);
    set_integer(L, "errors", broker->errors);
    set_integer(L, "timeouts", broker->timeouts);
}

/* read(json) -> the figures */
static int l_read(lua_State *L)
{
    size_t length;
    const char *json = luaL_checklstring(L, 1, &length);
    struct client_figures figures;
    statistics_read(&figures, json, length);
    lua_newtable(L);
    set_integer(L, "sent_bytes", figures.sent_bytes);
    set_integer(L, "received_bytes", figures.received_bytes);
    set_integer(L, "fetched_bytes", figures.fetched_bytes);
    set_integer(L, "queued_records", figures.queued_records);
    set_integer(L, "queued_bytes", figures.queued_bytes);
    lua_newtable(L);
    for (size_t i = 0; i < figures.broker_count; i++) {
        push_broker(L, &figures.brokers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "brokers");
    statistics_free(&figures);
    return 1;
}

/* fault(place or nil, sentence, ...) -> how many there are of the kind, what is kept of the last */
static int l_fault(lua_State *L)
{
    struct faults faults = {0};
    for (int i = 2; i <= lua_gettop(L); i++)
        faults_note(&faults, FAULT_TIMEOUT, luaL_optstring(L, 1, NULL), luaL_checkstring(L, i));
    lua_pushinteger(L, (lua_Integer)faults.kinds[FAULT_TIMEOUT].count);
    lua_pushstring(L, faults.kinds[FAULT_TIMEOUT].text);
    return 2;
}

int unit_open_statistics(lua_State *L)
{
    static const luaL_Reg functions[] = {{"read", l_read}, {"fault", l_fault}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
