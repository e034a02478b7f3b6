/* What a producer refuses at the call, known without a handle of librdkafka. */
#include <stdio.h>
#include <string.h>

#include "producer_internal.h"

/* What librdkafka adds to a record's bytes before it compares them with message.max.bytes: the
 * longest forms of the lengths and counts around them. */
enum { RECORD_OVERHEAD_BYTES = 36 };

int producer_limits_read(struct producer_limits *limits, const struct producer_config *config,
                         struct error *err)
{
    /* No handle is made, so who may connect and how does not matter: set aside as for dev. */
    const struct cluster cluster = {
        .config = config->cluster, .brokers = config->cluster->brokers, .is_embedded = true};
    char path[CLUSTER_PATH_BYTES];
    snprintf(path, sizeof path, "producers.%s.properties", config->name);
    rd_kafka_conf_t *conf =
        cluster_conf_new(&cluster, CLUSTER_PRODUCER, &config->properties, path, err);
    if (conf == NULL)
        return -1;
    limits->max_queue_bytes = cluster_conf_integer(conf, "queue.buffering.max.kbytes") * 1024;
    limits->max_record_bytes = cluster_conf_integer(conf, "message.max.bytes");
    rd_kafka_conf_destroy(conf);
    return 0;
}

/* Lengths are written in groups of seven bits, the sign in the lowest. */
static size_t length_bytes(size_t length)
{
    size_t bytes = 1;
    for (length <<= 1; length >= 0x80; length >>= 7)
        bytes++;
    return bytes;
}

static size_t wire_bytes(const struct publication *publication)
{
    size_t bytes = RECORD_OVERHEAD_BYTES + publication->key_length + publication->value_length;
    for (size_t i = 0; i < publication->header_count; i++) {
        const struct record_header *header = &publication->headers[i];
        size_t name_length = strlen(header->name);
        bytes += length_bytes(name_length) + name_length;
        bytes += length_bytes(header->value_length) + header->value_length;
    }
    return bytes;
}

/* What librdkafka would not refuse, or only for ever say that there is no room for. */
int publication_check(const struct publication *publication, int64_t max_queue_bytes,
                      struct error *err)
{
    const char *topic = publication->topic;
    if (topic != NULL && !cluster_is_topic_name(topic, strlen(topic))) {
        error_set(err, "\"%.300s\" cannot be a topic's name", topic);
        return -1;
    }
    if (publication->partition < -1) {
        error_set(err, "there is no partition %d", (int)publication->partition);
        return -1;
    }
    if (publication->value_length > (uint64_t)max_queue_bytes) {
        error_set(err,
                  "a value of %zu bytes is larger than the producer's whole queue, see "
                  "queue.buffering.max.kbytes",
                  publication->value_length);
        return -1;
    }
    return 0;
}

void publication_say_too_large(const struct publication *publication, const char *topic,
                               struct error *err)
{
    error_set(err,
              "a record of %zu bytes for topic \"%s\" is too large; message.max.bytes in the "
              "producer's properties sets the limit",
              publication->key_length + publication->value_length, topic);
}

int producer_check(const struct producer_config *config, const struct producer_limits *limits,
                   const struct publication *publication, struct error *err)
{
    if (publication_check(publication, limits->max_queue_bytes, err) != 0)
        return -1;
    if (wire_bytes(publication) <= (uint64_t)limits->max_record_bytes)
        return 0;
    const char *topic = publication->topic != NULL ? publication->topic : config->topic;
    publication_say_too_large(publication, topic, err);
    return -1;
}
