/* What a worker's thread does: it takes records, begins, wakes and ends calls, and sleeps. */
#include "worker_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy.h"
#include "thread.h"

_Static_assert(WORKER_MAX_HANDS < 1 << CALL_INDEX_BITS, "a ticket holds the call's index");

/* Posted tickets taken from the inbox at once. */
enum { DRAIN_COUNT = 64 };

static bool has_free_hand(const struct worker *worker)
{
    return worker_busy(worker) < worker->hand_limit;
}

/* No read-modify-write: only the worker writes. */
static void set_busy(struct worker *worker, size_t busy)
{
    atomic_store_explicit(&worker->busy, busy, memory_order_relaxed);
}

/* --- ends --- */

static struct hand *hand_of(struct link *link)
{
    return CONTAINER_OF(link, struct hand, link);
}

/* The record goes back with what became of it. */
static void note_outcome(struct record *record, const struct call *call)
{
    record->outcome = call->outcome;
    record->fault = call->fault;
    record->failure = call->failure;
    record->published = call->published;
    record->retry_after_ms = call->request.retry_after_ms;
    record->is_uncounted = call->request.is_uncounted;
}

static enum main_end main_end_of(enum outcome outcome)
{
    if (outcome == OUTCOME_INTERRUPTED)
        return MAIN_INTERRUPTED;
    return outcome == OUTCOME_DONE ? MAIN_RETURNED : MAIN_FAILED;
}

/* What main counts. The end of a call is mostly the begin of the next: one look at the clock does
 * for both. */
static void note_duration(struct worker *worker, const struct hand *hand)
{
    worker->ended_ns = clock_monotonic_ns();
    int64_t duration_ns = worker->ended_ns - hand->began_ns;
    hand->call.record->handler_ns += duration_ns;
    histogram_note(&worker->durations, duration_ns / 1000);
    atomic_store_explicit(&worker->lua_bytes, script_bytes(hand->state->script),
                          memory_order_relaxed);
}

/* The hand is free again. Its record goes back, and unless a woken call is to go first or the
 * worker retires, the next one is taken in the same critical section. */
static void hand_end(struct worker *worker, struct hand *hand)
{
    struct record *record = hand->call.record;
    if (record != NULL)
        note_duration(worker, hand);
    hand->call.record = NULL;
    if (record != NULL) {
        note_outcome(record, &hand->call);
        record->decision = policy_decide(script_consumer(hand->state->script), record);
    }
    /* The state, and the config it was made for, may be gone from here on. */
    worker_states_end(&worker->states, hand->state);
    set_busy(worker, worker_busy(worker) - 1);
    list_append(&worker->free, &hand->link);
    if (record == NULL) {
        worker->main_end = main_end_of(hand->call.outcome);
        worker->main_text = hand->call.failure;
        atomic_store(&worker->state, WORKER_RETIRES);
        return;
    }
    bool takes_next = list_is_empty(&worker->woken) && worker->next == NULL &&
                      has_free_hand(worker) && !worker_is_retiring(worker) &&
                      worker_states_may_begin(&worker->states);
    struct record *next =
        dispatcher_finish(worker->options.dispatcher, record, policy_verdict(record),
                          takes_next ? &worker->taker : NULL);
    if (takes_next) {
        worker->next = next;
        worker->is_idle = next == NULL;
    }
}

/* Before its record goes back, and the next one is taken. */
static void look_for_spoil(struct worker *worker, const struct hand *hand)
{
    if (worker_states_note(&worker->states, hand->state) && worker->options.on_spoil != NULL)
        worker->options.on_spoil(worker->options.context, worker);
}

static void hand_settle(struct worker *worker, struct hand *hand, enum script_result result)
{
    look_for_spoil(worker, hand);
    if (result == SCRIPT_ENDED) {
        hand_end(worker, hand);
        return;
    }
    taker_wait(&worker->taker);
    if (hand->call.wait == CALL_WAITS_TIME)
        timers_add(&worker->timers, hand->call.wake_at_ms, call_index_of_ticket(hand->call.ticket));
}

/* --- beginnings --- */

/* As many hands as the state's consumer wants; one where there is none. Those that are too many
 * stay, and are not used. */
static void make_hands(struct worker *worker, size_t count)
{
    worker->hand_limit = count;
    if (count <= worker->hand_count)
        return;
    worker->hands = xrealloc(worker->hands, count * sizeof worker->hands[0]);
    for (; worker->hand_count < count; worker->hand_count++) {
        struct hand *hand = xcalloc(1, sizeof *hand);
        hand->call.inbox = worker->inbox;
        hand->call.worker = worker->options.index;
        hand->call.ticket = worker->hand_count;
        list_append(&worker->free, &hand->link);
        worker->hands[worker->hand_count] = hand;
    }
}

/* What the state in which calls begin now is made for goes with it. False: it is as before. */
bool worker_adopt(struct worker *worker)
{
    const struct worker_state *state = worker->states.current;
    if (state == worker->latest)
        return false;
    worker->latest = state;
    const struct consumer_config *consumer = script_consumer(state->script);
    make_hands(worker, consumer != NULL ? (size_t)consumer->buffer_size : 1);
    return true;
}

/* Whichever state a call is in, the watch ends it by what that was made for. */
static void set_limit(struct worker *worker, const struct hand *hand)
{
    const struct consumer_config *consumer = script_consumer(hand->state->script);
    watch_limit_cpu(&worker->watch, consumer != NULL ? consumer->cpu_limit_ms : 0);
}

/* The record is taken by now: of a strand's two records the second cannot run in an older state
 * than the first, since new states are offered while nothing can be taken. */
static struct hand *hand_get(struct worker *worker, struct record *record)
{
    struct link *link = list_pop(&worker->free);
    assert(link != NULL);
    struct hand *hand = hand_of(link);
    set_busy(worker, worker_busy(worker) + 1);
    hand->call.record = record;
    hand->state = worker_states_begin(&worker->states);
    worker_adopt(worker);
    set_limit(worker, hand);
    return hand;
}

static void set_current(struct worker *worker, const struct hand *hand)
{
    atomic_store_explicit(&worker->current, hand->call.record, memory_order_relaxed);
}

static void begin_next(struct worker *worker)
{
    struct hand *hand = hand_get(worker, worker->next);
    worker->next = NULL;
    hand->began_ns = worker->ended_ns != 0 ? worker->ended_ns : clock_monotonic_ns();
    worker->ended_ns = 0;
    set_current(worker, hand);
    hand_settle(worker, hand, script_begin(hand->state->script, &hand->call));
}

static void begin_main(struct worker *worker)
{
    struct hand *hand = hand_get(worker, NULL);
    hand_settle(worker, hand,
                script_begin_main(hand->state->script, &hand->call, worker->options.main));
}

/* --- waiting calls --- */

static void wake_hand(struct worker *worker, size_t index)
{
    struct hand *hand = worker->hands[index];
    hand->call.wait = CALL_RUNS;
    list_append(&worker->woken, &hand->link);
}

/* Answers to tickets that nobody waits for any more wake nobody. */
static void wake_by_ticket(struct worker *worker, uint64_t ticket)
{
    size_t index = call_index_of_ticket(ticket);
    assert(index < worker->hand_count);
    struct call *call = &worker->hands[index]->call;
    if (call->wait == CALL_WAITS_TICKET && call->ticket == ticket)
        wake_hand(worker, index);
}

static void find_woken(struct worker *worker)
{
    while (inbox_has_posts(worker->inbox)) {
        uint64_t tickets[DRAIN_COUNT];
        size_t count = inbox_drain(worker->inbox, tickets, DRAIN_COUNT);
        for (size_t i = 0; i < count; i++)
            wake_by_ticket(worker, tickets[i]);
    }
    if (worker->timers.count == 0)
        return;
    int64_t now_ms = clock_monotonic_ms();
    size_t index;
    while (timers_pop_due(&worker->timers, now_ms, &index))
        wake_hand(worker, index);
}

/* The process stops: whatever waits is woken, to end there. None of it waits again. */
static void interrupt_waiting(struct worker *worker)
{
    timers_clear(&worker->timers);
    for (size_t i = 0; i < worker->hand_count; i++) {
        struct call *call = &worker->hands[i]->call;
        if (call->record == NULL || call->wait == CALL_RUNS)
            continue;
        call->interrupt = INTERRUPT_RAISED;
        wake_hand(worker, i);
    }
}

/* Before the worker turns to something that is not the record it was woken for. */
static void stop_idling(struct worker *worker)
{
    if (worker->is_idle)
        dispatcher_leave(worker->options.dispatcher, &worker->taker);
    worker->is_idle = false;
}

/* Resumes those that are woken by now. One that is due again at once waits until a new record has
 * had its turn, so that a handler that polls keeps nobody from beginning. */
static bool resume_woken(struct worker *worker)
{
    find_woken(worker);
    if (list_is_empty(&worker->woken))
        return false;
    stop_idling(worker);
    list_move_all(&worker->resuming, &worker->woken);
    worker->ended_ns = 0;
    for (struct link *link; (link = list_pop(&worker->resuming)) != NULL;) {
        struct hand *hand = hand_of(link);
        set_current(worker, hand);
        set_limit(worker, hand);
        hand_settle(worker, hand, script_resume(hand->state->script, &hand->call));
    }
    return true;
}

/* --- the thread --- */

/* Takes a record when there is a free hand; false when there is nothing to begin. */
static bool take_next(struct worker *worker)
{
    if (worker->next != NULL)
        return true;
    if (worker->options.dispatcher == NULL || !has_free_hand(worker) ||
        worker_is_retiring(worker) || !worker_states_may_begin(&worker->states))
        return false;
    worker->next = dispatcher_take(worker->options.dispatcher, &worker->taker);
    worker->is_idle = worker->next == NULL;
    return worker->next != NULL;
}

/* A retiring worker finishes its records; a script of its own is left where it waits. From here on
 * it is too late to take it back. */
static bool end_retirement(struct worker *worker)
{
    if (!worker_is_retiring(worker))
        return false;
    stop_idling(worker);
    if (worker_busy(worker) > 0 && worker->options.main == NULL)
        return false;
    int expected = WORKER_RETIRES;
    if (!atomic_compare_exchange_strong(&worker->state, &expected, WORKER_CLOSES))
        return false;
    if (worker->options.dispatcher != NULL)
        dispatcher_leave(worker->options.dispatcher, &worker->taker);
    return true;
}

/* A state that nothing is begun in any more is not kept through the sleep; and the one that takes
 * over may have more hands. */
static void rest(struct worker *worker)
{
    worker_states_look(&worker->states);
    worker->ended_ns = 0;
    if (!worker_adopt(worker))
        inbox_sleep(worker->inbox, timers_next_ms(&worker->timers));
}

static void run(struct worker *worker)
{
    while (worker->next != NULL || !end_retirement(worker)) {
        if (atomic_load_explicit(&worker->is_interrupted, memory_order_relaxed))
            interrupt_waiting(worker);
        bool has_resumed = resume_woken(worker);
        if (take_next(worker))
            begin_next(worker);
        else if (!has_resumed)
            rest(worker);
    }
}

/* A main chunk has the worker's first and only hand. */
static void cut_main(struct worker *worker)
{
    struct hand *hand = worker->hands[0];
    struct call *call = &hand->call;
    worker->main_end = call->wait == CALL_WAITS_TIME ? MAIN_CUT_SLEEPING : MAIN_CUT_WAITING;
    worker->main_text = script_cut(hand->state->script, call);
    worker_states_end(&worker->states, hand->state);
}

void *worker_thread(void *argument)
{
    struct worker *worker = argument;
    char name[16];
    snprintf(name, sizeof name, "%.10s/%d", worker->options.name, worker->options.index);
    thread_set_role(THREAD_WORKER, name);
    watch_open(&worker->watch);
    if (worker->options.main != NULL)
        begin_main(worker);
    run(worker);
    if (worker->options.main != NULL && worker_busy(worker) > 0)
        cut_main(worker);
    watch_close(&worker->watch);
    worker_states_close(&worker->states);
    atomic_store(&worker->state, WORKER_ENDED);
    worker->options.on_exit(worker->options.context, worker);
    return NULL;
}
