/* What the admin server's thread runs: connections, who may ask what, bodies, answers. */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin_internal.h"
#include "json_writer.h"
#include "thread.h"

enum {
    MAX_VISITORS = 256,
    MAX_CONNECTIONS = MAX_VISITORS + 64, /* those that were told to go are not gone at once */
    MAX_WAITING_LONG = 64,               /* so that there are always some that can make room */
    CONNECTION_BYTES = 16 * 1024,        /* request line and headers */
    TIMEOUT_S = 10,                      /* without a byte */
    MAX_BODY_BYTES = 64 * 1024,
    MAX_DROPPED_BODIES = 16, /* a body that does not say its length is read on for so many times */
    STACK_BYTES = 256 * 1024,
    DEAD_MS = 10 * 1000, /* a loop that did not turn for so long is not live */
    METHODS_BYTES = 32,
};

/* --- answers --- */

static void add_headers(struct MHD_Response *response, const char *type)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
}

/* Takes the bytes. `name` and `value` are one more header, or NULL. */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             struct buffer *body, const char *name, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->length, body->bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    buffer_init(body);
    add_headers(response, type);
    if (name != NULL)
        MHD_add_response_header(response, name, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_error(struct MHD_Connection *connection, unsigned status,
                                   const char *text, const char *name, const char *value)
{
    struct buffer body;
    buffer_init(&body);
    json_write_error(&body, text);
    return reply(connection, status, "application/json", &body, name, value);
}

/* --- routes --- */

/* Whether the path is one of the pattern; then what stands for each * is copied. */
static bool match(const char *pattern, const char *path, char **names)
{
    size_t count = 0;
    for (; *pattern != '\0'; pattern++, path++) {
        if (*pattern == '*') {
            size_t length = strcspn(path, "/");
            if (length == 0)
                return false;
            if (names != NULL)
                names[count++] = xstrndup(path, length);
            path += length - 1;
        } else if (*pattern != *path) {
            return false;
        }
    }
    return *path == '\0';
}

static bool is_method(const struct admin_route *route, const char *method)
{
    if (strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
        method = MHD_HTTP_METHOD_GET;
    return strcmp(route->method, method) == 0;
}

/* NULL: no route fits; then `methods` says by which the path could be asked. */
static const struct admin_route *find_route(const struct admin *admin, const char *method,
                                            const char *path, char *methods)
{
    methods[0] = '\0';
    for (size_t i = 0; i < admin->options.route_count; i++) {
        const struct admin_route *route = &admin->options.routes[i];
        if (!match(route->path, path, NULL))
            continue;
        if (is_method(route, method))
            return route;
        if (methods[0] != '\0')
            strcat(methods, ", ");
        strcat(methods, strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method);
    }
    return NULL;
}

/* --- who may --- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* 0; or the status of the answer, with err. */
static int check_guard(struct admin *admin, struct MHD_Connection *connection, struct error *err)
{
    const struct admin_visit visit = {
        .host = header(connection, "Host"),
        .origin = header(connection, "Origin"),
        .site = header(connection, "Sec-Fetch-Site"),
        .authorization = header(connection, "Authorization"),
    };
    int status = admin_guard_check(&admin->guard, &visit, err);
    if (status == MHD_HTTP_UNAUTHORIZED)
        atomic_fetch_add(&admin->refused, 1);
    return status;
}

static bool is_guarded(const char *path)
{
    return strncmp(path, "/v1", 3) == 0;
}

/* --- one request --- */

static enum MHD_Result answer_live(struct admin *admin, struct MHD_Connection *connection)
{
    int64_t age_ms = clock_monotonic_ms() - atomic_load(&admin->beat_ms);
    struct buffer body;
    if (age_ms >= DEAD_MS) {
        char text[96];
        snprintf(text, sizeof text, "the main loop has not turned for %" PRId64 " ms", age_ms);
        return reply_error(connection, MHD_HTTP_SERVICE_UNAVAILABLE, text, NULL, NULL);
    }
    buffer_init(&body);
    buffer_append_text(&body, "{\"live\":true}");
    return reply(connection, MHD_HTTP_OK, "application/json", &body, NULL, NULL);
}

static size_t max_body_of(const struct admin_route *route)
{
    return route->max_body_bytes > 0 ? route->max_body_bytes : MAX_BODY_BYTES;
}

/* A body that says how long it is is refused before it comes. */
static bool is_too_long(struct MHD_Connection *connection, const struct admin_route *route)
{
    const char *length = header(connection, "Content-Length");
    return length != NULL && strtoull(length, NULL, 10) > max_body_of(route);
}

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    assert(info != NULL && info->socket_context != NULL);
    return info->socket_context;
}

/* One that was told to go is on no list any more. */
static void move_behind(struct admin *admin, struct visitor *visitor)
{
    if (list_is_empty(&visitor->link))
        return;
    list_remove(&visitor->link);
    list_append(&admin->visitors, &visitor->link);
}

static enum MHD_Result take_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    (void)kind;
    struct admin_request *request = context;
    if (request->parameter_count == ADMIN_MAX_PARAMETERS)
        return MHD_NO;
    request->parameters[request->parameter_count].name = xstrdup(name);
    request->parameters[request->parameter_count++].value = xstrdup(value != NULL ? value : "");
    return MHD_YES;
}

static void *request_new(struct admin *admin, struct MHD_Connection *connection,
                         const struct admin_route *route, const char *path)
{
    struct admin_request *request = xcalloc(1, sizeof *request);
    request->admin = admin;
    request->connection = connection;
    request->visitor = visitor_of(connection);
    request->route = route;
    match(route->path, path, request->names);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_parameter, request);
    list_init(&request->link);
    buffer_init(&request->body);
    buffer_init(&request->answer);
    return request;
}

static enum MHD_Result reply_too_long(struct MHD_Connection *connection,
                                      const struct admin_route *route)
{
    char text[64];
    snprintf(text, sizeof text, "the body is longer than %zu bytes", max_body_of(route));
    return reply_error(connection, MHD_HTTP_CONTENT_TOO_LARGE, text, NULL, NULL);
}

/* The headers are there. */
static enum MHD_Result begin(struct admin *admin, struct MHD_Connection *connection,
                             const char *path, const char *method, void **place)
{
    char methods[METHODS_BYTES];
    struct error err;
    move_behind(admin, visitor_of(connection));
    int status = is_guarded(path) ? check_guard(admin, connection, &err) : 0;
    if (status == MHD_HTTP_UNAUTHORIZED)
        return reply_error(connection, MHD_HTTP_UNAUTHORIZED, err.text, "WWW-Authenticate",
                           "Bearer");
    if (status != 0)
        return reply_error(connection, (unsigned)status, err.text, NULL, NULL);
    const struct admin_route *route = find_route(admin, method, path, methods);
    if (route == NULL && methods[0] != '\0')
        return reply_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                           "this path is not asked by that method", "Allow", methods);
    if (route == NULL)
        return reply_error(connection, MHD_HTTP_NOT_FOUND, "there is no such path", NULL, NULL);
    if (is_too_long(connection, route))
        return reply_too_long(connection, route);
    *place = request_new(admin, connection, route, path);
    return MHD_YES;
}

/* One that came in chunks is too long only when it has come: the answer has to wait for its end,
 * and that is not waited for without end. */
static enum MHD_Result take_body(struct admin_request *request, const char *bytes, size_t *length)
{
    size_t max_bytes = max_body_of(request->route);
    if (request->dropped_bytes > 0 || request->body.length + *length > max_bytes) {
        buffer_clear(&request->body, 0);
        request->dropped_bytes += *length;
    } else {
        buffer_append(&request->body, bytes, *length);
    }
    *length = 0;
    return request->dropped_bytes <= MAX_DROPPED_BODIES * max_bytes ? MHD_YES : MHD_NO;
}

static enum MHD_Result wait_for_main(struct admin_request *request)
{
    struct admin *admin = request->admin;
    if (request->route->is_long && admin->waiting_long == MAX_WAITING_LONG)
        return reply_error(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                           "as many requests as may wait for their answers already", "Retry-After",
                           "1");
    buffer_append(&request->body, "", 1);
    request->body.length--;
    request->state = REQUEST_WAITS;
    request->visitor->is_busy = true;
    request->is_counted = request->route->is_long;
    admin->waiting_long += request->is_counted;
    if (admin_hand_over(request))
        return MHD_YES;
    return reply_error(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the process stops", NULL,
                       NULL);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **place)
{
    (void)version;
    struct admin *admin = context;
    struct admin_request *request = *place;
    if (request == NULL)
        return begin(admin, connection, path, method, place);
    if (*upload_length > 0)
        return take_body(request, upload, upload_length);
    if (request->state == REQUEST_ANSWERED) {
        request->visitor->is_busy = false;
        return reply(connection, request->status, request->type, &request->answer,
                     request->status == ADMIN_UNAVAILABLE ? "Retry-After" : NULL, "1");
    }
    if (request->dropped_bytes > 0)
        return reply_too_long(connection, request->route);
    if (request->route->run == NULL)
        return answer_live(admin, connection);
    return wait_for_main(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **place,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct admin_request *request = *place;
    *place = NULL;
    if (request == NULL)
        return;
    request->admin->waiting_long -= request->is_counted;
    for (size_t i = 0; i < ADMIN_MAX_NAMES; i++)
        free(request->names[i]);
    for (size_t i = 0; i < request->parameter_count; i++) {
        free(request->parameters[i].name);
        free(request->parameters[i].value);
    }
    buffer_destroy(&request->body);
    buffer_destroy(&request->answer);
    free(request);
}

/* --- connections --- */

/* Who has asked nothing for longest goes: a client that only holds connections keeps nobody out.
 * One in the middle of a request is spared no more than others, or those who never end theirs would
 * keep all that come from beginning one. */
static void make_room(struct admin *admin)
{
    for (struct link *link = admin->visitors.next; link != &admin->visitors; link = link->next) {
        struct visitor *visitor = CONTAINER_OF(link, struct visitor, link);
        if (visitor->is_busy)
            continue;
        list_remove(&visitor->link);
        admin->visitor_count--;
        shutdown(visitor->file, SHUT_RDWR);
        return;
    }
}

static void greet(struct admin *admin, struct MHD_Connection *connection, void **place)
{
    struct visitor *visitor = xcalloc(1, sizeof *visitor);
    visitor->file =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    if (admin->visitor_count >= MAX_VISITORS)
        make_room(admin);
    list_append(&admin->visitors, &visitor->link);
    admin->visitor_count++;
    *place = visitor;
}

static void see_off(struct admin *admin, struct visitor *visitor)
{
    if (!list_is_empty(&visitor->link)) {
        list_remove(&visitor->link);
        admin->visitor_count--;
    }
    free(visitor);
}

/* So that a flood of requests, which anybody may send, takes least from what handles records. */
static void give_way_once(void)
{
    static _Thread_local bool has_given_way;
    if (!has_given_way)
        thread_give_way();
    has_given_way = true;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code)
{
    give_way_once();
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        greet(context, connection, place);
    else
        see_off(context, *place);
}

/* --- the thread --- */

/* The library's thread takes no signals: they are main's. */
int admin_server_start(struct admin *admin, int file, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    admin->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
        on_request, admin, MHD_OPTION_LISTEN_SOCKET, file, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, admin,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, admin, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (admin->daemon != NULL)
        return 0;
    error_set(err, "the admin server does not start");
    close(file);
    return -1;
}
