/* bindings_publication.h - the arguments of a publish call, turned into what the producer sends.
 *
 * Threads: the one that runs the state. */
#ifndef BINDINGS_PUBLICATION_H
#define BINDINGS_PUBLICATION_H

#include "bindings.h"

/* Where the arguments stand on the Lua stack. ARG_TEXT is the value's text when it is sent as it
 * is, else nil. */
enum { ARG_PRODUCER = 1, ARG_TYPE, ARG_EVENT, ARG_OPTIONS, ARG_TEXT, ARG_LAST = ARG_TEXT };

/* What lagoon.producer returns. */
struct producer_value {
    const struct producer_config *config;
    struct producer *producer; /* NULL where nothing is published, as in a check */
};

/* Pushes a function that bindings_set_producer_part has set; or nil. */
void publication_push_part(lua_State *L, const struct producer_config *producer,
                           enum producer_part part);

/* Pushes the table that middlewares get as the context: the options, with type, topic, headers and,
 * when it is known, key. */
void publication_push_context(lua_State *L, const struct producer_config *producer);

/* Raises an error for an option that does not exist. In what middlewares leave there is a type. */
void publication_check_options(lua_State *L);
void publication_check_context(lua_State *L);

/* Fills the publication's key, headers, value and place; raises an error that says what is wrong.
 * What it points at stays on the stack, or in the state's buffers until the next call. */
void publication_read(lua_State *L, struct producer_value *value, struct publication *publication);

#endif
