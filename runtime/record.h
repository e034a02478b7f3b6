/* record.h - one record of Kafka in one block of our own, and its way through the process.
 *
 * Nothing behind the consumer holds an object of librdkafka: what main reads is copied here and
 * librdkafka's batch is freed at once.
 *
 * Owns:    its bytes. Who owns the record itself is said by its state.
 * Threads: each group of fields says whose it is; the dispatcher's mutex is the hand-over. */
#ifndef RECORD_H
#define RECORD_H

#include "faults.h"
#include "util.h"

struct lane;
struct partition;
struct rd_kafka_message_s;

struct record_header {
    const char *name; /* NUL-terminated */
    const char *value;
    size_t value_length;
    bool is_null; /* Kafka tells a null value from an empty one */
};

/* Where a record is in the dispatcher. */
enum record_state {
    RECORD_OUTSIDE,  /* main's: not given to the dispatcher yet, or ended */
    RECORD_RUNNABLE, /* on the run queue */
    RECORD_HELD,     /* would be on the run queue, but its partition is stopped */
    RECORD_BEHIND,   /* in its strand, behind the head */
    RECORD_TWIN,     /* waits for the leftover of the same offset to end */
    RECORD_RUNNING,  /* a worker's: its handler has begun and not returned */
    RECORD_ENDED,    /* its handler ended, main has not seen it; still the head of its strand */
    RECORD_KEPT,     /* the same, and main has seen it: main decides */
};

/* How a handler's run ended. */
enum outcome {
    OUTCOME_NONE,
    OUTCOME_DONE,         /* returned */
    OUTCOME_SKIPPED,      /* its handler, or the config, says to skip it */
    OUTCOME_DEAD_LETTER,  /* its handler says that it is for the dead letters */
    OUTCOME_UNKNOWN_TYPE, /* no handler is declared for its type */
    OUTCOME_INVALID,      /* could not be decoded, is too large, or has no type */
    OUTCOME_FAILED,       /* raised, returned nil or false and a reason, or asked for a retry */
    OUTCOME_INTERRUPTED,  /* was ended because the process stops: no failure of the record */
};

/* What becomes of a record whose run has ended: policy.h. */
enum decision {
    DECISION_SETTLE, /* it was handled */
    DECISION_RETRY,  /* it runs again */
    DECISION_DEAD_LETTER,
    DECISION_SKIP,
    DECISION_STOP,      /* its partition stops */
    DECISION_GIVE_BACK, /* its run counts for nothing: whoever reads it next handles it */
};

struct record {
    /* Constant once read. */
    const char *topic; /* the lane's, which outlives every record */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: the record has none */
    const char *key;      /* NULL: null key; an empty key is not NULL */
    size_t key_length;
    const char *value; /* NULL: a tombstone */
    size_t value_length;
    const struct record_header *headers;
    size_t header_count;
    size_t block_bytes; /* what this record takes of the window */

    /* Set by main before the dispatcher gets it, constant then. */
    struct partition *owner; /* the consumer's, which outlives every record */
    uint64_t epoch;          /* of the partition's assignment */
    uint64_t slot;           /* in the partition's offsets */
    int64_t read_ns;         /* clock_monotonic_ns, as of the batch in which it was read */

    /* Main's, which changes them while the record is kept. */
    int attempt; /* from 1; how often it was tried */
    int run;     /* from 1; also counts the runs that were no attempt. Deliveries name theirs */

    /* The dispatcher's, under its mutex. */
    enum record_state state;
    struct lane *lane;
    struct record *ahead;   /* in its strand: what it waits for */
    struct record *behind;  /* in its strand: what waits for it */
    struct record *twin;    /* the redelivered record that waits for this one */
    struct record *twin_of; /* the running one this waits for */
    struct link queue_link; /* the held list, or one of those that are main's */
    uint64_t turn;          /* the smaller goes first: the order of pushing; 0: a re-run */
    uint32_t key_hash;
    bool is_stranded; /* it has an order to keep */

    /* The worker's that runs it; main's once it has ended. */
    enum outcome outcome;
    enum fault fault;       /* of an outcome FAILED: what it was */
    int64_t handler_ns;     /* how long its handler took, in all runs */
    char *failure;          /* why not DONE, with traceback; freed with the record */
    uint32_t published;     /* deliveries of this run */
    int64_t retry_after_ms; /* what the handler asked for; below 0: the schedule says */
    bool is_uncounted;      /* the run was no attempt */
    enum decision decision; /* by the policies under which it ran */

    /* Main's. */
    struct link lane_link;      /* all of the lane that main has not collected */
    struct link partition_link; /* its partition's awaited or stuck records */
    struct link letter_link;    /* letters that are not on their way yet */
    size_t retry_place;         /* where it waits in the schedule of retries; 0: nowhere */
    uint32_t reported;          /* deliveries of this run that are acknowledged */
    int32_t deliveries_open;    /* of all runs; a report may come before the end of its call,
                                   then this is below 0 until main has seen the end */
    bool is_ended;              /* main has seen its outcome */
    char *refusal;              /* why a delivery of this run was refused for good; or NULL */
    enum decision on_refusal;   /* what becomes of it then; decided as the refusal came */
    bool has_stopped;           /* it failed for good and has stopped its partition */
    bool is_lettered;           /* given up: its dead letter is not acknowledged yet */
    bool is_dropped;            /* freed as soon as deliveries_open is 0 */
};

/* The record that is on a list by this link. */
static inline struct record *record_of_queue(struct link *queue_link)
{
    return CONTAINER_OF(queue_link, struct record, queue_link);
}

static inline struct record *record_of_lane(struct link *lane_link)
{
    return CONTAINER_OF(lane_link, struct record, lane_link);
}

/* Fetches what the next to run the record, or main at its end, looks at first into the cache. */
static inline void record_prefetch(const struct record *record)
{
    enum { LINE_BYTES = 64, LINES = 8 };
    for (int i = 0; i < LINES; i++)
        __builtin_prefetch((const char *)record + i * LINE_BYTES);
}

/* A copy of the message: key, value, headers. `topic` is borrowed. */
struct record *record_new(const struct rd_kafka_message_s *message, const char *topic);

/* The same from plain bytes, without headers; key or value may be NULL. */
struct record *record_make(const char *topic, int32_t partition, int64_t offset, const char *key,
                           size_t key_length, const char *value, size_t value_length);

/* The block goes back; deliveries_open must be 0. Sets *record to NULL. */
void record_free(struct record **record);

/* The last header of that name; NULL when there is none. */
const struct record_header *record_header(const struct record *record, const char *name);

/* "orders[3]@1234", for messages; buffer of at least RECORD_NAME_BYTES. */
enum { RECORD_NAME_BYTES = 320 };
const char *record_name(const struct record *record, char *buffer);

#endif
