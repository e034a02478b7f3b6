#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "json_number.h"
#include "json_state.h"
#include "json_text.h"

/* So many items, or members, wait on the Lua stack until the size of their table is known; what
 * comes after them goes straight into the table. */
enum { ITEMS_WAITING = 64, MEMBERS_WAITING = 32 };

/* What one level needs on the Lua stack: a place for its table, what waits, and the few values that
 * are at work at a time. */
enum { LEVEL_SLOTS = 1 + ITEMS_WAITING + 4 };
_Static_assert(ITEMS_WAITING >= 2 * MEMBERS_WAITING, "a level has room for keys and values");

/* The functions below that return bool push one value and move on behind its text; or they return
 * false with err set, and leave the Lua stack as it comes. */
struct decoder {
    lua_State *L;
    const char *text;
    const char *at; /* the next byte */
    const char *end;
    int array_mark; /* where it is on the Lua stack */
    int depth;
    bool had_escapes; /* the last string */
    enum json_nulls nulls;
    struct error *err;
};

static bool decode_value(struct decoder *decoder);
static bool decode_end(struct decoder *decoder);

int json_decode(lua_State *L, const char *text, size_t length, enum json_nulls nulls,
                struct error *err)
{
    if (length > JSON_MAX_BYTES) {
        error_set(err, "byte %d: expected at most so many bytes, found %zu", JSON_MAX_BYTES,
                  length);
        return -1;
    }
    json_need_slots(L, LEVEL_SLOTS);
    int top = lua_gettop(L);
    json_push_array_mark(L);
    struct decoder decoder = {L, text, text, text + length, top + 1, 0, false, nulls, err};
    if (!decode_value(&decoder) || !decode_end(&decoder)) {
        lua_settop(L, top);
        return -1;
    }
    lua_replace(L, top + 1);
    return 0;
}

static PRINTF_LIKE(3, 4) bool fail(struct decoder *decoder, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[256];
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    error_set(decoder->err, "byte %td: %s", at - decoder->text, text);
    return false;
}

static bool expected(struct decoder *decoder, const char *at, const char *what)
{
    if (at == decoder->end)
        return fail(decoder, at, "expected %s, found the end of the text", what);
    if (*at > 0x20 && *at < 0x7f)
        return fail(decoder, at, "expected %s, found '%c'", what, *at);
    return fail(decoder, at, "expected %s, found byte 0x%02x", what, (unsigned char)*at);
}

/* Behind white space: the next byte, which stays to be read, or -1 at the end. */
static inline int next_byte(struct decoder *decoder)
{
    const char *at = decoder->at;
    while (at < decoder->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    decoder->at = at;
    return at < decoder->end ? (unsigned char)*at : -1;
}

static bool decode_end(struct decoder *decoder)
{
    return next_byte(decoder) == -1 || expected(decoder, decoder->at, "the end of the text");
}

static bool read_word(struct decoder *decoder, const char *word)
{
    size_t length = strlen(word);
    size_t available = (size_t)(decoder->end - decoder->at);
    for (size_t i = 0; i < length; i++) {
        if (i == available || decoder->at[i] != word[i])
            return expected(decoder, decoder->at + i, word);
    }
    decoder->at += length;
    return true;
}

/* Checks the string that starts at decoder->at, behind its quote, and returns where its other quote
 * is; NULL with err set. */
static const char *find_string_end(struct decoder *decoder)
{
    const char *at = decoder->at;
    decoder->had_escapes = false;
    for (;;) {
        at = text_plain_end(at, decoder->end);
        if (at == decoder->end) {
            expected(decoder, at, "the '\"' that ends the string");
            return NULL;
        }
        if (*at == '"')
            return at;
        if (*at == '\\') {
            decoder->had_escapes = true;
            const char *what;
            if (text_read_escape(&at, decoder->end, &what) < 0) {
                expected(decoder, at, what);
                return NULL;
            }
        } else if ((unsigned char)*at < 0x20) {
            expected(decoder, at, "an escape for a control character");
            return NULL;
        } else {
            size_t length = text_sequence_length(at, decoder->end);
            if (length == 0) {
                expected(decoder, at, "valid UTF-8");
                return NULL;
            }
            at += length;
        }
    }
}

/* Not inline: its memory would count at every level. */
static __attribute__((noinline)) void push_unescaped(struct decoder *decoder, const char *end)
{
    char small[512];
    char *bytes = small;
    size_t length = (size_t)(end - decoder->at);
    bool is_large = length > sizeof(small);
    if (is_large)
        bytes = lua_newuserdatauv(decoder->L, length, 0);
    char *bytes_end = text_unescape(bytes, decoder->at, end);
    lua_pushlstring(decoder->L, bytes, (size_t)(bytes_end - bytes));
    if (is_large)
        lua_remove(decoder->L, -2);
}

static bool decode_string(struct decoder *decoder)
{
    decoder->at++;
    const char *end = find_string_end(decoder);
    if (end == NULL)
        return false;
    if (decoder->had_escapes)
        push_unescaped(decoder, end);
    else
        lua_pushlstring(decoder->L, decoder->at, (size_t)(end - decoder->at));
    decoder->at = end + 1;
    return true;
}

/* Moves *at behind one digit or more. */
static bool skip_digits(struct decoder *decoder, const char **at)
{
    const char *start = *at;
    while (*at < decoder->end && text_is_digit(**at))
        ++*at;
    return *at > start || expected(decoder, start, "a digit");
}

/* At least as much as an error may show of a number. */
enum { SHOWN_MAX = 40 };

static bool number_is_too_large(struct decoder *decoder, const char *end, const char *what)
{
    int length = (int)(end - decoder->at < SHOWN_MAX ? end - decoder->at : SHOWN_MAX);
    const char *more = end - decoder->at > SHOWN_MAX ? "..." : "";
    return fail(decoder, decoder->at, "expected %s, found %.*s%s", what, length, decoder->at, more);
}

/* The number's integer part, of `count` digits, ends at `at`. */
static bool decode_decimal(struct decoder *decoder, const char *at)
{
    if (*at == '.') {
        at++;
        if (!skip_digits(decoder, &at))
            return false;
    }
    if (at < decoder->end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < decoder->end && (*at == '+' || *at == '-'))
            at++;
        if (!skip_digits(decoder, &at))
            return false;
    }
    double value = json_number_read(decoder->at, at);
    if (!isfinite(value))
        return number_is_too_large(decoder, at, "a number that a double can hold");
    lua_pushnumber(decoder->L, value);
    decoder->at = at;
    return true;
}

static bool decode_number(struct decoder *decoder)
{
    bool is_negative = *decoder->at == '-';
    const char *first = decoder->at + is_negative;
    const char *at = first;
    uint64_t absolute = 0;
    for (; at < decoder->end && text_is_digit(*at); at++)
        absolute = absolute * 10 + (uint64_t)(*at - '0');
    if (at == first)
        return expected(decoder, at, "a digit");
    if (*first == '0' && at - first > 1)
        return expected(decoder, first + 1, "no digit behind a leading 0");
    if (at < decoder->end && (*at == '.' || *at == 'e' || *at == 'E'))
        return decode_decimal(decoder, at);

    /* Up to 19 digits fit in 64 bits without the sign. */
    if (at - first > 19 || absolute > (uint64_t)INT64_MAX + is_negative)
        return number_is_too_large(decoder, at, "an integer from -2^63 to 2^63-1");
    lua_pushinteger(decoder->L, (lua_Integer)(is_negative ? -absolute : absolute));
    decoder->at = at;
    return true;
}

/* Behind the bracket or brace. */
static bool enter_level(struct decoder *decoder)
{
    if (decoder->depth == JSON_MAX_DEPTH)
        return fail(decoder, decoder->at, "expected at most %d levels of arrays and objects",
                    JSON_MAX_DEPTH);
    decoder->depth++;
    decoder->at++;
    json_need_slots(decoder->L, LEVEL_SLOTS);
    lua_pushnil(decoder->L);
    return true;
}

/* Goes on to the next value, or ends the level; `end` closes it. Returns -1 with err set. */
static int next_in_level(struct decoder *decoder, char end, const char *what)
{
    int next = next_byte(decoder);
    if (next != ',' && next != end) {
        expected(decoder, decoder->at, what);
        return -1;
    }
    decoder->at++;
    return next;
}

/* Takes the items from the stack above `table` and leaves the array there. */
static void make_array(struct decoder *decoder, int table, int count)
{
    lua_State *L = decoder->L;
    lua_createtable(L, count, 0);
    lua_pushvalue(L, decoder->array_mark);
    lua_setmetatable(L, -2);
    lua_replace(L, table);
    for (int i = count; i > 0; i--)
        lua_rawseti(L, table, i);
}

static bool decode_array(struct decoder *decoder)
{
    if (!enter_level(decoder))
        return false;
    lua_State *L = decoder->L;
    int table = lua_gettop(L);
    lua_Integer count = 0;
    int next = next_byte(decoder);
    if (next == ']')
        decoder->at++;
    while (next != ']') {
        if (!decode_value(decoder))
            return false;
        if (++count == ITEMS_WAITING)
            make_array(decoder, table, ITEMS_WAITING);
        else if (count > ITEMS_WAITING)
            lua_rawseti(L, table, count);
        next = next_in_level(decoder, ']', "',' or ']'");
        if (next < 0)
            return false;
    }
    if (count < ITEMS_WAITING)
        make_array(decoder, table, (int)count);
    decoder->depth--;
    return true;
}

/* The keys of an object so far: what they look like, one bit each, and whether one came that looks
 * like another, so that they may be equal. */
struct seen_keys {
    uint64_t bits[4];
    bool may_repeat;
};

/* One that has escapes may be equal to one without. */
static void seen_keys_add(struct seen_keys *seen, const char *text, size_t length, bool had_escapes)
{
    unsigned int look = (unsigned int)length;
    if (length > 0)
        look += text[0] * 7u + text[length / 2] * 31u + text[length - 1] * 3u;
    uint64_t *bits = &seen->bits[look / 64 % ARRAY_LENGTH(seen->bits)];
    uint64_t bit = UINT64_C(1) << look % 64;
    seen->may_repeat |= had_escapes || (*bits & bit) != 0;
    *bits |= bit;
}

/* Takes the keys and values from the stack above `table` and leaves the object there. It is quicker
 * from the last to the first, but the last of equal keys has to win; a value that is nil removes
 * its key. */
static void make_object(struct decoder *decoder, int table, int count, const struct seen_keys *seen)
{
    lua_State *L = decoder->L;
    lua_createtable(L, 0, count);
    lua_replace(L, table);
    if (!seen->may_repeat) {
        for (int i = 0; i < count; i++)
            lua_rawset(L, table);
        return;
    }
    for (int key = table + 1; key < table + 1 + 2 * count; key += 2) {
        lua_pushvalue(L, key);
        lua_pushvalue(L, key + 1);
        lua_rawset(L, table);
    }
    lua_settop(L, table);
}

/* Pushes the key and the value. */
static bool decode_member(struct decoder *decoder, struct seen_keys *seen)
{
    if (next_byte(decoder) != '"')
        return expected(decoder, decoder->at, "a key in quotes");
    const char *key = decoder->at + 1;
    if (!decode_string(decoder))
        return false;
    seen_keys_add(seen, key, (size_t)(decoder->at - 1 - key), decoder->had_escapes);
    if (next_byte(decoder) != ':')
        return expected(decoder, decoder->at, "':'");
    decoder->at++;
    if (decoder->nulls == JSON_NULLS_DROP && next_byte(decoder) == 'n') {
        lua_pushnil(decoder->L);
        return read_word(decoder, "null");
    }
    return decode_value(decoder);
}

static bool decode_object(struct decoder *decoder)
{
    if (!enter_level(decoder))
        return false;
    lua_State *L = decoder->L;
    int table = lua_gettop(L);
    struct seen_keys seen = {0};
    int count = 0;
    int next = next_byte(decoder);
    if (next == '}')
        decoder->at++;
    while (next != '}') {
        if (!decode_member(decoder, &seen))
            return false;
        if (++count == MEMBERS_WAITING)
            make_object(decoder, table, MEMBERS_WAITING, &seen);
        else if (count > MEMBERS_WAITING)
            lua_rawset(L, table);
        next = next_in_level(decoder, '}', "',' or '}'");
        if (next < 0)
            return false;
    }
    if (count < MEMBERS_WAITING)
        make_object(decoder, table, count, &seen);
    decoder->depth--;
    return true;
}

static bool decode_value(struct decoder *decoder)
{
    switch (next_byte(decoder)) {
    case '"':
        return decode_string(decoder);
    case '{':
        return decode_object(decoder);
    case '[':
        return decode_array(decoder);
    case '-':
    case '0' ... '9':
        return decode_number(decoder);
    case 't':
        lua_pushboolean(decoder->L, true);
        return read_word(decoder, "true");
    case 'f':
        lua_pushboolean(decoder->L, false);
        return read_word(decoder, "false");
    case 'n':
        lua_pushlightuserdata(decoder->L, NULL);
        return read_word(decoder, "null");
    default:
        return expected(decoder, decoder->at, "a value");
    }
}
