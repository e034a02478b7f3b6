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
}

/* --- main --- */

void worker_states_start(struct worker_states *states, struct script **script)
{
    assert(states->current == NULL && atomic_load(&states->offered) == NULL);
    states->current = state_new(states, script);
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
    struct worker_state *next = atomic_exchange(&states->offered, NULL);
    if (next == NULL)
        return;
    struct worker_state *before = states->current;
    assert(script_generation(next->script) >= script_generation(before->script));
    states->current = next;
    if (before->busy == 0)
        states->on_leave(states->context, before);
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
