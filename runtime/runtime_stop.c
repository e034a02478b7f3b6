#include "runtime_internal.h"

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "error.h"
#include "exit_code.h"
#include "log.h"

enum {
    AFTER_HANDLERS_MS = 5000, /* of stop_timeout: acknowledgements, commit, close and flush */
    HURRY_MS = 1000,          /* what a second signal leaves of stop_timeout */
    MAIN_ENDING_MS = 1000,    /* for a script of our own that is interrupted to come to its end */
    SAME_SIGNAL_MS = 300,     /* a supervisor may signal process and group: that is one signal */
    FLUSH_POLL_MS = 10,
    SAY_MS = 1000,
    WATCH_POLL_MS = 200, /* whether a script that has the program for itself gets on */
    GRACE_MS = 300,      /* behind the deadline, for what is named and closed at it */
};

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
    uv_close((uv_handle_t *)&runtime->hangup, NULL);
    uv_close((uv_handle_t *)&runtime->flusher, NULL);
    uv_close((uv_handle_t *)&runtime->sayer, NULL);
    reload_watch_close(&runtime->watch);
    reload_close(&runtime->reload);
    if (runtime->options->is_controlled)
        control_close(&runtime->control);
    publishing_close(&runtime->publishing);
    if (runtime->admin != NULL)
        admin_stop(runtime->admin);
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
    size_t count = producers_outstanding(&runtime->producers);
    log_error("%zu published record%s not acknowledged in time and given up", count,
              count == 1 ? " was" : "s were");
    producers_purge(&runtime->producers);
    if (runtime->exit_code == EXIT_OK)
        runtime->exit_code = EXIT_UNFINISHED;
}

/* Threads still run handlers: nothing they may touch can be freed, so the process ends here. */
static _Noreturn void end_abruptly(const struct runtime *runtime)
{
    log_error("stopped; what was abandoned is named above");
    log_stop();
    _exit(runtime->exit_code == EXIT_OK ? EXIT_UNFINISHED : runtime->exit_code);
}

static void abandon_main(struct runtime *runtime)
{
    log_error("%s still runs and is abandoned", main_script_name(&runtime->main));
    end_abruptly(runtime);
}

/* A script of our own that does not come to a wait is ended where it runs, and given up when it is
 * in a C function. */
static void interrupt_main(struct runtime *runtime, int64_t now_ms)
{
    if (runtime->is_main_interrupted || now_ms < runtime->main_deadline_ms)
        return;
    runtime->is_main_interrupted = true;
    runtime->main_deadline_ms = now_ms + MAIN_ENDING_MS;
    if (runtime->main_deadline_ms > runtime->deadline_ms)
        runtime->main_deadline_ms = runtime->deadline_ms;
    main_script_interrupt(&runtime->main);
}

/* Goes on with the stop as far as it can. */
void runtime_step_stop(struct runtime *runtime)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_late = now_ms >= runtime->deadline_ms;
    if (runtime->phase == PHASE_STOPPING_CONSUMERS) {
        if (!crew_is_empty(&runtime->crew) || !runtime->is_disconnected ||
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
    if (runtime->crew.abandoned > 0)
        end_abruptly(runtime);
    if (main_script_is_running(&runtime->main)) {
        if (runtime->is_main_interrupted && now_ms >= runtime->main_deadline_ms)
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
    runtime_stop(runtime, EXIT_UNREACHABLE);
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
    bool is_helper = runtime->phase == PHASE_STOPPING_CONSUMERS && crew_is_empty(&runtime->crew);
    log_error("time is up with %s; the process ends without it",
              is_helper ? "a helper that does not end" : waiting_for[runtime->phase]);
    log_stop();
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
    if (runtime->phase >= PHASE_STOPPING_CONSUMERS) {
        watch_deadline(runtime);
        interrupt_main(runtime, clock_monotonic_ms());
    }
    runtime_step_stop(runtime);
}

void runtime_watch(struct runtime *runtime)
{
    uv_timer_start(&runtime->flusher, on_flush_poll, WATCH_POLL_MS, WATCH_POLL_MS);
}

/* The deadline of a stop: from the first signal to the exit, the flush included. */
void runtime_stop(struct runtime *runtime, int exit_code)
{
    if (exit_code != EXIT_OK && runtime->exit_code == EXIT_OK)
        runtime->exit_code = exit_code;
    if (runtime->phase >= PHASE_STOPPING_CONSUMERS)
        return;
    runtime->phase = PHASE_STOPPING_CONSUMERS;
    runtime->deadline_ms = clock_monotonic_ms() + runtime->stop_timeout_ms;
    runtime->main_deadline_ms = runtime->options->is_main_all
                                    ? handlers_deadline(runtime, clock_monotonic_ms())
                                    : clock_monotonic_ms() + HURRY_MS;
    uv_timer_start(&runtime->flusher, on_flush_poll, FLUSH_POLL_MS, FLUSH_POLL_MS);
    main_script_retire(&runtime->main);
    publishing_stop(&runtime->publishing);
    reload_watch_stop(&runtime->watch);
    reload_stop(&runtime->reload);
    crew_stop(&runtime->crew, handlers_deadline(runtime, clock_monotonic_ms()),
              runtime->deadline_ms);
    connections_stop(&runtime->connections);
}

static void hurry(struct runtime *runtime)
{
    log_warn("hurrying: handlers are interrupted, what still runs in %d s is abandoned",
             HURRY_MS / 1000);
    runtime->deadline_ms = clock_monotonic_ms() + HURRY_MS;
    runtime->main_deadline_ms =
        runtime->is_main_interrupted ? runtime->deadline_ms : clock_monotonic_ms();
    crew_stop(&runtime->crew, clock_monotonic_ms(), runtime->deadline_ms);
}

void runtime_on_signal(uv_signal_t *handle, int number)
{
    struct runtime *runtime = handle->data;
    int64_t now_ms = clock_monotonic_ms();
    if (runtime->signalled_ms > 0) {
        if (now_ms - runtime->signalled_ms >= SAME_SIGNAL_MS)
            hurry(runtime);
        return;
    }
    runtime->signalled_ms = now_ms;
    /* In this order: who reads the line may rely on it. */
    runtime_stop(runtime, EXIT_OK);
    log_info("%s: stopping, within %" PRId64 " s", number == SIGTERM ? "SIGTERM" : "SIGINT",
             runtime->stop_timeout_ms / 1000);
}
