/* What librdkafka may hold for one handle, by the limits that the handle will have. */
#include <stdio.h>

#include "cluster.h"

/* Beside its bytes a message costs about this, whether it was fetched or waits to be sent. */
enum { MESSAGE_BYTES = 320 };

/* Neither who may connect nor which broker it is matters to the limits, and no handle is made. */
static rd_kafka_conf_t *conf_of(const struct cluster_config *config, enum cluster_handle handle,
                                const struct properties *properties)
{
    const struct cluster cluster = {
        .config = config, .brokers = config->brokers, .is_embedded = true};
    struct error err;
    return cluster_conf_new(&cluster, handle, properties, "properties", &err);
}

/* Fetching stops at one of both limits; a fetch that is under way then comes on top. */
int64_t cluster_prefetch_bytes(const struct consumer_config *consumer)
{
    rd_kafka_conf_t *conf = conf_of(consumer->cluster, CLUSTER_CONSUMER, &consumer->properties);
    if (conf == NULL)
        return 0;
    int64_t bytes = cluster_conf_integer(conf, "queued.max.messages.kbytes") * 1024 +
                    cluster_conf_integer(conf, "queued.min.messages") * MESSAGE_BYTES +
                    cluster_conf_integer(conf, "fetch.message.max.bytes");
    rd_kafka_conf_destroy(conf);
    return bytes;
}

int64_t cluster_queue_bytes(const struct producer_config *producer)
{
    rd_kafka_conf_t *conf = conf_of(producer->cluster, CLUSTER_PRODUCER, &producer->properties);
    if (conf == NULL)
        return 0;
    int64_t bytes = cluster_conf_integer(conf, "queue.buffering.max.kbytes") * 1024 +
                    cluster_conf_integer(conf, "queue.buffering.max.messages") * MESSAGE_BYTES;
    rd_kafka_conf_destroy(conf);
    return bytes;
}
