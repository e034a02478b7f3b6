/* dev_broker.h - the embedded brokers of `lagoon dev`, one for each cluster, in child processes.
 *
 * Owns:    the children. Threads: main, before the loop runs and after. */
#ifndef DEV_BROKER_H
#define DEV_BROKER_H

#include "config.h"
#include "error.h"

struct dev_brokers {
    struct dev_broker *items; /* in the order of the config's clusters */
    const char **addresses;   /* of them: 127.0.0.1:9092 */
    size_t count;
};

/* The first listens on `port`, with -1 on the first free one from 9092 on; the others on free ones
 * behind it. 0: any that are free. The topics of each cluster are created before this returns. */
MUST_USE int dev_brokers_start(struct dev_brokers *brokers, const struct config *config, int port,
                               struct error *err);
void dev_brokers_stop(struct dev_brokers *brokers);

#endif
