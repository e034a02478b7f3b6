#include "json_table.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"

static void keys_add(struct json_keys *keys, lua_State *L, int key)
{
    keys->count++;
    if (lua_type(L, key) == LUA_TSTRING) {
        keys->has_strings = true;
    } else if (lua_isinteger(L, key)) {
        lua_Integer value = lua_tointeger(L, key);
        keys->lowest = keys->has_integers && keys->lowest < value ? keys->lowest : value;
        keys->highest = keys->has_integers && keys->highest > value ? keys->highest : value;
        keys->has_integers = true;
    } else {
        keys->other_type = lua_type(L, key);
    }
}

struct json_keys json_keys_of(lua_State *L, int table)
{
    struct json_keys keys = {.other_type = LUA_TNONE};
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        keys_add(&keys, L, lua_gettop(L));
    }
    return keys;
}

lua_Integer json_first_hole(lua_State *L, int table)
{
    lua_Integer index = 1;
    while (lua_rawgeti(L, table, index) != LUA_TNIL) {
        lua_pop(L, 1);
        index++;
    }
    lua_pop(L, 1);
    return index;
}

static int compare_keys(const void *left, const void *right)
{
    const struct json_key *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    if (order != 0)
        return order;
    return (a->length > b->length) - (a->length < b->length);
}

const struct json_key *json_push_sorted_keys(lua_State *L, int table, lua_Integer count)
{
    struct json_key *keys = lua_newuserdatauv(L, (size_t)count * sizeof(*keys), 0);
    lua_pushnil(L);
    for (struct json_key *key = keys; lua_next(L, table) != 0; key++) {
        lua_pop(L, 1);
        key->text = lua_tolstring(L, -1, &key->length);
    }
    qsort(keys, (size_t)count, sizeof(*keys), compare_keys);
    return keys;
}

/* So much is shown: an error has room for it and for its reason. */
enum { PATH_ENDS = 8, KEY_SHOWN_BYTES = 60 };

static bool is_identifier(const char *text, size_t length)
{
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return length > 0 && length <= KEY_SHOWN_BYTES && !text_is_digit(text[0]) &&
           strspn(text, letters) == length;
}

/* In quotes, whatever it contains. */
static void write_shown_key(struct buffer *path, const char *at, const char *end)
{
    size_t cut_length = path->length + KEY_SHOWN_BYTES;
    buffer_append_text(path, "\"");
    while (at < end && path->length < cut_length) {
        size_t length = text_is_special(*at) ? text_sequence_length(at, end) : 1;
        if (length > 0) {
            buffer_append(path, at, length);
            at += length;
        } else {
            buffer_format(path, "\\x%02x", (unsigned char)*at++);
        }
    }
    buffer_append_text(path, at < end ? "...\"" : "\"");
}

static void write_path_step(struct buffer *path, lua_State *L, int key)
{
    if (lua_type(L, key) != LUA_TSTRING) {
        buffer_format(path, "[%lld]", (long long)lua_tointeger(L, key));
        return;
    }
    size_t length;
    const char *text = lua_tolstring(L, key, &length);
    if (is_identifier(text, length)) {
        buffer_format(path, "%s%s", path->length > 0 ? "." : "", text);
        return;
    }
    buffer_append_text(path, "[");
    write_shown_key(path, text, text + length);
    buffer_append_text(path, "]");
}

void json_write_path(struct buffer *path, lua_State *L, const int *keys, int count)
{
    for (int i = 0; i < count; i++) {
        if (i < PATH_ENDS || i >= count - PATH_ENDS)
            write_path_step(path, L, keys[i]);
        else if (i == PATH_ENDS)
            buffer_append_text(path, "...");
    }
}
