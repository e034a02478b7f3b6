/* The topic where records end that are given up: made after their source. */
#include <stdlib.h>
#include <string.h>

#include "cluster_query.h"

enum {
    BROKER_MAX_MESSAGE_BYTES = 1048588, /* a broker's default */
    LETTER_BYTES = 64 * 1024,           /* more than the headers of a letter take */
    LIST_BYTES = 512,
};

struct source {
    int partitions;
    int replicas;
    int64_t max_message_bytes; /* 0: the cluster does not tell */
};

static enum topic_check unreachable(rd_kafka_t *query, const char *topic, rd_kafka_resp_err_t code,
                                    struct error *err)
{
    if (!cluster_query_trouble(query, err))
        error_set(err, "topic \"%s\" cannot be looked at: %s", topic, rd_kafka_err2str(code));
    return TOPICS_UNREACHABLE;
}

static enum topic_check count_partitions(rd_kafka_t *query, const char *name, int timeout_ms,
                                         struct source *source, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(query, name, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(query, 0, topic, &metadata, timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unreachable(query, name, code, err);
    if (metadata->topic_cnt == 1) {
        code = metadata->topics[0].err;
        source->partitions = metadata->topics[0].partition_cnt;
        if (source->partitions > 0)
            source->replicas = metadata->topics[0].partitions[0].replica_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return source->partitions > 0 ? TOPICS_READY : unreachable(query, name, code, err);
}

static int64_t find_size(const rd_kafka_ConfigResource_t *resource)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "max.message.bytes") == 0 &&
            value != NULL)
            return strtoll(value, NULL, 10);
    }
    return 0;
}

/* 0 when the broker does not say, for lack of a right or because it is the embedded one. */
static int64_t ask_size(rd_kafka_t *query, const char *name, int timeout_ms)
{
    char refusal[LIST_BYTES];
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(query, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, refusal, sizeof refusal);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(query);
    rd_kafka_DescribeConfigs(query, &resource, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    int64_t size = 0;
    const rd_kafka_DescribeConfigs_result_t *result =
        event != NULL ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    if (result != NULL) {
        size_t count;
        const rd_kafka_ConfigResource_t **resources =
            rd_kafka_DescribeConfigs_result_resources(result, &count);
        size = count == 1 ? find_size(resources[0]) : 0;
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    return size;
}

static int64_t letter_size(const struct source *source, const struct dead_letter_topic *topic)
{
    int64_t size = source->max_message_bytes;
    if (size == 0)
        size = topic->max_record_bytes > BROKER_MAX_MESSAGE_BYTES ? topic->max_record_bytes
                                                                  : BROKER_MAX_MESSAGE_BYTES;
    return size < INT32_MAX - LETTER_BYTES ? size + LETTER_BYTES : INT32_MAX;
}

static enum topic_check ensure_like(rd_kafka_t *query, const struct cluster *cluster,
                                    const struct dead_letter_topic *topic,
                                    const struct source *source, int timeout_ms, int *partitions,
                                    struct error *err)
{
    char *size = xasprintf("%lld", (long long)letter_size(source, topic));
    struct property settings[] = {
        {.name = "cleanup.policy", .value = "delete"},
        {.name = "retention.ms", .value = "-1"},
        {.name = "retention.bytes", .value = "-1"},
        {.name = "max.message.bytes", .value = size},
    };
    const struct topic_config config = {
        .name = (char *)topic->name,
        .cluster = cluster->config,
        .partitions = source->partitions,
        .replicas = source->replicas,
        .create = true,
        .settings = {settings, ARRAY_LENGTH(settings)},
    };
    enum topic_check check =
        cluster_ensure_topic(query, cluster, &config, timeout_ms, partitions, err);
    free(size);
    return check;
}

enum topic_check cluster_ensure_dead_letters(rd_kafka_t *query, const struct cluster *cluster,
                                             const struct dead_letter_topic *topic, int timeout_ms,
                                             int *partitions, struct error *err)
{
    if (!cluster_is_topic_name(topic->name, strlen(topic->name))) {
        error_set(err, "\"%.300s\" cannot be a topic's name; set `dead_letter` of the consumer",
                  topic->name);
        return TOPICS_REFUSED;
    }
    if (topic->declared != NULL)
        return cluster_ensure_topic(query, cluster, topic->declared, timeout_ms, partitions, err);
    struct source source = {0};
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    enum topic_check check = count_partitions(query, topic->source, timeout_ms, &source, err);
    if (check != TOPICS_READY)
        return check;
    if (!cluster_is_embedded_broker(query))
        source.max_message_bytes = ask_size(query, topic->source, timeout_ms / 2);
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    return ensure_like(query, cluster, topic, &source, left_ms > 1 ? (int)left_ms : 1, partitions,
                       err);
}
