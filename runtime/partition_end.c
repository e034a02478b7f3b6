/* What becomes of a record whose handler has ended: settled, awaited, tried again, given up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "partition_internal.h"
#include "policy.h"

enum { REASON_BYTES = 512 };

/* --- the log --- */

static void log_record(enum log_level level, const struct record *record, const char *reason,
                       const char *what)
{
    const struct log_field fields[] = {
        log_text("topic", record->topic),        log_integer("partition", record->partition),
        log_integer("offset", record->offset),   log_bytes("key", record->key, record->key_length),
        log_integer("attempt", record->attempt), log_text("reason", reason),
    };
    log_event(level, fields, ARRAY_LENGTH(fields), "consumer %s: %s",
              record->owner->intake->config->name, what);
}

static const char *reason_of(const struct record *record)
{
    return record->failure != NULL ? record->failure : "no reason given";
}

/* --- ways to end --- */

static void settle(struct record *record)
{
    struct partition *partition = record->owner;
    offsets_settle(&partition->offsets, record->slot);
    intake_remove(partition->intake, &partition->share, record->block_bytes);
    partition_discard(record);
}

/* The record is not settled and never will be in this epoch: nothing of its partition is committed
 * past it, nothing further is started or read. What has not begun is given back, the record itself
 * too when it has failed, so that a partition at a stand takes no room from the others; whoever is
 * assigned the partition next reads it again. */
static void stop_at(struct record *record, const char *reason)
{
    struct partition *partition = record->owner;
    struct intake *intake = partition->intake;
    partition->is_stopped = true;
    intake->counts.failed++;
    dispatcher_hold(intake->dispatcher, partition->lane);
    log_record(LOG_ERROR, record, reason,
               "a record failed; its partition is stopped and will not be committed past it, mend "
               "the cause and restart");
    partition->gives_back = true;
}

/* The record is done with, unhandled. It may have left its strand already. */
static void skip(struct record *record)
{
    struct intake *intake = record->owner->intake;
    intake->counts.skipped++;
    if (record->state == RECORD_KEPT)
        dispatcher_release(intake->dispatcher, record);
    settle(record);
}

/* The record failed, but its partition is another's, or soon will be, or is stopped: whoever reads
 * it next handles it. */
static void give_back(struct record *record)
{
    struct partition *partition = record->owner;
    if (record->outcome == OUTCOME_FAILED || record->outcome == OUTCOME_INVALID)
        log_record(LOG_WARN, record, reason_of(record),
                   "a record failed; its partition is given back, so it will be handled again");
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
    if (delay_ms < 0)
        delay_ms =
            retries_delay_ms(&intake->config->on_error, record->attempt, intake_random(intake));
    char what[64];
    snprintf(what, sizeof what, "a record failed; tried again in %" PRId64 " ms", delay_ms);
    log_record(LOG_WARN, record, reason_of(record), what);
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
    record->is_refused = false;
    retries_add(&intake->retries, record, clock_monotonic_ms() + delay_ms);
}

/* --- the end of a run --- */

/* The handler returned; its record is settled when all that it published is acknowledged. */
static void end_well(struct record *record)
{
    struct partition *partition = record->owner;
    partition->intake->counts.handled++;
    if (record->is_refused) {
        list_append(&partition->stuck, &record->partition_link);
    } else if (record->reported == record->published) {
        settle(record);
    } else {
        list_append(&partition->awaited, &record->partition_link);
        partition->awaited_count++;
    }
}

static void say_skipped(struct record *record)
{
    if (record->outcome == OUTCOME_UNKNOWN_TYPE)
        intake_warn_unknown_type(record->owner->intake, record);
    else if (record->failure != NULL)
        log_record(record->outcome == OUTCOME_SKIPPED ? LOG_WARN : LOG_ERROR, record,
                   record->failure, "a record is skipped");
}

static void decide(struct record *record)
{
    const struct intake *intake = record->owner->intake;
    switch (policy_decide(intake->config, record)) {
    case DECISION_SETTLE:
        end_well(record);
        return;
    case DECISION_RETRY:
        if (record->owner->is_stopped)
            give_back(record);
        else
            retry(record);
        return;
    case DECISION_SKIP:
        say_skipped(record);
        skip(record);
        return;
    case DECISION_STOP:
        stop_at(record, reason_of(record));
        return;
    }
}

/* A handler that awaits what was refused fails by that, and trying it again is no use: the
 * dispatcher has kept it as the head of its strand, and it was said when it was refused. */
static bool has_failed_refused(const struct record *record)
{
    return record->is_refused && record->state == RECORD_KEPT;
}

static bool is_moot(const struct record *record)
{
    const struct partition *partition = record->owner;
    return record->epoch != partition->epoch ||
           (partition->is_revoking && record->state == RECORD_KEPT);
}

void partition_end_record(struct record *record)
{
    record->is_ended = true;
    record->deliveries_open += (int32_t)record->published;
    if (is_moot(record))
        give_back(record);
    else if (!has_failed_refused(record))
        decide(record);
}

void partition_rerun(struct record *record)
{
    dispatcher_rerun(record->owner->intake->dispatcher, record);
}

/* --- deliveries --- */

/* A delivery that was refused for good is as if the handler had failed, only that its strand may
 * have moved on already. */
static void refuse(struct record *record, const char *reason)
{
    struct partition *partition = record->owner;
    char text[REASON_BYTES];
    snprintf(text, sizeof text, "a record that its handler published was refused: %s", reason);
    bool was_refused = record->is_refused;
    record->is_refused = true;
    bool has_failed = record->is_ended && record->state == RECORD_KEPT;
    if (record->epoch != partition->epoch || was_refused || has_failed)
        return;
    stop_at(record, text);
    if (record->is_ended && record->state == RECORD_OUTSIDE) {
        list_remove(&record->partition_link);
        partition->awaited_count--;
        list_append(&partition->stuck, &record->partition_link);
    }
}

void partition_report(struct record *record, int run, const char *reason)
{
    struct partition *partition = record->owner;
    record->deliveries_open--;
    if (record->is_dropped) {
        if (record->deliveries_open == 0)
            record_free(&record);
        return;
    }
    if (run != record->run)
        return;
    if (reason != NULL) {
        refuse(record, reason);
        return;
    }
    record->reported++;
    bool is_awaited = record->is_ended && record->outcome == OUTCOME_DONE && !record->is_refused;
    if (is_awaited && record->reported == record->published && record->epoch == partition->epoch) {
        list_remove(&record->partition_link);
        partition->awaited_count--;
        settle(record);
    }
}
