/* consumer_start.h - how a consumer comes up and how it goes down; private to the consumer's files.
 *
 * Threads: main. */
#ifndef CONSUMER_START_H
#define CONSUMER_START_H

#include "consumer_private.h"

void consumer_subscribe(struct consumer *consumer);

/* Goes on with a stop as far as it can. */
void consumer_step_stop(struct consumer *consumer);

/* consumer.c: callbacks of the loop's handles. */
void consumer_on_wake(uv_async_t *wake);
void consumer_on_poll(uv_timer_t *timer);
void consumer_on_tick(uv_timer_t *timer);
void consumer_on_commit(uv_timer_t *timer);
void consumer_on_resubscribe(uv_timer_t *timer);

#endif
