/* How a consumer changes over to another generation: its workers do, it and its group notice
 * nothing. */
#include "consumer_internal.h"

#include "thread.h"

/* Its workers serve what the generation declares for it; what it does not declare any more goes on
 * with the generation before. */
static bool is_concerned(const struct consumer *consumer, const struct generation *generation)
{
    return consumer->state == CONSUMER_RUNNING &&
           config_consumer(generation->config, consumer->config->name) != NULL;
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
    for (size_t i = 0; i < count; i++)
        if (is_concerned(consumers[i], generation))
            pool_finish_offer(&consumers[i]->pool);
}
