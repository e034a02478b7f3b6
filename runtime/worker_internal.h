/* worker_internal.h - what a worker's thread and those who ask it of something share. */
#ifndef WORKER_INTERNAL_H
#define WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "timers.h"
#include "watchdog.h"
#include "worker.h"

enum worker_phase {
    WORKER_RUNS,
    WORKER_RETIRES, /* takes nothing more; may be taken back */
    WORKER_CLOSES,  /* has nothing in hand and closes its Lua state */
    WORKER_ENDED,   /* its thread does nothing more but return */
};

struct hand {
    struct call call;
    struct worker_state *state; /* in which the call runs */
    int64_t began_ns;           /* clock_monotonic_ns */
    struct link link;           /* on the list of free or of woken hands; on none while it waits */
};

struct worker {
    struct taker taker; /* the dispatcher's */
    pthread_t thread;
    struct worker_options options;
    struct worker_states states;
    struct inbox *inbox;
    atomic_int state;           /* enum worker_phase; main turns it between runs and retires */
    atomic_bool is_interrupted; /* by main: what runs and what waits is to end */
    atomic_size_t busy;         /* hands that are not free; the worker counts, main looks */
    struct watch watch;         /* of a worker that runs records; its threads */
    _Atomic(const struct record *) current; /* the last that was begun or resumed; main looks */
    struct histogram durations;             /* the worker counts, main looks */
    atomic_size_t lua_bytes;

    /* The worker's own. */
    struct hand **hands; /* each stays where it is: its call is known by its address */
    size_t hand_count;
    size_t hand_limit; /* of the state in which calls begin; more may have begun in older ones */
    const struct worker_state *latest; /* whose limits are in force */
    struct link free;
    struct link woken;    /* what they waited for is there */
    struct link resuming; /* those of them whose turn it is; then a new record has its own */
    struct timers timers;
    struct record *next; /* taken and not begun: the dispatcher counts it as running */
    bool is_idle;        /* the last take found nothing */
    int64_t ended_ns;    /* when the last call ended, if nothing ran since; else 0 */
    enum main_end main_end;
    char *main_text;
};

/* Its hands that are not free. */
static inline size_t worker_busy(const struct worker *worker)
{
    return atomic_load_explicit(&worker->busy, memory_order_relaxed);
}

/* The body of its thread; the argument is the worker. */
void *worker_thread(void *worker);

/* Has it go by the state in which calls begin. False when it did already. On its own thread, or
 * before that starts. */
bool worker_adopt(struct worker *worker);

#endif
