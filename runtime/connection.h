/* connection.h - the wait for a cluster: until a broker answers and the declared topics are there.
 *
 * Owns:    the handle for questions. Borrows cluster and config.
 * Threads: main; the brokers are asked on a helper. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <uv.h>

#include "cluster.h"
#include "generation.h"

struct connection_options {
    uv_loop_t *loop;
    struct cluster *cluster;       /* is_embedded is set when the brokers turn out to be */
    const struct config *config;   /* whose topics it looks for, without a generation */
    struct generation *generation; /* that says so; NULL: config does */
    int64_t timeout_ms;            /* 0: for ever */
    void *context;
    /* At the end of the first look, and of each connection_look_again that is not overtaken by
     * another: EXIT_OK, or the exit code of what is wrong for good, which has been logged. */
    void (*on_done)(void *context, int exit_code);
};

struct connection {
    struct connection_options options;
    struct generation *generation; /* held: of the look that is under way, or was the last one */
    struct generation *next;       /* held: of the look to come; NULL: there is none */
    bool is_done;                  /* nothing is to be looked for any more */
    bool is_patient;               /* the process goes on, whatever is wrong here */
    rd_kafka_t *query;             /* for whoever has questions later; NULL until there is one */
    uv_timer_t retry;
    uv_work_t look; /* of a helper at the brokers */
    bool is_looking;
    bool is_stopped;
    enum topic_check result;
    struct error err;
    int64_t began_ms;
    int64_t said_ms;
    void (*on_stopped)(void *context);
};

void connection_start(struct connection *connection, const struct connection_options *options);

/* The topics of this generation are looked for, or made. What is wrong with them for good is logged
 * and tried again, since the process goes on; on_done comes with EXIT_OK alone. */
void connection_look_again(struct connection *connection, struct generation *generation);

/* The last look, and every one that was asked for, found all there. */
bool connection_is_done(const struct connection *connection);

/* Before on_done or after it: on_stopped is called when no helper is at work any more, maybe at
 * once. */
void connection_stop(struct connection *connection, void (*on_stopped)(void *context));

/* After the stop: closes the loop's handle. */
void connection_close(struct connection *connection);

/* After the loop has run: frees the handle. */
void connection_destroy(struct connection *connection);

#endif
