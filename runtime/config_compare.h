/* config_compare.h - in which keys two readings of a config differ, and which of them a running
 * process can change.
 *
 * Pure. Threads: any. */
#ifndef CONFIG_COMPARE_H
#define CONFIG_COMPARE_H

#include "config.h"

/* Paths such as consumers.orders.buffer_size; one that is there in only one of both stands alone,
 * with a word behind it: "consumers.orders (new)". */
struct config_difference {
    char **paths;
    size_t count;
};

enum config_reach {
    REACH_LIVE,     /* what a new Lua state, or main at once, goes by */
    REACH_CONSUMER, /* what a consumer takes up when it leaves its group and joins anew */
    REACH_RESTART,  /* what only another start of the process takes up */
};

/* Those of the given reach. The paths are the caller's, by config_difference_destroy. */
void config_compare(const struct config *before, const struct config *after,
                    enum config_reach reach, struct config_difference *difference);

/* Of a key by its name in the documents, consumers.NAME.group; of a table of items, consumers: of
 * one that is new or removed. */
enum config_reach config_reach_of(const char *path);

/* Those in which two declarations of the consumer, which is in both, differ and that it takes up
 * only by joining anew: "group, topic". NULL: none. The caller frees it. */
char *config_compare_consumer(const struct config *before, const struct config *after,
                              const char *name);
void config_difference_destroy(struct config_difference *difference);

#endif
