#include "pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pool_stuck.h"
#include "thread.h"
#include "watchdog.h"

/* After a state could not be built or a thread not be started. */
enum { RETRY_MS = 5 * 1000 };

static void on_worker_exit(void *context, struct worker *worker)
{
    (void)worker;
    struct pool *pool = context;
    atomic_fetch_add(&pool->exits, 1);
    pool->options.on_exit(pool->options.context);
}

static void on_worker_stuck(void *context, struct worker *worker)
{
    (void)worker;
    struct pool *pool = context;
    atomic_store(&pool->has_stuck, true);
    pool->options.on_exit(pool->options.context);
}

static void on_worker_spoil(void *context, struct worker *worker)
{
    (void)worker;
    struct pool *pool = context;
    atomic_store(&pool->repair.is_asked, true);
    pool->options.on_exit(pool->options.context);
}

static void on_state_leave(void *context, struct worker_state *state)
{
    struct pool *pool = context;
    pool_closing_add(&pool->closing, state);
}

/* --- slots --- */

static struct worker *make_worker(struct pool *pool, size_t index)
{
    const struct worker_options options = {
        .name = pool->options.consumer,
        .index = (int)index + 1,
        .dispatcher = pool->options.dispatcher,
        .context = pool,
        .on_stuck = on_worker_stuck,
        .on_spoil = on_worker_spoil,
        .on_state_leave = on_state_leave,
        .on_exit = on_worker_exit,
    };
    return worker_new(&options);
}

static int start_worker(struct pool *pool, struct script **script, struct error *err)
{
    size_t index = 0;
    while (pool->slots[index].state != SLOT_FREE)
        index++;
    struct pool_slot *slot = &pool->slots[index];
    if (slot->worker == NULL)
        slot->worker = make_worker(pool, index);
    if (worker_start(slot->worker, script, err) != 0)
        return -1;
    slot->state = SLOT_RUNNING;
    pool->running++;
    return 0;
}

static void retire(struct pool *pool, struct pool_slot *slot)
{
    worker_retire(slot->worker);
    slot->state = SLOT_RETIRING;
    pool->running--;
    pool->retiring++;
}

static bool take_back(struct pool *pool, struct pool_slot *slot)
{
    if (slot->state != SLOT_RETIRING || !worker_take_back(slot->worker))
        return false;
    slot->state = SLOT_RUNNING;
    pool->running++;
    pool->retiring--;
    return true;
}

/* Joins the threads that have ended. One that was stuck may have come back and ended before the
 * watchdog looked again. */
static void reap(struct pool *pool)
{
    size_t exits = atomic_load(&pool->exits);
    for (size_t i = 0; i < pool->slot_count && pool->reaped < exits; i++) {
        struct pool_slot *slot = &pool->slots[i];
        bool may_end = slot->state == SLOT_RETIRING || slot->state == SLOT_STUCK;
        if (!may_end || !worker_has_ended(slot->worker))
            continue;
        worker_join(slot->worker);
        slot->repaired_at_ms = 0;
        *(slot->state == SLOT_STUCK ? &pool->stuck : &pool->retiring) -= 1;
        slot->state = SLOT_FREE;
        pool->reaped++;
    }
}

/* --- growing --- */

static void say_failure(const struct pool *pool, const struct error *err)
{
    log_warn("consumer %s: %zu of %zu workers run, no further one could be started, tries again "
             "in %d s: %s",
             pool->options.consumer, pool->running, pool->wanted, RETRY_MS / 1000, err->text);
}

/* Another generation serves by now: no worker may begin with these. */
static void drop_stale(struct pool *pool)
{
    struct pool_growth *growth = &pool->growth;
    for (size_t i = 0; i < growth->built; i++)
        pool_closing_add(&pool->closing, worker_state_of_nobody(&growth->scripts[i]));
    growth->built = 0;
}

/* States that are not wanted any more get their workers all the same: whoever closes a state is its
 * worker, and it retires at once. */
static void on_built(uv_work_t *work, int status)
{
    (void)status;
    struct pool *pool = CONTAINER_OF(work, struct pool, growth.work);
    struct pool_growth *growth = &pool->growth;
    bool is_stale = growth->generation != pool->generation;
    bool has_failed = growth->built < growth->asked && !is_stale;
    generation_release(&growth->generation);
    if (is_stale)
        drop_stale(pool);
    for (size_t i = 0; i < growth->built; i++)
        has_failed = start_worker(pool, &growth->scripts[i], &growth->error) != 0 || has_failed;
    growth->is_under_way = false;
    if (has_failed && !pool->is_stopping) {
        growth->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
        say_failure(pool, &growth->error);
    }
    pool_step(pool);
    pool->options.on_exit(pool->options.context);
}

/* On a helper. */
static void build(uv_work_t *work)
{
    struct pool *pool = CONTAINER_OF(work, struct pool, growth.work);
    struct pool_growth *growth = &pool->growth;
    const struct script_source source =
        script_source_of(growth->generation, pool->options.consumer);
    for (growth->built = 0; growth->built < growth->asked; growth->built++) {
        if (atomic_load(&growth->is_given_up))
            return;
        growth->scripts[growth->built] = script_new(&source, &growth->error);
        if (growth->scripts[growth->built] == NULL)
            return;
    }
}

static size_t left(size_t limit, size_t taken)
{
    return limit > taken ? limit - taken : 0;
}

/* How many may be started: up to `max` beside those that are stuck, as long as there are
 * replacements. */
static size_t room_of(const struct pool *pool)
{
    size_t taken = pool->running + pool->retiring;
    size_t by_max = left(pool->scaler.limits.max, taken);
    size_t by_slots = left(pool_slots_of(&pool->scaler.limits), taken + pool->stuck);
    return by_max < by_slots ? by_max : by_slots;
}

static void grow(struct pool *pool)
{
    for (size_t i = 0; i < pool->slot_count && pool->running < pool->wanted; i++)
        take_back(pool, &pool->slots[i]);

    struct pool_growth *growth = &pool->growth;
    size_t room = room_of(pool);
    size_t missing = pool->wanted - pool->running;
    size_t count = missing < room ? missing : room;
    if (count == 0 || growth->is_under_way || clock_monotonic_ms() < growth->retry_at_ms)
        return;
    growth->asked = count < POOL_BATCH ? count : POOL_BATCH;
    growth->generation = generation_reference(pool->generation);
    growth->is_under_way = true;
    uv_queue_work(pool->options.loop, &growth->work, build, on_built);
}

/* --- shrinking --- */

/* Who has least in hand is done soonest; among equals the last one, so that numbers stay low. */
static struct pool_slot *least_busy(struct pool *pool)
{
    struct pool_slot *least = NULL;
    size_t least_in_hand = SIZE_MAX;
    for (size_t i = pool->slot_count; i-- > 0;) {
        struct pool_slot *slot = &pool->slots[i];
        if (slot->state != SLOT_RUNNING)
            continue;
        size_t in_hand = worker_in_hand(slot->worker);
        if (in_hand < least_in_hand) {
            least = slot;
            least_in_hand = in_hand;
        }
    }
    return least;
}

static void shrink(struct pool *pool)
{
    while (pool->running > pool->wanted) {
        struct pool_slot *slot = least_busy(pool);
        assert(slot != NULL);
        retire(pool, slot);
    }
}

/* --- scaling --- */

static void want(struct pool *pool, size_t wanted, const char *reason)
{
    if (wanted == pool->wanted)
        return;
    memmove(&pool->changes[1], &pool->changes[0], (POOL_CHANGES - 1) * sizeof pool->changes[0]);
    pool->changes[0] = (struct pool_change){
        .at_ms = clock_wall_ms(),
        .from = pool->wanted,
        .to = wanted,
    };
    snprintf(pool->changes[0].reason, sizeof pool->changes[0].reason, "%s", reason);
    log_info("consumer %s: %zu -> %zu workers: %s", pool->options.consumer, pool->wanted, wanted,
             reason);
    *(wanted > pool->wanted ? &pool->grown : &pool->shrunk) += 1;
    pool->wanted = wanted;
}

/* In a spec that asks for it. */
static void shake(struct pool *pool)
{
    size_t wanted;
    if (pool_shaker_draw(&pool->shaker, pool->scaler.limits.min, pool->scaler.limits.max, &wanted))
        want(pool, wanted, "shaken");
}

/* --- its life --- */

static struct scaler_limits limits_of(const struct consumer_config *config)
{
    return (struct scaler_limits){
        .min = (size_t)config->workers_min,
        .max = (size_t)config->workers_max,
        .lag_threshold = config->lag_threshold,
        .is_by_partition = config->distribution == DISTRIBUTION_PARTITION,
    };
}

/* Those that are there stay: a worker is in one until it has ended. */
static void make_slots(struct pool *pool)
{
    size_t count = pool_slots_of(&pool->scaler.limits);
    if (count <= pool->slot_count)
        return;
    pool->slots = xrealloc(pool->slots, count * sizeof pool->slots[0]);
    for (; pool->slot_count < count; pool->slot_count++)
        pool->slots[pool->slot_count] = (struct pool_slot){0};
}

int pool_start(struct pool *pool, const struct pool_options *options, struct script **scripts,
               size_t count, struct error *err)
{
    *pool = (struct pool){.options = *options};
    pool->generation = generation_reference(options->generation);
    pool_repair_init(&pool->repair);
    pool->config = config_consumer(options->generation->config, options->consumer);
    const struct scaler_limits limits = limits_of(pool->config);
    pool->wanted = limits.min;
    pool_closing_init(&pool->closing, options->loop, options->on_exit, options->context);
    atomic_init(&pool->has_stuck, false);
    atomic_init(&pool->growth.is_given_up, false);
    assert(count == limits.min);
    atomic_init(&pool->exits, 0);
    scaler_init(&pool->scaler, &limits);
    pool_shaker_init(&pool->shaker);
    if (pool_shaker_is_active(&pool->shaker))
        log_warn("consumer %s: LAGOON_SPEC_RESIZE_MS is set: the number of workers is random",
                 options->consumer);
    make_slots(pool);
    for (size_t i = 0; i < count; i++)
        if (start_worker(pool, &scripts[i], err) != 0)
            return -1;
    return 0;
}

void pool_set_override(struct pool *pool, size_t workers, int64_t until_ms)
{
    ASSERT_ON(THREAD_MAIN);
    pool->override = (struct pool_override){workers, until_ms};
    if (workers > 0 && !pool->is_stopping)
        want(pool, workers, "an operator asked for so many");
    pool_step(pool);
}

static bool is_overridden(struct pool *pool)
{
    if (pool->override.workers > 0 && clock_monotonic_ms() >= pool->override.until_ms) {
        pool->override.workers = 0;
        log_warn("consumer %s: the time of the %zu workers that were asked for is over: as many as "
                 "the lag asks for",
                 pool->options.consumer, pool->wanted);
    }
    return pool->override.workers > 0;
}

void pool_go_by(struct pool *pool, const struct consumer_config *config)
{
    const struct scaler_limits before = pool->scaler.limits;
    const struct scaler_limits limits = limits_of(config);
    pool->config = config;
    if (limits.min == before.min && limits.max == before.max &&
        limits.lag_threshold == before.lag_threshold)
        return;
    size_t wanted = scaler_limit(&pool->scaler, &limits);
    make_slots(pool);
    if (pool->override.workers > limits.max)
        pool->override.workers = limits.max;
    if (pool->override.workers > 0)
        wanted = pool->override.workers;
    if (!pool->is_stopping)
        want(pool, wanted, "as the config now says");
}

void pool_scale(struct pool *pool, const struct scaler_sight *sight)
{
    ASSERT_ON(THREAD_MAIN);
    if (pool->is_stopping || pool_shaker_is_active(&pool->shaker))
        return;
    char reason[sizeof pool->changes[0].reason];
    size_t wanted =
        scaler_wanted(&pool->scaler, sight, clock_monotonic_ms(), reason, sizeof reason);
    if (!is_overridden(pool))
        want(pool, wanted, reason);
    pool_step(pool);
}

void pool_add_durations(const struct pool *pool, struct histogram_sum *sum)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].worker != NULL)
            worker_add_durations(pool->slots[i].worker, sum);
}

size_t pool_lua_bytes(const struct pool *pool)
{
    size_t bytes = 0;
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].state != SLOT_FREE)
            bytes += worker_lua_bytes(pool->slots[i].worker);
    return bytes;
}

void pool_step(struct pool *pool)
{
    if (atomic_load(&pool->exits) > pool->reaped)
        reap(pool);
    pool_closing_step(&pool->closing);
    pool_look_for_stuck(pool);
    pool_repair_step(pool);
    if (!pool->is_stopping)
        shake(pool);
    if (pool->running > pool->wanted)
        shrink(pool);
    else if (pool->running < pool->wanted)
        grow(pool);
}

void pool_retire(struct pool *pool)
{
    pool->is_stopping = true;
    atomic_store(&pool->growth.is_given_up, true);
    atomic_store(&pool->repair.is_given_up, true);
    pool_withdraw(pool);
    pool->wanted = 0;
    shrink(pool);
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].state == SLOT_STUCK)
            worker_retire(pool->slots[i].worker);
}

void pool_interrupt(struct pool *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].state != SLOT_FREE)
            worker_interrupt(pool->slots[i].worker);
}

bool pool_is_done(struct pool *pool)
{
    return pool->running == 0 && pool->retiring == 0 && pool->stuck == 0 &&
           !pool->growth.is_under_way && !pool->renewal.is_under_way &&
           !pool->repair.is_under_way && pool_closing_is_done(&pool->closing);
}

void pool_destroy(struct pool *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].worker != NULL)
            worker_free(&pool->slots[i].worker);
    free(pool->slots);
    pool_closing_destroy(&pool->closing);
    generation_release(&pool->generation);
    *pool = (struct pool){0};
}
