/* crew.h - the consumers of a process: those that run, those that are to, and those that leave.
 *
 * A reload goes by here: for a consumer that is new, or that has to join its group anew, another
 * one is prepared while everything goes on as it was; with the generation's commit those that are
 * not to run any more leave, the others turn to the generation, and what is prepared runs as soon
 * as its cluster is ready and nothing is left of the one before it.
 *
 * Owns:    the consumers. Borrows the connections, which outlive it.
 * Threads: main.
 * Life:    crew_init -> crew_start, crew_plan ... crew_commit -> crew_stop -> on_empty ->
 *          crew_destroy. */
#ifndef CREW_H
#define CREW_H

#include "connections.h"
#include "consumer.h"

struct crew_options {
    uv_loop_t *loop;
    struct connections *connections;
    void *context;
    /* This process runs it, if it is enabled. */
    bool (*is_wanted)(void *context, const struct consumer_config *consumer);
    /* As consumer_callbacks. */
    void (*on_fatal)(void *context, struct consumer *consumer, const struct error *err);
    void (*on_stuck)(void *context, struct consumer *consumer);
    /* After crew_stop: all have stopped. */
    void (*on_empty)(void *context);
};

/* What a commit does to a consumer, by its name; to a partition of one, "orders[3]". */
enum crew_change { CREW_STARTS, CREW_STOPS, CREW_RESTARTS, CREW_RESUMES, CREW_CHANGES };

struct crew {
    struct crew_options options;
    struct link places; /* of the consumers, in the order in which they were made */
    size_t abandoned;   /* handlers that still ran at the end of the stop */
    bool is_stopping;
    void (*on_prepared)(void *context, const struct error *err); /* NULL: nothing is being made */
    void *prepared_context;
};

void crew_init(struct crew *crew, const struct crew_options *options);

/* Those that the generation declares on the cluster, which is ready, and that are not there yet. */
void crew_start(struct crew *crew, struct generation *generation,
                const struct cluster_config *cluster);

/* A cluster is ready. */
void crew_step(struct crew *crew);

/* --- a reload --- */

/* Whom the generation, whose clusters the connections expect, needs. Nothing is planned. */
void crew_plan(struct crew *crew, struct generation *generation);

/* How far they are: the least of all; `who` is that one. */
enum consumer_renewal crew_renewal(const struct crew *crew, const struct generation *generation,
                                   struct consumer **who);

/* The next part is made: RENEWAL_DUE. Then on_end, with err when it could not be. */
void crew_prepare(struct crew *crew, struct generation *generation,
                  void (*on_end)(void *context, const struct error *err), void *context);

/* What is planned and prepared is not needed. on_end comes nevertheless. What waited for nothing
 * else begins at the next crew_step. */
void crew_withdraw(struct crew *crew);

/* The generation serves: RENEWAL_READY. on_change is told of each consumer that starts, stops or
 * restarts, and of each partition that was stopped and goes on. */
void crew_commit(struct crew *crew, struct generation *generation,
                 void (*on_change)(void *context, enum crew_change change, const char *name),
                 void *context);

/* --- the stop --- */

/* As consumer_stop, for all; maybe on_empty is called at once. A second call only shortens the
 * deadlines. */
void crew_stop(struct crew *crew, int64_t handlers_deadline_ms, int64_t deadline_ms);
bool crew_is_empty(const struct crew *crew);

/* Once it is empty, or without a start. */
void crew_destroy(struct crew *crew);

/* --- looks --- */

/* Those that others may know of, each name once: the first, the one after; NULL at the end. */
struct consumer *crew_first(const struct crew *crew);
struct consumer *crew_next(const struct crew *crew, const struct consumer *consumer);
struct consumer *crew_find(const struct crew *crew, const char *name);

#endif
