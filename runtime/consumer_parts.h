/* consumer_parts.h - what a consumer is made of that takes time to make: its librdkafka handle and
 * the Lua states of its workers.
 *
 * Owns:    what it made, until the consumer takes it.
 * Threads: an errand's makes; main takes; a helper frees. */
#ifndef CONSUMER_PARTS_H
#define CONSUMER_PARTS_H

#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "cluster.h"
#include "script.h"

struct consumer_parts {
    rd_kafka_t *handle;
    int64_t max_poll_ms; /* max.poll.interval.ms */
    bool is_cooperative;
    int64_t prefetch_bytes;  /* what the handle may hold of a partition */
    size_t state_bytes;      /* what the first state takes when it is loaded */
    struct script **scripts; /* one for each worker; NULL where one was taken */
    size_t script_count;
};

struct consumer_parts_options {
    const struct cluster *cluster;
    struct generation *generation;        /* of the Lua states */
    const struct consumer_config *config; /* of that */
    const atomic_bool *is_given_up;
};

/* On failure nothing is left to free. It fails too once *is_given_up, which any thread may set: an
 * on_load may take its time, and there are many states. */
MUST_USE int consumer_parts_make(struct consumer_parts *parts,
                                 const struct consumer_parts_options *options, struct error *err);

/* Of which nothing was taken: frees the handle, too. */
void consumer_parts_discard(struct consumer_parts *parts);

/* Frees the scripts that were not taken; the handle is the taker's. */
void consumer_parts_destroy(struct consumer_parts *parts);

#endif
