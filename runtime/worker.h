/* worker.h - one thread that runs handlers: takes records, begins their calls, resumes what waited.
 *
 * Up to buffer_size calls have begun and not returned; they interleave only where they wait. Woken
 * calls go before new records. What the config says of a call, that and the limits and policies, is
 * what the generation of its Lua state says.
 *
 * Owns:    its thread, its inbox, its Lua states. Borrows the dispatcher, which outlives it.
 * Threads: main, except what runs on the worker's own thread.
 * Life:    worker_new -> worker_start -> worker_retire -> on_exit (on the worker's thread) ->
 *          worker_join -> worker_start again, or worker_free. A retiring worker takes no record any
 *          more and finishes what it has in hand; until then it can be taken back. A
 *          script of its own is ended where it waits; worker_interrupt ends it where it runs. */
#ifndef WORKER_H
#define WORKER_H

#include "dispatcher.h"
#include "histogram.h"
#include "script.h"
#include "worker_states.h"

struct worker;

struct worker_options {
    const char *name; /* of the consumer or script, for the thread's name */
    int index;
    struct dispatcher *dispatcher;  /* NULL: only runs `main` */
    const struct script_main *main; /* a chunk to run instead of records, outlives it */
    void *context;
    /* Any thread: worker_stuck_record has another answer. Only a wake-up; may be NULL. */
    void (*on_stuck)(void *context, struct worker *worker);
    /* On the worker's thread: worker_spoil has another answer. Only a wake-up; NULL with `main`. */
    void (*on_spoil)(void *context, struct worker *worker);
    /* As worker_states has it; NULL with `main`, which is offered nothing. Any thread. */
    void (*on_state_leave)(void *context, struct worker_state *state);
    /* On the worker's thread, the last thing it does. */
    void (*on_exit)(void *context, struct worker *worker);
};

enum { WORKER_MAX_HANDS = 10000 };

struct worker *worker_new(const struct worker_options *options);

/* Takes *script; on failure it is freed and err says why. */
MUST_USE int worker_start(struct worker *worker, struct script **script, struct error *err);

/* Takes *script, in which calls are to begin once it is offered. It has less than
 * WORKER_MAX_STATES, and nothing is prepared. */
void worker_prepare(struct worker *worker, struct script **script);
bool worker_is_prepared(const struct worker *worker);

/* What is prepared does not take over. */
void worker_withdraw(struct worker *worker);

/* Calls that begin from now on begin in what is prepared; those that have begun end where they are.
 * For a new generation while no worker of any dispatcher takes a record: dispatcher_lock. What
 * worker_states_offer gives is the caller's. */
MUST_USE struct worker_state *worker_offer(struct worker *worker);

/* For a new state of the same generation, in place of one that was spoilt: see worker_states. It
 * looks for it also when no record comes. */
enum spoil worker_spoil(const struct worker *worker);
MUST_USE bool worker_reserve_state(struct worker *worker);
void worker_replace_state(struct worker *worker, struct script **script);
void worker_dismiss_state(struct worker *worker, struct script **script);

/* It goes on in the state that it has. */
void worker_release(struct worker *worker);

/* It looks for what was offered also when no record comes. */
void worker_look(struct worker *worker);

/* How many Lua states it has, at most WORKER_MAX_STATES; those that are being closed count. */
size_t worker_state_count(const struct worker *worker);

void worker_retire(struct worker *worker);

/* The process stops: handlers that run or wait end with an error that says so, and their records
 * have OUTCOME_INTERRUPTED. One in a C function goes on until that returns. */
void worker_interrupt(struct worker *worker);

/* A retiring worker goes on; false when it is not retiring, or at its end by now. */
bool worker_take_back(struct worker *worker);

bool worker_is_retiring(const struct worker *worker);

/* It was never started, or worker_join does not wait any more. */
bool worker_has_ended(const struct worker *worker);

/* Handlers begun and not returned, as of now or shortly before. */
size_t worker_in_hand(const struct worker *worker);

/* How long the calls took that have ended, since worker_new. */
void worker_add_durations(const struct worker *worker, struct histogram_sum *sum);

/* What the Lua state takes in which the last call ended, as of then; or of the start. */
size_t worker_lua_bytes(const struct worker *worker);

/* The record whose handler was asked to end long ago and does not answer; NULL: none. On main,
 * which frees records: it stays as long as main does nothing else. */
const struct record *worker_stuck_record(const struct worker *worker);

/* Waits for the thread, which has called on_exit or is about to. */
void worker_join(struct worker *worker);

/* Not before every worker of its dispatcher has ended: one of them may be about to wake this one,
 * which left long ago. Sets *worker to NULL. */
void worker_free(struct worker **worker);

/* For the dispatcher's on_wake_worker: any thread. */
void worker_wake(struct taker *taker);

enum main_end {
    MAIN_RETURNED,
    MAIN_FAILED,       /* the text says why, with its traceback */
    MAIN_CUT_SLEEPING, /* it was in lagoon.sleep when the worker retired; the text says where */
    MAIN_CUT_WAITING,  /* it waited for an answer then; the text says where */
    MAIN_INTERRUPTED,  /* by worker_interrupt, while it ran; the text says so, and where */
};

/* How the main chunk ended; after worker_join. The text, which may be NULL, is the worker's. */
enum main_end worker_main_end(const struct worker *worker, const char **text);

#endif
