#include "consumer_internal.h"

#include <assert.h>

#include "log.h"
#include "membership_joining.h"
#include "thread.h"

enum {
    STOP_POLL_MS = 50,
    AFTER_DRAIN_MS =
        10 * 1000, /* of a consumer that leaves: acknowledgements and the last commit */
};

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

static void close_handles(void *context)
{
    struct consumer *consumer = context;
    uv_handle_t *handles[] = {
        (uv_handle_t *)&consumer->wake,    (uv_handle_t *)&consumer->poller,
        (uv_handle_t *)&consumer->ticker,  (uv_handle_t *)&consumer->commits,
        (uv_handle_t *)&consumer->retrier, (uv_handle_t *)&consumer->rationer,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(handles); i++) {
        handles[i]->data = consumer;
        uv_close(handles[i], on_handle_closed);
    }
}

/* Letters that are on their way end first: their records are the partitions'. */
void consumer_close_handles(struct consumer *consumer)
{
    struct dead_letters **letters = &consumer->assignment.intake.letters;
    consumer->state = CONSUMER_DESTROYING;
    if (*letters != NULL)
        dead_letters_close(letters, close_handles, consumer);
    else
        close_handles(consumer);
}

/* On a helper, with the states that no worker took. A handle that is broken cannot leave its group;
 * the group finds out by time. */
static void destroy(uv_work_t *work)
{
    struct consumer *consumer = CONTAINER_OF(work, struct consumer, work);
    rd_kafka_t *handle = consumer->parts.handle;
    consumer_parts_destroy(&consumer->parts);
    if (consumer->is_leaked)
        return;
    struct joining *joining = joining_of(handle);
    rd_kafka_destroy_flags(handle, consumer->is_broken ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0);
    joining_free(&joining);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    consumer_close_handles(CONTAINER_OF(work, struct consumer, work));
}

static void log_counts(const struct consumer *consumer)
{
    const struct consumer_counts counts = consumer_counts(consumer);
    const struct log_field fields[] = {
        log_integer("handled", (int64_t)counts.handled),
        log_integer("skipped", (int64_t)counts.skipped),
        log_integer("retried", (int64_t)counts.retried),
        log_integer("dead_letters", (int64_t)counts.letters),
        log_integer("failed", (int64_t)counts.failed),
        log_integer("given_back", (int64_t)counts.dropped),
        log_integer("jumps", (int64_t)counts.jumps),
        log_integer("interrupted", (int64_t)counts.interrupted),
    };
    log_event(LOG_INFO, fields, ARRAY_LENGTH(fields), "consumer %s: stopped",
              consumer->config->name);
}

void consumer_begin_destroy(struct consumer *consumer, rd_kafka_t *handle)
{
    consumer->parts.handle = handle;
    consumer->state = CONSUMER_DESTROYING;
    uv_queue_work(consumer->options.loop, &consumer->work, destroy, on_destroyed);
}

/* The handle can be destroyed: no event and no message of it is held any more. */
static void close_membership(struct consumer *consumer)
{
    consumer->handed_on = consumer->pool.override;
    pool_destroy(&consumer->pool);
    assignment_collect(&consumer->assignment);
    log_counts(consumer);
    consumer->is_member = false;
    consumer_begin_destroy(consumer, membership_destroy(&consumer->membership));
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

/* The handlers' time is over: what they have begun is given back to Kafka, so nothing is lost. */
static void interrupt(struct consumer *consumer)
{
    bool is_due = consumer->is_member && clock_monotonic_ms() >= consumer->handlers_deadline_ms;
    if (!is_due || consumer->is_interrupted)
        return;
    consumer->is_interrupted = true;
    size_t running = dispatcher_running_all(&consumer->dispatcher);
    if (running == 0)
        return;
    log_warn("consumer %s: time is up for %zu handler%s: interrupted, and the record%s given back",
             consumer->config->name, running, running == 1 ? "" : "s", running == 1 ? "" : "s");
    pool_interrupt(&consumer->pool);
}

/* Goes on with the stop as far as it can. */
void consumer_step_stop(struct consumer *consumer)
{
    interrupt(consumer);
    while (step(consumer))
        continue;
    if (consumer->state < CONSUMER_DESTROYING && clock_monotonic_ms() >= consumer->deadline_ms)
        abandon(consumer);
}

/* Said when nothing is read any more. */
static void say_waiting(struct consumer *consumer, int64_t handlers_deadline_ms)
{
    size_t running = dispatcher_running_all(&consumer->dispatcher);
    int64_t left_ms = handlers_deadline_ms - clock_monotonic_ms();
    if (running > 0 && left_ms > 0)
        log_info("consumer %s: waiting up to %.1f s for %zu handler%s to end",
                 consumer->config->name, (double)left_ms / 1000, running, running == 1 ? "" : "s");
}

/* What is to go back goes at once, not only when Kafka asks for it; and the deadlines are
 * watched also when nothing else happens. */
static void begin_stop(struct consumer *consumer, int64_t handlers_deadline_ms, int64_t end_ms)
{
    membership_stop(&consumer->membership, handlers_deadline_ms, end_ms);
    assignment_drain_all(&consumer->assignment);
    uv_timer_start(&consumer->poller, consumer_on_poll, 0, STOP_POLL_MS);
}

void consumer_leave(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    assert(consumer->state == CONSUMER_RUNNING);
    int64_t drained_ms = clock_monotonic_ms() + consumer->config->drain_timeout_ms;
    consumer->state = CONSUMER_STOPPING;
    begin_stop(consumer, drained_ms, drained_ms + AFTER_DRAIN_MS);
    say_waiting(consumer, drained_ms);
}

void consumer_stop(struct consumer *consumer, int64_t handlers_deadline_ms, int64_t deadline_ms)
{
    ASSERT_ON(THREAD_MAIN);
    consumer->handlers_deadline_ms = handlers_deadline_ms;
    consumer->deadline_ms = deadline_ms;
    seek_drop(consumer);
    switch (consumer->state) {
    case CONSUMER_NEW:
        end_stop(consumer);
        return;
    case CONSUMER_FAILED:
        consumer_close_handles(consumer);
        return;
    case CONSUMER_STARTING:
        consumer_give_up_making(consumer);
        consumer->state = CONSUMER_STOPPING;
        return;
    case CONSUMER_MADE:
        consumer_begin_destroy(consumer, consumer->parts.handle);
        return;
    case CONSUMER_RUNNING:
        consumer->state = CONSUMER_STOPPING;
        begin_stop(consumer, handlers_deadline_ms, deadline_ms);
        say_waiting(consumer, handlers_deadline_ms);
        return;
    case CONSUMER_STOPPING:
    case CONSUMER_RETIRING:
        if (consumer->is_member)
            begin_stop(consumer, handlers_deadline_ms, deadline_ms);
        return;
    case CONSUMER_DESTROYING:
    case CONSUMER_STOPPED:
        return;
    }
}
