/* bindings.h - the Lua module `lagoon`: what a script can ask of the runtime.
 *
 * Owns:    the bindings of one Lua state, which live as long as the state.
 * Threads: the one that runs the state. */
#ifndef BINDINGS_H
#define BINDINGS_H

#include <lua.h>

#include "call.h"
#include "config.h"
#include "producer.h"
#include "recorder.h"
#include "shared.h"

/* What is the same for all states of a process; outlives them. */
struct bindings_host {
    const struct config *config;
    struct producer **producers; /* in the order of config->producers; NULL: nothing is published */
    uint64_t generation;
    struct shared *shared; /* what lagoon.shared gives */
    struct output
        *output; /* that a chunk of the program itself must not run ahead of; NULL: none */
    struct recorder *recorder; /* takes what is published where there are no producers, and the
                                  time that handlers sleep; NULL: the runtime */
    bool is_test;              /* no HTTP request is sent: a function of the test answers */
};

/* Why what scripts keep in a state, in the tables of their modules say, may be half done: a handler
 * was ended in the middle of it. The later ones are the worse. */
enum spoil {
    SPOIL_NONE,
    SPOIL_CPU,    /* by cpu_limit, where it ran */
    SPOIL_TIME,   /* by handler_timeout, where it ran; not where it waited */
    SPOIL_MEMORY, /* by the limit of the state's memory, also when a pcall caught that */
};

struct bindings {
    const struct bindings_host *host;
    const struct consumer_config *consumer; /* NULL: not a consumer's state */
    struct call *current;                   /* the call that runs now; NULL: none */
    int loading;  /* files whose top level runs now: nothing may wait or publish there */
    int barriers; /* of the coroutines that run now, those begun where Lua cannot yield */
    size_t waiting_coroutines;
    int64_t load_deadline_ms; /* clock_thread_ms; while what load_what says runs */
    const char *load_what;    /* "the top of a file"; NULL: nothing of the kind */
    int load_limit_ms;
    bool is_load_late;         /* it was asked to end */
    enum spoil spoil;          /* the worst so far */
    bool is_in_hook;           /* on_load or on_unload runs: nothing may wait or publish there */
    struct buffer text;        /* for encoding what is published; kept between uses */
    struct buffer log_text;    /* and what is logged, perhaps by a finalizer meanwhile */
    struct buffer shared_text; /* what lagoon.shared reads, perhaps a finalizer, too */
    struct record_header *headers; /* of the record being published; kept between uses */
    size_t header_capacity;
};

/* Makes the bindings of a new state and reaches them from every coroutine of it. */
struct bindings *bindings_new(lua_State *L, const struct bindings_host *host,
                              const struct consumer_config *consumer);

/* After lua_close. Sets *bindings to NULL. */
void bindings_free(struct bindings **bindings);

/* The bindings of the state that L belongs to: those that were attached last. */
struct bindings *bindings_of(lua_State *L);
void bindings_attach(lua_State *L, struct bindings *bindings);

/* Puts lagoon into package.preload, a print that logs, and takes away what would end the process.
 * May raise. */
void bindings_open(lua_State *L);

/* Pushes the context of the call; it ends with the call: later uses of it raise. Until then
 * somebody keeps it, as the stack does on which it stands. */
void bindings_push_context(lua_State *L, struct call *call);
/* Borrows the type until the call ends. */
void bindings_set_type(struct call *call, const char *type, size_t length);
void bindings_end_context(struct call *call);

/* The call is over: what it asked for is how it ended. */
void bindings_end_request(struct call *call);

/* --- between the files of the bindings --- */

/* The duration at `index`, in milliseconds; raises an error that begins with `what`. */
int64_t bindings_check_duration(lua_State *L, int index, const char *what);

/* Puts lagoon.retry, skip and dead_letter into the table on top of the stack. */
void bindings_set_requests(lua_State *L);

/* Where a script runs that may neither wait nor publish; NULL: not in such a place. */
const char *bindings_idle_place(const struct bindings *bindings);

/* The call that runs in L, which may wait; raises an error that begins with `what` where waiting is
 * impossible. */
struct call *bindings_waitable_call(lua_State *L, const char *what);

/* Around a yield that waits for a broker: such time does not count against handler_timeout. */
void bindings_wait_for_broker(struct call *call);
void bindings_end_broker_wait(struct call *call);

/* The same where Lua cannot yield: around what blocks the thread for a broker. */
void bindings_block_for_broker(struct call *call);
void bindings_end_broker_block(struct call *call);

/* Something of the kind has happened in L's state. */
void bindings_note_spoil(lua_State *L, enum spoil spoil);

/* Makes the classes of producers and deliveries, and pushes lagoon.producer. */
void bindings_push_producer(lua_State *L);

/* What a config puts around a producer's publish calls. */
enum producer_part {
    PRODUCER_ENCODE, /* of the codec: fun(event, context): string */
    PRODUCER_CHAIN, /* fun(event, context): a delivery; ends in what bindings_push_publish_end gives
                     */
};

/* Takes the function from the top. */
void bindings_set_producer_part(lua_State *L, const struct producer_config *producer,
                                enum producer_part part);

/* Pushes fun(event, context): a delivery, the end of the middlewares. */
void bindings_push_publish_end(lua_State *L, const struct producer_config *producer);

/* For the publish verb: publish with the value's text as a fifth argument, sent as it is. */
int bindings_publish_text(lua_State *L);

/* Pushes the value at a path such as payment.id of the table at `index`; nil when there is none. */
void bindings_push_path(lua_State *L, int index, const char *path);

/* Pushes lagoon.http. */
void bindings_push_http(lua_State *L);

/* Takes the function, or nil, from the top: it answers the requests of a test. */
void bindings_set_http_answerer(lua_State *L);

/* lagoon.uuid(): pushes a random one (version 4). */
int bindings_uuid(lua_State *L);

/* Makes the class of stores, and pushes lagoon.shared. */
void bindings_push_shared(lua_State *L);

/* Pushes lagoon.log. */
void bindings_push_log(lua_State *L);

/* Puts coroutine.resume and coroutine.wrap in place that let waits pass through. */
void bindings_open_coroutine(lua_State *L);

/* Puts pcall and xpcall in place that cannot hold up the end of a call. */
void bindings_open_guard(lua_State *L);

/* For watch_options.arm: the coroutine raises from its next instruction on, until the stretch that
 * was asked to end is over. */
void bindings_arm(void *thread);

/* From here on L is what runs on this thread, within the stretch of a call. */
void bindings_run(lua_State *L);

/* Limits the time of what runs next, of this thread, until bindings_end_load, which never raises;
 * again for what comes after it. `what` is a literal. */
void bindings_limit_load(lua_State *L, const char *what, int limit_ms);
void bindings_end_load(lua_State *L);

/* The call that runs comes to fail by this, unless it catches what is raised next and goes on. */
void bindings_note_fault(lua_State *L, enum fault fault);

/* Pushes that the call's time is over, for who raises it. */
const char *bindings_push_timeout(lua_State *L);

/* The stop of the process ends the call that runs. */
bool bindings_is_interrupted(lua_State *L);

/* Raises then that it does. */
void bindings_check_interrupt(lua_State *L);

/* Within a C function that goes on for long: raises when what runs was asked to end meanwhile. */
void bindings_check_end(lua_State *L);

/* The code that runs in L may yield up to its worker. */
bool bindings_can_yield(lua_State *L);

/* Puts a print in place that logs. */
void bindings_open_print(lua_State *L);

/* --- scripts that run in place of handlers --- */

enum main_kind {
    MAIN_TRAFFIC, /* scripts/dev.lua, beside the consumers */
    MAIN_COMMAND, /* of lagoon exec: print writes to standard output */
    MAIN_OWN,     /* a chunk of the program itself */
    MAIN_EVENT,   /* the same, for one event among others: standard input is left as it is */
};

/* What a state has for such a script beside what every state has: io.stdin ends with the process,
 * see input.h. May raise. */
void bindings_open_main(lua_State *L, enum main_kind kind);

/* Pushes the functions that only a chunk of the program gets. */
void bindings_push_own(lua_State *L);

#endif
