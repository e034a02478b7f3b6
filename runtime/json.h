/* json.h - JSON text to Lua values and back, exactly.
 *
 * Integers stay integers (64 bits), floats are written in the shortest form that reads back and
 * stay floats (1.0 is written 1.0), arrays keep their mark so that an empty one stays [], null is
 * the light userdata NULL (the same value as cjson.null), UTF-8 is checked.
 *
 * Threads: the one that runs the state. Raises only Lua's memory errors: call it protected. */
#ifndef JSON_H
#define JSON_H

#include <lua.h>

#include "util.h"

struct error;

/* Arrays and objects within each other, and how long a text may be, both ways. The second bounds
 * what a small value can become whose tables appear in it many times. */
enum { JSON_MAX_DEPTH = 128, JSON_MAX_BYTES = 64 * 1024 * 1024 };

/* What a null field of an object becomes; nulls in arrays are always kept. */
enum json_nulls { JSON_NULLS_DROP, JSON_NULLS_KEEP };

/* Creates the metatable that marks arrays. Call once in each state. */
void json_open(lua_State *L);

/* Pushes the value; or pushes nothing, and err says what is wrong at which byte offset (from 0).
 * Of members with the same key the last one counts. */
MUST_USE int json_decode(lua_State *L, const char *text, size_t length, enum json_nulls nulls,
                         struct error *err);

/* Appends the text of the value at `index`; on failure err names the path (items[3].price) and
 * what was appended is to be dropped by the caller. A table is an array when its keys are 1..n with
 * n > 0, an object when all are strings, otherwise an error; an empty one is {}. With the mark it
 * is an array, also when it is empty. Metamethods are not asked; nil is null. */
MUST_USE int json_encode(lua_State *L, int index, struct buffer *out, struct error *err);

/* The same, with the members of each object in the order of their keys' bytes. */
MUST_USE int json_encode_sorted(lua_State *L, int index, struct buffer *out, struct error *err);

/* Marks the table at `index` as an array, or says whether it is marked. */
void json_mark_array(lua_State *L, int index);
bool json_is_array(lua_State *L, int index);

/* lagoon.json: pushes the table {encode, decode, array}; its functions raise errors. decode keeps
 * nulls. Needs json_open. */
int json_open_library(lua_State *L);

#endif
