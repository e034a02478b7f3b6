#include "partition_stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "partition_internal.h"

/* --- stopping --- */

void partition_stop_without_start(struct partition *partition)
{
    partition->is_stopped = true;
    partition->stop = (struct partition_stop){
        .is_without_start = true,
        .at_ms = clock_wall_ms(),
        .reason = "the group has no committed offset there and offset_reset is \"none\"",
    };
}

static void note_first(struct partition *partition, const struct record *record, const char *reason)
{
    struct partition_stop *stop = &partition->stop;
    *stop = (struct partition_stop){.offset = record->offset, .at_ms = clock_wall_ms()};
    snprintf(stop->reason, sizeof stop->reason, "%.*s", (int)strcspn(reason, "\n"), reason);
}

static void say_stopped(const struct partition *partition, const struct record *record,
                        const char *reason)
{
    char *command = partition_resume_command(partition);
    const struct log_field fields[] = {
        log_text("topic", record->topic),        log_integer("partition", record->partition),
        log_integer("offset", record->offset),   log_bytes("key", record->key, record->key_length),
        log_integer("attempt", record->attempt), log_text("reason", reason),
    };
    log_event(LOG_ERROR, fields, ARRAY_LENGTH(fields),
              "consumer %s: a record failed; its partition is stopped and will not be committed "
              "past it. Mend the cause, then: %s",
              partition->intake->config->name, command);
    free(command);
}

/* What has not begun is given back, the record itself too when it has failed, so that a partition
 * at a stand takes no room from the others. */
void partition_stop_at(struct record *record, const char *reason)
{
    struct partition *partition = record->owner;
    struct intake *intake = partition->intake;
    if (!partition->is_stopped)
        note_first(partition, record, reason);
    partition->is_stopped = true;
    partition->stop.is_resuming = false;
    partition->stop.has_left_strand |= record->is_ended && record->state == RECORD_OUTSIDE;
    intake->counts.failed++;
    record->has_stopped = true;
    /* Nothing more of what it published matters; while it runs that is its worker's to read. */
    if (record->is_ended)
        record->run++;
    else
        partition->stop.unended++;
    dispatcher_hold(intake->dispatcher, partition->lane);
    say_stopped(partition, record, reason);
    partition->gives_back_from = REVOKE_ALL;
}

void partition_note_stopper_end(struct record *record)
{
    struct partition *partition = record->owner;
    if (record->has_stopped && record->epoch == partition->epoch)
        partition->stop.unended--;
}

/* --- the command --- */

/* As a shell reads it back. */
static void append_word(struct buffer *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        buffer_append_text(text, word);
        return;
    }
    buffer_append_text(text, "'");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            buffer_append_text(text, "'\\''");
        else
            buffer_append(text, word, 1);
    buffer_append_text(text, "'");
}

char *partition_resume_command(const struct partition *partition)
{
    struct buffer text;
    buffer_init(&text);
    buffer_append_text(&text, "lagoon resume ");
    append_word(&text, partition->intake->config->name);
    buffer_append_text(&text, " --topic ");
    append_word(&text, partition->lane->topic);
    buffer_format(&text, " --partition %d", partition->number);
    char *command = xstrndup(text.bytes, text.length);
    buffer_destroy(&text);
    return command;
}

/* --- starting again --- */

int partition_check_resume(const struct partition *partition, struct error *err)
{
    const struct partition_stop *stop = &partition->stop;
    if (partition->is_revoking) {
        error_set(err, "it is being given back to its group");
    } else if (stop->is_without_start) {
        error_set(err,
                  "%s: commit one by Kafka's tools while no member of the group runs, or "
                  "change offset_reset and restart",
                  stop->reason);
    } else {
        return 0;
    }
    return -1;
}

bool partition_has_to_wait(const struct partition *partition)
{
    const struct partition_stop *stop = &partition->stop;
    return stop->has_left_strand || stop->unended > 0;
}

void partition_note_quiet(struct partition *partition)
{
    bool waits = partition->epoch != 0 && partition->is_stopped && partition->stop.is_resuming;
    partition->stop.is_quiet = waits && partition_running(partition) == 0;
}

bool partition_is_to_go_on(const struct partition *partition)
{
    const struct partition_stop *stop = &partition->stop;
    return partition->epoch != 0 && partition->is_stopped && !partition->is_revoking &&
           stop->is_resuming && stop->is_quiet;
}

int64_t partition_begin_again(struct partition *partition)
{
    partition_give_back(partition);
    partition->is_stopped = false;
    int64_t offset = offsets_read_again(&partition->offsets);
    if (!partition->intake->is_paused)
        dispatcher_resume(partition->intake->dispatcher, partition->lane);
    return offset;
}

int partition_skip_stopper(struct partition *partition, int64_t offset, struct error *err)
{
    struct intake *intake = partition->intake;
    partition_give_back(partition);
    if (partition->stop.unended > 0) {
        error_set(err, "%s[%d]: the handler of a record that stopped it still runs",
                  partition->lane->topic, partition->number);
        return -1;
    }
    if (!offsets_skip_failed(&partition->offsets, offset)) {
        error_set(err,
                  "%s[%d]: the record at offset %" PRId64 " has not stopped it; the first one "
                  "that did is at offset %" PRId64,
                  partition->lane->topic, partition->number, offset, partition->stop.offset);
        return -1;
    }
    intake->counts.skipped++;
    return 0;
}
