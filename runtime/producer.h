/* producer.h - publishes records and follows each to its acknowledgement.
 *
 * One librdkafka handle for each declared producer, made when it is first needed, shared by all
 * workers; idempotent, and it retries what is transient without limit, so that a delivery ends
 * acknowledged or refused for good.
 *
 * Threads: producer_publish and delivery_* on any thread; the rest on main. */
#ifndef PRODUCER_H
#define PRODUCER_H

#include <uv.h>

#include "cluster.h"
#include "inbox.h"
#include "record.h"
#include "statistics.h"

struct producer;

/* One published record on its way. Two owners: the report to come and the Lua value; freed when
 * both let go. It never points into a Lua state: its waiter is an inbox and a ticket. */
struct delivery;

enum delivery_state { DELIVERY_PENDING, DELIVERY_ACKNOWLEDGED, DELIVERY_REFUSED };

/* What became of a record that was published outside a handler. Borrowed for the call. */
struct loose_report {
    const char *producer;
    uint64_t tag; /* the publication's */
    const char *topic;
    const char *key; /* NULL: none */
    size_t key_length;
    int32_t partition;
    int64_t offset;
    const char *reason; /* why it was refused; NULL: acknowledged */
    bool is_given_up;   /* refused because the process stops, not by Kafka */
};

struct producer_callbacks {
    void *context;
    /* On main, for each report of a delivery that has a record; the record is valid during the
     * call. reason is NULL when acknowledged. */
    void (*on_report)(void *context, struct record *record, int attempt, const char *reason);
    /* The same for a delivery that has none; may be NULL. */
    void (*on_loose_report)(void *context, const struct loose_report *report);
    /* On main: the handle was lost, and none could be made in its place, or would be lost too. */
    void (*on_fatal)(void *context, const char *producer, const char *reason);
};

/* config and cluster outlive the producer. Connects nothing. */
struct producer *producer_new(uv_loop_t *loop, const struct producer_config *config,
                              const struct cluster *cluster,
                              const struct producer_callbacks *callbacks);

/* Makes the handle when there is none yet. Blocks some milliseconds: helper or worker. */
MUST_USE int producer_connect(struct producer *producer, struct error *err);

/* Somebody who may publish by it comes, or goes; the owner does not count. What is left of it when
 * it is closed stays until the last has gone. Any thread. */
void producer_hold(struct producer *producer);
void producer_let_go(struct producer *producer);
bool producer_is_held(const struct producer *producer);

const struct producer_config *producer_config(const struct producer *producer);

/* True once, of all threads: an event without its key field is warned of then. */
bool producer_is_first_missing_key(struct producer *producer);

/* What is to be published; all borrowed for the call. */
struct publication {
    const char *topic;    /* NULL: the producer's */
    int32_t partition;    /* -1: by key */
    int64_t timestamp_ms; /* 0: now */
    const char *key;      /* NULL: null key */
    size_t key_length;
    const char *value; /* NULL: tombstone */
    size_t value_length;
    const struct record_header *headers;
    size_t header_count;
    struct record *record; /* the record being handled, NULL outside a handler */
    int attempt;
    uint64_t tag; /* comes back in a loose report */
};

enum publish_result {
    PUBLISH_QUEUED,  /* *delivery is set; the caller owns one of its references */
    PUBLISH_FULL,    /* the queue has no room: producer_wait_for_room, then again */
    PUBLISH_INVALID, /* cannot be sent: err says why (size, partition) */
};

/* Never blocks once the handle exists. When QUEUED and publication->record is not NULL the caller
 * adds 1 to record->published; main will call on_report once for it. */
enum publish_result producer_publish(struct producer *producer,
                                     const struct publication *publication,
                                     struct delivery **delivery, struct error *err);

/* What a producer's handle would go by, read from the config alone. */
struct producer_limits {
    int64_t max_queue_bytes;
    int64_t max_record_bytes;
};
MUST_USE int producer_limits_read(struct producer_limits *limits,
                                  const struct producer_config *config, struct error *err);

/* Refuses what producer_publish refuses whatever the brokers say: for who only records. */
MUST_USE int producer_check(const struct producer_config *config,
                            const struct producer_limits *limits,
                            const struct publication *publication, struct error *err);

/* Posts the ticket when the queue has room again, or soon if it already has. */
void producer_wait_for_room(struct producer *producer, struct inbox *inbox, uint64_t ticket);

/* For callers that cannot yield: blocks until there may be room, at most timeout_ms. */
void producer_block_for_room(struct producer *producer, int64_t timeout_ms);

/* Posts the ticket when the report comes. False: it is there already, nothing will be posted. */
bool delivery_wait(struct delivery *delivery, struct inbox *inbox, uint64_t ticket);
enum delivery_state delivery_state(const struct delivery *delivery);
/* Valid once acknowledged or refused. */
int32_t delivery_partition(const struct delivery *delivery);
int64_t delivery_offset(const struct delivery *delivery);
const char *delivery_reason(const struct delivery *delivery); /* why it was refused */
void delivery_release(struct delivery **delivery);
/* One that no producer has sent, acknowledged from the start; its one reference is the caller's. */
struct delivery *delivery_acknowledged(int32_t partition, int64_t offset);

/* Records queued or in flight: what a flush waits for. */
size_t producer_outstanding(const struct producer *producer);

struct producer_counts {
    uint64_t published;
    uint64_t acknowledged;
    uint64_t refused;
};
struct producer_counts producer_counts(const struct producer *producer);

/* What librdkafka last said of its handle. Main. */
const struct statistics *producer_statistics(const struct producer *producer);

/* The process is stopping for good: what is still queued is given up (its reports come as refused)
 * and said in the log. Main. */
void producer_purge(struct producer *producer);

/* Closes the loop handle, destroys the librdkafka handle on a helper, then calls on_closed and
 * frees. Nothing may be outstanding, or it was purged. */
void producer_close(struct producer **producer, void (*on_closed)(void *context), void *context);

#endif
