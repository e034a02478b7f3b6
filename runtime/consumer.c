#include "consumer_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "thread.h"

enum {
    POLL_MS = 1000,
    /* Records that a worker ends in a tick when more workers than CPUs would only take turns. No
     * call of a service, not even one on the same machine, is over in a 256th of a tick, 20 us: who
     * blocks in those is too slow to be counted, and so is who computes for longer than a switch of
     * threads costs. */
    BRISK_PACE = 256,
};

/* --- wake-ups, from any thread --- */

static void on_wake_worker(void *context, struct taker *taker)
{
    (void)context;
    worker_wake(taker);
}

static void wake_main(void *context)
{
    struct consumer *consumer = context;
    uv_async_send(&consumer->wake);
}

static void fail(void *context, struct error *err)
{
    struct consumer *consumer = context;
    error_prefix(err, "consumer %s: ", consumer->config->name);
    consumer->options.callbacks.on_fatal(consumer->options.callbacks.context, consumer, err);
}

/* --- new and free --- */

struct consumer *consumer_new(const struct consumer_options *options)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->options = *options;
    consumer->name = xstrdup(options->name);
    consumer->generation = generation_reference(options->generation);
    consumer->config = config_consumer(options->generation->config, options->name);
    assert(consumer->config != NULL);
    consumer->handlers_deadline_ms = INT64_MAX;
    consumer->deadline_ms = INT64_MAX;
    const struct dispatcher_callbacks callbacks = {
        .context = consumer,
        .on_wake_worker = on_wake_worker,
        .on_wake_main = wake_main,
    };
    const struct sparing sparing = {(size_t)config_cpu_count(), BRISK_PACE};
    dispatcher_init(&consumer->dispatcher, consumer->config->distribution, &sparing, &callbacks);
    assignment_init(&consumer->assignment, consumer->config, &consumer->dispatcher, wake_main,
                    consumer);
    return consumer;
}

static void on_letter_end(void *context, struct record *record, const char *reason)
{
    struct consumer *consumer = context;
    partition_end_letter(record, reason);
    if (consumer->state < CONSUMER_DESTROYING)
        uv_async_send(&consumer->wake);
}

void consumer_open_letters(struct consumer *consumer)
{
    const struct dead_letters_options options = {
        .loop = consumer->options.loop,
        .generation = consumer->generation,
        .consumer = consumer->name,
        .cluster = consumer->options.cluster,
        .query = consumer->query,
        .context = consumer,
        .on_end = on_letter_end,
        .on_fatal = fail,
    };
    if (consumer->config->has_dead_letters && consumer->assignment.intake.letters == NULL)
        consumer->assignment.intake.letters = dead_letters_new(&options);
}

void consumer_free(struct consumer **consumer_owned)
{
    struct consumer *consumer = *consumer_owned;
    *consumer_owned = NULL;
    assert(consumer->state == CONSUMER_NEW || consumer->state == CONSUMER_STOPPED);
    assert(consumer->open_handles == 0);
    seek_drop(consumer);
    assignment_destroy(&consumer->assignment);
    dispatcher_destroy(&consumer->dispatcher);
    generation_release(&consumer->generation);
    free(consumer->name);
    free(consumer);
}

const char *consumer_name(const struct consumer *consumer)
{
    return consumer->name;
}

const struct generation *consumer_generation(const struct consumer *consumer)
{
    return consumer->generation;
}

const struct consumer_config *consumer_config_of(const struct consumer *consumer)
{
    return consumer->config;
}

struct consumer_counts consumer_counts(const struct consumer *consumer)
{
    return consumer->assignment.intake.counts;
}

static void on_stuck(void *context)
{
    struct consumer *consumer = context;
    consumer->options.callbacks.on_stuck(consumer->options.callbacks.context, consumer);
}

/* --- a turn --- */

/* In a drain main waits for every end; else it is woken when half of the window has ended. True:
 * there is that much already, which ended while main was busy. */
static bool set_need(struct consumer *consumer)
{
    bool is_draining = consumer->state != CONSUMER_RUNNING || seek_is_draining(consumer) ||
                       membership_is_rebalancing(&consumer->membership);
    return dispatcher_set_need(&consumer->dispatcher, is_draining ? NEED_EVERY : NEED_ROOM,
                               consumer->assignment.intake.window.records / 2 + 1);
}

static void on_tick(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, ticker);
    dispatcher_tick(&consumer->dispatcher);
    consumer_turn(consumer);
}

static void arm_ticker(struct consumer *consumer)
{
    bool is_busy = dispatcher_is_busy(&consumer->dispatcher);
    if (is_busy && !uv_is_active((uv_handle_t *)&consumer->ticker))
        uv_timer_start(&consumer->ticker, on_tick, DISPATCHER_TICK_MS, DISPATCHER_TICK_MS);
    else if (!is_busy)
        uv_timer_stop(&consumer->ticker);
}

static void on_retry(uv_timer_t *timer)
{
    consumer_turn(CONTAINER_OF(timer, struct consumer, retrier));
}

static void on_ration(uv_timer_t *timer)
{
    dispatcher_ration(&CONTAINER_OF(timer, struct consumer, rationer)->dispatcher, 1);
}

void consumer_apply_breaker(struct consumer *consumer)
{
    bool is_open = consumer->assignment.intake.breaker.is_open;
    bool is_rationed = uv_is_active((uv_handle_t *)&consumer->rationer) != 0;
    uint64_t pause_ms = (uint64_t)consumer->config->on_error.max_backoff_ms;
    if (is_open == is_rationed)
        return;
    dispatcher_ration(&consumer->dispatcher, is_open ? 0 : RATION_UNLIMITED);
    if (is_open)
        uv_timer_start(&consumer->rationer, on_ration, pause_ms, pause_ms);
    else
        uv_timer_stop(&consumer->rationer);
}

static void arm_retrier(struct consumer *consumer)
{
    int64_t next_ms = retries_next_ms(&consumer->assignment.intake.retries);
    int64_t wait_ms = next_ms - clock_monotonic_ms();
    if (next_ms == INT64_MAX)
        uv_timer_stop(&consumer->retrier);
    else
        uv_timer_start(&consumer->retrier, on_retry, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* Everything that main does for the consumer, as far as it can go now without waiting. */
void consumer_turn(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    if (!consumer->is_member)
        return;
    assignment_collect(&consumer->assignment);
    assignment_retry(&consumer->assignment, clock_monotonic_ms());
    pool_step(&consumer->pool);
    bool has_more = membership_serve(&consumer->membership);
    if (consumer->state == CONSUMER_RUNNING)
        seek_step(consumer);
    if (consumer->state == CONSUMER_RUNNING)
        has_more = assignment_read(&consumer->assignment) || has_more;
    else
        consumer_step_stop(consumer);
    if (!consumer->is_member)
        return;
    has_more = set_need(consumer) || has_more;
    arm_ticker(consumer);
    arm_retrier(consumer);
    consumer_apply_breaker(consumer);
    if (has_more)
        uv_async_send(&consumer->wake);
}

static void on_wake(uv_async_t *wake)
{
    consumer_turn(CONTAINER_OF(wake, struct consumer, wake));
}

void consumer_on_poll(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, poller);
    assignment_remind(&consumer->assignment);
    if (consumer->state == CONSUMER_RUNNING) {
        const struct scaler_sight sight = assignment_sight(&consumer->assignment);
        pool_scale(&consumer->pool, &sight);
    }
    consumer_turn(consumer);
    if (consumer->state == CONSUMER_RUNNING)
        consumer_watch_stalls(consumer);
}

static void on_commit_timer(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, commits);
    bool is_draining = consumer->state == CONSUMER_STOPPING && consumer->is_member;
    if (consumer->state == CONSUMER_RUNNING || is_draining)
        membership_commit(&consumer->membership);
}

void consumer_time_commits(struct consumer *consumer)
{
    uint64_t interval_ms = (uint64_t)consumer->config->commit_interval_ms;
    uv_timer_start(&consumer->commits, on_commit_timer, interval_ms, interval_ms);
}

static void on_progress(void *context)
{
    consumer_turn(context);
}

void consumer_on_report(struct record *record, int attempt, const char *reason)
{
    /* The record may be freed by its last report. */
    struct consumer *consumer = record->owner->intake->context;
    partition_report(record, attempt, reason);
    if (consumer->state < CONSUMER_DESTROYING)
        uv_async_send(&consumer->wake);
}

/* --- start --- */

void consumer_open_handles(struct consumer *consumer)
{
    uv_loop_t *loop = consumer->options.loop;
    uv_async_init(loop, &consumer->wake, on_wake);
    uv_timer_init(loop, &consumer->poller);
    uv_timer_init(loop, &consumer->ticker);
    uv_timer_init(loop, &consumer->commits);
    uv_timer_init(loop, &consumer->retrier);
    uv_timer_init(loop, &consumer->rationer);
    consumer->open_handles = 6;
}

static void start_timers(struct consumer *consumer)
{
    uint64_t interval_ms = (uint64_t)consumer->parts.max_poll_ms / 3;
    if (interval_ms > POLL_MS)
        interval_ms = POLL_MS;
    uv_timer_start(&consumer->poller, consumer_on_poll, interval_ms, interval_ms);
    consumer_time_commits(consumer);
}

static void open_membership(struct consumer *consumer)
{
    struct budget *budget = &consumer->assignment.intake.budget;
    *budget = budget_of_consumer(consumer->generation->config, consumer->config,
                                 consumer->parts.prefetch_bytes);
    budget->loaded_bytes = (int64_t)consumer->parts.state_bytes;
    const struct membership_options options = {
        .loop = consumer->options.loop,
        .assignment = &consumer->assignment,
        .handle = consumer->parts.handle,
        .query = consumer->query,
        .max_poll_ms = consumer->parts.max_poll_ms,
        .is_cooperative = consumer->parts.is_cooperative,
        .context = consumer,
        .on_event = wake_main,
        .on_progress = on_progress,
        .on_fatal = fail,
    };
    membership_init(&consumer->membership, &options);
    consumer->is_member = true;
}

static const char *order_in_words(enum distribution distribution)
{
    switch (distribution) {
    case DISTRIBUTION_KEY:
        return "records of a key in order";
    case DISTRIBUTION_PARTITION:
        return "records of a partition in order";
    case DISTRIBUTION_FREE_WORKER:
        return "records in no order";
    }
    return "";
}

/* 4 workers, 10 to 100 workers */
static void say_workers(const struct consumer_config *config, char *text, size_t size)
{
    if (config->workers_max > config->workers_min)
        snprintf(text, size, "%d to %d workers", config->workers_min, config->workers_max);
    else
        snprintf(text, size, "%d worker%s", config->workers_min,
                 config->workers_min == 1 ? "" : "s");
}

static void join(struct consumer *consumer)
{
    const struct consumer_config *config = consumer->config;
    consumer->state = CONSUMER_RUNNING;
    start_timers(consumer);
    membership_join(&consumer->membership);
    char workers[64];
    say_workers(config, workers, sizeof workers);
    bool has_others = consumer->options.cluster->label[0] != '\0';
    log_info("consumer %s: joining group %s%s%s, %s with up to %d handler%s each, %s", config->name,
             config->group, has_others ? " of cluster " : "",
             has_others ? config->cluster->name : "", workers, config->buffer_size,
             config->buffer_size == 1 ? "" : "s", order_in_words(config->distribution));
}

void consumer_run(struct consumer *consumer, rd_kafka_t *query)
{
    ASSERT_ON(THREAD_MAIN);
    assert(consumer->state == CONSUMER_MADE);
    consumer->query = query;
    consumer_open_letters(consumer);
    open_membership(consumer);
    const struct pool_options options = {
        .loop = consumer->options.loop,
        .generation = consumer->generation,
        .consumer = consumer->name,
        .dispatcher = &consumer->dispatcher,
        .context = consumer,
        .on_exit = wake_main,
        .on_stuck = on_stuck,
    };
    int rc = pool_start(&consumer->pool, &options, consumer->parts.scripts,
                        consumer->parts.script_count, &consumer->work_error);
    if (rc == 0)
        consumer_take_workers(consumer);
    join(consumer);
    if (rc != 0)
        fail(consumer, &consumer->work_error);
    consumer_turn(consumer);
}
