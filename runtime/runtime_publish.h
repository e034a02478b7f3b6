/* runtime_publish.h - events that come over HTTP become records, each answered when it is
 * delivered.
 *
 * A helper looks into the event and publishes it, since a producer that is used for the first time
 * makes its handle then; the report comes to main and finds its request by a tag.
 *
 * Owns:    what is under way. Borrows the producers.
 * Threads: main.
 * Life:    publishing_init -> publishing_begin, any number of times -> publishing_close. */
#ifndef RUNTIME_PUBLISH_H
#define RUNTIME_PUBLISH_H

#include "admin.h"
#include "producers.h"

struct publishing {
    uv_loop_t *loop;
    struct producers *producers;
    struct link open; /* under way */
    uint64_t last_tag;
    uv_timer_t timer; /* while any is */
    void *context;
    void (*on_idle)(void *context); /* a helper is done: a stop may go on */
};

void publishing_init(struct publishing *publishing, uv_loop_t *loop, struct producers *producers,
                     void *context, void (*on_idle)(void *context));

/* Answers the request, now or later. `config` is the producer's of the generation that serves. */
void publishing_begin(struct publishing *publishing, struct producer *producer,
                      const struct producer_config *config, struct admin_request *request);

/* True: the report was of one of these. */
bool publishing_report(struct publishing *publishing, const struct loose_report *report);

/* Closes the loop's handle; nothing is under way in a helper. */
void publishing_close(struct publishing *publishing);

#endif
