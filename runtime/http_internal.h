/* http_internal.h - what the files of http share: http.c where threads meet, http_request.c what is
 * asked for, http_turns.c whose turn it is, http_transfer.c one request on its way, http_loop.c
 * libcurl on libuv.
 *
 * Threads: io, where nothing else is said. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <uv.h>

#include "http.h"

struct http_exchange {
    atomic_int references;
    /* The answer stands. Stored with release, loaded with acquire. */
    atomic_bool is_over;

    /* Constant. */
    struct inbox *inbox;
    uint64_t ticket;
    char *method;
    char *url;
    char *place; /* scheme, host and port */
    char *label; /* for messages: method and URL, without what may be secret */
    char *body;  /* NULL: none */
    size_t body_length;
    struct curl_slist *headers;
    int64_t timeout_ms;
    int64_t deadline_ms; /* clock_monotonic_ms */
    size_t max_body_bytes;

    /* Under the mutex of http.c. */
    bool is_taken; /* the thread knows of it */
    bool is_finished;
    struct link begun;     /* until it is taken */
    struct link cancelled; /* given up, and the thread does not know yet */

    /* The thread's. */
    struct link open; /* all that are not over */
    struct http_host *host;
    struct link turn; /* waits for its turn */
    CURL *easy;       /* NULL until then */
    uv_timer_t timer;
    char problem[CURL_ERROR_SIZE];
    bool are_headers_too_long;
    bool is_body_too_long;

    /* The answer. */
    int status;
    struct buffer header_lines; /* "name: value\n", without the spaces around */
    struct buffer answer;
    char *reason;
};

/* --- http_request.c (any thread) --- */

/* A copy of a request that http_check has passed. */
struct http_exchange *http_exchange_new(const struct http_request *request);
void http_exchange_free(struct http_exchange **exchange);

/* --- http_turns.c --- */

struct http_host {
    char *place;
    size_t running;
    struct link waiting; /* exchanges, by turn */
    struct link link;    /* on the list of all */
    struct link ready;   /* on that of turns: it has one that waits, and room for it */
};

/* Whose turn it is: hosts with room take turns, the requests of a host wait in their order. Pure.
 */
struct http_turns {
    struct link hosts; /* with a request; few, as their number is that of servers */
    struct link ready;
    size_t running;
};

void http_turns_init(struct http_turns *turns);
void http_turns_add(struct http_turns *turns, struct http_exchange *exchange);
/* The next to run, which counts as running from here on; NULL: none may. */
struct http_exchange *http_turns_next(struct http_turns *turns);
/* It runs or waits no more. */
void http_turns_remove(struct http_turns *turns, struct http_exchange *exchange);

/* --- http_transfer.c --- */

/* The easy handle of an exchange whose turn it is. */
void http_transfer_open(struct http_exchange *exchange);

/* Closes it and notes what came of it, by libcurl's code. */
void http_transfer_end(struct http_exchange *exchange, CURLcode code);

/* Why it has come no further: its timeout is over. The caller frees it. */
char *http_transfer_timeout_reason(const struct http_exchange *exchange);

/* --- http_loop.c --- */

struct http_loop {
    uv_loop_t *uv;
    CURLM *multi;
    uv_timer_t timer;
    /* A transfer has come to its end; it is out of multi. May add and remove others. */
    void (*on_done)(struct http_exchange *exchange, CURLcode code);
};

void http_loop_open(struct http_loop *loop);
void http_loop_add(struct http_loop *loop, struct http_exchange *exchange);
void http_loop_remove(struct http_loop *loop, struct http_exchange *exchange);
/* Closes all connections; the handles are closed when the uv loop has run. */
void http_loop_close(struct http_loop *loop);

#endif
