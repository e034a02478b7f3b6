#include "producers.h"

#include <assert.h>
#include <stdlib.h>

#include "error.h"

void producers_init(struct producers *producers, uv_loop_t *loop, const struct config *config,
                    const struct connections *connections,
                    const struct producer_callbacks *callbacks)
{
    *producers = (struct producers){
        .loop = loop,
        .config = config,
        .items = xcalloc(config->producer_count, sizeof producers->items[0]),
        .open = config->producer_count,
    };
    for (size_t i = 0; i < config->producer_count; i++) {
        const struct producer_config *producer = &config->producers[i];
        producers->items[i] = producer_new(
            loop, producer, connections_cluster(connections, producer->cluster), callbacks);
    }
}

/* --- connecting --- */

struct connecting {
    uv_work_t work;
    struct producers *producers;
    const struct cluster_config *cluster;
    void (*on_connected)(void *context, const struct cluster_config *cluster,
                         const struct error *err);
    void *context;
    struct error err;
    int rc;
};

static void connect_each(uv_work_t *work)
{
    struct connecting *connecting = CONTAINER_OF(work, struct connecting, work);
    const struct producers *producers = connecting->producers;
    for (size_t i = 0; i < producers->config->producer_count && connecting->rc == 0; i++)
        if (producers->config->producers[i].cluster == connecting->cluster)
            connecting->rc = producer_connect(producers->items[i], &connecting->err);
}

static void on_connected(uv_work_t *work, int status)
{
    (void)status;
    struct connecting *connecting = CONTAINER_OF(work, struct connecting, work);
    connecting->producers->connecting--;
    connecting->on_connected(connecting->context, connecting->cluster,
                             connecting->rc == 0 ? NULL : &connecting->err);
    free(connecting);
}

void producers_connect(struct producers *producers, const struct cluster_config *cluster,
                       void (*callback)(void *context, const struct cluster_config *cluster,
                                        const struct error *err),
                       void *context)
{
    struct connecting *connecting = xcalloc(1, sizeof *connecting);
    connecting->producers = producers;
    connecting->cluster = cluster;
    connecting->on_connected = callback;
    connecting->context = context;
    producers->connecting++;
    uv_queue_work(producers->loop, &connecting->work, connect_each, on_connected);
}

/* --- of all --- */

size_t producers_outstanding(const struct producers *producers)
{
    size_t count = 0;
    for (size_t i = 0; i < producers->config->producer_count; i++)
        count += producer_outstanding(producers->items[i]);
    return count;
}

const struct producer_config *producers_find_outstanding(const struct producers *producers)
{
    for (size_t i = 0; i < producers->config->producer_count; i++)
        if (producer_outstanding(producers->items[i]) > 0)
            return &producers->config->producers[i];
    return NULL;
}

struct producer_counts producers_counts(const struct producers *producers)
{
    struct producer_counts sum = {0};
    for (size_t i = 0; i < producers->config->producer_count; i++) {
        struct producer_counts counts = producer_counts(producers->items[i]);
        sum.published += counts.published;
        sum.acknowledged += counts.acknowledged;
        sum.refused += counts.refused;
    }
    return sum;
}

void producers_purge(struct producers *producers)
{
    for (size_t i = 0; i < producers->config->producer_count; i++)
        producer_purge(producers->items[i]);
}

/* --- closing --- */

static void on_one_closed(void *context)
{
    struct producers *producers = context;
    if (--producers->open == 0)
        producers->on_closed(producers->context);
}

void producers_close(struct producers *producers, void (*on_closed)(void *context), void *context)
{
    assert(producers->connecting == 0);
    producers->on_closed = on_closed;
    producers->context = context;
    if (producers->config->producer_count == 0)
        on_closed(context);
    for (size_t i = 0; i < producers->config->producer_count; i++)
        producer_close(&producers->items[i], on_one_closed, producers);
}

void producers_destroy(struct producers *producers)
{
    free(producers->items);
    producers->items = NULL;
}
