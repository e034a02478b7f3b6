#include <assert.h>
#include <string.h>

#include "error.h"
#include "http_internal.h"
#include "thread.h"

static struct {
    pthread_mutex_t mutex;
    pthread_t thread;
    bool is_running;
    bool is_ending;
    struct link begun;     /* exchanges that the thread does not know yet */
    struct link cancelled; /* and those that nobody waits for any more */
    uv_async_t wake;

    /* The thread's. */
    uv_loop_t uv;
    struct http_loop loop;
    struct http_turns turns;
    struct link open;
} io = {.mutex = PTHREAD_MUTEX_INITIALIZER,
        .begun = {&io.begun, &io.begun},
        .cancelled = {&io.cancelled, &io.cancelled}};

static void unreference(struct http_exchange *exchange)
{
    if (atomic_fetch_sub_explicit(&exchange->references, 1, memory_order_acq_rel) == 1)
        http_exchange_free(&exchange);
}

/* --- the thread --- */

static void on_timer_closed(uv_handle_t *handle)
{
    unreference(CONTAINER_OF((uv_timer_t *)handle, struct http_exchange, timer));
}

/* The answer, or the reason why there is none, stands. */
static void finish(struct http_exchange *exchange)
{
    assert(exchange->easy == NULL);
    list_remove(&exchange->open);
    http_turns_remove(&io.turns, exchange);
    pthread_mutex_lock(&io.mutex);
    exchange->is_finished = true;
    list_remove(&exchange->cancelled);
    pthread_mutex_unlock(&io.mutex);
    atomic_store_explicit(&exchange->is_over, true, memory_order_release);
    inbox_post(exchange->inbox, exchange->ticket);
    uv_close((uv_handle_t *)&exchange->timer, on_timer_closed);
}

static void run_next(void)
{
    struct http_exchange *exchange;
    while ((exchange = http_turns_next(&io.turns)) != NULL) {
        http_transfer_open(exchange);
        http_loop_add(&io.loop, exchange);
    }
}

static void on_done(struct http_exchange *exchange, CURLcode code)
{
    http_transfer_end(exchange, code);
    finish(exchange);
    run_next();
}

/* Takes the reason. */
static void give_up(struct http_exchange *exchange, char *reason)
{
    if (exchange->easy != NULL) {
        http_loop_remove(&io.loop, exchange);
        http_transfer_end(exchange, CURLE_OK);
    }
    exchange->reason = reason;
    finish(exchange);
}

static void on_timeout(uv_timer_t *timer)
{
    struct http_exchange *exchange = CONTAINER_OF(timer, struct http_exchange, timer);
    give_up(exchange, http_transfer_timeout_reason(exchange));
    run_next();
}

static void take(struct http_exchange *exchange)
{
    int64_t left_ms = exchange->deadline_ms - clock_monotonic_ms();
    list_append(&io.open, &exchange->open);
    uv_timer_init(&io.uv, &exchange->timer);
    uv_timer_start(&exchange->timer, on_timeout, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
    http_turns_add(&io.turns, exchange);
}

static struct http_exchange *pop_begun(void)
{
    struct http_exchange *exchange = NULL;
    pthread_mutex_lock(&io.mutex);
    if (!list_is_empty(&io.begun)) {
        exchange = CONTAINER_OF(list_pop(&io.begun), struct http_exchange, begun);
        exchange->is_taken = true;
    }
    pthread_mutex_unlock(&io.mutex);
    return exchange;
}

static struct http_exchange *pop_cancelled(void)
{
    struct http_exchange *exchange = NULL;
    pthread_mutex_lock(&io.mutex);
    if (!list_is_empty(&io.cancelled))
        exchange = CONTAINER_OF(list_pop(&io.cancelled), struct http_exchange, cancelled);
    pthread_mutex_unlock(&io.mutex);
    return exchange;
}

static void end_all(void)
{
    while (!list_is_empty(&io.open)) {
        struct http_exchange *exchange = CONTAINER_OF(io.open.next, struct http_exchange, open);
        give_up(exchange, xasprintf("%s: the process ends", exchange->label));
    }
    http_loop_close(&io.loop);
    uv_close((uv_handle_t *)&io.wake, NULL);
}

static void on_wake(uv_async_t *async)
{
    (void)async;
    struct http_exchange *exchange;
    while ((exchange = pop_begun()) != NULL)
        take(exchange);
    while ((exchange = pop_cancelled()) != NULL)
        give_up(exchange, xasprintf("%s: given up", exchange->label));
    run_next();
    pthread_mutex_lock(&io.mutex);
    bool is_ending = io.is_ending;
    pthread_mutex_unlock(&io.mutex);
    if (is_ending)
        end_all();
}

static void *io_thread(void *argument)
{
    (void)argument;
    thread_set_role(THREAD_IO, "io");
    http_turns_init(&io.turns);
    list_init(&io.open);
    io.loop = (struct http_loop){.uv = &io.uv, .on_done = on_done};
    http_loop_open(&io.loop);
    uv_run(&io.uv, UV_RUN_DEFAULT);
    return NULL;
}

/* --- beginning and ending it --- */

/* Under the mutex. */
static int start(struct error *err)
{
    if (io.is_running)
        return 0;
    uv_loop_init(&io.uv);
    uv_async_init(&io.uv, &io.wake, on_wake);
    io.is_ending = false;
    if (thread_start(&io.thread, io_thread, NULL, err) != 0) {
        uv_close((uv_handle_t *)&io.wake, NULL);
        uv_run(&io.uv, UV_RUN_DEFAULT);
        uv_loop_close(&io.uv);
        return -1;
    }
    io.is_running = true;
    return 0;
}

void http_stop(void)
{
    pthread_mutex_lock(&io.mutex);
    bool was_running = io.is_running;
    io.is_running = false;
    io.is_ending = true;
    if (was_running)
        uv_async_send(&io.wake);
    pthread_mutex_unlock(&io.mutex);
    if (!was_running)
        return;
    pthread_join(io.thread, NULL);
    int rc = uv_loop_close(&io.uv);
    assert(rc == 0);
    (void)rc;
}

/* --- any thread --- */

struct http_exchange *http_begin(const struct http_request *request, struct inbox *inbox,
                                 uint64_t ticket, struct error *err)
{
    struct http_exchange *exchange = http_exchange_new(request);
    exchange->inbox = inbox_reference(inbox);
    exchange->ticket = ticket;
    pthread_mutex_lock(&io.mutex);
    int rc = start(err);
    if (rc == 0) {
        list_append(&io.begun, &exchange->begun);
        uv_async_send(&io.wake);
    }
    pthread_mutex_unlock(&io.mutex);
    if (rc != 0)
        http_exchange_free(&exchange);
    return exchange;
}

void http_release(struct http_exchange **owned)
{
    struct http_exchange *exchange = *owned;
    *owned = NULL;
    if (exchange == NULL)
        return;
    pthread_mutex_lock(&io.mutex);
    bool is_taken = exchange->is_taken;
    if (!is_taken) {
        list_remove(&exchange->begun);
    } else if (!exchange->is_finished) {
        list_append(&io.cancelled, &exchange->cancelled);
        uv_async_send(&io.wake);
    }
    pthread_mutex_unlock(&io.mutex);
    if (!is_taken)
        unreference(exchange);
    unreference(exchange);
}

bool http_is_over(const struct http_exchange *exchange)
{
    return atomic_load_explicit(&exchange->is_over, memory_order_acquire);
}

const char *http_reason(const struct http_exchange *exchange)
{
    return exchange->reason;
}

int http_status(const struct http_exchange *exchange)
{
    return exchange->status;
}

const char *http_body(const struct http_exchange *exchange, size_t *length)
{
    *length = exchange->answer.length;
    return *length > 0 ? exchange->answer.bytes : "";
}

bool http_next_header(const struct http_exchange *exchange, size_t *position,
                      struct http_header *header)
{
    const struct buffer *lines = &exchange->header_lines;
    if (*position >= lines->length)
        return false;
    const char *name = lines->bytes + *position;
    const char *end = memchr(name, '\n', lines->length - *position);
    const char *colon = memchr(name, ':', (size_t)(end - name));
    *header =
        (struct http_header){name, (size_t)(colon - name), colon + 1, (size_t)(end - colon - 1)};
    *position = (size_t)(end - lines->bytes) + 1;
    return true;
}
