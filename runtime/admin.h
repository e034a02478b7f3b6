/* admin.h - the HTTP server by which a running lagoon is watched and steered.
 *
 * Connections are served by a thread of their own, libmicrohttpd's; what only main knows is handed
 * to main as a request, which it answers at once or later, while the connection waits without a
 * cost. Whether main turns at all is answered without it. Connections, headers, bodies and times
 * are limited; when there are too many connections the one that has asked nothing for longest makes
 * room. However many wait for an answer, there is room for who asks whether it lives.
 *
 * Owns:    the listening socket, the connections, requests until they are answered.
 * Threads: main, but for what the server's thread runs; between them are a locked list and an
 *          atomic.
 * Life:    admin_start -> admin_stop, and then the loop until it has no handles -> admin_free. */
#ifndef ADMIN_H
#define ADMIN_H

#include <uv.h>

#include "admin_address.h"
#include "util.h"

struct admin;
struct admin_request;

/* What can be asked for. The first route fits whose path and method do. */
struct admin_route {
    const char *method; /* GET, which HEAD is too, or POST */
    const char *path;   /* a part * stands for any name: admin_request_name */
    /* On main: answers by admin_answer, now or later. NULL: the server's thread answers whether
     * main turns. */
    void (*run)(void *context, struct admin_request *request);
    const char *word;      /* for run */
    size_t max_body_bytes; /* 0: 64 KiB */
    bool is_long;          /* its answer may take long, so only so many wait for one at a time */
};

struct admin_options {
    uv_loop_t *loop;
    struct admin_address address;
    const char *token; /* of what is under /v1; NULL: none */
    const struct admin_route *routes;
    size_t route_count;
    void *context; /* of the routes */
};

/* Listens. What the options name outlives it. With ADMIN_TAKEN and ADMIN_FAILED err says why. */
enum admin_listen_result admin_start(struct admin **admin, const struct admin_options *options,
                                     struct error *err);

/* "http://127.0.0.1:9464" */
const char *admin_url(const struct admin *admin);

/* Whoever waits for an answer gets none. Its handles are closed when the loop has run on. */
void admin_stop(struct admin *admin);

/* Sets *admin to NULL. After the loop has run, or when it was never started. */
void admin_free(struct admin **admin);

/* --- a request, on main --- */

const struct admin_route *admin_request_route(const struct admin_request *request);

/* What stands in the place of the route's n-th *, from 0; NULL: it has not so many. */
const char *admin_request_name(const struct admin_request *request, size_t index);

/* The body, with a NUL behind it. */
const char *admin_request_body(const struct admin_request *request, size_t *length);

/* The name of the n-th ?NAME=VALUE, from 0, and its value; NULL: it has not so many. */
const char *admin_request_parameter(const struct admin_request *request, size_t index,
                                    const char **value);

enum admin_status {
    ADMIN_OK = 200,
    ADMIN_ACCEPTED = 202,
    ADMIN_BAD = 400,
    ADMIN_UNKNOWN = 404,
    ADMIN_REFUSED = 409,
    ADMIN_UNAVAILABLE = 503, /* with Retry-After */
    ADMIN_TIMEOUT = 504,
};

/* The request is the server's again. Takes the bytes of *body, which is JSON unless `type` says
 * otherwise. */
void admin_answer(struct admin_request *request, enum admin_status status, const char *type,
                  struct buffer *body);

/* {"error": "..."} */
void admin_answer_error(struct admin_request *request, enum admin_status status,
                        const struct error *err);

#endif
