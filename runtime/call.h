/* call.h - one handler that has begun and not returned: the worker's hand.
 *
 * A call runs in a coroutine of a script. When it has to wait it says for what and yields; its
 * worker takes another record meanwhile.
 *
 * Owns:    nothing: the record belongs to the worker until it is finished, the coroutine to the
 *          script, the inbox to the worker.
 * Threads: its worker's. */
#ifndef CALL_H
#define CALL_H

#include "inbox.h"
#include "record.h"

struct lua_State;

enum call_wait {
    CALL_RUNS,         /* it does not wait */
    CALL_WAITS_TIME,   /* until wake_at_ms */
    CALL_WAITS_TICKET, /* until its ticket is posted to its inbox */
};

/* Whether the stop of the process ends the call. */
enum call_interrupt {
    INTERRUPT_NONE,
    INTERRUPT_RAISED,   /* its error is raised; what it has to close may still run */
    INTERRUPT_INSISTED, /* that takes too long: whatever it runs raises again */
};

/* What a handler asked for by lagoon.retry, skip or dead_letter. */
struct call_request {
    enum outcome outcome; /* NONE: nothing */
    char *reason;
    int64_t retry_after_ms; /* below 0: as the schedule says */
    bool is_uncounted;      /* the run was no attempt */
};

struct call {
    struct record *record; /* NULL: a script of its own, such as scripts/dev.lua */
    struct inbox *inbox;
    uint64_t ticket; /* of the current or last wait; see call_next_ticket */
    enum call_wait wait;
    int64_t wake_at_ms;    /* clock_monotonic_ms */
    int64_t wait_began_ms; /* for a broker; the same clock */
    int64_t deadline_ms;   /* of the handler; INT64_MAX: none */
    enum call_interrupt interrupt;
    int worker;         /* index, for messages and context.worker */
    uint32_t published; /* deliveries begun by this call */
    uint64_t tag;       /* of what it publishes; a script of our own numbers its lines by it */

    /* The script's. */
    struct lua_State *thread;
    int thread_reference;
    void *context; /* the Lua value `context`, to be told when the call is over */

    /* The first one stands, also when a pcall caught it. */
    struct call_request request;

    /* How it ended. */
    enum outcome outcome;
    enum fault fault; /* what it came to fail by, if it failed */
    char *failure;    /* owned by whoever reads the outcome */
};

/* The low bits of a ticket are the call's index in its worker; the rest counts its waits, so that
 * no ticket is ever used twice. */
enum { CALL_INDEX_BITS = 16 };

static inline size_t call_index_of_ticket(uint64_t ticket)
{
    return ticket & ((1u << CALL_INDEX_BITS) - 1);
}

static inline uint64_t call_next_ticket(struct call *call)
{
    call->ticket += 1u << CALL_INDEX_BITS;
    return call->ticket;
}

#endif
