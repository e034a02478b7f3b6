#include "pool_renewal.h"

#include <assert.h>
#include <stdlib.h>

#include "pool.h"

static bool has_worker(const struct pool_slot *slot)
{
    return slot->state != SLOT_FREE;
}

bool pool_is_prepared(const struct pool *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        if (has_worker(&pool->slots[i]) && !worker_is_prepared(pool->slots[i].worker))
            return false;
    return !pool->renewal.is_under_way;
}

bool pool_has_room(const struct pool *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        const struct pool_slot *slot = &pool->slots[i];
        if (has_worker(slot) && !worker_is_prepared(slot->worker) &&
            worker_state_count(slot->worker) >= WORKER_MAX_STATES)
            return false;
    }
    return true;
}

/* --- making --- */

static void making_free(struct making *making)
{
    for (size_t i = 0; i < making->count; i++)
        script_free(&making->items[i].script);
    free(making->items);
    generation_release(&making->generation);
    free(making);
}

/* On the errand's thread, as what follows. */
static void make(void *data)
{
    struct making *making = data;
    for (size_t i = 0; i < making->count && making->rc == 0; i++) {
        if (atomic_load(&making->is_given_up))
            return;
        making->items[i].script = script_new(&making->source, &making->error);
        making->rc = making->items[i].script != NULL ? 0 : -1;
    }
    if (making->rc == 0)
        return;
    for (size_t i = 0; i < making->count; i++)
        script_free(&making->items[i].script);
}

static void drop(void *data)
{
    making_free(data);
}

/* A worker may have ended meanwhile, and another one have begun in its slot. */
static void hand_over(struct pool *pool, struct renewed *renewed)
{
    struct pool_slot *slot = &pool->slots[renewed->slot];
    if (renewed->script == NULL)
        return;
    worker_prepare(slot->worker, &renewed->script);
    if (!has_worker(slot) || pool->renewal.is_given_up)
        worker_withdraw(slot->worker);
}

static void on_made(void *context, void *data, const struct error *err)
{
    struct pool *pool = context;
    struct pool_renewal *renewal = &pool->renewal;
    struct making *making = data;
    struct error why;
    for (size_t i = 0; making != NULL && i < making->count; i++)
        hand_over(pool, &making->items[i]);
    bool has_failed = making == NULL || making->rc != 0;
    if (has_failed)
        why = making != NULL ? making->error : *err;
    if (making != NULL)
        making_free(making);
    renewal->making = NULL;
    renewal->is_under_way = false;
    if (has_failed)
        pool_withdraw(pool);
    renewal->on_end(renewal->context, has_failed ? &why : NULL);
    pool->options.on_exit(pool->options.context);
}

/* For each worker that has none prepared. */
static struct making *making_new(const struct pool *pool, struct generation *generation)
{
    struct making *making = xcalloc(1, sizeof *making);
    making->generation = generation_reference(generation);
    making->source = script_source_of(generation, pool->options.consumer);
    making->items = xcalloc(pool->slot_count, sizeof making->items[0]);
    atomic_init(&making->is_given_up, false);
    for (size_t i = 0; i < pool->slot_count; i++)
        if (has_worker(&pool->slots[i]) && !worker_is_prepared(pool->slots[i].worker))
            making->items[making->count++].slot = i;
    return making;
}

void pool_prepare(struct pool *pool, struct generation *generation,
                  void (*on_end)(void *context, const struct error *err), void *context)
{
    struct pool_renewal *renewal = &pool->renewal;
    assert(pool_has_room(pool) && !renewal->is_under_way && !pool->is_stopping);
    *renewal = (struct pool_renewal){
        .making = making_new(pool, generation),
        .is_under_way = true,
        .context = context,
        .on_end = on_end,
    };
    const struct errand_options options = {
        .loop = pool->options.loop,
        .name = "reload",
        .data = renewal->making,
        .limit_ms = errand_limit_ms(),
        .gives_way = true,
        .work = make,
        .drop = drop,
        .context = pool,
        .on_end = on_made,
    };
    errand_start(&options);
}

void pool_withdraw(struct pool *pool)
{
    pool->renewal.is_given_up = true;
    if (pool->renewal.is_under_way)
        atomic_store(&pool->renewal.making->is_given_up, true);
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].worker != NULL)
            worker_withdraw(pool->slots[i].worker);
}

/* --- taking over --- */

void pool_offer(struct pool *pool, struct generation *generation)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        struct pool_slot *slot = &pool->slots[i];
        if (!has_worker(slot))
            continue;
        struct worker_state *unused = worker_offer(slot->worker);
        if (unused == NULL)
            continue;
        unused->next = pool->renewal.unused;
        pool->renewal.unused = unused;
    }
    generation_release(&pool->generation);
    pool->generation = generation_reference(generation);
}

void pool_finish_offer(struct pool *pool)
{
    while (pool->renewal.unused != NULL) {
        struct worker_state *state = pool->renewal.unused;
        pool->renewal.unused = state->next;
        pool_closing_add(&pool->closing, state);
    }
    pool_go_by(pool, config_consumer(pool->generation->config, pool->options.consumer));
    for (size_t i = 0; i < pool->slot_count; i++)
        if (has_worker(&pool->slots[i]))
            worker_look(pool->slots[i].worker);
}
