/* producer_threads.c - plays with a producer in which other threads publish, wait and block. */
#include "producer_play.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <lauxlib.h>

enum { THREADS_MAX = 16 };

struct publisher {
    pthread_t thread;
    struct producer *producer;
    int index;
    int count;
    bool blocks; /* for room, instead of waiting for a ticket */
    int64_t acknowledged;
    int64_t woken; /* by a ticket, for a delivery */
    int64_t full;
    int64_t failed;
    atomic_int *running;
    uv_async_t *done;
};

/* Sleeps until all these tickets are posted, in any order; false when that takes too long. */
static bool await_tickets(struct inbox *inbox, uint64_t first, uint64_t last)
{
    enum { PATIENCE_MS = 20000 };
    int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
    uint64_t missing = last - first + 1;
    while (missing > 0 && clock_monotonic_ms() < deadline) {
        uint64_t tickets[POSTS_MAX];
        size_t count = inbox_drain(inbox, tickets, POSTS_MAX);
        for (size_t i = 0; i < count; i++)
            missing -= tickets[i] >= first && tickets[i] <= last;
        if (count == 0)
            inbox_sleep(inbox, deadline);
    }
    return missing == 0;
}

static void publish_one(struct publisher *publisher, struct inbox *inbox, uint64_t *ticket)
{
    enum { BLOCK_MS = 20000 };
    char value[64];
    int length = snprintf(value, sizeof value, "%d-%d", publisher->index, (int)*ticket);
    struct publication publication = {
        .partition = -1, .value = value, .value_length = (size_t)length};
    struct delivery *delivery;
    struct error err;
    enum publish_result result;
    while ((result = producer_publish(publisher->producer, &publication, &delivery, &err)) ==
           PUBLISH_FULL) {
        publisher->full++;
        if (publisher->blocks) {
            producer_block_for_room(publisher->producer, BLOCK_MS);
            continue;
        }
        producer_wait_for_room(publisher->producer, inbox, ++*ticket);
        if (!await_tickets(inbox, *ticket, *ticket))
            break;
    }
    if (result != PUBLISH_QUEUED) {
        publisher->failed++;
        return;
    }
    /* Two wait for the same delivery now and then; every fourth is let go of at once. */
    uint64_t first = *ticket + 1;
    if (*ticket % 4 != 0 && delivery_wait(delivery, inbox, ++*ticket)) {
        if (*ticket % 3 == 0 && delivery_wait(delivery, inbox, *ticket + 1))
            ++*ticket;
        bool is_woken = await_tickets(inbox, first, *ticket);
        publisher->woken += is_woken;
        publisher->failed += !is_woken;
        publisher->acknowledged += delivery_state(delivery) == DELIVERY_ACKNOWLEDGED;
    }
    delivery_release(&delivery);
}

static void *run_publisher(void *argument)
{
    struct publisher *publisher = argument;
    struct inbox *inbox = inbox_new();
    uint64_t ticket = 1;
    for (int i = 0; i < publisher->count; i++, ticket++)
        publish_one(publisher, inbox, &ticket);
    inbox_close(inbox);
    inbox_release(&inbox);
    atomic_fetch_sub(publisher->running, 1);
    uv_async_send(publisher->done);
    return NULL;
}

static void on_done(uv_async_t *done)
{
    (void)done;
}

/* publish_from_threads(threads, count, blocks): totals of acknowledged, woken, full, failed. */
int play_publish_from_threads(lua_State *L)
{
    struct play *play = play_check(L);
    int threads = (int)luaL_checkinteger(L, 2);
    luaL_argcheck(L, threads > 0 && threads <= THREADS_MAX, 2, "is too many");
    enum thread_role before = play_enter_main();
    struct publisher publishers[THREADS_MAX] = {0};
    atomic_int running = threads;
    uv_async_t done;
    uv_async_init(&play->loop, &done, on_done);
    for (int i = 0; i < threads; i++) {
        publishers[i].producer = play->producer;
        publishers[i].index = i;
        publishers[i].count = (int)luaL_checkinteger(L, 3);
        publishers[i].blocks = lua_toboolean(L, 4);
        publishers[i].running = &running;
        publishers[i].done = &done;
        pthread_create(&publishers[i].thread, NULL, run_publisher, &publishers[i]);
    }
    while (atomic_load(&running) > 0)
        uv_run(&play->loop, UV_RUN_ONCE);
    int64_t totals[4] = {0};
    for (int i = 0; i < threads; i++) {
        pthread_join(publishers[i].thread, NULL);
        totals[0] += publishers[i].acknowledged;
        totals[1] += publishers[i].woken;
        totals[2] += publishers[i].full;
        totals[3] += publishers[i].failed;
    }
    uv_close((uv_handle_t *)&done, NULL);
    uv_run(&play->loop, UV_RUN_NOWAIT);
    thread_set_role(before, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(totals); i++)
        lua_pushinteger(L, totals[i]);
    return ARRAY_LENGTH(totals);
}

struct blocked {
    struct producer *producer;
    uv_async_t returned;
    atomic_bool is_over;
    size_t outstanding;
};

static void *run_blocked(void *argument)
{
    enum { BLOCK_MS = 20000 };
    struct blocked *blocked = argument;
    producer_block_for_room(blocked->producer, BLOCK_MS);
    blocked->outstanding = producer_outstanding(blocked->producer);
    atomic_store(&blocked->is_over, true);
    uv_async_send(&blocked->returned);
    return NULL;
}

/* block_for_room(): another thread does; what is outstanding when it goes on. */
int play_block_for_room(lua_State *L)
{
    struct play *play = play_check(L);
    enum thread_role before = play_enter_main();
    struct blocked blocked = {.producer = play->producer};
    uv_async_init(&play->loop, &blocked.returned, on_done);
    pthread_t thread;
    pthread_create(&thread, NULL, run_blocked, &blocked);
    while (!atomic_load(&blocked.is_over))
        uv_run(&play->loop, UV_RUN_ONCE);
    pthread_join(thread, NULL);
    uv_close((uv_handle_t *)&blocked.returned, NULL);
    uv_run(&play->loop, UV_RUN_NOWAIT);
    thread_set_role(before, NULL);
    lua_pushinteger(L, (lua_Integer)blocked.outstanding);
    return 1;
}
