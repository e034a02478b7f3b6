/* control_request.h - what is asked of a running lagoon: a line of JSON, one flat object of texts,
 * whole numbers, true and false, with the member "command".
 *
 * Owns:    its texts.
 * Threads: main. */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include "error.h"

enum { CONTROL_MAX_MEMBERS = 16 };

struct control_member {
    char *name;
    char *text; /* NULL: it is no text */
    bool is_integer;
    int64_t integer; /* 1 and 0 for true and false */
};

struct control_request {
    struct control_member members[CONTROL_MAX_MEMBERS];
    size_t count;
};

/* The line ends with a NUL. On failure nothing is left to destroy. */
MUST_USE int control_request_parse(struct control_request *request, const char *line,
                                   struct error *err);
void control_request_destroy(struct control_request *request);

/* Adds a text, in place of one of that name; for a request that comes by another way than a line.
 * A name more than there may be is left out. */
void control_request_set(struct control_request *request, const char *name, const char *text);

/* Every member is "command" or one of `known`, names separated by spaces: what is not understood
 * must not be passed over. */
MUST_USE int control_request_check(const struct control_request *request, const char *known,
                                   struct error *err);

/* The text of that name, NULL when there is none; -1 and err when it is something else. It lives as
 * long as the request. */
MUST_USE int control_request_text(const struct control_request *request, const char *name,
                                  const char **text, struct error *err);

/* The whole number of that name, `otherwise` when there is none; -1 and err when it is something
 * else, or below 0. */
MUST_USE int control_request_integer(const struct control_request *request, const char *name,
                                     int64_t otherwise, int64_t *integer, struct error *err);

#endif
