#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "json_number.h"
#include "json_state.h"
#include "json_table.h"
#include "json_text.h"

/* What one level needs on the Lua stack: a key, its value, and the few that are at work at a time.
 */
enum { LEVEL_SLOTS = 8 };

/* A string's quotes, the longest escape and a separator. */
enum { STRING_EXTRA = 16 };

/* The functions below that return bool append the text of one value; or they return false with err
 * set, and leave the Lua stack as it comes. */
struct encoder {
    lua_State *L;
    struct buffer *out;
    size_t longest; /* length of the buffer that is still allowed */
    const void *array_mark;
    bool sort_keys;
    int depth;
    int keys[JSON_MAX_DEPTH]; /* where the key at work in each open table is on the Lua stack */
    struct error *err;
};

static int encode(struct encoder *encoder, int index);
static bool encode_value(struct encoder *encoder);

int json_encode(lua_State *L, int index, struct buffer *out, struct error *err)
{
    struct encoder encoder = {.L = L, .out = out, .err = err};
    return encode(&encoder, index);
}

int json_encode_sorted(lua_State *L, int index, struct buffer *out, struct error *err)
{
    struct encoder encoder = {.L = L, .out = out, .err = err, .sort_keys = true};
    return encode(&encoder, index);
}

/* Puts the path to the value at work in front of what is said about it. */
static PRINTF_LIKE(2, 3) bool fail(struct encoder *encoder, const char *format, ...)
{
    struct buffer text;
    buffer_init(&text);
    json_write_path(&text, encoder->L, encoder->keys, encoder->depth);
    if (text.length > 0)
        buffer_append_text(&text, ": ");
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    error_set(encoder->err, "%.*s%s", (int)text.length, text.length > 0 ? text.bytes : "", reason);
    buffer_destroy(&text);
    return false;
}

static bool fail_too_long(struct encoder *encoder)
{
    return fail(encoder, "here the text exceeds %d bytes", JSON_MAX_BYTES);
}

/* Says why the table is neither an array nor an object. */
static bool fail_keys(struct encoder *encoder, int table, const struct json_keys *keys)
{
    lua_State *L = encoder->L;
    encoder->depth--;
    if (keys->other_type == LUA_TNUMBER)
        return fail(encoder, "a table with a float as a key");
    if (keys->other_type != LUA_TNONE)
        return fail(encoder, "a table with a %s as a key", lua_typename(L, keys->other_type));
    if (keys->has_strings && keys->has_integers)
        return fail(encoder, "a table with both strings and integers as keys");
    if (keys->has_strings)
        return fail(encoder, "a table marked as an array, with strings as keys");
    if (keys->lowest < 1)
        return fail(encoder, "an array that does not start at 1 but at %lld",
                    (long long)keys->lowest);
    return fail(encoder, "an array with a hole at [%lld]", (long long)json_first_hole(L, table));
}

static bool is_marked(struct encoder *encoder, int table)
{
    if (!lua_getmetatable(encoder->L, table))
        return false;
    bool is_mark = lua_topointer(encoder->L, -1) == encoder->array_mark;
    lua_pop(encoder->L, 1);
    return is_mark;
}

/* Room for `more_bytes` and where they go; what is written counts after append_end. */
static inline char *append_begin(struct encoder *encoder, size_t more_bytes)
{
    struct buffer *out = encoder->out;
    if (out->capacity - out->length < more_bytes)
        buffer_reserve(out, more_bytes);
    return out->bytes + out->length;
}

static inline void append_end(struct encoder *encoder, const char *end)
{
    encoder->out->length = (size_t)(end - encoder->out->bytes);
}

static inline void append_byte(struct encoder *encoder, char byte)
{
    *append_begin(encoder, 1) = byte;
    encoder->out->length++;
}

static bool append_word(struct encoder *encoder, const char *word)
{
    buffer_append_text(encoder->out, word);
    return true;
}

/* Copies up to the first special byte or the end, which is returned. There is room for all. */
static inline const char *copy_plain(char **to, const char *at, const char *end)
{
    for (; end - at >= 8; at += 8, *to += 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof(bytes));
        memcpy(*to, &bytes, sizeof(bytes));
        uint64_t special = text_special_bytes(le64toh(bytes));
        if (special != 0) {
            int count = __builtin_ctzll(special) / 8;
            *to += count;
            return at + count;
        }
    }
    while (at < end && !text_is_special(*at))
        *(*to)++ = *at++;
    return at;
}

static char *write_escape(char *to, char c)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    static const char digits[] = "0123456789abcdef";
    *to++ = '\\';
    const char *known = c != '\0' ? strchr(escaped, c) : NULL;
    if (known != NULL) {
        *to++ = letters[known - escaped];
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = digits[c >> 4];
    to[4] = digits[c & 0xf];
    return to + 5;
}

/* The string at `index`, which is called `what` if it is not right. */
static bool encode_string(struct encoder *encoder, int index, const char *what)
{
    size_t length;
    const char *text = lua_tolstring(encoder->L, index, &length);
    if (length > JSON_MAX_BYTES)
        return fail_too_long(encoder);
    const char *end = text + length;
    char *to = append_begin(encoder, length + STRING_EXTRA);
    *to++ = '"';
    for (const char *at = copy_plain(&to, text, end); at < end; at = copy_plain(&to, at, end)) {
        if ((unsigned char)*at < 0x80) {
            to = write_escape(to, *at++);
            append_end(encoder, to);
            if (encoder->out->length > encoder->longest)
                return fail_too_long(encoder);
            to = append_begin(encoder, (size_t)(end - at) + STRING_EXTRA);
            continue;
        }
        size_t count = text_sequence_length(at, end);
        if (count == 0)
            return fail(encoder, "%s is not valid UTF-8 at byte %td", what, at - text);
        for (; count > 0; count--)
            *to++ = *at++;
    }
    *to++ = '"';
    append_end(encoder, to);
    return true;
}

static bool encode_number(struct encoder *encoder)
{
    char *to = append_begin(encoder, JSON_NUMBER_BYTES);
    if (lua_isinteger(encoder->L, -1)) {
        append_end(encoder, json_number_write_integer(to, lua_tointeger(encoder->L, -1)));
        return true;
    }
    double value = lua_tonumber(encoder->L, -1);
    if (isnan(value))
        return fail(encoder, "NaN has no JSON form");
    if (isinf(value))
        return fail(encoder, "%sinfinity has no JSON form", value < 0 ? "-" : "");
    append_end(encoder, json_number_write_float(to, value));
    return true;
}

/* The value on top. It ends in a separator, which the end of the table replaces. */
static bool encode_item(struct encoder *encoder)
{
    if (!encode_value(encoder))
        return false;
    append_byte(encoder, ',');
    return true;
}

/* The key at `key`, and the value on top. */
static bool encode_member(struct encoder *encoder, int key)
{
    if (!encode_string(encoder, key, "the key"))
        return false;
    append_byte(encoder, ':');
    return encode_item(encoder);
}

static bool end_table(struct encoder *encoder, char end)
{
    encoder->out->bytes[encoder->out->length - 1] = end;
    return true;
}

/* The items from `index` on of an array in whose order lua_next does not go. */
static bool encode_items_from(struct encoder *encoder, int table, lua_Integer index)
{
    lua_State *L = encoder->L;
    lua_settop(L, table);
    struct json_keys keys = json_keys_of(L, table);
    if (keys.has_strings || keys.other_type != LUA_TNONE || keys.lowest != 1 ||
        keys.highest != keys.count)
        return fail_keys(encoder, table, &keys);
    for (; index <= keys.count; index++) {
        lua_pushinteger(L, index);
        lua_rawgeti(L, table, index);
        if (!encode_item(encoder))
            return false;
        lua_settop(L, table);
    }
    return end_table(encoder, ']');
}

/* The first key and value are on the stack. As long as lua_next goes from 1 to n, as it does in
 * most arrays, that n is all there is needs no other proof. */
static bool encode_array(struct encoder *encoder, int table)
{
    lua_State *L = encoder->L;
    lua_Integer index = 1;
    append_byte(encoder, '[');
    do {
        if (!lua_isinteger(L, table + 1) || lua_tointeger(L, table + 1) != index)
            return encode_items_from(encoder, table, index);
        if (!encode_item(encoder))
            return false;
        index++;
        lua_settop(L, table + 1);
    } while (lua_next(L, table) != 0);
    return end_table(encoder, ']');
}

/* The first key and value are on the stack. */
static bool encode_object(struct encoder *encoder, int table)
{
    lua_State *L = encoder->L;
    append_byte(encoder, '{');
    do {
        if (lua_type(L, table + 1) != LUA_TSTRING) {
            lua_settop(L, table);
            struct json_keys keys = json_keys_of(L, table);
            return fail_keys(encoder, table, &keys);
        }
        if (!encode_member(encoder, table + 1))
            return false;
        lua_settop(L, table + 1);
    } while (lua_next(L, table) != 0);
    return end_table(encoder, '}');
}

static bool encode_sorted_object(struct encoder *encoder, int table)
{
    lua_State *L = encoder->L;
    lua_settop(L, table);
    struct json_keys kinds = json_keys_of(L, table);
    if (kinds.has_integers || kinds.other_type != LUA_TNONE)
        return fail_keys(encoder, table, &kinds);
    append_byte(encoder, '{');
    const struct json_key *keys = json_push_sorted_keys(L, table, kinds.count);
    int key_index = table + 2;
    encoder->keys[encoder->depth - 1] = key_index;
    for (lua_Integer i = 0; i < kinds.count; i++) {
        lua_pushlstring(L, keys[i].text, keys[i].length);
        lua_pushvalue(L, key_index);
        lua_rawget(L, table);
        if (!encode_member(encoder, key_index))
            return false;
        lua_settop(L, key_index - 1);
    }
    return end_table(encoder, '}');
}

/* Pushes at least one key, the table's keys being what decides what it is. */
static bool encode_keys(struct encoder *encoder, int table)
{
    lua_State *L = encoder->L;
    lua_pushnil(L);
    if (lua_next(L, table) == 0)
        return append_word(encoder, is_marked(encoder, table) ? "[]" : "{}");
    if (lua_type(L, table + 1) != LUA_TSTRING)
        return encode_array(encoder, table);
    if (is_marked(encoder, table)) {
        lua_settop(L, table);
        struct json_keys keys = json_keys_of(L, table);
        return fail_keys(encoder, table, &keys);
    }
    if (encoder->sort_keys)
        return encode_sorted_object(encoder, table);
    return encode_object(encoder, table);
}

/* Everything is read raw, so nothing of the script's runs and no table changes meanwhile. */
static bool encode_table(struct encoder *encoder)
{
    if (encoder->depth == JSON_MAX_DEPTH)
        return fail(encoder, "more than %d levels, or a table within itself", JSON_MAX_DEPTH);
    json_need_slots(encoder->L, LEVEL_SLOTS);
    int table = lua_gettop(encoder->L);
    encoder->keys[encoder->depth++] = table + 1;
    if (!encode_keys(encoder, table))
        return false;
    encoder->depth--;
    lua_settop(encoder->L, table);
    return true;
}

/* The value on top, which stays. */
static bool encode_value(struct encoder *encoder)
{
    lua_State *L = encoder->L;
    if (encoder->out->length > encoder->longest)
        return fail_too_long(encoder);
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        return encode_string(encoder, -1, "the string");
    case LUA_TNUMBER:
        return encode_number(encoder);
    case LUA_TTABLE:
        return encode_table(encoder);
    case LUA_TBOOLEAN:
        return append_word(encoder, lua_toboolean(L, -1) ? "true" : "false");
    case LUA_TNIL:
        return append_word(encoder, "null");
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL)
            return append_word(encoder, "null");
        break;
    }
    return fail(encoder, "a %s has no JSON form", lua_typename(L, lua_type(L, -1)));
}

static int encode(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    int top = lua_gettop(L);
    index = lua_absindex(L, index);
    json_need_slots(L, LEVEL_SLOTS);
    json_push_array_mark(L);
    encoder->array_mark = lua_topointer(L, -1);
    encoder->longest = encoder->out->length + JSON_MAX_BYTES;
    lua_pushvalue(L, index);
    bool is_done = encode_value(encoder);
    if (is_done && encoder->out->length > encoder->longest)
        is_done = fail_too_long(encoder);
    lua_settop(L, top);
    return is_done ? 0 : -1;
}
