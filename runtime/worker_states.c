#include "worker_states.h"

#include <assert.h>
#include <stdlib.h>

struct worker_state *worker_state_of_nobody(struct script **script)
{
    struct worker_state *state = xcalloc(1, sizeof *state);
    state->script = *script;
    *script = NULL;
    return state;
}

static struct worker_state *state_new(struct worker_states *states, struct script **script)
{
    struct worker_state *state = worker_state_of_nobody(script);
    state->count = &states->count;
    atomic_fetch_add(&states->count, 1);
    return state;
}

void worker_state_free(struct worker_state **state_owned)
{
    struct worker_state *state = *state_owned;
    *state_owned = NULL;
    if (state == NULL)
        return;
    assert(state->busy == 0);
    script_free(&state->script);
    if (state->count != NULL)
        atomic_fetch_sub(state->count, 1);
    free(state);
}

void worker_states_init(struct worker_states *states, void *context,
                        void (*on_leave)(void *context, struct worker_state *state))
{
    *states = (struct worker_states){.context = context, .on_leave = on_leave};
    atomic_init(&states->offered, NULL);
    atomic_init(&states->count, 0);
    atomic_init(&states->spoil, SPOIL_NONE);
    atomic_init(&states->is_held, false);
}

/* --- main --- */

void worker_states_start(struct worker_states *states, struct script **script)
{
    assert(states->current == NULL && atomic_load(&states->offered) == NULL);
    states->current = state_new(states, script);
    atomic_store(&states->spoil, SPOIL_NONE);
    atomic_store(&states->is_held, false);
}

void worker_states_prepare(struct worker_states *states, struct script **script)
{
    assert(states->prepared == NULL);
    states->prepared = state_new(states, script);
}

struct worker_state *worker_states_offer(struct worker_states *states)
{
    struct worker_state *next = states->prepared;
    assert(next != NULL);
    states->prepared = NULL;
    return atomic_exchange(&states->offered, next);
}

void worker_states_withdraw(struct worker_states *states)
{
    struct worker_state *unused = states->prepared;
    states->prepared = NULL;
    if (unused != NULL)
        states->on_leave(states->context, unused);
}

enum spoil worker_states_spoil(const struct worker_states *states)
{
    return atomic_load(&states->offered) == NULL ? (enum spoil)atomic_load(&states->spoil)
                                                 : SPOIL_NONE;
}

bool worker_states_reserve(struct worker_states *states)
{
    if (atomic_load(&states->count) >= WORKER_MAX_STATES)
        return false;
    atomic_fetch_add(&states->count, 1);
    return true;
}

void worker_states_replace(struct worker_states *states, struct script **script)
{
    if (atomic_load(&states->offered) != NULL) {
        worker_states_dismiss(states, script);
        return;
    }
    struct worker_state *state = worker_state_of_nobody(script);
    state->count = &states->count;
    atomic_store(&states->offered, state);
}

void worker_states_dismiss(struct worker_states *states, struct script **script)
{
    if (*script == NULL) {
        atomic_fetch_sub(&states->count, 1);
        return;
    }
    struct worker_state *state = worker_state_of_nobody(script);
    state->count = &states->count;
    states->on_leave(states->context, state);
}

bool worker_states_release(struct worker_states *states)
{
    return atomic_exchange(&states->is_held, false);
}

void worker_states_clear(struct worker_states *states)
{
    struct worker_state *unused = atomic_exchange(&states->offered, NULL);
    if (unused != NULL)
        states->on_leave(states->context, unused);
    worker_states_withdraw(states);
}

/* --- the worker --- */

void worker_states_look(struct worker_states *states)
{
    if (atomic_load_explicit(&states->offered, memory_order_relaxed) == NULL)
        return;
    /* In this order: main, which finds nothing on offer, is not to find it spoilt still. */
    atomic_store(&states->spoil, SPOIL_NONE);
    struct worker_state *next = atomic_exchange(&states->offered, NULL);
    assert(next != NULL);
    struct worker_state *before = states->current;
    assert(script_generation(next->script) >= script_generation(before->script));
    states->current = next;
    atomic_store_explicit(&states->is_held, false, memory_order_relaxed);
    if (before->busy == 0)
        states->on_leave(states->context, before);
}

bool worker_states_note(struct worker_states *states, const struct worker_state *state)
{
    enum spoil spoil = script_spoil(state->script);
    if (spoil == SPOIL_NONE || state != states->current ||
        (int)spoil <= atomic_load_explicit(&states->spoil, memory_order_relaxed))
        return false;
    if (spoil == SPOIL_MEMORY && states->on_leave != NULL)
        atomic_store(&states->is_held, true);
    atomic_store(&states->spoil, spoil);
    return true;
}

bool worker_states_may_begin(struct worker_states *states)
{
    if (!atomic_load_explicit(&states->is_held, memory_order_relaxed))
        return true;
    worker_states_look(states);
    return !atomic_load(&states->is_held);
}

struct worker_state *worker_states_begin(struct worker_states *states)
{
    worker_states_look(states);
    states->current->busy++;
    return states->current;
}

void worker_states_end(struct worker_states *states, struct worker_state *state)
{
    assert(state->busy > 0);
    if (--state->busy == 0 && state != states->current)
        states->on_leave(states->context, state);
}

void worker_states_close(struct worker_states *states)
{
    struct worker_state *unused = atomic_exchange(&states->offered, NULL);
    worker_state_free(&unused);
    worker_state_free(&states->current);
}
