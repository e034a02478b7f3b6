/* intake.h - what the partitions of one consumer share: where they read from, where their records
 * go, and the window that bounds both.
 *
 * The window is what is read and not settled: runnable, behind a strand's head, running, kept or
 * awaiting acknowledgement. It is bounded by count and by bytes. While others have work, one
 * partition may have a quarter of it at most; and where there are others at all, it leaves a
 * quarter of what they have not taken: so whoever comes to have work finds room, however slow the
 * rest is.
 *
 * Owns:    the counters. Borrows the handle and the dispatcher.
 * Threads: main. */
#ifndef INTAKE_H
#define INTAKE_H

#include <librdkafka/rdkafka.h>

#include "breaker.h"
#include "budget.h"
#include "config.h"
#include "dead_letters.h"
#include "dispatcher.h"
#include "faults.h"
#include "histogram.h"
#include "retries.h"

struct consumer_counts {
    uint64_t received;
    uint64_t handled;
    uint64_t skipped;     /* unhandled, as the config or the handler says */
    uint64_t retried;     /* runs that failed and were to be tried again */
    uint64_t letters;     /* dead letters that are acknowledged */
    uint64_t failed;      /* records that stopped their partition */
    uint64_t interrupted; /* handlers that the stop ended; their records are among the dropped */
    uint64_t dropped;     /* given back unhandled, or handled after their partition was lost */
    uint64_t jumps;       /* times that retention removed what was to be read next */
};

/* How much one partition has in the window. */
struct share {
    size_t records;
    size_t bytes;
};

struct intake {
    const struct consumer_config *config;
    rd_kafka_t *handle;
    struct dispatcher *dispatcher;
    struct dead_letters *letters; /* NULL: the consumer has none */
    /* There may be something to read. From any thread, also librdkafka's: only a wake-up. */
    void (*on_ready)(void *context);
    void *context;
    /* Time, and who gets what is given up: a simulation has its own of both. */
    int64_t (*clock_ms)(void);
    void (*send_letter)(struct dead_letters *letters, struct record *record);

    bool is_paused;       /* by an operator: nothing is read and nothing begins, of any partition,
                             whatever       assignments come and go */
    struct budget budget; /* of the consumer's memory; main sets it before it joins */
    uint64_t last_epoch;
    struct share window; /* of all partitions */
    size_t assigned_partitions;
    size_t active_partitions; /* that have work */
    struct retries retries;   /* records that wait for their next run */
    struct breaker breaker;   /* says whether a record may be given up */
    uint64_t random;          /* the last random number */
    struct consumer_counts counts;
    struct faults faults;
    int64_t now_ns;         /* as of the last batch that was read or collected, or report */
    struct histogram waits; /* of records that were settled */
    char **warned_types;    /* unknown types that were said once */
    size_t warned_count;
};

void intake_init(struct intake *intake, const struct consumer_config *config,
                 struct dispatcher *dispatcher, void (*on_ready)(void *context), void *context);
void intake_destroy(struct intake *intake);

/* A record of `bytes` enters the window or leaves it. */
void intake_add(struct intake *intake, struct share *share, size_t bytes);
void intake_remove(struct intake *intake, struct share *share, size_t bytes);

/* Everything of the share leaves. */
void intake_remove_all(struct intake *intake, struct share *share);

/* What is read or settled from here on has this time: one look at the clock for many records. */
void intake_note_time(struct intake *intake);

/* The record is settled: how long it took from its reading on, without its handler. */
void intake_note_wait(struct intake *intake, const struct record *record);

/* How many records a partition with this share may read now; large ones are read few at a time,
 * because their bytes are known only when they are here. */
size_t intake_room(const struct intake *intake, const struct share *share);

/* A random number from 0 to below 1. */
double intake_random(struct intake *intake);

/* A record of a type without a handler was skipped: says so once a type. */
void intake_warn_unknown_type(struct intake *intake, const struct record *record);

#endif
