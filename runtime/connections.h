/* connections.h - the clusters of a running program: a connection to each, each ready by itself.
 *
 * A cluster that is away holds up nothing but what is on it.
 *
 * Owns:    the connections, and what handles know of their cluster. Borrows the config.
 * Threads: main.
 * Life:    connections_init -> connections_start -> connections_stop -> on_stopped ->
 *          connections_close -> connections_destroy. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "connection.h"

struct connections_options {
    uv_loop_t *loop;
    const struct config *config;
    /* Addresses of embedded brokers, one for each cluster of the config; NULL: the config's own. */
    const char *const *embedded_brokers;
    const struct cluster_config *only; /* the one that is needed; NULL: all that are used */
    bool is_for_producers;             /* all that producers use, if there are any */
    int64_t timeout_ms;                /* for each to answer; 0: for ever */
    void *context;
    /* Its topics are there: once for each cluster that is needed. */
    void (*on_ready)(void *context, const struct cluster_config *cluster);
    /* The exit code of what is wrong for good, which has been logged. */
    void (*on_failed)(void *context, int exit_code);
    void (*on_stopped)(void *context);
};

struct connections {
    struct connections_options options;
    struct site *sites; /* one for each cluster of the config, in its order */
    size_t waiting;     /* that are not ready yet */
    size_t stopping;    /* that have not stopped yet */
};

/* From here on connections_cluster is answered; connects nothing. */
void connections_init(struct connections *connections, const struct connections_options *options);
void connections_start(struct connections *connections);

/* Every cluster that is needed is ready. */
bool connections_are_ready(const struct connections *connections);

/* For whoever makes a handle: lives as long as the connections. */
const struct cluster *connections_cluster(const struct connections *connections,
                                          const struct cluster_config *config);

/* The handle for questions to a cluster that is ready. */
rd_kafka_t *connections_query(const struct connections *connections,
                              const struct cluster_config *config);

/* on_stopped is called when no helper is at work any more, maybe at once. */
void connections_stop(struct connections *connections);

/* After the stop: closes the loop's handles. */
void connections_close(struct connections *connections);

/* After the loop has run. */
void connections_destroy(struct connections *connections);

#endif
