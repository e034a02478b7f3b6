#include "producers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "log.h"

/* Between two looks whether what is not declared any more can be closed. */
enum { SWEEP_MS = 500 };

struct place {
    struct producers *producers;
    struct link link;
    struct producer_config config; /* what a handle goes by, of the reading that first had it */
    struct producer *producer;     /* NULL: it is being closed */
    bool is_declared;              /* by the generation that serves */
    bool is_connected;
};

static struct place *place_at(const struct producers *producers, struct link *link)
{
    return link != &producers->places ? CONTAINER_OF(link, struct place, link) : NULL;
}

static struct place *first(const struct producers *producers)
{
    return place_at(producers, producers->places.next);
}

static struct place *next(const struct place *place)
{
    return place_at(place->producers, place->link.next);
}

/* --- one place --- */

static bool is_same(const struct producer_config *one, const struct producer_config *other)
{
    return strcmp(one->name, other->name) == 0 && strcmp(one->topic, other->topic) == 0 &&
           config_is_cluster(one->cluster, other->cluster) &&
           properties_are_same(&one->properties, &other->properties);
}

static struct place *add(struct producers *producers, const struct producer_config *config)
{
    struct place *place = xcalloc(1, sizeof *place);
    const struct cluster *cluster = connections_cluster(producers->connections, config->cluster);
    place->producers = producers;
    place->config = (struct producer_config){
        .name = xstrdup(config->name),
        .topic = xstrdup(config->topic),
        .cluster = cluster->config,
        .properties = properties_copy(&config->properties),
    };
    place->producer = producer_new(producers->loop, &place->config, cluster, &producers->callbacks);
    list_append(&producers->places, &place->link);
    producers->open++;
    return place;
}

static void place_free(struct place *place)
{
    properties_destroy(&place->config.properties);
    free(place->config.name);
    free(place->config.topic);
    free(place);
}

static void note_closed(struct producers *producers)
{
    if (--producers->open == 0 && producers->is_closing)
        producers->on_closed(producers->context);
}

static void on_place_closed(void *context)
{
    struct place *place = context;
    struct producers *producers = place->producers;
    list_remove(&place->link);
    place_free(place);
    note_closed(producers);
}

static void close_place(struct place *place)
{
    struct producer_counts *gone = &place->producers->gone;
    struct producer_counts counts = producer_counts(place->producer);
    gone->published += counts.published;
    gone->acknowledged += counts.acknowledged;
    gone->refused += counts.refused;
    producer_close(&place->producer, on_place_closed, place);
}

/* --- generations --- */

void producers_init(struct producers *producers, uv_loop_t *loop,
                    const struct connections *connections,
                    const struct producer_callbacks *callbacks)
{
    *producers = (struct producers){
        .loop = loop, .connections = connections, .callbacks = *callbacks, .open = 1};
    list_init(&producers->places);
    uv_timer_init(loop, &producers->sweeper);
}

/* A script that holds its generation may still publish; a report has to find its producer. */
static bool is_needed(const struct place *place)
{
    return place->is_declared || producer_is_held(place->producer) ||
           producer_outstanding(place->producer) > 0;
}

static void on_sweep(uv_timer_t *sweeper)
{
    struct producers *producers = CONTAINER_OF(sweeper, struct producers, sweeper);
    bool is_due_again = false;
    for (struct place *place = first(producers); place != NULL; place = next(place)) {
        if (place->producer == NULL || place->is_declared)
            continue;
        if (!is_needed(place) && producers->connecting == 0) {
            log_info("producer %s: closed, nothing is left that publishes by it",
                     place->config.name);
            close_place(place);
        } else {
            is_due_again = true;
        }
    }
    if (!is_due_again)
        uv_timer_stop(sweeper);
}

static struct place *find(struct producers *producers, const struct producer_config *config)
{
    struct place *place = first(producers);
    while (place != NULL && (place->producer == NULL || !is_same(&place->config, config)))
        place = next(place);
    return place;
}

void producers_give(struct producers *producers, struct generation *generation)
{
    const struct config *config = generation->config;
    struct producer **items = xcalloc(config->producer_count + 1, sizeof items[0]);
    for (size_t i = 0; i < config->producer_count; i++) {
        struct place *place = find(producers, &config->producers[i]);
        if (place == NULL)
            place = add(producers, &config->producers[i]);
        items[i] = place->producer;
        producer_hold(items[i]);
    }
    generation_set_producers(generation, items);
    uv_timer_start(&producers->sweeper, on_sweep, SWEEP_MS, SWEEP_MS);
}

static bool has(const struct generation *generation, const struct producer *producer)
{
    for (size_t i = 0; i < generation->config->producer_count; i++)
        if (generation->host.producers[i] == producer)
            return true;
    return false;
}

void producers_go_by(struct producers *producers, const struct generation *generation)
{
    for (struct place *place = first(producers); place != NULL; place = next(place))
        place->is_declared = place->producer != NULL && has(generation, place->producer);
    uv_timer_start(&producers->sweeper, on_sweep, SWEEP_MS, SWEEP_MS);
}

/* --- connecting --- */

struct connecting {
    uv_work_t work;
    struct producers *producers;
    struct producer **items;
    size_t count;
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
    for (size_t i = 0; i < connecting->count && connecting->rc == 0; i++)
        connecting->rc = producer_connect(connecting->items[i], &connecting->err);
}

static void on_connected(uv_work_t *work, int status)
{
    (void)status;
    struct connecting *connecting = CONTAINER_OF(work, struct connecting, work);
    connecting->producers->connecting--;
    connecting->on_connected(connecting->context, connecting->cluster,
                             connecting->rc == 0 ? NULL : &connecting->err);
    free(connecting->items);
    free(connecting);
}

static void collect(struct connecting *connecting)
{
    struct producers *producers = connecting->producers;
    connecting->items = xcalloc(producers->open, sizeof connecting->items[0]);
    for (struct place *place = first(producers); place != NULL; place = next(place)) {
        if (!place->is_declared || place->is_connected ||
            !config_is_cluster(place->config.cluster, connecting->cluster))
            continue;
        place->is_connected = true;
        connecting->items[connecting->count++] = place->producer;
    }
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
    collect(connecting);
    if (connecting->count == 0) {
        free(connecting->items);
        free(connecting);
        return;
    }
    producers->connecting++;
    uv_queue_work(producers->loop, &connecting->work, connect_each, on_connected);
}

/* --- of all --- */

size_t producers_outstanding(const struct producers *producers)
{
    size_t count = 0;
    for (const struct place *place = first(producers); place != NULL; place = next(place))
        count += place->producer != NULL ? producer_outstanding(place->producer) : 0;
    return count;
}

const struct producer_config *producers_find_outstanding(const struct producers *producers)
{
    for (const struct place *place = first(producers); place != NULL; place = next(place))
        if (place->producer != NULL && producer_outstanding(place->producer) > 0)
            return &place->config;
    return NULL;
}

struct producer_counts producers_counts(const struct producers *producers)
{
    struct producer_counts sum = producers->gone;
    for (const struct place *place = first(producers); place != NULL; place = next(place)) {
        if (place->producer == NULL)
            continue;
        struct producer_counts counts = producer_counts(place->producer);
        sum.published += counts.published;
        sum.acknowledged += counts.acknowledged;
        sum.refused += counts.refused;
    }
    return sum;
}

void producers_purge(struct producers *producers)
{
    for (struct place *place = first(producers); place != NULL; place = next(place))
        if (place->producer != NULL)
            producer_purge(place->producer);
}

/* --- closing --- */

static void on_sweeper_closed(uv_handle_t *sweeper)
{
    note_closed(CONTAINER_OF((uv_timer_t *)sweeper, struct producers, sweeper));
}

void producers_close(struct producers *producers, void (*on_closed)(void *context), void *context)
{
    assert(producers->connecting == 0);
    producers->is_closing = true;
    producers->on_closed = on_closed;
    producers->context = context;
    for (struct place *place = first(producers), *after; place != NULL; place = after) {
        after = next(place);
        if (place->producer != NULL)
            close_place(place);
    }
    uv_close((uv_handle_t *)&producers->sweeper, on_sweeper_closed);
}

void producers_destroy(struct producers *producers)
{
    assert(first(producers) == NULL);
    (void)producers;
}
