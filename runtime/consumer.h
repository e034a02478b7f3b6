/* consumer.h - one declared consumer: its membership in the group, its partitions, its workers.
 *
 * Owns:    the librdkafka handle, the dispatcher, the partitions, the workers.
 * Threads: main. librdkafka's threads and the workers only wake the loop.
 * Life:    consumer_new -> consumer_make -> on_made -> consumer_run -> [consumer_leave] ->
 *          consumer_stop -> on_stopped -> consumer_free. It may be stopped at any time. */
#ifndef CONSUMER_H
#define CONSUMER_H

#include <uv.h>

#include "cluster.h"
#include "config.h"
#include "generation.h"
#include "intake.h"

struct consumer;
struct json_writer;
struct metrics;
struct buffer;

struct consumer_callbacks {
    void *context;
    /* What consumer_make began has ended: it can run, or err says why it cannot. */
    void (*on_made)(void *context, struct consumer *consumer, const struct error *err);
    /* The consumer can not go on; the owner stops the process. */
    void (*on_fatal)(void *context, struct consumer *consumer, const struct error *err);
    /* A worker is stuck that none replaces, on_stuck is "abort": the owner stops the process. */
    void (*on_stuck)(void *context, struct consumer *consumer);
    /* After consumer_stop or consumer_leave: its handle is closed. `abandoned` handlers still run:
     * then the consumer cannot be freed and the process has to _exit. */
    void (*on_stopped)(void *context, struct consumer *consumer, size_t abandoned);
};

struct consumer_options {
    uv_loop_t *loop;
    const char *name;
    struct generation *generation; /* that it begins with; it declares the consumer */
    const struct cluster *cluster;
    int64_t load_limit_ms; /* for its scripts to come to an end of what they load; 0: any */
    struct consumer_callbacks callbacks;
};

/* Everything in the options outlives the consumer, but for name and generation: it holds the one
 * that is in force. */
struct consumer *consumer_new(const struct consumer_options *options);

/* Has its handle and Lua states made, on an errand. */
void consumer_make(struct consumer *consumer);

/* It has been made and does not run yet. */
bool consumer_is_made(const struct consumer *consumer);

/* Nothing was made of it so far. */
bool consumer_is_new(const struct consumer *consumer);

/* Joins its group. It has been made, and the topics that are to be created exist. `query` is the
 * cluster's, for a helper's questions. */
void consumer_run(struct consumer *consumer, rd_kafka_t *query);

/* Gives every partition back as at a revoke: what has begun may go on until drain_timeout and is
 * committed, what takes longer runs to its end without it; then the consumer has stopped. While the
 * process goes on: nothing is interrupted and nothing abandoned, until a consumer_stop. */
void consumer_leave(struct consumer *consumer);

/* Gives every partition back: handlers may run until handlers_deadline_ms and are interrupted then,
 * the last commit and the close have until deadline_ms (both clock_monotonic_ms). A second call
 * only shortens the deadlines. */
void consumer_stop(struct consumer *consumer, int64_t handlers_deadline_ms, int64_t deadline_ms);

/* Sets *consumer to NULL. Only after on_stopped without abandoned handlers, or before start. */
void consumer_free(struct consumer **consumer);

/* How far it is from serving a generation. */
enum consumer_renewal {
    RENEWAL_READY, /* its workers have what they need, or it is not concerned */
    RENEWAL_DUE,   /* consumer_prepare */
    RENEWAL_BUSY,  /* it starts, or states are made just now: later */
    RENEWAL_FULL,  /* a worker has WORKER_MAX_STATES: later */
};
enum consumer_renewal consumer_renewal(const struct consumer *consumer,
                                       const struct generation *generation);

/* As pool_prepare; RENEWAL_DUE. */
void consumer_prepare(struct consumer *consumer, struct generation *generation,
                      void (*on_end)(void *context, const struct error *err), void *context);

/* What is prepared is not needed. */
void consumer_withdraw(struct consumer *consumer);

/* All that the process has, each RENEWAL_READY: from here on no call of any of them begins in an
 * older generation, and what main does for them is as that one's config says. */
void consumers_offer(struct consumer *const *consumers, size_t count,
                     struct generation *generation);

/* Its name, however it is declared. */
const char *consumer_name(const struct consumer *consumer);

/* The one in force; the consumer's. */
const struct generation *consumer_generation(const struct consumer *consumer);

/* As the generation in force has it. */
const struct consumer_config *consumer_config_of(const struct consumer *consumer);

/* For producer_callbacks.on_report: the record is one of some consumer's. */
void consumer_on_report(struct record *record, int attempt, const char *reason);

/* Which stopped partitions are to start again. */
struct consumer_resume {
    const char *topic; /* NULL: of all topics */
    int32_t partition; /* -1: all */
    int64_t skip;      /* the offset of the record that counts as skipped; -1: none */
};

/* Starts them again and writes what came of each into the answer; none may be stopped. -1 and err
 * when it is asked for what cannot be; nothing was done then. */
MUST_USE int consumer_resume(struct consumer *consumer, const struct consumer_resume *resume,
                             struct json_writer *answer, struct error *err);

/* Nothing further is read or begins, over rebalances too, until consumer_unpause; writes into the
 * answer what still runs. -1 and err when it does not run. */
MUST_USE int consumer_pause(struct consumer *consumer, struct json_writer *answer,
                            struct error *err);

/* False: it was not paused. */
bool consumer_unpause(struct consumer *consumer);

/* `next`, which has not run yet, takes its place: what an operator has set of it holds of that one,
 * the pause and how many workers there are. Once it has stopped. */
void consumer_hand_on(const struct consumer *consumer, struct consumer *next);

/* It goes on elsewhere: `to` as seek_parse has it; topic NULL and partition -1 mean all. Writes how
 * far that is, which a later call with the seek's number tells; 0 begins one. -1 and err when that
 * cannot be. */
struct consumer_seek_options {
    const char *to;
    const char *topic;
    int32_t partition;
    bool is_dry;
    uint64_t number;
};
MUST_USE int consumer_seek(struct consumer *consumer, const struct consumer_seek_options *options,
                           struct json_writer *answer, struct error *err);

/* So many workers for so long, whatever the lag asks for; 0: as many as that does. -1 and err when
 * it does not run, or the config does not allow so many. */
MUST_USE int consumer_set_workers(struct consumer *consumer, size_t workers, int64_t for_ms,
                                  struct json_writer *answer, struct error *err);

/* Each of its stopped partitions goes on, from the record that stopped it and with its first
 * attempt; on_resumed is told which, "orders[3]". */
void consumer_resume_stopped(struct consumer *consumer,
                             void (*on_resumed)(void *context, const char *place), void *context);

/* Writes an object that says how it is, into an array. */
void consumer_write_status(struct consumer *consumer, struct json_writer *answer);

/* What one line says of several consumers. */
struct consumer_glance {
    size_t partitions;
    size_t workers;
    size_t workers_max;
    size_t running; /* handlers */
    int64_t lag;    /* end minus committed, where both are known */
    uint64_t ended; /* records that are done with */
    uint64_t faults;
    bool is_rebalancing; /* its partitions are about to be others */
};

/* Adds those of this one. */
void consumer_add_glance(struct consumer *consumer, struct consumer_glance *sum);

/* Adds its values. */
void consumer_add_metrics(struct consumer *consumer, struct metrics *metrics);

/* Appends why it is not ready, a line for each reason; nothing when it is. */
void consumer_add_reasons(const struct consumer *consumer, struct buffer *reasons);

struct consumer_counts consumer_counts(const struct consumer *consumer);

#endif
