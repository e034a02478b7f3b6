#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "thread.h"

enum {
    MAX_INSTANCES = 100,
    MAX_PEERS = 32,
    MAX_REQUEST_BYTES = 64 * 1024,
    READ_BYTES = 4096,
    PEER_TIMEOUT_MS = 5000, /* to ask, and to take the answer */
};

/* Whoever asks. */
struct peer {
    struct control *control;
    struct link link;
    uv_pipe_t pipe;
    uv_timer_t timer;
    int open_handles;
    uv_write_t write;
    struct buffer in;
    struct buffer out;
};

/* --- who is heard --- */

static void on_peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    if (--peer->open_handles > 0)
        return;
    buffer_destroy(&peer->in);
    buffer_destroy(&peer->out);
    free(peer);
}

static void close_peer(struct peer *peer)
{
    if (uv_is_closing((uv_handle_t *)&peer->timer))
        return;
    list_remove(&peer->link);
    peer->control->peer_count--;
    uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
    uv_close((uv_handle_t *)&peer->timer, on_peer_closed);
}

static bool is_trusted(const struct peer *peer)
{
    uv_os_fd_t file;
    struct ucred who;
    socklen_t length = sizeof who;
    return uv_fileno((const uv_handle_t *)&peer->pipe, &file) == 0 &&
           getsockopt(file, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 &&
           (who.uid == geteuid() || who.uid == 0);
}

/* --- answers --- */

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_peer(CONTAINER_OF(write, struct peer, write));
}

static void send_answer(struct peer *peer)
{
    buffer_append(&peer->out, "\n", 1);
    uv_buf_t bytes = uv_buf_init(peer->out.bytes, (unsigned)peer->out.length);
    if (uv_write(&peer->write, (uv_stream_t *)&peer->pipe, &bytes, 1, on_written) != 0)
        close_peer(peer);
}

static void send_error(struct peer *peer, const struct error *err)
{
    buffer_clear(&peer->out, 0);
    json_write_error(&peer->out, err->text);
    send_answer(peer);
}

const struct control_command *control_find(const struct control_command *commands, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

enum control_end control_run(const struct control_command *command, void *context,
                             const struct control_request *request, struct buffer *out,
                             struct error *err)
{
    struct json_writer answer;
    if (control_request_check(request, command->members, err) != 0)
        return CONTROL_BAD;
    json_writer_init(&answer, out);
    json_begin_object(&answer, NULL);
    enum control_end end = command->run(context, request, &answer, err);
    json_end_object(&answer);
    return end;
}

/* Writes the answer into the peer's buffer. */
static int run_command(struct peer *peer, const struct control_request *request, struct error *err)
{
    const struct control_options *options = &peer->control->options;
    const char *name;
    if (control_request_text(request, "command", &name, err) != 0)
        return -1;
    const struct control_command *command =
        control_find(options->commands, options->command_count, name != NULL ? name : "");
    if (command == NULL) {
        error_set(err, "the lagoon that runs knows no command \"%s\"", name != NULL ? name : "");
        return -1;
    }
    enum control_end end = control_run(command, options->context, request, &peer->out, err);
    return end == CONTROL_DONE ? 0 : -1;
}

/* --- requests --- */

static void handle_line(struct peer *peer, const char *line)
{
    struct control_request request;
    struct error err;
    int rc = control_request_parse(&request, line, &err);
    if (rc == 0) {
        rc = run_command(peer, &request, &err);
        control_request_destroy(&request);
    }
    if (rc == 0)
        send_answer(peer);
    else
        send_error(peer, &err);
}

static void take_line(struct peer *peer, char *newline)
{
    struct error err;
    uv_read_stop((uv_stream_t *)&peer->pipe);
    *newline = '\0';
    if (strlen(peer->in.bytes) == (size_t)(newline - peer->in.bytes)) {
        handle_line(peer, peer->in.bytes);
        return;
    }
    error_set(&err, "the request is not understood: it has a NUL");
    send_error(peer, &err);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    struct peer *peer = handle->data;
    *room = uv_buf_init(buffer_reserve(&peer->in, READ_BYTES), READ_BYTES);
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    (void)room;
    struct peer *peer = stream->data;
    struct error err;
    if (count < 0) {
        close_peer(peer);
        return;
    }
    peer->in.length += (size_t)count;
    char *newline = peer->in.length > 0 ? memchr(peer->in.bytes, '\n', peer->in.length) : NULL;
    if (newline != NULL) {
        take_line(peer, newline);
    } else if (peer->in.length > MAX_REQUEST_BYTES) {
        uv_read_stop(stream);
        error_set(&err, "the request is longer than %d bytes", MAX_REQUEST_BYTES);
        send_error(peer, &err);
    }
}

static void on_peer_timeout(uv_timer_t *timer)
{
    close_peer(timer->data);
}

static struct peer *peer_new(struct control *control)
{
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->control = control;
    uv_pipe_init(control->options.loop, &peer->pipe, 0);
    uv_timer_init(control->options.loop, &peer->timer);
    peer->open_handles = 2;
    peer->pipe.data = peer;
    peer->timer.data = peer;
    buffer_init(&peer->in);
    buffer_init(&peer->out);
    list_append(&control->peers, &peer->link);
    control->peer_count++;
    return peer;
}

static void on_connection(uv_stream_t *listener, int status)
{
    ASSERT_ON(THREAD_MAIN);
    struct control *control = CONTAINER_OF(listener, struct control, listener);
    if (status != 0)
        return;
    struct peer *peer = peer_new(control);
    uv_timer_start(&peer->timer, on_peer_timeout, PEER_TIMEOUT_MS, 0);
    if (uv_accept(listener, (uv_stream_t *)&peer->pipe) != 0 || control->peer_count > MAX_PEERS ||
        !is_trusted(peer) || uv_read_start((uv_stream_t *)&peer->pipe, on_room, on_bytes) != 0)
        close_peer(peer);
}

/* --- listening --- */

/* The socket, bound under the first name that is free; or -1 and err. */
static int bind_socket(struct control *control, int file, struct error *err)
{
    const char *instance = control->options.instance;
    for (int i = 1; i <= MAX_INSTANCES; i++) {
        char number[16] = "";
        if (instance == NULL || i > 1)
            snprintf(number, sizeof number, "%s%d", instance != NULL ? "-" : "", i);
        snprintf(control->instance, sizeof control->instance, "%s%s",
                 instance != NULL ? instance : "", number);
        struct control_name name;
        if (control_name_make(&name, control->options.config, control->instance, err) != 0)
            return -1;
        if (bind(file, (struct sockaddr *)&name.address, name.length) == 0)
            return 0;
        if (errno != EADDRINUSE)
            break;
    }
    error_set(err, "a Unix socket cannot be bound: %s", strerror(errno));
    return -1;
}

static int listen_on(struct control *control, int file, struct error *err)
{
    int rc = uv_pipe_open(&control->listener, file);
    if (rc != 0)
        close(file);
    else
        rc = uv_listen((uv_stream_t *)&control->listener, MAX_PEERS, on_connection);
    if (rc == 0)
        return 0;
    error_set(err, "a Unix socket cannot be listened on: %s", uv_strerror(rc));
    return -1;
}

static int open_listener(struct control *control, struct error *err)
{
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0) {
        error_set(err, "a Unix socket cannot be made: %s", strerror(errno));
        return -1;
    }
    if (bind_socket(control, file, err) != 0) {
        close(file);
        return -1;
    }
    uv_pipe_init(control->options.loop, &control->listener, 0);
    control->is_open = true;
    return listen_on(control, file, err);
}

static void say_name(const struct control *control)
{
    const char *wanted = control->options.instance;
    if (wanted == NULL ? strcmp(control->instance, "1") == 0
                       : strcmp(control->instance, wanted) == 0)
        return;
    log_warn("another lagoon of this config runs here%s%s: lagoon status, resume and the like find "
             "this one by --instance %s",
             wanted != NULL ? " as " : "", wanted != NULL ? wanted : "", control->instance);
}

void control_start(struct control *control, const struct control_options *options)
{
    struct error err;
    *control = (struct control){.options = *options};
    list_init(&control->peers);
    if (open_listener(control, &err) == 0)
        say_name(control);
    else
        log_warn("lagoon status, resume and the like cannot reach this process: %s", err.text);
}

void control_close(struct control *control)
{
    for (struct link *link = control->peers.next, *next; link != &control->peers; link = next) {
        next = link->next;
        close_peer(CONTAINER_OF(link, struct peer, link));
    }
    if (control->is_open)
        uv_close((uv_handle_t *)&control->listener, NULL);
    control->is_open = false;
}
