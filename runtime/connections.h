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
    const struct config *config; /* that the process begins with; outlives them */
    /* Addresses of embedded brokers, one for each cluster of the config; NULL: the config's own. */
    const char *const *embedded_brokers;
    const struct cluster_config *only; /* the one that is needed; NULL: all that are used */
    bool is_for_producers;             /* all that producers use, if there are any */
    int64_t timeout_ms;                /* for each to answer; 0: for ever */
    void *context;
    /* Its topics are there: once for each cluster that is needed, and again after a change of what
     * is declared on it. */
    void (*on_ready)(void *context, const struct cluster_config *cluster);
    /* The exit code of what is wrong for good, which has been logged. */
    void (*on_failed)(void *context, int exit_code);
    void (*on_stopped)(void *context);
};

struct connections {
    struct connections_options options;
    struct generation *generation; /* held: that says what is on them; NULL: options.config does */
    struct site **sites; /* of every cluster there ever was; a cluster is known by its name */
    size_t site_count;
    size_t stopping; /* that have not stopped yet */
};

/* From here on connections_cluster is answered; connects nothing. */
void connections_init(struct connections *connections, const struct connections_options *options);
void connections_start(struct connections *connections);

/* From here on connections_cluster is answered for the generation's clusters, too. -1 and err when
 * there is one that cannot be had in this process. */
MUST_USE int connections_expect(struct connections *connections, struct generation *generation,
                                struct error *err);

/* The generation serves: what it needs more is connected, and where it declares other topics they
 * are looked for, or made. */
void connections_go_by(struct connections *connections, struct generation *generation);

/* Nothing that is declared on it has to be looked for any more. */
bool connections_is_ready(const struct connections *connections,
                          const struct cluster_config *config);

/* Every cluster that is needed has been ready. */
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
