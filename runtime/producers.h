/* producers.h - all producers that the config declares, and those that it did until a reload.
 *
 * A generation has those that it declares. One that is declared as before stays what it is; where
 * its topic, cluster or properties are others, another one takes its place. What no generation that
 * serves declares is closed when no script is left that could publish by it and all that it sent is
 * answered.
 *
 * Owns:    them. Each connects when it is first used, or by producers_connect.
 * Threads: main; connecting is a helper's.
 * Life:    producers_init -> producers_give ... -> producers_close -> on_closed ->
 *          producers_destroy. */
#ifndef PRODUCERS_H
#define PRODUCERS_H

#include "connections.h"
#include "generation.h"
#include "producer.h"

struct producers {
    uv_loop_t *loop;
    const struct connections *connections;
    struct producer_callbacks callbacks;
    struct link places;
    uv_timer_t sweeper;          /* while there are some that are not declared */
    struct producer_counts gone; /* of those that are closed */
    size_t connecting;           /* helpers that walk over them: until then nothing is closed */
    size_t open;                 /* places and the timer, until they are closed */
    bool is_closing;
    void *context;
    void (*on_closed)(void *context);
};

/* Connections outlive them. */
void producers_init(struct producers *producers, uv_loop_t *loop,
                    const struct connections *connections,
                    const struct producer_callbacks *callbacks);

/* The generation, whose clusters the connections know, gets those that it declares. Before a state
 * is made from it. */
void producers_give(struct producers *producers, struct generation *generation);

/* The generation serves. */
void producers_go_by(struct producers *producers, const struct generation *generation);

/* Connects those on the cluster that are declared and not connected; then on_connected, with err
 * NULL when all went well. */
void producers_connect(struct producers *producers, const struct cluster_config *cluster,
                       void (*on_connected)(void *context, const struct cluster_config *cluster,
                                            const struct error *err),
                       void *context);

/* Records queued or in flight, of all. */
size_t producers_outstanding(const struct producers *producers);

/* One that has such records; NULL when none has. */
const struct producer_config *producers_find_outstanding(const struct producers *producers);
struct producer_counts producers_counts(const struct producers *producers);

/* What is still queued is given up, as by producer_purge. */
void producers_purge(struct producers *producers);

/* Closes each as producer_close does, and calls on_closed after the last one. */
void producers_close(struct producers *producers, void (*on_closed)(void *context), void *context);

/* Once they are closed. */
void producers_destroy(struct producers *producers);

#endif
