/* budget.h - how much memory the config lets the process take at most, and of what that consists.
 *
 * What it is for sure goes by bytes: the window, what librdkafka fetches ahead, what waits in
 * queues of producers. A Lua state takes what its scripts keep; its limit is no figure to plan by
 * when there are many, so it stands beside the sum.
 *
 * Threads: any; nothing is kept. */
#ifndef BUDGET_H
#define BUDGET_H

#include "config.h"

struct budget {
    int64_t window_bytes;  /* records read and not settled */
    int64_t letters_bytes; /* the same once more, on the way to the dead letters */
    int64_t queues_bytes;  /* of producers */
    int64_t shared_bytes;  /* of lagoon.shared */
    /* Of one partition. */
    int64_t prefetch_bytes; /* what librdkafka has fetched and nobody has read */
    int64_t ahead_bytes;    /* offsets of what is settled beyond an unsettled record */
    /* Of all workers, with those that stand in for stuck ones. */
    size_t states;
    int64_t lua_bytes;
    int64_t loaded_bytes; /* of one state before its first record; 0: not known yet */
};

/* Of one consumer; what librdkafka holds of a partition is the caller's to know. */
struct budget budget_of_consumer(const struct config *config,
                                 const struct consumer_config *consumer, int64_t prefetch_bytes);

/* Into the sum; of what is counted by partition the larger one stands. */
void budget_add(struct budget *sum, const struct budget *one);

/* Without the Lua states. */
int64_t budget_total(const struct budget *budget, size_t partitions);

/* Logs it: of all that the process starts, and of a consumer that has these many partitions. */
void budget_say_process(const struct budget *budget);
void budget_say_assigned(const struct budget *budget, const char *consumer, size_t partitions);

#endif
