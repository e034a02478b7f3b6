/* membership_joining.h - whether a consumer's handle is asking to join its group right now.
 *
 * Under the cooperative protocol a member keeps partitions while it joins again, and librdkafka
 * does not tell of it. A commit sent meanwhile stands on the connection behind the join, which may
 * take seconds, and carries the generation before it. The coordinator refuses it, and libraries
 * before 2.10 take that for the loss of every partition. So none is sent.
 *
 * Owns:    itself, as the handle's opaque.
 * Threads: librdkafka's set it; any may ask. */
#ifndef MEMBERSHIP_JOINING_H
#define MEMBERSHIP_JOINING_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

struct joining;

/* The handle that is made of conf will be watched; conf must not have an opaque. */
struct joining *joining_watch(rd_kafka_conf_t *conf);

/* Sets *joining to NULL. The handle is destroyed, or was never made. */
void joining_free(struct joining **joining);

/* Of a handle that is watched. */
struct joining *joining_of(const rd_kafka_t *handle);
bool joining_is_under_way(const rd_kafka_t *handle);

#endif
