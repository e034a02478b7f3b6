/* producers.h - all producers that the config declares.
 *
 * Owns:    them. Each connects when it is first used, or by producers_connect.
 * Threads: main; connecting is a helper's.
 * Life:    producers_init -> producers_close -> on_closed -> producers_destroy. */
#ifndef PRODUCERS_H
#define PRODUCERS_H

#include "connections.h"
#include "producer.h"

struct producers {
    uv_loop_t *loop;
    const struct config *config;
    struct producer **items; /* in the order of the config */
    size_t connecting;       /* helpers that walk over them: until then nothing is closed */
    size_t open;
    void *context;
    void (*on_closed)(void *context);
};

/* config and connections outlive them. */
void producers_init(struct producers *producers, uv_loop_t *loop, const struct config *config,
                    const struct connections *connections,
                    const struct producer_callbacks *callbacks);

/* Connects those on the cluster; then on_connected, with err NULL when all went well. */
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

/* Closes each as producer_close does, and calls on_closed after the last one, maybe at once. */
void producers_close(struct producers *producers, void (*on_closed)(void *context), void *context);
void producers_destroy(struct producers *producers);

#endif
