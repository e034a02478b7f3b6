#include "dispatcher.h"

#include <assert.h>
#include <string.h>

/* A re-run record goes before everything else. */
enum { RERUN_TURN = 0, FIRST_TURN = 1 };

/* Whom to wake once the mutex is released. */
struct wakes {
    struct taker *worker;
    bool is_main;
};

void dispatcher_init(struct dispatcher *dispatcher, enum distribution distribution,
                     const struct sparing *sparing, const struct dispatcher_callbacks *callbacks)
{
    *dispatcher = (struct dispatcher){
        .callbacks = *callbacks,
        .distribution = distribution,
        .next_turn = FIRST_TURN,
        .ration = RATION_UNLIMITED,
    };
    pthread_mutex_init(&dispatcher->mutex, NULL);
    run_queue_init(&dispatcher->run_queue);
    idle_takers_init(&dispatcher->idle, sparing);
    list_init(&dispatcher->ended);
}

void dispatcher_destroy(struct dispatcher *dispatcher)
{
    assert(list_is_empty(&dispatcher->ended));
    run_queue_destroy(&dispatcher->run_queue);
    while (dispatcher->lanes != NULL) {
        struct lane *lane = dispatcher->lanes;
        dispatcher->lanes = lane->next;
        lane_free(&lane);
    }
    strand_spares_destroy(&dispatcher->spare_strands);
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

static void wake_main(struct dispatcher *dispatcher, struct wakes *wakes)
{
    bool is_dry = !has_backlog(dispatcher);
    switch (dispatcher->need) {
    case NEED_NOTHING:
        return;
    case NEED_ROOM:
        if (dispatcher->ended_count < dispatcher->low_water && !is_dry)
            return;
        dispatcher->need = NEED_NOTHING;
        break;
    case NEED_EVERY:
        break;
    }
    wakes->is_main = true;
}

static void unlock_and_wake(struct dispatcher *dispatcher, const struct wakes *wakes)
{
    pthread_mutex_unlock(&dispatcher->mutex);
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
    record->lane = lane;
    record->turn = dispatcher->next_turn++;
    list_append(&lane->records, &record->lane_link);

    if (strand_is_due(dispatcher->distribution, record)) {
        struct strand *strand = strand_find(&dispatcher->spare_strands, dispatcher->distribution,
                                            &lane->strands, record);
        record->strand = strand;
        if (strand->head != NULL) {
            record->state = RECORD_BEHIND;
            list_append(&strand->behind, &record->queue_link);
            return;
        }
        strand->head = record;
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

/* The record leaves the dispatcher; what waited for it moves on. */
static void leave(struct dispatcher *dispatcher, struct record *record)
{
    record->state = RECORD_OUTSIDE;
    list_remove(&record->lane_link);
    if (record->twin != NULL) {
        struct record *twin = record->twin;
        twin->twin_of = NULL;
        record->twin = NULL;
        make_runnable(dispatcher, twin);
    }
    struct strand *strand = record->strand;
    record->strand = NULL;
    if (strand == NULL)
        return;
    assert(strand->head == record);
    struct link *next = list_pop(&strand->behind);
    if (next == NULL) {
        strand_delete(&dispatcher->spare_strands, strand);
        return;
    }
    strand->head = record_of_queue(next);
    make_runnable(dispatcher, strand->head);
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
        if (strand_is_due(dispatcher->distribution, records[i]))
            strand_hash(dispatcher->distribution, records[i]);
    }
    struct wakes wakes = {0};
    pthread_mutex_lock(&dispatcher->mutex);
    for (size_t i = 0; i < count; i++)
        enter(dispatcher, lane, records[i]);
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

/* Under the mutex, because a worker that stops its lane looks at the states of all its records. */
static void mark_kept(struct dispatcher *dispatcher)
{
    struct link *link = dispatcher->ended.next;
    for (; dispatcher->ended_kept > 0; link = link->next) {
        struct record *record = record_of_queue(link);
        if (record->state != RECORD_ENDED)
            continue;
        record->state = RECORD_KEPT;
        dispatcher->ended_kept--;
    }
}

void dispatcher_collect(struct dispatcher *dispatcher, struct link *ended)
{
    list_init(ended);
    pthread_mutex_lock(&dispatcher->mutex);
    mark_kept(dispatcher);
    list_move_all(ended, &dispatcher->ended);
    dispatcher->ended_count = 0;
    pthread_mutex_unlock(&dispatcher->mutex);
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
    wake_worker(dispatcher, &wakes);
    unlock_and_wake(dispatcher, &wakes);
}

static void hold(struct dispatcher *dispatcher, struct lane *lane)
{
    lane->is_held = true;
    run_queue_remove_lane(&dispatcher->run_queue, lane, REVOKE_ALL);
    for (struct link *link = lane->records.next; link != &lane->records; link = link->next) {
        struct record *record = record_of_lane(link);
        if (record->state == RECORD_RUNNABLE)
            hold_back(record);
    }
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

size_t dispatcher_running(struct dispatcher *dispatcher, const struct lane *lane)
{
    pthread_mutex_lock(&dispatcher->mutex);
    size_t running = lane->running;
    pthread_mutex_unlock(&dispatcher->mutex);
    return running;
}

size_t dispatcher_running_all(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->mutex);
    size_t running = dispatcher->running;
    pthread_mutex_unlock(&dispatcher->mutex);
    return running;
}

bool dispatcher_is_busy(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->mutex);
    bool is_busy =
        has_backlog(dispatcher) || dispatcher->running > 0 || dispatcher->ended_count > 0;
    pthread_mutex_unlock(&dispatcher->mutex);
    return is_busy;
}

void dispatcher_each_running(struct dispatcher *dispatcher,
                             void (*visit)(void *context, const struct record *record),
                             void *context)
{
    pthread_mutex_lock(&dispatcher->mutex);
    for (struct lane *lane = dispatcher->lanes; lane != NULL; lane = lane->next) {
        for (struct link *link = lane->records.next; link != &lane->records; link = link->next) {
            const struct record *record = record_of_lane(link);
            if (record->state == RECORD_RUNNING)
                visit(context, record);
        }
    }
    pthread_mutex_unlock(&dispatcher->mutex);
}

void dispatcher_set_need(struct dispatcher *dispatcher, enum dispatcher_need need, size_t low_water)
{
    pthread_mutex_lock(&dispatcher->mutex);
    dispatcher->need = need;
    dispatcher->low_water = low_water;
    pthread_mutex_unlock(&dispatcher->mutex);
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
        dispatcher->ended_kept++;
    }
    list_append(&dispatcher->ended, &record->queue_link);
    dispatcher->ended_count++;
}

struct record *dispatcher_finish(struct dispatcher *dispatcher, struct record *record,
                                 enum verdict verdict, struct taker *taker)
{
    struct wakes wakes = {0};
    struct record *next = NULL;
    pthread_mutex_lock(&dispatcher->mutex);
    /* The twin and the next of the strand: more than this worker takes. */
    bool may_free_two = record->twin != NULL && record->strand != NULL;
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
