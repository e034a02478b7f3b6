/* stall.h - whether a partition stands still though nobody has stopped it, and since when.
 *
 * It stands still while the same thing is true of it at every look: its oldest unsettled record is
 * the same and in the same hands, or it has none and nothing is read though there is more and more
 * to be read. What is planned is no standstill: a record that waits for its next run, a partition
 * that an operator, a failed record or the breaker has stopped. So is a record that waits for a
 * worker while others end: that is lag.
 *
 * Pure: the time is given. Threads: main. */
#ifndef STALL_H
#define STALL_H

#include "util.h"

/* In whose hands the oldest unsettled record is. */
enum stall_hand {
    STALL_UNREAD,   /* there is none: what comes next is not read */
    STALL_WAITING,  /* nobody's, it has not begun */
    STALL_RUNNING,  /* its handler's */
    STALL_AWAITED,  /* its handler has returned: a broker's, which acknowledges what it published */
    STALL_LETTERED, /* it is given up: a broker's, which acknowledges its dead letter */
    STALL_PLANNED,  /* the schedule's of retries */
};

struct stall_sight {
    enum stall_hand hand;
    bool is_held;     /* by an operator, a failed record, the breaker or a rebalance: what has not
                         begun is not to */
    uint64_t epoch;   /* of the partition; 0: it is not assigned */
    int64_t position; /* of the oldest unsettled record, or where reading goes on */
    int run;          /* the record's */
    int64_t end;      /* of the partition; -1: not known */
    uint64_t ended;   /* runs that have ended, of the whole consumer */
};

struct stall {
    struct stall_sight seen; /* at the last look */
    int64_t since_ms;        /* all looked like that */
    int64_t first_end;       /* of the partition, then */
    bool is_stalled;
    int64_t lasted_ms; /* how long it was so, until the last change */
};

/* What holds the partition, and what to look at. */
const char *stall_in_words(enum stall_hand hand);

enum stall_news { STALL_NO_NEWS, STALL_BEGINS, STALL_ENDS };

/* It is still the record that was seen at the last look: only then it matters in whose hands it is.
 */
bool stall_is_same(const struct stall *stall, uint64_t epoch, int64_t position);

/* A look, about once a second; stalled is what did not change for limit_ms, 0: never. */
enum stall_news stall_look(struct stall *stall, const struct stall_sight *sight, int64_t limit_ms,
                           int64_t now_ms);

#endif
