#include "pool_repair.h"

#include <inttypes.h>

#include "log.h"
#include "pool.h"

enum {
    AGAIN_MS = 1000, /* between two replacements of a worker's state, but for lack of memory */
    FIRST_PAUSE_MS = 1000,
    MAX_PAUSE_MS = 60 * 1000,
};

void pool_repair_init(struct pool_repair *repair)
{
    *repair = (struct pool_repair){0};
    atomic_init(&repair->is_given_up, false);
    atomic_init(&repair->is_asked, false);
}

const char *pool_repair_reason(enum spoil spoil)
{
    switch (spoil) {
    case SPOIL_CPU:
        return "in the old one a handler was ended where it ran (cpu_limit)";
    case SPOIL_TIME:
        return "in the old one a handler was ended where it ran (handler_timeout)";
    case SPOIL_MEMORY:
        return "the old one ran out of memory (lua.memory_limit)";
    case SPOIL_NONE:
        break;
    }
    return "";
}

static const char *consumer_of(const struct pool *pool)
{
    return pool->options.consumer;
}

/* --- taking over --- */

static void note_replaced(struct pool *pool, size_t index, enum spoil spoil)
{
    struct pool_repair *repair = &pool->repair;
    struct pool_slot *slot = &pool->slots[index];
    slot->repaired_at_ms = clock_monotonic_ms();
    slot->is_full_said = false;
    repair->replaced++;
    repair->last_at_ms = clock_wall_ms();
    repair->last_worker = index + 1;
    repair->last_spoil = spoil;
    log_warn("consumer %s: worker %zu goes on in a new Lua state, because %s", consumer_of(pool),
             index + 1, pool_repair_reason(spoil));
}

/* The worker may have ended meanwhile, or all have got a state of another generation. */
static void hand_over(struct pool *pool, size_t item)
{
    struct pool_repair *repair = &pool->repair;
    size_t index = repair->items[item].slot;
    struct pool_slot *slot = &pool->slots[index];
    bool is_needed = repair->rc == 0 && slot->state != SLOT_FREE &&
                     repair->generation == pool->generation && !pool->is_stopping &&
                     worker_spoil(slot->worker) != SPOIL_NONE;
    if (!is_needed) {
        worker_dismiss_state(slot->worker, &repair->items[item].script);
        return;
    }
    worker_replace_state(slot->worker, &repair->items[item].script);
    note_replaced(pool, index, repair->items[item].spoil);
}

/* Whoever waits for a fresh state goes on without. */
static void release_all(struct pool *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].state != SLOT_FREE && worker_spoil(pool->slots[i].worker) != SPOIL_NONE)
            worker_release(pool->slots[i].worker);
}

static void fail(struct pool *pool)
{
    struct pool_repair *repair = &pool->repair;
    int64_t pause_ms = repair->pause_ms == 0 ? FIRST_PAUSE_MS : 2 * repair->pause_ms;
    repair->pause_ms = pause_ms < MAX_PAUSE_MS ? pause_ms : MAX_PAUSE_MS;
    repair->retry_at_ms = clock_monotonic_ms() + repair->pause_ms;
    log_error("consumer %s: worker %zu needs a new Lua state, because %s, but none can be made; it "
              "goes on with the old one, tries again in %" PRId64 " s: %s",
              consumer_of(pool), repair->items[0].slot + 1,
              pool_repair_reason(repair->items[0].spoil), repair->pause_ms / 1000,
              repair->error.text);
    release_all(pool);
}

static void on_made(uv_work_t *work, int status)
{
    (void)status;
    struct pool *pool = CONTAINER_OF(work, struct pool, repair.work);
    struct pool_repair *repair = &pool->repair;
    for (size_t i = 0; i < repair->count; i++)
        hand_over(pool, i);
    generation_release(&repair->generation);
    repair->is_under_way = false;
    repair->is_waiting = true;
    if (repair->rc == 0)
        repair->pause_ms = 0;
    else if (!pool->is_stopping)
        fail(pool);
    pool->options.on_exit(pool->options.context);
}

/* --- making --- */

/* On a helper. */
static void make(uv_work_t *work)
{
    struct pool_repair *repair = CONTAINER_OF(work, struct pool_repair, work);
    for (size_t i = 0; i < repair->count && repair->rc == 0; i++) {
        if (atomic_load(&repair->is_given_up))
            return;
        repair->items[i].script = script_new(&repair->source, &repair->error);
        repair->rc = repair->items[i].script != NULL ? 0 : -1;
    }
}

static void begin(struct pool *pool)
{
    struct pool_repair *repair = &pool->repair;
    repair->generation = generation_reference(pool->generation);
    repair->source = script_source_of(repair->generation, consumer_of(pool));
    repair->rc = 0;
    repair->is_under_way = true;
    uv_queue_work(pool->options.loop, &repair->work, make, on_made);
}

/* --- whose turn it is --- */

static void say_full(const struct pool *pool, size_t index, enum spoil spoil)
{
    struct pool_slot *slot = &pool->slots[index];
    if (spoil != SPOIL_MEMORY || slot->is_full_said)
        return;
    slot->is_full_said = true;
    log_warn("consumer %s: worker %zu takes no record: its Lua state ran out of memory, and it has "
             "%d of them, the older ones for handlers that wait; it goes on when one of these is "
             "done with",
             consumer_of(pool), index + 1, WORKER_MAX_STATES);
}

/* Beside a reload, which may take as long as what it loads does, there is room for what is yet to
 * come of that. */
static bool has_room(const struct pool *pool, const struct worker *worker)
{
    size_t coming = pool->renewal.is_under_way && !worker_is_prepared(worker);
    return worker_state_count(worker) + coming < WORKER_MAX_STATES;
}

/* False when it has to wait for its turn. */
static bool add(struct pool *pool, size_t index, enum spoil spoil)
{
    struct pool_repair *repair = &pool->repair;
    struct pool_slot *slot = &pool->slots[index];
    bool is_soon = clock_monotonic_ms() - slot->repaired_at_ms < AGAIN_MS;
    if (slot->state == SLOT_RETIRING || (spoil != SPOIL_MEMORY && is_soon) ||
        repair->count == REPAIR_BATCH)
        return false;
    if (!has_room(pool, slot->worker) || !worker_reserve_state(slot->worker)) {
        say_full(pool, index, spoil);
        return false;
    }
    repair->items[repair->count].slot = index;
    repair->items[repair->count].spoil = spoil;
    repair->items[repair->count].script = NULL;
    repair->count++;
    return true;
}

static void find(struct pool *pool)
{
    struct pool_repair *repair = &pool->repair;
    repair->count = 0;
    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].state == SLOT_FREE)
            continue;
        enum spoil spoil = worker_spoil(pool->slots[i].worker);
        if (spoil != SPOIL_NONE && !add(pool, i, spoil))
            repair->is_waiting = true;
    }
}

void pool_repair_step(struct pool *pool)
{
    struct pool_repair *repair = &pool->repair;
    if (atomic_exchange(&repair->is_asked, false))
        repair->is_waiting = true;
    if (!repair->is_waiting || repair->is_under_way || pool->is_stopping)
        return;
    if (clock_monotonic_ms() < repair->retry_at_ms) {
        release_all(pool);
        return;
    }
    repair->is_waiting = false;
    find(pool);
    if (repair->count > 0)
        begin(pool);
}
