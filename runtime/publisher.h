/* publisher.h - publishes events for who has no Lua state, by producers whose middlewares or codec
 * are Lua.
 *
 * A thread with a Lua state, which begin with the first event. Up to PUBLISHER_MAX_BEGUN events
 * have begun and not ended, interleaved where they wait; further ones wait their turn. They have
 * the limits that handlers have by default. When a generation comes, or a limit ended something,
 * what begins from then on begins in another state; what has begun ends in its own, of which there
 * are three at most.
 *
 * Owns:    the thread, the state, events until they have ended.
 * Threads: main.
 * Life:    publisher_new -> publisher_add ... -> publisher_stop -> on_stopped -> publisher_close,
 * and then the loop until it has no handles. */
#ifndef PUBLISHER_H
#define PUBLISHER_H

#include <uv.h>

#include "generation.h"

struct publisher;

enum { PUBLISHER_MAX_BEGUN = 64, PUBLISHER_MAX_WAITING = 1000 };

/* What became of an event. */
enum publisher_end {
    PUBLISHER_PUBLISHED, /* it is on its way: its report comes by its tag, or has come */
    PUBLISHER_LEFT_OUT,  /* a middleware has published nothing */
    PUBLISHER_REFUSED,   /* it makes no sense, or a middleware says so: the reason */
    PUBLISHER_FAILED,    /* nothing could be done about it: the reason */
};

struct publisher_event {
    struct link link;
    char *producer;
    char *type;
    char *key;           /* NULL: the producer knows */
    char **headers;      /* name, value, ... */
    size_t header_count; /* of both */
    bool is_raw;         /* the body is the event, else JSON */
    struct buffer body;
    uint64_t tag;
    void *context; /* the owner's */

    enum publisher_end end;
    char *reason;
};

/* The rest is zero, and the caller's to fill. */
struct publisher_event *publisher_event_new(void);
void publisher_event_free(struct publisher_event **event);

struct publisher_options {
    uv_loop_t *loop;
    struct generation *generation; /* it takes a reference */
    void *context;
    void (*on_end)(void *context, struct publisher_event *event); /* the receiver's from there on */
    void (*on_stopped)(void *context);
};

/* NULL and err when there is no thread to be had. */
struct publisher *publisher_new(const struct publisher_options *options, struct error *err);

/* Takes *event, which ends later in any case; false: too many wait, and it is the caller's yet. */
MUST_USE bool publisher_add(struct publisher *publisher, struct publisher_event **event);

/* The generation serves: what begins from now on begins in a state of it. */
void publisher_go_by(struct publisher *publisher, struct generation *generation);

/* What has not begun fails; what waits is ended where it does, what runs by its limits; then
 * on_stopped. */
void publisher_stop(struct publisher *publisher);

/* After on_stopped. It is freed when the loop has run on. Sets *publisher to NULL. */
void publisher_close(struct publisher **publisher);

#endif
