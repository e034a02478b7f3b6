/* json.c - any bytes as JSON: what is decoded is encoded to a text that decodes to the same. */
#include "json.h"

#include <assert.h>
#include <math.h>

#include <lauxlib.h>

#include "error.h"
#include "fuzz.h"

/* The same kind and value, all the way down; a float is no integer, and NaN does not occur. */
static bool is_same(lua_State *L, int a, int b)
{
    if (lua_type(L, a) != lua_type(L, b) || lua_isinteger(L, a) != lua_isinteger(L, b))
        return false;
    if (!lua_istable(L, a))
        return lua_rawequal(L, a, b) && signbit(lua_tonumber(L, a)) == signbit(lua_tonumber(L, b));
    luaL_checkstack(L, 5, NULL);
    bool is_equal =
        json_is_array(L, a) == json_is_array(L, b) && lua_rawlen(L, a) == lua_rawlen(L, b);
    size_t members = 0;
    for (lua_pushnil(L); lua_next(L, a) != 0; lua_pop(L, 1), members++) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        int top = lua_gettop(L);
        is_equal = is_equal && is_same(L, top - 1, top);
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, b) != 0; lua_pop(L, 1))
        members--;
    return is_equal && members == 0;
}

static void encode(lua_State *L, int index, struct buffer *out)
{
    struct error err;
    int rc = index > 0 ? json_encode_sorted(L, index, out, &err)
                       : json_encode(L, lua_gettop(L) + 1 + index, out, &err);
    assert(rc == 0);
}

/* The value on top of the stack goes out and comes in again. */
static void check_again(lua_State *L)
{
    struct error err;
    struct buffer sorted, plain, again;
    buffer_init(&sorted);
    buffer_init(&plain);
    buffer_init(&again);
    encode(L, lua_gettop(L), &sorted);
    encode(L, -1, &plain);
    assert(sorted.length == plain.length);
    int value = lua_gettop(L);
    int rc = json_decode(L, plain.bytes, plain.length, JSON_NULLS_KEEP, &err);
    assert(rc == 0);
    assert(is_same(L, value, value + 1));
    encode(L, value + 1, &again);
    assert(again.length == sorted.length);
    assert(memcmp(again.bytes, sorted.bytes, sorted.length) == 0);
    lua_settop(L, value);
    buffer_destroy(&sorted);
    buffer_destroy(&plain);
    buffer_destroy(&again);
}

static void check(lua_State *L, const char *text, size_t length, enum json_nulls nulls)
{
    struct error err = {0};
    int top = lua_gettop(L);
    if (json_decode(L, text, length, nulls, &err) != 0) {
        assert(lua_gettop(L) == top && err.text[0] != '\0');
        return;
    }
    assert(lua_gettop(L) == top + 1);
    check_again(L);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    lua_State *L = luaL_newstate();
    json_open(L);
    char *text = exact_copy(bytes, length);
    check(L, text, length, JSON_NULLS_KEEP);
    lua_settop(L, 0);
    check(L, text, length, JSON_NULLS_DROP);
    free(text);
    lua_close(L);
    return 0;
}
