#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_BYTES = 32 };

static const struct metric_info infos[METRIC_COUNT] = {
    [METRIC_GENERATION] = {"lagoon_generation",
                           METRIC_GAUGE,
                           {NULL},
                           "Number of the reading of config and scripts that serves."},
    [METRIC_RELOADS] = {"lagoon_reloads_total",
                        METRIC_COUNTER,
                        {"result"},
                        "Reloads, by result: done, unchanged or refused."},
    [METRIC_FILES_REFUSED] = {"lagoon_files_refused",
                              METRIC_GAUGE,
                              {NULL},
                              "1 while config and scripts as they are on disk would not start."},
    [METRIC_READY] = {"lagoon_ready",
                      METRIC_GAUGE,
                      {NULL},
                      "1 while the process is ready, as /ready says with the reasons."},
    [METRIC_RECEIVED] = {"lagoon_records_received_total",
                         METRIC_COUNTER,
                         {"consumer"},
                         "Records that were read; one that is given back is read again."},
    [METRIC_ENDED] = {"lagoon_records_ended_total",
                      METRIC_COUNTER,
                      {"consumer", "outcome"},
                      "Records that are done with, by outcome: handled, skipped, dead_letter; or "
                      "stopped their partition; or given_back."},
    [METRIC_RETRIES] = {"lagoon_retries_total",
                        METRIC_COUNTER,
                        {"consumer"},
                        "Runs of a handler that failed and are tried again."},
    [METRIC_DEAD_LETTERS] = {"lagoon_dead_letters_total",
                             METRIC_COUNTER,
                             {"consumer"},
                             "Dead letters that Kafka has acknowledged."},
    [METRIC_JUMPS] = {"lagoon_offset_jumps_total",
                      METRIC_COUNTER,
                      {"consumer"},
                      "Times that retention removed records before they were read."},
    [METRIC_ERRORS] = {"lagoon_errors_total",
                       METRIC_COUNTER,
                       {"consumer", "kind"},
                       "What went wrong, by kind; a record that is tried again counts each time."},
    [METRIC_HANDLER_DURATION] = {"lagoon_handler_duration_seconds",
                                 METRIC_HISTOGRAM,
                                 {"consumer"},
                                 "Time from the begin of a handler to its end, waits included."},
    [METRIC_RECORD_WAIT] = {"lagoon_record_wait_seconds",
                            METRIC_HISTOGRAM,
                            {"consumer"},
                            "Time of a record from its reading to its being settled, without its "
                            "handler: for its turn, a worker, retries and acknowledgements."},
    [METRIC_RUNNING] = {"lagoon_handlers_running",
                        METRIC_GAUGE,
                        {"consumer"},
                        "Handlers that have begun and not ended."},
    [METRIC_WINDOW_RECORDS] = {"lagoon_window_records",
                               METRIC_GAUGE,
                               {"consumer"},
                               "Records read and not settled."},
    [METRIC_WINDOW_BYTES] = {"lagoon_window_bytes", METRIC_GAUGE, {"consumer"}, "Their bytes."},
    [METRIC_WINDOW_LIMIT_RECORDS] = {"lagoon_window_limit_records",
                                     METRIC_GAUGE,
                                     {"consumer"},
                                     "Records that may be, window.records."},
    [METRIC_WINDOW_LIMIT_BYTES] = {"lagoon_window_limit_bytes",
                                   METRIC_GAUGE,
                                   {"consumer"},
                                   "Bytes that they may have, window.bytes."},
    [METRIC_WORKERS] = {"lagoon_workers",
                        METRIC_GAUGE,
                        {"consumer"},
                        "Threads that take records and run handlers."},
    [METRIC_WORKERS_WANTED] = {"lagoon_workers_wanted",
                               METRIC_GAUGE,
                               {"consumer"},
                               "Workers that the lag asks for."},
    [METRIC_WORKERS_MAX] = {"lagoon_workers_max",
                            METRIC_GAUGE,
                            {"consumer"},
                            "Workers that the config allows."},
    [METRIC_WORKERS_STUCK] = {"lagoon_workers_stuck",
                              METRIC_GAUGE,
                              {"consumer"},
                              "Workers whose handler does not end though it was asked to."},
    [METRIC_SCALE_EVENTS] = {"lagoon_scale_events_total",
                             METRIC_COUNTER,
                             {"consumer", "direction"},
                             "Changes of the workers wanted: up or down."},
    [METRIC_STATES_REPLACED] = {"lagoon_lua_states_replaced_total",
                                METRIC_COUNTER,
                                {"consumer"},
                                "Lua states replaced because memory ran out or a handler was ended "
                                "where it ran."},
    [METRIC_LUA_MEMORY] = {"lagoon_lua_memory_bytes",
                           METRIC_GAUGE,
                           {"consumer"},
                           "What the Lua states of its workers take."},
    [METRIC_BREAKER_OPEN] = {"lagoon_breaker_open",
                             METRIC_GAUGE,
                             {"consumer"},
                             "1 while so many records in a row were given up that no further one "
                             "is."},
    [METRIC_PAUSED] = {"lagoon_paused",
                       METRIC_GAUGE,
                       {"consumer"},
                       "1 while an operator holds it."},
    [METRIC_PARTITIONS] = {"lagoon_partitions_assigned",
                           METRIC_GAUGE,
                           {"consumer"},
                           "Partitions that the group has given to this process."},
    [METRIC_PARTITIONS_STOPPED] = {"lagoon_partitions_stopped",
                                   METRIC_GAUGE,
                                   {"consumer"},
                                   "Those of them that a failed record has stopped."},
    [METRIC_STALLED] =
        {"lagoon_partition_stalled",
         METRIC_GAUGE,
         {"consumer", "topic", "partition"},
         "1 while nothing of it has moved for stall_after, though nobody has stopped it."},
    [METRIC_REBALANCES] = {"lagoon_rebalances_total",
                           METRIC_COUNTER,
                           {"consumer", "kind"},
                           "Events of the group: assign, revoke or lost."},
    [METRIC_COMMITS] = {"lagoon_commits_total",
                        METRIC_COUNTER,
                        {"consumer", "result"},
                        "Commits of offsets, by result: done or failed."},
    [METRIC_LAG_RECORDS] = {"lagoon_lag_records",
                            METRIC_GAUGE,
                            {"consumer", "topic", "partition"},
                            "End minus committed offset."},
    [METRIC_LAG_SECONDS] = {"lagoon_lag_seconds",
                            METRIC_GAUGE,
                            {"consumer", "topic", "partition"},
                            "Age of the oldest record that was read and is not settled, by its "
                            "timestamp; 0 when there is none."},
    [METRIC_COMMITTED_OFFSET] = {"lagoon_committed_offset",
                                 METRIC_GAUGE,
                                 {"consumer", "topic", "partition"},
                                 "Offset that the group has committed."},
    [METRIC_END_OFFSET] = {"lagoon_end_offset",
                           METRIC_GAUGE,
                           {"consumer", "topic", "partition"},
                           "End of the partition as of the last fetch."},
    [METRIC_PUBLISHED] = {"lagoon_records_published_total",
                          METRIC_COUNTER,
                          {"producer", "outcome"},
                          "Records published, by outcome: acknowledged or refused."},
    [METRIC_OUTSTANDING] = {"lagoon_producer_outstanding",
                            METRIC_GAUGE,
                            {"producer"},
                            "Records published and not answered yet."},
    [METRIC_BROKER_CONNECTED] =
        {"lagoon_kafka_broker_connected",
         METRIC_GAUGE,
         {"role", "client", "broker"},
         "1 while the client is connected to a broker that it has tried to reach."},
    [METRIC_BROKER_RTT_AVERAGE] = {"lagoon_kafka_broker_rtt_average_seconds",
                                   METRIC_GAUGE,
                                   {"role", "client", "broker"},
                                   "Average time from a request to its answer in the last 15 s; a "
                                   "consumer's fetches that wait for records count too."},
    [METRIC_BROKER_RTT_P99] = {"lagoon_kafka_broker_rtt_p99_seconds",
                               METRIC_GAUGE,
                               {"role", "client", "broker"},
                               "The same for the slowest of a hundred."},
    [METRIC_BROKER_WAITING] = {"lagoon_kafka_requests_waiting",
                               METRIC_GAUGE,
                               {"role", "client", "broker"},
                               "Requests to a broker that are not sent or not answered yet."},
    [METRIC_BROKER_ERRORS] = {"lagoon_kafka_request_errors_total",
                              METRIC_COUNTER,
                              {"role", "client", "broker"},
                              "Requests and answers that failed on their way."},
    [METRIC_BROKER_TIMEOUTS] = {"lagoon_kafka_request_timeouts_total",
                                METRIC_COUNTER,
                                {"role", "client", "broker"},
                                "Requests that no answer came to in time."},
    [METRIC_CLIENT_SENT] = {"lagoon_kafka_sent_bytes_total",
                            METRIC_COUNTER,
                            {"role", "client"},
                            "Bytes sent to all brokers."},
    [METRIC_CLIENT_RECEIVED] = {"lagoon_kafka_received_bytes_total",
                                METRIC_COUNTER,
                                {"role", "client"},
                                "Bytes received from all brokers."},
    [METRIC_FETCHED_BYTES] = {"lagoon_kafka_fetch_queue_bytes",
                              METRIC_GAUGE,
                              {"consumer"},
                              "Records that a consumer has fetched and not read yet."},
    [METRIC_QUEUED_RECORDS] =
        {"lagoon_kafka_send_queue_records",
         METRIC_GAUGE,
         {"producer"},
         "Records that a producer has queued or sent and that are not acknowledged."},
    [METRIC_QUEUED_BYTES] = {"lagoon_kafka_send_queue_bytes",
                             METRIC_GAUGE,
                             {"producer"},
                             "Their bytes."},
    [METRIC_SHARED_KEYS] = {"lagoon_shared_keys",
                            METRIC_GAUGE,
                            {NULL},
                            "Values that lagoon.shared keeps."},
    [METRIC_SHARED_BYTES] = {"lagoon_shared_bytes", METRIC_GAUGE, {NULL}, "What they take."},
    [METRIC_SHARED_LIMIT] = {"lagoon_shared_limit_bytes",
                             METRIC_GAUGE,
                             {NULL},
                             "What they may take, shared.memory_limit."},
    [METRIC_SHARED_EVICTED] = {"lagoon_shared_evicted_total",
                               METRIC_COUNTER,
                               {NULL},
                               "Values of caches that were dropped to make room."},
    [METRIC_SHARED_REFUSED] = {"lagoon_shared_refused_total",
                               METRIC_COUNTER,
                               {NULL},
                               "Writes that raised because there was no room."},
    [METRIC_LOG_DROPPED] = {"lagoon_log_lines_dropped_total",
                            METRIC_COUNTER,
                            {NULL},
                            "Lines of the log that standard error did not take."},
    [METRIC_CPU] = {"process_cpu_seconds_total",
                    METRIC_COUNTER,
                    {NULL},
                    "User and system CPU time of the process."},
    [METRIC_CPUS] = {"lagoon_cpus",
                     METRIC_GAUGE,
                     {NULL},
                     "CPUs that the process may use, by its affinity and the quota of its group, "
                     "rounded up."},
    [METRIC_RESIDENT] = {"process_resident_memory_bytes",
                         METRIC_GAUGE,
                         {NULL},
                         "Resident memory of the process."},
    [METRIC_OPEN_FILES] = {"process_open_fds", METRIC_GAUGE, {NULL}, "Open file descriptors."},
    [METRIC_MAX_FILES] = {"process_max_fds",
                          METRIC_GAUGE,
                          {NULL},
                          "File descriptors that the process may open."},
    [METRIC_START_TIME] = {"process_start_time_seconds",
                           METRIC_GAUGE,
                           {NULL},
                           "When the process began, in seconds since 1970."},
};

const struct metric_info *metric_info(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return &infos[metric];
}

const char *metric_type_name(enum metric_type type)
{
    static const char *const names[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };
    return names[type];
}

void metrics_init(struct metrics *metrics)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        buffer_init(&metrics->samples[i]);
}

void metrics_destroy(struct metrics *metrics)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        buffer_destroy(&metrics->samples[i]);
}

/* --- one line --- */

/* Names come from the config and from Kafka, and may have any character. */
static void append_value(struct buffer *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            buffer_format(out, "\\%c", *value);
        else if (*value == '\n')
            buffer_append_text(out, "\\n");
        else
            buffer_append(out, value, 1);
    }
}

/* `bound` is of a histogram's bucket, else NULL. */
static void append_labels(struct buffer *out, const struct metric_info *info,
                          const struct metric_labels *labels, const char *bound)
{
    const char *lead = "{";
    for (size_t i = 0; i < METRIC_MAX_LABELS && info->labels[i] != NULL; i++) {
        buffer_format(out, "%s%s=\"", lead, info->labels[i]);
        append_value(out, labels->values[i]);
        buffer_append_text(out, "\"");
        lead = ",";
    }
    if (bound != NULL)
        buffer_format(out, "%sle=\"%s\"", lead, bound);
    if (info->labels[0] != NULL || bound != NULL)
        buffer_append_text(out, "}");
}

/* A count has all its digits. */
static void append_number(struct buffer *out, double value)
{
    if (value >= -9e15 && value <= 9e15 && value == (double)(int64_t)value)
        buffer_format(out, " %lld\n", (long long)value);
    else
        buffer_format(out, " %.15g\n", value);
}

static void add_line(struct metrics *metrics, enum metric metric, const char *suffix,
                     const struct metric_labels *labels, const char *bound, double value)
{
    const struct metric_info *info = metric_info(metric);
    struct buffer *out = &metrics->samples[metric];
    buffer_format(out, "%s%s", info->name, suffix);
    append_labels(out, info, labels, bound);
    append_number(out, value);
}

/* --- values --- */

void metrics_add(struct metrics *metrics, enum metric metric, const struct metric_labels *labels,
                 double value)
{
    add_line(metrics, metric, "", labels, NULL, value);
}

void metrics_add_histogram(struct metrics *metrics, enum metric metric,
                           const struct metric_labels *labels, const struct histogram_sum *sum)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        char bound[NUMBER_BYTES] = "+Inf";
        if (i < HISTOGRAM_BOUNDS)
            snprintf(bound, sizeof bound, "%g", (double)histogram_bounds_us[i] / 1e6);
        count += sum->counts[i];
        add_line(metrics, metric, "_bucket", labels, bound, (double)count);
    }
    add_line(metrics, metric, "_sum", labels, NULL, (double)sum->total_us / 1e6);
    add_line(metrics, metric, "_count", labels, NULL, (double)count);
}

void metrics_write(const struct metrics *metrics, struct buffer *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct buffer *samples = &metrics->samples[i];
        const struct metric_info *info = &infos[i];
        if (samples->length == 0)
            continue;
        buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", info->name, info->help, info->name,
                      metric_type_name(info->type));
        buffer_append(out, samples->bytes, samples->length);
    }
}
