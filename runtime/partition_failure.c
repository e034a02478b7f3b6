#include "partition_failure.h"

#include <stdio.h>
#include <string.h>

#include "partition.h"

enum {
    FIELDS = 6,
    LOG_FEW = 5,       /* lines of one failure before they are left out */
    KEY_BYTES_MIN = 3, /* a shorter key stands in many words */
};

const char *partition_reason(const struct record *record)
{
    return record->failure != NULL ? record->failure : "no reason given";
}

static void fill_fields(struct log_field fields[FIELDS], const struct record *record,
                        const char *reason)
{
    fields[0] = log_text("topic", record->topic);
    fields[1] = log_integer("partition", record->partition);
    fields[2] = log_integer("offset", record->offset);
    fields[3] = log_bytes("key", record->key, record->key_length);
    fields[4] = log_integer("attempt", record->attempt);
    fields[5] = log_text("reason", reason);
}

void partition_say(enum log_level level, const struct record *record, const char *reason,
                   const char *what)
{
    struct log_field fields[FIELDS];
    fill_fields(fields, record, reason);
    log_event(level, fields, FIELDS, "consumer %s: %s", record->owner->intake->config->name, what);
}

/* The same failure of another record is no other failure: where its key stands in the reason, any
 * may stand. */
static void append_reason(struct buffer *kind, const struct record *record, const char *reason)
{
    const char *key;
    size_t length = record->key_length, left = strlen(reason);
    while (length >= KEY_BYTES_MIN && (key = memmem(reason, left, record->key, length)) != NULL) {
        buffer_append(kind, reason, (size_t)(key - reason));
        buffer_append_text(kind, "(key)");
        left -= (size_t)(key - reason) + length;
        reason = key + length;
    }
    buffer_append(kind, reason, left + 1);
}

void partition_say_repeating(enum log_level level, const struct record *record, const char *done,
                             const char *what)
{
    const char *consumer = record->owner->intake->config->name;
    const char *reason = partition_reason(record);
    struct log_field fields[FIELDS];
    struct buffer kind;
    buffer_init(&kind);
    buffer_format(&kind, "%s %s: ", consumer, done);
    append_reason(&kind, record, reason);
    fill_fields(fields, record, reason);
    log_repeated(kind.bytes, LOG_FEW, level, fields, FIELDS, "consumer %s: %s", consumer, what);
    buffer_destroy(&kind);
}

void partition_note_fault(const struct record *record, enum fault fault, const char *reason)
{
    char place[RECORD_NAME_BYTES];
    faults_note(&record->owner->intake->faults, fault, record_name(record, place), reason);
}

/* Of which the worker gives the type alone. */
static void note_unknown_type(const struct record *record)
{
    char text[FAULT_TEXT_BYTES];
    snprintf(text, sizeof text, "no handler for type '%s'", partition_reason(record));
    partition_note_fault(record, FAULT_UNKNOWN_TYPE, text);
}

void partition_note_end(const struct record *record)
{
    if (record->refusal != NULL)
        return;
    bool is_skipped = record->decision == DECISION_SKIP;
    if (record->outcome == OUTCOME_FAILED)
        partition_note_fault(record, record->fault, partition_reason(record));
    else if (record->outcome == OUTCOME_INVALID)
        partition_note_fault(record, FAULT_INVALID, partition_reason(record));
    else if (record->outcome == OUTCOME_UNKNOWN_TYPE && !is_skipped)
        note_unknown_type(record);
}
