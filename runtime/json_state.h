/* json_state.h - what the JSON decoder and encoder both need of a Lua state.
 *
 * Threads: the one that runs the state. */
#ifndef JSON_STATE_H
#define JSON_STATE_H

#include <lua.h>

/* Makes room for `count` more values on the Lua stack, or raises Lua's memory error. */
void json_need_slots(lua_State *L, int count);

/* Pushes the metatable that marks arrays. */
void json_push_array_mark(lua_State *L);

#endif
