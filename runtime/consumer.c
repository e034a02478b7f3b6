#include "consumer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "assignment.h"
#include "consumer_parts.h"
#include "error.h"
#include "log.h"
#include "membership.h"
#include "membership_joining.h"
#include "pool.h"
#include "thread.h"

enum {
    TICK_MS = 5,
    POLL_MS = 1000,
    STOP_POLL_MS = 50,
};

enum consumer_state {
    CONSUMER_NEW,
    CONSUMER_STARTING, /* a helper makes the parts */
    CONSUMER_FAILED,   /* it could not start */
    CONSUMER_RUNNING,
    CONSUMER_STOPPING,   /* nothing more is read; it leaves its group */
    CONSUMER_RETIRING,   /* it has left; workers end */
    CONSUMER_DESTROYING, /* a helper destroys the handle, then the loop's handles are closed */
    CONSUMER_STOPPED,
};

struct consumer {
    struct consumer_options options;
    const struct consumer_config *config;
    enum consumer_state state;
    struct consumer_parts parts; /* between its helper and the pool and membership */

    struct dispatcher dispatcher;
    struct assignment assignment;
    struct membership membership;
    struct pool pool;
    bool is_member; /* the membership stands: there is a handle */

    uv_async_t wake;    /* any thread */
    uv_timer_t poller;  /* keeps the membership alive, also when nothing happens */
    uv_timer_t ticker;  /* only while records are outstanding */
    uv_timer_t commits; /* commit_interval */
    uv_timer_t retrier; /* for the next retry */
    int open_handles;   /* of the loop: until all are closed, the consumer stays */
    uv_work_t work;     /* of the helper that makes or destroys */
    struct error work_error;
    int work_rc;

    bool is_broken; /* its handle met a fatal error and cannot leave */
    bool is_leaked; /* its handle cannot be closed safely: the end of the process closes it */
    int64_t handlers_deadline_ms; /* of a stop */
    int64_t deadline_ms;
    size_t abandoned; /* handlers that still ran at the end of a stop */
};

static void turn(struct consumer *consumer);
static void step_stop(struct consumer *consumer);

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

/* --- new and free --- */

struct consumer *consumer_new(const struct consumer_options *options)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->options = *options;
    consumer->config = options->config;
    consumer->handlers_deadline_ms = INT64_MAX;
    consumer->deadline_ms = INT64_MAX;
    const struct dispatcher_callbacks callbacks = {
        .context = consumer,
        .on_wake_worker = on_wake_worker,
        .on_wake_main = wake_main,
    };
    dispatcher_init(&consumer->dispatcher, options->config->distribution, &callbacks);
    assignment_init(&consumer->assignment, options->config, &consumer->dispatcher, wake_main,
                    consumer);
    return consumer;
}

void consumer_free(struct consumer **consumer_owned)
{
    struct consumer *consumer = *consumer_owned;
    *consumer_owned = NULL;
    assert(consumer->state == CONSUMER_NEW || consumer->state == CONSUMER_STOPPED);
    assert(consumer->open_handles == 0);
    assignment_destroy(&consumer->assignment);
    dispatcher_destroy(&consumer->dispatcher);
    free(consumer);
}

const struct consumer_config *consumer_config_of(const struct consumer *consumer)
{
    return consumer->config;
}

struct consumer_counts consumer_counts(const struct consumer *consumer)
{
    return consumer->assignment.intake.counts;
}

static void fail(void *context, struct error *err)
{
    struct consumer *consumer = context;
    error_prefix(err, "consumer %s: ", consumer->config->name);
    consumer->options.callbacks.on_fatal(consumer->options.callbacks.context, consumer, err);
}

/* --- a turn --- */

/* In a drain main waits for every end; else it is woken when half of the window has ended. */
static void set_need(struct consumer *consumer)
{
    bool is_draining =
        consumer->state != CONSUMER_RUNNING || membership_is_rebalancing(&consumer->membership);
    dispatcher_set_need(&consumer->dispatcher, is_draining ? NEED_EVERY : NEED_ROOM,
                        consumer->assignment.intake.window.records / 2 + 1);
}

static void on_tick(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, ticker);
    dispatcher_tick(&consumer->dispatcher);
    turn(consumer);
}

static void arm_ticker(struct consumer *consumer)
{
    bool is_busy = dispatcher_is_busy(&consumer->dispatcher);
    if (is_busy && !uv_is_active((uv_handle_t *)&consumer->ticker))
        uv_timer_start(&consumer->ticker, on_tick, TICK_MS, TICK_MS);
    else if (!is_busy)
        uv_timer_stop(&consumer->ticker);
}

static void on_retry(uv_timer_t *timer)
{
    turn(CONTAINER_OF(timer, struct consumer, retrier));
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
static void turn(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    if (!consumer->is_member)
        return;
    assignment_collect(&consumer->assignment);
    assignment_retry(&consumer->assignment, clock_monotonic_ms());
    pool_step(&consumer->pool);
    bool has_more = membership_serve(&consumer->membership);
    if (consumer->state == CONSUMER_RUNNING)
        has_more = assignment_read(&consumer->assignment) || has_more;
    else
        step_stop(consumer);
    if (!consumer->is_member)
        return;
    set_need(consumer);
    arm_ticker(consumer);
    arm_retrier(consumer);
    if (has_more)
        uv_async_send(&consumer->wake);
}

static void on_wake(uv_async_t *wake)
{
    turn(CONTAINER_OF(wake, struct consumer, wake));
}

static void on_poll(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, poller);
    assignment_remind(&consumer->assignment);
    if (consumer->state == CONSUMER_RUNNING) {
        const struct scaler_sight sight = assignment_sight(&consumer->assignment);
        pool_scale(&consumer->pool, &sight);
    }
    turn(consumer);
}

static void on_commit_timer(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, commits);
    bool is_draining = consumer->state == CONSUMER_STOPPING && consumer->is_member;
    if (consumer->state == CONSUMER_RUNNING || is_draining)
        membership_commit(&consumer->membership);
}

static void on_progress(void *context)
{
    turn(context);
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

static void open_loop_handles(struct consumer *consumer)
{
    uv_loop_t *loop = consumer->options.loop;
    uv_async_init(loop, &consumer->wake, on_wake);
    uv_timer_init(loop, &consumer->poller);
    uv_timer_init(loop, &consumer->ticker);
    uv_timer_init(loop, &consumer->commits);
    uv_timer_init(loop, &consumer->retrier);
    consumer->open_handles = 5;
}

static void start_timers(struct consumer *consumer)
{
    uint64_t interval_ms = (uint64_t)consumer->parts.max_poll_ms / 3;
    if (interval_ms > POLL_MS)
        interval_ms = POLL_MS;
    uint64_t commit_ms = (uint64_t)consumer->config->commit_interval_ms;
    uv_timer_start(&consumer->poller, on_poll, interval_ms, interval_ms);
    uv_timer_start(&consumer->commits, on_commit_timer, commit_ms, commit_ms);
}

static void open_membership(struct consumer *consumer)
{
    const struct membership_options options = {
        .loop = consumer->options.loop,
        .assignment = &consumer->assignment,
        .handle = consumer->parts.handle,
        .query = consumer->options.query,
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

static void run(struct consumer *consumer)
{
    const struct consumer_config *config = consumer->config;
    consumer->state = CONSUMER_RUNNING;
    start_timers(consumer);
    membership_join(&consumer->membership);
    char workers[64];
    say_workers(config, workers, sizeof workers);
    log_info("consumer %s: joining group %s, %s with up to %d handler%s each, %s", config->name,
             config->group, workers, config->buffer_size, config->buffer_size == 1 ? "" : "s",
             order_in_words(config->distribution));
}

static void close_loop_handles(struct consumer *consumer);
static void begin_destroy(struct consumer *consumer, rd_kafka_t *handle);

/* The stop came before the parts were made. */
static void throw_away_parts(struct consumer *consumer)
{
    rd_kafka_t *handle = consumer->parts.handle;
    consumer_parts_destroy(&consumer->parts);
    if (consumer->work_rc == 0)
        begin_destroy(consumer, handle);
    else
        close_loop_handles(consumer);
}

static struct script_source script_source_of(const struct consumer *consumer)
{
    return (struct script_source){
        .host = consumer->options.host,
        .bundle = consumer->options.bundle,
        .consumer = consumer->config,
    };
}

static void on_made(uv_work_t *work, int status)
{
    (void)status;
    struct consumer *consumer = CONTAINER_OF(work, struct consumer, work);
    if (consumer->state == CONSUMER_STOPPING) {
        throw_away_parts(consumer);
        return;
    }
    if (consumer->work_rc != 0) {
        consumer->state = CONSUMER_FAILED;
        fail(consumer, &consumer->work_error);
        return;
    }
    open_membership(consumer);
    const struct pool_options options = {
        .loop = consumer->options.loop,
        .source = script_source_of(consumer),
        .dispatcher = &consumer->dispatcher,
        .context = consumer,
        .on_exit = wake_main,
    };
    int rc = pool_start(&consumer->pool, &options, consumer->parts.scripts,
                        consumer->parts.script_count, &consumer->work_error);
    run(consumer);
    consumer_parts_destroy(&consumer->parts);
    if (rc != 0)
        fail(consumer, &consumer->work_error);
    turn(consumer);
}

/* On a helper. */
static void make(uv_work_t *work)
{
    struct consumer *consumer = CONTAINER_OF(work, struct consumer, work);
    const struct script_source source = script_source_of(consumer);
    consumer->work_rc = consumer_parts_make(&consumer->parts, consumer->options.cluster, &source,
                                            &consumer->work_error);
}

void consumer_start(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    consumer->state = CONSUMER_STARTING;
    open_loop_handles(consumer);
    uv_queue_work(consumer->options.loop, &consumer->work, make, on_made);
}

/* --- stop --- */

static void end_stop(struct consumer *consumer)
{
    consumer->state = CONSUMER_STOPPED;
    consumer->options.callbacks.on_stopped(consumer->options.callbacks.context, consumer,
                                           consumer->abandoned);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct consumer *consumer = handle->data;
    if (--consumer->open_handles == 0)
        end_stop(consumer);
}

static void close_loop_handles(struct consumer *consumer)
{
    uv_handle_t *handles[] = {
        (uv_handle_t *)&consumer->wake,    (uv_handle_t *)&consumer->poller,
        (uv_handle_t *)&consumer->ticker,  (uv_handle_t *)&consumer->commits,
        (uv_handle_t *)&consumer->retrier,
    };
    consumer->state = CONSUMER_DESTROYING;
    for (size_t i = 0; i < ARRAY_LENGTH(handles); i++) {
        handles[i]->data = consumer;
        uv_close(handles[i], on_handle_closed);
    }
}

/* On a helper. A handle that is broken cannot leave its group; the group finds out by time. */
static void destroy(uv_work_t *work)
{
    struct consumer *consumer = CONTAINER_OF(work, struct consumer, work);
    if (consumer->is_leaked)
        return;
    struct joining *joining = joining_of(consumer->parts.handle);
    rd_kafka_destroy_flags(consumer->parts.handle,
                           consumer->is_broken ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0);
    joining_free(&joining);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    close_loop_handles(CONTAINER_OF(work, struct consumer, work));
}

static void log_counts(const struct consumer *consumer)
{
    const struct consumer_counts counts = consumer_counts(consumer);
    const struct log_field fields[] = {
        log_integer("handled", (int64_t)counts.handled),
        log_integer("skipped", (int64_t)counts.skipped),
        log_integer("retried", (int64_t)counts.retried),
        log_integer("failed", (int64_t)counts.failed),
        log_integer("given_back", (int64_t)counts.dropped),
    };
    log_event(LOG_INFO, fields, ARRAY_LENGTH(fields), "consumer %s: stopped",
              consumer->config->name);
}

static void begin_destroy(struct consumer *consumer, rd_kafka_t *handle)
{
    consumer->parts.handle = handle;
    consumer->state = CONSUMER_DESTROYING;
    uv_queue_work(consumer->options.loop, &consumer->work, destroy, on_destroyed);
}

/* The handle can be destroyed: no event and no message of it is held any more. */
static void close_membership(struct consumer *consumer)
{
    pool_destroy(&consumer->pool);
    assignment_collect(&consumer->assignment);
    log_counts(consumer);
    consumer->is_member = false;
    begin_destroy(consumer, membership_destroy(&consumer->membership));
}

static void log_running(void *context, const struct record *record)
{
    struct consumer *consumer = context;
    const struct log_field fields[] = {
        log_text("topic", record->topic),
        log_integer("partition", record->partition),
        log_integer("offset", record->offset),
        log_bytes("key", record->key, record->key_length),
    };
    log_event(LOG_ERROR, fields, ARRAY_LENGTH(fields),
              "consumer %s: the handler of this record still runs, time is up and it is abandoned; "
              "the record will be handled again",
              consumer->config->name);
    consumer->abandoned++;
}

/* Time is up: threads that run handlers cannot be joined, so the process has to end without
 * them. */
static void abandon(struct consumer *consumer)
{
    dispatcher_each_running(&consumer->dispatcher, log_running, consumer);
    if (consumer->abandoned == 0) {
        log_error("consumer %s: could not be closed within stop_timeout", consumer->config->name);
        consumer->abandoned = 1;
    }
    log_counts(consumer);
    end_stop(consumer);
}

static bool leave(struct consumer *consumer)
{
    switch (membership_leave(&consumer->membership)) {
    case LEAVE_PENDING:
        return false;
    case LEAVE_UNSAFE:
        consumer->is_leaked = true;
        break;
    case LEAVE_BROKEN:
        consumer->is_broken = true;
        break;
    case LEAVE_DONE:
        break;
    }
    pool_retire(&consumer->pool);
    consumer->state = CONSUMER_RETIRING;
    return true;
}

/* One step; false when there is nothing to do now. */
static bool step(struct consumer *consumer)
{
    switch (consumer->state) {
    case CONSUMER_STOPPING:
        return leave(consumer);
    case CONSUMER_RETIRING:
        if (pool_is_done(&consumer->pool))
            close_membership(consumer);
        return false;
    default:
        return false;
    }
}

/* Goes on with the stop as far as it can. */
static void step_stop(struct consumer *consumer)
{
    while (step(consumer))
        continue;
    if (consumer->state < CONSUMER_DESTROYING && clock_monotonic_ms() >= consumer->deadline_ms)
        abandon(consumer);
}

/* Said when nothing can begin any more. */
static void say_waiting(struct consumer *consumer)
{
    size_t running = dispatcher_running_all(&consumer->dispatcher);
    int64_t left_ms = consumer->handlers_deadline_ms - clock_monotonic_ms();
    if (running > 0 && left_ms > 0)
        log_info("consumer %s: waiting up to %.1f s for %zu handler%s to end",
                 consumer->config->name, (double)left_ms / 1000, running, running == 1 ? "" : "s");
}

/* What has not begun goes back at once, not only when Kafka asks for it; and the deadlines are
 * watched also when nothing else happens. */
static void begin_stop(struct consumer *consumer)
{
    membership_stop(&consumer->membership, consumer->handlers_deadline_ms, consumer->deadline_ms);
    assignment_revoke_all(&consumer->assignment);
    uv_timer_start(&consumer->poller, on_poll, 0, STOP_POLL_MS);
}

void consumer_stop(struct consumer *consumer, int64_t handlers_deadline_ms, int64_t deadline_ms)
{
    ASSERT_ON(THREAD_MAIN);
    consumer->handlers_deadline_ms = handlers_deadline_ms;
    consumer->deadline_ms = deadline_ms;
    switch (consumer->state) {
    case CONSUMER_NEW:
        end_stop(consumer);
        return;
    case CONSUMER_FAILED:
        close_loop_handles(consumer);
        return;
    case CONSUMER_STARTING:
        consumer->state = CONSUMER_STOPPING;
        return;
    case CONSUMER_RUNNING:
        consumer->state = CONSUMER_STOPPING;
        begin_stop(consumer);
        say_waiting(consumer);
        return;
    case CONSUMER_STOPPING:
    case CONSUMER_RETIRING:
        if (consumer->is_member)
            begin_stop(consumer);
        return;
    case CONSUMER_DESTROYING:
    case CONSUMER_STOPPED:
        return;
    }
}
