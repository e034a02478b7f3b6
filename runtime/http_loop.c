#include <assert.h>
#include <stdlib.h>

#include "http_internal.h"

/* One of libcurl's sockets; freed when its handle is closed. */
struct http_socket {
    uv_poll_t poll;
    curl_socket_t fd;
    int events;
    struct http_loop *loop;
};

/* --- what is done --- */

static void take_done(struct http_loop *loop)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        /* The message ends with the handle's removal. */
        CURLcode code = message->data.result;
        struct http_exchange *exchange;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        curl_multi_remove_handle(loop->multi, message->easy_handle);
        loop->on_done(exchange, code);
    }
}

/* --- sockets --- */

static void on_socket(uv_poll_t *poll, int status, int events);

/* libuv ends the watch of a socket that is reset or refused, and libcurl may go on with it. */
static void watch_again(struct http_socket *socket)
{
    if (!uv_is_closing((uv_handle_t *)&socket->poll) && !uv_is_active((uv_handle_t *)&socket->poll))
        uv_poll_start(&socket->poll, socket->events, on_socket);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct http_socket *socket = CONTAINER_OF(poll, struct http_socket, poll);
    int flags = 0, running;
    /* What is wrong with it libcurl finds out best when it reads or writes. */
    if (status < 0)
        events = socket->events;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(socket->loop->multi, socket->fd, flags, &running);
    watch_again(socket);
    take_done(socket->loop);
}

static void on_socket_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF((uv_poll_t *)handle, struct http_socket, poll));
}

static struct http_socket *socket_new(struct http_loop *loop, curl_socket_t fd)
{
    struct http_socket *socket = xcalloc(1, sizeof *socket);
    socket->fd = fd;
    socket->loop = loop;
    int rc = uv_poll_init_socket(loop->uv, &socket->poll, fd);
    assert(rc == 0);
    (void)rc;
    curl_multi_assign(loop->multi, fd, socket);
    return socket;
}

/* libcurl says what it waits for. It closes a socket only after it has said REMOVE. */
static int on_want(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
    (void)easy;
    struct http_loop *loop = context;
    struct http_socket *socket = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL)
            uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
        curl_multi_assign(loop->multi, fd, NULL);
        return 0;
    }
    if (socket == NULL)
        socket = socket_new(loop, fd);
    socket->events =
        (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&socket->poll, socket->events, on_socket);
    return 0;
}

/* --- time --- */

static void on_timer(uv_timer_t *timer)
{
    struct http_loop *loop = CONTAINER_OF(timer, struct http_loop, timer);
    int running;
    curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_done(loop);
}

static int on_want_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct http_loop *loop = context;
    if (timeout_ms < 0)
        uv_timer_stop(&loop->timer);
    else
        uv_timer_start(&loop->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* --- from beginning to end --- */

void http_loop_open(struct http_loop *loop)
{
    uv_timer_init(loop->uv, &loop->timer);
    loop->multi = curl_multi_init();
    if (loop->multi == NULL)
        abort();
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_want);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_MAX_REQUESTS);
}

void http_loop_add(struct http_loop *loop, struct http_exchange *exchange)
{
    /* Only sets the timer; what follows comes from the loop. */
    CURLMcode rc = curl_multi_add_handle(loop->multi, exchange->easy);
    assert(rc == CURLM_OK);
    (void)rc;
}

void http_loop_remove(struct http_loop *loop, struct http_exchange *exchange)
{
    curl_multi_remove_handle(loop->multi, exchange->easy);
}

void http_loop_close(struct http_loop *loop)
{
    curl_multi_cleanup(loop->multi);
    uv_close((uv_handle_t *)&loop->timer, NULL);
}
