#include "dispatcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A re-run record goes before everything else. */
enum { RERUN_TURN = 0, FIRST_TURN = 1 };

enum {
    INITIAL_ENDED = 256,
    FETCHED_AHEAD = 6, /* records, so that memory is there when it is their turn */
};

/* Whom to wake once the mutex is released, and what is likely to be asked for then. */
struct wakes {
    struct taker *worker;
    bool is_main;
    const struct record *next;
};

void dispatcher_init(struct dispatcher *dispatcher, enum distribution distribution,
                     const struct sparing *sparing, const struct dispatcher_callbacks *callbacks)
{
    *dispatcher = (struct dispatcher){
        .callbacks = *callbacks,
        .next_turn = FIRST_TURN,
        .ration = RATION_UNLIMITED,
    };
    pthread_mutex_init(&dispatcher->mutex, NULL);
    run_queue_init(&dispatcher->run_queue);
    idle_takers_init(&dispatcher->idle, sparing);
    strands_init(&dispatcher->strands, distribution);
}

void dispatcher_destroy(struct dispatcher *dispatcher)
{
    assert(dispatcher->ended.count == 0);
    free(dispatcher->ended.list);
    free(dispatcher->collected.list);
    run_queue_destroy(&dispatcher->run_queue);
    while (dispatcher->lanes != NULL) {
        struct lane *lane = dispatcher->lanes;
        dispatcher->lanes = lane->next;
        lane_free(&lane);
    }
    strands_destroy(&dispatcher->strands);
    pthread_mutex_destroy(&dispatcher->mutex);
}

/* --- wake-ups --- */

/* There is something that a worker may start now. */
static bool has_backlog(const struct dispatcher *dispatcher)
{
    return dispatcher->run_queue.length > 0 && dispatcher->ration > 0;
}

/* One wake is under way at a time; the woken worker starts the next when its take leaves backlog.
 * So the pool grows only as fast as its threads really run: cheap handlers empty the queue before
 * many are up, blocking ones bring up all. */
static void wake_worker(struct dispatcher *dispatcher, struct wakes *wakes)
{
    if (wakes->worker == NULL && has_backlog(dispatcher))
        wakes->worker = idle_takers_wake(&dispatcher->idle);
}

/* What has ended is what main sleeps for. */
static bool is_due(const struct dispatcher *dispatcher)
{
    if (dispatcher->ended.count == 0 || dispatcher->need == NEED_NOTHING)
        return false;
    return dispatcher->need == NEED_EVERY || dispatcher->ended.count >= dispatcher->low_water ||
           !has_backlog(dispatcher);
}

static void wake_main(struct dispatcher *dispatcher, struct wakes *wakes)
{
    if (!is_due(dispatcher))
        return;
    if (dispatcher->need == NEED_ROOM)
        dispatcher->need = NEED_NOTHING;
    wakes->is_main = true;
}

static void unlock_and_wake(struct dispatcher *dispatcher, const struct wakes *wakes)
{
    pthread_mutex_unlock(&dispatcher->mutex);
    if (wakes->next != NULL)
        record_prefetch(wakes->next);
    if (wakes->worker != NULL)
        dispatcher->callbacks.on_wake_worker(dispatcher->callbacks.context, wakes->worker);
    if (wakes->is_main)
        dispatcher->callbacks.on_wake_main(dispatcher->callbacks.context);
}

/* --- a record's way in and out --- */

static void hold_back(struct record *record)
{
    record->state = RECORD_HELD;
    list_append(&record->lane->held, &record->queue_link);
}

/* What the record waited for is over. */
static void make_runnable(struct dispatcher *dispatcher, struct record *record)
{
    if (record->lane->is_held) {
        hold_back(record);
        return;
    }
    record->state = RECORD_RUNNABLE;
    run_queue_insert(&dispatcher->run_queue, record);
}

static void enter(struct dispatcher *dispatcher, struct lane *lane, struct record *record)
{
    assert(record->state == RECORD_OUTSIDE && record->epoch == lane->epoch);
    record->turn = dispatcher->next_turn++;
    list_append(&lane->records, &record->lane_link);

    if (strand_is_due(&dispatcher->strands, record)) {
        strand_enter(&dispatcher->strands, record);
        if (record->ahead != NULL) {
            record->state = RECORD_BEHIND;
            return;
        }
    } else {
        struct record *leftover = lane_find_leftover(lane, record->offset);
        if (leftover != NULL) {
            record->state = RECORD_TWIN;
            record->twin_of = leftover;
            leftover->twin = record;
            return;
        }
    }
    if (lane->is_held) {
        hold_back(record);
        return;
    }
    record->state = RECORD_RUNNABLE;
    run_queue_append(&dispatcher->run_queue, record);
}

/* Nothing waits for the record any more; what did moves on. It stays on the list of its lane, which
 * is main's. */
static void leave(struct dispatcher *dispatcher, struct record *record)
{
    record->state = RECORD_OUTSIDE;
    if (record->twin != NULL) {
        struct record *twin = record->twin;
        twin->twin_of = NULL;
        record->twin = NULL;
        make_runnable(dispatcher, twin);
    }
    if (!record->is_stranded)
        return;
    assert(record->ahead == NULL);
    struct record *next = strand_leave(&dispatcher->strands, record);
    if (next != NULL)
        make_runnable(dispatcher, next);
}

/* --- main --- */

struct lane *dispatcher_lane(struct dispatcher *dispatcher, const char *topic, int32_t partition)
{
    struct lane *lane = dispatcher->lanes;
    while (lane != NULL && (lane->partition != partition || strcmp(lane->topic, topic) != 0))
        lane = lane->next;
    if (lane != NULL)
        return lane;

    lane = lane_new(topic, partition);
    lane->number = ++dispatcher->lane_count;
    lane->next = dispatcher->lanes;
    dispatcher->lanes = lane;
    return lane;
}

void dispatcher_assign(struct dispatcher *dispatcher, struct lane *lane, uint64_t epoch)
{
    pthread_mutex_lock(&dispatcher->mutex);
    assert(epoch > 0 && list_is_empty(&lane->held));
    lane_end_epoch(lane);
    lane->epoch = epoch;
    lane->is_held = false;
    lane->begun_end = 0;
    pthread_mutex_unlock(&dispatcher->mutex);
}

void dispatcher_push(struct dispatcher *dispatcher, struct lane *lane, struct record **records,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        records[i]->lane = lane;
        if (strand_is_due(&dispatcher->strands, records[i]))
            strand_prepare(&dispatcher->strands, records[i]);
    }
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    for (size_t i = 0; i < count; i++)
        enter(dispatcher, lane, records[i]);
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

static void take_ended(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->mutex);
    struct ended_records empty = dispatcher->collected;
    empty.count = 0;
    dispatcher->collected = dispatcher->ended;
    dispatcher->ended = empty;
    pthread_mutex_unlock(&dispatcher->mutex);
}

void dispatcher_collect(struct dispatcher *dispatcher, struct link *ended)
{
    take_ended(dispatcher);
    list_init(ended);
    const struct ended_records *collected = &dispatcher->collected;
    for (size_t i = 0; i < collected->count; i++) {
        if (i + FETCHED_AHEAD < collected->count)
            record_prefetch(collected->list[i + FETCHED_AHEAD]);
        struct record *record = collected->list[i];
        if (record->state == RECORD_ENDED)
            record->state = RECORD_KEPT;
        else
            list_remove(&record->lane_link);
        list_append(ended, &record->queue_link);
    }
}

void dispatcher_rerun(struct dispatcher *dispatcher, struct record *record)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    assert(record->state == RECORD_KEPT && record->epoch == record->lane->epoch);
    record->turn = RERUN_TURN;
    make_runnable(dispatcher, record);
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

void dispatcher_release(struct dispatcher *dispatcher, struct record *record)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    assert(record->state == RECORD_KEPT);
    leave(dispatcher, record);
    list_remove(&record->lane_link);
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

static void hold(struct dispatcher *dispatcher, struct lane *lane)
{
    struct link removed;
    list_init(&removed);
    lane->is_held = true;
    run_queue_remove_lane(&dispatcher->run_queue, lane, REVOKE_ALL, &removed);
    for (struct link *link; (link = list_pop(&removed)) != NULL;)
        hold_back(record_of_queue(link));
}

void dispatcher_hold(struct dispatcher *dispatcher, struct lane *lane)
{
    pthread_mutex_lock(&dispatcher->mutex);
    hold(dispatcher, lane);
    pthread_mutex_unlock(&dispatcher->mutex);
}

void dispatcher_resume(struct dispatcher *dispatcher, struct lane *lane)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    lane->is_held = false;
    for (struct link *link; (link = list_pop(&lane->held)) != NULL;)
        make_runnable(dispatcher, record_of_queue(link));
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

void dispatcher_ration(struct dispatcher *dispatcher, size_t starts)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    dispatcher->ration = starts;
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

bool dispatcher_is_busy(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->mutex);
    bool is_busy =
        has_backlog(dispatcher) || dispatcher->running > 0 || dispatcher->ended.count > 0;
    pthread_mutex_unlock(&dispatcher->mutex);
    return is_busy;
}

bool dispatcher_set_need(struct dispatcher *dispatcher, enum dispatcher_need need, size_t low_water)
{
    pthread_mutex_lock(&dispatcher->mutex);
    dispatcher->need = need;
    dispatcher->low_water = low_water;
    bool is_due_now = is_due(dispatcher);
    pthread_mutex_unlock(&dispatcher->mutex);
    return is_due_now;
}

void dispatcher_lock(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->mutex);
}

void dispatcher_unlock(struct dispatcher *dispatcher)
{
    pthread_mutex_unlock(&dispatcher->mutex);
}

void dispatcher_tick(struct dispatcher *dispatcher)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    idle_takers_beat(&dispatcher->idle, has_backlog(dispatcher));
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

/* --- workers --- */

/* A worker that was woken answers that wake by its take, and wakes the next if backlog is left. */
static struct record *take(struct dispatcher *dispatcher, struct taker *taker, struct wakes *wakes)
{
    bool was_woken = idle_takers_answer(&dispatcher->idle, taker);
    if (!has_backlog(dispatcher) || !idle_takers_begin(&dispatcher->idle, taker)) {
        idle_takers_push(&dispatcher->idle, taker);
        return NULL;
    }
    struct record *record = run_queue_pop(&dispatcher->run_queue);
    /* Each of those that are up is likely to take one before it is this one's turn again. */
    wakes->next = run_queue_peek(&dispatcher->run_queue, dispatcher->idle.up - 1);
    assert(record->state == RECORD_RUNNABLE && record->epoch == record->lane->epoch);
    if (dispatcher->ration != RATION_UNLIMITED)
        dispatcher->ration--;
    record->state = RECORD_RUNNING;
    if (record->lane->begun_end <= record->offset)
        record->lane->begun_end = record->offset + 1;
    record->lane->running++;
    dispatcher->running++;
    if (was_woken)
        wake_worker(dispatcher, wakes);
    return record;
}

struct record *dispatcher_take(struct dispatcher *dispatcher, struct taker *taker)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    struct record *record = take(dispatcher, taker, &wakes);
    unlock_and_wake(dispatcher, &wakes);
    return record;
}

static void add_ended(struct ended_records *ended, struct record *record)
{
    if (ended->count == ended->capacity) {
        ended->capacity = ended->capacity > 0 ? 2 * ended->capacity : INITIAL_ENDED;
        ended->list = xrealloc(ended->list, ended->capacity * sizeof ended->list[0]);
    }
    ended->list[ended->count++] = record;
}

/* The record goes to main; its strand moves on unless the verdict keeps it. A leftover always
 * releases its strand: its outcome concerns nobody any more. */
static void finish(struct dispatcher *dispatcher, struct record *record, enum verdict verdict)
{
    struct lane *lane = record->lane;
    assert(record->state == RECORD_RUNNING);
    dispatcher->running--;
    if (record->epoch == lane->epoch) {
        lane->running--;
    } else {
        lane->leftovers--;
        verdict = VERDICT_RELEASE;
    }
    if (verdict == VERDICT_HOLD)
        hold(dispatcher, lane);
    if (verdict == VERDICT_RELEASE) {
        leave(dispatcher, record);
    } else {
        record->state = RECORD_ENDED;
    }
    add_ended(&dispatcher->ended, record);
}

struct record *dispatcher_finish(struct dispatcher *dispatcher, struct record *record,
                                 enum verdict verdict, struct taker *taker)
{
    struct wakes wakes = {0};
    struct record *next = NULL;
    pthread_mutex_lock(&dispatcher->mutex);
    /* The twin and the next of the strand: more than this worker takes. */
    bool may_free_two = record->twin != NULL && record->is_stranded;
    finish(dispatcher, record, verdict);
    if (taker != NULL)
        next = take(dispatcher, taker, &wakes);
    if (taker == NULL || may_free_two)
        wake_worker(dispatcher, &wakes);
    wake_main(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
    return next;
}

void dispatcher_leave(struct dispatcher *dispatcher, struct taker *taker)
{
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    idle_takers_answer(&dispatcher->idle, taker);
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}
