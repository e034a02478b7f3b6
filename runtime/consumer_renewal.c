/* How a consumer changes over to another generation: its workers do, main goes by the other config,
 * and its group notices nothing. */
#include "consumer_internal.h"

#include "thread.h"

/* Its workers serve what the generation declares for it; what it does not declare any more goes on
 * with the generation before. */
static bool is_concerned(const struct consumer *consumer, const struct generation *generation)
{
    return consumer->state == CONSUMER_RUNNING &&
           config_consumer(generation->config, consumer->name) != NULL;
}

enum consumer_renewal consumer_renewal(const struct consumer *consumer,
                                       const struct generation *generation)
{
    ASSERT_ON(THREAD_MAIN);
    if (consumer->state == CONSUMER_STARTING)
        return RENEWAL_BUSY;
    if (!is_concerned(consumer, generation) || pool_is_prepared(&consumer->pool))
        return RENEWAL_READY;
    if (consumer->pool.renewal.is_under_way)
        return RENEWAL_BUSY;
    return pool_has_room(&consumer->pool) ? RENEWAL_DUE : RENEWAL_FULL;
}

void consumer_prepare(struct consumer *consumer, struct generation *generation,
                      void (*on_end)(void *context, const struct error *err), void *context)
{
    pool_prepare(&consumer->pool, generation, on_end, context);
}

void consumer_withdraw(struct consumer *consumer)
{
    if (consumer->is_member)
        pool_withdraw(&consumer->pool);
}

/* --- what main goes by --- */

/* One that is open, and need not be any more, closes; the pace of one that stays may be another. */
static void go_by_breaker(struct consumer *consumer)
{
    struct breaker *breaker = &consumer->assignment.intake.breaker;
    breaker->limit = consumer->config->on_error.breaker;
    if (breaker->is_open && breaker->limit == 0)
        breaker_succeed(breaker);
    dispatcher_ration(&consumer->dispatcher, RATION_UNLIMITED);
    uv_timer_stop(&consumer->rationer);
    consumer_apply_breaker(consumer);
}

static void go_by_budget(struct consumer *consumer)
{
    struct intake *intake = &consumer->assignment.intake;
    struct budget before = intake->budget;
    intake->budget =
        budget_of_consumer(consumer->generation->config, consumer->config, before.prefetch_bytes);
    intake->budget.loaded_bytes = before.loaded_bytes;
    size_t partitions = intake->assigned_partitions;
    if (budget_total(&intake->budget, partitions) != budget_total(&before, partitions))
        budget_say_assigned(&intake->budget, consumer->name, partitions);
}

static void go_by_letters(struct consumer *consumer)
{
    struct dead_letters *letters = consumer->assignment.intake.letters;
    if (!consumer->config->has_dead_letters)
        return;
    if (letters != NULL)
        dead_letters_go_by(letters, consumer->generation);
    else
        consumer_open_letters(consumer);
}

static void go_by(struct consumer *consumer, struct generation *generation)
{
    int64_t commit_interval_ms = consumer->config->commit_interval_ms;
    generation_reference(generation);
    generation_release(&consumer->generation);
    consumer->generation = generation;
    consumer->config = config_consumer(generation->config, consumer->name);
    consumer->assignment.intake.config = consumer->config;
    if (consumer->config->commit_interval_ms != commit_interval_ms)
        consumer_time_commits(consumer);
    go_by_breaker(consumer);
    go_by_budget(consumer);
    go_by_letters(consumer);
}

/* --- taking over --- */

/* Several consumers are always locked in the order in which they were started. */
void consumers_offer(struct consumer *const *consumers, size_t count, struct generation *generation)
{
    ASSERT_ON(THREAD_MAIN);
    for (size_t i = 0; i < count; i++)
        dispatcher_lock(&consumers[i]->dispatcher);
    for (size_t i = 0; i < count; i++)
        if (is_concerned(consumers[i], generation))
            pool_offer(&consumers[i]->pool, generation);
    for (size_t i = count; i-- > 0;)
        dispatcher_unlock(&consumers[i]->dispatcher);
    for (size_t i = 0; i < count; i++) {
        if (!is_concerned(consumers[i], generation))
            continue;
        go_by(consumers[i], generation);
        pool_finish_offer(&consumers[i]->pool);
        uv_async_send(&consumers[i]->wake);
    }
}
