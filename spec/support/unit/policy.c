/* policy.c - the functions of runtime/policy.h for specs. */
#include "policy.h"

#include <lauxlib.h>
#include <lua.h>

int unit_open_policy(lua_State *L);

static int integer_field(lua_State *L, const char *name, int missing)
{
    lua_getfield(L, 1, name);
    int value = (int)luaL_optinteger(L, -1, missing);
    lua_pop(L, 1);
    return value;
}

static int word_field(lua_State *L, const char *name, const char *missing, const char *const *words)
{
    lua_getfield(L, 1, name);
    lua_pushvalue(L, -1);
    int value = luaL_checkoption(L, -1, missing, words);
    lua_pop(L, 2);
    return value;
}

/* of({outcome, attempt, is_uncounted, retries, give_up, on_invalid, on_unknown_type}): what is
 * decided, and how the strand goes on */
static int l_of(lua_State *L)
{
    static const char *const outcomes[] = {"none",        "done",         "skipped",
                                           "dead letter", "unknown type", "invalid",
                                           "failed",      "interrupted",  NULL};
    static const char *const policies[] = {"dead_letter", "skip", "stop", NULL};
    static const char *const decisions[] = {"settle", "retry", "dead_letter",
                                            "skip",   "stop",  "give_back"};
    static const char *const verdicts[] = {"release", "keep", "hold"};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "is_uncounted");
    struct record record = {
        .outcome = (enum outcome)word_field(L, "outcome", NULL, outcomes),
        .attempt = integer_field(L, "attempt", 1),
        .is_uncounted = lua_toboolean(L, -1),
    };
    struct consumer_config consumer = {
        .on_error = {.retries = integer_field(L, "retries", 0),
                     .give_up = (enum policy)word_field(L, "give_up", "stop", policies)},
        .on_invalid = (enum policy)word_field(L, "on_invalid", "stop", policies),
        .on_unknown_type = (enum policy)word_field(L, "on_unknown_type", "skip", policies),
    };
    record.decision = policy_decide(&consumer, &record);
    lua_pushstring(L, decisions[record.decision]);
    lua_pushstring(L, verdicts[policy_verdict(&record)]);
    return 2;
}

int unit_open_policy(lua_State *L)
{
    static const luaL_Reg functions[] = {{"of", l_of}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
