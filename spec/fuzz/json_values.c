/* json_values.c - any Lua value as JSON: it is refused with a reason, or its text is right. */
#include <assert.h>

#include <lauxlib.h>

#include "error.h"
#include "fuzz.h"
#include "json.h"

enum { MAX_DEPTH = 140, MAX_MEMBERS = 40, KEPT = 8 };

static void push_value(lua_State *L, struct input *input, int depth);

static void push_string(lua_State *L, struct input *input)
{
    size_t length;
    const char *text = input_take(input, input_byte(input), &length);
    lua_pushlstring(L, text, length);
}

static void push_number(lua_State *L, struct input *input, bool is_float)
{
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | input_byte(input);
    double number;
    memcpy(&number, &bits, sizeof number);
    if (is_float)
        lua_pushnumber(L, number);
    else
        lua_pushinteger(L, (lua_Integer)bits);
}

/* A list, an object, or both at once; some are marked, and any may be met again within itself or
 * elsewhere, as upvalue KEPT of the registry. */
static void push_table(lua_State *L, struct input *input, int depth)
{
    uint8_t shape = input_byte(input);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, LUA_REGISTRYINDEX, 100 + shape % KEPT);
    for (int i = 0; i < shape % MAX_MEMBERS && input->left > 0; i++) {
        if (shape & 0x40)
            push_string(L, input);
        else
            lua_pushinteger(L, i + (shape & 0x20 ? input_byte(input) % 3 : 1));
        push_value(L, input, depth + 1);
        lua_rawset(L, -3);
    }
    if (shape & 0x80)
        json_mark_array(L, lua_gettop(L));
}

static void push_value(lua_State *L, struct input *input, int depth)
{
    luaL_checkstack(L, 10, NULL);
    uint8_t kind = depth < MAX_DEPTH ? input_byte(input) % 12 : 0;
    switch (kind) {
    case 0:
        lua_pushboolean(L, input_byte(input) & 1);
        return;
    case 1:
        lua_pushlightuserdata(L, NULL);
        return;
    case 2:
        lua_pushlightuserdata(L, L);
        return;
    case 3:
    case 4:
        push_number(L, input, kind == 4);
        return;
    case 5:
        lua_pushinteger(L, (int8_t)input_byte(input));
        return;
    case 6:
        lua_rawgeti(L, LUA_REGISTRYINDEX, 100 + input_byte(input) % KEPT);
        return;
    case 7:
    case 8:
        push_string(L, input);
        return;
    default:
        push_table(L, input, depth);
        return;
    }
}

static void check_text(lua_State *L, const struct buffer *text)
{
    struct error err;
    struct buffer again;
    buffer_init(&again);
    char *copy = exact_copy(text->bytes, text->length);
    int rc = json_decode(L, copy, text->length, JSON_NULLS_KEEP, &err);
    assert(rc == 0);
    rc = json_encode_sorted(L, lua_gettop(L), &again, &err);
    assert(rc == 0);
    assert(again.length == text->length && memcmp(again.bytes, copy, again.length) == 0);
    free(copy);
    buffer_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = {bytes, length};
    struct error err = {0};
    struct buffer out;
    lua_State *L = luaL_newstate();
    json_open(L);
    buffer_init(&out);
    push_value(L, &input, 0);
    /* A small value may be met again so often that its text is large: not what is looked for. */
    if (json_encode_sorted(L, 1, &out, &err) != 0)
        assert(lua_gettop(L) == 1 && err.text[0] != '\0');
    else if (out.length < 1024 * 1024)
        check_text(L, &out);
    buffer_destroy(&out);
    lua_close(L);
    return 0;
}
