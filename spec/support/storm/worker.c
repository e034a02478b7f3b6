/* worker.c - the workers of the storm. */
#include "storm.h"

#include <sched.h>
#include <stdio.h>

/* xorshift */
uint64_t storm_draw(uint64_t *state, uint64_t sides)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % sides;
}

void storm_fail(struct storm *storm, const char *what, const struct record *record)
{
    if (atomic_exchange(&storm->has_failed, true))
        return;
    snprintf(storm->failure, sizeof storm->failure, "%s: lane %d, offset %lld, epoch %llu", what,
             record != NULL ? (int)record->partition : -1,
             record != NULL ? (long long)record->offset : -1LL,
             record != NULL ? (unsigned long long)record->epoch : 0ULL);
    inbox_wake(storm->inbox);
}

int storm_key(const struct storm *storm, int64_t offset)
{
    uint64_t state = (uint64_t)offset * 2654435761U + 1;
    storm_draw(&state, 2);
    return storm_draw(&state, 8) == 0 ? -1 : (int)storm_draw(&state, (uint64_t)storm->keys);
}

static struct strand_check *strand_check_of(struct storm *storm, const struct record *record)
{
    int key = storm_key(storm, record->offset);
    if (storm->distribution == DISTRIBUTION_PARTITION)
        return &storm->lanes[record->partition].strands[0];
    if (storm->distribution == DISTRIBUTION_FREE_WORKER || key < 0)
        return NULL;
    return &storm->lanes[record->partition].strands[key];
}

static void begin(struct storm_worker *worker, struct record *record)
{
    struct storm *storm = worker->storm;
    worker->begun[worker->begun_count++] = record;
    if (atomic_exchange(&storm->lanes[record->partition].running[record->offset], 1) != 0)
        storm_fail(storm, "one offset runs twice at once", record);
    struct strand_check *strand = strand_check_of(storm, record);
    if (strand == NULL)
        return;
    if (atomic_exchange_explicit(&strand->running, 1, memory_order_relaxed) != 0)
        storm_fail(storm, "two records of a strand run at once", record);
    if (record->epoch < strand->epoch ||
        (record->epoch == strand->epoch && record->offset < strand->offset))
        storm_fail(storm, "a record started after its successor", record);
    uint64_t generation = atomic_load_explicit(&worker->generation, memory_order_relaxed);
    if (generation < strand->generation)
        storm_fail(storm, "a strand's generation went back", record);
    strand->generation = generation;
    strand->epoch = record->epoch;
    strand->offset = record->offset;
}

static void work(struct storm_worker *worker)
{
    uint64_t effort = storm_draw(&worker->random, 64);
    if (effort == 0)
        sched_yield();
    for (volatile uint64_t i = 0; i < effort * 4; i++)
        continue;
}

static enum verdict draw_verdict(struct storm_worker *worker)
{
    uint64_t lot = storm_draw(&worker->random, 512);
    return lot == 0 ? VERDICT_HOLD : lot < 16 ? VERDICT_KEEP : VERDICT_RELEASE;
}

/* Ends one of the begun records; takes the next if `taker` is given. */
static void end(struct storm_worker *worker, struct taker *taker)
{
    struct storm *storm = worker->storm;
    int index = (int)storm_draw(&worker->random, (uint64_t)worker->begun_count);
    struct record *record = worker->begun[index];
    worker->begun[index] = worker->begun[--worker->begun_count];
    enum verdict verdict = draw_verdict(worker);
    record->outcome = verdict == VERDICT_RELEASE ? OUTCOME_DONE : OUTCOME_FAILED;
    struct strand_check *strand = strand_check_of(storm, record);
    if (strand != NULL)
        atomic_store_explicit(&strand->running, 0, memory_order_relaxed);
    atomic_store(&storm->lanes[record->partition].running[record->offset], 0);

    struct record *next = dispatcher_finish(&storm->dispatcher, record, verdict, taker);
    if (taker == NULL)
        return;
    worker->is_idle = next == NULL;
    if (next != NULL)
        begin(worker, next);
}

static void stop_idling(struct storm_worker *worker)
{
    if (worker->is_idle)
        dispatcher_leave(&worker->storm->dispatcher, &worker->taker);
    worker->is_idle = false;
}

/* An answer came: the worker ends something before it takes anything, as a woken handler does. */
static void answer_posts(struct storm_worker *worker)
{
    uint64_t tickets[16];
    inbox_drain(worker->inbox, tickets, ARRAY_LENGTH(tickets));
    stop_idling(worker);
    if (worker->begun_count > 0)
        end(worker, NULL);
}

static void post_somebody(struct storm_worker *worker)
{
    struct storm *storm = worker->storm;
    uint64_t other = storm_draw(&worker->random, (uint64_t)storm->worker_count);
    inbox_post(storm->workers[other].inbox, 1);
}

static void take(struct storm_worker *worker)
{
    struct record *record = dispatcher_take(&worker->storm->dispatcher, &worker->taker);
    worker->is_idle = record == NULL;
    if (record != NULL)
        begin(worker, record);
}

/* With records begun a worker ends one of them when there is nothing to take: what they wait for
 * comes. Without any it sleeps until it is woken. */
static void turn(struct storm_worker *worker)
{
    if (inbox_has_posts(worker->inbox)) {
        answer_posts(worker);
    } else if (worker->begun_count < worker->hands && !worker->is_idle) {
        take(worker);
    } else if (worker->begun_count > 0) {
        work(worker);
        stop_idling(worker);
        if (storm_draw(&worker->random, 64) == 0)
            post_somebody(worker);
        end(worker, storm_draw(&worker->random, 8) == 0 ? NULL : &worker->taker);
    } else {
        inbox_sleep(worker->inbox, worker->storm->deadline_ms);
        worker->is_idle = false;
    }
}

static void *worker_main(void *argument)
{
    struct storm_worker *worker = argument;
    while (!atomic_load(&worker->is_retiring))
        turn(worker);
    dispatcher_leave(&worker->storm->dispatcher, &worker->taker);
    while (worker->begun_count > 0)
        end(worker, NULL);
    return NULL;
}

void storm_worker_start(struct storm_worker *worker)
{
    atomic_store(&worker->is_retiring, false);
    worker->is_idle = false;
    pthread_create(&worker->thread, NULL, worker_main, worker);
}

void storm_worker_stop(struct storm_worker *worker)
{
    atomic_store(&worker->is_retiring, true);
    inbox_wake(worker->inbox);
    pthread_join(worker->thread, NULL);
}
