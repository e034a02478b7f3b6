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

/* On a helper. */
static void make(uv_work_t *work)
{
    struct pool_renewal *renewal = CONTAINER_OF(work, struct pool_renewal, work);
    for (size_t i = 0; i < renewal->count && renewal->rc == 0; i++) {
        if (atomic_load(&renewal->is_given_up))
            return;
        renewal->items[i].script = script_new(&renewal->source, &renewal->error);
        renewal->rc = renewal->items[i].script != NULL ? 0 : -1;
    }
    if (renewal->rc == 0)
        return;
    for (size_t i = 0; i < renewal->count; i++)
        script_free(&renewal->items[i].script);
}

/* A worker may have ended meanwhile, and another one have begun in its slot. */
static void hand_over(struct pool *pool, struct renewed *renewed)
{
    struct pool_slot *slot = &pool->slots[renewed->slot];
    if (renewed->script == NULL)
        return;
    worker_prepare(slot->worker, &renewed->script);
    if (!has_worker(slot) || atomic_load(&pool->renewal.is_given_up))
        worker_withdraw(slot->worker);
}

static void on_made(uv_work_t *work, int status)
{
    (void)status;
    struct pool *pool = CONTAINER_OF(work, struct pool, renewal.work);
    struct pool_renewal *renewal = &pool->renewal;
    for (size_t i = 0; i < renewal->count; i++)
        hand_over(pool, &renewal->items[i]);
    free(renewal->items);
    renewal->items = NULL;
    generation_release(&renewal->generation);
    renewal->is_under_way = false;
    if (renewal->rc != 0)
        pool_withdraw(pool);
    renewal->on_end(renewal->context, renewal->rc == 0 ? NULL : &renewal->error);
    pool->options.on_exit(pool->options.context);
}

void pool_prepare(struct pool *pool, struct generation *generation,
                  void (*on_end)(void *context, const struct error *err), void *context)
{
    struct pool_renewal *renewal = &pool->renewal;
    assert(pool_has_room(pool) && !renewal->is_under_way && !pool->is_stopping);
    *renewal = (struct pool_renewal){
        .generation = generation_reference(generation),
        .source = script_source_of(generation, pool->options.consumer),
        .items = xcalloc(pool->slot_count, sizeof renewal->items[0]),
        .is_under_way = true,
        .context = context,
        .on_end = on_end,
    };
    atomic_init(&renewal->is_given_up, false);
    for (size_t i = 0; i < pool->slot_count; i++)
        if (has_worker(&pool->slots[i]) && !worker_is_prepared(pool->slots[i].worker))
            renewal->items[renewal->count++].slot = i;
    uv_queue_work(pool->options.loop, &renewal->work, make, on_made);
}

void pool_withdraw(struct pool *pool)
{
    atomic_store(&pool->renewal.is_given_up, true);
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
