#include "pool.h"

#include <stdlib.h>

static void on_worker_exit(void *context, struct worker *worker)
{
    (void)worker;
    struct pool *pool = context;
    atomic_fetch_add(&pool->exited, 1);
    pool->on_exit(pool->context);
}

int pool_start(struct pool *pool, const struct consumer_config *config,
               struct dispatcher *dispatcher, struct script **scripts, size_t count,
               void (*on_exit)(void *context), void *context, struct error *err)
{
    *pool = (struct pool){.on_exit = on_exit, .context = context};
    atomic_init(&pool->exited, 0);
    pool->workers = xcalloc(count, sizeof pool->workers[0]);
    for (size_t i = 0; i < count; i++) {
        const struct worker_options options = {
            .name = config->name,
            .index = (int)i + 1,
            .hands = config->buffer_size,
            .dispatcher = dispatcher,
            .consumer = config,
            .context = pool,
            .on_exit = on_worker_exit,
        };
        if (worker_start(&pool->workers[i], &options, &scripts[i], err) != 0)
            return -1;
        pool->count++;
    }
    return 0;
}

void pool_retire(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        worker_retire(pool->workers[i]);
}

bool pool_is_done(struct pool *pool)
{
    return atomic_load(&pool->exited) == pool->count;
}

void pool_join(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        worker_join(&pool->workers[i]);
    free(pool->workers);
    pool->workers = NULL;
    pool->count = 0;
}
