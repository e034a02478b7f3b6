/* storm.c - main's part of the storm. */
#include "storm.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_BYTES = 16 };

static const char *const topic = "storm";

static void on_wake_worker(void *context, struct taker *taker)
{
    (void)context;
    inbox_wake(CONTAINER_OF(taker, struct storm_worker, taker)->inbox);
}

static void on_wake_main(void *context)
{
    struct storm *storm = context;
    inbox_wake(storm->inbox);
}

/* --- main: records --- */

static struct storm_lane *lane_of(struct storm *storm, const struct record *record)
{
    return &storm->lanes[record->partition];
}

static void settle(struct storm *storm, struct record *record)
{
    struct storm_lane *lane = lane_of(storm, record);
    if (record->epoch == lane->epoch)
        offsets_settle(&lane->offsets, record->slot);
    lane->settled[record->offset] = true;
    record_free(&record);
}

static struct record *read_record(struct storm *storm, struct storm_lane *lane)
{
    int64_t offset = lane->next++;
    char key[KEY_BYTES];
    int number = storm_key(storm, offset);
    int length = number < 0 ? 0 : snprintf(key, sizeof key, "key-%d", number);
    struct record *record = record_make(topic, (int32_t)(lane - storm->lanes), offset,
                                        number < 0 ? NULL : key, (size_t)length, NULL, 0);
    record->epoch = lane->epoch;
    record->slot = offsets_add(&lane->offsets, offset);
    return record;
}

static bool push(struct storm *storm, struct storm_lane *lane)
{
    struct record *records[BATCH];
    size_t count = 0;
    size_t wanted = 1 + storm_draw(&storm->random, BATCH);
    while (count < wanted && !lane->is_revoking && lane->next < storm->total &&
           offsets_unsettled(&lane->offsets) < WINDOW)
        records[count++] = read_record(storm, lane);
    if (count > 0)
        dispatcher_push(&storm->dispatcher, lane->lane, records, count);
    return count > 0;
}

static void give_back(struct storm *storm, struct storm_lane *lane, int64_t from)
{
    struct link unstarted;
    dispatcher_revoke(&storm->dispatcher, lane->lane, from, &unstarted);
    for (struct link *link; (link = list_pop(&unstarted)) != NULL;) {
        struct record *record = record_of_queue(link);
        record_free(&record);
    }
}

static void end_finishing(struct storm *storm, struct storm_lane *lane)
{
    lane->is_finishing = false;
    give_back(storm, lane, REVOKE_ALL);
}

static void end_record(struct storm *storm, struct record *record)
{
    struct storm_lane *lane = lane_of(storm, record);
    bool is_kept = record->state == RECORD_KEPT;
    if (is_kept && record->outcome != OUTCOME_FAILED)
        storm_fail(storm, "a record is kept that has not failed", record);
    if (is_kept && record->epoch == lane->epoch && !lane->is_revoking) {
        list_append(&storm->kept, &record->queue_link);
    } else if (is_kept && record->epoch == lane->epoch && lane->is_finishing) {
        /* With all that it holds up. */
        end_finishing(storm, lane);
    } else if (is_kept) {
        dispatcher_release(&storm->dispatcher, record);
        record_free(&record);
    } else if (storm_draw(&storm->random, 4) == 0) {
        list_append(&storm->awaited, &record->partition_link);
    } else {
        settle(storm, record);
    }
}

static bool collect(struct storm *storm)
{
    struct link ended;
    dispatcher_collect(&storm->dispatcher, &ended);
    bool has_some = !list_is_empty(&ended);
    for (struct link *link; (link = list_pop(&ended)) != NULL;)
        end_record(storm, record_of_queue(link));
    return has_some;
}

/* Kept records run again or are given up; stopped lanes go on. */
static bool decide(struct storm *storm)
{
    struct link kept;
    list_init(&kept);
    list_move_all(&kept, &storm->kept);
    bool has_some = !list_is_empty(&kept);
    for (struct link *link; (link = list_pop(&kept)) != NULL;) {
        struct record *record = record_of_queue(link);
        dispatcher_resume(&storm->dispatcher, record->lane);
        if (storm_draw(&storm->random, 2) == 0) {
            dispatcher_rerun(&storm->dispatcher, record);
        } else {
            dispatcher_release(&storm->dispatcher, record);
            settle(storm, record);
        }
    }
    return has_some;
}

static bool acknowledge(struct storm *storm)
{
    struct link awaited;
    list_init(&awaited);
    list_move_all(&awaited, &storm->awaited);
    bool has_some = !list_is_empty(&awaited);
    for (struct link *link; (link = list_pop(&awaited)) != NULL;)
        settle(storm, CONTAINER_OF(link, struct record, partition_link));
    return has_some;
}

/* --- main: assignments --- */

static void assign(struct storm *storm, struct storm_lane *lane)
{
    lane->epoch = ++storm->last_epoch;
    lane->is_revoking = false;
    lane->next = lane->committed;
    offsets_init(&lane->offsets, lane->committed, lane->committed);
    dispatcher_assign(&storm->dispatcher, lane->lane, lane->epoch);
}

/* What stands before others that have begun may begin, where nothing is kept back. */
static void revoke(struct storm *storm, struct storm_lane *lane)
{
    lane->is_revoking = true;
    lane->is_finishing = list_is_empty(&storm->kept) && storm_draw(&storm->random, 4) != 0;
    give_back(storm, lane, lane->is_finishing ? INT64_MAX : REVOKE_ALL);
}

/* Nothing before the position is committed that was never settled. */
static void commit(struct storm *storm, struct storm_lane *lane)
{
    for (; lane->committed < lane->offsets.position; lane->committed++) {
        if (!lane->settled[lane->committed])
            storm_fail(storm, "a record is committed past that was never settled", NULL);
    }
}

/* What was completed is committed, unless something that had begun failed. */
static void check_finished(struct storm *storm, struct storm_lane *lane)
{
    collect(storm);
    acknowledge(storm);
    if (lane->is_finishing && offsets_ahead(&lane->offsets) > 0)
        storm_fail(storm, "a drain ends in time, and settled records wait for an older one", NULL);
}

/* Ends the drain when nothing of the lane runs or may begin, or at its limit, which is drawn. In
 * this order: what has not begun by the first look may run by the second. */
static bool drain(struct storm *storm, struct storm_lane *lane)
{
    if (!lane->is_revoking)
        return false;
    bool is_busy = dispatcher_has_unstarted(&storm->dispatcher, lane->lane);
    is_busy = is_busy || dispatcher_running(&storm->dispatcher, lane->lane) > 0;
    if (is_busy && storm_draw(&storm->random, 8) != 0)
        return false;
    if (!is_busy)
        check_finished(storm, lane);
    end_finishing(storm, lane);
    commit(storm, lane);
    offsets_destroy(&lane->offsets);
    dispatcher_forget(&storm->dispatcher, lane->lane);
    assign(storm, lane);
    return true;
}

/* --- main: the storm --- */

/* However few turns main has beside a hundred workers, something is revoked in the middle. */
static bool is_revoke_due(const struct storm *storm, const struct storm_lane *lane)
{
    return storm->last_epoch == (uint64_t)storm->lane_count && lane->next >= storm->total / 2;
}

/* As a reload does: no record starts while some workers have the new one and some do not. */
static void change_generation(struct storm *storm)
{
    storm->last_generation++;
    dispatcher_lock(&storm->dispatcher);
    for (int i = 0; i < storm->worker_count; i++) {
        struct storm_worker *worker = &storm->workers[i];
        atomic_store_explicit(&worker->generation, storm->last_generation, memory_order_relaxed);
        if (i == storm->worker_count / 2)
            sched_yield(); /* others may run now: nothing may start */
    }
    dispatcher_unlock(&storm->dispatcher);
}

static bool disturb(struct storm *storm)
{
    struct storm_lane *lane =
        &storm->lanes[storm_draw(&storm->random, (uint64_t)storm->lane_count)];
    struct storm_worker *worker =
        &storm->workers[storm_draw(&storm->random, (uint64_t)storm->worker_count)];
    switch (is_revoke_due(storm, lane) ? 0 : storm_draw(&storm->random, 100)) {
    case 0:
        if (!lane->is_revoking)
            revoke(storm, lane);
        return true;
    case 1:
        dispatcher_hold(&storm->dispatcher, lane->lane);
        dispatcher_resume(&storm->dispatcher, lane->lane);
        return true;
    case 2:
        storm_worker_stop(worker);
        storm_worker_start(worker);
        return true;
    case 3:
    case 4:
    case 5:
    case 6:
        change_generation(storm);
        return true;
    default:
        return false;
    }
}

/* What main needs is said before it collects, so that no end falls between the two. */
static void say_need(struct storm *storm)
{
    bool is_draining = false;
    size_t unsettled = 0;
    for (int i = 0; i < storm->lane_count; i++) {
        is_draining = is_draining || storm->lanes[i].is_revoking;
        unsettled += offsets_unsettled(&storm->lanes[i].offsets);
    }
    if (is_draining)
        dispatcher_set_need(&storm->dispatcher, NEED_EVERY, 0);
    else
        dispatcher_set_need(&storm->dispatcher, NEED_ROOM, unsettled / 2 + 1);
}

static bool is_done(const struct storm *storm)
{
    bool is_done = true;
    for (int i = 0; i < storm->lane_count; i++)
        is_done = is_done && storm->lanes[i].offsets.position == storm->total;
    return is_done;
}

static void blow(struct storm *storm)
{
    while (!is_done(storm) && !atomic_load(&storm->has_failed)) {
        say_need(storm);
        bool is_busy = collect(storm);
        is_busy = decide(storm) || is_busy;
        is_busy = acknowledge(storm) || is_busy;
        for (int i = 0; i < storm->lane_count; i++) {
            is_busy = drain(storm, &storm->lanes[i]) || is_busy;
            is_busy = push(storm, &storm->lanes[i]) || is_busy;
        }
        is_busy = disturb(storm) || is_busy;
        if (!is_busy)
            inbox_sleep(storm->inbox, storm->deadline_ms);
        if (clock_monotonic_ms() > storm->deadline_ms)
            storm_fail(storm, "it stands still", NULL);
    }
}

/* --- its begin and its end --- */

static void lanes_init(struct storm *storm)
{
    for (int i = 0; i < storm->lane_count; i++) {
        struct storm_lane *lane = &storm->lanes[i];
        lane->lane = dispatcher_lane(&storm->dispatcher, topic, i);
        lane->strands = xcalloc((size_t)storm->keys, sizeof lane->strands[0]);
        lane->running = xcalloc((size_t)storm->total, sizeof lane->running[0]);
        lane->settled = xcalloc((size_t)storm->total, sizeof lane->settled[0]);
        assign(storm, lane);
    }
}

static void workers_init(struct storm *storm, int hands)
{
    for (int i = 0; i < storm->worker_count; i++) {
        struct storm_worker *worker = &storm->workers[i];
        worker->storm = storm;
        worker->inbox = inbox_new();
        worker->random = storm->random + (uint64_t)i + 1;
        worker->hands = hands;
        taker_init(&worker->taker);
        storm_worker_start(worker);
    }
}

/* What was read beyond the last record that settled is given back. */
static void lanes_destroy(struct storm *storm)
{
    for (int i = 0; i < storm->lane_count; i++)
        revoke(storm, &storm->lanes[i]);
    collect(storm);
    acknowledge(storm);
    for (int i = 0; i < storm->lane_count; i++) {
        struct storm_lane *lane = &storm->lanes[i];
        commit(storm, lane);
        offsets_destroy(&lane->offsets);
        free(lane->strands);
        free(lane->running);
        free(lane->settled);
    }
}

static void storm_destroy(struct storm *storm)
{
    for (int i = 0; i < storm->worker_count; i++)
        storm_worker_stop(&storm->workers[i]);
    lanes_destroy(storm);
    dispatcher_destroy(&storm->dispatcher);
    for (int i = 0; i < storm->worker_count; i++)
        inbox_release(&storm->workers[i].inbox);
    inbox_release(&storm->inbox);
}

uint64_t storm_blow(const struct storm_options *options, char *failure, size_t failure_size)
{
    struct storm *storm = xcalloc(1, sizeof *storm);
    storm->distribution = options->distribution;
    storm->worker_count = options->workers;
    storm->lane_count = options->lanes;
    storm->total = options->records;
    storm->keys = options->keys;
    storm->random = options->seed * 2 + 1;
    storm->deadline_ms = clock_monotonic_ms() + options->deadline_ms;

    struct dispatcher_callbacks callbacks = {storm, on_wake_worker, on_wake_main};
    /* So few that workers are spared now and then, and found missing again. */
    const struct sparing sparing = {.cpus = 2, .pace = 64};
    dispatcher_init(&storm->dispatcher, storm->distribution, &sparing, &callbacks);
    storm->inbox = inbox_new();
    list_init(&storm->kept);
    list_init(&storm->awaited);
    lanes_init(storm);
    workers_init(storm, options->hands);
    blow(storm);
    storm_destroy(storm);

    uint64_t epochs = atomic_load(&storm->has_failed) ? 0 : storm->last_epoch;
    snprintf(failure, failure_size, "%s", storm->failure);
    free(storm);
    return epochs;
}
