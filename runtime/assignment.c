#include "assignment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum {
    READS_A_TURN = 2048, /* records; then the loop's others have their turn */
    REMIND_MS = 60 * 1000,
};

void assignment_init(struct assignment *assignment, const struct consumer_config *config,
                     struct dispatcher *dispatcher, void (*on_ready)(void *context), void *context)
{
    *assignment = (struct assignment){0};
    intake_init(&assignment->intake, config, dispatcher, on_ready, context);
    list_init(&assignment->partitions);
}

void assignment_destroy(struct assignment *assignment)
{
    for (struct link *link; (link = list_pop(&assignment->partitions)) != NULL;) {
        struct partition *partition = CONTAINER_OF(link, struct partition, link);
        partition_free(&partition);
    }
    intake_destroy(&assignment->intake);
}

static struct partition *partition_of(const struct assignment *assignment, struct link *link)
{
    return link == &assignment->partitions ? NULL : CONTAINER_OF(link, struct partition, link);
}

struct partition *assignment_first(const struct assignment *assignment)
{
    return partition_of(assignment, assignment->partitions.next);
}

struct partition *assignment_next(const struct assignment *assignment,
                                  const struct partition *partition)
{
    return partition_of(assignment, partition->link.next);
}

struct partition *assignment_find(struct assignment *assignment, const char *topic, int32_t number)
{
    struct partition *partition = assignment_first(assignment);
    while (partition != NULL &&
           (partition->number != number || strcmp(partition->lane->topic, topic) != 0))
        partition = assignment_next(assignment, partition);
    if (partition != NULL)
        return partition;
    partition = partition_new(&assignment->intake, topic, number);
    list_append(&assignment->partitions, &partition->link);
    assignment->partition_count++;
    return partition;
}

void assignment_collect(struct assignment *assignment)
{
    struct link ended;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        partition_note_quiet(partition);
    dispatcher_collect(assignment->intake.dispatcher, &ended);
    if (!list_is_empty(&ended))
        intake_note_time(&assignment->intake);
    for (struct link *link; (link = list_pop(&ended)) != NULL;)
        partition_end_record(record_of_queue(link));
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        partition_give_back(partition);
        partition_go_on(partition);
    }
}

void assignment_retry(struct assignment *assignment, int64_t now_ms)
{
    struct record *record;
    while ((record = retries_pop(&assignment->intake.retries, now_ms)) != NULL)
        partition_rerun(record);
}

/* How many the window is shared by. */
static void count_partitions(struct assignment *assignment)
{
    struct intake *intake = &assignment->intake;
    intake->assigned_partitions = 0;
    intake->active_partitions = 0;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        intake->assigned_partitions += partition->epoch != 0;
        intake->active_partitions += partition_is_active(partition);
    }
}

/* The partition whose turn it is to be read first. */
static struct partition *rotate(struct assignment *assignment)
{
    struct partition *first = assignment_first(assignment);
    for (size_t i = 0; i < assignment->next_read && first != NULL; i++)
        first = assignment_next(assignment, first);
    assignment->next_read++;
    if (assignment->next_read >= assignment->partition_count)
        assignment->next_read = 0;
    return first;
}

/* Takes what the partition reads from the budget. */
static void read_one(struct partition *partition, size_t *budget)
{
    while (*budget > 0 && partition_may_read(partition)) {
        size_t count = partition_read(partition, *budget);
        *budget -= count;
        if (count == 0)
            return;
    }
}

bool assignment_read(struct assignment *assignment)
{
    size_t budget = READS_A_TURN;
    bool has_more = false;
    count_partitions(assignment);
    struct partition *first = rotate(assignment);
    struct partition *partition = first;
    for (size_t i = 0; i < assignment->partition_count; i++) {
        read_one(partition, &budget);
        has_more = has_more || partition_may_read(partition);
        partition = assignment_next(assignment, partition);
        if (partition == NULL)
            partition = assignment_first(assignment);
    }
    return has_more;
}

void assignment_pause(struct assignment *assignment)
{
    assignment->intake.is_paused = true;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        if (partition->epoch != 0)
            dispatcher_hold(assignment->intake.dispatcher, partition->lane);
}

/* What a failed record has stopped stays held. */
void assignment_unpause(struct assignment *assignment)
{
    assignment->intake.is_paused = false;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        if (partition->epoch != 0 && !partition->is_stopped)
            dispatcher_resume(assignment->intake.dispatcher, partition->lane);
}

struct scaler_sight assignment_sight(const struct assignment *assignment)
{
    struct scaler_sight sight = {.is_lag_known = true};
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        if (partition->epoch == 0)
            continue;
        int64_t lag;
        sight.is_lag_known = partition_lag(partition, &lag) && sight.is_lag_known;
        sight.lag += lag;
        sight.partitions++;
    }
    return sight;
}

static void remind(const struct assignment *assignment, const struct partition *partition)
{
    const char *consumer = assignment->intake.config->name;
    const struct partition_stop *stop = &partition->stop;
    char *command = partition_resume_command(partition);
    if (stop->is_without_start)
        log_warn("consumer %s: %s[%d] is still stopped: %s", consumer, partition->lane->topic,
                 partition->number, stop->reason);
    else
        log_warn("consumer %s: %s[%d] is still stopped at offset %" PRId64
                 ". Mend the cause, then: %s",
                 consumer, partition->lane->topic, partition->number, stop->offset, command);
    free(command);
}

void assignment_remind(struct assignment *assignment)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_due = now_ms - assignment->reminded_ms >= REMIND_MS;
    bool is_any_stopped = false;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        if (partition->epoch == 0 || !partition->is_stopped)
            continue;
        is_any_stopped = true;
        if (is_due && assignment->reminded_ms > 0)
            remind(assignment, partition);
    }
    /* The first minute counts from the first partition that stops: that was said when it did. */
    if (!is_any_stopped)
        assignment->reminded_ms = 0;
    else if (is_due)
        assignment->reminded_ms = now_ms;
}

bool assignment_is_any(const struct assignment *assignment)
{
    const struct partition *partition = assignment_first(assignment);
    while (partition != NULL && partition->epoch == 0)
        partition = assignment_next(assignment, partition);
    return partition != NULL;
}

void assignment_drain_all(struct assignment *assignment)
{
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        if (partition->epoch != 0)
            partition_drain(partition);
}

void assignment_revoke_all(struct assignment *assignment)
{
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        if (partition->epoch != 0)
            partition_revoke(partition);
}
