/* control.h - the Unix socket by which verbs speak to a running lagoon: a line of JSON asks, a line
 * of JSON answers, then it is closed.
 *
 * Only the user who runs it and root are heard. Requests, their number and the time that they may
 * take are limited, and nothing here waits: a command answers from what main has in hand.
 *
 * Owns:    the socket and its connections.
 * Threads: main.
 * Life:    control_start -> control_close, and then the loop until it has no handles. */
#ifndef CONTROL_H
#define CONTROL_H

#include <uv.h>

#include "control_name.h"
#include "control_request.h"
#include "json_writer.h"

/* How a command ended. */
enum control_end {
    CONTROL_DONE,
    CONTROL_BAD,     /* the request makes no sense; nothing was done in this and what follows */
    CONTROL_UNKNOWN, /* there is nothing of that name */
    CONTROL_REFUSED, /* not now, not here */
};

/* What can be asked for. */
struct control_command {
    const char *name;
    const char *members; /* what a request may have besides "command", separated by spaces */
    /* Writes the members of the answer, an object; or says in err why not. */
    enum control_end (*run)(void *context, const struct control_request *request,
                            struct json_writer *answer, struct error *err);
};

/* The one of that name; NULL when there is none. */
const struct control_command *control_find(const struct control_command *commands, size_t count,
                                           const char *name);

/* Appends the whole answer to an empty *out. */
enum control_end control_run(const struct control_command *command, void *context,
                             const struct control_request *request, struct buffer *out,
                             struct error *err);

struct control_options {
    uv_loop_t *loop;
    const char *config;   /* its path */
    const char *instance; /* NULL: the first number that is free */
    const struct control_command *commands;
    size_t command_count;
    void *context; /* of the commands */
};

struct control {
    struct control_options options;
    uv_pipe_t listener;
    bool is_open;
    char instance[CONTROL_INSTANCE_BYTES]; /* by which it is found */
    struct link peers;
    size_t peer_count;
};

/* Listens, under the first name that is free: the instance's own, or with a number behind it. When
 * it cannot, that is said in the log: a program runs without it too. What the options name outlives
 * it. */
void control_start(struct control *control, const struct control_options *options);

/* Its handles are closed when the loop has run on. */
void control_close(struct control *control);

#endif
