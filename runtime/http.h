/* http.h - HTTP requests that handlers wait for, done by libcurl on a thread of its own.
 *
 * The thread, named io, begins with the first request. It never blocks, keeps connections for the
 * next requests, and runs only so many at a time: the others wait for their turn, within their
 * timeout.
 *
 * Owns:    the thread, its loop and its connections. An exchange, a request with its answer, has
 *          two owners: the thread until it is over, and who began it until http_release.
 * Threads: any, but http_stop. */
#ifndef HTTP_H
#define HTTP_H

#include "inbox.h"

struct error;
struct http_exchange;

enum {
    HTTP_MAX_HOST_REQUESTS = 100,          /* under way to one scheme, host and port */
    HTTP_MAX_REQUESTS = 400,               /* under way in all; as many connections are kept */
    HTTP_MAX_HEADER_BYTES = 64 * 1024,     /* of an answer */
    HTTP_MAX_BODY_BYTES = 4 * 1024 * 1024, /* of an answer, unpacked; a request may say otherwise */
};

struct http_header {
    const char *name;
    size_t name_length;
    const char *value;
    size_t value_length;
};

/* Borrowed for the call. */
struct http_request {
    const char *method;
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_length;
    int64_t timeout_ms; /* for all of it, the wait for its turn included */
    int64_t max_body_bytes;
};

/* -1 and err when it is none that could be sent. */
MUST_USE int http_check(const struct http_request *request, struct error *err);

/* Begins what http_check has passed; the ticket is posted to the inbox when it is over. NULL and
 * err when there is no thread for it. */
struct http_exchange *http_begin(const struct http_request *request, struct inbox *inbox,
                                 uint64_t ticket, struct error *err);

/* The ticket is posted, or about to be. What follows holds from then on. */
bool http_is_over(const struct http_exchange *exchange);

/* Why there is no answer; NULL: there is one. The texts live as long as the exchange. */
const char *http_reason(const struct http_exchange *exchange);
int http_status(const struct http_exchange *exchange);
const char *http_body(const struct http_exchange *exchange, size_t *length);

/* The header behind *position, which begins as 0; false when there is none. Names are in small
 * letters. */
bool http_next_header(const struct http_exchange *exchange, size_t *position,
                      struct http_header *header);

/* A request that is not over is given up. Sets *exchange to NULL. */
void http_release(struct http_exchange **exchange);

/* Ends the thread and what it has under way. Nobody begins or releases an exchange meanwhile; the
 * next that is begun starts it again. */
void http_stop(void);

#endif
