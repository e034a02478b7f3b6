/* cluster.h - one Kafka cluster: how its handles are configured, its topics, its troubles in words.
 *
 * Every librdkafka handle of the program is configured here, so that what lagoon relies on is set
 * in one place and what the user passes through is checked in one place.
 *
 * Threads: each function says its own. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "config.h"
#include "error.h"
#include "util.h"

/* --- configuration of handles (any thread) --- */

enum cluster_handle { CLUSTER_PRODUCER, CLUSTER_CONSUMER, CLUSTER_QUERY };

enum { CLUSTER_LABEL_BYTES = 300 };

/* In `lagoon dev`, and against an embedded broker, the group's timings are made short. */
struct cluster {
    const struct cluster_config *config; /* outlives this */
    const char *brokers;                 /* config->brokers, or the embedded broker's address */
    /* A helper that looks at the brokers finds it out, while a worker may connect a producer. */
    atomic_bool is_embedded;
    char label[CLUSTER_LABEL_BYTES]; /* in front of log lines: "cluster east: ", or nothing */
};

/* Its brokers are the config's. With `has_others` log lines name it. */
void cluster_init(struct cluster *cluster, const struct cluster_config *config, bool has_others);

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

/* The value a handle made of this conf works with: max.poll.interval.ms, session.timeout.ms. The
 * property exists and is a whole number. */
int64_t cluster_conf_integer(const rd_kafka_conf_t *conf, const char *name);

/* How many bytes a handle of this consumer may hold of one partition that nobody has read yet, and
 * one of this producer of what is not acknowledged; 0: its properties are wrong. */
int64_t cluster_prefetch_bytes(const struct consumer_config *consumer);
int64_t cluster_queue_bytes(const struct producer_config *producer);

/* One of those that say who may connect and how (security.*, ssl.*, sasl.*): an embedded broker
 * knows none, so cluster_conf_new sets them aside when is_embedded. */
bool cluster_property_is_security(const char *name);

/* How messages name the cluster's own properties: cluster.properties. */
enum { CLUSTER_PATH_BYTES = 256 };
void cluster_properties_path(const struct cluster_config *cluster, char *path, size_t size);

/* Checks every property of the config as rd_kafka_new would, without connecting; appends one line
 * a problem, in the form of config_problems. Needs no broker. With is_embedded the security
 * properties are set aside, as they will be. */
void cluster_check_config(const struct config *config, bool is_embedded,
                          struct config_problems *problems);

/* --- troubles --- */

/* Logs an RD_KAFKA_EVENT_LOG or _ERROR event, once in a while when it repeats. `who` names the
 * handle: consumer order-events-handler. Returns true when the error is fatal for the handle; err
 * then says why. Main only. */
bool cluster_log_event(rd_kafka_event_t *event, const char *who, struct error *err);

/* Librdkafka's error in plain words, with what can be done about it where that is known: `no broker
 * answers at 127.0.0.1:9092: connection refused`. Any thread. */
void cluster_explain(rd_kafka_resp_err_t code, const char *detail, struct error *err);

/* What a code means, and what to look at; librdkafka's words where nothing is known. Any thread. */
const char *cluster_cause(rd_kafka_resp_err_t code);
bool cluster_has_cause(rd_kafka_resp_err_t code);

/* What to look at when librdkafka logs of this facility; NULL where that is not known. */
const char *cluster_hint(const char *facility);

/* The same for an error that is fatal for its handle. Any thread. */
void cluster_explain_fatal(const char *detail, struct error *err);

/* The same for what a consumer of this group met with a topic (either may be NULL), when there is
 * nothing but the code: `no right to read topic "orders"`. Any thread. */
void cluster_explain_code(rd_kafka_resp_err_t code, const char *topic, const char *group,
                          struct error *err);

/* --- questions to a cluster (a helper: these block up to timeout_ms) --- */

/* A handle for questions: watermarks, metadata, topics. Blocks as cluster_handle_new does. Nobody
 * has to poll it; it is shared by helpers, and freed by cluster_query_free. */
rd_kafka_t *cluster_query_handle(const struct cluster *cluster, struct error *err);
void cluster_query_free(rd_kafka_t **query);

/* Why the last question found no broker, as far as the handle knows; false when it does not. */
bool cluster_query_trouble(rd_kafka_t *query, struct error *err);

/* The brokers' answer to `rd_kafka_metadata` shows librdkafka's embedded cluster. */
bool cluster_is_embedded_broker(rd_kafka_t *query);

/* What Kafka takes as a topic's name: 1 to 249 letters, digits, dots, underscores, dashes. */
enum { CLUSTER_TOPIC_NAME_MAX = 249 };
bool cluster_is_topic_name(const char *name, size_t length);

enum topic_check {
    TOPICS_READY,       /* all exist, or were created and are visible */
    TOPICS_UNREACHABLE, /* not yet: err says why (no broker, too few of them); try again */
    TOPICS_REFUSED,     /* a broker refused for good (no right, bad settings): err says which */
};

/* Creates the declared topics of the cluster that are missing and create; logs what it created
 * (once), and what exists differently (once a query handle). Those with create = false must exist:
 * until then TOPICS_UNREACHABLE. Uses a query handle made by cluster_query_handle. */
enum topic_check cluster_ensure_topics(rd_kafka_t *query, const struct cluster *cluster,
                                       const struct config *config, int timeout_ms,
                                       struct error *err);

/* The same for one topic; *partitions is how many it has. */
enum topic_check cluster_ensure_topic(rd_kafka_t *query, const struct cluster *cluster,
                                      const struct topic_config *topic, int timeout_ms,
                                      int *partitions, struct error *err);

/* Where the records of a topic end that are given up. */
struct dead_letter_topic {
    const char *source;
    const char *name;
    const struct topic_config *declared; /* NULL: it is in no `topics` */
    int64_t max_record_bytes;            /* what is read of the source */
};

/* Creates the topic when it is missing: as it is declared; else with the partitions and replicas of
 * its source, room for what a letter adds to a record, and for ever. */
enum topic_check cluster_ensure_dead_letters(rd_kafka_t *query, const struct cluster *cluster,
                                             const struct dead_letter_topic *topic, int timeout_ms,
                                             int *partitions, struct error *err);

#endif
