/* crowd.h - many connections to one server at a time, and one more that asks it whether it lives.
 *
 * Owns:    the connections. Each comes from another loopback address, so that however many there
 *          are no port is used up.
 * Threads: the one that calls. */
#ifndef CROWD_H
#define CROWD_H

#include "util.h"

/* The same numbers everywhere for a seed. */
struct dice {
    uint64_t state;
};

uint32_t dice_throw(struct dice *dice);

/* From 0 to count - 1. */
uint32_t dice_below(struct dice *dice, uint32_t count);

/* Once in so many times. */
bool dice_once_in(struct dice *dice, uint32_t count);

enum { MAX_STATUS = 600 };

struct wire {
    size_t index;
    int file;          /* -1: none */
    struct buffer out; /* what is to be sent, and how much of it is */
    size_t sent;
    struct buffer in; /* what came */
    bool is_closed;   /* by the other side */
    bool is_deaf;     /* what comes is not read */
    int64_t opened_ms;
    int64_t next_ms; /* for whoever plays; opened anew no earlier */
    uint64_t asked;  /* requests that were written to it */
    int64_t asked_ns;
    bool is_half_closed; /* nothing more will be sent */
    bool is_last;        /* the other side is about to close it */
};

enum verdict {
    WIRE_GOES_ON,
    WIRE_ENDS,   /* closed as a client does */
    WIRE_BREAKS, /* closed with a reset */
};

struct crowd_play {
    size_t count; /* connections at a time */
    /* What is to be sent by a wire that is opened for it; false: nothing now. */
    bool (*begin)(void *context, struct wire *wire, int64_t now_ms);
    /* After each event of the wire, and now and then. */
    enum verdict (*look)(void *context, struct wire *wire, int64_t now_ms);
    /* Nothing more is begun, and it is over when the last connection is. */
    bool (*is_over)(void *context, int64_t now_ms);
    void *context;
};

struct crowd_result {
    uint64_t connections;
    uint64_t not_connected;
    uint64_t statuses[MAX_STATUS]; /* answers by status, of connections that are over */
    uint64_t live_asked;
    uint64_t live_failed; /* no 200 within 10 s */
    uint64_t live_again;  /* connections that were closed without a word */
    double live_worst_ms;
    double seconds;
};

/* False: there is no server. Seconds, answers and how /live did are in the result. */
bool crowd_run(const struct crowd_play *play, int port, uint64_t seed, struct crowd_result *result);

/* The next answer in `in`, whole, from *at, which goes behind it: its status; 0: not yet. */
int crowd_answer(const struct wire *wire, size_t *at);

/* Whether the answer at the beginning of `in` says that it is the connection's last. */
bool crowd_is_last(const struct wire *wire);

#endif
