#include "admin_internal.h"

#include <stdlib.h>

#include "json_writer.h"
#include "log.h"
#include "thread.h"

enum {
    HEART_MS = 500,
    MAX_A_TURN = 16,    /* requests, before the loop does other work */
    SAY_MS = 60 * 1000, /* wrong tokens are said at most so often */
};

/* --- the hand-over --- */

static struct admin_request *request_of(struct link *link)
{
    return CONTAINER_OF(link, struct admin_request, link);
}

/* In this order: main may have answered before this returns. */
bool admin_hand_over(struct admin_request *request)
{
    struct admin *admin = request->admin;
    uv_mutex_lock(&admin->mutex);
    bool is_open = !admin->is_stopped;
    if (is_open) {
        MHD_suspend_connection(request->connection);
        list_append(&admin->asked, &request->link);
        uv_async_send(&admin->wake);
    }
    uv_mutex_unlock(&admin->mutex);
    return is_open;
}

static struct admin_request *take_asked(struct admin *admin)
{
    uv_mutex_lock(&admin->mutex);
    struct link *link = list_pop(&admin->asked);
    if (link != NULL)
        list_append(&admin->answering, link);
    uv_mutex_unlock(&admin->mutex);
    return link != NULL ? request_of(link) : NULL;
}

static void on_wake(uv_async_t *wake)
{
    ASSERT_ON(THREAD_MAIN);
    struct admin *admin = CONTAINER_OF(wake, struct admin, wake);
    for (int i = 0; i < MAX_A_TURN; i++) {
        struct admin_request *request = take_asked(admin);
        if (request == NULL)
            return;
        request->route->run(admin->options.context, request);
    }
    uv_async_send(wake);
}

/* --- answers --- */

void admin_answer(struct admin_request *request, enum admin_status status, const char *type,
                  struct buffer *body)
{
    struct admin *admin = request->admin;
    request->status = status;
    request->type = type != NULL ? type : "application/json";
    request->answer = *body;
    buffer_init(body);
    request->state = REQUEST_ANSWERED;
    uv_mutex_lock(&admin->mutex);
    list_remove(&request->link);
    uv_mutex_unlock(&admin->mutex);
    MHD_resume_connection(request->connection);
}

void admin_answer_error(struct admin_request *request, enum admin_status status,
                        const struct error *err)
{
    struct buffer body;
    buffer_init(&body);
    json_write_error(&body, err->text);
    admin_answer(request, status, NULL, &body);
}

const struct admin_route *admin_request_route(const struct admin_request *request)
{
    return request->route;
}

const char *admin_request_name(const struct admin_request *request, size_t index)
{
    return request->names[index];
}

const char *admin_request_parameter(const struct admin_request *request, size_t index,
                                    const char **value)
{
    if (index >= request->parameter_count)
        return NULL;
    *value = request->parameters[index].value;
    return request->parameters[index].name;
}

const char *admin_request_body(const struct admin_request *request, size_t *length)
{
    *length = request->body.length;
    return request->body.length > 0 ? request->body.bytes : "";
}

/* --- its life --- */

/* Somebody may be guessing, thousands of times. */
static void say_refused(struct admin *admin)
{
    size_t count = atomic_exchange(&admin->refused, 0);
    if (count > 0)
        log_warn("admin: %zu request%s without the right token", count, count == 1 ? "" : "s");
    admin->refused_said_ms = clock_monotonic_ms();
}

static void on_heart(uv_timer_t *heart)
{
    struct admin *admin = CONTAINER_OF(heart, struct admin, heart);
    int64_t now_ms = clock_monotonic_ms();
    atomic_store(&admin->beat_ms, now_ms);
    bool is_due = admin->refused_said_ms == 0 || now_ms - admin->refused_said_ms >= SAY_MS;
    if (is_due && atomic_load(&admin->refused) > 0)
        say_refused(admin);
}

static struct admin *admin_new(const struct admin_options *options)
{
    struct admin *admin = xcalloc(1, sizeof *admin);
    admin->options = *options;
    admin->guard = (struct admin_guard){options->token, options->address.is_local};
    list_init(&admin->asked);
    list_init(&admin->answering);
    list_init(&admin->visitors);
    uv_mutex_init(&admin->mutex);
    atomic_init(&admin->beat_ms, clock_monotonic_ms());
    atomic_init(&admin->refused, 0);
    return admin;
}

enum admin_listen_result admin_start(struct admin **admin_made, const struct admin_options *options,
                                     struct error *err)
{
    int file;
    enum admin_listen_result result = admin_address_listen(&options->address, &file, err);
    if (result != ADMIN_LISTENS)
        return result;
    struct admin *admin = admin_new(options);
    admin->url = admin_address_url(file);
    if (admin_server_start(admin, file, err) != 0) {
        admin_free(&admin);
        return ADMIN_FAILED;
    }
    uv_async_init(options->loop, &admin->wake, on_wake);
    uv_timer_init(options->loop, &admin->heart);
    uv_timer_start(&admin->heart, on_heart, HEART_MS, HEART_MS);
    *admin_made = admin;
    return ADMIN_LISTENS;
}

const char *admin_url(const struct admin *admin)
{
    return admin->url;
}

/* From here on the server's thread answers for itself. */
static void close_door(struct admin *admin)
{
    uv_mutex_lock(&admin->mutex);
    admin->is_stopped = true;
    uv_mutex_unlock(&admin->mutex);
}

static void answer_rest(struct admin *admin)
{
    struct error err;
    struct admin_request *request;
    error_set(&err, "the process stops");
    while ((request = take_asked(admin)) != NULL)
        admin_answer_error(request, ADMIN_UNAVAILABLE, &err);
    while (!list_is_empty(&admin->answering))
        admin_answer_error(request_of(admin->answering.next), ADMIN_UNAVAILABLE, &err);
}

void admin_stop(struct admin *admin)
{
    ASSERT_ON(THREAD_MAIN);
    close_door(admin);
    answer_rest(admin);
    MHD_stop_daemon(admin->daemon);
    admin->daemon = NULL;
    say_refused(admin);
    admin_address_remove(&admin->options.address);
    uv_close((uv_handle_t *)&admin->wake, NULL);
    uv_close((uv_handle_t *)&admin->heart, NULL);
}

void admin_free(struct admin **admin_owned)
{
    struct admin *admin = *admin_owned;
    *admin_owned = NULL;
    if (admin == NULL)
        return;
    uv_mutex_destroy(&admin->mutex);
    free(admin->url);
    free(admin);
}
