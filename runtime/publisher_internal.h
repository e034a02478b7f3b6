/* publisher_internal.h - what the files of publisher.h share. */
#ifndef PUBLISHER_INTERNAL_H
#define PUBLISHER_INTERNAL_H

#include "publisher.h"
#include "script.h"
#include "watchdog.h"

enum { PUBLISHER_MAX_STATES = 3 };

struct state {
    struct script *script; /* NULL: this place is free */
    size_t begun;
};

/* An event that has begun. */
struct hand {
    struct call call;
    struct publisher_event *event; /* NULL: the hand is free */
    struct state *state;
    bool is_woken;
};

struct publisher {
    struct publisher_options options;
    pthread_t thread;
    uv_async_t news; /* something has ended, or does not */
    bool is_stopping;
    bool is_stuck_said;

    pthread_mutex_t mutex; /* of what stands here: */
    struct link waiting;
    size_t waiting_count;
    struct link ended;
    struct generation *next; /* that is to serve; NULL: the one that does */
    bool stops;
    bool has_stopped; /* the thread does nothing more */

    struct inbox *inbox;
    struct watch watch;

    /* The thread's. */
    struct generation *generation; /* of the next state */
    struct state states[PUBLISHER_MAX_STATES];
    struct state *current; /* in which events begin; NULL: none */
    bool is_broken_said;
    struct hand hands[PUBLISHER_MAX_BEGUN];
    size_t begun;
};

/* The body of its thread; the argument is the publisher. */
void *publisher_thread(void *publisher);

#endif
