/* script.h - one Lua state with the handlers of a consumer, and the calls that run in it.
 *
 * The only door into Lua for records: everything a script does runs in a coroutine from here,
 * protected, with its error turned into the record's failure. Coroutines are used again.
 *
 * Owns:    the state, its bindings, its coroutines. Borrows host, bundle and consumer, which
 * outlive it. Threads: made and freed on any thread, used by its worker only. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "bindings.h"
#include "bundle.h"
#include "call.h"
#include "config.h"

struct script;

struct script_source {
    const struct bindings_host *host;
    const struct bundle *bundle;
    const struct consumer_config
        *consumer; /* NULL: a state without handlers, for script_begin_main */
};

/* A new state with every declared handler loaded. NULL and err, with file, line and traceback, when
 * a script does not load or is no function. May block: on a helper or before the loop runs. */
struct script *script_new(const struct script_source *source, struct error *err);

/* Closes the state; calls that wait are cancelled. Sets *script to NULL. */
void script_free(struct script **script);

enum script_result {
    SCRIPT_ENDED,   /* call->outcome and call->failure say how */
    SCRIPT_WAITING, /* call->wait says for what; script_resume goes on */
};

/* Decodes the call's record, finds its handler by type and calls it. */
enum script_result script_begin(struct script *script, struct call *call);

/* What the call waited for is there. */
enum script_result script_resume(struct script *script, struct call *call);

/* Runs a chunk in place of a handler: it may wait and publish. The arguments, strings or NULL for
 * nil, are its varargs, behind a table of functions for chunks of our own. */
enum script_result script_begin_main(struct script *script, struct call *call,
                                     const char *chunkname, const char *bytes, size_t length,
                                     const char *const *arguments, size_t argument_count);

#endif
