/* dispatcher.h - decides which record may run next, and which worker has to wake up for it.
 *
 * One mechanism for the three orders. Under free_worker, and for a null key under key, a record is
 * runnable at once. Otherwise it belongs to a strand (topic, partition and exact key; or topic and
 * partition): only the head of a strand is runnable or running. A strand exists only while it has
 * records. Any worker runs any strand, so adding or retiring a worker moves nothing. What is
 * runnable runs in the order of its arrival.
 *
 * Pure but for its mutex: no clock, no socket, no Lua, no log. The mutex is held over none of the
 * callbacks.
 *
 * Owns:    lanes, and records between dispatcher_push and dispatcher_collect or
 *          dispatcher_revoke.
 * Threads: main pushes, collects, holds, revokes; workers take and finish. */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include <pthread.h>

#include "config.h"
#include "lane.h"
#include "record.h"
#include "run_queue.h"
#include "strand.h"
#include "taker.h"
#include "util.h"

/* What main sleeps for; decides when the end of a record wakes it. */
enum dispatcher_need {
    NEED_NOTHING, /* the tick collects */
    NEED_ROOM,    /* wake main when enough has ended, or the workers run dry */
    NEED_EVERY,   /* a drain: wake main for each end */
};

/* How a strand goes on after a handler. */
enum verdict {
    VERDICT_RELEASE, /* the successor may run */
    VERDICT_KEEP,    /* the record stays its strand's head; main decides (retry) */
    VERDICT_HOLD,    /* the same, and nothing further of its partition starts */
};

struct dispatcher_callbacks {
    void *context;
    void (*on_wake_worker)(void *context, struct taker *taker); /* from any thread, no lock held */
    void (*on_wake_main)(void *context);                        /* the same */
};

/* An array, because a list through the records would have a worker touch the memory of another's.
 */
struct ended_records {
    struct record **list;
    size_t count;
    size_t capacity;
};

struct dispatcher {
    struct dispatcher_callbacks callbacks;
    struct lane *lanes; /* main's; none is ever removed */
    uint32_t lane_count;
    pthread_mutex_t mutex;
    struct run_queue run_queue;
    size_t ration; /* records that may start yet; RATION_UNLIMITED: any number */
    size_t running;
    uint64_t next_turn;
    struct idle_takers idle;
    struct ended_records ended;
    struct ended_records collected; /* main's */
    enum dispatcher_need need;
    size_t low_water; /* with NEED_ROOM: how many that have ended wake main */
    struct strands strands;
};

void dispatcher_init(struct dispatcher *dispatcher, enum distribution distribution,
                     const struct sparing *sparing, const struct dispatcher_callbacks *callbacks);

/* Every record must have been given back. */
void dispatcher_destroy(struct dispatcher *dispatcher);

/* --- main --- */

/* The lane of a partition, made when it is new; lives as long as the dispatcher. */
struct lane *dispatcher_lane(struct dispatcher *dispatcher, const char *topic, int32_t partition);

/* A new assignment (or seek) of the lane begins, with an epoch that no assignment of the lane had
 * before, from 1. The lane is not held any more. dispatcher_revoke was called for the one before.
 */
void dispatcher_assign(struct dispatcher *dispatcher, struct lane *lane, uint64_t epoch);

/* Gives records of one lane in the order of their offsets, with epoch and slot set. Wakes a worker
 * when that is due. */
void dispatcher_push(struct dispatcher *dispatcher, struct lane *lane, struct record **records,
                     size_t count);

/* Moves every ended record to `ended` (by queue_link). One whose state is RECORD_KEPT is still the
 * head of its strand: main gives it back by dispatcher_rerun or dispatcher_release, or a
 * dispatcher_revoke takes it. Any other is main's. */
void dispatcher_collect(struct dispatcher *dispatcher, struct link *ended);

/* A kept record runs again, before everything else that is runnable. Its epoch is the lane's. */
void dispatcher_rerun(struct dispatcher *dispatcher, struct record *record);

/* A kept record is main's from here on, and its strand moves on. */
void dispatcher_release(struct dispatcher *dispatcher, struct record *record);

/* Nothing further of the lane starts, until dispatcher_resume or a new assignment. */
void dispatcher_hold(struct dispatcher *dispatcher, struct lane *lane);
void dispatcher_resume(struct dispatcher *dispatcher, struct lane *lane);

/* From here on only so many records start, of all lanes. */
#define RATION_UNLIMITED SIZE_MAX
void dispatcher_ration(struct dispatcher *dispatcher, size_t starts);

/* The lane is being revoked, nothing more is pushed: moves every record that is not running and
 * stands at `from` or behind it, or behind all that has begun, to `unstarted` (by queue_link), kept
 * ones among them; they are main's. Running ones go on, and so does one that has ended and is not
 * collected yet: when it is collected as RECORD_KEPT, main releases it. What is left may begin. Can
 * be called again with an earlier `from`; REVOKE_ALL leaves nothing. */
#define REVOKE_ALL INT64_MIN
void dispatcher_revoke(struct dispatcher *dispatcher, struct lane *lane, int64_t from,
                       struct link *unstarted);

/* A record of the lane has not begun; one that is kept has not begun again. */
bool dispatcher_has_unstarted(struct dispatcher *dispatcher, const struct lane *lane);

/* The drain is over: what still runs of the lane is a leftover from here on. */
void dispatcher_forget(struct dispatcher *dispatcher, struct lane *lane);

/* Running records of the lane's current epoch; of every lane and epoch. */
size_t dispatcher_running(struct dispatcher *dispatcher, const struct lane *lane);
size_t dispatcher_running_all(struct dispatcher *dispatcher);

/* Something is runnable, running, or ended and not collected: the tick is needed. */
bool dispatcher_is_busy(struct dispatcher *dispatcher);

/* The record of the lane's current epoch with this offset, and its state; NULL: the dispatcher has
 * none. On main, which frees records: it stays as long as main does nothing else. */
const struct record *dispatcher_find(struct dispatcher *dispatcher, const struct lane *lane,
                                     int64_t offset, enum record_state *state);

/* Calls `visit` for each running record, leftovers too; under the mutex, so it may only look and
 * log: for the end of a stop, when nothing is in a hurry any more. */
void dispatcher_each_running(struct dispatcher *dispatcher,
                             void (*visit)(void *context, const struct record *record),
                             void *context);

/* What main sleeps for. With NEED_ROOM main is woken once, when `low_water` records have ended or
 * the workers run dry; NEED_EVERY holds until it is changed. Only an end after the call wakes: true
 * when there is enough to collect already, so that main does not sleep now. */
bool dispatcher_set_need(struct dispatcher *dispatcher, enum dispatcher_need need,
                         size_t low_water);

/* Between the two no record is taken and none finished: for what has to lie between two records of
 * every worker. Of several dispatchers always in the same order, and nothing else between that
 * waits. */
void dispatcher_lock(struct dispatcher *dispatcher);
void dispatcher_unlock(struct dispatcher *dispatcher);

/* The beat by which workers are spared, and the net under the wake-ups: wakes a worker when there
 * is backlog, an idle worker that is not spared, and no wake under way. Called by a timer, every
 * DISPATCHER_TICK_MS while dispatcher_is_busy. */
enum { DISPATCHER_TICK_MS = 5 };
void dispatcher_tick(struct dispatcher *dispatcher);

/* --- workers --- */

/* The next record, which the caller has begun by taking it; NULL: there is none, or others take
 * them faster without this one; the taker is on the idle stack and will be woken. */
struct record *dispatcher_take(struct dispatcher *dispatcher, struct taker *taker);

/* The handler of `record` ended; the record is not the caller's any more. In the same critical
 * section takes the next one for `taker`, as dispatcher_take does; with taker NULL takes none. */
struct record *dispatcher_finish(struct dispatcher *dispatcher, struct record *record,
                                 enum verdict verdict, struct taker *taker);

/* The taker has something else to do now, or goes: it leaves the idle stack, and a wake that was on
 * its way to it is passed on. */
void dispatcher_leave(struct dispatcher *dispatcher, struct taker *taker);

#endif
