/* worker_states.h - the Lua states of one worker: the one in which calls begin, older ones in which
 * begun calls wait, and those that are to take over.
 *
 * A call ends in the state in which it began. A new state is prepared, then offered, and takes over
 * between two calls, as soon as the worker looks; so a worker that is in a long call delays nobody.
 * One that was never looked at gives way to a newer one.
 *
 * A state that was spoilt is replaced by the same way: main reserves a place among the three, has a
 * state made of the same generation, and offers it. One that ran out of memory is on hold: no call
 * begins in it unless main releases it.
 *
 * Owns:    its states; one that leaves is the receiver's of on_leave.
 * Threads: the worker's, but for what says main. */
#ifndef WORKER_STATES_H
#define WORKER_STATES_H

#include <stdatomic.h>

#include "script.h"

/* All states of a worker, those that are being closed and the offered one among them. */
enum { WORKER_MAX_STATES = 3 };

struct worker_state {
    struct script *script;
    size_t busy;               /* calls that have begun in it and are not over */
    atomic_size_t *count;      /* of its worker's states, outlives it; NULL: of no worker */
    struct worker_state *next; /* the receiver's, for a list */
};

struct worker_states {
    struct worker_state *current;
    struct worker_state *prepared;          /* main's */
    _Atomic(struct worker_state *) offered; /* main puts it there, the worker takes it */
    atomic_size_t count;                    /* main adds, who closes takes away; any looks */
    atomic_int spoil;    /* enum spoil, of the current one; the worker writes, main looks */
    atomic_bool is_held; /* the worker puts it on hold; main releases it, or who takes over does */
    void *context;
    /* The state is not needed any more: whoever gets it closes it by worker_state_free, on a thread
     * that may block. Any thread. */
    void (*on_leave)(void *context, struct worker_state *state);
};

/* Without on_leave nothing may ever be offered. */
void worker_states_init(struct worker_states *states, void *context,
                        void (*on_leave)(void *context, struct worker_state *state));

/* Main, before the worker's thread runs: takes *script, in which calls begin. */
void worker_states_start(struct worker_states *states, struct script **script);

/* Main: takes *script, which is to take over; nothing is prepared yet. */
void worker_states_prepare(struct worker_states *states, struct script **script);

/* Main: what is prepared takes over from the worker's next look on. The one in whose place it is
 * offered, which was never used, is the caller's to close; NULL: none. */
MUST_USE struct worker_state *worker_states_offer(struct worker_states *states);

/* Main: what is prepared does not take over after all, and leaves. */
void worker_states_withdraw(struct worker_states *states);

/* Main: what the state in which calls begin has gone through, when nothing is to take over. */
enum spoil worker_states_spoil(const struct worker_states *states);

/* Main: a place for one more; false when there is none. */
MUST_USE bool worker_states_reserve(struct worker_states *states);

/* Main: takes *script for the reserved place, of the current one's generation or a later one; it
 * takes over, or leaves if something else does by now. */
void worker_states_replace(struct worker_states *states, struct script **script);

/* Main: the same for one that is not needed after all; it leaves. *script may be NULL: there is
 * none. */
void worker_states_dismiss(struct worker_states *states, struct script **script);

/* Main: calls begin in the current one, spoilt or not; false when they did anyway. */
bool worker_states_release(struct worker_states *states);

/* Main: of a worker that has ended, what was offered too late leaves, too. */
void worker_states_clear(struct worker_states *states);

/* The state in which a call begins now. It stays until worker_states_end for that call. */
struct worker_state *worker_states_begin(struct worker_states *states);
void worker_states_end(struct worker_states *states, struct worker_state *state);

/* A call in it went on or ended: true when the current one is worse off than main was told. */
MUST_USE bool worker_states_note(struct worker_states *states, const struct worker_state *state);

/* Whether a call may begin now; looks at what is offered where that decides it. */
bool worker_states_may_begin(struct worker_states *states);

/* What is offered takes over, when there is something. */
void worker_states_look(struct worker_states *states);

/* The last thing of the worker's thread, which runs no call any more: closes what is there. */
void worker_states_close(struct worker_states *states);

/* One of no worker, that only has to be closed. Takes *script. */
struct worker_state *worker_state_of_nobody(struct script **script);

/* Closes it; may block. Sets *state to NULL. */
void worker_state_free(struct worker_state **state);

#endif
