/* What a process says of itself: at its start, when it is ready, and on a terminal all the time. */
#include "runtime_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "version.h"

enum {
    READY_LOOK_MS = 100,
    GLANCE_MS = 1000,
    STATUS_BYTES = 256,
};

/* --- the start --- */

/* Whether the process begins it: by what --only says. */
static bool is_run(const struct runtime *runtime, const struct consumer_config *consumer)
{
    const char *only = runtime->options->only;
    return consumer->is_enabled &&
           (only == NULL || strcmp(only, "consumers") == 0 || strcmp(only, consumer->name) == 0);
}

static bool runs_consumers(const struct runtime *runtime)
{
    for (size_t i = 0; i < runtime->config->consumer_count; i++)
        if (is_run(runtime, &runtime->config->consumers[i]))
            return true;
    return false;
}

static void append_name(struct buffer *text, const char *lead, size_t *count, const char *name)
{
    buffer_format(text, "%s%s", *count == 0 ? lead : ", ", name);
    (*count)++;
}

/* "consumers: payments, audit; producers: out" */
static void append_roles(const struct runtime *runtime, struct buffer *text)
{
    const struct config *config = runtime->config;
    size_t consumers = 0, producers = 0;
    for (size_t i = 0; i < config->consumer_count; i++)
        if (is_run(runtime, &config->consumers[i]))
            append_name(text, "consumers: ", &consumers, config->consumers[i].name);
    const char *lead = consumers > 0 ? "; producers: " : "producers: ";
    for (size_t i = 0; i < config->producer_count; i++)
        append_name(text, lead, &producers, config->producers[i].name);
    if (consumers + producers == 0)
        buffer_append_text(text, "no consumers, no producers");
    buffer_append(text, "", 1);
}

static void say_roles(const struct runtime *runtime)
{
    struct buffer text;
    buffer_init(&text);
    append_roles(runtime, &text);
    log_info("%s", text.bytes);
    buffer_destroy(&text);
}

static void say_clusters(const struct runtime *runtime)
{
    const struct config *config = runtime->config;
    const char *const *embedded = runtime->options->embedded_brokers;
    for (size_t i = 0; i < config->cluster_count; i++) {
        const struct cluster_config *cluster = &config->clusters[i];
        bool has_others = config->cluster_count > 1;
        log_info("brokers%s%s: %s", has_others ? " of cluster " : "",
                 has_others ? cluster->name : "",
                 embedded != NULL ? embedded[i] : cluster->brokers);
    }
}

static void say_topics(const struct config *config)
{
    struct buffer text;
    size_t count = 0;
    buffer_init(&text);
    for (size_t i = 0; i < config->topic_count; i++) {
        append_name(&text, "", &count, config->topics[i].name);
        if (config->topics[i].partitions > 0)
            buffer_format(&text, " with %d partition%s", config->topics[i].partitions,
                          config->topics[i].partitions == 1 ? "" : "s");
    }
    buffer_append(&text, "", 1);
    if (count > 0)
        log_info("topics: %s", text.bytes);
    buffer_destroy(&text);
}

/* --- ready --- */

static struct consumer_glance glance(const struct runtime *runtime)
{
    struct consumer_glance sum = {0};
    for (struct consumer *consumer = crew_first(&runtime->crew); consumer != NULL;
         consumer = crew_next(&runtime->crew, consumer))
        consumer_add_glance(consumer, &sum);
    return sum;
}

static void say_ready(const struct runtime *runtime)
{
    const struct consumer_glance now = glance(runtime);
    int64_t after_ms = clock_monotonic_ms() - runtime->started_ms;
    size_t producers = runtime->config->producer_count;
    const struct log_field fields[] = {
        log_integer("partitions", (int64_t)now.partitions),
        log_integer("workers", (int64_t)now.workers),
        log_integer("after_ms", after_ms),
    };
    size_t count = log_is_for_programs() ? ARRAY_LENGTH(fields) : 0;
    if (runs_consumers(runtime))
        log_event(LOG_INFO, fields, count, "ready: %zu partition%s, %zu worker%s, after %.1f s",
                  now.partitions, now.partitions == 1 ? "" : "s", now.workers,
                  now.workers == 1 ? "" : "s", (double)after_ms / 1000);
    else
        log_event(LOG_INFO, fields, count, "ready: %zu producer%s, after %.1f s", producers,
                  producers == 1 ? "" : "s", (double)after_ms / 1000);
}

/* --- below all lines --- */

/* Of what is done with, since the last look. */
static double rate(struct runtime *runtime, uint64_t ended)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t for_ms = now_ms - runtime->glanced_ms;
    uint64_t before = runtime->glanced_ended;
    bool is_comparable = runtime->glanced_ms > 0 && for_ms > 0 && ended >= before;
    runtime->glanced_ended = ended;
    runtime->glanced_ms = now_ms;
    return is_comparable ? (double)(ended - before) * 1000 / (double)for_ms : 0;
}

static void word_glance(struct runtime *runtime, char *text, size_t size)
{
    struct consumer_glance now = glance(runtime);
    uint64_t generation = runtime->reload.serving->number;
    if (!runs_consumers(runtime)) {
        struct producer_counts counts = producers_counts(&runtime->producers);
        snprintf(text, size,
                 "%.0f published/s  %zu in flight  %" PRIu64 " refused  generation %" PRIu64,
                 rate(runtime, counts.acknowledged), producers_outstanding(&runtime->producers),
                 counts.refused, generation);
        return;
    }
    snprintf(text, size,
             "%.0f/s  lag %" PRId64 "  workers %zu/%zu  in flight %zu  errors %" PRIu64
             "  partitions %zu  generation %" PRIu64,
             rate(runtime, now.ended), now.lag, now.workers, now.workers_max, now.running,
             now.faults, now.partitions, generation);
}

/* The first reason, where there is one. */
static void show(struct runtime *runtime, struct buffer *reasons)
{
    char text[STATUS_BYTES];
    if (reasons->length > 0)
        snprintf(text, sizeof text, "%.*s", (int)strcspn(reasons->bytes, "\n"), reasons->bytes);
    else
        word_glance(runtime, text, sizeof text);
    log_set_status(text);
}

static void on_look(uv_timer_t *timer)
{
    struct runtime *runtime = CONTAINER_OF(timer, struct runtime, sayer);
    struct buffer reasons;
    buffer_init(&reasons);
    runtime_add_reasons(runtime, &reasons);
    /* Ready is who has joined; with how many partitions is known a little later. */
    bool becomes_ready =
        !runtime->has_said_ready && reasons.length == 0 && !glance(runtime).is_rebalancing;
    if (becomes_ready) {
        runtime->has_said_ready = true;
        say_ready(runtime);
        uv_timer_set_repeat(timer, log_shows_status() ? GLANCE_MS : 0);
    }
    buffer_append(&reasons, "", 1);
    reasons.length--;
    if (log_shows_status())
        show(runtime, &reasons);
    buffer_destroy(&reasons);
}

void runtime_say_start(struct runtime *runtime)
{
    if (runtime->options->is_main_all)
        return;
    log_info("lagoon %s, config %s", VERSION, runtime->config->path);
    say_roles(runtime);
    say_clusters(runtime);
    say_topics(runtime->config);
    uv_timer_start(&runtime->sayer, on_look, READY_LOOK_MS, READY_LOOK_MS);
    /* It keeps nothing running. */
    uv_unref((uv_handle_t *)&runtime->sayer);
}
