/* pool.h - the workers of one consumer.
 *
 * Owns:    the workers. Borrows the dispatcher.
 * Threads: main; each worker says on its own thread that it ends. */
#ifndef POOL_H
#define POOL_H

#include <stdatomic.h>

#include "worker.h"

struct pool {
    struct worker **workers;
    size_t count;
    atomic_size_t exited; /* workers add, main reads */
    void *context;
    void (*on_exit)(void *context); /* on a worker's thread, when it ends: only a wake-up */
};

/* Starts one worker for each script and takes the scripts. On failure those that run have to be
 * retired and joined. */
MUST_USE int pool_start(struct pool *pool, const struct consumer_config *config,
                        struct dispatcher *dispatcher, struct script **scripts, size_t count,
                        void (*on_exit)(void *context), void *context, struct error *err);

/* Every worker finishes what it has in hand and takes nothing more. */
void pool_retire(struct pool *pool);

/* Every worker has ended. */
bool pool_is_done(struct pool *pool);

/* Once it is done. */
void pool_join(struct pool *pool);

#endif
