/* watchdog.h - ends what runs too long on another thread, without a cost while nothing does.
 *
 * A thread that runs Lua opens a watch and numbers each stretch that it runs without a wait. The
 * watchdog looks every few milliseconds; a stretch that is over its limit is asked to end: its
 * thread is signalled, and the signal's handler, on that thread, arms whatever runs there. It acts
 * only while the stretch runs that was meant, so that a late signal hits nobody.
 *
 * Owns:    its thread and the list of watches; each watch belongs to the thread that opened it.
 * Threads: stated at each function. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "util.h"

struct error;

/* Why a stretch is asked to end. */
enum watch_reason {
    WATCH_NONE,
    WATCH_CPU,  /* it used its CPU time */
    WATCH_TIME, /* its deadline is over */
    WATCH_STOP, /* watch_stop: the process ends */
};

/* A stretch that did not end within this time after it was asked to is stuck. */
enum { WATCH_STUCK_MS = 10000 };

struct watch_options {
    /* On the opening thread, from its signal handler: `running` as watch_run has it. May only do
     * what a signal handler may. */
    void (*arm)(void *running);
    void *context;
    /* On the watchdog's thread: a stretch has not answered, or one has after all. Only a wake-up.
     */
    void (*on_stuck)(void *context);
};

struct watch {
    struct link link; /* on the watchdog's list */
    struct watch_options options;
    pthread_t thread;
    clockid_t cpu_clock;

    /* The thread's own, its signal handler's included. */
    void *volatile running;
    volatile sig_atomic_t reason; /* enum watch_reason: it was asked to end */
    uint64_t last_stretch;

    /* The thread writes, the watchdog reads. */
    atomic_uint_fast64_t stretch; /* the number of what runs; 0: nothing */
    atomic_int_fast64_t deadline_ms;
    atomic_int_fast64_t cpu_limit_ms; /* of the thread's CPU time, for one stretch; 0: none */
    atomic_bool is_closing; /* the stretch is what is left of a call: watch_stop does not end it */

    /* The other way round. */
    atomic_uint_fast64_t ended; /* the stretch that is to end */
    atomic_uint_fast64_t stuck; /* the stretch that does not; 0: none */
    atomic_int ended_reason;
    atomic_bool is_stopping;

    /* The watchdog's. */
    uint64_t seen;           /* the stretch at the last look */
    int64_t seen_cpu_ms;     /* the thread's CPU time when it was first seen */
    int64_t asked_at_ms;     /* 0: it was not asked to end */
    int64_t signalled_at_ms; /* the last time */
};

/* Any thread, once for each pair; nothing is ended before watchdog_start. */
MUST_USE int watchdog_start(struct error *err);
/* No watch is open any more, or their threads are left alone from here on. */
void watchdog_stop(void);

/* Before the thread that is to be watched starts. */
void watch_init(struct watch *watch, const struct watch_options *options);

/* The calling thread's watch begins and ends. One a thread. */
void watch_open(struct watch *watch);
void watch_close(struct watch *watch);

/* The calling thread's watch; NULL: it has none. */
struct watch *watch_mine(void);

/* Any thread: what runs is to end, and every stretch from now on but those of watch_begin_closing.
 */
void watch_stop(struct watch *watch);

/* Any thread: what runs does not end, though it was asked to WATCH_STUCK_MS ago. */
static inline bool watch_is_stuck(const struct watch *watch)
{
    uint64_t stuck = atomic_load(&watch->stuck);
    return stuck != 0 && atomic_load(&watch->stretch) == stuck;
}

/* --- the watched thread --- */

/* For the stretches that begin from now on: how much CPU time each may use; 0: any. */
static inline void watch_limit_cpu(struct watch *watch, int64_t limit_ms)
{
    atomic_store_explicit(&watch->cpu_limit_ms, limit_ms, memory_order_relaxed);
}

/* A stretch begins; deadline by clock_monotonic_ms, INT64_MAX: none. */
static inline void watch_begin(struct watch *watch, void *running, int64_t deadline_ms)
{
    watch->running = running;
    atomic_store_explicit(&watch->deadline_ms, deadline_ms, memory_order_relaxed);
    atomic_store_explicit(&watch->is_closing, false, memory_order_relaxed);
    atomic_store_explicit(&watch->stretch, ++watch->last_stretch, memory_order_release);
}

/* The same for what is to be closed of a call that ends: only its limits end it. */
static inline void watch_begin_closing(struct watch *watch, void *running, int64_t deadline_ms)
{
    watch->running = running;
    atomic_store_explicit(&watch->deadline_ms, deadline_ms, memory_order_relaxed);
    atomic_store_explicit(&watch->is_closing, true, memory_order_relaxed);
    atomic_store_explicit(&watch->stretch, ++watch->last_stretch, memory_order_release);
}

/* What runs has changed within the stretch. */
static inline void watch_run(struct watch *watch, void *running)
{
    watch->running = running;
    atomic_signal_fence(memory_order_seq_cst);
}

/* The deadline of what runs is another one now. */
static inline void watch_put_off(struct watch *watch, int64_t deadline_ms)
{
    atomic_store_explicit(&watch->deadline_ms, deadline_ms, memory_order_relaxed);
}

/* Whether the stretch was asked to end. */
static inline enum watch_reason watch_reason(const struct watch *watch)
{
    return (enum watch_reason)watch->reason;
}

/* The stretch is over; why it was asked to end, if it was. */
static inline enum watch_reason watch_end(struct watch *watch)
{
    atomic_store_explicit(&watch->stretch, 0, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    enum watch_reason reason = watch_reason(watch);
    watch->reason = WATCH_NONE;
    return reason;
}

#endif
