/* cluster_property.h - the librdkafka properties that users pass through, checked one at a time.
 *
 * Threads: any; nothing is kept. */
#ifndef CLUSTER_PROPERTY_H
#define CLUSTER_PROPERTY_H

#include "cluster.h"

/* Sets of enum cluster_handle. */
enum {
    PRODUCERS = 1 << CLUSTER_PRODUCER,
    CONSUMERS = 1 << CLUSTER_CONSUMER,
    QUERIES = 1 << CLUSTER_QUERY,
    ALL_HANDLES = PRODUCERS | CONSUMERS | QUERIES,
};

/* Sets it in conf. Refused, with err beginning `path["name"]: `, when lagoon relies on it for one
 * of the handles it is meant for, or when librdkafka does not take it. */
MUST_USE int cluster_property_set(rd_kafka_conf_t *conf, unsigned handles,
                                  const struct property *property, const char *path,
                                  struct error *err);

/* The name under which librdkafka speaks of it: queue.buffering.max.ms for linger.ms. */
const char *cluster_property_canonical(const char *name);

#endif
