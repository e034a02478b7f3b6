#include "consumer_start.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "thread.h"

enum {
    POLL_MS = 1000,
    STOP_POLL_MS = 50,
    FIRST_ASSIGNMENT_MS = 3000, /* that a stop waits for, where it has to */
};

/* Before 2.3 librdkafka aborts when a cooperative consumer is closed before its first assignment. */
enum { SAFE_COOPERATIVE_CLOSE = 0x02030000 };

/* What a helper makes. */
struct starting {
    uv_work_t work;
    struct consumer *consumer;
    rd_kafka_t *handle;
    int64_t max_poll_ms;
    bool is_cooperative;
    struct script **scripts;
    struct error err;
    int rc;
};

/* --- new --- */

static void on_wake_worker(void *context, struct taker *taker)
{
    (void)context;
    worker_wake(taker);
}

static void on_wake_main(void *context)
{
    struct consumer *consumer = context;
    uv_async_send(&consumer->wake);
}

struct consumer *consumer_new(const struct consumer_options *options)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->options = *options;
    consumer->config = options->config;
    list_init(&consumer->partitions);
    atomic_init(&consumer->workers_exited, 0);
    consumer->handlers_deadline_ms = INT64_MAX;
    consumer->deadline_ms = INT64_MAX;
    const struct dispatcher_callbacks callbacks = {
        .context = consumer,
        .on_wake_worker = on_wake_worker,
        .on_wake_main = on_wake_main,
    };
    dispatcher_init(&consumer->dispatcher, options->config->distribution, &callbacks);
    return consumer;
}

void consumer_free(struct consumer **consumer_owned)
{
    struct consumer *consumer = *consumer_owned;
    *consumer_owned = NULL;
    assert(consumer->state == CONSUMER_NEW || consumer->state == CONSUMER_STOPPED);
    assert(consumer->open_handles == 0);
    while (!list_is_empty(&consumer->partitions)) {
        struct partition *partition =
            CONTAINER_OF(consumer->partitions.next, struct partition, link);
        partition_free(&partition);
    }
    dispatcher_destroy(&consumer->dispatcher);
    rebalance_destroy(consumer);
    commit_destroy(consumer);
    for (size_t i = 0; i < consumer->warned_count; i++)
        free(consumer->warned_types[i]);
    free(consumer->warned_types);
    free(consumer->workers);
    free(consumer);
}

/* --- start, on a helper --- */

static rd_kafka_t *make_handle(struct starting *starting)
{
    const struct consumer_config *config = starting->consumer->config;
    char path[300];
    snprintf(path, sizeof path, "consumers.%s.properties", config->name);
    rd_kafka_conf_t *conf = cluster_conf_new(starting->consumer->options.cluster, CLUSTER_CONSUMER,
                                             &config->properties, path, &starting->err);
    if (conf == NULL)
        return NULL;
    char reason[256];
    if (rd_kafka_conf_set(conf, "group.id", config->group, reason, sizeof reason) !=
        RD_KAFKA_CONF_OK) {
        error_set(&starting->err, "consumers.%s.group: %s", config->name, reason);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                       RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    starting->max_poll_ms = cluster_conf_integer(conf, "max.poll.interval.ms");
    char strategy[256] = "";
    size_t size = sizeof strategy;
    rd_kafka_conf_get(conf, "partition.assignment.strategy", strategy, &size);
    starting->is_cooperative = strstr(strategy, "cooperative") != NULL;
    return cluster_handle_new(CLUSTER_CONSUMER, &conf, &starting->err);
}

static int make_scripts(struct starting *starting)
{
    const struct consumer_options *options = &starting->consumer->options;
    const struct script_source source = {
        .host = options->host,
        .bundle = options->bundle,
        .consumer = options->config,
    };
    size_t count = (size_t)options->config->workers_min;
    starting->scripts = xcalloc(count, sizeof starting->scripts[0]);
    for (size_t i = 0; i < count; i++) {
        starting->scripts[i] = script_new(&source, &starting->err);
        if (starting->scripts[i] == NULL)
            return -1;
    }
    return 0;
}

static void make(uv_work_t *work)
{
    struct starting *starting = CONTAINER_OF(work, struct starting, work);
    starting->rc = make_scripts(starting);
    if (starting->rc == 0) {
        starting->handle = make_handle(starting);
        starting->rc = starting->handle != NULL ? 0 : -1;
    }
}

/* --- start, on main --- */

/* The last of a worker's thread. */
static void on_worker_exit(void *context, struct worker *worker)
{
    (void)worker;
    struct consumer *consumer = context;
    atomic_fetch_add(&consumer->workers_exited, 1);
    uv_async_send(&consumer->wake);
}

static int start_workers(struct consumer *consumer, struct script **scripts, struct error *err)
{
    size_t count = (size_t)consumer->config->workers_min;
    consumer->workers = xcalloc(count, sizeof consumer->workers[0]);
    for (size_t i = 0; i < count; i++) {
        const struct worker_options options = {
            .name = consumer->config->name,
            .index = (int)i + 1,
            .hands = consumer->config->buffer_size,
            .dispatcher = &consumer->dispatcher,
            .context = consumer,
            .on_exit = on_worker_exit,
        };
        if (worker_start(&consumer->workers[i], &options, &scripts[i], err) != 0)
            return -1;
        consumer->worker_count++;
    }
    return 0;
}

/* On a librdkafka thread: only a wake-up. */
static void on_queue_event(rd_kafka_t *handle, void *context)
{
    (void)handle;
    struct consumer *consumer = context;
    uv_async_send(&consumer->wake);
}

static void open_loop_handles(struct consumer *consumer)
{
    uv_loop_t *loop = consumer->options.loop;
    uv_async_init(loop, &consumer->wake, consumer_on_wake);
    uv_timer_init(loop, &consumer->poller);
    uv_timer_init(loop, &consumer->ticker);
    uv_timer_init(loop, &consumer->commits);
    uv_timer_init(loop, &consumer->resubscriber);
    consumer->open_handles = 5;
}

static void start_timers(struct consumer *consumer)
{
    uint64_t interval_ms = POLL_MS;
    if ((uint64_t)consumer->max_poll_ms / 3 < interval_ms)
        interval_ms = (uint64_t)consumer->max_poll_ms / 3;
    uv_timer_start(&consumer->poller, consumer_on_poll, interval_ms, interval_ms);
    uint64_t commit_ms = (uint64_t)consumer->config->commit_interval_ms;
    uv_timer_start(&consumer->commits, consumer_on_commit, commit_ms, commit_ms);
}

void consumer_subscribe(struct consumer *consumer)
{
    const struct consumer_config *config = consumer->config;
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)config->topic_count);
    for (size_t i = 0; i < config->topic_count; i++)
        rd_kafka_topic_partition_list_add(topics, config->topics[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t rc = rd_kafka_subscribe(consumer->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    consumer->is_subscribed = true;
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_error("consumer %s: subscribe: %s", config->name, rd_kafka_err2str(rc));
}

static void fail(struct consumer *consumer, struct error *err)
{
    error_prefix(err, "consumer %s: ", consumer->config->name);
    consumer->options.callbacks.on_fatal(consumer->options.callbacks.context, consumer, err);
}

static void open_queue(struct consumer *consumer)
{
    rd_kafka_poll_set_consumer(consumer->handle);
    rd_kafka_set_log_queue(consumer->handle, NULL);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->handle);
    rd_kafka_queue_cb_event_enable(consumer->queue, on_queue_event, consumer);
}

static void run(struct consumer *consumer, struct starting *starting)
{
    consumer->handle = starting->handle;
    consumer->max_poll_ms = starting->max_poll_ms;
    consumer->is_cooperative = starting->is_cooperative;
    open_queue(consumer);
    if (start_workers(consumer, starting->scripts, &starting->err) != 0)
        fail(consumer, &starting->err);
    if (consumer->state == CONSUMER_STARTING) {
        consumer->state = CONSUMER_RUNNING;
        start_timers(consumer);
        consumer_subscribe(consumer);
        log_info("consumer %s: group %s, %zu workers x %d handlers, order by %s",
                 consumer->config->name, consumer->config->group, consumer->worker_count,
                 consumer->config->buffer_size,
                 consumer->config->distribution == DISTRIBUTION_KEY         ? "key"
                 : consumer->config->distribution == DISTRIBUTION_PARTITION ? "partition"
                                                                            : "nothing");
    } else {
        uv_timer_start(&consumer->poller, consumer_on_poll, 0, STOP_POLL_MS);
    }
    consumer_turn(consumer);
}

static void end_stop(struct consumer *consumer);

static void on_made(uv_work_t *work, int status)
{
    (void)status;
    struct starting *starting = CONTAINER_OF(work, struct starting, work);
    struct consumer *consumer = starting->consumer;
    if (starting->rc == 0) {
        run(consumer, starting);
    } else if (consumer->state == CONSUMER_STOPPING) {
        end_stop(consumer);
    } else {
        consumer->state = CONSUMER_FAILED;
        fail(consumer, &starting->err);
    }
    for (int i = 0; i < consumer->config->workers_min; i++)
        script_free(&starting->scripts[i]);
    free(starting->scripts);
    free(starting);
}

void consumer_start(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    struct starting *starting = xcalloc(1, sizeof *starting);
    starting->consumer = consumer;
    consumer->state = CONSUMER_STARTING;
    open_loop_handles(consumer);
    uv_queue_work(consumer->options.loop, &starting->work, make, on_made);
}

/* --- stop --- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct consumer *consumer = handle->data;
    if (--consumer->open_handles > 0)
        return;
    consumer->state = CONSUMER_STOPPED;
    consumer->options.callbacks.on_stopped(consumer->options.callbacks.context, consumer,
                                           consumer->abandoned);
}

static void end_stop(struct consumer *consumer)
{
    uv_handle_t *handles[] = {
        (uv_handle_t *)&consumer->wake,         (uv_handle_t *)&consumer->poller,
        (uv_handle_t *)&consumer->ticker,       (uv_handle_t *)&consumer->commits,
        (uv_handle_t *)&consumer->resubscriber,
    };
    consumer->state = CONSUMER_DESTROYING;
    for (size_t i = 0; i < ARRAY_LENGTH(handles); i++) {
        handles[i]->data = consumer;
        uv_close(handles[i], on_handle_closed);
    }
}

static void destroy(uv_work_t *work)
{
    struct starting *destroying = CONTAINER_OF(work, struct starting, work);
    if (!destroying->consumer->is_leaked)
        rd_kafka_destroy(destroying->handle);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    struct starting *destroying = CONTAINER_OF(work, struct starting, work);
    struct consumer *consumer = destroying->consumer;
    free(destroying);
    end_stop(consumer);
}

static void log_counts(const struct consumer *consumer)
{
    const struct consumer_counts *counts = &consumer->counts;
    const struct log_field fields[] = {
        log_integer("handled", (int64_t)counts->handled),
        log_integer("skipped", (int64_t)counts->skipped),
        log_integer("failed", (int64_t)counts->failed),
        log_integer("given_back", (int64_t)counts->dropped),
    };
    log_event(LOG_INFO, fields, ARRAY_LENGTH(fields), "consumer %s: stopped",
              consumer->config->name);
}

/* The handle can be destroyed: no event and no message of it is held any more. */
static void begin_destroy(struct consumer *consumer)
{
    log_counts(consumer);
    rebalance_destroy(consumer);
    rd_kafka_queue_cb_event_enable(consumer->queue, NULL, NULL);
    rd_kafka_queue_destroy(consumer->queue);
    consumer->queue = NULL;
    struct starting *destroying = xcalloc(1, sizeof *destroying);
    destroying->consumer = consumer;
    destroying->handle = consumer->handle;
    consumer->handle = NULL;
    consumer->state = CONSUMER_DESTROYING;
    uv_queue_work(consumer->options.loop, &destroying->work, destroy, on_destroyed);
}

static void join_workers(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->worker_count; i++)
        worker_join(&consumer->workers[i]);
    consumer->worker_count = 0;
    /* What ended between the close and the end of its worker. */
    struct link ended;
    dispatcher_collect(&consumer->dispatcher, &ended);
    for (struct link *link; (link = list_pop(&ended)) != NULL;)
        partition_end_record(CONTAINER_OF(link, struct record, queue_link));
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
              "consumer %s: its handler still runs at the end of stop_timeout and is abandoned; "
              "the record will be handled again",
              consumer->config->name);
    consumer->abandoned++;
}

/* Time is up with handlers still running: their threads cannot be joined, so the process has to
 * end without them. */
static void abandon(struct consumer *consumer)
{
    dispatcher_each_running(&consumer->dispatcher, log_running, consumer);
    log_counts(consumer);
    consumer->state = CONSUMER_STOPPED;
    consumer->options.callbacks.on_stopped(consumer->options.callbacks.context, consumer,
                                           consumer->abandoned > 0 ? consumer->abandoned : 1);
}

/* A cooperative consumer of an old librdkafka may not be closed before its first assignment. */
static bool is_close_unsafe(const struct consumer *consumer)
{
    return consumer->is_cooperative && consumer->is_subscribed &&
           !consumer->rebalance.has_seen_assign && rd_kafka_version() < SAFE_COOPERATIVE_CLOSE;
}

static void begin_close(struct consumer *consumer)
{
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->handle, consumer->queue);
    if (error != NULL) {
        log_warn("consumer %s: close: %s", consumer->config->name, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    consumer->state = CONSUMER_CLOSING;
}

static void begin_retire(struct consumer *consumer)
{
    consumer->state = CONSUMER_RETIRING;
    for (size_t i = 0; i < consumer->worker_count; i++)
        worker_retire(consumer->workers[i]);
}

static bool step_stopping(struct consumer *consumer)
{
    const struct rebalance *rebalance = &consumer->rebalance;
    if (rebalance->phase != REBALANCE_IDLE || rebalance->waiting_count > 0)
        return false;
    if (!is_close_unsafe(consumer)) {
        begin_close(consumer);
        return true;
    }
    if (clock_monotonic_ms() < consumer->stop_began_ms + FIRST_ASSIGNMENT_MS)
        return false;
    consumer->is_leaked = true;
    begin_retire(consumer);
    return true;
}

/* One step; false when there is nothing to do now. */
static bool step(struct consumer *consumer)
{
    switch (consumer->state) {
    case CONSUMER_STOPPING:
        return step_stopping(consumer);
    case CONSUMER_CLOSING:
        if (!rd_kafka_consumer_closed(consumer->handle))
            return false;
        begin_retire(consumer);
        return true;
    case CONSUMER_RETIRING:
        if (atomic_load(&consumer->workers_exited) < consumer->worker_count)
            return false;
        join_workers(consumer);
        begin_destroy(consumer);
        return false;
    default:
        return false;
    }
}

void consumer_step_stop(struct consumer *consumer)
{
    while (step(consumer))
        continue;
    if (consumer->state < CONSUMER_DESTROYING && clock_monotonic_ms() >= consumer->deadline_ms)
        abandon(consumer);
}

/* What has not begun goes back at once, not only when Kafka asks for it. */
static void revoke_all(struct consumer *consumer)
{
    for (struct link *link = consumer->partitions.next; link != &consumer->partitions;
         link = link->next) {
        struct partition *partition = CONTAINER_OF(link, struct partition, link);
        if (partition->epoch != 0)
            partition_revoke(partition);
    }
}

void consumer_stop(struct consumer *consumer, int64_t handlers_deadline_ms, int64_t deadline_ms)
{
    ASSERT_ON(THREAD_MAIN);
    consumer->handlers_deadline_ms = handlers_deadline_ms;
    consumer->deadline_ms = deadline_ms;
    switch (consumer->state) {
    case CONSUMER_NEW:
        consumer->state = CONSUMER_STOPPED;
        consumer->options.callbacks.on_stopped(consumer->options.callbacks.context, consumer, 0);
        return;
    case CONSUMER_FAILED:
        end_stop(consumer);
        return;
    case CONSUMER_STARTING:
    case CONSUMER_RUNNING:
        consumer->state = CONSUMER_STOPPING;
        consumer->stop_began_ms = clock_monotonic_ms();
        revoke_all(consumer);
        break;
    default:
        break;
    }
    /* The deadlines are watched also when nothing else happens. */
    if (consumer->handle != NULL)
        uv_timer_start(&consumer->poller, consumer_on_poll, 0, STOP_POLL_MS);
}
