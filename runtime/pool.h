/* pool.h - the workers of one consumer, as many as its lag asks for.
 *
 * Growing takes back who is retiring, then starts new ones, whose Lua states a helper builds.
 * Shrinking retires: a worker finishes what it has in hand, so nothing is drained, nothing moves,
 * and nobody waits. All of them together, retiring ones too, are never more than `max`.
 *
 * Workers that run get new Lua states by pool_renewal.h, all pools of a process at once.
 *
 * Owns:    the workers, and pieces of work on helpers. Borrows the dispatcher.
 * Threads: main; each worker says on its own thread that it ends; a helper builds.
 * Life:    pool_start -> pool_scale and pool_step -> pool_retire -> pool_step until pool_is_done ->
 *          pool_destroy. */
#ifndef POOL_H
#define POOL_H

#include <stdatomic.h>

#include <uv.h>

#include "error.h"
#include "pool_closing.h"
#include "pool_renewal.h"
#include "pool_repair.h"
#include "pool_shaker.h"
#include "scaler.h"
#include "worker.h"

struct pool_options {
    uv_loop_t *loop;
    struct generation *generation; /* of the workers' Lua states, until another one is offered */
    const char *consumer;          /* its name, which every such generation declares */
    struct dispatcher *dispatcher;
    void *context;
    void (*on_exit)(void *context);  /* any thread: pool_step is due; only a wake-up */
    void (*on_stuck)(void *context); /* no worker replaces a stuck one, on_stuck is "abort" */
};

enum slot_state {
    SLOT_FREE,
    SLOT_RUNNING,
    SLOT_RETIRING,
    SLOT_STUCK, /* its handler does not end, though it was asked to: another worker has its place */
};

/* The place of one worker, whose number is the slot's, from 1. */
struct pool_slot {
    struct worker *worker; /* stays when its thread has ended: others may be about to wake it */
    enum slot_state state;
    int64_t repaired_at_ms; /* it got a state in place of a spoilt one; 0: not yet */
    bool is_full_said;      /* that it has no room for one */
};

/* States for further workers, built on a helper, a few at a time so that the first of them work
 * while the next are built. */
enum { POOL_BATCH = 8 };

struct pool_growth {
    uv_work_t work;
    bool is_under_way;
    int64_t retry_at_ms;     /* after a failure */
    atomic_bool is_given_up; /* by main, when the pool stops: the helper builds no further one */
    struct generation *generation; /* of what is built; held while it is under way */
    /* The helper's while it is under way. */
    struct script *scripts[POOL_BATCH];
    size_t asked;
    size_t built;
    struct error error; /* why there are less than asked */
};

/* A change of what is wanted. */
enum { POOL_CHANGES = 5 };
struct pool_change {
    int64_t at_ms; /* clock_wall_ms; 0: there was none yet */
    size_t from;
    size_t to;
    char reason[160];
};

struct pool {
    struct pool_options options;
    struct generation *generation;        /* held: of the states of further workers */
    const struct consumer_config *config; /* as that one has it */
    struct scaler scaler;
    struct pool_shaker shaker;
    struct pool_slot *slots; /* `max` of the largest there was, and those for replacements */
    size_t slot_count;
    size_t running;
    size_t retiring;
    size_t stuck;
    size_t wanted;
    uint64_t grown; /* how often more were wanted, and less */
    uint64_t shrunk;
    struct pool_override {
        size_t workers;   /* 0: none */
        int64_t until_ms; /* clock_monotonic_ms */
    } override;           /* of what the lag asks for */
    bool is_stopping;
    struct pool_growth growth;
    struct pool_renewal renewal;
    struct pool_repair repair;
    struct pool_closing closing;
    struct pool_change changes[POOL_CHANGES]; /* the last ones, the newest first */
    atomic_bool has_stuck; /* a worker became stuck, or came back; cleared by main */
    atomic_size_t exits;   /* workers count the ends of their threads, main reads */
    size_t reaped;         /* of those: threads that are joined */
};

/* Starts one worker for each script, of which there are `min`, and takes the scripts. On failure
 * those that run have to be retired and destroyed. */
MUST_USE int pool_start(struct pool *pool, const struct pool_options *options,
                        struct script **scripts, size_t count, struct error *err);

/* The config has changed: how many workers there may be, and what becomes of one that is stuck. The
 * workers that are too many retire, those that are missing begin, at the next pool_step. */
void pool_go_by(struct pool *pool, const struct consumer_config *config);

/* Looks whether more or fewer workers are wanted now; about once a second. */
void pool_scale(struct pool *pool, const struct scaler_sight *sight);

/* So many are wanted until then, whatever the lag asks for, at least 1 and at most `max`; 0 ends
 * that. */
void pool_set_override(struct pool *pool, size_t workers, int64_t until_ms);

/* Goes on towards what is wanted as far as it can now: cheap when there is nothing to do. */
void pool_step(struct pool *pool);

/* What all its workers ever did, and what their Lua states take, as of the last record of each. */
void pool_add_durations(const struct pool *pool, struct histogram_sum *sum);
size_t pool_lua_bytes(const struct pool *pool);

/* Every worker finishes what it has in hand and takes nothing more. */
void pool_retire(struct pool *pool);

/* Every handler that has begun is to end now, its record given back. */
void pool_interrupt(struct pool *pool);

/* Every worker has ended, and no helper builds or closes. */
bool pool_is_done(struct pool *pool);

/* Once it is done. */
void pool_destroy(struct pool *pool);

#endif
