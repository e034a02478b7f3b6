/* json_table.h - what the JSON encoder asks about tables: which kinds of keys there are, in which
 * order, and what the path of keys to a value is called.
 *
 * All is raw: no metamethod runs. Threads: the one that runs the state. */
#ifndef JSON_TABLE_H
#define JSON_TABLE_H

#include <stdbool.h>

#include <lua.h>

#include "util.h"

/* The keys of a table by kinds. */
struct json_keys {
    lua_Integer count;
    lua_Integer lowest, highest; /* of the integers */
    bool has_integers;
    bool has_strings;
    int other_type; /* LUA_TNONE when all are integers or strings */
};

/* Needs room for two values on the Lua stack, as the next one does. */
struct json_keys json_keys_of(lua_State *L, int table);

/* The lowest positive integer that is no key. */
lua_Integer json_first_hole(lua_State *L, int table);

/* A key that is a string: it belongs to its table. */
struct json_key {
    const char *text;
    size_t length;
};

/* Pushes an array of the table's keys in the order of their bytes, all of which are strings, and
 * returns it. Needs room for three values on the Lua stack. */
const struct json_key *json_push_sorted_keys(lua_State *L, int table, lua_Integer count);

/* Appends the path that the keys at these places of the Lua stack make: items[3].price. Of long
 * paths the middle is left out, of long keys the end. */
void json_write_path(struct buffer *path, lua_State *L, const int *keys, int count);

#endif
