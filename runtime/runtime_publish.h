/* runtime_publish.h - events that come over HTTP become records, each answered when it is
 * delivered.
 *
 * A helper looks into the event and publishes it, since a producer that is used for the first time
 * makes its handle then; where middlewares or a codec are Lua a publisher does, which begins with
 * the first of these. The report comes to main and finds its request by a tag.
 *
 * Owns:    what is under way, the publisher. Borrows the producers.
 * Threads: main.
 * Life:    publishing_init -> publishing_begin, any number of times -> publishing_stop ->
 *          publishing_close. */
#ifndef RUNTIME_PUBLISH_H
#define RUNTIME_PUBLISH_H

#include "admin.h"
#include "producers.h"
#include "publisher.h"

struct publishing {
    uv_loop_t *loop;
    struct producers *producers;
    struct link open; /* under way */
    uint64_t last_tag;
    uv_timer_t timer;            /* while any is */
    struct publisher *publisher; /* NULL: nothing was Lua yet */
    void *context;
    void (*on_idle)(void *context); /* a helper is done: a stop may go on */
};

void publishing_init(struct publishing *publishing, uv_loop_t *loop, struct producers *producers,
                     void *context, void (*on_idle)(void *context));

/* Answers the request, now or later. The producer is that of this index in the generation, which
 * serves. */
void publishing_begin(struct publishing *publishing, struct generation *generation, size_t index,
                      struct admin_request *request);

/* The generation serves. */
void publishing_go_by(struct publishing *publishing, struct generation *generation);

/* Nothing begins any more. While the publisher has not ended a helper walks over the producers. */
void publishing_stop(struct publishing *publishing);

/* True: the report was of one of these. */
bool publishing_report(struct publishing *publishing, const struct loose_report *report);

/* Closes the loop's handles; nothing is under way in a helper. */
void publishing_close(struct publishing *publishing);

#endif
