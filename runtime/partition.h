/* partition.h - one partition of a consumer: what is read of it, and what becomes of that.
 *
 * Lives as long as its consumer, over all assignments, because a record that ends after the loss of
 * its partition still finds its owner here. Each assignment has an epoch; what belongs to an older
 * one is dropped.
 *
 * What does not go on, and who ends it. Of a partition:
 *
 *   gated     is_gated      not read until the start that was resolved is committed; commit ends it
 *   revoking  is_revoking   not read, nothing is tried again, nothing starts but what finishes a
 *                           drain; partition_drop ends it
 *   stopped   is_stopped    a record failed for good: not read, nothing starts, nothing is
 *                           committed past it; partition_resume ends it, or the next
 *                           partition_assign
 *   held      lane.is_held  the same for the dispatcher; dispatcher_resume or _assign ends it
 *
 * Of a record:
 *
 *   behind    RECORD_BEHIND  in its strand, not its head; the head's end or release moves it up
 *   twin      RECORD_TWIN    its offset still runs from an earlier assignment; that end frees it
 *   held      RECORD_HELD    runnable in a held lane; it is given back
 *   kept      RECORD_KEPT    failed, still the head of its strand; a re-run by the schedule of
 *                            retries, or a release, ends it
 *   lettered  is_lettered    given up, kept or awaited; its dead letter's acknowledgement settles
 * it awaited   on `awaited`   ended well with a delivery open; its last report settles it
 *
 * Threads: main; librdkafka's threads set is_ready. */
#ifndef PARTITION_H
#define PARTITION_H

#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "drain.h"
#include "intake.h"
#include "offsets.h"
#include "partition_stall.h"
#include "partition_stop.h"

struct partition {
    struct intake *intake;
    struct link link;  /* on the assignment's list */
    struct lane *lane; /* the dispatcher's; its topic is ours too */
    int32_t number;

    /* Set by librdkafka when its queue becomes non-empty, by us when we leave something in it. */
    atomic_bool is_ready;

    /* Of the current assignment. */
    uint64_t epoch; /* 0: not assigned */
    rd_kafka_queue_t *queue;
    struct offsets offsets;
    bool is_revoking;           /* nothing more is read or tried again */
    bool is_finishing;          /* then what stands before others that have begun may begin yet */
    bool is_stopped;            /* by a failed record, until partition_resume or a new assignment */
    bool is_gated;              /* not read until its resolved start is committed */
    struct partition_stop stop; /* while it is stopped */
    struct stall stall;         /* whether it stands still though it is not */
    int64_t gives_back_from;    /* what has not begun, after the collect; INT64_MAX: nothing */
    bool has_seen_error;        /* then rd_kafka_position() is not to be trusted */
    bool is_position_stale;     /* the same, from a seek to the first record that is read */
    struct share share;         /* of the window */
    size_t awaited_count;
    struct link awaited; /* ended, waiting for deliveries or for their dead letter */
};

/* Where an assignment begins. */
struct partition_start {
    int64_t offset;
    bool is_committed; /* the group has committed this offset */
    bool is_missing;   /* nothing is committed and offset_reset is none: it stops */
};

struct partition *partition_new(struct intake *intake, const char *topic, int32_t number);
void partition_free(struct partition **partition);

/* A new epoch begins at start; splits off the partition's queue. Before rd_kafka_assign. */
void partition_assign(struct partition *partition, const struct partition_start *start);

/* Nothing more is read, and what has not begun is dropped; but what stands before a record that has
 * begun stays and may begin, until partition_revoke: if all of it is settled, nothing that is
 * completed has to be handled again by the partition's next reader. What cannot be settled any
 * more, because it failed or is to be read again, ends that: what stands behind it is dropped. A
 * partition that is stopped, or a breaker that is open, lets nothing begin. */
void partition_drain(struct partition *partition);

/* Nothing more is read or started; what has not begun is dropped. */
void partition_revoke(struct partition *partition);

/* A partition that was stopped, or in whose drain a record failed, drops what has not begun. After
 * every ended record that was collected has come to partition_end_record: one that failed too is
 * among what is dropped here. */
void partition_give_back(struct partition *partition);

/* The broker acknowledged a commit of `position` that was sent in that epoch. */
void partition_mark_committed(struct partition *partition, uint64_t epoch, int64_t position);

/* Handlers of this epoch run. What has ended and is not collected is not among them. */
size_t partition_running(const struct partition *partition);

/* Handlers of this epoch run, or wait for the acknowledgement of a delivery. */
bool partition_is_busy(const struct partition *partition);

/* Adds what of it is in hand to what a drain sees. */
void partition_look(const struct partition *partition, struct drain_sight *sight);

/* The epoch ends: what is not settled is dropped or left over. Before the (un)assign is answered.
 */
void partition_drop(struct partition *partition);

/* Reads up to `budget` records and gives them to the dispatcher; returns how many. */
size_t partition_read(struct partition *partition, size_t budget);

/* With nothing unsettled and nothing to be read, goes on where the broker's log begins if retention
 * has removed all that was to be read: no record may be left that tells of it. */
void partition_skip_removed(struct partition *partition);

/* It has work that is not at a stand: the window is shared by those that have. */
bool partition_is_active(struct partition *partition);

/* There is something to read, and no limit in the way. */
bool partition_may_read(struct partition *partition);

/* A new epoch of the same assignment begins at `offset`, which is committed before anything of it
 * starts. It was revoked, and what had begun has ended or is left over. */
void partition_seek(struct partition *partition, int64_t offset);

/* Starts it again, which is stopped, or sees to it that partition_go_on will. All that has ended
 * was collected. -1 and err when it cannot. */
MUST_USE int partition_resume(struct partition *partition, struct error *err);

/* Before and after each collect: a partition that is to start again, and waited for what ran, does
 * when that has ended and was collected. */
void partition_note_quiet(struct partition *partition);
void partition_go_on(struct partition *partition);

/* What there is for workers to do, of an assigned partition: what is read and not settled, and what
 * is there to be read, by the high watermark of the last fetch. So a record that is stuck counts
 * for one, however much is settled behind it. False: nothing was fetched yet, *lag is a part. */
bool partition_lag(const struct partition *partition, int64_t *lag);

/* What the group has committed, and the end of the partition as of the last fetch; -1: not known.
 * What was fetched may be older than what is committed. */
int64_t partition_committed(const struct partition *partition);
int64_t partition_end(const struct partition *partition);

/* An ended record comes back from the dispatcher. */
void partition_end_record(struct record *record);

/* The time of the record's retry has come. */
void partition_rerun(struct record *record);

/* The record's dead letter was acknowledged (reason NULL) or refused for good. */
void partition_end_letter(struct record *record, const char *reason);

/* A delivery of that run of the record was acknowledged (reason NULL) or refused for good. */
void partition_report(struct record *record, int run, const char *reason);

#endif
