/* broker.h - lagoon broker: librdkafka's mock cluster as a broker for development.
 *
 * A process of its own, because a client that misbehaves makes the mock cluster abort. It listens
 * on 127.0.0.1 only. Its talk is line by line: on standard output `listening on 127.0.0.1:PORT`
 * once it is ready; a line `topic NAME:PARTITIONS` on standard input is answered by `created
 * NAME:PARTITIONS` or `failed NAME:PARTITIONS: why`, one answer a line, in order.
 *
 * Threads: main, alone in the process; call log_init before. */
#ifndef BROKER_H
#define BROKER_H

#include "util.h"

enum { BROKER_DEFAULT_PORT = 9092 };

struct broker_options {
    int port;         /* 0: any that is free */
    bool is_any_from; /* the first free one from port on; one that is 0 stays any */
    /* Of a program that dies with or without saying so: ends with it, and with the end of standard
     * input, which is the parent's to hold open. Otherwise the end of standard input means nothing.
     */
    bool is_child;
    const char *const *topics; /* NAME:PARTITIONS, created before it is ready */
    size_t topic_count;
};

/* Runs until SIGTERM or SIGINT; returns the exit code, with which the process has to end. */
int broker_main(const struct broker_options *options);

#endif
