/* consumer_internal.h - what the files of consumer share: consumer.c starts it and lets it turn,
 * consumer_stop.c ends it.
 *
 * Threads: as consumer.h. */
#ifndef CONSUMER_INTERNAL_H
#define CONSUMER_INTERNAL_H

#include "assignment.h"
#include "consumer.h"
#include "consumer_parts.h"
#include "consumer_seek.h"
#include "error.h"
#include "membership.h"
#include "pool.h"

enum consumer_state {
    CONSUMER_NEW,
    CONSUMER_STARTING, /* a helper makes the parts */
    CONSUMER_MADE,     /* it has them, and waits for consumer_run */
    CONSUMER_FAILED,   /* they could not be made */
    CONSUMER_RUNNING,
    CONSUMER_STOPPING,   /* nothing more is read; it leaves its group */
    CONSUMER_RETIRING,   /* it has left; workers end */
    CONSUMER_DESTROYING, /* a helper destroys the handle, then the loop's handles are closed */
    CONSUMER_STOPPED,
};

struct consumer {
    struct consumer_options options;
    rd_kafka_t *query; /* of the cluster; once it runs */
    char *name;
    struct generation *generation;        /* held: the one in force */
    const struct consumer_config *config; /* of that */
    enum consumer_state state;
    struct making_parts *making; /* while they are made */
    struct consumer_parts parts; /* between that and the pool and membership */

    struct dispatcher dispatcher;
    struct assignment assignment;
    struct membership membership;
    struct pool pool;
    struct pool_override handed_on; /* by the one whose place it takes; once its pool is gone, what
                                       was in force there */
    struct seek *seek;              /* the last one; NULL: none yet */
    bool is_member;                 /* the membership stands: there is a handle */

    uv_async_t wake;         /* any thread */
    uv_timer_t poller;       /* keeps the membership alive, also when nothing happens */
    uv_timer_t ticker;       /* only while records are outstanding */
    uv_timer_t commits;      /* commit_interval */
    uv_timer_t retrier;      /* for the next retry */
    uv_timer_t rationer;     /* while the breaker is open: when the next record may start */
    int open_handles;        /* of the loop: until all are closed, the consumer stays */
    uv_work_t work;          /* of the helper that destroys */
    struct error work_error; /* why it has no parts, or no workers */

    bool is_broken; /* its handle met a fatal error and cannot leave */
    bool is_leaked; /* its handle cannot be closed safely: the end of the process closes it */
    int64_t handlers_deadline_ms; /* of a stop */
    int64_t deadline_ms;
    bool is_interrupted; /* what still ran at that deadline */
    size_t abandoned;    /* handlers that still ran at the end of a stop */
};

/* The loop's handles; consumer_close_handles closes them. */
void consumer_open_handles(struct consumer *consumer);

/* What is being made of it is not wanted any more. */
void consumer_give_up_making(struct consumer *consumer);

/* Everything that main does for the consumer, as far as it can go now without waiting. */
void consumer_turn(struct consumer *consumer);

/* Made when there may be dead letters; they stay as long as the consumer. */
void consumer_open_letters(struct consumer *consumer);

/* The timer of commits, as the config says. */
void consumer_time_commits(struct consumer *consumer);

/* While it is open a record now and then is all that starts. */
void consumer_apply_breaker(struct consumer *consumer);

/* Its workers, which run, are as many as was handed on to it. */
void consumer_take_workers(struct consumer *consumer);

/* Names partitions that stand still, and those that do no more; once a second. */
void consumer_watch_stalls(struct consumer *consumer);

/* The module that handles the record, as the config in force has it, when its type stands in its
 * header or is a member of its JSON; NULL: not known. */
const struct module_config *consumer_handler_of(const struct consumer_config *config,
                                                const struct record *record);

/* Of the poller. */
void consumer_on_poll(uv_timer_t *timer);

/* Goes on with the stop as far as it can. */
void consumer_step_stop(struct consumer *consumer);

/* Takes the handle and destroys it on a helper, then closes the loop's handles. Nothing of it is
 * held any more: no event, no message. */
void consumer_begin_destroy(struct consumer *consumer, rd_kafka_t *handle);

/* Closes the loop's handles; then the consumer has stopped. */
void consumer_close_handles(struct consumer *consumer);

#endif
