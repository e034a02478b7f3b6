/* script.h - one Lua state with the handlers of a consumer, and the calls that run in it.
 *
 * The only door into Lua for records: everything a script does runs in a coroutine from here,
 * protected, with its error turned into the record's failure. Coroutines are used again.
 *
 * Owns:    the state, its bindings, its coroutines, a reference of its generation. Borrows host,
 * bundle and consumer, which outlive it. Threads: made and freed on any thread, used by its worker
 * only. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "bindings.h"
#include "bundle.h"
#include "call.h"
#include "config.h"
#include "generation.h"

struct script;

struct script_source {
    struct generation *generation; /* of host and bundle, which the state holds; NULL: they outlive
                                      it anyway */
    const struct bindings_host *host;
    const struct bundle *bundle;
    const struct consumer_config
        *consumer; /* NULL: a state without handlers, for script_begin_main */
    bool is_check; /* only to see whether all is well: no on_load runs */
    /* Not NULL: what is wrong with what is declared is appended here, each problem once, in place
     * of the first being an error. */
    struct config_problems *problems;
};

/* Of the generation, which outlives its use; its consumer is NULL when none of the name is declared
 * there, or name is NULL. */
struct script_source script_source_of(struct generation *generation, const char *consumer);

/* A new state with all that is declared loaded, and its on_load functions called. NULL and err,
 * with file, line and traceback, when a script does not load or is none of what it may be. May
 * block: on a helper or before the loop runs. */
struct script *script_new(const struct script_source *source, struct error *err);

/* The same in a state that is somebody else's and goes on: whoever adopts has opened the bindings
 * in it and sees to what `require` finds, and enters another script before it frees this one. What
 * it loads runs without limits. */
struct script *script_adopt(lua_State *L, const struct script_source *source, struct error *err);

/* An adopted script runs next, called from L, a coroutine of its state. */
void script_enter(struct script *script, lua_State *L);

/* Calls the on_unload functions and closes the state; calls that wait are cancelled. May block.
 * Sets *script to NULL. */
void script_free(struct script **script);

enum script_result {
    SCRIPT_ENDED,   /* call->outcome and call->failure say how */
    SCRIPT_WAITING, /* call->wait says for what; script_resume goes on */
};

/* Decodes the call's record, finds its handler by type and calls it. */
enum script_result script_begin(struct script *script, struct call *call);

/* What the call waited for is there; or call->interrupt says that it is to end where it waits. */
enum script_result script_resume(struct script *script, struct call *call);

/* Whether what its scripts keep may be half done: then it is better replaced. */
enum spoil script_spoil(const struct script *script);

/* Whose handlers it has, as its generation declares it; NULL: none's. */
const struct consumer_config *script_consumer(const struct script *script);

/* The number of its generation; 0: it has none. */
uint64_t script_generation(const struct script *script);

/* What the state takes now, of its limit. */
size_t script_bytes(const struct script *script);

/* For who runs more than records in it, between calls. */
lua_State *script_state(struct script *script);

/* A chunk that runs in place of handlers. It borrows everything. */
struct script_main {
    enum main_kind kind;
    const char *chunkname; /* "@scripts/dev.lua" */
    const char *bytes;
    size_t length;
    const char *const *arguments; /* its varargs, NULL for nil; a command's `arg` too, a chunk of
                                     the program gets them behind a table of functions */
    size_t argument_count;
    const struct buffer *body; /* MAIN_EVENT: what stands before the arguments, any bytes */
};

/* Only reads it: -1 and err, with its line, when it is no Lua. Any thread. */
MUST_USE int script_check_main(const struct script_main *main, struct error *err);

/* Runs it: it may wait and publish. */
enum script_result script_begin_main(struct script *script, struct call *call,
                                     const struct script_main *main);

/* Ends a call where it waits: its variables marked <close> are closed, and nothing else of it runs.
 * Where it stood, "scripts/dev.lua:12", or NULL; the caller frees it. */
char *script_cut(struct script *script, struct call *call);

#endif
