/* cluster_query.h - what the handle for questions remembers between them.
 *
 * Threads: any; helpers share the handle. */
#ifndef CLUSTER_QUERY_H
#define CLUSTER_QUERY_H

#include "cluster.h"

/* A query handle by which the embedded broker creates a topic that it is asked about. */
rd_kafka_t *cluster_query_creator(const struct cluster *cluster, struct error *err);

/* A query handle for questions about groups. Librdkafka's answer to a coordinator that is not ready
 * yet, as on a cluster that never had a group, goes to the handle's own group and crashes where
 * there is none; so this handle has one, which it never joins. */
rd_kafka_t *cluster_query_groups(const struct cluster *cluster, const char *group,
                                 struct error *err);

/* What went wrong last is a login or a certificate that was refused: no wait mends that. */
bool cluster_query_is_locked_out(rd_kafka_t *query);

/* A broker answered: what went wrong before is no longer why. */
void cluster_query_answered(rd_kafka_t *query);

/* True the first time it is asked about this topic. */
bool cluster_query_is_news(rd_kafka_t *query, const struct topic_config *topic);

#endif
