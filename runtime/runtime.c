#include "runtime_internal.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"
#include "cluster.h"
#include "consumer.h"
#include "errand.h"
#include "error.h"
#include "exit_code.h"
#include "http.h"
#include "log.h"
#include "thread.h"
#include "watchdog.h"

enum { LOG_END_MS = 1000 };

/* --- callbacks from below --- */

static void on_report(void *context, struct record *record, int attempt, const char *reason)
{
    (void)context;
    consumer_on_report(record, attempt, reason);
}

/* Nothing but the log remembers a record that was published outside a handler. */
static void on_loose_report(void *context, const struct loose_report *report)
{
    struct runtime *runtime = context;
    const struct runtime_options *options = runtime->options;
    if (publishing_report(&runtime->publishing, report))
        return;
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
    runtime_stop(context, EXIT_FATAL);
}

static void on_consumer_fatal(void *context, struct consumer *consumer, const struct error *err)
{
    (void)consumer;
    log_error("%s; the process stops", err->text);
    runtime_stop(context, EXIT_FATAL);
}

static void on_consumer_stuck(void *context, struct consumer *consumer)
{
    log_error("consumer %s: on_stuck is \"abort\"; the process stops", consumer_name(consumer));
    runtime_stop(context, EXIT_UNFINISHED);
}

static void on_crew_empty(void *context)
{
    runtime_step_stop(context);
}

/* A helper of an event that came over HTTP is done. */
static void on_idle(void *context)
{
    runtime_step_stop(context);
}

/* --- producers and consumers --- */

static void make_producers(struct runtime *runtime)
{
    const struct producer_callbacks callbacks = {runtime, on_report, on_loose_report,
                                                 on_producer_fatal};
    producers_init(&runtime->producers, &runtime->loop, &runtime->connections, &callbacks);
    runtime_provide(runtime, runtime->first);
    producers_go_by(&runtime->producers, runtime->first);
    publishing_init(&runtime->publishing, &runtime->loop, &runtime->producers, runtime, on_idle);
}

static bool is_wanted(void *context, const struct consumer_config *consumer)
{
    const struct runtime_options *options = ((struct runtime *)context)->options;
    if (options->is_main_all)
        return false;
    return options->only == NULL || strcmp(options->only, "consumers") == 0 ||
           strcmp(options->only, consumer->name) == 0;
}

static void make_crew(struct runtime *runtime)
{
    const struct crew_options options = {
        .loop = &runtime->loop,
        .connections = &runtime->connections,
        .context = runtime,
        .is_wanted = is_wanted,
        .on_fatal = on_consumer_fatal,
        .on_stuck = on_consumer_stuck,
        .on_empty = on_crew_empty,
    };
    crew_init(&runtime->crew, &options);
}

static void say_disabled(struct runtime *runtime)
{
    for (size_t i = 0; i < runtime->config->consumer_count; i++) {
        const struct consumer_config *consumer = &runtime->config->consumers[i];
        if (is_wanted(runtime, consumer) && !consumer->is_enabled)
            log_info("consumer %s is not started: `enabled` is false", consumer->name);
    }
}

/* A script that has the program for itself is short-lived, and who started it wants no log. */
static void say_memory(struct runtime *runtime)
{
    const struct config *config = runtime->config;
    struct budget sum = {.shared_bytes = config->shared_memory_limit_bytes};
    if (runtime->options->is_main_all)
        return;
    for (size_t i = 0; i < config->producer_count; i++)
        sum.queues_bytes += cluster_queue_bytes(&config->producers[i]);
    for (size_t i = 0; i < config->consumer_count; i++) {
        const struct consumer_config *consumer = &config->consumers[i];
        if (!consumer->is_enabled || !is_wanted(runtime, consumer))
            continue;
        struct budget one = budget_of_consumer(config, consumer, cluster_prefetch_bytes(consumer));
        budget_add(&sum, &one);
    }
    budget_say_process(&sum);
}

static void on_producers_connected(void *context, const struct cluster_config *cluster,
                                   const struct error *err)
{
    struct runtime *runtime = context;
    if (runtime->phase != PHASE_RUNNING) {
        runtime_step_stop(runtime);
        return;
    }
    if (err != NULL) {
        log_error("%s; the process stops", err->text);
        runtime_stop(runtime, EXIT_FATAL);
        return;
    }
    const struct config *config = runtime->config;
    for (size_t i = 0; i < config->producer_count; i++)
        if (config_is_cluster(config->producers[i].cluster, cluster))
            log_info("producer %s is ready; publish by: lagoon publish %s TYPE < events.jsonl",
                     config->producers[i].name, config->producers[i].name);
}

/* --- the script of our own --- */

static void start_main(struct runtime *runtime)
{
    struct error err;
    if (main_script_start(&runtime->main, &err) == 0)
        return;
    log_error("%s", err.text);
    runtime_stop(runtime, EXIT_INTERNAL);
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
        log_warn("the stop ended %s where it waited for an answer", text);
    else if (main->end == MAIN_INTERRUPTED)
        log_warn("%s", text);
    if (runtime->phase == PHASE_RUNNING && runtime->options->is_main_all)
        runtime_stop(runtime, EXIT_OK);
    else
        runtime_step_stop(runtime);
}

/* --- connecting --- */

/* A script of our own may use any producer, so it starts when all clusters are ready. */
static void on_cluster_ready(void *context, const struct cluster_config *cluster)
{
    struct runtime *runtime = context;
    if (runtime->phase != PHASE_RUNNING)
        return;
    crew_start(&runtime->crew, runtime->reload.serving, cluster);
    crew_step(&runtime->crew);
    if (runtime->options->only != NULL && strcmp(runtime->options->only, "producers") == 0)
        producers_connect(&runtime->producers, cluster, on_producers_connected, runtime);
    if (!connections_are_ready(&runtime->connections) || runtime->began_ms > 0)
        return;
    runtime->began_ms = clock_monotonic_ms();
    start_main(runtime);
    if (runtime->options->is_main_all)
        runtime_watch(runtime);
}

static void on_cluster_failed(void *context, int exit_code)
{
    runtime_stop(context, exit_code);
}

static void on_disconnected(void *context)
{
    struct runtime *runtime = context;
    runtime->is_disconnected = true;
    runtime_step_stop(runtime);
}

static void make_connections(struct runtime *runtime)
{
    const struct connections_options options = {
        .loop = &runtime->loop,
        .config = runtime->config,
        .embedded_brokers = runtime->options->embedded_brokers,
        .only = runtime->options->cluster,
        .is_for_producers = runtime->options->is_main_all,
        .timeout_ms = runtime->options->timeout_ms,
        .context = runtime,
        .on_ready = on_cluster_ready,
        .on_failed = on_cluster_failed,
        .on_stopped = on_disconnected,
    };
    connections_init(&runtime->connections, &options);
}

/* --- from beginning to end --- */

static void open_loop(struct runtime *runtime)
{
    uv_loop_init(&runtime->loop);
    for (size_t i = 0; i < ARRAY_LENGTH(runtime->signals); i++) {
        uv_signal_init(&runtime->loop, &runtime->signals[i]);
        runtime->signals[i].data = runtime;
    }
    uv_timer_init(&runtime->loop, &runtime->flusher);
    uv_timer_init(&runtime->loop, &runtime->sayer);
}

/* Until the loop runs, and while an on_load blocks, a signal ends the process by itself. */
static void catch_signals(struct runtime *runtime)
{
    uv_signal_start(&runtime->signals[0], runtime_on_signal, SIGTERM);
    uv_signal_start(&runtime->signals[1], runtime_on_signal, SIGINT);
}

/* A helper that asks a cluster which is away blocks for seconds, and none of these may wait for
 * another: the look at each cluster, each consumer's start and rebalances. The loop reads the
 * variable when it first needs a helper; what somebody has set stays. */
static void want_helpers(const struct config *config)
{
    enum { OTHERS = 5 };
    char count[32];
    snprintf(count, sizeof count, "%zu", config->cluster_count + config->consumer_count + OTHERS);
    setenv("UV_THREADPOOL_SIZE", count, 0);
}

static void make_main(struct runtime *runtime)
{
    const struct main_script_options options = {
        .loop = &runtime->loop,
        .generation = runtime->first,
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
    runtime_stop(runtime, EXIT_CONFIG);
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
    crew_destroy(&runtime->crew);
    reload_destroy(&runtime->reload);
    producers_destroy(&runtime->producers);
    main_script_destroy(&runtime->main);
    admin_free(&runtime->admin);
    buffer_destroy(&runtime->scrape.body);
    shared_free(&runtime->shared); /* no state is left */
    http_stop();                   /* no script is left that could ask */
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
        .first = generation_first(options->config, options->bundle),
        .shared = shared_new(options->config->shared_memory_limit_bytes),
        .stop_timeout_ms = options->config->stop_timeout_ms,
        .started_ms = clock_monotonic_ms(),
        .started_wall_ms = clock_wall_ms(),
    };
    want_helpers(runtime.config);
    open_loop(&runtime);
    make_connections(&runtime);
    make_producers(&runtime);
    make_crew(&runtime);
    runtime_say_start(&runtime);
    runtime_open_reload(&runtime);
    make_main(&runtime);
    runtime_open_control(&runtime);
    say_disabled(&runtime);
    say_memory(&runtime);
    connections_start(&runtime.connections);
    load_main(&runtime);
    generation_release(&runtime.first);
    runtime_open_admin(&runtime);
    catch_signals(&runtime);
    uv_run(&runtime.loop, UV_RUN_DEFAULT);
    take_result(&runtime, result);
    /* What their threads still read is not freed under them. */
    if (errand_lost_count() > 0) {
        log_stop();
        _exit(runtime.exit_code);
    }
    release(&runtime);
    watchdog_stop();
    /* What a verb still has to say comes behind it. */
    log_flush(LOG_END_MS);
    return runtime.exit_code;
}
