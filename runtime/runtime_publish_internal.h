/* runtime_publish_internal.h - what the files of runtime_publish.h share. */
#ifndef RUNTIME_PUBLISH_INTERNAL_H
#define RUNTIME_PUBLISH_INTERNAL_H

#include "error.h"
#include "runtime_publish.h"

enum { MAX_HEADERS = 32 };

/* One event on its way. Its texts are the request's, which stays until it is answered; the config's
 * are copied, since a reload may come between. */
struct event {
    struct publishing *publishing;
    struct link link;
    struct admin_request *request;
    struct producer *producer;
    char *name; /* the producer's */
    uv_work_t work;
    bool is_working; /* the helper has it */
    int64_t began_ms;
    uint64_t tag;

    char *key_field;
    bool is_raw;
    bool needs_key;
    struct buffer key;
    bool has_key;
    char *declared[2 * MAX_HEADERS]; /* names and values, owned */
    struct record_header headers[MAX_HEADERS];
    size_t header_count;
    size_t declared_count;
    struct publisher_event *lua; /* while the publisher has it, whose it is; NULL: it has not */
    bool is_lua;

    enum publish_result result;
    enum admin_status status; /* with the answer, while the helper is not done; 0: none yet */
    struct buffer answer;
    struct error err;
};

/* The event is gone behind it, unless a helper still has it. */
void publishing_answer_error(struct event *event, enum admin_status status,
                             const struct error *err);

/* What its producer puts around an event is Lua. */
bool publishing_is_lua(const struct producer_config *config);

/* Gives the event to the publisher, which there is from the first of them on. */
void publishing_begin_lua(struct event *event, struct generation *generation,
                          const struct producer_config *config);

#endif
