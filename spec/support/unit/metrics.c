/* metrics.c - the functions of runtime/metrics.h and runtime/histogram.h for specs. */
#include "metrics.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_metrics(lua_State *L);

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* table() -> a list of {name, type, help, labels = {...}} */
static int l_table(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_info *info = metric_info((enum metric)i);
        lua_newtable(L);
        set_text(L, "name", info->name);
        set_text(L, "type", metric_type_name(info->type));
        set_text(L, "help", info->help);
        lua_newtable(L);
        for (int label = 0; label < METRIC_MAX_LABELS && info->labels[label] != NULL; label++) {
            lua_pushstring(L, info->labels[label]);
            lua_rawseti(L, -2, label + 1);
        }
        lua_setfield(L, -2, "labels");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int push_text(lua_State *L, struct metrics *metrics)
{
    struct buffer out;
    buffer_init(&out);
    metrics_write(metrics, &out);
    lua_pushlstring(L, out.length > 0 ? out.bytes : "", out.length);
    buffer_destroy(&out);
    metrics_destroy(metrics);
    return 1;
}

/* text(consumer, generation, retries) -> those two, and the retries of the consumer "b" */
static int l_text(lua_State *L)
{
    struct metrics metrics;
    metrics_init(&metrics);
    const struct metric_labels first = {{luaL_checkstring(L, 1)}};
    const struct metric_labels second = {{"b"}};
    metrics_add(&metrics, METRIC_RETRIES, &first, luaL_checknumber(L, 3));
    metrics_add(&metrics, METRIC_GENERATION, NULL, luaL_checknumber(L, 2));
    metrics_add(&metrics, METRIC_RETRIES, &second, 0);
    return push_text(L, &metrics);
}

/* histogram(duration_us, ...) -> the text of a histogram in which they are noted */
static int l_histogram(lua_State *L)
{
    struct metrics metrics;
    struct histogram histogram = {0};
    struct histogram_sum sum = {0};
    const struct metric_labels labels = {{"c"}};
    metrics_init(&metrics);
    for (int i = 1; i <= lua_gettop(L); i++)
        histogram_note(&histogram, luaL_checkinteger(L, i));
    histogram_add(&sum, &histogram);
    metrics_add_histogram(&metrics, METRIC_HANDLER_DURATION, &labels, &sum);
    return push_text(L, &metrics);
}

int unit_open_metrics(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"table", l_table}, {"text", l_text}, {"histogram", l_histogram}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
