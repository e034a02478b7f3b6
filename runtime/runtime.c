#include "runtime.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "connections.h"
#include "consumer.h"
#include "error.h"
#include "exit_code.h"
#include "log.h"
#include "main_script.h"
#include "producers.h"
#include "thread.h"
#include "watchdog.h"

enum {
    AFTER_HANDLERS_MS = 5000, /* of stop_timeout: acknowledgements, commit, close and flush */
    HURRY_MS = 1000,          /* what a second signal leaves of stop_timeout */
    SAME_SIGNAL_MS = 300,     /* a supervisor may signal process and group: that is one signal */
    FLUSH_POLL_MS = 10,
    SAY_MS = 1000,
    WATCH_POLL_MS = 200, /* whether a script that has the program for itself gets on */
    GRACE_MS = 300,      /* behind the deadline, for what is named and closed at it */
};

enum runtime_phase {
    PHASE_RUNNING,            /* what is on a cluster starts when that is ready */
    PHASE_STOPPING_CONSUMERS, /* and the script of our own */
    PHASE_FLUSHING,           /* deliveries that are on their way */
    PHASE_CLOSING,            /* producers and the loop's handles */
};

struct runtime {
    const struct runtime_options *options;
    const struct config *config;
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_timer_t flusher; /* watches the deadline of a stop */
    enum runtime_phase phase;
    int exit_code;

    struct connections connections;
    bool is_disconnected; /* no helper looks at a cluster any more */

    struct bindings_host host;
    struct producers producers;
    struct consumer **consumers; /* those that this process runs */
    size_t consumer_count;
    size_t running_consumers;
    size_t abandoned;

    struct main_script main;

    int64_t signalled_ms; /* 0: not asked to stop */
    int64_t deadline_ms;  /* of the stop */
    bool is_given_up;     /* a script that has the program for itself waited too long */
    bool is_purged;
    int64_t main_deadline_ms;      /* of the script of our own */
    struct producer_counts counts; /* of all producers, at the end */
    int64_t began_ms;
    int64_t ended_ms;
    int64_t said_ms; /* how far it is */
};

static void stop(struct runtime *runtime, int exit_code);
static void on_flush_poll(uv_timer_t *timer);
static void step_stop(struct runtime *runtime);

/* --- callbacks from below --- */

static void on_report(void *context, struct record *record, int attempt, const char *reason)
{
    (void)context;
    consumer_on_report(record, attempt, reason);
}

/* Nothing but the log remembers a record that was published outside a handler. */
static void on_loose_report(void *context, const struct loose_report *report)
{
    const struct runtime_options *options = ((struct runtime *)context)->options;
    if (options->on_report != NULL)
        options->on_report(options->context, report);
    else if (report->reason != NULL && !report->is_given_up)
        log_event(LOG_ERROR,
                  &(struct log_field){"key", FIELD_TEXT, report->key, report->key_length, 0}, 1,
                  "producer %s: a record is refused: %s", report->producer, report->reason);
}

static void on_producer_fatal(void *context, const char *producer, const char *reason)
{
    log_error("producer %s: %s; the process stops", producer, reason);
    stop(context, EXIT_FATAL);
}

static void on_consumer_fatal(void *context, struct consumer *consumer, const struct error *err)
{
    (void)consumer;
    log_error("%s; the process stops", err->text);
    stop(context, EXIT_FATAL);
}

static void on_consumer_stopped(void *context, struct consumer *consumer, size_t abandoned)
{
    (void)consumer;
    struct runtime *runtime = context;
    runtime->abandoned += abandoned;
    runtime->running_consumers--;
    step_stop(runtime);
}

/* --- producers and consumers --- */

static void make_producers(struct runtime *runtime)
{
    const struct producer_callbacks callbacks = {runtime, on_report, on_loose_report,
                                                 on_producer_fatal};
    producers_init(&runtime->producers, &runtime->loop, runtime->config, &runtime->connections,
                   &callbacks);
    runtime->host = (struct bindings_host){
        .config = runtime->config,
        .producers = runtime->producers.items,
        .generation = 1,
        .output = runtime->options->output,
    };
}

static bool is_wanted(const struct runtime_options *options, const struct consumer_config *consumer)
{
    if (options->is_main_all)
        return false;
    return options->only == NULL || strcmp(options->only, "consumers") == 0 ||
           strcmp(options->only, consumer->name) == 0;
}

static void say_disabled(const struct runtime *runtime)
{
    for (size_t i = 0; i < runtime->config->consumer_count; i++) {
        const struct consumer_config *consumer = &runtime->config->consumers[i];
        if (is_wanted(runtime->options, consumer) && !consumer->is_enabled)
            log_info("consumer %s is not started: `enabled` is false", consumer->name);
    }
}

static void start_consumer(struct runtime *runtime, const struct consumer_config *config)
{
    const struct consumer_options options = {
        .loop = &runtime->loop,
        .config = config,
        .cluster = connections_cluster(&runtime->connections, config->cluster),
        .query = connections_query(&runtime->connections, config->cluster),
        .host = &runtime->host,
        .bundle = runtime->options->bundle,
        .callbacks = {runtime, on_consumer_fatal, on_consumer_stopped},
    };
    struct consumer *consumer = consumer_new(&options);
    runtime->consumers[runtime->consumer_count++] = consumer;
    runtime->running_consumers++;
    consumer_start(consumer);
}

/* Those on the cluster. */
static void start_consumers(struct runtime *runtime, const struct cluster_config *cluster)
{
    for (size_t i = 0; i < runtime->config->consumer_count; i++) {
        const struct consumer_config *consumer = &runtime->config->consumers[i];
        if (consumer->cluster == cluster && consumer->is_enabled &&
            is_wanted(runtime->options, consumer))
            start_consumer(runtime, consumer);
    }
}

static void on_producers_connected(void *context, const struct cluster_config *cluster,
                                   const struct error *err)
{
    struct runtime *runtime = context;
    if (runtime->phase != PHASE_RUNNING) {
        step_stop(runtime);
        return;
    }
    if (err != NULL) {
        log_error("%s; the process stops", err->text);
        stop(runtime, EXIT_FATAL);
        return;
    }
    for (size_t i = 0; i < runtime->config->producer_count; i++)
        if (runtime->config->producers[i].cluster == cluster)
            log_info("producer %s is ready; publish by: lagoon publish %s TYPE < events.jsonl",
                     runtime->config->producers[i].name, runtime->config->producers[i].name);
}

/* --- the script of our own --- */

static void start_main(struct runtime *runtime)
{
    struct error err;
    if (main_script_start(&runtime->main, &err) == 0)
        return;
    log_error("%s", err.text);
    stop(runtime, EXIT_INTERNAL);
}

static void on_main_end(void *context)
{
    struct runtime *runtime = context;
    const struct main_script *main = &runtime->main;
    const char *text = main->text != NULL ? main->text : main_script_name(main);
    if (main->end == MAIN_FAILED && !runtime->options->is_main_all)
        log_error("%s: %s", main_script_name(main), text);
    else if (main->end == MAIN_CUT_SLEEPING && runtime->options->is_main_all)
        log_info("the stop ended %s where it slept", text);
    else if (main->end == MAIN_CUT_WAITING && runtime->options->is_main_all)
        log_warn("the stop ended %s where it waited for a broker", text);
    if (runtime->phase == PHASE_RUNNING && runtime->options->is_main_all)
        stop(runtime, EXIT_OK);
    else
        step_stop(runtime);
}

/* --- connecting --- */

/* A script of our own may use any producer, so it starts when all clusters are ready. */
static void on_cluster_ready(void *context, const struct cluster_config *cluster)
{
    struct runtime *runtime = context;
    if (runtime->phase != PHASE_RUNNING)
        return;
    start_consumers(runtime, cluster);
    if (runtime->options->only != NULL && strcmp(runtime->options->only, "producers") == 0)
        producers_connect(&runtime->producers, cluster, on_producers_connected, runtime);
    if (!connections_are_ready(&runtime->connections))
        return;
    runtime->began_ms = clock_monotonic_ms();
    start_main(runtime);
    if (runtime->options->is_main_all)
        uv_timer_start(&runtime->flusher, on_flush_poll, WATCH_POLL_MS, WATCH_POLL_MS);
}

static void on_cluster_failed(void *context, int exit_code)
{
    stop(context, exit_code);
}

static void on_disconnected(void *context)
{
    struct runtime *runtime = context;
    runtime->is_disconnected = true;
    step_stop(runtime);
}

static void make_connections(struct runtime *runtime)
{
    const struct connections_options options = {
        .loop = &runtime->loop,
        .config = runtime->config,
        .embedded_brokers = runtime->options->embedded_brokers,
        .only = runtime->options->cluster,
        .timeout_ms = runtime->options->timeout_ms,
        .context = runtime,
        .on_ready = on_cluster_ready,
        .on_failed = on_cluster_failed,
        .on_stopped = on_disconnected,
    };
    connections_init(&runtime->connections, &options);
}

/* --- the stop --- */

static int64_t handlers_deadline(const struct runtime *runtime, int64_t now_ms)
{
    int64_t left_ms = runtime->deadline_ms - now_ms;
    int64_t after_ms = left_ms > 2 * AFTER_HANDLERS_MS ? AFTER_HANDLERS_MS : left_ms / 2;
    return runtime->deadline_ms - after_ms;
}

static void close_loop_handles(struct runtime *runtime)
{
    uv_close((uv_handle_t *)&runtime->signals[0], NULL);
    uv_close((uv_handle_t *)&runtime->signals[1], NULL);
    uv_close((uv_handle_t *)&runtime->flusher, NULL);
    main_script_close(&runtime->main);
    connections_close(&runtime->connections);
}

static void on_producers_closed(void *context)
{
    close_loop_handles(context);
}

static void begin_closing(struct runtime *runtime)
{
    runtime->phase = PHASE_CLOSING;
    runtime->ended_ms = clock_monotonic_ms();
    runtime->counts = producers_counts(&runtime->producers);
    runtime->counts.refused += producers_outstanding(&runtime->producers);
    producers_close(&runtime->producers, on_producers_closed, runtime);
}

static void purge(struct runtime *runtime)
{
    runtime->is_purged = true;
    log_error("%zu published records were not acknowledged in time and are given up",
              producers_outstanding(&runtime->producers));
    producers_purge(&runtime->producers);
    if (runtime->exit_code == EXIT_OK)
        runtime->exit_code = EXIT_UNFINISHED;
}

/* Threads still run handlers: nothing they may touch can be freed, so the process ends here. */
static _Noreturn void end_abruptly(const struct runtime *runtime)
{
    log_error("stopped; what was abandoned is named above");
    _exit(runtime->exit_code == EXIT_OK ? EXIT_UNFINISHED : runtime->exit_code);
}

static void abandon_main(struct runtime *runtime)
{
    log_error("%s still runs and is abandoned", main_script_name(&runtime->main));
    runtime->abandoned++;
    end_abruptly(runtime);
}

/* Goes on with the stop as far as it can. */
static void step_stop(struct runtime *runtime)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_late = now_ms >= runtime->deadline_ms;
    if (runtime->phase == PHASE_STOPPING_CONSUMERS) {
        if (runtime->running_consumers > 0 || !runtime->is_disconnected ||
            runtime->producers.connecting > 0)
            return;
        runtime->phase = PHASE_FLUSHING;
    }
    if (runtime->phase != PHASE_FLUSHING)
        return;
    if (producers_outstanding(&runtime->producers) > 0) {
        if (!is_late)
            return;
        if (!runtime->is_purged)
            purge(runtime);
    }
    if (runtime->abandoned > 0)
        end_abruptly(runtime);
    if (main_script_is_running(&runtime->main)) {
        if (now_ms >= runtime->main_deadline_ms)
            abandon_main(runtime);
        return;
    }
    begin_closing(runtime);
}

/* A script that has the program for itself is not to wait for ever on a broker that went away. */
static void watch_progress(struct runtime *runtime)
{
    const struct producer_config *producer = producers_find_outstanding(&runtime->producers);
    struct producer_counts counts = producers_counts(&runtime->producers);
    int64_t stalled_ms =
        main_script_stalled_ms(&runtime->main, producers_outstanding(&runtime->producers),
                               counts.acknowledged + counts.refused);
    if (stalled_ms < runtime->options->timeout_ms || runtime->is_given_up || producer == NULL)
        return;
    const struct cluster *cluster = connections_cluster(&runtime->connections, producer->cluster);
    log_error("%sKafka at %s has acknowledged nothing for %" PRId64 " ms", cluster->label,
              cluster->brokers, stalled_ms);
    runtime->is_given_up = true;
    stop(runtime, EXIT_UNREACHABLE);
    runtime->deadline_ms = clock_monotonic_ms();
}

/* Whatever does not come to its end, a helper that blocks in a script or in librdkafka, the
 * deadline holds. */
static void watch_deadline(const struct runtime *runtime)
{
    static const char *const waiting_for[] = {
        [PHASE_STOPPING_CONSUMERS] = "a consumer that does not end",
        [PHASE_FLUSHING] = "deliveries that do not end",
        [PHASE_CLOSING] = "a producer's handle that does not close",
    };
    if (clock_monotonic_ms() < runtime->deadline_ms + GRACE_MS)
        return;
    log_error("time is up with %s; the process ends without it", waiting_for[runtime->phase]);
    _exit(runtime->exit_code == EXIT_OK ? EXIT_UNFINISHED : runtime->exit_code);
}

static void say_progress(struct runtime *runtime)
{
    int64_t now_ms = clock_monotonic_ms();
    if (runtime->options->on_progress == NULL || runtime->began_ms == 0 ||
        runtime->phase >= PHASE_CLOSING || now_ms - runtime->said_ms < SAY_MS)
        return;
    struct producer_counts counts = producers_counts(&runtime->producers);
    const struct runtime_result result = {.acknowledged = counts.acknowledged,
                                          .refused = counts.refused,
                                          .elapsed_ms = now_ms - runtime->began_ms};
    runtime->said_ms = now_ms;
    runtime->options->on_progress(runtime->options->context, &result);
}

static void on_flush_poll(uv_timer_t *timer)
{
    struct runtime *runtime = CONTAINER_OF(timer, struct runtime, flusher);
    if (runtime->options->is_main_all && runtime->options->timeout_ms > 0 &&
        runtime->phase < PHASE_CLOSING)
        watch_progress(runtime);
    say_progress(runtime);
    if (runtime->phase >= PHASE_STOPPING_CONSUMERS)
        watch_deadline(runtime);
    step_stop(runtime);
}

static void stop_consumers(struct runtime *runtime)
{
    int64_t limit_ms = handlers_deadline(runtime, clock_monotonic_ms());
    for (size_t i = 0; i < runtime->consumer_count; i++)
        consumer_stop(runtime->consumers[i], limit_ms, runtime->deadline_ms);
}

/* The deadline of a stop: from the first signal to the exit, the flush included. */
static void stop(struct runtime *runtime, int exit_code)
{
    if (exit_code != EXIT_OK && runtime->exit_code == EXIT_OK)
        runtime->exit_code = exit_code;
    if (runtime->phase >= PHASE_STOPPING_CONSUMERS)
        return;
    runtime->phase = PHASE_STOPPING_CONSUMERS;
    runtime->deadline_ms = clock_monotonic_ms() + runtime->config->stop_timeout_ms;
    runtime->main_deadline_ms = runtime->options->is_main_all
                                    ? handlers_deadline(runtime, clock_monotonic_ms())
                                    : clock_monotonic_ms() + HURRY_MS;
    uv_timer_start(&runtime->flusher, on_flush_poll, FLUSH_POLL_MS, FLUSH_POLL_MS);
    main_script_retire(&runtime->main);
    stop_consumers(runtime);
    connections_stop(&runtime->connections);
}

static void hurry(struct runtime *runtime)
{
    log_warn("hurrying: what still runs in %d s is abandoned", HURRY_MS / 1000);
    runtime->deadline_ms = clock_monotonic_ms() + HURRY_MS;
    runtime->main_deadline_ms = runtime->deadline_ms;
    for (size_t i = 0; i < runtime->consumer_count && runtime->running_consumers > 0; i++)
        consumer_stop(runtime->consumers[i], clock_monotonic_ms(), runtime->deadline_ms);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct runtime *runtime = handle->data;
    int64_t now_ms = clock_monotonic_ms();
    if (runtime->signalled_ms > 0) {
        if (now_ms - runtime->signalled_ms >= SAME_SIGNAL_MS)
            hurry(runtime);
        return;
    }
    runtime->signalled_ms = now_ms;
    log_info("%s: stopping, within %" PRId64 " s", number == SIGTERM ? "SIGTERM" : "SIGINT",
             runtime->config->stop_timeout_ms / 1000);
    stop(runtime, EXIT_OK);
}

/* --- from beginning to end --- */

static void open_loop(struct runtime *runtime)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    uv_loop_init(&runtime->loop);
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        uv_signal_init(&runtime->loop, &runtime->signals[i]);
        runtime->signals[i].data = runtime;
        uv_signal_start(&runtime->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&runtime->loop, &runtime->flusher);
}

/* A helper that asks a cluster which is away blocks for seconds, and none of these may wait for
 * another: the look at each cluster, each consumer's start and rebalances. The loop reads the
 * variable when it first needs a helper; what somebody has set stays. */
static void want_helpers(const struct config *config)
{
    enum { OTHERS = 4 };
    char count[32];
    snprintf(count, sizeof count, "%zu", config->cluster_count + config->consumer_count + OTHERS);
    setenv("UV_THREADPOOL_SIZE", count, 0);
}

static void make_main(struct runtime *runtime)
{
    const struct main_script_options options = {
        .loop = &runtime->loop,
        .host = &runtime->host,
        .bundle = runtime->options->bundle,
        .chunk = runtime->options->main,
        .context = runtime,
        .on_end = on_main_end,
    };
    main_script_init(&runtime->main, &options);
}

/* The connections have been started, so that a stop has something to stop. */
static void load_main(struct runtime *runtime)
{
    struct error err;
    if (main_script_load(&runtime->main, &err) == 0)
        return;
    log_error("%s", err.text);
    stop(runtime, EXIT_CONFIG);
}

static void take_result(struct runtime *runtime, struct runtime_result *result)
{
    struct main_script *main = &runtime->main;
    bool has_failed = main->has_ended && main->end == MAIN_FAILED;
    if (runtime->options->is_main_all && !main_script_is_finished(main) &&
        runtime->exit_code == EXIT_OK)
        runtime->exit_code = EXIT_UNFINISHED;
    *result = (struct runtime_result){
        .acknowledged = runtime->counts.acknowledged,
        .refused = runtime->counts.refused,
        .elapsed_ms = runtime->began_ms > 0 ? runtime->ended_ms - runtime->began_ms : 0,
        .main_failure = has_failed ? main->text : NULL,
    };
    if (has_failed)
        main->text = NULL;
}

static void release(struct runtime *runtime)
{
    for (size_t i = 0; i < runtime->consumer_count; i++)
        consumer_free(&runtime->consumers[i]);
    free(runtime->consumers);
    producers_destroy(&runtime->producers);
    main_script_destroy(&runtime->main);
    connections_destroy(&runtime->connections);
    int rc = uv_loop_close(&runtime->loop);
    assert(rc == 0);
    (void)rc;
}

int runtime_run(const struct runtime_options *options, struct runtime_result *result)
{
    thread_set_role(THREAD_MAIN, NULL);
    struct error err;
    if (watchdog_start(&err) != 0) {
        log_error("%s", err.text);
        *result = (struct runtime_result){0};
        return EXIT_INTERNAL;
    }
    struct runtime runtime = {
        .options = options,
        .config = options->config,
        .deadline_ms = INT64_MAX,
        .consumers = xcalloc(options->config->consumer_count, sizeof runtime.consumers[0]),
    };
    want_helpers(runtime.config);
    open_loop(&runtime);
    make_connections(&runtime);
    make_producers(&runtime);
    make_main(&runtime);
    say_disabled(&runtime);
    connections_start(&runtime.connections);
    load_main(&runtime);
    uv_run(&runtime.loop, UV_RUN_DEFAULT);
    take_result(&runtime, result);
    release(&runtime);
    watchdog_stop();
    return runtime.exit_code;
}
