/* dev_broker.h - the embedded broker of `lagoon dev`, in a child process.
 *
 * Owns:    the child. Threads: main, before the loop runs and after. */
#ifndef DEV_BROKER_H
#define DEV_BROKER_H

#include <sys/types.h>

#include "config.h"
#include "error.h"

struct dev_broker {
    pid_t process;
    int input; /* held open: its end ends the child */
    int output;
    char address[64]; /* 127.0.0.1:9092 */
};

/* With port -1 the first free one from 9092 on. The config's topics are created before this
 * returns. */
MUST_USE int dev_broker_start(struct dev_broker *broker, const struct config *config, int port,
                              struct error *err);
void dev_broker_stop(struct dev_broker *broker);

#endif
