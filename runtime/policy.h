/* policy.h - what becomes of a record whose run has ended.
 *
 * Decided once, by the worker that ran it, which has to know at once whether the strand moves on.
 * The decision goes with the record, and main acts by it: policies may change between the two, and
 * main never does other than what the strand went by.
 *
 * Pure. Threads: any. */
#ifndef POLICY_H
#define POLICY_H

#include "config.h"
#include "dispatcher.h"
#include "record.h"

/* Of an ended record; its outcome is set. */
enum decision policy_decide(const struct consumer_config *consumer, const struct record *record);

/* How its strand goes on meanwhile; its decision is set. */
enum verdict policy_verdict(const struct record *record);

/* What a policy comes to in the end. */
enum decision policy_last(enum policy policy);

#endif
