/* storm.h - a dispatcher under real threads: workers that take, keep a few records begun and end
 * them in any order, against a main that pushes, collects, revokes and redelivers.
 *
 * Nothing ticks and nobody polls: all sleep on their inboxes until they are woken, so a wake that
 * is lost leaves the storm standing still, and it fails at its deadline. What workers write into a
 * strand's check is not atomic: that the strand's next record sees it is the dispatcher's promise.
 *
 * Threads: each group of functions says whose it is. */
#ifndef STORM_H
#define STORM_H

#include <pthread.h>
#include <stdatomic.h>

#include "dispatcher.h"
#include "inbox.h"
#include "offsets.h"

enum { MAX_WORKERS = 128, MAX_LANES = 8, MAX_HANDS = 8, BATCH = 64, WINDOW = 512 };

/* What the records of one strand leave behind for the next. */
struct strand_check {
    atomic_int running;
    uint64_t epoch;
    uint64_t generation;
    int64_t offset;
};

struct storm_lane {
    struct lane *lane;
    uint64_t epoch;
    struct offsets offsets;
    int64_t next; /* offset to read */
    int64_t committed;
    bool is_revoking;
    bool is_finishing;            /* then some of it may begin yet */
    struct strand_check *strands; /* by key */
    atomic_int *running;          /* by offset */
    bool *settled;                /* by offset, in any epoch; main's */
};

struct storm;

struct storm_worker {
    struct storm *storm;
    struct taker taker;
    struct inbox *inbox; /* stays when the thread is replaced: others may be about to wake it */
    pthread_t thread;
    atomic_bool is_retiring;
    /* Main changes that of all workers while the dispatcher is locked; a worker looks at its own
     * behind each take: the dispatcher's mutex orders the two. */
    atomic_ullong generation;
    uint64_t random;
    int hands; /* records it may have begun */
    struct record *begun[MAX_HANDS];
    int begun_count;
    bool is_idle;
};

struct storm {
    struct dispatcher dispatcher;
    enum distribution distribution;
    struct inbox *inbox; /* main's */
    struct storm_worker workers[MAX_WORKERS];
    int worker_count;
    struct storm_lane lanes[MAX_LANES];
    int lane_count;
    int64_t total; /* records of a lane */
    int keys;
    uint64_t last_epoch;
    uint64_t last_generation;
    uint64_t random;
    int64_t deadline_ms;
    struct link kept;
    struct link awaited; /* as if deliveries were open */
    atomic_bool has_failed;
    char failure[200]; /* the first */
};

struct storm_options {
    enum distribution distribution;
    int workers;     /* up to MAX_WORKERS */
    int hands;       /* records that one may have begun, up to MAX_HANDS */
    int lanes;       /* up to MAX_LANES */
    int64_t records; /* of each lane */
    int keys;
    uint64_t seed;
    int64_t deadline_ms;
};

/* Until all records of all lanes are settled. Returns how many epochs that took; 0 when a promise
 * was broken, and which one. */
uint64_t storm_blow(const struct storm_options *options, char *failure, size_t failure_size);

/* --- any --- */

/* A number below `sides`; each thread has a state of its own. */
uint64_t storm_draw(uint64_t *state, uint64_t sides);

/* A promise is broken; the first that is stays. */
void storm_fail(struct storm *storm, const char *what, const struct record *record);

/* The same key for the same offset, also when it is delivered again; -1: null. */
int storm_key(const struct storm *storm, int64_t offset);

/* --- main --- */

void storm_worker_start(struct storm_worker *worker);

/* It ends what it has begun. */
void storm_worker_stop(struct storm_worker *worker);

#endif
