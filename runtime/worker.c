#include "worker_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "error.h"
#include "thread.h"

bool worker_is_retiring(const struct worker *worker)
{
    return atomic_load(&worker->state) == WORKER_RETIRES;
}

static void on_stuck(void *context)
{
    struct worker *worker = context;
    if (worker->options.on_stuck != NULL)
        worker->options.on_stuck(worker->options.context, worker);
}

static void init_watch(struct worker *worker)
{
    const struct watch_options options = {
        .arm = bindings_arm,
        .context = worker,
        .on_stuck = on_stuck,
    };
    watch_init(&worker->watch, &options);
}

struct worker *worker_new(const struct worker_options *options)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->options = *options;
    worker->inbox = inbox_new();
    worker_states_init(&worker->states, options->context, options->on_state_leave);
    taker_init(&worker->taker);
    timers_init(&worker->timers);
    list_init(&worker->free);
    list_init(&worker->woken);
    list_init(&worker->resuming);
    atomic_init(&worker->state, WORKER_ENDED);
    atomic_init(&worker->is_interrupted, false);
    atomic_init(&worker->busy, 0);
    atomic_init(&worker->lua_bytes, 0);
    return worker;
}

int worker_start(struct worker *worker, struct script **script, struct error *err)
{
    assert(atomic_load(&worker->state) == WORKER_ENDED);
    atomic_store(&worker->lua_bytes, script_bytes(*script));
    worker_states_start(&worker->states, script);
    worker->latest = NULL;
    worker_adopt(worker);
    init_watch(worker);
    atomic_store(&worker->is_interrupted, false);
    atomic_store(&worker->state, WORKER_RUNS);
    if (thread_start(&worker->thread, worker_thread, worker, err) == 0)
        return 0;
    error_prefix(err, "worker %d of %s: ", worker->options.index, worker->options.name);
    atomic_store(&worker->state, WORKER_ENDED);
    worker_states_close(&worker->states);
    return -1;
}

const struct record *worker_stuck_record(const struct worker *worker)
{
    ASSERT_ON(THREAD_MAIN);
    return watch_is_stuck(&worker->watch) ? atomic_load(&worker->current) : NULL;
}

void worker_retire(struct worker *worker)
{
    int expected = WORKER_RUNS;
    if (atomic_compare_exchange_strong(&worker->state, &expected, WORKER_RETIRES))
        inbox_wake(worker->inbox);
}

void worker_interrupt(struct worker *worker)
{
    watch_stop(&worker->watch);
    atomic_store(&worker->is_interrupted, true);
    inbox_wake(worker->inbox);
}

bool worker_take_back(struct worker *worker)
{
    int expected = WORKER_RETIRES;
    if (!atomic_compare_exchange_strong(&worker->state, &expected, WORKER_RUNS))
        return false;
    inbox_wake(worker->inbox);
    return true;
}

bool worker_has_ended(const struct worker *worker)
{
    return atomic_load(&worker->state) == WORKER_ENDED;
}

void worker_prepare(struct worker *worker, struct script **script)
{
    ASSERT_ON(THREAD_MAIN);
    worker_states_prepare(&worker->states, script);
}

bool worker_is_prepared(const struct worker *worker)
{
    return worker->states.prepared != NULL;
}

struct worker_state *worker_offer(struct worker *worker)
{
    return worker_states_offer(&worker->states);
}

void worker_look(struct worker *worker)
{
    inbox_wake(worker->inbox);
}

void worker_withdraw(struct worker *worker)
{
    worker_states_withdraw(&worker->states);
}

enum spoil worker_spoil(const struct worker *worker)
{
    return worker_states_spoil(&worker->states);
}

bool worker_reserve_state(struct worker *worker)
{
    return worker_states_reserve(&worker->states);
}

void worker_replace_state(struct worker *worker, struct script **script)
{
    worker_states_replace(&worker->states, script);
    inbox_wake(worker->inbox);
}

void worker_dismiss_state(struct worker *worker, struct script **script)
{
    worker_states_dismiss(&worker->states, script);
}

void worker_release(struct worker *worker)
{
    if (worker_states_release(&worker->states))
        inbox_wake(worker->inbox);
}

size_t worker_state_count(const struct worker *worker)
{
    return atomic_load(&worker->states.count);
}

size_t worker_in_hand(const struct worker *worker)
{
    return worker_busy(worker);
}

void worker_add_durations(const struct worker *worker, struct histogram_sum *sum)
{
    histogram_add(sum, &worker->durations);
}

size_t worker_lua_bytes(const struct worker *worker)
{
    return atomic_load_explicit(&worker->lua_bytes, memory_order_relaxed);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_states_clear(&worker->states);
}

void worker_free(struct worker **worker_owned)
{
    struct worker *worker = *worker_owned;
    *worker_owned = NULL;
    assert(worker_has_ended(worker));
    inbox_close(worker->inbox);
    inbox_release(&worker->inbox);
    timers_destroy(&worker->timers);
    for (size_t i = 0; i < worker->hand_count; i++)
        free(worker->hands[i]);
    free(worker->hands);
    free(worker->main_text);
    free(worker);
}

void worker_wake(struct taker *taker)
{
    inbox_wake(CONTAINER_OF(taker, struct worker, taker)->inbox);
}

enum main_end worker_main_end(const struct worker *worker, const char **text)
{
    *text = worker->main_text;
    return worker->main_end;
}
