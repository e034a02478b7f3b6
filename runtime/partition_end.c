/* What becomes of a record whose handler has ended: settled, awaited, tried again, given up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "partition_failure.h"
#include "partition_internal.h"
#include "policy.h"

enum { REASON_BYTES = 512 };

/* --- ways to end --- */

static void settle(struct record *record)
{
    struct partition *partition = record->owner;
    offsets_settle(&partition->offsets, record->slot);
    intake_note_wait(partition->intake, record);
    intake_remove(partition->intake, &partition->share, record->block_bytes);
    partition_discard(record);
}

/* A record that is on no list but that of what is awaited, or still the head of its strand. */
static void leave(struct record *record)
{
    struct partition *partition = record->owner;
    if (record->state == RECORD_KEPT) {
        dispatcher_release(partition->intake->dispatcher, record);
    } else if (!list_is_empty(&record->partition_link)) {
        list_remove(&record->partition_link);
        partition->awaited_count--;
    }
}

/* The record is done with, unhandled. */
static void skip(struct record *record)
{
    record->owner->intake->counts.skipped++;
    leave(record);
    settle(record);
}

/* The record is settled when its letter is acknowledged; until then nothing of its strand passes
 * it, if it is there still. */
static void dead_letter(struct record *record)
{
    struct intake *intake = record->owner->intake;
    record->is_lettered = true;
    record->run++;
    if (record->state != RECORD_KEPT && list_is_empty(&record->partition_link))
        partition_await(record->owner, record);
    intake->send_letter(intake->letters, record);
}

static bool is_current(const struct record *record)
{
    return record->epoch == record->owner->epoch;
}

/* A drain has met a record that is not settled any more. What stands behind it would be handled
 * again in any case, and its strand must not pass it: so both leave with it, which is its strand's
 * head until then. */
static void end_finishing(struct record *record)
{
    struct partition *partition = record->owner;
    int64_t from = record->decision == DECISION_STOP ? REVOKE_ALL : record->offset;
    if (from < partition->gives_back_from)
        partition->gives_back_from = from;
}

/* The record failed, but its partition is another's, or soon will be, or is stopped: whoever reads
 * it next handles it. */
static void give_back(struct record *record)
{
    struct partition *partition = record->owner;
    if (record->outcome == OUTCOME_INTERRUPTED) {
        partition->intake->counts.interrupted++;
        partition_say(
            LOG_INFO, record, partition_reason(record),
            "a handler was interrupted by the stop; its record is given back, so it will be "
            "handled again");
    } else if (record->outcome == OUTCOME_FAILED || record->outcome == OUTCOME_INVALID) {
        partition_say(LOG_WARN, record, partition_reason(record),
                      "a record failed; its partition is given back, so it will be handled again");
    }
    if (record->state == RECORD_KEPT && is_current(record) && partition->is_finishing) {
        end_finishing(record);
        return;
    }
    if (record->state == RECORD_KEPT)
        dispatcher_release(partition->intake->dispatcher, record);
    partition_drop_record(partition, record);
}

/* The record stays the head of its strand and waits for its next run, for which it is made as new:
 * what its last run published is not looked at any more. */
static void retry(struct record *record)
{
    struct intake *intake = record->owner->intake;
    int64_t delay_ms = record->retry_after_ms;
    if (intake->breaker.is_open && record->attempt > intake->config->on_error.retries)
        delay_ms = intake->config->on_error.max_backoff_ms;
    else if (delay_ms < 0)
        delay_ms =
            retries_delay_ms(&intake->config->on_error, record->attempt, intake_random(intake));
    char what[64];
    snprintf(what, sizeof what, "a record failed; tried again in %" PRId64 " ms", delay_ms);
    partition_say_repeating(LOG_WARN, record, "retry", what);
    intake->counts.retried++;

    if (!record->is_uncounted)
        record->attempt++;
    record->run++;
    record->outcome = OUTCOME_NONE;
    free(record->failure);
    record->failure = NULL;
    record->published = 0;
    record->reported = 0;
    record->is_ended = false;
    free(record->refusal);
    record->refusal = NULL;
    retries_add(&intake->retries, record, intake->clock_ms() + delay_ms);
}

/* --- the end of a run --- */

/* The handler returned; its record is settled when all that it published is acknowledged. */
static void end_well(struct record *record)
{
    struct intake *intake = record->owner->intake;
    intake->counts.handled++;
    if (intake->breaker.is_open)
        log_info("consumer %s: a record was handled: the breaker is closed, all goes on",
                 intake->config->name);
    breaker_succeed(&intake->breaker);
    if (record->reported == record->published)
        settle(record);
    else
        partition_await(record->owner, record);
}

static void say_skipped(struct record *record)
{
    if (record->outcome == OUTCOME_UNKNOWN_TYPE)
        intake_warn_unknown_type(record->owner->intake, record);
    else if (record->failure != NULL)
        partition_say(record->outcome == OUTCOME_SKIPPED ? LOG_WARN : LOG_ERROR, record,
                      record->failure, "a record is skipped");
}

/* Of an unknown type the worker gives the type alone. */
static void word_failure(struct record *record)
{
    if (record->outcome != OUTCOME_UNKNOWN_TYPE)
        return;
    char *type = record->failure;
    record->failure = xasprintf("no handler for type '%s'", type);
    free(type);
}

static void say_open(const struct intake *intake)
{
    const struct error_policy *policy = &intake->config->on_error;
    log_error("consumer %s: %d records in a row were given up, which looks like an outage: the "
              "breaker is open. No further one is given up, and one is started every %" PRId64
              " ms, until a record is handled",
              intake->config->name, policy->breaker, policy->max_backoff_ms);
}

/* The breaker asks for proof that it is the record that is bad. A record that has left its strand
 * cannot be tried again in its order, so that one is given up in any case. */
static bool is_held_by_breaker(const struct record *record, enum decision decision)
{
    struct intake *intake = record->owner->intake;
    bool gives_up = decision == DECISION_DEAD_LETTER || decision == DECISION_SKIP;
    if (!gives_up || record->outcome != OUTCOME_FAILED)
        return false;
    if (!breaker_give_up(&intake->breaker))
        return record->state == RECORD_KEPT;
    if (intake->breaker.is_open)
        say_open(intake);
    return false;
}

static void act(struct record *record, enum decision decision)
{
    if (is_held_by_breaker(record, decision))
        decision = DECISION_RETRY;
    switch (decision) {
    case DECISION_SETTLE:
        end_well(record);
        return;
    case DECISION_RETRY:
        if (record->owner->is_stopped)
            give_back(record);
        else
            retry(record);
        return;
    case DECISION_DEAD_LETTER:
        word_failure(record);
        partition_say_repeating(LOG_ERROR, record, "dead letter",
                                "a record is given up and goes to the dead letters");
        dead_letter(record);
        return;
    case DECISION_SKIP:
        say_skipped(record);
        skip(record);
        return;
    case DECISION_STOP:
        word_failure(record);
        partition_stop_at(record, partition_reason(record));
        return;
    case DECISION_GIVE_BACK:
        give_back(record);
        return;
    }
}

/* --- refused deliveries --- */

/* What the handler asked for stands, also when it saw a delivery refused before. */
static bool was_asked(const struct record *record)
{
    return record->outcome == OUTCOME_SKIPPED || record->outcome == OUTCOME_DEAD_LETTER;
}

/* A worker that has decided to stop holds the lane already, whatever a refusal came to. */
static enum decision decision_of(const struct record *record)
{
    bool is_refused = record->refusal != NULL && !was_asked(record);
    return is_refused && record->decision != DECISION_STOP ? record->on_refusal : record->decision;
}

/* A delivery that was refused for good will be refused again: its record, which has ended, is given
 * up. Its strand may have moved on already, so that it cannot be tried again in its order. */
static void end_refused(struct record *record)
{
    struct partition *partition = record->owner;
    enum decision decision = decision_of(record);
    free(record->failure);
    record->failure = record->refusal;
    record->refusal = NULL;
    record->outcome = OUTCOME_FAILED;
    if (!record->has_stopped) {
        act(record, decision);
    } else if (record->state == RECORD_OUTSIDE) {
        leave(record);
        partition_drop_record(partition, record);
    } else {
        partition->gives_back_from = REVOKE_ALL;
    }
}

/* Under `stop` nothing further begins from the first report on, not only from the end of the
 * handler that still runs. */
static void refuse(struct record *record, const char *reason)
{
    if (record->epoch != record->owner->epoch || record->refusal != NULL)
        return;
    record->refusal = xasprintf("a record that its handler published was refused: %s", reason);
    partition_note_fault(record, FAULT_PUBLISH, record->refusal);
    record->on_refusal = policy_last(record->owner->intake->config->on_error.give_up);
    if (record->on_refusal == DECISION_STOP)
        partition_stop_at(record, record->refusal);
    if (record->is_ended)
        end_refused(record);
}

/* Its partition is another's, or soon will be: then a record ends here only when it is done with.
 * A refused delivery does not make a failure of an interrupted run. */
static bool is_moot(const struct record *record)
{
    const struct partition *partition = record->owner;
    if (record->epoch != partition->epoch || record->outcome == OUTCOME_INTERRUPTED)
        return true;
    enum decision decision = decision_of(record);
    bool is_held = record->outcome == OUTCOME_FAILED && partition->intake->breaker.is_open;
    return partition->is_revoking && record->state == RECORD_KEPT &&
           (decision == DECISION_RETRY || decision == DECISION_STOP || is_held);
}

void partition_end_record(struct record *record)
{
    struct intake *intake = record->owner->intake;
    record->is_ended = true;
    partition_note_end(record);
    partition_note_stopper_end(record);
    record->deliveries_open += (int32_t)record->published;
    if (is_moot(record)) {
        give_back(record);
        return;
    }
    /* A drain waits for what has left its strand, and nothing of the strand begins any more. */
    if (record->owner->is_revoking && !record->owner->is_finishing && record->state == RECORD_KEPT)
        dispatcher_release(intake->dispatcher, record);
    if (record->refusal != NULL && !was_asked(record)) {
        intake->counts.handled += record->outcome == OUTCOME_DONE;
        end_refused(record);
    } else {
        act(record, record->decision);
    }
}

void partition_rerun(struct record *record)
{
    dispatcher_rerun(record->owner->intake->dispatcher, record);
}

/* --- reports --- */

/* The record was given up by its partition; its last report frees it. */
static bool is_gone(struct record *record)
{
    if (!record->is_dropped)
        return false;
    if (record->deliveries_open == 0)
        record_free(&record);
    return true;
}

void partition_report(struct record *record, int run, const char *reason)
{
    record->deliveries_open--;
    if (is_gone(record) || run != record->run)
        return;
    if (reason != NULL) {
        refuse(record, reason);
        return;
    }
    record->reported++;
    bool is_awaited = record->is_ended && record->outcome == OUTCOME_DONE;
    if (is_awaited && record->reported == record->published &&
        record->epoch == record->owner->epoch) {
        intake_note_time(record->owner->intake);
        leave(record);
        settle(record);
    }
}

void partition_end_letter(struct record *record, const char *reason)
{
    if (is_gone(record))
        return;
    struct partition *partition = record->owner;
    record->is_lettered = false;
    if (reason == NULL) {
        intake_note_time(partition->intake);
        partition->intake->counts.letters++;
        leave(record);
        settle(record);
        return;
    }
    char text[REASON_BYTES];
    snprintf(text, sizeof text, "its dead letter was refused: %s", reason);
    partition_note_fault(record, FAULT_DEAD_LETTER, text);
    partition_stop_at(record, text);
    if (record->state == RECORD_OUTSIDE) {
        leave(record);
        partition_drop_record(partition, record);
    }
}
