#include "statistics.h"

#include <stdlib.h>
#include <string.h>

#include "leaves.h"
#include "thread.h"

/* --- the figures --- */

static int64_t number_of(const struct span *value)
{
    char text[32] = "";
    if (value->length < sizeof text)
        memcpy(text, value->text, value->length);
    return strtoll(text, NULL, 10);
}

/* One broker's members stand together. NULL: there are too many. */
static struct broker_figures *broker_of(struct client_figures *figures, const struct span *name)
{
    char text[STATISTICS_NAME_BYTES] = "";
    size_t length = name->length < sizeof text ? name->length : sizeof text - 1;
    memcpy(text, name->text, length);
    size_t count = figures->broker_count;
    if (count > 0 && strcmp(figures->brokers[count - 1].name, text) == 0)
        return &figures->brokers[count - 1];
    if (count == STATISTICS_MAX_BROKERS)
        return NULL;
    figures->brokers = xrealloc(figures->brokers, (count + 1) * sizeof figures->brokers[0]);
    figures->brokers[count] = (struct broker_figures){0};
    memcpy(figures->brokers[count].name, text, sizeof text);
    figures->broker_count++;
    return &figures->brokers[count];
}

/* INIT: nobody needed it so far. */
static void note_state(struct broker_figures *broker, const struct span *state)
{
    broker->is_known = !span_is(state, "INIT");
    broker->is_connected = span_is(state, "UP") || span_is(state, "UPDATE");
}

static void note_broker(struct broker_figures *broker, const struct span *key,
                        const struct span *value)
{
    if (span_is(key, "state"))
        note_state(broker, value);
    else if (span_is(key, "outbuf_cnt") || span_is(key, "waitresp_cnt"))
        broker->waiting += number_of(value);
    else if (span_is(key, "txerrs") || span_is(key, "rxerrs"))
        broker->errors += number_of(value);
    else if (span_is(key, "req_timeouts"))
        broker->timeouts = number_of(value);
}

static void note_rtt(struct broker_figures *broker, const struct span *key,
                     const struct span *value)
{
    if (span_is(key, "avg"))
        broker->rtt_average_us = number_of(value);
    else if (span_is(key, "p99"))
        broker->rtt_p99_us = number_of(value);
}

static void note_client(struct client_figures *figures, const struct span *key,
                        const struct span *value)
{
    if (span_is(key, "msg_cnt"))
        figures->queued_records = number_of(value);
    else if (span_is(key, "msg_size"))
        figures->queued_bytes = number_of(value);
    else if (span_is(key, "tx_bytes"))
        figures->sent_bytes = number_of(value);
    else if (span_is(key, "rx_bytes"))
        figures->received_bytes = number_of(value);
}

/* "brokers": {NAME: {"state", "rtt": {"avg"}}}, "topics": {T: {"partitions": {P: {...}}}} */
static void on_leaf(void *context, const struct span *keys, size_t depth, const struct span *value)
{
    struct client_figures *figures = context;
    if (depth == 1) {
        note_client(figures, &keys[0], value);
    } else if (span_is(&keys[0], "brokers") && (depth == 3 || depth == 4)) {
        struct broker_figures *broker = broker_of(figures, &keys[1]);
        if (broker != NULL && depth == 3)
            note_broker(broker, &keys[2], value);
        else if (broker != NULL && span_is(&keys[2], "rtt"))
            note_rtt(broker, &keys[3], value);
    } else if (depth == 5 && span_is(&keys[0], "topics") && span_is(&keys[4], "fetchq_size")) {
        figures->fetched_bytes += number_of(value);
    }
}

void statistics_read(struct client_figures *figures, const char *json, size_t length)
{
    *figures = (struct client_figures){0};
    leaves_walk(json, length, on_leaf, figures);
}

void statistics_free(struct client_figures *figures)
{
    free(figures->brokers);
    *figures = (struct client_figures){0};
}

/* --- a helper's work --- */

struct statistics_job {
    uv_work_t work;
    struct statistics *owner; /* NULL: it is gone */
    char *json;
    struct client_figures figures;
};

static void work(uv_work_t *request)
{
    struct statistics_job *job = CONTAINER_OF(request, struct statistics_job, work);
    statistics_read(&job->figures, job->json, strlen(job->json));
}

static void on_read(uv_work_t *request, int status)
{
    (void)status;
    struct statistics_job *job = CONTAINER_OF(request, struct statistics_job, work);
    struct statistics *owner = job->owner;
    if (owner != NULL) {
        statistics_free(&owner->latest);
        owner->latest = job->figures;
        owner->at_ms = clock_monotonic_ms();
        owner->job = NULL;
    } else {
        statistics_free(&job->figures);
    }
    free(job->json);
    free(job);
}

void statistics_init(struct statistics *statistics, uv_loop_t *loop)
{
    *statistics = (struct statistics){.loop = loop};
}

void statistics_take(struct statistics *statistics, const char *json)
{
    ASSERT_ON(THREAD_MAIN);
    if (statistics->job != NULL || json == NULL)
        return;
    struct statistics_job *job = xcalloc(1, sizeof *job);
    job->owner = statistics;
    job->json = xstrdup(json);
    statistics->job = job;
    uv_queue_work(statistics->loop, &job->work, work, on_read);
}

void statistics_destroy(struct statistics *statistics)
{
    if (statistics->job != NULL)
        statistics->job->owner = NULL;
    statistics->job = NULL;
    statistics_free(&statistics->latest);
}
