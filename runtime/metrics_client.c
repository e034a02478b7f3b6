/* What librdkafka says of its handles, as metrics. */
#include "metrics.h"

static void add_broker(struct metrics *metrics, const char *role, const char *name,
                       const struct broker_figures *broker)
{
    const struct metric_labels labels = {{role, name, broker->name}};
    if (!broker->is_known)
        return;
    metrics_add(metrics, METRIC_BROKER_CONNECTED, &labels, broker->is_connected);
    metrics_add(metrics, METRIC_BROKER_RTT_AVERAGE, &labels, (double)broker->rtt_average_us / 1e6);
    metrics_add(metrics, METRIC_BROKER_RTT_P99, &labels, (double)broker->rtt_p99_us / 1e6);
    metrics_add(metrics, METRIC_BROKER_WAITING, &labels, (double)broker->waiting);
    metrics_add(metrics, METRIC_BROKER_ERRORS, &labels, (double)broker->errors);
    metrics_add(metrics, METRIC_BROKER_TIMEOUTS, &labels, (double)broker->timeouts);
}

static void add_queues(struct metrics *metrics, enum metric_client role, const char *name,
                       const struct client_figures *figures)
{
    const struct metric_labels labels = {{name}};
    if (role == METRIC_OF_CONSUMER) {
        metrics_add(metrics, METRIC_FETCHED_BYTES, &labels, (double)figures->fetched_bytes);
        return;
    }
    metrics_add(metrics, METRIC_QUEUED_RECORDS, &labels, (double)figures->queued_records);
    metrics_add(metrics, METRIC_QUEUED_BYTES, &labels, (double)figures->queued_bytes);
}

void metrics_add_client(struct metrics *metrics, enum metric_client role, const char *name,
                        const struct statistics *statistics)
{
    const struct client_figures *figures = &statistics->latest;
    const char *word = role == METRIC_OF_CONSUMER ? "consumer" : "producer";
    const struct metric_labels labels = {{word, name}};
    if (statistics->at_ms == 0)
        return;
    for (size_t i = 0; i < figures->broker_count; i++)
        add_broker(metrics, word, name, &figures->brokers[i]);
    metrics_add(metrics, METRIC_CLIENT_SENT, &labels, (double)figures->sent_bytes);
    metrics_add(metrics, METRIC_CLIENT_RECEIVED, &labels, (double)figures->received_bytes);
    add_queues(metrics, role, name, figures);
}
