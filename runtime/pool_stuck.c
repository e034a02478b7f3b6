#include "pool_stuck.h"

#include "log.h"
#include "pool.h"
#include "watchdog.h"

size_t pool_slots_of(const struct scaler_limits *limits)
{
    return limits->max + (limits->max >= 2 ? limits->max / 2 : 1);
}

static void log_stuck(const struct pool *pool, size_t index, const struct record *record)
{
    const struct log_field fields[] = {
        log_text("topic", record->topic),
        log_integer("partition", record->partition),
        log_integer("offset", record->offset),
        log_bytes("key", record->key, record->key_length),
    };
    log_event(
        LOG_ERROR, fields, ARRAY_LENGTH(fields),
        "consumer %s: worker %zu is stuck: the handler of this record was to end %d s ago and "
        "does not; it may be in a C function. Its record and those that wait beside it stay "
        "where they are, and are not committed past",
        pool->options.consumer, index + 1, WATCH_STUCK_MS / 1000);
}

/* For the last one that became stuck. */
static bool has_replacement(const struct pool *pool)
{
    return pool->stuck <= pool_slots_of(&pool->scaler.limits) - pool->scaler.limits.max;
}

static void set_aside(struct pool *pool, struct pool_slot *slot, const struct record *record)
{
    log_stuck(pool, (size_t)(slot - pool->slots), record);
    *(slot->state == SLOT_RUNNING ? &pool->running : &pool->retiring) -= 1;
    slot->state = SLOT_STUCK;
    pool->stuck++;
    if (has_replacement(pool) || pool->is_stopping)
        return;
    log_error("consumer %s: %zu of its workers are stuck, and no further one takes the place of "
              "another",
              pool->options.consumer, pool->stuck);
    if (pool->config->aborts_when_stuck)
        pool->options.on_stuck(pool->options.context);
}

/* When it came back there may be more workers than wanted: then the least busy retires. */
static void bring_back(struct pool *pool, struct pool_slot *slot)
{
    bool is_retiring = worker_is_retiring(slot->worker);
    slot->state = is_retiring ? SLOT_RETIRING : SLOT_RUNNING;
    *(is_retiring ? &pool->retiring : &pool->running) += 1;
    pool->stuck--;
    log_info("consumer %s: worker %zu is not stuck any more", pool->options.consumer,
             (size_t)(slot - pool->slots) + 1);
}

void pool_look_for_stuck(struct pool *pool)
{
    if (!atomic_exchange(&pool->has_stuck, false))
        return;
    for (size_t i = 0; i < pool->slot_count; i++) {
        struct pool_slot *slot = &pool->slots[i];
        if (slot->state == SLOT_FREE)
            continue;
        const struct record *record = worker_stuck_record(slot->worker);
        if (record != NULL && slot->state != SLOT_STUCK)
            set_aside(pool, slot, record);
        else if (record == NULL && slot->state == SLOT_STUCK)
            bring_back(pool, slot);
    }
}
