/* drain.h - how partitions are given back: what is waited for meanwhile, and until when.
 *
 * Its phases, in their order:
 *
 *   finishing      what has not begun may begin where it stands before something that has: else
 *                  what is completed behind it would be handled again by the next reader
 *   ending         nothing begins any more; handlers that run may end
 *   acknowledging  handlers have ended; what they published may be acknowledged
 *   committing     the commit in flight is answered, then a last one
 *
 * Finishing has half of the handlers' time, so that who begins in it has as much to end in.
 *
 * Pure: the time is given. Threads: main. */
#ifndef DRAIN_H
#define DRAIN_H

#include "util.h"

enum drain_phase {
    DRAIN_FINISHING,
    DRAIN_ENDING,
    DRAIN_ACKNOWLEDGING,
    DRAIN_COMMITTING,
    DRAIN_OVER,
};

/* Until when a drain waits, by the time that drain_step is given. */
struct drain_limits {
    int64_t begin_ms;      /* for what stands before others to begin */
    int64_t handlers_ms;   /* for handlers to end, those that are interrupted too */
    int64_t deliveries_ms; /* for acknowledgements of what handlers that returned have published */
    int64_t commit_ms;     /* for the answer to the last commit */
};

struct drain {
    struct drain_limits limits;
    enum drain_phase phase;
    bool has_committed; /* the last commit was sent */
    int64_t answer_ms;  /* until when its answer is waited for */
    bool is_late;       /* it is over without that */
};

/* Of the partitions that are given back. */
struct drain_sight {
    bool has_unstarted;       /* records that have not begun, and may */
    bool has_running;         /* handlers */
    bool has_awaited;         /* records that wait for acknowledgements */
    bool is_at_stand;         /* nothing should begin: the breaker is open */
    bool is_lost;             /* they are another's already: nothing is waited for or committed */
    bool is_commit_in_flight; /* one that was sent before, or the last one */
};

/* What its owner has to do now. */
enum drain_step {
    DRAIN_WAIT,      /* nothing, until something has changed or a limit is reached */
    DRAIN_GIVE_BACK, /* all that has not begun goes back */
    DRAIN_COLLECT,   /* what has ended is settled, or it would be handled again */
    DRAIN_LET_GO,    /* what still runs or waits is left over: say so */
    DRAIN_COMMIT,    /* send the last commit, if one is due */
    DRAIN_END,       /* the partitions go */
};

/* Of a revoke that begins now: it is answered before the group gives the member up, which it does
 * after max_poll_ms. */
struct drain_limits drain_limits_of_revoke(int64_t now_ms, int64_t drain_timeout_ms,
                                           int64_t max_poll_ms);

/* Of a stop that begins now: handlers that still run at interrupt_ms are interrupted then, and all
 * has an end at end_ms. */
struct drain_limits drain_limits_of_stop(int64_t now_ms, int64_t interrupt_ms, int64_t end_ms);

/* Of a revoke that began at began_ms and belongs to a stop, or has met one. */
struct drain_limits drain_limits_in_stop(const struct drain_limits *stop, int64_t began_ms,
                                         int64_t max_poll_ms);

void drain_begin(struct drain *drain, const struct drain_limits *limits);

/* Other limits from here on, in the phase in which it is. */
void drain_limit(struct drain *drain, const struct drain_limits *limits);

/* The next step; the owner does what it says and asks again, until it has to wait or all is over.
 */
enum drain_step drain_step(struct drain *drain, const struct drain_sight *sight, int64_t now_ms);

/* All that it waits for but the commit is over. */
bool drain_is_settled(const struct drain *drain);

#endif
