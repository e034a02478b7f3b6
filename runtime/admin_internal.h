/* admin_internal.h - what the files of admin share: admin.c is main's side, admin_server.c what the
 * server's thread runs.
 *
 * Threads: stated at each field. */
#ifndef ADMIN_INTERNAL_H
#define ADMIN_INTERNAL_H

#include <stdatomic.h>

#include <microhttpd.h>

#include "admin.h"
#include "admin_guard.h"

enum { ADMIN_MAX_NAMES = 2, ADMIN_MAX_PARAMETERS = 64 };

/* A connection. The server's thread's. */
struct visitor {
    struct link link; /* who asked nothing for longest first */
    int file;
    bool is_busy; /* a request of it waits for main */
};

enum request_state {
    REQUEST_READS,    /* its body comes */
    REQUEST_WAITS,    /* main has it */
    REQUEST_ANSWERED, /* the answer is to be sent */
};

/* The server's thread's, but while it waits: then main's. Suspending and resuming the connection is
 * the hand-over. */
struct admin_request {
    struct admin *admin;
    struct MHD_Connection *connection;
    struct visitor *visitor;
    const struct admin_route *route;
    char *names[ADMIN_MAX_NAMES];
    struct {
        char *name;
        char *value;
    } parameters[ADMIN_MAX_PARAMETERS];
    size_t parameter_count;
    struct buffer body;
    size_t dropped_bytes; /* of a body that turned out to be too long */
    bool is_counted;      /* among those that wait long */
    enum request_state state;
    struct link link; /* of those that wait */
    enum admin_status status;
    const char *type;
    struct buffer answer;
};

struct admin {
    struct admin_options options;
    struct admin_guard guard;
    char *url;
    struct MHD_Daemon *daemon;

    /* Main's. */
    uv_async_t wake;
    uv_timer_t heart;

    atomic_int_fast64_t beat_ms; /* main writes: clock_monotonic_ms of its last turn */
    atomic_size_t refused;       /* for want of the right token; main takes what it says */
    int64_t refused_said_ms;     /* main's; 0: never */

    uv_mutex_t mutex;
    /* Under the mutex. */
    struct link asked;     /* requests that main has not seen */
    struct link answering; /* that it has */
    bool is_stopped;

    /* The server's thread's. */
    struct link visitors;
    size_t visitor_count;
    size_t waiting_long; /* requests of routes that are long */
};

/* Starts the server's thread on the socket, which it closes in the end. */
MUST_USE int admin_server_start(struct admin *admin, int file, struct error *err);

/* Suspends the request's connection and hands it to main; false when main takes none any more. */
bool admin_hand_over(struct admin_request *request);

#endif
