/* script_event.h - what a record is to a script: its type, its handler, its event.
 *
 * Threads: the one that runs the state. */
#ifndef SCRIPT_EVENT_H
#define SCRIPT_EVENT_H

#include <lua.h>

#include "call.h"
#include "config.h"

/* Where the parts stand on the stack of a call's coroutine. What is below the handler's call stays
 * there as long as it runs: call->context points at the context, which points at the type. */
enum { AT_HANDLERS = 1, AT_TYPE, AT_HANDLER, AT_CONTEXT, AT_EVENT };

/* Fills the places from AT_TYPE on. False when there is nothing to call: the call's outcome says
 * why. May raise. */
bool script_event_push(lua_State *L, const struct consumer_config *consumer, struct call *call);

#endif
