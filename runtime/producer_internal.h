/* producer_internal.h - what the files of the producer share: its struct, and a delivery's.
 *
 * Threads: each group of fields says whose it is. */
#ifndef PRODUCER_INTERNAL_H
#define PRODUCER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "producer.h"

/* --- delivery.c --- */

/* One per call of delivery_wait that has to wait. */
struct delivery_waiter {
    struct delivery_waiter *next;
    struct inbox *inbox; /* its own reference */
    uint64_t ticket;
};

struct delivery {
    atomic_int references;
    /* The waiters, newest first; once the report came, the mark that nobody may wait any more.
     * See delivery.c for what this one word orders. */
    _Atomic(struct delivery_waiter *) waiters;

    /* Constant once published. */
    struct record *record; /* of the handler that published it, which keeps it alive; may be NULL */
    int attempt;
    uint64_t tag;                /* of the publication */
    uint64_t number;             /* in the order of publishing */
    int32_t wanted_partition;    /* -1: by key */
    int64_t wanted_timestamp_ms; /* 0: now */

    /* Written by main before the mark is set, constant then. */
    int32_t partition;
    int64_t offset;
    char *reason; /* NULL: acknowledged */
};

/* With two references: the caller's and the report's. */
struct delivery *delivery_new(struct record *record, int attempt);

/* The report: wakes who waits and lets go of the report's reference. `reason` is copied, NULL for
 * acknowledged. Once, on main. */
void delivery_settle(struct delivery *delivery, int32_t partition, int64_t offset,
                     const char *reason);

/* --- producer.c, producer_publish.c, producer_report.c --- */

struct producer_topic;

struct producer {
    /* Constant. */
    const struct producer_config *config;
    const struct cluster *cluster;
    struct producer_callbacks callbacks;
    char *who; /* producer NAME, for the log */

    /* Set by whoever connects, before the handle is; constant then, until a handle that is lost is
     * made anew, see producer_rebuild.c. */
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topic; /* config->topic; NULL when each publication names its own */
    int64_t max_queue_bytes;
    /* NULL: not connected. Stored with release, loaded with acquire: who sees it sees the above. */
    _Atomic(rd_kafka_t *) handle;
    pthread_mutex_t connect_mutex; /* one at a time */
    pthread_rwlock_t handle_lock;  /* read while a record is given to the handle */
    bool is_resting;               /* under it: nothing is given to the handle */

    pthread_mutex_t topics_mutex;
    struct producer_topic *topics; /* handles of topics that publications name, by name */

    /* Given to librdkafka and not reported. Raised before the record is given. */
    atomic_size_t holders;
    atomic_size_t outstanding;
    atomic_uint_least64_t next_number; /* of a delivery */
    atomic_bool has_missed_key;
    atomic_uint_least64_t published;
    atomic_uint_least64_t acknowledged;
    atomic_uint_least64_t refused;

    pthread_mutex_t room_mutex;
    pthread_cond_t room_condition;
    uint64_t room_epoch;      /* counts the times that there may have been room */
    struct link room_waiters; /* struct room_waiter */

    uv_async_t wake; /* sent by any thread, handled on main */

    /* Main's. */
    struct statistics statistics; /* of the handle */
    bool is_purged;
    bool is_closing;
    struct rebuild *rebuild; /* NULL: the handle is well */
    bool is_remaking;        /* a helper has the handle; main does not look at it */
    int64_t rebuilt_ms;
    uv_work_t destroy;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* --- producer_rebuild.c (main) --- */

/* The handle is lost for want of a right: another one would be lost as well. Any thread. */
bool producer_lacks_right(rd_kafka_t *handle);

/* The handle is lost: nothing is given to it any more. */
void producer_begin_rebuild(struct producer *producer, const char *reason);

/* The report is none, because the record will be sent again. */
bool producer_salvage(struct producer *producer, const rd_kafka_message_t *message);

/* Goes on when all reports of the lost handle are there. */
void producer_rebuild_when_settled(struct producer *producer);

/* --- for it, from the others --- */

/* Under connect_mutex; on a helper. */
MUST_USE int producer_make_handle(struct producer *producer, struct error *err);
void producer_destroy_handle(struct producer *producer);

void producer_purge_handle(struct producer *producer);

/* Main: reports that the delivery was refused. */
void producer_settle_report(struct producer *producer, struct delivery *delivery, const char *topic,
                            const char *reason);

/* --- producer_limits.c --- */

/* A topic that cannot be one, a partition below -1, a value that no queue of this size holds. */
MUST_USE int publication_check(const struct publication *publication, int64_t max_queue_bytes,
                               struct error *err);

void publication_say_too_large(const struct publication *publication, const char *topic,
                               struct error *err);

/* Frees the topics' handles. */
void producer_topics_destroy(struct producer *producer);

/* There may be room: wakes everybody who waits for it. */
void producer_give_room(struct producer *producer);

/* Main: takes librdkafka's reports, wakes who waits. */
void producer_on_wake(uv_async_t *wake);

/* Main: goes on with closing when nothing is outstanding; called after every batch of reports. */
void producer_close_when_settled(struct producer *producer);

#endif
