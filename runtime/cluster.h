/* cluster.h - one Kafka cluster: how its handles are configured, its topics, its troubles in words.
 *
 * Every librdkafka handle of the program is configured here, so that what lagoon relies on is set
 * in one place and what the user passes through is checked in one place.
 *
 * Threads: each function says its own. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <librdkafka/rdkafka.h>

#include "config.h"
#include "error.h"
#include "util.h"

/* --- configuration of handles (any thread) --- */

enum cluster_handle { CLUSTER_PRODUCER, CLUSTER_CONSUMER, CLUSTER_QUERY };

/* In `lagoon dev`, and against an embedded broker, the group's timings are made short. */
struct cluster {
    const struct cluster_config *config; /* outlives this */
    const char *brokers;                 /* config->brokers, or the embedded broker's address */
    bool is_embedded;
};

/* A conf with what lagoon sets and then what the user passes through: cluster's properties, then
 * the inner ones (may be NULL). `inner_path` names them in messages: consumers.orders.properties.
 * NULL and err when librdkafka refuses one or lagoon relies on one itself. The caller owns the
 * conf until rd_kafka_new takes it. */
rd_kafka_conf_t *cluster_conf_new(const struct cluster *cluster, enum cluster_handle handle,
                                  const struct properties *inner, const char *inner_path,
                                  struct error *err);

/* cluster_conf_new and rd_kafka_new; takes *conf. Blocks for some milliseconds: on a helper or a
 * worker, never on main. err speaks of what the user can mend (a file that cannot be read). */
rd_kafka_t *cluster_handle_new(enum cluster_handle handle, rd_kafka_conf_t **conf,
                               struct error *err);

/* Checks every property of the config as rd_kafka_new would, without connecting; appends one line
 * a problem, in the form of config_problems. Needs no broker. */
void cluster_check_config(const struct config *config, struct config_problems *problems);

/* --- troubles --- */

/* Logs an RD_KAFKA_EVENT_LOG or _ERROR event; one that repeats within five seconds is counted and
 * said once. `who` names the handle: consumer order-events-handler. Returns true when the error is
 * fatal for the handle; err then says why. Main only. */
bool cluster_log_event(rd_kafka_event_t *event, const char *who, struct error *err);

/* --- topics (a helper: these block up to timeout_ms) --- */

enum topic_check {
    TOPICS_READY,       /* all exist, or were created and are visible */
    TOPICS_UNREACHABLE, /* no broker answered: err says why; try again */
    TOPICS_REFUSED,     /* a broker refused for good (no right, bad settings): err says which */
};

/* Creates the declared topics of the cluster that are missing and create; logs what it created
 * (once), and what exists differently (once a process). Those with create = false must exist: until
 * then TOPICS_UNREACHABLE. Uses a query handle made by cluster_query_handle. */
enum topic_check cluster_ensure_topics(rd_kafka_t *query, const struct cluster *cluster,
                                       const struct config *config, int timeout_ms,
                                       struct error *err);

/* A handle for questions: watermarks, metadata, topics. Blocks as cluster_handle_new does. */
rd_kafka_t *cluster_query_handle(const struct cluster *cluster, struct error *err);

/* The brokers' answer to `rd_kafka_metadata` shows librdkafka's embedded cluster. */
bool cluster_is_embedded_broker(rd_kafka_t *query);

#endif
