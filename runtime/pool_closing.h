/* pool_closing.h - Lua states that nobody needs any more, closed on a helper: on_unload may block,
 * and a large state takes its time.
 *
 * Owns:    the states that it was given, until they are closed.
 * Threads: main, but pool_closing_add, which is any's; one helper closes. */
#ifndef POOL_CLOSING_H
#define POOL_CLOSING_H

#include <pthread.h>

#include <uv.h>

#include "worker_states.h"

struct pool_closing {
    uv_loop_t *loop;
    void *context;
    void (*on_change)(void *context); /* any thread: a step is due, or a state less is there; only a
                                         wake-up */
    uv_work_t work;
    bool is_under_way;
    struct worker_state *batch; /* the helper's while it is under way */
    pthread_mutex_t mutex;
    struct worker_state *waiting; /* under the mutex */
};

void pool_closing_init(struct pool_closing *closing, uv_loop_t *loop,
                       void (*on_change)(void *context), void *context);

void pool_closing_add(struct pool_closing *closing, struct worker_state *state);

/* Has what waits closed, when no helper is at it. Cheap when nothing waits. */
void pool_closing_step(struct pool_closing *closing);

/* Nothing waits and nothing is being closed. */
bool pool_closing_is_done(struct pool_closing *closing);

/* Once it is done. */
void pool_closing_destroy(struct pool_closing *closing);

#endif
