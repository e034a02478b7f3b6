/* policy.h - what becomes of a record whose run has ended.
 *
 * Decided from the config and the record alone, so that the worker, which has to know at once
 * whether the strand moves on, and main, which acts, come to the same.
 *
 * Pure. Threads: any. */
#ifndef POLICY_H
#define POLICY_H

#include "config.h"
#include "dispatcher.h"
#include "record.h"

enum decision {
    DECISION_SETTLE, /* it was handled */
    DECISION_RETRY,  /* it runs again */
    DECISION_DEAD_LETTER,
    DECISION_SKIP,
    DECISION_STOP,      /* its partition stops */
    DECISION_GIVE_BACK, /* its run counts for nothing: whoever reads it next handles it */
};

/* Of an ended record; its outcome is set. */
enum decision policy_decide(const struct consumer_config *consumer, const struct record *record);

/* How its strand goes on meanwhile. */
enum verdict policy_verdict(const struct consumer_config *consumer, const struct record *record);

/* What a policy comes to in the end. */
enum decision policy_last(enum policy policy);

#endif
