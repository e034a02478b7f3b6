/* unit_dispatcher.h - the dispatcher of specs, for the modules that work on one. */
#ifndef UNIT_DISPATCHER_H
#define UNIT_DISPATCHER_H

#include <lua.h>

struct dispatcher;

/* The argument at `index`, one that unit.dispatcher.new returned; raises if it is none. */
struct dispatcher *unit_check_dispatcher(lua_State *L, int index);

#endif
